"""Calibrate by gold labels: so that our own clustering agrees best with them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from newsnest.cluster import SHARES
from newsnest.corpus import ReadOptions
from newsnest.corpus.columns import find_column
from newsnest.errors import InputError, did_you_mean
from newsnest.evaluate.cuts import CUTS, CutScores, best_cut, cut_scores
from newsnest.labelled import read_labelled
from newsnest.pipeline import calibration
from newsnest.pipeline.stories import story_evidence
from newsnest.pipeline.story_calibration import LabelledTexts, learn_stories
from newsnest.progress import SILENT, Progress
from newsnest.types import Ints, Level


@dataclass(frozen=True, slots=True)
class GoldFiles:
    """Labelled articles: files that `newsnest cluster` reads, with labels in columns.

    Each file is a separate corpus, and all weigh the same.
    """

    files: Sequence[Path]
    fields: Mapping[str, str] = field(default_factory=dict)
    """Level → the field with its labels; empty uses the fields named story, topic and theme."""
    split: str | None = None
    """Read only rows with this split; None reads all."""
    read: ReadOptions = ReadOptions()  # noqa: RUF009 (frozen)


@dataclass(slots=True)
class _Labelled(calibration.Ascent):
    """One file: its texts, and the labels of every article by level, −1 for none."""

    gold: Mapping[str, Ints] = field(default_factory=dict)

    def stories(self) -> LabelledTexts:
        """Return what stories are learnt from."""
        level = self.level("story", self.model.levels.without("story"), dated=True)
        evidence = story_evidence(self.seen, self.texts, level)
        return LabelledTexts(evidence, self.weights, self.item, self.gold["story"])

    def scores(self, level: Level, cuts: Sequence[float], progress: Progress) -> CutScores:
        merges = self.merges(level, max(-1.0, min(cuts)), progress)
        return cut_scores(
            merges.pairs, merges.similarity, self.atoms, self.gold[level.name], cuts=cuts
        )


def calibrate_by_gold(
    folder: Path,
    gold: GoldFiles,
    *,
    resampling: calibration.Resampling = calibration.Resampling(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> tuple[calibration.CalibratedLevel, ...]:
    """Set what cuts a model's levels to what agrees best with gold labels.

    Clusters as `newsnest cluster` does, fine to coarse. For stories a rule is learnt and kept if it
    does better on stories left out (`learn_stories`); the trees of topics and themes are cut at
    every min_similarity. A level without labels is cut where a run would cut it, so that the next
    coarser one is calibrated on the clusters it will meet. Prefer labels that the model was not
    trained on.

    Writes the model's newsnest.json, and returns the levels that have labels, fine to coarse;
    `resampling` is of gold clusters. Cost: encoding, and a tree per level and file, seven of
    stories. Deterministic.

    Raises InputError if a file cannot be read, has no labels, or too few, ParameterError if a level
    is unknown, EncoderError if the folder is no model or cannot be written to.
    """
    calibration.chosen_levels(tuple(gold.fields))
    model = calibration.ModelFolder(folder)
    sources = calibration.sources_of(gold.files)
    if gold.split in (None, "train"):
        model.tell_trained_on(gold.files, progress)
    model.prepare(progress)
    corpora = [_read(file, gold, model, progress) for file in gold.files]
    found: list[calibration.CalibratedLevel] = []
    coarsest = min(list(SHARES).index(name) for own in corpora for name in own.gold)
    for name in calibration.FINE_TO_COARSE:
        level = Level(name, model.dims(name), 0.0)
        own = [corpus for corpus in corpora if name in corpus.gold]
        if own:
            found.append(
                _learnt_stories(own, resampling, progress)
                if name == "story"
                else _calibrated(level, own, resampling, progress)
            )
            model.take(found[-1])
        if list(SHARES).index(name) > coarsest:
            for corpus in corpora:
                corpus.climb(name, progress, dated=True)
    model.keep(found, sources, progress)
    return tuple(found)


def _read(
    file: Path, gold: GoldFiles, model: calibration.ModelFolder, progress: Progress
) -> _Labelled:
    wanted = {**(gold.fields or {level: level for level in SHARES}), "split": "split"}
    read = read_labelled([file], wanted, options=gold.read, progress=progress)
    fields = _fields(file, gold, read.columns)
    if gold.split is not None:
        own = read.labels["split"]
        read = read.take([row for row, split in enumerate(own) if split == gold.split])
    codes = {level: read.codes(level) for level in fields}
    for level, labels in codes.items():
        counts = np.bincount(labels[labels >= 0])
        if counts.size < 2 or counts.max() < 2:
            raise InputError(
                f'{file}: the field "{fields[level]}" must hold two labels or more, one of them on '
                f"two articles or more, got {counts.size:,} on {int(counts.sum()):,} of "
                f"{len(read.articles):,} articles. Label more of them, or check the ids and the "
                "split."
            )
    return _Labelled.begin(read.articles, model, progress, gold=codes)


def _fields(file: Path, gold: GoldFiles, columns: Sequence[str]) -> dict[str, str]:
    """Return the field with the labels of each level that the file has."""
    wanted = gold.fields or {level: level for level in SHARES}
    found = {level: name for level, name in wanted.items() if find_column(name, columns)}
    lacking = "" if gold.split is None or find_column("split", columns) else "split"
    if not found or lacking:
        names = [lacking] if lacking else list(wanted.values())
        choice = f"Choose among {', '.join(columns)}, such as --level story=FIELD."
        raise InputError(
            f"{file}: no row has a field called {' or '.join(names)}."
            f"{did_you_mean(names[0], columns)} {choice if columns else 'The file has no rows.'}"
        )
    return found


def _learnt_stories(
    corpora: Sequence[_Labelled],
    resampling: calibration.Resampling,
    progress: Progress,
) -> calibration.CalibratedLevel:
    model = corpora[0].model
    prior = model.levels.without("story").stories_by(str(model.folder))
    texts = [own.stories() for own in corpora]
    found = learn_stories(texts, prior, **asdict(resampling), progress=progress)
    evidence = {
        "by": "gold",
        "articles": sum(int((own.gold >= 0).sum()) for own in texts),
        "gold_clusters": sum(len(own.texts) for own in texts),
        **found.evidence,
    }
    rule = {} if found.rule is None else found.rule.fields
    return calibration.CalibratedLevel("story", model.dims("story"), None, evidence, rule)


def _calibrated(
    level: Level,
    corpora: Sequence[_Labelled],
    resampling: calibration.Resampling,
    progress: Progress,
) -> calibration.CalibratedLevel:
    scores = [own.scores(level, CUTS, progress) for own in corpora]
    best = best_cut(scores, **asdict(resampling))
    evidence = {
        "by": "gold",
        "f1": asdict(best.f1),
        "articles": best.articles,
        "gold_clusters": best.gold_clusters,
    }
    assert level.dims is not None
    return calibration.CalibratedLevel(level.name, level.dims, best.min_similarity, evidence)
