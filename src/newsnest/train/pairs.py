"""Pairs as a data set that sentence-transformers trains on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from newsnest.errors import ParameterError
from newsnest.labelled import Gold, Pair
from newsnest.types import LEVELS

if TYPE_CHECKING:
    from datasets import Dataset

_Label = tuple[int, str]
_LARGEST_ID = 1 << 24  # labels are float32 in a batch, which counts no further


def label_rows(pairs: Sequence[Pair]) -> list[list[float]]:
    """Return the label of every pair: its score, then the group ids of both articles per level.

    The levels are theme, topic, story. Where an article has no label of a level, it takes the one
    that others of its finer label have; where none has one, the finer label stands for it, because
    articles of one story are also of one topic. Without a finer label its id is −1: nothing is
    known of it.

    Example
    -------
    >>> label_rows([Pair("a", "b", 0.5, gold1=("w", "", "s1"), gold2=("w", "t", ""))])
    [[0.5, 0.0, 0.0, 1.0, 2.0, 1.0, -1.0]]
    """
    numbers: dict[_Label, int] = {}
    known = _whole_gold([gold for pair in pairs for gold in (pair.gold1, pair.gold2)])
    rows = []
    for number, pair in enumerate(pairs):
        labels = zip(*known[2 * number : 2 * number + 2], strict=True)
        ids = [
            -1 if label is None else numbers.setdefault(label, len(numbers))
            for both in labels
            for label in both
        ]
        rows.append([float(pair.score), *map(float, ids)])
    if len(numbers) > _LARGEST_ID:
        raise ParameterError(
            f"label_rows: pairs must have at most {_LARGEST_ID:,} themes, topics and stories, got "
            f"{len(numbers):,}. Train on fewer pairs, or without their gold labels."
        )
    return rows


def _whole_gold(golds: Iterable[Gold]) -> list[list[_Label | None]]:
    """Return gold labels with those that a finer label tells, each with the level it is of."""
    known = [[(at, label) if label else None for at, label in enumerate(gold)] for gold in golds]
    for level in reversed(range(len(LEVELS) - 1)):
        coarser = {row[level + 1]: row[level] for row in known if row[level] and row[level + 1]}
        for row in known:
            row[level] = row[level] or coarser.get(row[level + 1], row[level + 1])
    return known


def pair_dataset(pairs: Sequence[Pair]) -> Dataset:
    """Return a data set of text1, text2 and label, which the losses of this package read.

    The label is the score alone where no pair has gold labels, else a row of `label_rows`.

    Raises
    ------
    ParameterError
        If there is no pair, a score is outside of [0, 1], a text is empty, or the package
        `datasets` is missing.
    """
    try:
        from datasets import Dataset
    except ImportError as error:
        raise ParameterError(
            "pair_dataset: the package datasets must be installed, got none. "
            'Run pip install "newsnest[train]".'
        ) from error
    if not pairs:
        raise ParameterError("pair_dataset: pairs must hold one at least, got none. Read some.")
    for row, pair in enumerate(pairs):
        for column in ("text1", "text2"):
            if not getattr(pair, column):
                raise ParameterError(
                    f"pair_dataset: row {row}, column {column} must hold a text, got ''. "
                    "Leave the pair out."
                )
        if not 0 <= pair.score <= 1:
            raise ParameterError(
                f"pair_dataset: row {row}, column score must be in [0, 1], got {pair.score}. "
                "Map it with the scale of read_pairs."
            )
    known = any(any(pair.gold1) or any(pair.gold2) for pair in pairs)
    columns = {
        "text1": [pair.text1 for pair in pairs],
        "text2": [pair.text2 for pair in pairs],
        "label": label_rows(pairs) if known else [pair.score for pair in pairs],
    }
    return Dataset.from_dict(columns)
