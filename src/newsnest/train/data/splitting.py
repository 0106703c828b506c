"""What readers of training data share: who trains, who validates, and what is split off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from newsnest.errors import InputError, ParameterError
from newsnest.train.pairs import GoldArticle, Pair, Split, split_pairs
from newsnest.train.pairs.pair import Gold
from newsnest.train.pairs.split import Together

_VALIDATION = frozenset({"validation", "valid", "val", "dev"})
_TRAIN = frozenset({"train", ""})

_T = TypeVar("_T", Pair, GoldArticle)


@dataclass(frozen=True, slots=True)
class Splitting:
    """How validation pairs come about.

    Parameters
    ----------
    share
        Of each file without a validation split of its own, what is split off to validate on.
    most
        Most validation pairs of all files; the others are not used.
    hard
        Share of the very dissimilar pairs built from neighbouring themes.
    seed
        Decides what is split off and drawn.
    """

    share: float = 0.1
    most: int = 2000
    hard: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Pairs to train on, pairs to validate on, and where they come from.

    Parameters
    ----------
    train, validation
        No article and no story is in both.
    sources
        By file: path, SHA-256, how it was read, and counts of what was used and left out.
    leaking
        Pairs taken out of `train`: they share an article or a story with what is held out.
    files
        The number of the file, from 0, of every pair of `train`; empty where it is not kept.
    """

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    sources: tuple[Mapping[str, Any], ...]
    leaking: int
    files: tuple[int, ...] = ()


def by_split(rows: Sequence[_T]) -> tuple[tuple[_T, ...], tuple[_T, ...], tuple[_T, ...]]:
    """Return what is trained on, validated on, and held out."""
    train, validation, held = (
        tuple(row for row in rows if side_of(row.split) == side)
        for side in ("train", "validation", "held out")
    )
    return train, validation, held


def side_of(split: str) -> Literal["train", "validation", "held out"]:
    """Return what the rows of a split are for."""
    if split.lower() in _TRAIN:
        return "train"
    return "validation" if split.lower() in _VALIDATION else "held out"


def split_off(
    pairs: Sequence[Pair],
    splitting: Splitting,
    file: Path,
    *,
    min_score: float = 0.0,
    together: Together = "story",
) -> Split:
    """Split off pairs of a file to validate on, as `split_pairs` does.

    Raises
    ------
    InputError
        If none can be.
    """
    shares = shares_of(splitting)
    try:
        return split_pairs(
            pairs, shares, seed=splitting.seed, min_score=min_score, together=together
        )
    except ParameterError as error:
        raise inseparable(file, len(pairs), "pairs") from error


def shares_of(splitting: Splitting) -> dict[str, float]:
    """Return the shares of what is trained and validated on."""
    return {"train": 1 - splitting.share, "validation": splitting.share}


def tagged(pairs: Sequence[Pair], tag: str) -> tuple[Pair, ...]:
    """Return pairs with a tag before their ids and labels, which then differ from other files'."""
    if not tag:
        return tuple(pairs)

    def gold(labels: Gold) -> Gold:
        theme, topic, story = (label and tag + label for label in labels)
        return theme, topic, story

    return tuple(
        replace(
            pair,
            id1=pair.id1 and tag + pair.id1,
            id2=pair.id2 and tag + pair.id2,
            gold1=gold(pair.gold1),
            gold2=gold(pair.gold2),
        )
        for pair in pairs
    )


def inseparable(file: Path, count: int, what: str) -> InputError:
    """Return the error of a file of which nothing can be split off to validate on."""
    return InputError(
        f"{file}: of {count:,} {what} some must be split off to validate on that share no text and "
        f"no story with the others, got none. Give more {what}, or give some the split "
        '"validation".'
    )
