"""A whole nest looked through, each row against its digest and each run against its articles."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from newsnest.errors import NewsnestError
from newsnest.nest.checked import Checked, Fault, linkage_fault, tree_fault, vector_fault
from newsnest.nest.records import Run
from newsnest.nest.sqlite import codec
from newsnest.nest.sqlite.runs import Runs
from newsnest.progress import SILENT, Progress

_STEP = 1000
_PUZZLED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_COUNTED = {
    "articles": "SELECT count(*) FROM articles",
    "vectors": "SELECT count(*) FROM vectors",
    "without_digest": "SELECT count(*) FROM vectors WHERE digest IS NULL",
    "runs": "SELECT count(*) FROM runs",
}
_FINEST = "(SELECT max(depth) FROM clusters WHERE run = :run)"
# Of a finished run: a table, what is wrong, and a statement that gives the ids where it is so.
_NESTED = (
    ("clusters", "does not lie in a cluster of the level above",
     "SELECT c.id FROM clusters c LEFT JOIN clusters p ON p.id = c.parent WHERE c.run = :run AND "
     "CASE c.depth WHEN 0 THEN c.parent IS NOT NULL "
     "ELSE p.run IS NOT c.run OR p.depth IS NOT c.depth - 1 END"),
    ("clusters", "has a number out of order",
     "SELECT id FROM (SELECT id, label, row_number() OVER (PARTITION BY depth ORDER BY label) - 1 "
     "AS place FROM clusters WHERE run = :run) WHERE label <> place"),
    ("clusters", "has another number of articles than it says",
     "SELECT c.id FROM clusters c LEFT JOIN (SELECT cluster AS id, count(*) AS n, "
     "sum(copy_of IS NULL) AS texts FROM memberships WHERE run = :run GROUP BY cluster) m "
     f"ON m.id = c.id WHERE c.run = :run AND c.depth = {_FINEST} "
     "AND (c.articles IS NOT m.n OR c.independent IS NOT m.texts)"),
    ("clusters", "has another number of articles than the clusters in it",
     "SELECT c.id FROM clusters c LEFT JOIN (SELECT parent AS id, sum(articles) AS n FROM clusters "
     "WHERE run = :run GROUP BY parent) b ON b.id = c.id "
     f"WHERE c.run = :run AND c.depth < {_FINEST} AND c.articles IS NOT b.n"),
    ("clusters", "is represented by an article that is not in the run",
     "SELECT c.id FROM clusters c LEFT JOIN memberships m ON m.run = c.run AND "
     "m.article = c.representative WHERE c.run = :run AND m.run IS NULL"),
    ("memberships", "is in no story of the run",
     "SELECT a.id FROM memberships m JOIN articles a ON a.key = m.article LEFT JOIN clusters c "
     "ON c.id = m.cluster WHERE m.run = :run AND "
     f"(c.run IS NOT m.run OR c.depth IS NOT {_FINEST})"),
    ("memberships", "copies an article that is none of its story, or a copy itself",
     "SELECT a.id FROM memberships m JOIN articles a ON a.key = m.article LEFT JOIN memberships o "
     "ON o.run = m.run AND o.article = m.copy_of WHERE m.run = :run AND m.copy_of IS NOT NULL "
     "AND (o.cluster IS NOT m.cluster OR o.copy_of IS NOT NULL)"),
    ("memberships", "is in the run, but not in its batch",
     "SELECT a.id FROM memberships m JOIN articles a ON a.key = m.article LEFT JOIN "
     "batch_articles b ON b.batch = :batch AND b.article = m.article "
     "WHERE m.run = :run AND b.batch IS NULL"),
    ("memberships", "is in the batch, but not in the run",
     "SELECT b.id FROM batch_articles b LEFT JOIN memberships m ON m.run = :run AND "
     "m.article = b.article WHERE b.batch = :batch AND m.run IS NULL"),
)  # fmt: skip


class Checks(Runs):
    """The part of a store that looks for damage."""

    def check(self, *, progress: Progress = SILENT) -> Checked:
        faults: list[Fault] = []
        parts = {
            "file": self._file(),
            "articles": self._articles(progress),
            "batch_articles": self._listed(),
            "vectors": self._vectors(progress),
            "batches": self._batches(),
            "runs": self._all_runs(),
        }
        with self._any_text():
            for part, found in parts.items():
                try:
                    faults.extend(found)
                except (sqlite3.DatabaseError, *_PUZZLED) as error:  # as where a page is broken
                    faults.append(Fault(part, "", str(error)))
            try:
                counts = {name: int(self._first(ask)) for name, ask in _COUNTED.items()}
            except sqlite3.DatabaseError:  # told above
                counts = {}
        return Checked(counts, tuple(faults))

    @contextmanager
    def _any_text(self) -> Iterator[None]:
        """Read texts that are not UTF-8 too, so that what is wrong can be named."""
        usual = self.connection.text_factory
        self.connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        try:
            yield
        finally:
            self.connection.text_factory = usual

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # What no reader can make sense of may be damage that no digest covers, such as an index.
        if isinstance(error, _PUZZLED) and not isinstance(error, NewsnestError):
            for fault in self.check().faults[:1]:
                error = codec.Damaged(f"{fault.part} {fault.id} {fault.problem}")
        super().__exit__(kind, error, trace)

    def _file(self) -> Iterator[Fault]:
        for (problem,) in self.connection.execute("PRAGMA integrity_check"):
            if problem != "ok":
                yield Fault("file", "", problem)
        for table, row, other, _ in self.connection.execute("PRAGMA foreign_key_check"):
            yield Fault(table, str(row or ""), f"refers to a row of {other} that is not there")

    def _articles(self, progress: Progress) -> Iterator[Fault]:
        rows = f"SELECT {codec.WHOLE_ARTICLE} FROM articles a ORDER BY key"
        for row in self._counting("articles", rows, progress):
            if not codec.is_whole(row):
                yield Fault("articles", _name(row[0]), "is not what was written")

    def _listed(self) -> Iterator[Fault]:
        ask = (
            "SELECT b.batch, b.id FROM batch_articles b JOIN articles a ON a.key = b.article "
            "WHERE a.id <> b.id"
        )
        for batch, name in self.connection.execute(ask):
            yield Fault(
                "batch_articles", _name(name), f"stands for another article in batch {batch}"
            )

    def _vectors(self, progress: Progress) -> Iterator[Fault]:
        widths: dict[Any, int] = {}
        ask = "SELECT encoder, text, vector, digest FROM vectors ORDER BY rowid"
        for encoder, *row in self._counting("vectors", ask, progress):
            try:
                vector = codec.to_vector(*row)
            except codec.Damaged:
                problem = "is not what was written"
            else:
                problem = vector_fault(vector)
                if len(vector) != widths.setdefault(encoder, len(vector)):
                    problem = f"has {len(vector)} dimensions, not {widths[encoder]}"
            if problem:
                name = row[0].hex() if isinstance(row[0], bytes) else _name(row[0])
                yield Fault("vectors", f"{encoder}:{name}", problem)

    def _batches(self) -> Iterator[Fault]:
        for row in self.connection.execute(f"SELECT {codec.BATCH_COLUMNS} FROM batches"):
            yield from _unreadable("batches", row[0], codec.to_batch, row)

    def _all_runs(self) -> Iterator[Fault]:
        for row in self.connection.execute(f"SELECT {codec.RUN_COLUMNS} FROM runs ORDER BY id"):
            wrong = list(_unreadable("runs", row[0], codec.to_run, row))
            yield from wrong
            if not wrong and (run := codec.to_run(row)).finished:
                yield from self._run(run)

    def _run(self, run: Run) -> Iterator[Fault]:
        given = {"run": run.id, "batch": run.batch}
        for part, problem, ask in _NESTED:
            for (name,) in self.connection.execute(ask, given):
                yield Fault(part, _name(name), f"{problem} (run {run.id})")
        for row in self.connection.execute(
            f"SELECT {codec.CLUSTER_COLUMNS} FROM clusters c WHERE run = ?", (run.id,)
        ):
            yield from _unreadable("clusters", row[0], codec.to_cluster, row)
        yield from self._frame_and_tree(run)
        yield from self._merges(run)

    def _frame_and_tree(self, run: Run) -> Iterator[Fault]:
        try:
            frame, tree = self.frame(run), self.tree(run)
        except codec.Damaged as error:
            yield Fault("runs", str(run.id), str(error))
            return
        if frame is None or not all(np.isfinite(part).all() for part in frame):
            yield Fault("runs", str(run.id), "has a frame with NaN or infinity, or none")
        if tree is not None and (problem := tree_fault(tree)):
            yield Fault("trees", f"of run {run.id}", problem)

    def _merges(self, run: Run) -> Iterator[Fault]:
        sizes = [size for (size,) in self.connection.execute(
            "SELECT count(*) FROM clusters WHERE run = ? GROUP BY depth ORDER BY depth", (run.id,)
        )]  # fmt: skip
        texts = "SELECT count(*) FROM memberships WHERE run = ? AND copy_of IS NULL"
        rows = int(self._first(texts, (run.id,)))
        down = run.options.get("order") == "coarse-to-fine"
        try:
            linkages = self.linkages(run)
        except codec.Damaged as error:
            yield Fault("merges", str(run.id), str(error))
            return
        for depth, linkage in enumerate(linkages):
            finest = depth == len(sizes) - 1
            leaves = rows if down or finest else sizes[depth + 1]
            # Another clusterer of stories makes no merges.
            problem = linkage_fault(linkage, leaves, sizes[depth]) if len(linkage) else ""
            if problem:
                yield Fault("merges", f"{run.id}:{depth}", problem)

    def _counting(self, table: str, ask: str, progress: Progress) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a table and count them."""
        total = int(self._first(f"SELECT count(*) FROM {table}"))
        with progress.start("check", total, table) as task:
            for done, row in enumerate(self.connection.execute(ask), 1):
                yield row
                if done % _STEP == 0:
                    task.advance(_STEP)
            task.advance(total % _STEP)


def _unreadable(part: str, name: Any, make: Any, row: Iterable[Any]) -> Iterator[Fault]:
    """Yield a fault if a row cannot become a record, or has a text that is not UTF-8."""
    try:
        make(row)
        "".join(value for value in row if isinstance(value, str)).encode()
    except codec.Damaged as error:
        yield Fault(part, str(name), str(error))
    except UnicodeEncodeError:  # what `_any_text` let pass
        yield Fault(part, str(name), "has a text that is not UTF-8")


def _name(value: Any) -> str:
    """Return an id as it can be printed."""
    return codec.to_name(value) if isinstance(value, str) else str(value)
