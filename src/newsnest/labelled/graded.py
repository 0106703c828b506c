"""Graded pairs to train on, read from files of pairs or built from gold labels, without leaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from newsnest.errors import InputError, ParameterError
from newsnest.labelled.articles import GOLD_FIELDS, GoldArticle, read_gold
from newsnest.labelled.build import BuildOptions, BuiltPairs, build_pairs
from newsnest.labelled.data_files import DataFile, Reading
from newsnest.labelled.pairs import PAIR_FIELDS, Pair, read_pairs
from newsnest.labelled.rows import Fields, first_columns
from newsnest.labelled.split import Together, by_side, draw, inseparable, split_articles
from newsnest.labelled.training import Part, Splitting, TrainingData, assemble, divided
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_CONNECTED = 0.125  # pairs below have nothing in common, and may be parted
_ENDS = ("text1", "text2", "title1", "title2")
"""Where one of these is a field, a file holds pairs, else articles with gold labels."""

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class GradedReading(Reading):
    """How a file of graded pairs, or of articles with gold labels, is read.

    Parameters
    ----------
    scale
        Of graded pairs: the score of two texts that have nothing in common, and that of the most
        similar ones.
    same_is
        What the most similar score means: .75 the same story, 1 the same text.
    per_grade
        Maximum number of pairs of a grade that are built from gold labels.
    max_days
        Maximum number of days between two articles of a story to be a pair; None: any.
    max_pairs
        Maximum number of pairs of a file, drawn at random, so that a large one does not drown a
        small one; None: all.
    """

    FIELDS = tuple(dict.fromkeys((*PAIR_FIELDS, *GOLD_FIELDS)))
    scale: tuple[float, float] = (0.0, 1.0)
    same_is: float = 0.75
    per_grade: int = 2000
    max_days: float | None = None
    max_pairs: int | None = None


GradedFile = DataFile[GradedReading]


def read_training_data(
    files: Sequence[GradedFile],
    splitting: Splitting,
    *,
    encode: Encode | None = None,
    progress: Progress = SILENT,
) -> TrainingData:
    """Read pairs, build pairs from gold labels, and keep apart what is validated on and held out.

    Rows of the split "train", or of none, are trained on; those of "validation", "valid", "val" or
    "dev" are validated on; those of any other split ("test", "eval") are not used at all. A file
    without a validation split gives a share of its training rows, split off by connected component
    (pairs) or by story (gold labels).

    Parameters
    ----------
    files
        `parse_data` returns them.
    splitting
        See `Splitting`.
    encode
        Returns unit vectors (n, d) of texts by a frozen encoder, for hard pairs; None: no hard
        pairs.
    progress
        Reports what a file has that is probably not meant.

    Raises
    ------
    InputError
        If a file cannot be read, a row is bad, none can be split off, or nothing is left to train
        on.

    Notes
    -----
    Deterministic for a seed.
    """
    parts: list[Part] = []
    for number, file in enumerate(files):
        if holds_pairs(file):
            part = _from_pairs(file, splitting, progress)
        else:
            part = _from_gold(file, splitting, encode, progress)
        # Ids and labels of two files have nothing to do with each other.
        parts.append(part.tagged(f"{number}:" if len(files) > 1 else ""))
    data = assemble(files, parts, splitting, progress=progress)
    if len(files) > 1:
        _note_shares(files, parts, progress)
    return data


def holds_pairs(file: GradedFile) -> bool:
    """Whether a file holds pairs, by what was named and by its first row, or else articles."""
    if any(end in file.fields for end in _ENDS):
        return True
    ends = Fields(_ENDS, caller="read_training_data").match(first_columns(file.path))
    return bool(ends)


def _from_pairs(file: GradedFile, splitting: Splitting, progress: Progress) -> Part:
    reading = file.reading
    read = read_pairs(
        file.path,
        scale=reading.scale,
        same_is=reading.same_is,
        fields=file.fields,
        progress=progress,
    )
    if not read.pairs:
        raise InputError(
            f"{file.path}: no pair can be used: {read.without_text} rows lack a text, "
            f"{read.without_score} a score. Check the fields text1, text2 and score."
        )
    if not any(pair.side == "train" for pair in read.pairs):
        raise _nothing(file, read.pairs)
    part = divided("pairs", file, read.pairs, splitting, [8, splitting.seed], _CONNECTED)
    counts = {
        "without_text": read.without_text,
        "without_score": read.without_score,
        "in_two_parts": 0,
        **part.counts,
    }
    return replace(part, counts=counts)


def _from_gold(
    file: GradedFile, splitting: Splitting, encode: Encode | None, progress: Progress
) -> Part:
    articles = read_gold(file.path, fields=file.fields, progress=progress)
    train, validation, held = by_side(articles)
    if not train:
        raise _nothing(file, articles)
    limit = file.reading.max_pairs
    share = 0.0 if validation else splitting.share
    if not validation:
        try:
            split = split_articles(
                train,
                {"train": 1 - share, "validation": share},
                seed=splitting.seed,
                together=_together(train),
            )
        except ParameterError as error:
            raise inseparable(file.path, len(train), "articles") from error
        train, validation, _ = by_side(split)
    _note_long_stories(file, train, progress)
    built = [_build(file, part, splitting, encode) for part in (train, validation)]
    seed = [8, splitting.seed]
    pairs = draw(built[0].pairs, limit and round(limit * (1 - share)), seed)
    # Small parts give more pairs for their articles: files must weigh alike in both.
    judging = max(2, round(len(pairs) * share / (1 - share))) if share else None
    validating = draw(built[1].pairs, judging, seed)
    counts = {
        "articles": len(articles),
        "held_out": len(held),
        "found": dict(built[0].found),
        "hard": built[0].hard,
    }
    kept_apart = [Pair(a.text, a.text, 0.75, a.id, a.id, gold1=a.gold) for a in held]
    return Part("gold", pairs, validating, kept_apart, counts)


def _build(
    file: GradedFile, articles: Sequence[GoldArticle], splitting: Splitting, encode: Encode | None
) -> BuiltPairs:
    # All of a part is one part, however its rows spell the split.
    articles = [replace(article, split="") for article in articles]
    options = BuildOptions(
        per_grade=file.reading.per_grade,
        max_days=file.reading.max_days,
        hard=splitting.hard,
        seed=splitting.seed,
    )
    vectors = encode([a.text for a in articles]) if encode and splitting.hard else None
    return build_pairs(articles, options, vectors=vectors)


def _together(articles: Sequence[GoldArticle]) -> Together:
    """Return the finest label that articles have; whole themes are never kept apart."""
    if any(article.gold[2] for article in articles):
        return "story"
    return "topic" if any(article.gold[1] for article in articles) else "article"


def _note_shares(files: Sequence[GradedFile], parts: Sequence[Part], progress: Progress) -> None:
    """Say how much of the training each file is: a large one must not drown a small one."""
    total = sum(len(part.train) for part in parts)
    shares = (
        f"{file.path.name} {len(part.train):,} ({len(part.train) / total:.0%})"
        for file, part in zip(files, parts, strict=True)
    )
    progress.note(
        f"pairs of each file: {', '.join(shares)}; max_pairs=N after a file takes fewer of it"
    )


def _note_long_stories(
    file: GradedFile, articles: Sequence[GoldArticle], progress: Progress
) -> None:
    """Say so where stories last long and no window is given: such pairs teach wrong stories."""
    if file.reading.max_days is not None:
        return
    days: dict[str, list[int]] = {}
    for article in articles:
        if article.date is not None and article.gold[2]:
            days.setdefault(article.gold[2], []).append(article.date.toordinal())
    spans = [max(own) - min(own) for own in days.values() if len(own) > 1]
    long = sum(span > 30 for span in spans)
    if long:
        progress.note(
            f"{file.path.name}: {long:,} of {len(spans):,} stories last longer than 30 days; two "
            f'articles far apart are seldom one story. Consider "{file.path},max_days=7".'
        )


def _nothing(file: GradedFile, rows: Sequence[Pair] | Sequence[GoldArticle]) -> InputError:
    splits = ", ".join(sorted({f'"{row.split}"' for row in rows}))
    return InputError(
        f'{file.path}: no row has the split "train" or none, got {splits}. '
        "Correct the split field, or name another, such as split=part."
    )
