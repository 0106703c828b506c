"""Graded pairs of texts: what a pair is, and how a file of them is read."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from newsnest.errors import InputError, ParameterError
from newsnest.labelled.rows import Fields, Record, check_split, read_records
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

PAIR_FIELDS = (
    "id1", "id2", "title1", "title2", "text1", "text2", "lang1", "lang2", "score", "split", "group",
)  # fmt: skip
"""What a pair is read from; text1, text2 and score must stand somewhere in the file."""

GRADES: Mapping[str, float] = MappingProxyType({"VS": 0.75, "SS": 0.5, "SD": 0.25, "VD": 0.0})
"""Very similar (the same story), somewhat similar (topic), somewhat dissimilar (theme), very
dissimilar. 1 is kept for the same text twice."""

Gold = tuple[str, str, str]
"""The gold labels of an article: theme, topic, story."""

Side = Literal["train", "validation", "held out"]
_VALIDATION = frozenset({"validation", "valid", "val", "dev"})
_TRAIN = frozenset({"train", ""})


def side_of(split: str) -> Side:
    """Return what the rows of a split are for."""
    if split.lower() in _TRAIN:
        return "train"
    return "validation" if split.lower() in _VALIDATION else "held out"


def same_text(text: str) -> str:
    r"""Return what texts have in common that are the same but for case, width and spaces.

    Example
    -------
    >>> same_text("Rain  in\nNANTES") == same_text("rain in Nantes")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and a graded similarity.

    Parameters
    ----------
    text1, text2
        Title and text as an encoder reads them (`Article.body`); never empty.
    score
        In [0, 1]: 0 is different, 1 is the same. Pairs to train on have the grades 0, .25, .5 and
        .75 (`GRADES`).
    id1, id2
        Ids of the articles, "" if unknown. The same id is the same article.
    lang1, lang2
        As the file has them, "" if unknown.
    split
        "train", "eval" or what the file says; "" if it says nothing.
    gold1, gold2
        Theme, topic and story of each article, "" where unknown.
    group
        Pairs of one group are not independent of each other, such as translations of one pair;
        "" if the file says nothing.
    line
        File and line of the pair, for messages.
    """

    text1: str
    text2: str
    score: float
    id1: str = ""
    id2: str = ""
    lang1: str = ""
    lang2: str = ""
    split: str = ""
    gold1: Gold = ("", "", "")
    gold2: Gold = ("", "", "")
    group: str = ""
    line: int = field(default=0, compare=False)

    @property
    def side(self) -> Side:
        """What the pair is for."""
        return side_of(self.split)

    @property
    def languages(self) -> str:
        """Both languages in the order of the alphabet, "en-es"; "" where one is unknown."""
        return "-".join(sorted((self.lang1, self.lang2))) if self.lang1 and self.lang2 else ""


@dataclass(frozen=True, slots=True)
class PairFile:
    """The pairs of a file, and how many rows could not be used.

    Parameters
    ----------
    pairs
        In the order of the file.
    without_text
        Rows of the split with an empty text.
    without_score
        Rows of the split with two texts and no score.
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
    scale: tuple[float, float] = (0.0, 1.0),
    same_is: float = 1.0,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> PairFile:
    r"""Read graded pairs of texts.

    Parameters
    ----------
    path
        A file that `newsnest.corpus.read_articles` reads and that has columns.
    scale
        The score of two texts that have nothing in common, and that of the most similar ones:
        (4, 1) where 1 is the same, (0, 5) for STS.
    same_is
        What the most similar score means: 1, the same text in other words (STS, paraphrases); .75,
        the same story told by two. The scale is mapped to [0, same_is] linearly.
    split
        Read only rows whose split is this; None reads all.
    fields
        Names in the file of what has another name there, such as {"score": "overall"}.
    progress
        Reports how the file was read.

    Returns
    -------
    PairFile
        Rows without text or score are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad, a score is no number or outside of the scale, no
        row has a text or a score field, or none has the split. It names file, line and cure.
    ParameterError
        If the scale has no extent, same_is is outside of (0, 1], or a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = file.write_text("text1,text2,score\nRates held,Rate holds,1\nRates held,Flood,4\n")
    >>> [pair.score for pair in read_pairs(file, scale=(4, 1)).pairs]
    [1.0, 0.0]
    """
    names = Fields(PAIR_FIELDS, fields, caller="read_pairs")
    _check_scale(scale, same_is)
    wanted = ("text1", "text2", "score")
    records = read_records(path, names, wanted, what="pairs", progress=progress)
    others = check_split(Path(path), split, (record["split"] for record in records))
    pairs: list[Pair] = []
    textless = scoreless = 0
    for record in records:
        if split is not None and record["split"] != split:
            continue
        score = _score(record, names.column("score"), scale)
        texts = [Article("", record[f"title{i}"], record[f"text{i}"]).body for i in "12"]
        if not all(texts):
            textless += 1
        elif math.isnan(score):
            scoreless += 1
        else:
            pairs.append(
                Pair(
                    texts[0],
                    texts[1],
                    score * same_is,
                    id1=record["id1"],
                    id2=record["id2"],
                    lang1=record["lang1"],
                    lang2=record["lang2"],
                    split=record["split"],
                    group=record["group"],
                    line=record.line,
                )
            )
    return PairFile(tuple(pairs), textless, scoreless, others)


def _check_scale(scale: tuple[float, float], same_is: float) -> None:
    if not all(map(math.isfinite, scale)) or scale[0] == scale[1]:
        raise ParameterError(
            f"read_pairs: scale must be two different scores, that of different texts and that of "
            f"the same, got {scale}. Give (4, 1) where 1 is the same and 4 is different."
        )
    if not 0 < same_is <= 1:
        raise ParameterError(
            f"read_pairs: same_is must be in (0, 1], got {same_is}. "
            "Give 0.75 for the same story, 1 for the same text."
        )


def _score(record: Record, column: str, scale: tuple[float, float]) -> float:
    """Return the similarity in [0, 1], NaN where there is no score."""
    if not record["score"]:
        return math.nan
    try:
        score = float(record["score"])
    except ValueError:
        score = math.nan
    if math.isnan(score):
        raise InputError(
            f'{record.where}: the field "{column}" holds {record["score"]!r}. '
            "Give a number, or nothing where there is no score."
        )
    different, same = scale
    if not min(scale) <= score <= max(scale):
        raise InputError(
            f'{record.where}: the field "{column}" holds {score:g}, which is outside of the scale '
            f"from {different:g} (different) to {same:g} (the same). Say its scale, as in "
            "--scale 4 1."
        )
    return (score - different) / (same - different) + 0.0  # never −0
