"""What a nest gives back: batches, runs, clusters, members, counts for pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.types import Article, Floats, Ints, Sentence, Vectors


@dataclass(frozen=True, slots=True)
class Batch:
    """One reading of an input: the articles, rejected rows and notices it gave.

    Parameters
    ----------
    id
        1, 2, … in the order they were read.
    digest, options
        What the input was and how it was read; together they identify the batch.
    inputs
        The files and directories, as they were named.
    """

    id: int
    digest: str
    options: Mapping[str, Any]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One clustering of one batch with one set of options.

    Parameters
    ----------
    id
        1, 2, … in the order they were started.
    batch
        Number of the batch it clusters.
    created
        When it was started, UTC.
    options
        Every option that shapes the result, as given.
    versions
        newsnest, Python and the libraries that shape the result.
    facts
        What was chosen and counted on the way: min_similarity per level, texts cut, encodings, …
    finished
        False while the run can still be resumed.
    inputs
        The files and directories that were read when it was started, as they were named.
    stopped
        Why it stopped before it was finished, in words; "" if it did not, or was killed.
    """

    id: int
    batch: int
    created: datetime
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    facts: Mapping[str, Any]
    finished: bool
    inputs: tuple[str, ...] = ()
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One theme, topic or story.

    Parameters
    ----------
    id
        Unique in the nest, and of one run: another run of the same articles has others.
    level, label
        "theme", "topic" or "story", and its number there: 0 is the largest.
    parent
        id of the cluster one level up; None for a theme.
    articles, independent
        How many articles, and how many texts remain when copies are counted once.
    name, keywords, summary, representative
        What it is called; representative is the id of its most typical article.
    first, last
        Earliest and latest date of its articles, UTC; None where no article has one.
    x, y
        Place on the map of stories, None above the story level and for stories off the map.
    section, section_id, section_score
        Of themes and topics, the section of IPTC Media Topics ("sport", "medtop:15000000") and its
        share in [0, 1]; "mixed" and "" where no section fits. "", "" and None for stories, and in
        runs from before there were sections.
    """

    id: int
    level: str
    label: int
    parent: int | None
    articles: int
    independent: int
    name: str
    keywords: tuple[str, ...]
    summary: tuple[Sentence, ...]
    representative: str
    first: datetime | None
    last: datetime | None
    x: float | None
    y: float | None
    section: str = ""
    section_id: str = ""
    section_score: float | None = None

    @property
    def size(self) -> str:
        """Size in words, as every page and table says it."""
        articles = f"{self.articles:,} article{'' if self.articles == 1 else 's'}"
        return f"{articles}, {self.independent:,} independent"


@dataclass(frozen=True, slots=True)
class Member:
    """One article of a run: where it belongs and what it copies.

    Parameters
    ----------
    article
        The article.
    clusters
        Its cluster ids, coarse to fine.
    copy_of
        id of the article whose text it repeats, None if it stands for itself.
    """

    article: Article
    clusters: tuple[int, ...]
    copy_of: str | None


@dataclass(frozen=True, slots=True)
class KeptTree:
    """The tree of n independent texts that stories were cut from, to be cut again.

    Parameters
    ----------
    pairs
        int32 (m, 2): what every merge joins, named by the lowest text, in order.
    similarity
        float32 (m,): of the two sides, as the tree compares them.
    log_odds
        float32 (m,): that both sides are one story.
    likeness
        float32 (m,): mean similarity of the sides by text and date alone.
    sections
        float32 (n, s): how probable each section of news is for each text.
    exact
        False where first neighbours were looked for nearby only.
    """

    pairs: NDArray[np.int32]
    similarity: Vectors
    log_odds: Vectors
    likeness: Vectors
    sections: Vectors
    exact: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found, as it goes into the nest.

    Parameters
    ----------
    facts
        What was chosen and counted.
    clusters
        Coarse to fine, parents before children. `id` and `parent` are positions in this list; the
        nest turns them into its own numbers.
    membership
        int64 (n,): for every article in canonical order, the position of its finest cluster.
    copy_of
        int64 (n,): the position of the article it copies, −1 for none.
    linkages
        One SciPy-style linkage matrix per level, coarse to fine.
    means, rotation
        float32 (g, d) and (d, d): the frame the vectors were clustered in.
    tree
        What stories were cut from; None where they were not cut from one tree by evidence.
    """

    facts: Mapping[str, Any]
    clusters: Sequence[Cluster]
    membership: Ints
    copy_of: Ints
    linkages: Sequence[Floats]
    means: Vectors
    rotation: Vectors
    tree: KeptTree | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run holds, all articles counted.

    Parameters
    ----------
    articles, dated
        How many articles, and how many of them have a date.
    first, last
        Earliest and latest date, UTC; None where no article has one.
    outlets, languages
        (name, articles), most articles first; "" is never among them.
    """

    articles: int
    dated: int
    first: datetime | None
    last: datetime | None
    outlets: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """One article as a list shows it.

    Parameters
    ----------
    key, story
        Its key in the nest and the id of its story.
    id, title, lang, source, url
        As in `Article`; the title is the first line of the text where there is none.
    date
        Seconds since 1970, UTC, or None.
    copy_of
        Key of the article whose text it repeats, or None.
    """

    key: int
    story: int
    id: str
    title: str
    lang: str
    source: str
    url: str
    date: float | None
    copy_of: int | None
