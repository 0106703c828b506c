"""How the result of a run goes into the tables."""

from __future__ import annotations

import sqlite3

from newsnest.nest.records import Result, Run
from newsnest.nest.rows import from_cluster, to_json


def write_result(sql: sqlite3.Connection, run: Run, result: Result) -> None:
    """Write a result, and that the run is finished; the caller holds the transaction."""
    keys = _article_keys(sql, run.corpus)
    first = int(sql.execute("SELECT coalesce(max(id), 0) + 1 FROM clusters").fetchone()[0])
    _write_clusters(sql, run, result, (keys, first))
    _write_memberships(sql, run, result, (list(keys.values()), first))
    for depth, linkage in enumerate(result.linkages):
        sql.executemany(
            "INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (run.id, depth, step, int(a), int(b), distance, weight)
                for step, (a, b, distance, weight) in enumerate(linkage.tolist())
            ),
        )
    sql.execute(
        "UPDATE runs SET facts = ?, means = ?, rotation = ?, stopped = '', finished = 1 "
        "WHERE id = ?",
        (
            to_json(result.facts),
            result.means.astype("<f4").tobytes(),
            result.rotation.astype("<f4").tobytes(),
            run.id,
        ),
    )


def _article_keys(sql: sqlite3.Connection, corpus: int) -> dict[str, int]:
    rows = sql.execute("SELECT id, key FROM articles WHERE corpus = ? ORDER BY id", (corpus,))
    return {str(article): int(key) for article, key in rows}


def _write_clusters(
    sql: sqlite3.Connection, run: Run, result: Result, place: tuple[dict[str, int], int]
) -> None:
    keys, first = place
    clusters = result.clusters
    depths = {level: depth for depth, level in enumerate(dict.fromkeys(c.level for c in clusters))}
    sql.executemany(
        "INSERT INTO clusters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (from_cluster(c, run.id, depths[c.level], first, keys[c.representative]) for c in clusters),
    )


def _write_memberships(
    sql: sqlite3.Connection, run: Run, result: Result, place: tuple[list[int], int]
) -> None:
    order, first = place
    pairs = zip(result.membership.tolist(), result.copy_of.tolist(), strict=True)
    sql.executemany(
        "INSERT INTO memberships VALUES (?, ?, ?, ?)",
        (
            (run.id, order[row], first + cluster, None if copied < 0 else order[copied])
            for row, (cluster, copied) in enumerate(pairs)
        ),
    )
