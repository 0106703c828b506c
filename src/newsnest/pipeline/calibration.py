"""Set a model's min_similarity per level, and keep it in newsnest.json beside the model.

calibrate_by_gold      from labelled articles: the best B-cubed F1 of our own clustering
calibrate_by_pairs     from judged pairs: a precision to be kept
calibrate_by_articles  from articles alone: the measured defaults of one corpus, made fixed

All three see vectors as `newsnest cluster` does: centred by language, turned where it turns them,
cut to the level's dimensions; elsewhere a cosine would mean something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newsnest
from newsnest.cluster import (
    agglomerate,
    agglomerate_rows,
    auto_levels,
    auto_time_scale,
    fit_frame,
    group_means,
    level_vectors,
)
from newsnest.cluster.calibration import SHARES, rule_for
from newsnest.cluster.rac_engine import Merges
from newsnest.corpus import ReadOptions, digest, fold_copies
from newsnest.embed import MemoryCache, encode_cached, load_encoder
from newsnest.embed.weights import file_sha256, read_metadata, write_metadata
from newsnest.errors import EncoderError, InputError
from newsnest.evaluate.bootstrap import Estimate
from newsnest.labelled import read_labelled
from newsnest.pipeline.frames import centred_together
from newsnest.pipeline.model_levels import ModelLevels, was_trained_on
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Encoder, Labels, Level, Vectors, check_level

FINE_TO_COARSE = tuple(reversed(SHARES))
_FEW = 100  # texts; what fewer measure is theirs alone


@dataclass(frozen=True, slots=True)
class CalibratedLevel:
    """What a level was calibrated to, and by what.

    Parameters
    ----------
    name, dims
        Of the level.
    min_similarity
        By text alone.
    dated
        Text similarity that two articles of the same moment need where dates count; None where
        nothing was learned of it.
    evidence
        What it was learned from: counts, scores, settings; ready for JSON.
    """

    name: str
    dims: int
    min_similarity: Estimate
    dated: Estimate | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Resampling:
    """Of the intervals: how many resamples, 0 leaves intervals out, and their seed."""

    resamples: int = 1000
    seed: int = 0


class Model:
    """A model folder that is being calibrated.

    Parameters
    ----------
    folder
        Written by `newsnest train`, or any sentence-transformers model.

    Raises
    ------
    EncoderError
        If it is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise EncoderError(
                f"calibrate: MODEL must be the folder of a model, got {str(folder)!r}. "
                "Train one, or save one with its save_pretrained()."
            )
        self.folder = folder
        self.encoder: Encoder = load_encoder(str(folder))
        self.metadata = read_metadata(folder)
        self.levels = ModelLevels.of(self.metadata)
        self._cache = MemoryCache()

    def prepare(self, progress: Progress) -> None:
        """Get ready to encode."""
        self.encoder.prepare([], progress=progress)

    def dims(self, level: str) -> int:
        """Return the leading dimensions of a level; the encoder must be prepared."""
        return self.levels.dims.get(level, max(1, self.encoder.dimensions // SHARES[level]))

    def encode(self, texts: Sequence[str], progress: Progress) -> Vectors:
        """Return the vectors of texts; equal texts are encoded once."""
        return encode_cached(self.encoder, texts, self._cache, progress=progress)

    def take(self, level: CalibratedLevel) -> None:
        """Let coarser levels be calibrated on top of this one."""
        dated = {name: v for name, v in self.levels.dated.items() if name != level.name}
        if level.dated is not None:
            dated[level.name] = level.dated.value
        undated = {**self.levels.undated, level.name: level.min_similarity.value}
        self.levels = replace(self.levels, undated=undated, dated=dated)

    def keep(
        self,
        levels: Sequence[CalibratedLevel],
        sources: Sequence[Mapping[str, Any]],
        progress: Progress,
    ) -> None:
        """Write calibrated levels into newsnest.json, say what they replace; the rest stays."""
        content = dict(self.metadata)
        known = {level["name"]: dict(level) for level in content.get("levels", [])}
        found = {level.name: level for level in levels}
        if not known:
            # Its leading dimensions mean nothing by themselves: what a run does stays as it was.
            content["rotate"] = True
            known = {name: {"name": name, "dims": self.dims(name)} for name in SHARES}
            known = {name: {**level, "min_similarity": None} for name, level in known.items()}
        for name, level in found.items():
            before = known.get(name, {}).get("min_similarity")
            if before is not None:
                progress.note(
                    f"{name}: min_similarity {level.min_similarity.value:.3f} replaces "
                    f"{before:.3f}, which was calibrated before"
                )
            own = known.setdefault(name, {"name": name, "dims": level.dims})
            own["min_similarity"] = round(level.min_similarity.value, 6)
            own["dated"] = None if level.dated is None else round(level.dated.value, 6)
        ordered = [known.pop(name) for name in SHARES if name in known]
        content["levels"] = [*known.values(), *ordered]
        content["calibration"] = content.get("calibration", {}) | {
            name: {
                **level.evidence,
                "min_similarity": asdict(level.min_similarity),
                "dated": None if level.dated is None else asdict(level.dated),
                "data": list(sources),
                "newsnest": newsnest.__version__,
            }
            for name, level in found.items()
        }
        write_metadata(self.folder, content)

    def tell_trained_on(self, files: Sequence[Path], progress: Progress) -> None:
        """Say which files the model was trained on: what they say of it is too good."""
        for file in files:
            if was_trained_on(self.metadata, file):
                progress.note(
                    f"{file.name}: the model was trained on this file, so that it finds these "
                    "articles better than others; calibrate on a split or a file it has not seen"
                )


@dataclass(frozen=True, slots=True)
class Views:
    """The texts of one corpus as a run sees them.

    Parameters
    ----------
    text
        float32 (n, d), in the corpus frame; one row an independent text.
    weights
        float64 (n,): how many articles each text stands for.
    item
        int64 (articles,): the text of each article.
    times
        float64 (n,), seconds, NaN where unknown.
    scale
        Of the time view, seconds; 0 where nobody has a date.
    """

    text: Vectors
    weights: NDArray[np.float64]
    item: NDArray[np.int64]
    times: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, articles: Sequence[Article], model: Model, progress: Progress) -> Views:
        """Fold copies, encode what is left, centre and turn it."""
        leaders, item = np.unique(fold_copies(articles, progress=progress), return_inverse=True)
        weights = np.bincount(item).astype(np.float64)
        texts = [articles[row] for row in leaders]
        vectors = model.encode([article.body for article in texts], progress)
        _, groups = centred_together(texts, "language")
        frame = fit_frame(vectors, weights, groups=groups, rotate=model.levels.rotate)
        times = np.array([a.date.timestamp() if a.date else np.nan for a in texts])
        scale = 0.0 if np.isnan(times).all() else auto_time_scale(times)
        return cls(frame.apply(vectors, groups), weights, item, times, scale)

    def default(self, model: Model, level: str, *, time_weight: float = 0.0) -> Level:
        """Return a level with the measured default of these texts."""
        levels = auto_levels(
            self.text,
            encoder=str(model.folder),
            dims=model.levels.dims,
            min_similarity={name: 0.0 for name in SHARES if name != level},
            time_weight=time_weight,
            times=self.times,
            time_scale=self.scale,
        )
        return next(own for own in levels if own.name == level)


@dataclass(slots=True)
class Corpus:
    """One corpus while it is clustered, level by level, fine to coarse.

    Parameters
    ----------
    views
        Its texts as a run sees them.
    weight
        Of time at the story level.
    share
        How far the dated value counts; see `newsnest.cluster.calibration.time_share`.
    below
        The clusters of the level below, by text; None before the first.
    """

    views: Views
    weight: float = 0.0
    share: float = 0.0
    below: Labels | None = None

    @property
    def atoms(self) -> NDArray[np.int64]:
        """What the next level merges, by article."""
        texts = self.views.item
        return texts if self.below is None else self.below[texts].astype(np.int64)

    def merges(self, level: Level, lowest: float, progress: Progress) -> Merges:
        """Build the tree of a level over the clusters below, down to a similarity."""
        views = self.views
        rows = level_vectors(views.text, level, times=views.times, time_scale=views.scale)
        if self.below is None:
            return agglomerate_rows(rows, views.weights, min_similarity=lowest, progress=progress)
        means, total = group_means(rows, self.below, views.weights)
        return agglomerate(means, total, min_similarity=lowest, progress=progress)

    def climb(self, level: Level, model: Model, progress: Progress) -> None:
        """Cluster at a level as a run with this model would, so that the next builds on it."""
        views, weight = self.views, self.weight if level.name == "story" else 0.0
        known = model.levels.similarities(str(model.folder), weight, views.times, views.scale)
        if level.name in known:
            level = replace(level, min_similarity=known[level.name], time_weight=weight)
        else:
            level = views.default(model, level.name, time_weight=weight)
        labels = self.merges(level, level.min_similarity, progress).labels
        self.below = labels if self.below is None else labels[self.below]


def calibrate_by_articles(
    folder: Path,
    files: Sequence[Path],
    *,
    levels: Sequence[str] = (),
    read: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> tuple[CalibratedLevel, ...]:
    """Fix a model's min_similarity to the measured defaults of one corpus.

    An uncalibrated model gets measured defaults for every corpus anew. Fix them where later corpora
    are small or odd parts of this one; labels or judged pairs say more.

    Parameters
    ----------
    folder
        The model; its newsnest.json is written.
    files
        One corpus.
    levels
        Which; empty means all three.
    read
        How files are read.
    progress
        Told about reading and encoding.

    Returns
    -------
    tuple of CalibratedLevel
        Fine to coarse, without intervals.

    Raises
    ------
    InputError
        If a file cannot be read or holds fewer than two articles.
    ParameterError
        If a level is unknown.
    EncoderError
        If the folder is no model, or cannot be written to.
    """
    names = chosen_levels(levels)
    model = Model(folder)
    model.prepare(progress)
    articles = articles_of(files, read, progress)
    if len(articles) < 2:
        raise InputError(
            f"{', '.join(map(str, files))}: two articles or more are needed to measure defaults, "
            f"got {len(articles)}. Give the corpus that is to be clustered."
        )
    views = Views.of(articles, model, progress)
    if len(views.text) < _FEW:
        progress.note(
            f"{len(views.text):,} independent texts are few: what is measured on them may suit no "
            "other corpus"
        )
    found = []
    for name in names:
        value = Estimate(views.default(model, name).min_similarity)
        dated = rule_for(name, str(folder)).dated
        found.append(
            CalibratedLevel(
                name,
                model.dims(name),
                value,
                None if dated is None else Estimate(dated),
                {"by": "articles", "articles": len(articles), "independent": len(views.text)},
            )
        )
    model.keep(found, sources_of(files), progress)
    return tuple(found)


def chosen_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Return the levels asked for, fine to coarse; none asked for means all.

    Raises
    ------
    ParameterError
        If one is unknown.
    """
    for name in levels:
        check_level("calibrate: levels must be", name)
    return tuple(name for name in FINE_TO_COARSE if not levels or name in levels)


def articles_of(files: Sequence[Path], read: ReadOptions, progress: Progress) -> list[Article]:
    """Return the articles of files by id, languages settled; say how many rows are none."""
    return list(read_labelled(files, {}, options=read, progress=progress).articles)


def sources_of(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return name and digests of files and folders, to be kept with what was learned from them.

    Raises
    ------
    InputError
        If one does not exist or cannot be read.
    """
    return [
        {"file": file.name, "digest": digest([file])}
        | ({"sha256": file_sha256(file.resolve())} if file.is_file() else {})
        for file in files
    ]
