"""One pair to train on, and the grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GRADES: Mapping[str, float] = MappingProxyType({"VS": 0.75, "SS": 0.5, "SD": 0.25, "VD": 0.0})
"""Very similar (the same story), somewhat similar (topic), somewhat dissimilar (theme), very
dissimilar. 1 is kept for the same text twice."""

Gold = tuple[str, str, str]
"""The gold labels of an article: theme, topic, story."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and a graded similarity.

    Parameters
    ----------
    text1, text2
        As an encoder reads them; never empty.
    score
        In [0, 1]; the grades are 0, .25, .5 and .75 (`GRADES`).
    id1, id2
        Ids of the articles, "" if unknown. The same id is the same article.
    lang1, lang2
        "" if unknown.
    split
        "train", "eval", or what the file says; "" if it says nothing.
    gold1, gold2
        Theme, topic and story of each article, "" where unknown.
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
