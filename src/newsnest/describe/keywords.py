"""Keywords of clusters by class-based TF-IDF."""

from collections.abc import Sequence

import numpy as np
import scipy

from newsnest.describe.protocol import Weights
from newsnest.describe.terms import Ints, Terms
from newsnest.errors import ParameterError
from newsnest.types import Flags, Floats, Labels

KEYWORDS = 6
_CANDIDATES = 32
_LEAST_EXCESS = 0.02
_DAMPING = 0.7  # exponent of counts per finer cluster: 1 lets the largest story name a theme
_LONGEST_NAME = 4  # words
_BESIDE = 0.75  # share of a name's occurrences that a third word stands beside
_SEVERAL = 30  # finer clusters, from which on a keyword is to be in two


def class_tf_idf(counts: scipy.sparse.csr_array, words: float) -> scipy.sparse.csr_array:
    """Weight the terms of every class, counts CSR (k, v), by how rare they are in the others.

    Returns tf(t, c) · log(1 + A / f(t)), CSR float64 of the same sparsity: tf is how often term t
    occurs in class c, f how often in all classes, and A = `words` the mean number of words in a
    class. Source: Grootendorst (2022), BERTopic, eq. 1 (arXiv:2203.05794). Differs from the source
    in that A counts words alone, not the phrases made of them.

    Example
    -------
    >>> from scipy import sparse
    >>> scores = class_tf_idf(sparse.csr_array([[2.0, 1.0], [0.0, 1.0]]), words=2.0)
    >>> scores.toarray().round(3).tolist()
    [[1.386, 0.693], [0.0, 0.693]]
    """
    frequency = np.asarray(counts.sum(axis=0)).ravel()
    scores = scipy.sparse.csr_array(counts, dtype=np.float64, copy=True)
    scores.data *= np.log1p(words / frequency[scores.indices])
    return scores


def keywords(
    terms: Terms,
    labels: Labels,
    *,
    finer: Labels | None = None,
    weights: Weights | None = None,
    k: int = KEYWORDS,
) -> list[tuple[str, ...]]:
    """Return up to k keywords of every cluster, by label and best first; () where it has no term.

    No two keywords of a cluster share a word or an inflected form of one: where most of a word's
    occurrences are in one phrase, the phrase takes its place ("Federal Reserve", not "federal").
    In a cluster of three texts or more, terms found in only one of them come after all others.
    Terms as frequent elsewhere as in the cluster come last of all.

    With `finer` (n,), labels of a level nested in this one, a term counts for the finer clusters
    that hold it, each by a power of how often it does: a theme is named after what its
    stories share, and not after the largest. In a cluster of thirty finer ones or more, what one
    of them holds comes after all others.

    `weights` (n,) are how many articles a row stands for, None one each. O(e log e) in the number
    e of (cluster, term) pairs, plus k passes over 32 candidates per
    cluster; with `finer` also a few columns of the matrix per keyword. Ties are broken
    alphabetically. Deterministic.
    """
    if k < 1:
        raise ParameterError(f"keywords: k must be at least 1, got {k}. Leave it out for 6.")
    if not terms.shown or not labels.size:
        return [()] * (int(labels.max()) + 1 if labels.size else 0)
    clusters = int(labels.max()) + 1
    counts, shared = _per_cluster(terms, labels, clusters, weights)
    row = np.repeat(np.arange(clusters), np.diff(counts.indptr))
    spread = counts
    if finer is not None:
        spread, of_several = _per_finer(terms, labels, finer, weights)
        shared &= of_several
    single = terms.parts[:, 1] < 0
    words = float(spread.data[single[spread.indices]].sum()) / clusters
    scores = class_tf_idf(spread, words)
    scores.data *= np.sqrt(_excess(counts, single, row))
    score, dropped = _phrases_over_words(terms, counts, scores.data, row)
    rank = score + np.where(shared, 1e12, 0.0)
    rank[dropped] = -np.inf
    table = _candidates(row, rank, counts.indices, clusters)
    chosen = _pick(terms, table, k)
    return _shown(terms, chosen, whole=finer is not None)


