"""Nesting as a scikit-learn estimator: texts or a data frame in, labels out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cached_property
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted

from newsnest.corpus import ReadOptions, in_memory
from newsnest.describe import Describer
from newsnest.embed import Backend, LongTexts
from newsnest.errors import NestError, ParameterError, did_you_mean
from newsnest.nest import Cluster, Member, Nest, plural
from newsnest.nest.export import rows
from newsnest.options import Centre, Options
from newsnest.pipeline.build import build
from newsnest.pipeline.finished import FinishedRun, Found
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Grain, Labels, Order, Reducer

_SHOWN = 5  # clusters of a level in a notebook


class Nester(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Nest articles into themes, topics and stories.

    For texts in memory; `newsnest.build` nests files, and goes on after an interruption. Both give
    the same labels for the same articles and options.

    Parameters
    ----------
    encoder, long_texts, backend, order, min_similarity, time_scale, time_weight, centre, exact, \
clusterer, grain, reduce, dims, keyword_terms, keyword_characters, keep_copies, keep_boilerplate
        See `newsnest.Options`.
    read
        Columns of data frames, order of day and month in dates, detection of languages; None: the
        defaults of `ReadOptions`.
    describer
        Names the clusters; None: keywords.
    progress
        Receives every step; None: silent.

    Attributes
    ----------
    labels_ : ndarray of int32, shape (n,)
        The story of every row; 0 is the largest.
    levels_ : dict of str to ndarray of int32, shape (n,)
        Labels by level, "theme", "topic" and "story". Every story lies in one topic, every topic in
        one theme.
    ids_ : list of str
        The id of every row's article.
    nest_ : Nest
        The whole result, in memory: articles, vectors, names, merges.
    run_ : Run
        What was chosen on the way; see its `facts`.

    Examples
    --------
    >>> texts = ["Sea wall breached in storm", "Storm breaches the sea wall", "Rates are held"]
    >>> nester = Nester(encoder="tfidf", min_similarity={"story": 0.0}).fit(texts)
    >>> nester.labels_.tolist(), nester.clusters("story")[0].articles
    ([0, 0, 1], 2)
    """

    def __init__(  # noqa: PLR0913
        self,
        encoder: str = "minilm",
        *,
        long_texts: LongTexts = "head",
        backend: Backend = "auto",
        order: Order = "fine-to-coarse",
        min_similarity: Mapping[str, float] | None = None,
        time_scale: float | None = None,
        time_weight: float | None = None,
        centre: Centre = "language",
        exact: bool | None = None,
        clusterer: str = "rac",
        grain: Grain = "default",
        reduce: Reducer = "none",
        dims: int | None = None,
        keyword_terms: int | None = None,
        keyword_characters: int | None = None,
        keep_copies: bool = False,
        keep_boilerplate: bool = False,
        read: ReadOptions | None = None,
        describer: Describer | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.encoder = encoder
        self.long_texts = long_texts
        self.backend = backend
        self.order = order
        self.min_similarity = min_similarity
        self.time_scale = time_scale
        self.time_weight = time_weight
        self.centre = centre
        self.exact = exact
        self.clusterer = clusterer
        self.grain = grain
        self.reduce = reduce
        self.dims = dims
        self.keyword_terms = keyword_terms
        self.keyword_characters = keyword_characters
        self.keep_copies = keep_copies
        self.keep_boilerplate = keep_boilerplate
        self.read = read
        self.describer = describer
        self.progress = progress

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        times: Iterable[Any] | None = None,
        sources: Iterable[Any] | None = None,
        langs: Iterable[Any] | None = None,
    ) -> Self:
        """Nest texts, the rows of a data frame, or articles.

        Parameters
        ----------
        X
            n texts; a data frame of pandas, Polars or PyArrow with columns such as title, text,
            date, source and language, found by their usual names; or `Article`s.
        y
            Not used.
        times, sources, langs
            n dates, outlets and language codes; None where unknown.

        Raises
        ------
        InputError
            If a row has no text or a date in `times` cannot be read.
        ParameterError
            If a parameter is outside of its domain, or X is neither of these.
        """
        if not isinstance(self.read, ReadOptions | None):
            raise ParameterError(
                f"Nester: read must be ReadOptions or None, got {self.read!r}. Leave it out."
            )
        articles = self._articles(X, times, sources, langs)
        read = ReadOptions(detect_language=self.read is None or self.read.detect_language)
        options = Options(
            **{
                own.name: value
                for own in fields(Options)
                if own.name != "read" and (value := getattr(self, own.name)) is not None
            },
            read=read,
        )
        self._library, self._index = in_memory.library_and_index(X)
        nest = Nest(":memory:", create=True)
        build(articles, nest, options, describer=self.describer, progress=self.progress or SILENT)
        return self._adopt(nest, [article.id for article in articles])

    def fit_predict(self, X: Any, y: Any = None, **beside: Iterable[Any] | None) -> Labels:
        """Nest as `fit` does, and return the story of every row, int32 (n,)."""
        return self.fit(X, y, **beside).labels_

    def predict(
        self,
        X: Any,
        *,
        times: Iterable[Any] | None = None,
        sources: Iterable[Any] | None = None,
        langs: Iterable[Any] | None = None,
        level: str = "story",
    ) -> Labels:
        """Return the cluster each new text would belong to, int32 (n,); −1 where none is near.

        A text goes to the story with which its mean similarity is highest, if that reaches the
        story level's min_similarity, and so to its topic and theme. One that belongs to no story
        may still belong to a topic. Texts without a date are compared by words alone.
        Nothing that was fitted changes.

        Parameters
        ----------
        X, times, sources, langs
            As in `fit`.
        level
            Whose labels to return.

        Raises
        ------
        InputError, ParameterError
            As `fit` does; also if the level is unknown.
        NotFittedError
            Before `fit`.
        """
        self._check_level(level)
        return self._finished.place(self._articles(X, times, sources, langs))[level]

    def clusters(self, level: str = "story", *, limit: int | None = None) -> list[Cluster]:
        """Return the clusters of a level with names, keywords and summaries, the largest first.

        Raises
        ------
        ParameterError
            If the level is unknown.
        """
        self._check_level(level)
        return self.nest_.clusters(level, run=self.run_, limit=limit)

    def members(self, story: Cluster) -> Iterator[Member]:
        """Yield the articles of a story by date, copies too."""
        check_is_fitted(self, "nest_")
        return self.nest_.members(story=story, run=self.run_)

    def search(self, query: str, *, limit: int = 10) -> list[Found]:
        """Find articles by words or by a sentence, the best first; copies are left out.

        Shared words and similarity of meaning count alike.
        """
        check_is_fitted(self, "nest_")
        return self._finished.search(query, limit=limit)

    def to_frame(self) -> Any:
        """Return a data frame with a row for every row that was fitted, in the same order.

        It is of the library X was of, else of pandas, Polars or PyArrow, the first that is
        installed, with the index of X if it has one. Columns are those of `newsnest export`.
        """
        import narwhals as nw

        check_is_fitted(self, "nest_")
        by_id = {row["id"]: row for row in rows(self.nest_, self.run_)}
        records = [by_id[name] for name in self.ids_]
        columns = {name: [record[name] for record in records] for name in records[0]}
        installed = (name for name in ("pandas", "polars", "pyarrow") if find_spec(name))
        library: Any = self._library or next(installed)
        frame = nw.from_dict(columns, backend=library)
        native: Any = frame.to_native()
        if self._index is not None:
            native.index = self._index
        return native

    def save(self, path: str | Path) -> None:
        """Write the nest to a file, for `Nester.load` and for every newsnest command.

        Raises
        ------
        NestError
            If the file exists or cannot be written.
        """
        check_is_fitted(self, "nest_")
        try:
            with Path(path).open("xb") as file:
                file.write(self.nest_.to_bytes())
        except OSError as error:
            raise NestError(
                f"{path}: cannot be written ({error.strerror}). Give the nest another name."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the newest finished run of a nest, as if it had been fitted here.

        Rows come by id, not as they were fitted: match them by `ids_`. `read`, `describer` and
        `progress` are not kept in a nest.

        Raises
        ------
        NestError
            If it is no nest, or none of its runs is finished.
        """
        with Nest(path) as kept:
            kept.run()  # raises here, with the file's name
            nest = Nest.from_bytes(kept.to_bytes())
        run = nest.run()
        known = {own.name for own in fields(Options)} - {"read"}
        given = {name: value for name, value in run.options.items() if name in known}
        ids = [member.article.id for member in nest.members(run=run)]
        nester = cls(**given)
        nester._library = nester._index = None
        return nester._adopt(nest, ids)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "nest_" in state:
            state["nest_"] = self.nest_.to_bytes()
            state.pop("_finished", None)  # weights and an index, made anew when they are needed
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "nest_" in state:
            state = state | {"nest_": Nest.from_bytes(state["nest_"])}
        super().__setstate__(state)

    def _articles(self, X: Any, *beside: Iterable[Any] | None) -> list[Article]:
        times, sources, langs = beside
        return in_memory.articles_in_memory(
            X,
            times=times,
            sources=sources,
            langs=langs,
            options=self.read or ReadOptions(),
            progress=self.progress or SILENT,
        )

    def _adopt(self, nest: Nest, ids: list[str]) -> Self:
        """Take over the newest run of a nest as what was fitted."""
        self.nest_, self.run_, self.ids_ = nest, nest.run(), ids
        levels = nest.levels(self.run_)
        label = nest.labels(self.run_)
        found = {
            member.article.id: [label[number] for number in member.clusters]
            for member in nest.members(run=self.run_)
        }
        table = np.array([found[name] for name in ids], np.int32)
        self.levels_ = {name: table[:, depth].copy() for depth, name in enumerate(levels)}
        self.labels_ = self.levels_[levels[-1]]
        self.__dict__.pop("_finished", None)
        return self

    @cached_property
    def _finished(self) -> FinishedRun:
        return FinishedRun(self.nest_, self.run_, progress=self.progress or SILENT)

    def _check_level(self, level: str) -> None:
        check_is_fitted(self, "nest_")
        if level not in self.levels_:
            raise ParameterError(
                f"Nester: level must be one of {', '.join(self.levels_)}, got {level!r}."
                f"{did_you_mean(level, self.levels_)} Choose one of these."
            )

    def _html_repr(self) -> str:
        """Return what a notebook shows: the largest clusters, or the parameters before `fit`."""
        if not hasattr(self, "nest_"):
            return str(super()._html_repr())
        facts = self.run_.facts
        counts = [(facts["clusters"][level], level) for level in self.levels_]
        head = ", ".join(f"{count:,} {plural(level, count)}" for count, level in counts)
        parts = [
            f"<details{' open' * (level == 'topic')}><summary>{escape(level)}</summary><ol>"
            + "".join(
                f"<li>{escape(cluster.name)} <small>{escape(cluster.size)}</small></li>"
                for cluster in self.clusters(level, limit=_SHOWN)
            )
            + "</ol></details>"
            for level in self.levels_
        ]
        return f"<div><b>Nester</b>: {facts['articles']:,} articles, {head}{''.join(parts)}</div>"
