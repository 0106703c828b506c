"""What a storage backend must do.

`Nest` reads for people, a `Store` holds the tables. Every method that writes is atomic, so that
after a kill at any moment the nest opens and holds every completed step. Several programs may use
one nest; whoever comes second with the same batch, vectors or result leaves what is there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from newsnest.errors import NestError
from newsnest.nest.checked import Checked
from newsnest.nest.records import Batch, Cluster, Headline, KeptTree, Member, Result, Run, Totals
from newsnest.nest.sqlite import SqliteStore
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Floats, Rejected, Vectors


class Store(Protocol):
    """The storage of one nest; a context manager."""

    address: str
    """The file, or the address of a database."""

    def close(self) -> None:
        """Release the file or connection."""

    def to_bytes(self) -> bytes:
        """Return what a SQLite file of this nest holds."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Close; errors of the backend become a `NestError` that names the cure.

        If the block fails with a `NewsnestError`, a nest that it created is deleted unless it holds
        vectors or rejected rows worth looking at.
        """

    def check(self, *, progress: Progress = SILENT) -> Checked:
        """Look for damage in all that is kept, against digests and against each other."""

    # ── vectors: what was encoded once is never encoded again ─────────────────────────────────

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Return the vectors of an encoder, float32 (d,), by text hash, as far as they are kept."""

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, float32 (len(hashes), d), in one step; those kept before stay."""

    # ── batches ───────────────────────────────────────────────────────────────────────────────

    def find_batch(self, digest: str, options: Mapping[str, Any]) -> int | None:
        """Return the number of the batch read from this input with these options, if kept."""

    def add_batch(
        self,
        digest: str,
        options: Mapping[str, Any],
        items: Iterable[Article | Rejected | tuple[str, str]],
        *,
        inputs: Sequence[str] = (),
    ) -> int:
        """Keep a batch as it is read, in one step, and return its number.

        An article the nest has already, with the same id and content, is listed in the batch and
        not written again. The same id with another content is another version: each batch lists
        the one it was read with, and no version is lost.

        Parameters
        ----------
        digest, options
            What the input was and how it was read; together they identify the batch.
        items
            Articles, rejected rows, and notices as (file, message), in any order; not touched if
            the same batch is kept already.
        inputs
            What was read, as it was named.

        Raises
        ------
        NestError
            If two articles of the batch have one id, and the second is not an `Update`.
        """

    def batches(self) -> list[Batch]:
        """Return every batch, oldest first."""

    def articles(self, batch: int) -> list[Article]:
        """Return the articles of a batch in canonical order: by id."""

    def rejected(self, batch: int, *, limit: int | None = None) -> list[Rejected]:
        """Return the rows of a batch that could not become articles, in the order of the input."""

    def count_rejected(self, batch: int) -> int:
        """Count the rows of a batch that could not become articles."""

    def count_languages(self, batch: int) -> dict[str, int]:
        """Count the articles of a batch by language, "" where it is unknown."""

    def notices(self, batch: int) -> list[tuple[str, str]]:
        """Return what was noticed while reading a batch, as (file, message)."""

    # ── runs ──────────────────────────────────────────────────────────────────────────────────

    def start_run(
        self,
        key: str,
        batch: int,
        options: Mapping[str, Any],
        versions: Mapping[str, str],
        *,
        inputs: Sequence[str] = (),
    ) -> Run:
        """Return the run with this key, started now if it is new; writes nothing if it is finished.

        `inputs` names what is read, for people; the run is known by its key alone.
        """

    def stop_run(self, run: Run, reason: str) -> None:
        """Keep with a run that is not finished why it stopped, until it is started again."""

    def forget_run(self, run: Run) -> None:
        """Take out a run that can never finish, such as one with an option that does not fit.

        One that is finished stays, and so do its batch and vectors.
        """

    def finish_run(self, run: Run, result: Result, *, progress: Progress = SILENT) -> None:
        """Keep the result of a run, in one step; a run that is finished stays as it is.

        The seconds this takes are added to those in its facts.
        """

    def runs(self) -> list[Run]:
        """Return every run, oldest first."""

    # ── the result of a run ───────────────────────────────────────────────────────────────────

    def frame(self, run: Run) -> tuple[Vectors, Vectors] | None:
        """Return means, float32 (g, d), and rotation, float32 (d, d); None if it is unfinished."""

    def tree(self, run: Run) -> KeptTree | None:
        """Return what the stories of a run were cut from; None if it keeps no tree."""

    def levels(self, run: Run) -> list[str]:
        """Return the names of a run's levels, coarse to fine; none if it is not finished."""

    def clusters(self, run: Run, level: str, *, limit: int | None = None) -> list[Cluster]:
        """Return the clusters of one level, the largest (by independent texts) first."""

    def children(self, cluster: Cluster, *, limit: int | None = None) -> list[Cluster]:
        """Return the clusters one level below, the largest first."""

    def count_children(self, cluster: Cluster) -> int:
        """Count the clusters one level below."""

    def members(self, run: Run, *, story: Cluster | None = None) -> Iterator[Member]:
        """Yield the articles of one story by date, or of the whole run by id."""

    def linkages(self, run: Run) -> list[Floats]:
        """Return the SciPy-style linkage matrices of a run, coarse to fine."""

    # ── counts for pages; no text is read but that of the articles returned ───────────────────

    def totals(self, run: Run) -> Totals:
        """Count a run's articles, outlets and languages."""

    def level_totals(self, run: Run) -> dict[str, tuple[int, int]]:
        """Return (clusters, independent texts) per level of a run, coarse to fine."""

    def stories_below(self, run: Run) -> dict[int, int]:
        """Count the clusters of the finest level below every coarser cluster, by its id."""

    def story_cells(
        self, run: Run, level: str, *, stories: int, seconds: int
    ) -> list[tuple[int, str, str, int | None, int]]:
        """Count the articles of the largest stories by story, outlet, language and time.

        Parameters
        ----------
        run, level
            The run and its finest level.
        stories
            How many of the largest stories, in the order of `clusters`.
        seconds
            Width of a time bin: 3600 or 86400.

        Returns
        -------
        list of (story id, outlet, language, bin, articles)
            The bin counts from 1970, None for articles without a date.
        """

    def theme_timeline(self, run: Run, *, seconds: int) -> list[tuple[int, int, int]]:
        """Count all dated articles of a run as (id of the coarsest cluster, bin, articles)."""

    def story_headlines(
        self, run: Run, level: str, *, stories: int, articles: int
    ) -> list[Headline]:
        """Return up to `articles` articles of each of the largest stories.

        Texts that stand for themselves come before copies, earlier before later; articles without
        a date come last. The order within a story is that order.
        """

    def headlines_by_id(self, run: Run, ids: list[str]) -> list[Headline]:
        """Return the articles of a run with these ids, in no particular order."""

    def copies_of(self, run: Run) -> dict[int, int]:
        """Return how many copies every copied article of a run has, by its key."""


def open_store(address: str | Path, *, create: bool = False) -> Store:
    """Open the store of an address: a path is that of a SQLite file.

    Raises
    ------
    NestError
        If it cannot be opened, or the address is of an unknown kind.
    """
    kind, found, _ = str(address).partition("://")
    if found:
        raise NestError(f"{address}: nests are kept in files, not in {kind}. Give a path.")
    return SqliteStore(Path(address), create=create)