def _per_cluster(
    terms: Terms, labels: Labels, clusters: int, weights: Weights | None
) -> tuple[scipy.sparse.csr_array, Flags]:
    """Sum the rows of each cluster, and mark the entries that enough of its texts share."""
    n = labels.size
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    member = scipy.sparse.csr_array((weight, (labels, np.arange(n))), shape=(clusters, n))
    counts = (member @ terms.matrix).tocsr()
    counts.sort_indices()
    held = terms.matrix.copy()
    held.data = np.ones_like(held.data)
    member.data = np.ones_like(member.data)
    texts = (member @ held).tocsr()
    texts.sort_indices()
    size = np.bincount(labels, minlength=clusters)
    shared = (texts.data >= 2) | np.repeat(size < 3, np.diff(counts.indptr))
    return counts, shared


def _per_finer(
    terms: Terms, labels: Labels, finer: Labels, weights: Weights | None
) -> tuple[scipy.sparse.csr_array, Flags]:
    """Sum how often a term occurs in each finer cluster, damped.

    The entries are those of `_per_cluster`; those that more than one finer cluster holds are
    marked, and all in clusters of few finer ones.
    """
    n, parts, clusters = labels.size, int(finer.max()) + 1, int(labels.max()) + 1
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    gather = scipy.sparse.csr_array((weight, (finer, np.arange(n))), shape=(parts, n))
    articles = (gather @ terms.matrix).tocsr()
    parent = np.zeros(parts, dtype=np.int64)
    parent[finer] = labels
    member = scipy.sparse.csr_array(
        (np.ones(parts), (parent, np.arange(parts))), shape=(clusters, parts)
    )
    articles.data = articles.data**_DAMPING
    spread = (member @ articles).tocsr()
    articles.data = np.ones_like(articles.data)
    holders = (member @ articles).tocsr()
    for matrix in (spread, holders):
        matrix.sort_indices()
    few = np.bincount(parent, minlength=clusters) < _SEVERAL
    return spread, (holders.data >= 2) | np.repeat(few, np.diff(holders.indptr))


def _excess(counts: scipy.sparse.csr_array, single: Flags, row: Ints) -> Floats:
    """Return the share of a term's occurrences in a cluster that chance does not explain.

    It is 0 for a term as frequent elsewhere, which is functional whatever its language, and at
    least `_LEAST_EXCESS`, so that a corpus of one cluster still has keywords.
    """
    of_words = counts.data * single[counts.indices]
    size = np.bincount(row, of_words, minlength=counts.shape[0])
    expected = np.asarray(counts.sum(axis=0)).ravel()[counts.indices]
    expected = expected * (size / max(float(size.sum()), 1.0))[row]
    excess: Floats = np.maximum(1 - expected / counts.data, _LEAST_EXCESS)
    return excess


def _phrases_over_words(
    terms: Terms, counts: scipy.sparse.csr_array, scores: Floats, row: Ints
) -> tuple[Floats, Flags]:
    """Replace words by the phrase that most of their occurrences are in, which gets their score."""
    width = terms.parts[:, 0].max() + 2
    column = counts.indices
    is_phrase = terms.parts[column, 1] >= 0
    word_at = np.flatnonzero(~is_phrase)
    word_key = row[word_at] * width + terms.parts[column[word_at], 0]
    phrase_at = np.flatnonzero(is_phrase)
    score, dropped = scores.copy(), np.zeros(scores.size, dtype=bool)
    if not phrase_at.size or not word_at.size:
        return score, dropped
    for part in (0, 1):
        key = row[phrase_at] * width + terms.parts[column[phrase_at], part]
        place = np.minimum(np.searchsorted(word_key, key), word_key.size - 1)
        # The cap on terms may have dropped the word and kept the phrase.
        here = word_key[place] == key
        word, phrase = word_at[place[here]], phrase_at[here]
        mostly = 2 * counts.data[phrase] > counts.data[word]
        dropped[word[mostly]] = True
        np.maximum.at(score, phrase[mostly], scores[word[mostly]])
    return score, dropped


