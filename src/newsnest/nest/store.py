"""The nest: one file that keeps articles, vectors, clusters, names and how they came about.

Writing happens in steps, each in one transaction: a corpus, a chunk of vectors, a finished run.
After a kill at any moment the file opens and holds every step that was completed.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import NestError, NewsnestError, did_you_mean
from newsnest.nest.records import Cluster, Member, Result, Run
from newsnest.nest.results import write_result
from newsnest.nest.rows import (
    ARTICLE_COLUMNS,
    CLUSTER_COLUMNS,
    RUN_COLUMNS,
    from_article,
    to_article,
    to_cluster,
    to_json,
    to_list,
    to_name,
    to_run,
)
from newsnest.nest.schema import as_nest_error, connect
from newsnest.nest.unfinished import remove_if_bare, unfinished
from newsnest.nest.vectors import NestVectors
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Rejected, Vectors


class Nest:
    """A nest on disk; use as a context manager or call `close`.

    A block that ends in an error of ours leaves no new file, unless there is work in it to keep.

    Parameters
    ----------
    path
        The file.
    create
        Make the file if it is not there.

    Raises
    ------
    NestError
        If the file is missing (and not to be created), is not a nest, or is newer than this
        newsnest.

    Example
    -------
    >>> with Nest("news.nest") as nest:                                      # doctest: +SKIP
    ...     for story in nest.clusters("story")[:5]:
    ...         print(story.name, story.size)
    """

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        self.path = Path(path)
        self.connection = connect(self.path, create=create)
        self.vectors = NestVectors(self.connection, self.transaction)
        filled = self.connection.execute("SELECT EXISTS (SELECT 1 FROM corpora)").fetchone()[0]
        self._is_new = create and not filled

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_new and isinstance(error, NewsnestError):
            remove_if_bare(self.path, self.connection)
        self.close()
        ours = as_nest_error(self.path, error)  # a full disk, a damaged file: no traceback
        if ours is not None:
            raise ours from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one transaction: all of it is kept, or nothing.

        Raises
        ------
        NestError
            If another program is writing, or the file cannot be written.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            ours = as_nest_error(self.path, error)
            if ours is None:
                raise
            raise ours from error
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException as error:
            if self.connection.in_transaction:  # SQLite itself rolls back on a full disk
                self.connection.execute("ROLLBACK")
            ours = as_nest_error(self.path, error)
            if ours is None:
                raise
            raise ours from error

    # ── corpora ───────────────────────────────────────────────────────────────────────────────

    def find_corpus(self, digest: str, options: Mapping[str, Any]) -> int | None:
        """Return the number of the corpus read from this input with these options, if kept."""
        row = self.connection.execute(
            "SELECT id FROM corpora WHERE digest = ? AND options = ?", (digest, to_json(options))
        ).fetchone()
        return None if row is None else int(row[0])

    def add_corpus(
        self,
        digest: str,
        options: Mapping[str, Any],
        items: Iterable[Article | Rejected | tuple[str, str]],
    ) -> int:
        """Keep a corpus as it is read, in one transaction, and return its number.

        Parameters
        ----------
        digest, options
            What the input was and how it was read; together they identify the corpus.
        items
            Articles, rejected rows, and notices as (file, message), in any order; not touched if
            another program has kept the same corpus in the meantime.
        """
        with self.transaction() as sql:
            known = self.find_corpus(digest, options)
            if known is not None:
                return known
            row = sql.execute(
                "INSERT INTO corpora (digest, options) VALUES (?, ?) RETURNING id",
                (digest, to_json(options)),
            ).fetchone()
            corpus = int(row[0])
            for item in items:
                if isinstance(item, Article):
                    sql.execute(
                        f"INSERT INTO articles (corpus, {ARTICLE_COLUMNS}) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (corpus, *from_article(item)),
                    )
                elif isinstance(item, Rejected):
                    sql.execute(
                        "INSERT INTO rejected VALUES (?, ?, ?, ?, ?)",
                        (corpus, to_name(item.file), item.line, item.reason, item.content),
                    )
                else:
                    sql.execute(
                        "INSERT INTO notices VALUES (?, ?, ?)", (corpus, *map(to_name, item))
                    )
        return corpus

    def corpus_articles(self, corpus: int) -> list[Article]:
        """Return the articles of a corpus in canonical order: by id."""
        rows = self.connection.execute(
            f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE corpus = ? ORDER BY id", (corpus,)
        )
        return [to_article(row) for row in rows]

    def rejected(self, corpus: int, *, limit: int | None = None) -> list[Rejected]:
        """Return the rows of a corpus that could not become articles, the first ones if limited."""
        rows = self.connection.execute(
            "SELECT file, line, reason, content FROM rejected WHERE corpus = ? ORDER BY rowid "
            "LIMIT ?",
            (corpus, -1 if limit is None else limit),
        )
        return [Rejected(*row) for row in rows]

    def count_rejected(self, corpus: int) -> int:
        """Count the rows of a corpus that could not become articles."""
        ask = "SELECT count(*) FROM rejected WHERE corpus = ?"
        return int(self.connection.execute(ask, (corpus,)).fetchone()[0])

    def notices(self, corpus: int) -> list[tuple[str, str]]:
        """Return what was noticed while reading a corpus, as (file, message)."""
        rows = self.connection.execute(
            "SELECT file, message FROM notices WHERE corpus = ? ORDER BY rowid", (corpus,)
        )
        return [(str(file), str(message)) for file, message in rows]

    # ── runs ──────────────────────────────────────────────────────────────────────────────────

    def start_run(
        self,
        key: str,
        corpus: int,
        options: Mapping[str, Any],
        versions: Mapping[str, str],
        *,
        inputs: Sequence[str] = (),
    ) -> Run:
        """Return the run with this key, started now if it is new.

        `inputs` names what is read, for people; the run is known by its key alone.
        """
        started = (datetime.now(UTC).timestamp(), to_json(options), to_json(versions))
        with self.transaction() as sql:
            sql.execute(
                "INSERT INTO runs (key, corpus, created, options, versions, inputs) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) "
                "DO UPDATE SET stopped = '' WHERE stopped <> ''",
                (key, corpus, *started, to_list(inputs)),
            )
        row = self.connection.execute("SELECT id FROM runs WHERE key = ?", (key,)).fetchone()
        return self.run(int(row[0]))

    def stop_run(self, run: Run, reason: str) -> None:
        """Keep with a run that is not finished why it stopped."""
        with self.transaction() as sql:
            sql.execute(
                "UPDATE runs SET stopped = ? WHERE id = ? AND NOT finished",
                (to_name(reason), run.id),
            )

    def forget_run(self, run: Run) -> None:
        """Take out a run that can never finish, such as one with an option that does not fit.

        One that is finished stays, and so do its corpus and vectors.
        """
        with self.transaction() as sql:
            sql.execute("DELETE FROM runs WHERE id = ? AND NOT finished", (run.id,))

    def finish_run(self, run: Run, result: Result, *, progress: Progress = SILENT) -> None:
        """Keep the result of a run, in one transaction; a run that is finished stays as it is.

        The seconds this takes are added to those in its facts.
        """
        with self.transaction() as sql:
            if not self.run(run.id).finished:  # by another program, with the same result
                write_result(sql, run, result, progress=progress)

    def frame(self, run: Run) -> tuple[Vectors, Vectors]:
        """Return the means, float32 (g, d), and rotation, float32 (d, d), of a finished run.

        Raises
        ------
        NestError
            If the run is not finished.
        """
        means, rotation = self.connection.execute(
            "SELECT means, rotation FROM runs WHERE id = ?", (run.id,)
        ).fetchone()
        if rotation is None:
            raise unfinished(self.path, [run])
        turn = np.frombuffer(rotation, "<f4")
        d = math.isqrt(len(turn))
        return np.frombuffer(means, "<f4").reshape(-1, d), turn.reshape(d, d)

    def runs(self) -> list[Run]:
        """Return every run, oldest first."""
        rows = self.connection.execute(f"SELECT {RUN_COLUMNS} FROM runs ORDER BY id")
        return [to_run(row) for row in rows]

    def run(self, number: int | None = None) -> Run:
        """Return one run; None means the newest finished one.

        Raises
        ------
        NestError
            If there is no such run, or none is finished.
        """
        runs = self.runs()
        if number is None:
            finished = [run for run in runs if run.finished]
            if not finished:
                raise unfinished(self.path, runs)
            return finished[-1]
        for run in runs:
            if run.id == number:
                return run
        known = ", ".join(str(run.id) for run in runs) or "none"
        raise NestError(f"{self.path} has no run {number}. It has: {known}.")

    # ── reading a run ─────────────────────────────────────────────────────────────────────────

    def levels(self, run: Run | None = None) -> list[str]:
        """Return the names of a run's levels, coarse to fine.

        Raises
        ------
        NestError
            If the run is not finished.
        """
        run = run or self.run()
        rows = self.connection.execute(
            "SELECT DISTINCT depth, level FROM clusters WHERE run = ? ORDER BY depth", (run.id,)
        )
        levels = [str(level) for _, level in rows]
        if not levels:
            raise unfinished(self.path, [run])
        return levels

    def clusters(
        self, level: str, *, run: Run | None = None, limit: int | None = None
    ) -> list[Cluster]:
        """Return the clusters of one level, the largest (by independent texts) first.

        Raises
        ------
        NestError
            If the run has no such level.
        """
        run = run or self.run()
        known = self.levels(run)
        if level not in known:
            raise NestError(
                f"{self.path} has no level {level!r}. It has: {', '.join(known)}."
                f"{did_you_mean(level, known)}"
            )
        rows = self.connection.execute(
            f"SELECT {CLUSTER_COLUMNS} FROM clusters c WHERE c.run = ? AND c.level = ? "
            "ORDER BY c.independent DESC, c.label LIMIT ?",
            (run.id, level, -1 if limit is None else limit),
        )
        return [to_cluster(row) for row in rows]

    def children(self, cluster: Cluster, *, limit: int | None = None) -> list[Cluster]:
        """Return the clusters one level below, the largest first."""
        rows = self.connection.execute(
            f"SELECT {CLUSTER_COLUMNS} FROM clusters c WHERE c.parent = ? "
            "ORDER BY c.independent DESC, c.label LIMIT ?",
            (cluster.id, -1 if limit is None else limit),
        )
        return [to_cluster(row) for row in rows]

    def count_children(self, cluster: Cluster) -> int:
        """Count the clusters one level below."""
        ask = "SELECT count(*) FROM clusters WHERE parent = ?"
        return int(self.connection.execute(ask, (cluster.id,)).fetchone()[0])

    def members(self, *, story: Cluster | None = None, run: Run | None = None) -> Iterator[Member]:
        """Yield the articles of one story by date, or of a whole run by id."""
        run = run or self.run()
        ancestry = self._ancestry(run) if story is None else {story.id: self._path(story.id)}
        columns = ", ".join(f"a.{name}" for name in ARTICLE_COLUMNS.split(", "))
        condition = "m.run = ?" if story is None else "m.run = ? AND m.cluster = ?"
        order = "a.id" if story is None else "a.date IS NULL, a.date, a.id"
        rows = self.connection.execute(
            f"SELECT {columns}, m.cluster, o.id FROM memberships m JOIN articles a "
            f"ON a.key = m.article LEFT JOIN articles o ON o.key = m.copy_of "
            f"WHERE {condition} ORDER BY {order}",
            (run.id,) if story is None else (run.id, story.id),
        )
        for *article, cluster, copy_of in rows:
            yield Member(to_article(article), ancestry[cluster], copy_of)

    def _path(self, cluster: int | None) -> tuple[int, ...]:
        """Return the ids from the coarsest level down to this cluster."""
        path: list[int] = []
        while cluster is not None:
            path.append(cluster)
            cluster = self.connection.execute(
                "SELECT parent FROM clusters WHERE id = ?", (cluster,)
            ).fetchone()[0]
        return tuple(reversed(path))

    def _ancestry(self, run: Run) -> dict[int, tuple[int, ...]]:
        """Return, for every cluster of a run, its path from the coarsest level to itself."""
        paths: dict[int, tuple[int, ...]] = {}
        for cluster, parent in self.connection.execute(
            "SELECT id, parent FROM clusters WHERE run = ? ORDER BY depth", (run.id,)
        ):
            paths[cluster] = (*paths.get(parent, ()), cluster)
        return paths

    def linkages(self, run: Run | None = None) -> list[NDArray[np.float64]]:
        """Return the SciPy-style linkage matrices of a run, coarse to fine."""
        run = run or self.run()
        ask = "SELECT a, b, distance, weight FROM merges WHERE run = ? AND depth = ? ORDER BY step"
        return [
            np.array(
                self.connection.execute(ask, (run.id, depth)).fetchall(), dtype=np.float64
            ).reshape(-1, 4)
            for depth in range(len(self.levels(run)))
        ]
