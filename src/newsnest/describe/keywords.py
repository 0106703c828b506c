"""Keywords of clusters by class-based TF-IDF."""

import numpy as np
import scipy

from newsnest.describe.protocol import Weights
from newsnest.describe.terms import Ints, Terms
from newsnest.errors import ParameterError
from newsnest.types import Flags, Floats, Labels

KEYWORDS = 6
_CANDIDATES = 32


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
    terms: Terms, labels: Labels, *, weights: Weights | None = None, k: int = KEYWORDS
) -> list[tuple[str, ...]]:
    """Return up to k keywords of every cluster, by label and best first; () where it has no term.

    No two keywords of a cluster share a word or an inflected form of one: where most of a word's
    occurrences are in one phrase, the phrase takes its place ("Federal Reserve", not "federal").
    In a cluster of three texts or more, terms found in only one of them come after all others.

    `weights` (n,) are how many articles a row stands for, None one each. O(e log e) in the number
    e of (cluster, term) pairs, plus k passes over 32 candidates per cluster. Ties are broken
    alphabetically. Deterministic.
    """
    if k < 1:
        raise ParameterError(f"keywords: k must be at least 1, got {k}. Leave it out for 6.")
    if not terms.shown or not labels.size:
        return [()] * (int(labels.max()) + 1 if labels.size else 0)
    clusters = int(labels.max()) + 1
    counts, shared = _per_cluster(terms, labels, clusters, weights)
    single = terms.parts[:, 1] < 0
    words = float(counts.data[single[counts.indices]].sum()) / clusters
    scores = class_tf_idf(counts, words)
    row = np.repeat(np.arange(clusters), np.diff(counts.indptr))
    score, dropped = _phrases_over_words(terms, counts, scores.data, row)
    rank = score + np.where(shared, 1e12, 0.0)
    rank[dropped] = -np.inf
    table = _candidates(row, rank, counts.indices, clusters)
    return _pick(terms, table, k)


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


def _pick(terms: Terms, table: Ints, k: int) -> list[tuple[str, ...]]:
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
    return [tuple(terms.shown[term] for term in row if term >= 0) for row in chosen.tolist()]
