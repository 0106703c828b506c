"""Calibrate by judged pairs: cut where pairs in one cluster belong together often enough."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from newsnest.corpus import ReadOptions, settle_languages
from newsnest.corpus.language import detect_language, normalise_language
from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import LEVEL_SIMILARITIES, join_similarities
from newsnest.evaluate.precise import PreciseCut, agreeing_cut, precise_cut
from newsnest.labelled import Pair, article_components, read_pairs
from newsnest.nest import plural
from newsnest.pipeline import calibration
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Ints, Level


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Judged pairs, read as `newsnest evaluate pairs` reads them: with text1, text2 and score."""

    files: Sequence[Path]
    scale: tuple[float, float] = (0.0, 1.0)
    """The score of two different texts and of two that say the same."""
    split: str | None = None
    """Read only rows with this split; None reads all."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Our name → the column of the file, where they differ."""
    levels: Sequence[str] = ()
    """Which to calibrate; empty means all three. Pairs with two grades can judge only one level,
    which must be named."""
    articles: Sequence[Path] = ()
    """The corpus the pairs come from; if empty, only the texts of the pairs are clustered, and
    clusters come out smaller than in a real run."""
    read: ReadOptions = ReadOptions()  # noqa: RUF009 (frozen)


def calibrate_by_pairs(
    folder: Path,
    judged: PairFiles,
    *,
    precision: float | None = None,
    resampling: calibration.Resampling = calibration.Resampling(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> tuple[calibration.CalibratedLevel, ...]:
    """Set a model's min_similarity so that clustered pairs are mostly pairs that belong together.

    The texts of the pairs are clustered among the articles, fine to coarse and without dates; this
    gives the highest min_similarity at which each pair is in one cluster. Chosen is the value with
    the best F1 of "in one cluster" as a prediction of "belongs together", or, where a `precision`
    in (0, 1) is given, the lowest one that keeps it. The grade of a pair decides whether it belongs
    to one story, topic or theme (`LEVEL_SIMILARITIES`). Prefer pairs that the model was not trained
    on, and `calibrate_by_gold` if articles have labels.

    Writes the model's newsnest.json once every level is found, and returns the levels fine to
    coarse; `resampling` is of groups of pairs that share no article.

    Raises InputError if a file cannot be read or holds no pair, ParameterError if a level is
    unknown or must be named, pairs are too few, or the precision is reached nowhere, EncoderError
    if the folder is no model or cannot be written to.
    """
    names = calibration.chosen_levels(judged.levels)
    model = calibration.ModelFolder(folder)
    sources = calibration.sources_of(judged.files)
    if judged.split in (None, "train"):
        model.tell_trained_on(judged.files, progress)
    pairs = _read(judged, progress)
    graded = np.array([pair.score for pair in pairs])
    if not judged.levels and np.unique(graded).size < 3:
        raise ParameterError(
            "calibrate: levels must be named where pairs have two grades, for they judge one level "
            "alone. Say which, such as --level story."
        )
    if not judged.articles:
        progress.note(
            "the corpus is the texts of the pairs alone, in which clusters are smaller than they "
            "will be: give the articles they are from with --articles"
        )
    components = article_components(pairs)
    model.prepare(progress)
    ascent, left, right = _begin(pairs, judged, model, progress)
    drawn = asdict(resampling)
    found: list[calibration.CalibratedLevel] = []
    for name in calibration.FINE_TO_COARSE[: calibration.FINE_TO_COARSE.index(names[-1]) + 1]:
        level = Level(name, model.dims(name), 0.0)
        if name in names:
            merges = ascent.merges(level, -1.0, progress)
            joined = join_similarities(
                merges.pairs, merges.similarity, ascent.atoms[left], ascent.atoms[right]
            )
            alike = graded >= LEVEL_SIMILARITIES[name]
            try:
                if precision is None:
                    cut = agreeing_cut(joined, alike, components, **drawn)
                else:
                    cut = precise_cut(joined, alike, components, precision=precision, **drawn)
            except ParameterError as error:
                others = "" if len(names) == 1 else " Other levels: name them with --level."
                raise ParameterError(f"calibrate: {name}: {error.for_people}{others}") from error
            found.append(_level(name, model, cut, precision))
            model.take(found[-1])
        if name != names[-1]:
            ascent.climb(name, progress)
    model.keep(found, sources, progress)
    return tuple(found)


def _read(judged: PairFiles, progress: Progress) -> list[Pair]:
    pairs: list[Pair] = []
    left_out = 0
    for file in judged.files:
        read = read_pairs(
            file, scale=judged.scale, split=judged.split, fields=judged.fields, progress=progress
        )
        pairs += read.pairs
        left_out += read.without_text + read.without_score
    if not pairs:
        raise InputError(
            f"{', '.join(map(str, judged.files))}: no pair has two texts and a score. "
            "Check the fields text1, text2 and score."
        )
    if left_out:
        progress.note(
            f"{len(pairs):,} {plural('pair', len(pairs))}; {left_out:,} without text or score"
        )
    return pairs


def _level(
    name: str, model: calibration.ModelFolder, cut: PreciseCut, asked: float | None
) -> calibration.CalibratedLevel:
    evidence = {key: value for key, value in asdict(cut).items() if key != "min_similarity"}
    evidence = {"by": "pairs", "asked_precision": asked, **evidence}
    return calibration.CalibratedLevel(name, model.dims(name), cut.min_similarity, evidence)


def _begin(
    pairs: Sequence[Pair],
    judged: PairFiles,
    model: calibration.ModelFolder,
    progress: Progress,
) -> tuple[calibration.Ascent, Ints, Ints]:
    """Return articles and texts of pairs, and the article of either side of each pair."""
    articles = calibration.articles_of(judged.articles, judged.read, progress)
    known = {article.body for article in articles}
    articles += [text for text in _texts(pairs, progress) if text.text not in known]
    place = {article.body: row for row, article in enumerate(articles)}
    left, right = (
        np.array([place[getattr(pair, side)] for pair in pairs]) for side in ("text1", "text2")
    )
    return calibration.Ascent.begin(articles, model, progress), left, right


def _texts(pairs: Sequence[Pair], progress: Progress) -> list[Article]:
    """Return every text once, as an article whose language is known as a run would know it."""
    spoken: dict[str, str] = {}
    for pair in pairs:
        for text, lang in ((pair.text1, pair.lang1), (pair.text2, pair.lang2)):
            spoken[text] = spoken.get(text) or normalise_language(lang) or ""
    articles = [
        Article(str(row), text=text, lang=lang or detect_language(text))
        for row, (text, lang) in enumerate(spoken.items())
    ]
    settled = [a for a in settle_languages(articles, progress=progress) if isinstance(a, Article)]
    return sorted(settled, key=lambda article: int(article.id))
