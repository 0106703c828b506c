"""Calibrate the levels of a model, and record it in the model's newsnest.json.

calibrate_by_gold      from labelled articles: a rule for stories, learnt; for topics and themes the
                       min_similarity with the best B-cubed F1 of our own clustering
calibrate_by_pairs     from judged pairs: the best F1, or a precision to keep
calibrate_by_articles  from articles alone: the measured defaults of one corpus, made permanent

All three compare vectors as `newsnest cluster` does, in the frame of the corpus (`see_texts`): in
another one the same cosine would mean something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

import newsnest
from newsnest.cluster import SHARES, Linked, Merges, StoryCutter, StoryRule, link_level
from newsnest.corpus import ReadOptions, digest, fold_copies
from newsnest.describe.sections import media_topics, section_scores
from newsnest.embed import LevelRecord, MemoryCache, ModelRecord, encode_cached, load_encoder
from newsnest.errors import EncoderError, InputError
from newsnest.evaluate.bootstrap import Estimate
from newsnest.labelled import read_labelled
from newsnest.pipeline.house_phrases import without_boilerplate
from newsnest.pipeline.model_levels import ModelLevels, is_among
from newsnest.pipeline.nest_texts import NestConfig, SeenTexts, choose_levels, see_texts
from newsnest.pipeline.stories import story_cutter
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Encoder, Floats, Ints, Labels, Level, Vectors, check_level

FINE_TO_COARSE = tuple(reversed(SHARES))
_FEW = 100  # texts; defaults measured on fewer hardly carry over to other corpora


@dataclass(frozen=True, slots=True)
class CalibratedLevel:
    """The calibrated values of a level, and the evidence for them."""

    name: str
    dims: int
    min_similarity: Estimate | None  # by text alone; None where a rule cuts stories
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Counts, scores and settings, ready for JSON."""
    rule: Mapping[str, Any] = field(default_factory=dict)
    """What stories are cut by, as `newsnest.cluster.StoryRule.fields` has it; empty: by the
    min_similarity, or where that is None by the committed rule."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """For confidence intervals: number of resamples (0: no intervals) and seed."""

    resamples: int = 1000
    seed: int = 0


class ModelFolder:
    """A model folder that is being calibrated, trained here or saved by sentence-transformers.

    Raises EncoderError if it is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise EncoderError(
                f"calibrate: MODEL must be the folder of a model, got {str(folder)!r}. "
                "Train one, or save one with its save_pretrained()."
            )
        self.folder = folder
        self.encoder: Encoder = load_encoder(str(folder))
        self.record = ModelRecord.read(folder)
        self.levels = ModelLevels.of(self.record)
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
        self.levels = self.levels.without(level.name)
        if level.min_similarity is not None:
            undated = {**self.levels.undated, level.name: level.min_similarity.value}
            self.levels = replace(self.levels, undated=undated)
        if level.rule:
            self.levels = replace(self.levels, story_rule=StoryRule.of(level.rule))

    def keep(
        self,
        levels: Sequence[CalibratedLevel],
        sources: Sequence[Mapping[str, Any]],
        progress: Progress,
    ) -> None:
        """Write calibrated levels into newsnest.json, say what they replace; the rest stays."""
        record = self.record
        known = {level.name: level for level in record.levels}
        found = {level.name: level for level in levels}
        if not known:
            # Its leading dimensions mean nothing by themselves: what a run does stays as it was.
            record = replace(record, rotate=True)
            known = {name: LevelRecord(name, self.dims(name)) for name in SHARES}
        for name, level in found.items():
            own = known.get(name, LevelRecord(name, level.dims))
            learnt = record.story_rule if name == "story" else {}
            if own.min_similarity is not None or learnt:
                was = "a rule" if learnt else f"min_similarity {own.min_similarity:.3f}"
                progress.note(f"{name}: {was}, which was calibrated before, is replaced")
            if name == "story":
                record = replace(record, story_rule=level.rule)
            value = None if level.min_similarity is None else round(level.min_similarity.value, 6)
            known[name] = replace(own, min_similarity=value, dated=None)
        ordered = [known.pop(name) for name in SHARES if name in known]
        calibration = {
            name: {
                **level.evidence,
                "min_similarity": asdict(level.min_similarity) if level.min_similarity else None,
                "data": list(sources),
                "newsnest": newsnest.__version__,
            }
            for name, level in found.items()
        }
        replace(
            record,
            levels=(*known.values(), *ordered),
            calibration={**record.calibration, **calibration},
        ).write(self.folder)

    def tell_trained_on(self, files: Sequence[Path], progress: Progress) -> None:
        """Note which files the model was trained on: scores on them are too good."""
        for file in files:
            if is_among(file, self.record.training_digests):
                progress.note(
                    f"{file.name}: the model was trained on this file, so that it finds these "
                    "articles better than others; calibrate on a split or a file it has not seen"
                )


