"""Read graded pairs to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import pair_files
from newsnest.train.pairs.pair import GRADES, Pair


@dataclass(frozen=True, slots=True)
class PairSet:
    """The pairs of a file, and how many rows could not be used.

    Parameters
    ----------
    pairs
        In the order of the file.
    without_text
        Rows with an empty text.
    without_score
        Rows with two texts and no score.
    other_splits
        Rows of other splits than the one asked for.
    """

    pairs: tuple[Pair, ...]
    without_text: int
    without_score: int
    other_splits: int


def read_pairs(
    path: str | Path,
    *,
    scale: tuple[float, float],
    same_is: float = GRADES["VS"],
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> PairSet:
    r"""Read graded pairs of texts.

    Parameters
    ----------
    path
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    scale
        The score of two texts that have nothing in common, and that of the most similar ones:
        (4, 1) where 1 is the same, (0, 5) for STS.
    same_is
        What the most similar score means: .75, the same story told by two; 1, the same text in
        other words (STS, paraphrases). The scale is mapped to [0, same_is] linearly.
    split
        Read only rows whose split is this; None reads all.
    fields
        Names in the file of what has another name there, such as {"score": "overall"}.

    Returns
    -------
    PairSet
        Rows without text or score are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad, a score is no number or outside of the scale, a
        field or the split stands nowhere, or no row can be used. It names file, line and field.
    ParameterError
        If the scale has no extent, same_is is outside of (0, 1], or a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = file.write_text("text1,text2,score\nRates held,Rate holds,1\nRates held,Flood,4\n")
    >>> [pair.score for pair in read_pairs(file, scale=(4, 1)).pairs]
    [0.75, 0.0]
    """
    if not 0 < same_is <= 1:
        raise ParameterError(
            f"read_pairs: same_is must be in (0, 1], got {same_is}. "
            "Give 0.75 for the same story, 1 for the same text."
        )
    found = pair_files.read_pairs(path, scale=scale, split=split, fields=fields)
    if not found.pairs:
        raise InputError(
            f"{path}: no pair can be used: {found.without_text} rows lack a text, "
            f"{found.without_score} a score. Check the fields text1, text2 and score."
        )
    pairs = tuple(
        Pair(
            text1=pair.text1,
            text2=pair.text2,
            score=pair.similarity * same_is,
            id1=pair.id1,
            id2=pair.id2,
            lang1=pair.lang1,
            lang2=pair.lang2,
            split=pair.split,
        )
        for pair in found.pairs
    )
    return PairSet(pairs, found.without_text, found.without_score, found.other_splits)
