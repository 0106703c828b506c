"""Vectors → frame → levels → hierarchy: the only place where vectors become levels.

  see_texts      vectors in the frame of their corpus, with their dates: what levels look at
  choose_levels  dimensions, min_similarity and weight of time of every level
  nest_texts     both, and the hierarchy

Given a frame and levels, nothing is fitted: the same texts get the same labels, and texts that came
later are compared as those before them were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from newsnest import cluster
from newsnest.cluster import Frame, Reduction
from newsnest.corpus.language_codes import language_group
from newsnest.embed import ModelRecord
from newsnest.errors import ParameterError
from newsnest.nest import plural
from newsnest.options import Centre
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.story_facts import stories_in_words
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Floats, Grain, Hierarchy, Labels, Level, Order, Vectors

if TYPE_CHECKING:  # it loads the compiler
    from newsnest.cluster import StoryCutter


@dataclass(frozen=True, slots=True)
class NestConfig:
    """What shapes levels, of all that `Options` hold.

    Parameters
    ----------
    encoder
        As given on the command line: rules are kept by that name.
    model
        What the encoder's newsnest.json says of its levels.
    min_similarity, order, centre, time_weight, time_scale, exact, clusterer, grain
        See `Options`.
    reduction
        How vectors lose dimensions first.
    """

    encoder: str = "any"
    model: ModelLevels = field(default_factory=lambda: ModelLevels.of(ModelRecord()))
    min_similarity: Mapping[str, float] = field(default_factory=dict)
    order: Order = "fine-to-coarse"
    centre: Centre = "language"
    time_weight: float | None = None
    time_scale: float | None = None
    exact: bool | None = None
    clusterer: str = "rac"
    grain: Grain = "default"
    reduction: Reduction = field(default_factory=Reduction)

    @property
    def calibrated(self) -> ModelLevels:
        """What of the model's calibration counts: it was learnt from cosines of whole vectors."""
        return self.model if self.reduction.dims is None else self.model.without(*cluster.SHARES)


@dataclass(frozen=True, slots=True)
class TextFrame:
    """How the texts of a corpus are compared; kept, so that later ones are compared alike.

    Parameters
    ----------
    centred
        Texts of one name are centred together: languages, or "" for all.
    vectors
        Means and rotation. With languages a further mean comes last, that of the corpus, for texts
        in a language that was not there.
    time_scale
        Of the time view, seconds; 0 where nobody had a date or time is off.
    """

    centred: tuple[str, ...]
    vectors: Frame
    time_scale: float

    def __post_init__(self) -> None:
        # Frames of older nests lack the further mean: the average of the languages stands in.
        if self.centred != ("",) and len(self.vectors.means) == len(self.centred):
            means = np.concatenate([self.vectors.means, self.vectors.means.mean(0, keepdims=True)])
            object.__setattr__(self, "vectors", replace(self.vectors, means=means))

    def groups(self, articles: Sequence[Article]) -> Labels:
        """Return the row of `vectors.means` of every article, int32 (n,)."""
        rows = {name: row for row, name in enumerate(self.centred)}
        last = len(self.vectors.means) - 1
        codes = {article.lang for article in articles}
        # Frames of older nests may have a row of a language that is now grouped with another.
        row = {code: rows.get(code, rows.get(language_group(code), last)) for code in codes}
        return np.array([row[article.lang] for article in articles], np.int32)


@dataclass(frozen=True, slots=True)
class SeenTexts:
    """Texts as levels see them, in a frame."""

    frame: TextFrame
    text: Vectors  # (n, d): unit vectors, centred, turned and reduced
    times: Floats  # (n,), seconds, NaN where unknown
    weights: Floats  # (n,): how many articles each stands for
    sections: Floats | None = None  # (n, s): how probable each section is; None: not known

    def at(self, level: Level) -> Vectors:
        """Return the unit vectors that a level compares."""
        scale = self.frame.time_scale
        times = self.times if scale else None
        return cluster.level_vectors(
            self.text, level, times=times, time_scale=scale, sections=self.sections
        )


