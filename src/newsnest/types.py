"""The nouns every part shares: articles, levels, hierarchies, and what an encoder must do.

Words, throughout the project: an *article* is one text with its date and outlet; an *encoder* turns
texts into unit vectors; a *level* is theme, topic or story, coarse to fine; a *view* is a block of
dimensions with a weight (text, time); a *hierarchy* holds nested labels per level and the merges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError, did_you_mean
from newsnest.progress import SILENT, Progress

Vectors = NDArray[np.float32]
"""float32, shape (n, d); one row per text."""

Labels = NDArray[np.int32]
"""int32, shape (n,); 0 … k − 1."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
"""Arrays of any shape: row numbers and counts, measures, yes or no."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article.

    Parameters
    ----------
    id
        Unique within a corpus; also the canonical order.
    title, text
        Either may be empty, not both.
    lang
        ISO 639-1 code (639-3 where there is none), "" if unknown.
    date
        Aware, in UTC; None if unknown.
    source, url
        Outlet and address, "" if unknown.
    """

    id: str
    title: str = ""
    text: str = ""
    lang: str = ""
    date: datetime | None = None
    source: str = ""
    url: str = ""

    @property
    def body(self) -> str:
        """What an encoder reads: title and text, the title not repeated."""
        if not self.title or self.text.startswith(self.title):
            return self.text
        return f"{self.title}. {self.text}" if self.text else self.title

    @property
    def headline(self) -> str:
        """What a person reads: the title, else the first line of the text."""
        return self.title or self.text.strip().partition("\n")[0][:200]


@dataclass(frozen=True, slots=True)
class Update(Article):
    """An article that takes the place of the one with its id that was read before it.

    Parameters
    ----------
    was_lang, was_source
        Language and outlet of the one it replaces.
    """

    was_lang: str = ""
    was_source: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a summary and the id of its article."""

    text: str
    article: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not become an article, kept as it was found.

    Parameters
    ----------
    file
        The file as it was named, "-" for standard input.
    line
        Physical line, or number of the row where a format has no lines; from 1, 0 if neither.
    reason
        Why it is not an article, in words.
    content
        The row as found; a note at its end says what was cut.
    """

    file: str
    line: int
    reason: str
    content: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing worth knowing about a file that did not cost a row."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a hierarchy.

    Parameters
    ----------
    name
        "theme", "topic", "story", or a name of your own.
    dims
        How many leading dimensions of the text view this level uses; None means all.
    min_similarity
        Cosine in [−1, 1] below which two clusters are not merged, on this level's vectors. Where
        `resolution` decides, in its stead: the one that would give as many clusters.
    time_weight
        Weight of the time view in [0, 1); the text view keeps 1 − time_weight.
    section_weight
        Weight of the section view in [0, 1), as far as an article's section is certain.
    neighbours
        How many nearest neighbours smooth each vector; 0 leaves vectors as they are.
    by_evidence
        Cut a tree of texts by what they share (`newsnest.cluster.StoryCutter`), of stories alone;
        `min_similarity` then is the one that agrees best.
    resolution
        Cut the tree where neighbours stay together: the higher, the more clusters. None: at
        min_similarity. Needs `neighbours`.
    """

    name: str
    dims: int | None
    min_similarity: float
    time_weight: float = 0.0
    section_weight: float = 0.0
    neighbours: int = 0
    by_evidence: bool = False
    resolution: float | None = None


LEVELS = ("theme", "topic", "story")
"""The levels of a run, coarse to fine."""

Order = Literal["fine-to-coarse", "coarse-to-fine"]
"""Which level is clustered first; the others are nested around it or within it."""

Grain = Literal["finest", "finer", "default", "coarser"]
"""How finely stories are cut, relative to what is measured for a corpus."""

DateOrder = Literal["DMY", "MDY", "YMD"]
"""How three numbers make a date: day-month-year, month-day-year, year-month-day."""

Reducer = Literal["none", "pca", "truncate", "umap"]
"""How vectors lose dimensions before they are clustered."""


def plural(level: str, count: int) -> str:
    """Return the word for `count` clusters of a level: "1 story", "2 stories"."""
    if count == 1:
        return level
    return "stories" if level == "story" else f"{level}s"


def check_level(message: str, name: str) -> None:
    """Raise ParameterError unless a run has a level of this name; `message` begins the error."""
    if name not in LEVELS:
        raise ParameterError(
            f"{message} among {', '.join(LEVELS)}, got {name!r}.{did_you_mean(name, LEVELS)} "
            "Choose one of them."
        )


def check_min_similarity(where: str, given: Mapping[str, float]) -> None:
    """Raise ParameterError unless `given` holds cosines of levels that a run has."""
    for name, value in given.items():
        check_level(f"{where}: min_similarity must name levels", name)
        if not -1.0 <= value <= 1.0:
            raise ParameterError(
                f"{where}: min_similarity must be in [-1, 1], got {value} for {name}. "
                "It is a cosine."
            )


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Nested labels, coarse to fine, and the merges that made them.

    Parameters
    ----------
    levels
        Coarse to fine.
    labels
        One array of shape (n,) per level, in the same order. Every label of a finer level lies
        within one label of the next coarser. Label 0 is the heaviest cluster of its level.
    linkages
        One SciPy-style linkage matrix of shape (merges, 4) per level: the two clusters, the
        distance 1 − similarity, the weight. Its leaves are the level's own atoms (`atoms`).
    atoms
        One array of shape (n,) per level: the leaf of that level's linkage each row belongs to.
    exact
        False where first neighbours were looked for nearby only.
    """

    levels: tuple[Level, ...]
    labels: tuple[Labels, ...]
    linkages: tuple[NDArray[np.float64], ...]
    atoms: tuple[Labels, ...]
    exact: bool = True


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    """As given on the command line."""
    dimensions: int
    """Width d of the vectors; known after `prepare`."""
    fingerprint: str
    """Hex digest of weights and settings: equal fingerprints mean equal vectors."""

    def prepare(self, texts: Sequence[str], *, progress: Progress = SILENT) -> None:
        """Get ready for a corpus: load weights, or fit what is fitted on the corpus itself."""
        ...

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        """Return unit vectors, float32 (len(texts), d), in the order of the texts."""
        ...

    def count_cut(self, texts: Sequence[str]) -> int:
        """Count the texts longer than what the encoder reads."""
        ...
