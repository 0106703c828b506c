"""Calibrate by gold labels: the min_similarity at which our own clustering agrees best."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from newsnest.cluster import SHARES, default_time_weight, rule_for, tell_apart, time_share
from newsnest.corpus import ReadOptions
from newsnest.corpus.columns import find_column
from newsnest.errors import InputError, did_you_mean
from newsnest.evaluate import Estimate
from newsnest.evaluate.cuts import CUTS, CutScores, best_cut, cut_scores
from newsnest.labelled import read_labelled
from newsnest.pipeline import calibration
from newsnest.progress import SILENT, Progress
from newsnest.types import Ints, Level

_TELLING = 0.5  # share of the dated value from which on dates can say what it should be


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

    @property
    def weight(self) -> float:
        """That of time at the story level."""
        return default_time_weight() if self.seen.frame.time_scale else 0.0

    @property
    def share(self) -> float:
        """How far the dated value counts; see `newsnest.cluster.time_share`."""
        if not self.weight:
            return 0.0
        return time_share(self.weight, tell_apart(self.seen.times, self.seen.frame.time_scale))

    def with_time(self, undated: float) -> list[float]:
        """Return the min_similarity with dates of every cut."""
        rule, weight, share = rule_for("story"), self.weight, self.share
        return [replace(rule, dated=cut).with_time(undated, weight, share) for cut in CUTS]

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
    """Set a model's min_similarity to the values that agree best with gold labels.

    Clusters as `newsnest cluster` does, fine to coarse, and cuts the tree of each level at every
    value. A level without labels is cut where a run would cut it, so that the next coarser one is
    calibrated on the clusters it will meet. With dates, stories are calibrated twice: by text
    alone, and with the default weight of time. Prefer labels that the model was not trained on.

    Writes the model's newsnest.json, and returns the levels that have labels, fine to coarse;
    `resampling` is of gold clusters. Cost: encoding, and at most two trees per level and file.
    Deterministic.

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
            found.append(_calibrated(level, own, resampling, progress))
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


def _calibrated(
    level: Level,
    corpora: Sequence[_Labelled],
    resampling: calibration.Resampling,
    progress: Progress,
) -> calibration.CalibratedLevel:
    scores = [own.scores(level, CUTS, progress) for own in corpora]
    best = best_cut(scores, **asdict(resampling))
    value = best.min_similarity.value
    dated: Estimate | None = None
    evidence = {
        "by": "gold",
        "f1": asdict(best.f1),
        "articles": best.articles,
        "gold_clusters": best.gold_clusters,
    }
    telling = [own for own in corpora if level.name == "story" and own.share >= _TELLING]
    if telling:
        scores = [
            own.scores(replace(level, time_weight=own.weight), own.with_time(value), progress)
            for own in telling
        ]
        with_dates = best_cut(scores, **asdict(resampling))
        dated = with_dates.min_similarity
        evidence["f1_dated"] = asdict(with_dates.f1)
    assert level.dims is not None
    return calibration.CalibratedLevel(level.name, level.dims, best.min_similarity, dated, evidence)