@dataclass(frozen=True, slots=True)
class NestedTexts:
    """Texts in nested levels, and in what frame.

    Parameters
    ----------
    seen
        The texts as levels saw them.
    hierarchy
        Its levels hold what was chosen for them.
    noise
        How many texts were noise to another clusterer; None for RAC, which has none.
    cutter
        What cut stories by evidence; None where they were cut at one similarity.
    calibrated
        Whether it did so by a rule of the model's own.
    """

    seen: SeenTexts
    hierarchy: Hierarchy
    noise: int | None = None
    cutter: "StoryCutter | None" = None
    calibrated: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What a run keeps beside labels, ready for JSON."""
        return {
            "centred": list(self.seen.frame.centred),
            "levels": [asdict(level) for level in self.hierarchy.levels],
            "time_scale": self.seen.frame.time_scale,
            "exact": self.hierarchy.exact,
            **({} if self.noise is None else {"noise": self.noise}),
            **({} if self.cutter is None else {"stories": self._stories(self.cutter)}),
        }

    def _stories(self, cutter: "StoryCutter") -> dict[str, Any]:
        labels = self.hierarchy.labels[-1]
        articles = np.bincount(labels, self.seen.weights)[labels] > 1.0
        return {
            "grain": cutter.grain,
            "expected": round(cutter.sharing, 4),
            "sharing": round(float(np.average(articles, weights=self.seen.weights)), 4),
            "confidence": round(cutter.confidence, 4),
            "calibrated": self.calibrated,
        }


def nest_texts(  # noqa: PLR0913
    vectors: Vectors,
    articles: Sequence[Article],
    weights: Floats,
    config: NestConfig = NestConfig(),
    *,
    frame: TextFrame | None = None,
    levels: Sequence[Level] | None = None,
    sections: Floats | None = None,
    stories: "StoryCutter | None" = None,
    progress: Progress = SILENT,
) -> NestedTexts:
    """Nest texts into levels.

    Parameters
    ----------
    vectors
        float32 (n, d), as the encoder gives them, one row an article.
    articles
        (n,): their languages and dates count.
    weights
        float64 (n,), positive: how many articles each stands for.
    config
        What shapes the levels.
    frame
        Of an earlier run with the same encoder and reduction, in place of one fitted to these
        texts; its time scale replaces that of `config`.
    levels
        Those of an earlier run, coarse to fine, in place of measured ones; they replace
        `min_similarity` and `time_weight` of `config`, but a time weight of 0 there turns dates off
        where no frame is given.
    sections
        float64 (n, s), how probable each section of news is for each text. None: themes and topics
        are found by text alone, and as in texts that are no news.
    stories
        Cuts stories that are cut by evidence, such as a tree that was judged before, in place of
        one made for these texts.
    progress
        Reports what was chosen for each level, and clustering.

    Raises
    ------
    ParameterError
        If the clusterer or the reduction cannot be used on so few texts, or the frame does not fit.

    Notes
    -----
    Deterministic for any number of threads. Beside `vectors` one copy of them is held, in the
    frame, and one view of it a level.

    Example
    -------
    >>> articles = [Article(str(n)) for n in range(40)]
    >>> vectors = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    >>> vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    >>> first = nest_texts(vectors, articles, np.ones(40))
    >>> again = nest_texts(vectors, articles, np.ones(40), frame=first.seen.frame,
    ...                    levels=first.hierarchy.levels)
    >>> all(map(np.array_equal, first.hierarchy.labels, again.hierarchy.labels))
    True
    """
    cluster.compile_kernels(progress)
    seen = replace(see_texts(vectors, articles, weights, config, frame=frame), sections=sections)
    finest = cluster.finest_clusterer(config.clusterer)
    chosen = levels is None
    if levels is None:
        levels, origins = choose_levels(seen, config)
        for level in levels if finest is None and not levels[-1].by_evidence else levels[:-1]:
            progress.note(_chosen(level, origins[level.name], config.model))
    if config.grain != "default" and not levels[-1].by_evidence:
        raise ParameterError(
            "nest_texts: grain must be default where stories are cut at one cosine, such as that a "
            f"model was calibrated to, got {config.grain}. Give a min_similarity of story instead."
        )
    cutter = None
    if finest is None and levels[-1].by_evidence:
        from newsnest.pipeline.stories import story_cutter  # loads the compiler

        cutter = stories or story_cutter(seen, articles, levels[-1], config, progress)
    hierarchy = cluster.nest_levels(
        seen.at,
        levels,
        weights,
        order=config.order,
        exact=config.exact,
        finest=finest,
        stories=cutter,
        progress=progress,
    )
    if cutter is not None:
        story = replace(hierarchy.levels[-1], min_similarity=cutter.min_similarity)
        hierarchy = replace(hierarchy, levels=(*hierarchy.levels[:-1], story))
        nested = NestedTexts(
            seen, hierarchy, cutter=cutter, calibrated=config.calibrated.story_rule is not None
        )
        if chosen:
            progress.note(stories_in_words(nested.facts))
        return nested
    if finest is None:
        return NestedTexts(seen, hierarchy)
    became = (
        f"; {finest.noise:,} {plural('text', finest.noise)} "
        f"{'is' if finest.noise == 1 else 'are'} noise to it, each a story of its own"
    )
    progress.note(f"stories by {config.clusterer}{became * bool(finest.noise)}")
    return NestedTexts(seen, hierarchy, finest.noise)


def see_texts(
    vectors: Vectors,
    articles: Sequence[Article],
    weights: Floats,
    config: NestConfig = NestConfig(),
    *,
    frame: TextFrame | None = None,
) -> SeenTexts:
    """Return texts as levels see them, in a frame fitted to them unless one is given.

    Parameters are those of `nest_texts`. Raises ParameterError if the reduction cannot be used on
    these texts, or the frame does not fit.
    """
    times = np.array([a.date.timestamp() if a.date else np.nan for a in articles])
    if frame is None:
        frame = _fitted(vectors, articles, weights, times, config)
    else:
        _check_frame(frame, vectors, config)
    text = config.reduction.apply(vectors, frame.vectors, frame.groups(articles))
    return SeenTexts(frame, text, times, weights)


def _fitted(
    vectors: Vectors,
    articles: Sequence[Article],
    weights: Floats,
    times: Floats,
    config: NestConfig,
) -> TextFrame:
    by_language = config.centre == "language"
    spoken = [language_group(article.lang) if by_language else "" for article in articles]
    names, groups = np.unique(spoken, return_inverse=True)
    fitted = config.reduction.fit(
        vectors,
        weights,
        groups=groups.astype(np.int32),
        n_groups=len(names) + by_language,  # of a group without texts the mean is the corpus' own
        rotate=config.model.rotate,
    )
    scale = 0.0
    if config.time_weight != 0.0 and not np.isnan(times).all():
        scale = cluster.auto_time_scale(times) if config.time_scale is None else config.time_scale
    return TextFrame(tuple(map(str, names)), fitted, scale)


def _check_frame(frame: TextFrame, vectors: Vectors, config: NestConfig) -> None:
    if config.reduction.name == "umap":
        raise ParameterError(
            "nest_texts: reduction must be none, pca or truncate with a given frame, got umap, "
            "which lays out every corpus anew. Choose another, or give no frame."
        )
    fits = len(frame.vectors.rotation)
    cut = config.reduction.dims if config.reduction.name == "truncate" else vectors.shape[1]
    if cut != fits:
        raise ParameterError(
            f"nest_texts: frame must have {cut} dimensions as the vectors have, got {fits}. Give "
            "that of a run with the same encoder and reduction."
        )


def choose_levels(
    seen: SeenTexts, config: NestConfig = NestConfig()
) -> tuple[tuple[Level, ...], dict[str, str]]:
    """Return theme, topic and story for these texts, and where their values are from.

    What is given counts before what the model was calibrated to, and that before the measured
    default.
    """
    weight, scale = config.time_weight, seen.frame.time_scale
    calibrated = config.calibrated
    by_evidence = not {"story"} & {*calibrated.undated, *config.min_similarity}
    if not scale or np.isnan(seen.times).all():
        weight = 0.0
    elif weight is None:
        weight = cluster.TIME_WEIGHT if by_evidence else cluster.default_time_weight()
    known = calibrated.similarities(config.encoder, weight, seen.times, scale)
    unknown = {"story": 0.0} if by_evidence else {}  # measured when stories are cut
    levels = cluster.auto_levels(
        seen.text,
        encoder=config.encoder,
        dims=config.reduction.level_dims(config.model.dims),
        min_similarity=known | dict(config.min_similarity) | unknown,
        time_weight=weight,
        times=seen.times,
        time_scale=scale,
        sections=seen.sections,
        weights=seen.weights,
    )
    if by_evidence:
        levels = (*levels[:-1], replace(levels[-1], by_evidence=True))
    origins = dict.fromkeys((level.name for level in levels), "measured default for this corpus")
    origins |= dict.fromkeys(known, "as the model was calibrated")
    return levels, origins | dict.fromkeys(config.min_similarity, "as given")


def _chosen(level: Level, origin: str, model: ModelLevels) -> str:
    """Say what was chosen for a level."""
    time_part = f", time weight {level.time_weight:g}" if level.time_weight else ""
    if level.time_weight and origin == "as the model was calibrated":
        # With dates it is another number than calibrate printed and newsnest.json holds.
        origin += f": {model.undated[level.name]:.3f} by text alone"
    if level.resolution is not None:
        return f"{level.name}: resolution {level.resolution:.2f} ({origin})"
    return f"{level.name}: min_similarity {level.min_similarity:.3f} ({origin}){time_part}"