def _candidates(row: Ints, rank: Floats, column: Ints, clusters: int) -> Ints:
    """Return (clusters, 32) the best terms of each cluster in order, padded with −1."""
    order = np.lexsort((column, -rank, row))
    order = order[np.isfinite(rank[order])]
    cluster = row[order]
    place = np.arange(order.size) - np.searchsorted(cluster, np.arange(clusters))[cluster]
    use = place < _CANDIDATES
    table = np.full((clusters, _CANDIDATES), -1, dtype=np.int64)
    table[cluster[use], place[use]] = column[order[use]]
    return table


def _pick(terms: Terms, table: Ints, k: int) -> Ints:
    """Take the best candidate k times, dropping those that share a word with it."""
    families = np.concatenate([terms.families, [[-1, -1]]])[table]  # (clusters, candidates, 2)
    open_ = table >= 0
    every = np.arange(len(table))
    chosen = np.full((len(table), k), -1, dtype=np.int64)
    for turn in range(k):
        best = open_.argmax(axis=1)
        chosen[:, turn] = np.where(open_[every, best], table[every, best], -1)
        taken = families[every, best]
        for part in (0, 1):
            for other in (0, 1):
                same = families[:, :, part] == taken[:, other, None]
                open_ &= ~(same & (taken[:, other, None] >= 0))
    return chosen


def _shown(terms: Terms, chosen: Ints, *, whole: bool) -> list[tuple[str, ...]]:
    """Spell the chosen terms out, names of three words `whole`, and none within another."""
    shown = dict.fromkeys(chosen[chosen >= 0].tolist(), "")
    names = _Names(terms) if whole and shown else None
    for term in shown:
        shown[term] = names.whole(term) if names else terms.shown[term]
    result = []
    for row in chosen.tolist():
        words = [shown[term] for term in row if term >= 0]
        longest = [_longest(word, words) for word in words]
        result.append(tuple(dict.fromkeys(longest)))
    return result


def _longest(word: str, words: Sequence[str]) -> str:
    """Return the longest of the words that a word is part of: itself, if of no other."""
    return max((other for other in words if f" {word} " in f" {other} "), key=len)


class _Names:
    """Complete names of which a term holds two words: "California Supreme" + "Supreme Court"."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.columns = terms.matrix.tocsc()
        self.by_second = np.argsort(terms.parts[:, 1], kind="stable")
        self.seconds = terms.parts[self.by_second, 1]

    def whole(self, term: int) -> str:
        """Return a term with the words that nearly always stand beside it, if it is a name."""
        shown = self.terms.shown[term]
        if self.terms.parts[term, 1] < 0 or not _is_name(shown):
            return shown
        words, end, start = shown.split(" "), term, term
        for _ in range(_LONGEST_NAME - 2):
            second = int(self.terms.parts[end, 1])
            low, high = np.searchsorted(self.terms.parts[:, 0], [second, second + 1])
            if (after := self._beside(end, np.arange(low, high))) is not None:
                words, end = [*words, self.terms.shown[after].split(" ")[-1]], after
                continue
            first = int(self.terms.parts[start, 0])
            low, high = np.searchsorted(self.seconds, [first, first + 1])
            if (before := self._beside(start, self.by_second[low:high])) is None:
                break
            words, start = [self.terms.shown[before].split(" ")[0], *words], before
        return " ".join(words)

    def _beside(self, term: int, others: Ints) -> int | None:
        """Return the first of the phrases that occurs nearly wherever the term does."""
        here = self.columns[:, [term]]
        for other in others.tolist():
            if other != term and _is_name(self.terms.shown[other]):
                both = here.minimum(self.columns[:, [other]]).sum()
                if both >= _BESIDE * here.sum():
                    return int(other)
        return None


def _is_name(shown: str) -> bool:
    words = shown.split(" ")
    return len(words) == 2 and all(word[:1].isupper() for word in words)
