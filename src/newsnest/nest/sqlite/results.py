"""The result of a run, written to the tables."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from newsnest.nest.records import Result, Run
from newsnest.nest.sqlite.rows import from_cluster, to_json
from newsnest.progress import SILENT, Progress, Task

_CHUNK = 10_000

Row = tuple[Any, ...]


def write_result(
    sql: sqlite3.Connection, run: Run, result: Result, *, progress: Progress = SILENT
) -> None:
    """Write a result, and that the run is finished; the caller holds the transaction."""
    began = time.perf_counter()
    keys = _article_keys(sql, run.batch)
    first = int(sql.execute("SELECT coalesce(max(id), 0) + 1 FROM clusters").fetchone()[0])
    merges = sum(map(len, result.linkages))
    total = len(result.clusters) + len(result.membership) + merges
    with progress.start("keep", total, "rows") as task:
        sql.executemany(
            "INSERT INTO clusters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _counted(_clusters(run, result, keys, first), task),
        )
        sql.executemany(
            "INSERT INTO memberships VALUES (?, ?, ?, ?)",
            _counted(_memberships(run, result, list(keys.values()), first), task),
        )
        sql.executemany(
            "INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?, ?)", _counted(_merges(run, result), task)
        )
    sql.execute(
        "UPDATE runs SET facts = ?, means = ?, rotation = ?, stopped = '', finished = 1 "
        "WHERE id = ?",
        (
            to_json(_with_seconds(result.facts, time.perf_counter() - began)),
            result.means.astype("<f4").tobytes(),
            result.rotation.astype("<f4").tobytes(),
            run.id,
        ),
    )


def _with_seconds(facts: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Add what the writing took to the seconds of the other stages."""
    return {**facts, "seconds": {**facts.get("seconds", {}), "write": round(seconds, 3)}}


def _counted(rows: Iterable[Row], task: Task) -> Iterator[Row]:
    """Pass rows on and count them, in large steps."""
    done = 0
    for done, row in enumerate(rows, 1):
        yield row
        if done % _CHUNK == 0:
            task.advance(_CHUNK)
    task.advance(done % _CHUNK)


def _article_keys(sql: sqlite3.Connection, batch: int) -> dict[str, int]:
    ask = "SELECT id, article FROM batch_articles WHERE batch = ? ORDER BY id"
    rows = sql.execute(ask, (batch,))
    return {str(article): int(key) for article, key in rows}


def _clusters(run: Run, result: Result, keys: Mapping[str, int], first: int) -> Iterator[Row]:
    clusters = result.clusters
    depths = {level: depth for depth, level in enumerate(dict.fromkeys(c.level for c in clusters))}
    for cluster in clusters:
        yield from_cluster(
            cluster, run.id, depths[cluster.level], first, keys[cluster.representative]
        )


def _memberships(run: Run, result: Result, order: list[int], first: int) -> Iterator[Row]:
    pairs = zip(result.membership.tolist(), result.copy_of.tolist(), strict=True)
    for row, (cluster, copied) in enumerate(pairs):
        yield run.id, order[row], first + cluster, None if copied < 0 else order[copied]


def _merges(run: Run, result: Result) -> Iterator[Row]:
    for depth, linkage in enumerate(result.linkages):
        for step, (a, b, distance, weight) in enumerate(linkage.tolist()):
            yield run.id, depth, step, int(a), int(b), distance, weight
