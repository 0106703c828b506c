"""Runs in SQLite, and what they found: clusters, members, merges."""

import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from newsnest.nest.records import Cluster, KeptTree, Member, Result, Run
from newsnest.nest.sqlite import codec
from newsnest.nest.sqlite.database import Database
from newsnest.progress import SILENT, Progress, Task
from newsnest.types import Floats, Vectors

_CHUNK = 10_000

Row = tuple[Any, ...]


class Runs(Database):
    """The part of a store that holds runs and their results."""

    def start_run(
        self,
        key: str,
        batch: int,
        options: Mapping[str, Any],
        versions: Mapping[str, str],
        *,
        inputs: Sequence[str] = (),
    ) -> Run:
        # No transaction for a finished run: it can be read while another program writes.
        if not self._first("SELECT finished FROM runs WHERE key = ?", (key,)):
            started = (
                datetime.now(UTC).timestamp(),
                codec.to_json(options),
                codec.to_json(versions),
            )
            with self.transaction() as sql:
                sql.execute(
                    "INSERT INTO runs (key, batch, created, options, versions, inputs) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) "
                    "DO UPDATE SET stopped = '' WHERE stopped <> ''",
                    (key, batch, *started, codec.to_list(inputs)),
                )
        (run,) = self._runs("WHERE key = ?", (key,))
        return run

    def stop_run(self, run: Run, reason: str) -> None:
        with self.transaction() as sql:
            sql.execute(
                "UPDATE runs SET stopped = ? WHERE id = ? AND NOT finished",
                (codec.to_name(reason), run.id),
            )

    def forget_run(self, run: Run) -> None:
        with self.transaction() as sql:
            sql.execute("DELETE FROM runs WHERE id = ? AND NOT finished", (run.id,))

    def finish_run(self, run: Run, result: Result, *, progress: Progress = SILENT) -> None:
        with self.transaction() as sql:
            if not self._first("SELECT finished FROM runs WHERE id = ?", (run.id,)):
                _write_result(sql, run, result, progress)  # no other program was faster

    def runs(self) -> list[Run]:
        return self._runs("ORDER BY id")

    def _runs(self, condition: str, values: tuple[Any, ...] = ()) -> list[Run]:
        rows = self.connection.execute(f"SELECT {codec.RUN_COLUMNS} FROM runs {condition}", values)
        return [codec.to_run(row) for row in rows]

    def frame(self, run: Run) -> tuple[Vectors, Vectors] | None:
        *texts, means, rotation, digest = self.connection.execute(
            "SELECT options, versions, facts, means, rotation, digest FROM runs WHERE id = ?",
            (run.id,),
        ).fetchone()
        if rotation is None:
            return None
        with codec.as_written(f"run {run.id}"):
            if digest is not None and digest != codec.run_digest(texts, means, rotation):
                raise ValueError("another digest")
            turn = np.frombuffer(rotation, "<f4")
            d = math.isqrt(len(turn))
            return np.frombuffer(means, "<f4").reshape(-1, d), turn.reshape(d, d)

    def tree(self, run: Run) -> KeptTree | None:
        row = self.connection.execute(
            f"SELECT digest, {codec.TREE_COLUMNS} FROM trees "
            "WHERE id = (SELECT tree FROM runs WHERE id = ?)",
            (run.id,),
        ).fetchone()
        return None if row is None else codec.to_tree(row)

    def levels(self, run: Run) -> list[str]:
        rows = self.connection.execute(
            "SELECT DISTINCT depth, level FROM clusters WHERE run = ? ORDER BY depth", (run.id,)
        )
        return [str(level) for _, level in rows]

    def clusters(self, run: Run, level: str, *, limit: int | None = None) -> list[Cluster]:
        return self._clusters("c.run = ? AND c.level = ?", (run.id, level), limit)

    def children(self, cluster: Cluster, *, limit: int | None = None) -> list[Cluster]:
        return self._clusters("c.parent = ?", (cluster.id,), limit)

    def _clusters(
        self, condition: str, values: tuple[int | str, ...], limit: int | None
    ) -> list[Cluster]:
        rows = self.connection.execute(
            f"SELECT {codec.CLUSTER_COLUMNS} FROM clusters c WHERE {condition} "
            "ORDER BY c.independent DESC, c.label LIMIT ?",
            # To SQLite a negative LIMIT is none.
            (*values, -1 if limit is None else limit),
        )
        return [codec.to_cluster(row) for row in rows]

    def count_children(self, cluster: Cluster) -> int:
        return int(self._first("SELECT count(*) FROM clusters WHERE parent = ?", (cluster.id,)))

    def members(self, run: Run, *, story: Cluster | None = None) -> Iterator[Member]:
        ancestry = self._ancestry(run) if story is None else {story.id: self._path(story.id)}
        condition = "m.run = ?" if story is None else "m.run = ? AND m.cluster = ?"
        # SQLite sorts NULL before everything; articles without a date come last.
        order = "a.id" if story is None else "a.date IS NULL, a.date, a.id"
        rows = self.connection.execute(
            f"SELECT {codec.WHOLE_ARTICLE}, m.cluster, o.id FROM memberships m JOIN articles a "
            f"ON a.key = m.article LEFT JOIN articles o ON o.key = m.copy_of "
            f"WHERE {condition} ORDER BY {order}",
            (run.id,) if story is None else (run.id, story.id),
        )
        for *article, cluster, copy_of in rows:
            with codec.as_written(f"the story of article {article[0]!r}"):
                path = ancestry[cluster]
            yield Member(codec.to_article(article), path, copy_of)

    def _path(self, cluster: int | None) -> tuple[int, ...]:
        """Return the ids from the coarsest level down to this cluster."""
        path: list[int] = []
        while cluster is not None:
            if cluster in path:
                raise codec.Damaged(f"cluster {cluster} lies within itself")
            path.append(cluster)
            cluster = self._first("SELECT parent FROM clusters WHERE id = ?", (cluster,))
        return tuple(reversed(path))

    def _ancestry(self, run: Run) -> dict[int, tuple[int, ...]]:
        """Return, for every cluster of a run, its path from the coarsest level to itself."""
        paths: dict[int, tuple[int, ...]] = {}
        # By depth, so that a parent's path is known before its children need it.
        for cluster, parent in self.connection.execute(
            "SELECT id, parent FROM clusters WHERE run = ? ORDER BY depth", (run.id,)
        ):
            paths[cluster] = (*paths.get(parent, ()), cluster)
        return paths

    def linkages(self, run: Run) -> list[Floats]:
        ask = "SELECT a, b, distance, weight FROM merges WHERE run = ? AND depth = ? ORDER BY step"
        found = [self.connection.execute(ask, (run.id, depth)).fetchall()
                 for depth in range(len(self.levels(run)))]  # fmt: skip
        with codec.as_written(f"a merge of run {run.id}"):
            return [np.array(rows, dtype=np.float64).reshape(-1, 4) for rows in found]


