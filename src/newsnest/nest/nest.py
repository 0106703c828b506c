"""The nest: articles, vectors, clusters, their names, and the runs that made them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from newsnest.errors import NestError, did_you_mean
from newsnest.nest.checked import Checked
from newsnest.nest.records import Cluster, KeptTree, Member, Run
from newsnest.nest.sqlite import SqliteStore
from newsnest.nest.store import Store, open_store
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Rejected, Vectors


class Nest:
    """An open nest; use it as a context manager or call `close`.

    If a block fails with a `NewsnestError`, a nest that it created is deleted unless it holds work
    worth keeping. Methods that take a `run` use the newest finished one by default.

    Parameters
    ----------
    address
        The file; ":memory:" keeps the nest in memory alone.
    create
        Create the file if it does not exist.

    Attributes
    ----------
    store
        The storage backend: writes steps and counts articles for pages.
    vectors
        The same object, as a `newsnest.embed.VectorCache`.

    Raises
    ------
    NestError
        If the file is missing and `create` is False, is not a nest, or was written by a newer
        newsnest.

    Example
    -------
    >>> with Nest("news.nest") as nest:                                      # doctest: +SKIP
    ...     for story in nest.clusters("story")[:5]:
    ...         print(story.name, story.size)
    """

    def __init__(self, address: str | Path, *, create: bool = False) -> None:
        self._keep(open_store(address, create=create))

    def _keep(self, store: Store) -> None:
        self.store = self.vectors = store
        self.address = store.address

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Open a nest in memory, of what `to_bytes` returned."""
        nest = cls.__new__(cls)
        nest._keep(SqliteStore.from_bytes(content))
        return nest

    def to_bytes(self) -> bytes:
        """Return what a file of this nest holds, to be written or kept elsewhere."""
        return self.store.to_bytes()

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.store.__exit__(*error)

    def check(self, *, progress: Progress = SILENT) -> Checked:
        """Look through the whole nest for what is not as it was written.

        The file's own structure, digests of articles, vectors and trees, and runs: labels nested,
        every article in one story, merges that make the clusters. Reads everything once.
        """
        return self.store.check(progress=progress)

    def runs(self) -> list[Run]:
        """Return every run, oldest first."""
        return self.store.runs()

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
                raise self._unfinished(runs)
            return finished[-1]
        for run in runs:
            if run.id == number:
                return run
        known = ", ".join(str(run.id) for run in runs) or "none"
        raise NestError(f"{self.address} has no run {number}. It has: {known}.")

    def rejected(self, run: Run | None = None, *, limit: int | None = None) -> list[Rejected]:
        """Return the rows of a run's batch that could not become articles."""
        return self.store.rejected((run or self.run()).batch, limit=limit)

    def notices(self, run: Run | None = None) -> list[tuple[str, str]]:
        """Return what was noticed while reading a run's batch, as (file, message)."""
        return self.store.notices((run or self.run()).batch)

    def levels(self, run: Run | None = None) -> list[str]:
        """Return the names of a run's levels, coarse to fine.

        Raises
        ------
        NestError
            If the run is not finished.
        """
        run = run or self.run()
        levels = self.store.levels(run)
        if not levels:
            raise self._unfinished([run])
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
                f"{self.address} has no level {level!r}. It has: {', '.join(known)}."
                f"{did_you_mean(level, known)}"
            )
        return self.store.clusters(run, level, limit=limit)

    def labels(self, run: Run | None = None) -> dict[int, int]:
        """Return the label of every cluster of a run, by the cluster's id."""
        run = run or self.run()
        return {
            c.id: c.label for level in self.levels(run) for c in self.store.clusters(run, level)
        }

    def children(self, cluster: Cluster, *, limit: int | None = None) -> list[Cluster]:
        """Return the clusters one level below, the largest first."""
        return self.store.children(cluster, limit=limit)

    def members(self, *, story: Cluster | None = None, run: Run | None = None) -> Iterator[Member]:
        """Yield the articles of one story by date, or of a whole run by id."""
        return self.store.members(run or self.run(), story=story)

    def linkages(self, run: Run | None = None) -> list[Floats]:
        """Return the SciPy-style linkage matrices of a run, coarse to fine."""
        run = run or self.run()
        self.levels(run)  # raises if it is not finished
        return self.store.linkages(run)

    def frame(self, run: Run | None = None) -> tuple[Vectors, Vectors]:
        """Return the means, float32 (g, d), and rotation, float32 (d, d), of a run.

        Raises
        ------
        NestError
            If the run is not finished.
        """
        run = run or self.run()
        frame = self.store.frame(run)
        if frame is None:
            raise self._unfinished([run])
        return frame

    def tree(self, run: Run | None = None) -> KeptTree | None:
        """Return the tree that the stories of a run were cut from.

        None where they were cut otherwise, such as at one similarity, or before nests kept it.

        Raises
        ------
        NestError
            If the run is not finished.
        """
        run = run or self.run()
        self.levels(run)  # raises if it is not finished
        return self.store.tree(run)

    def _unfinished(self, runs: Sequence[Run]) -> NestError:
        """Return an error that says why the newest of these runs has no result."""
        what = f"{self.address} holds no finished run."
        if runs:
            newest = runs[-1]
            why = f": {newest.stopped.rstrip('.')}" if newest.stopped else ""
            what = f"Run {newest.id} of {self.address} is not finished{why}."
        return NestError(f"{what} Run the same newsnest cluster command again to resume it.")
