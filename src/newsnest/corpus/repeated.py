"""What is boilerplate is found by counting: an outlet repeats it, and others do not."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus.affixes import spans
from newsnest.corpus.boilerplate import CORPUS, Boilerplate, Pattern
from newsnest.corpus.distinct import Candidate, WordSample, only_here, unlike
from newsnest.corpus.tokens import GAP, written
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

MIN_ARTICLES, MIN_SHARE = 5, 0.03
"""An outlet repeats what stands in so many of its articles, and in such a share of them."""
MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE = 12, 0.02
"""The same for what articles share whatever their outlet."""
UNBOUNDED_SHARE = 0.3
"""The same for an end that no punctuation sets off: "… on Monday Read Full Article at RT.com"."""
_TEMPLATE_SHARE = 0.8  # of the articles with this end begin it like this

_Found = dict[tuple[str, str], Candidate]


def find_boilerplate(articles: Sequence[Article], *, progress: Progress = SILENT) -> Boilerplate:
    """Find what outlets repeat across many articles, and others do not.

    Counted are beginnings and ends of titles and texts that punctuation sets off, with what varies
    in them (numbers, months, days of the week; the place in a dateline; the headline in "The post …
    appeared first on …"), and whole sentences. An outlet, the `source` of an article, repeats what
    stands in five of its articles and 3 % of them; the corpus what stands in twelve and 2 %.

    Content stays. Others (nearly) never say what is boilerplate, neither word for word nor in their
    own words, nor does the outlet elsewhere; and the articles that share it are about as unlike as
    other articles of the outlet: a story that is told again and again is not boilerplate.

    Parameters
    ----------
    articles
        At least one, in any order.
    progress
        One task: articles counted.

    Returns
    -------
    Boilerplate
        The patterns that are taken out of these articles, and a way to take them out.

    Notes
    -----
    Linear in the texts; what articles share is counted by 64-bit hashes, eight bytes for every
    sentence and some twenty for every article, and words in an even sample of 20,000 articles.
    Deterministic; no list of words is used but the names of months and days.

    Examples
    --------
    >>> towns = "Brest Calais Dieppe Nantes Rouen Vannes".split()
    >>> texts = [f"{town.upper()}, May {day} (Gull) -- {town}." for day, town in enumerate(towns)]
    >>> gull = [Article(text, text=text, source="Gull") for text in texts]
    >>> others = [Article(f"o{i}", f"Snow {i}", source="Owl") for i in range(9)]
    >>> boilerplate = find_boilerplate(gull + others)
    >>> [pattern.text for pattern in boilerplate.patterns], boilerplate.strip(gull[0]).text
    (['… (Gull) --'], 'Brest.')
    """
    sizes = Counter(article.source for article in articles)
    sizes[CORPUS] = len(articles)
    counts = _Counts(articles, progress)
    frequent = counts.in_corpus(_need(CORPUS, sizes)) | counts.by_outlet(
        np.array([_need(a.source, sizes) if a.source else np.inf for a in articles])
    )
    rows = np.unique(counts.row[frequent]).tolist()
    found = _collect(articles, rows, set(counts.hash[frequent].tolist()))
    repeated = [one for one in found.values() if _is_repeated(one, found, sizes)]
    having_it = {name: len(one.rows) for (outlet, name), one in found.items() if outlet == CORPUS}
    sample = WordSample(articles, repeated)
    kept = unlike(list(only_here(repeated, sample, having_it)), sample)
    patterns = [
        Pattern(one.outlet, one.span.name, written(one.text, one.span.key), len(one.rows))
        for one in kept
    ]
    return _in_use(Boilerplate(patterns), (articles[row] for row in rows))


def _need(outlet: str, sizes: Counter[str]) -> float:
    """Return how many articles of an outlet must share what it repeats."""
    least, share = (MIN_ARTICLES, MIN_SHARE) if outlet else (MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE)
    return max(least, share * sizes[outlet])


class _Counts:
    """Hashes of all pieces of all articles, each once an article."""

    def __init__(self, articles: Sequence[Article], progress: Progress) -> None:
        hashes, pieces = array("Q"), array("q")
        with progress.start("count what is repeated", len(articles), "articles") as task:
            for article in articles:
                own = {_hash(span.name) for span in spans(article)}
                hashes.extend(own)
                pieces.append(len(own))
                task.advance()
        self.hash = np.array(hashes, np.uint64)
        self.row = np.repeat(np.arange(len(articles)), np.array(pieces, np.int64))
        names = np.array([_hash(article.source) for article in articles], np.uint64)
        # Odd, so that multiplying modulo 2⁶⁴ keeps hashes apart.
        self._mixed = self.hash * (names | np.uint64(1))[self.row]

    def in_corpus(self, need: float) -> NDArray[np.bool_]:
        """Mark the pieces that so many articles have."""
        return _counted(self.hash) >= need

    def by_outlet(self, needs: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mark the pieces that so many articles of an outlet have; `needs` (n,) by article."""
        marked: NDArray[np.bool_] = _counted(self._mixed) >= needs[self.row]
        return marked


def _counted(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how often every value occurs, in the order of the values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts.astype(np.int64)[inverse]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _collect(articles: Sequence[Article], rows: Sequence[int], frequent: set[int]) -> _Found:
    """Return every frequent piece, by outlet and name, and by name for the corpus."""
    found: _Found = {}
    for row in rows:
        article = articles[row]
        for span in {span.name: span for span in spans(article)}.values():
            if _hash(span.name) not in frequent:
                continue
            for outlet in dict.fromkeys((article.source, CORPUS)):
                key = outlet, span.name
                if key not in found:
                    found[key] = Candidate.of(outlet, span, article)
                found[key].rows.append(row)
    return found


def _is_repeated(one: Candidate, found: _Found, sizes: Counter[str]) -> bool:
    """Tell whether enough articles share it; of templates, nearly all with their end."""
    if not one.words or len(one.rows) < _need(one.outlet, sizes):
        return False
    if one.span.place == "ending":
        return len(one.rows) >= UNBOUNDED_SHARE * sizes[one.outlet]
    _, gap, ending = one.span.key.partition(f" {GAP} ")
    if not gap or one.span.place == "head":
        return True
    every = found[one.outlet, replace(one.span, place="ending", key=ending).name]
    return len(one.rows) >= _TEMPLATE_SHARE * len(every.rows)


def _in_use(found: Boilerplate, articles: Iterable[Article]) -> Boilerplate:
    """Return the patterns that are taken out of articles, with how many: not what others cover."""
    uses: Counter[Pattern] = Counter()
    for article in articles:
        uses.update(found.taken(article)[1])
    return Boilerplate(replace(pattern, articles=count) for pattern, count in uses.items())
