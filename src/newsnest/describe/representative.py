"""The most typical article of every cluster, and how typical each article is."""

from collections.abc import Sequence

import numpy as np
import regex
import scipy

from newsnest.describe.protocol import Weights
from newsnest.types import Article, Flags, Ints, Labels, Vectors

Rows = Ints

SENSIBLE_LENGTH = (20, 140)
"""Usual length of a headline in characters; half of that in scripts of whole syllables."""

_BLOCK = 65_536

NEARLY_AS_CENTRAL = 0.15
"""How much less typical a plain headline may be (cosine) and still be taken for a labelled one."""

# What desks put before or behind a headline, and lists; a question ends in a mark.
_LABELS = (
    r"opinions?|op-?ed|editorial|comment(?:ary)?|analysis|explainer|explained|fact ?check|factbox|"
    r"column(?: one)?|letters?(?: to the editor)?|review|quiz|podcast|listen|watch|video|audio|"
    r"photos?|gallery|in (?:pictures|photos|pics)|live(?: ?blog| updates?)?|as it happened|"
    r"sponsored|advertorial|recap|morning briefing|newsletter|interview|"
    r"vidéos?|en direct|direct|en images|entretien|tribune|édito(?:rial)?|analyse|chronique|"
    r"kommentar|meinung|leitartikel|liveticker|live-ticker|newsblog|bilder|fotos|"
    r"opinión|análisis|en vivo|en directo|vídeos?|fotogalería|entrevista|"
    r"opinião|análise|ao vivo|galeria|opinione|commento|analisi|diretta|in diretta|intervista|"
    r"opinie|analyse|in beeld|мнение|видео|фото|прямая трансляция"
)
_LABELLED = regex.compile(
    rf"^\W*(?:{_LABELS})(?:\s*[:|»–—]|\s+-\s)|^\W*live(?: updates?| ?blog)\b"
    rf"|^[^:|]{{2,30}}\s(?:live|en direct|en vivo)\s*:"
    rf"|(?:\s[-–—|:]|[|:])\s*(?:{_LABELS})\W*$|^\W*\d+ (?:\p{{L}}+ ){{0,2}}"
    r"(?:things|ways|reasons|takeaways|tips|facts|questions|choses|raisons|dinge|gründe|cosas|razones)\b"
    rf"|^\((?:{_LABELS})\b|\b(?:questions answered|(?:latest|live) updates|q ?& ?a)\W*$"
    r"|[?？؟]\W*$",
    regex.IGNORECASE,
)


def centrality(vectors: Vectors, labels: Labels, *, weights: Weights | None = None) -> Vectors:
    """Return how typical each row is of its cluster: its cosine with the cluster's mean vector.

    The vectors (n, d) are unit rows, the weights (n,) how many articles a row stands for. The
    result is float32 (n,), 0 where a cluster's vectors cancel out. O(n·d) time, O(c·d) memory; sums
    run in row order on one thread, so equal input gives equal bits.

    Example
    -------
    >>> import numpy as np
    >>> rows = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    >>> centrality(rows, np.array([0, 0, 0], dtype=np.int32)).round(2).astype(str).tolist()
    ['0.89', '0.45', '0.89']
    """
    n = labels.size
    if n == 0:
        return np.empty(0, dtype=np.float32)
    weight = np.ones(n, dtype=np.float32) if weights is None else weights.astype(np.float32)
    clusters = int(labels.max()) + 1
    member = scipy.sparse.csr_array((weight, (labels, np.arange(n))), shape=(clusters, n))
    means = member @ np.ascontiguousarray(vectors, dtype=np.float32)
    norm = np.sqrt(np.einsum("ij,ij->i", means, means))
    means /= np.where(norm > 0, norm, 1)[:, None]
    scores = np.empty(n, dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = slice(start, start + _BLOCK)
        scores[block] = np.einsum("ij,ij->i", vectors[block], means[labels[block]])
    return scores


def representatives(scores: Vectors, labels: Labels, *, preference: Rows | None = None) -> Rows:
    """Return the row of the most typical article of every cluster, int64 (c,), by label.

    `scores` (n,) come from `centrality`; a row with a higher preference (n,) wins whatever its
    score. Ties go to the lowest row.
    """
    if labels.size == 0:
        return np.empty(0, dtype=np.int64)
    liked = np.zeros(labels.size, dtype=np.int64) if preference is None else preference
    order = np.lexsort((np.arange(labels.size), -scores, -liked, labels))
    return order[np.r_[True, np.diff(labels[order]) > 0]]


def majority_language(
    articles: Sequence[Article], labels: Labels, *, weights: Weights | None = None
) -> Flags:
    """Mark articles in the most frequent language of their cluster; ties: the first code."""
    if not articles:
        return np.empty(0, dtype=bool)
    codes = sorted({article.lang for article in articles})
    number = {code: place for place, code in enumerate(codes)}
    language = np.array([number[article.lang] for article in articles], dtype=np.int64)
    weight = np.ones(labels.size) if weights is None else weights
    slot, place = np.unique(labels.astype(np.int64) * len(codes) + language, return_inverse=True)
    count = np.bincount(place, weight)
    order = np.lexsort((slot, -count, slot // len(codes)))
    first = order[np.r_[True, np.diff(slot[order] // len(codes)) > 0]]
    winner = slot[first] % len(codes)
    clusters = np.searchsorted(slot[first] // len(codes), labels)
    marked: Flags = winner[clusters] == language
    return marked


def headline_preference(articles: Sequence[Article], major: Flags) -> Rows:
    """Rate how well each headline would name a story, int64 (n,): language, title, then length.

    4 points for the majority language, 2 for a title, 1 for a headline of sensible length that is
    neither all in capitals nor truncated.
    """
    titled = np.array([bool(article.title.strip()) for article in articles], dtype=np.int64)
    sensible = np.array([_sensible(article.headline) for article in articles], dtype=np.int64)
    return 4 * major.astype(np.int64) + 2 * titled + sensible


def labelled_headlines(articles: Sequence[Article]) -> Flags:
    """Mark headlines of opinion, live blogs, videos and the like, questions and lists, bool (n,).

    Labels are known in English, French, German, Spanish, Portuguese, Italian, Dutch and Russian.

    Example
    -------
    >>> titles = ["Live updates: sea wall breaks", "Sea wall breaks", "Kommentar: Was nun?"]
    >>> labelled_headlines([Article("1", title) for title in titles]).tolist()
    [True, False, True]
    """
    return np.array([_LABELLED.search(article.headline) is not None for article in articles])


def _sensible(headline: str) -> bool:
    length = len(headline)
    if not headline.isascii():  # a Han or Hangul character says as much as two letters
        length += sum("\u2e80" <= mark <= "\ud7ff" for mark in headline)
    shouted = headline.isupper() and any("A" <= mark <= "Z" for mark in headline)
    cut = headline.endswith(("...", "…"))
    return SENSIBLE_LENGTH[0] <= length <= SENSIBLE_LENGTH[1] and not shouted and not cut
