"""What a recipe trains and validates on, read from graded pairs and gold labels without leaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from newsnest.embed.weights import file_sha256
from newsnest.errors import InputError, ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.data.files import DataFile
from newsnest.train.data.splitting import (
    Splitting,
    TrainingData,
    by_split,
    inseparable,
    shares_of,
    split_off,
    tagged,
)
from newsnest.train.pairs import (
    BuildOptions,
    BuiltPairs,
    GoldArticle,
    Pair,
    build_pairs,
    leaking_pairs,
    read_gold,
    read_pairs,
    split_articles,
)
from newsnest.train.pairs.split import Together
from newsnest.types import Vectors

_CONNECTED = 0.125  # pairs below have nothing in common, and may be parted

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file gives; `held` are pairs of articles that must not be trained on."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    held: tuple[Pair, ...]
    counts: Mapping[str, Any]


def read_training_data(
    files: Sequence[DataFile],
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
        `parse_file` returns them.
    splitting
        See `Splitting`.
    encode
        Returns unit vectors (n, d) of texts by a frozen encoder, for hard pairs; None: no hard
        pairs.
    progress
        Told what a file has that is probably not meant.

    Raises
    ------
    InputError
        If a file cannot be read, a row is bad, none can be split off, or nothing is left to train
        on.

    Notes
    -----
    Deterministic for a seed.
    """
    rng = np.random.default_rng([7, splitting.seed])
    parts: list[_Part] = []
    for number, file in enumerate(files):
        if file.kind == "pairs":
            part = _from_pairs(file, splitting)
        else:
            part = _from_gold(file, splitting, encode, progress)
        # Ids and labels of two files have nothing to do with each other.
        tag = f"{number}:" if len(files) > 1 else ""
        parts.append(
            _Part(
                train=tagged(part.train, tag),
                validation=tagged(part.validation, tag),
                held=tagged(part.held, tag),
                counts=part.counts,
            )
        )
    train = [pair for part in parts for pair in part.train]
    validation = [pair for part in parts for pair in part.validation]
    if len(validation) > splitting.most:
        chosen = sorted(rng.permutation(len(validation))[: splitting.most].tolist())
        progress.note(f"validation: {splitting.most:,} of {len(validation):,} pairs, at random")
        kept = [validation[i] for i in chosen]
    else:
        kept = validation
    leaking = set(leaking_pairs(train, [*validation, *(p for part in parts for p in part.held)]))
    clean = tuple(pair for pair in train if pair not in leaking)
    if not clean:
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: no pair to train on is left: "
            f"{len(train)} were read, all with an article or a story that is held out. "
            "Check the split field."
        )
    if len(files) > 1:
        _note_shares(files, parts, progress)
    sources = tuple(
        {
            "file": file.path.name,
            "sha256": file_sha256(file.path.resolve()),
            "kind": file.kind,
            "reading": asdict(file.reading),
            "fields": dict(file.fields),
            **part.counts,
        }
        for file, part in zip(files, parts, strict=True)
    )
    return TrainingData(clean, tuple(kept), sources, len(train) - len(clean))


def _from_pairs(file: DataFile, splitting: Splitting) -> _Part:
    reading = file.reading
    read = read_pairs(
        file.path, scale=reading.scale, same_is=reading.same_is, fields=file.fields or None
    )
    train, validation, held = by_split(read.pairs)
    train = _some(train, reading.most, splitting.seed)
    if not train:
        raise _nothing(file, read.pairs)
    parted = 0
    if not validation:
        split = split_off(train, splitting, file.path, min_score=_CONNECTED)
        train, validation = split.parts["train"], split.parts["validation"]
        parted = len(split.straddling)
    counts = {
        "train_pairs": len(train),
        "validation_pairs": len(validation),
        "held_out": len(held),
        "without_text": read.without_text,
        "without_score": read.without_score,
        "in_two_parts": parted,
    }
    return _Part(train, validation, held, counts)


def _from_gold(
    file: DataFile, splitting: Splitting, encode: Encode | None, progress: Progress
) -> _Part:
    articles = read_gold(file.path, fields=file.fields or None)
    train, validation, held = by_split(articles)
    if not train:
        raise _nothing(file, articles)
    most = file.reading.most
    share = 0.0 if validation else splitting.share
    if not validation:
        try:
            split = split_articles(
                train, shares_of(splitting), seed=splitting.seed, together=_together(train)
            )
        except ParameterError as error:
            raise inseparable(file.path, len(train), "articles") from error
        train = tuple(a for a in split if a.split == "train")
        validation = tuple(a for a in split if a.split == "validation")
    _note_long_stories(file, train, progress)
    built = [_build(file, part, splitting, encode) for part in (train, validation)]
    pairs = _some(built[0].pairs, most and round(most * (1 - share)), splitting.seed)
    # Small parts give more pairs for their articles: files must weigh alike in both.
    judging = max(2, round(len(pairs) * share / (1 - share))) if share else None
    validating = _some(built[1].pairs, judging, splitting.seed)
    counts = {
        "articles": len(articles),
        "train_pairs": len(pairs),
        "validation_pairs": len(validating),
        "held_out": len(held),
        "found": dict(built[0].found),
        "hard": built[0].hard,
    }
    kept_apart = tuple(Pair(a.text, a.text, 0.75, a.id, a.id, gold1=a.gold) for a in held)
    return _Part(pairs, validating, kept_apart, counts)


def _build(
    file: DataFile, articles: Sequence[GoldArticle], splitting: Splitting, encode: Encode | None
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


def _some(pairs: tuple[Pair, ...], most: int | None, seed: int) -> tuple[Pair, ...]:
    if most is None or len(pairs) <= most:
        return pairs
    chosen = np.random.default_rng([8, seed]).permutation(len(pairs))[:most]
    return tuple(pairs[i] for i in sorted(chosen.tolist()))


def _note_shares(files: Sequence[DataFile], parts: Sequence[_Part], progress: Progress) -> None:
    """Say how much of the training each file is: a large one must not drown a small one."""
    total = sum(len(part.train) for part in parts)
    told = (
        f"{file.path.name} {len(part.train):,} ({len(part.train) / total:.0%})"
        for file, part in zip(files, parts, strict=True)
    )
    progress.note(f"pairs of each file: {', '.join(told)}; most=N after a file takes fewer of it")


def _note_long_stories(file: DataFile, articles: Sequence[GoldArticle], progress: Progress) -> None:
    """Say so where stories last long and no window is given: such pairs teach wrong stories."""
    if file.reading.max_days is not None:
        return
    days: dict[str, list[int]] = {}
    for article in articles:
        if article.date is not None and article.gold[2]:
            days.setdefault(article.gold[2], []).append(article.date.toordinal())
    spans = [max(told) - min(told) for told in days.values() if len(told) > 1]
    long = sum(span > 30 for span in spans)
    if long:
        progress.note(
            f"{file.path.name}: {long:,} of {len(spans):,} stories last longer than 30 days; two "
            f'articles far apart are seldom one story. Consider "{file.path},max_days=7".'
        )


def _nothing(file: DataFile, rows: Sequence[Pair] | Sequence[GoldArticle]) -> InputError:
    splits = ", ".join(sorted({f'"{row.split}"' for row in rows}))
    return InputError(
        f'{file.path}: no row has the split "train" or none, got {splits}. '
        "Correct the split field, or name another, such as split=part."
    )