@dataclass(slots=True)
class Ascent:
    """The n independent texts of one corpus while they are clustered, fine to coarse."""

    model: ModelFolder  # what has been calibrated of it so far counts
    texts: Sequence[Article]  # without what their outlets repeat
    seen: SeenTexts  # the same as a run with this model sees them
    weights: Floats  # (n,): how many articles each text stands for
    item: Ints  # (articles,): the text of each article
    below: Labels | None = None  # (n,): the clusters of the level below; None before the first
    units: Labels | None = None  # (n,): what the level below merged; None: the texts
    cutter: StoryCutter | None = None  # what cut stories, where evidence did

    @classmethod
    def begin(
        cls, articles: Sequence[Article], model: ModelFolder, progress: Progress, **more: Any
    ) -> Self:
        """Take out boilerplate, fold copies, encode what is left, centre and turn it."""
        articles, _ = without_boilerplate(articles, progress=progress)
        leaders, item = np.unique(fold_copies(articles, progress=progress), return_inverse=True)
        weights = np.bincount(item).astype(np.float64)
        texts = [articles[row] for row in leaders]
        vectors = model.encode([article.body for article in texts], progress)
        config = NestConfig(str(model.folder), model.levels)
        sections = section_scores(
            [article.body for article in texts], vectors,
            model.encode(media_topics().lines, SILENT),
        )  # fmt: skip
        seen = replace(see_texts(vectors, texts, weights, config), sections=sections)
        return cls(model, texts, seen, weights, item, **more)

    @property
    def atoms(self) -> Ints:
        """What the next level merges, by article."""
        return self.item if self.below is None else self.below[self.item].astype(np.int64)

    def level(self, name: str, known: ModelLevels, *, dated: bool = False) -> Level:
        """Return a level as a run would choose it, from what is known of the model."""
        config = NestConfig(
            str(self.model.folder),
            known,
            # Given for the others, so that nothing is measured for them.
            min_similarity={other: 0.0 for other in SHARES if other != name},
            time_weight=None if dated else 0.0,
        )
        return next(own for own in choose_levels(self.seen, config)[0] if own.name == name)

    def merges(self, level: Level, lowest: float, progress: Progress) -> Merges:
        """Build the tree of a level over the clusters below, down to a similarity."""
        cut = replace(self._usual(level), min_similarity=lowest, resolution=None)
        return self._linked(cut, progress).merges

    def climb(self, name: str, progress: Progress, *, dated: bool = False) -> Level:
        """Cluster at a level as a run with this model would, so that the next builds on it.

        Returns the level, with its min_similarity.
        """
        level = self.level(name, self.model.levels, dated=dated)
        if level.by_evidence:
            config = NestConfig(str(self.model.folder), self.model.levels)
            self.cutter = story_cutter(self.seen, self.texts, level, config, progress)
            labels = self.cutter(np.arange(len(self.weights))).labels
            level = replace(level, min_similarity=self.cutter.min_similarity)
        else:
            linked = self._linked(level, progress)
            labels, level = linked.merges.labels, linked.level
        self.units, below = self.below, self.below
        self.below = labels if below is None else labels[below]
        return level

    def _usual(self, level: Level) -> Level:
        """Return a level that sees and smooths vectors as one of a run does."""
        given = dict.fromkeys(SHARES, 0.0)  # so that nothing is measured
        config = NestConfig(str(self.model.folder), min_similarity=given)
        levels, _ = choose_levels(self.seen, config)
        own = next(one for one in levels if one.name == level.name)
        return replace(level, neighbours=own.neighbours, section_weight=own.section_weight)

    def _linked(self, level: Level, progress: Progress) -> Linked:
        return link_level(
            self.seen.at(level),
            self.weights,
            level,
            below=self.below,
            units=self.units,
            progress=progress,
        )


def calibrate_by_articles(
    folder: Path,
    files: Sequence[Path],
    *,
    levels: Sequence[str] = (),
    read: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> tuple[CalibratedLevel, ...]:
    """Fix the defaults of a model as they are measured on one corpus, the articles of `files`.

    Of topics and themes that is their min_similarity, of stories the share of articles that have a
    partner. For an uncalibrated model these are measured on every corpus anew. Fix them if later
    corpora are small or unusual parts of this one; labels or judged pairs give better values.
    Writes the model's newsnest.json, and returns the levels asked for (none asked for: all three)
    fine to coarse, without intervals.

    Raises InputError if a file cannot be read or holds fewer than two articles, ParameterError if a
    level is unknown, EncoderError if the folder is no model or cannot be written to.
    """
    names = chosen_levels(levels)
    model = ModelFolder(folder)
    model.prepare(progress)
    articles = articles_of(files, read, progress)
    if len(articles) < 2:
        raise InputError(
            f"{', '.join(map(str, files))}: two articles or more are needed to measure defaults, "
            f"got {len(articles)}. Give the corpus that is to be clustered."
        )
    ascent = Ascent.begin(articles, model, progress)
    independent = len(ascent.weights)
    if independent < _FEW:
        progress.note(
            f"{independent:,} independent texts are few: what is measured on them may suit no "
            "other corpus"
        )
    model.levels = model.levels.without(*SHARES)
    evidence = {"by": "articles", "articles": len(articles), "independent": independent}
    found = []
    for name in FINE_TO_COARSE[: FINE_TO_COARSE.index(names[-1]) + 1]:
        own = CalibratedLevel(name, model.dims(name), None, evidence)
        level = ascent.climb(name, progress, dated=True)
        cutter = ascent.cutter
        if cutter is not None and cutter.rule is not None and name == "story":
            sharing = cutter.sharing
            rule = cutter.rule.among(sharing)
            own = replace(own, rule=rule.fields, evidence=evidence | {"sharing": round(sharing, 4)})
        else:
            own = replace(own, min_similarity=Estimate(level.min_similarity))
        if name in names:
            found.append(own)
    model.keep(found, sources_of(files), progress)
    return tuple(found)


def chosen_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Return the levels asked for, fine to coarse, all if none; raise ParameterError if unknown."""
    for name in levels:
        check_level("calibrate: levels must be", name)
    return tuple(name for name in FINE_TO_COARSE if not levels or name in levels)


def articles_of(files: Sequence[Path], read: ReadOptions, progress: Progress) -> list[Article]:
    """Return the articles of files by id, languages settled; say how many rows are none."""
    return list(read_labelled(files, {}, options=read, progress=progress).articles)


def sources_of(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return name and digest of files and folders, to be kept with what was learned from them.

    Raises InputError if one does not exist or cannot be read.
    """
    return [{"file": file.name, "digest": digest([file])} for file in files]