def _write_result(sql: sqlite3.Connection, run: Run, result: Result, progress: Progress) -> None:
    """Write a result, and that the run is finished; the caller holds the transaction."""
    began = time.perf_counter()
    # By id, for the rows of a result are in the canonical order.
    ask = "SELECT id, article FROM batch_articles WHERE batch = ? ORDER BY id"
    keys: dict[str, int] = dict(sql.execute(ask, (run.batch,)))
    # Ids are given here, for parents are written with their number; the write lock is held, so that
    # no other program can take the same.
    first = int(sql.execute("SELECT coalesce(max(id), 0) + 1 FROM clusters").fetchone()[0])
    merges = sum(map(len, result.linkages))
    total = len(result.clusters) + len(result.membership) + merges
    with progress.start("keep", total, "rows") as task:
        sql.executemany(
            f"INSERT INTO clusters VALUES ({', '.join('?' * 20)})",
            _counted(_clusters(run, result, keys, first), task),
        )
        sql.executemany(
            "INSERT INTO memberships VALUES (?, ?, ?, ?)",
            _counted(_memberships(run, result, list(keys.values()), first), task),
        )
        sql.executemany(
            "INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?, ?)", _counted(_merges(run, result), task)
        )
    wrote = round(time.perf_counter() - began, 3)
    facts = {**result.facts, "seconds": {**result.facts.get("seconds", {}), "write": wrote}}
    started = sql.execute("SELECT options, versions FROM runs WHERE id = ?", (run.id,)).fetchone()
    found = codec.to_json(facts)
    frame = [part.astype("<f4").tobytes() for part in (result.means, result.rotation)]
    digest = codec.run_digest((*started, found), *frame)
    tree = None if result.tree is None else _write_tree(sql, result.tree)
    sql.execute(
        "UPDATE runs SET facts = ?, means = ?, rotation = ?, digest = ?, tree = ?, stopped = '', "
        "finished = 1 WHERE id = ?",
        (found, *frame, digest, tree, run.id),
    )


def _write_tree(sql: sqlite3.Connection, tree: KeptTree) -> int:
    """Keep a tree unless it is there, and return its number."""
    digest, *values = codec.from_tree(tree)
    sql.execute(
        f"INSERT INTO trees (digest, {codec.TREE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (digest) DO NOTHING",
        (digest, *values),
    )
    return int(sql.execute("SELECT id FROM trees WHERE digest = ?", (digest,)).fetchone()[0])


def _counted(rows: Iterable[Row], task: Task) -> Iterator[Row]:
    """Pass rows on and count them, in large steps."""
    done = 0
    for done, row in enumerate(rows, 1):
        yield row
        if done % _CHUNK == 0:
            task.advance(_CHUNK)
    task.advance(done % _CHUNK)


def _clusters(run: Run, result: Result, keys: Mapping[str, int], first: int) -> Iterator[Row]:
    clusters = result.clusters
    depths = {level: depth for depth, level in enumerate(dict.fromkeys(c.level for c in clusters))}
    for cluster in clusters:
        yield codec.from_cluster(
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
