"""Extractive summaries: up to three informative and different sentences per cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from newsnest.describe.representative import Rows
from newsnest.describe.sentences import is_quotable, split_sentences
from newsnest.describe.terms import count_terms
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Labels, Sentence

Floats = NDArray[np.float64]

SENTENCES = 3
CENTRAL_ARTICLES = 30
"""Number of articles to read per cluster, the most typical first."""
LEAD_SENTENCES = 10
"""Number of sentences to read per article: news says what matters first."""
LEAD_CHARACTERS = 4_000
REDUNDANT = 0.6
"""A sentence at least this similar (cosine of TF-IDF) to a chosen one is redundant."""
_RELEVANCE = 0.7
_CUT_SHORT = 0.8  # a headline that its feed cut: "Hackers reveal more ..."
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Quotables:
    """The m sentences that summaries may quote, in the order of articles and of their place there.

    `row` (m,) is the article's row, `place` (m,) 0 for its first quotable sentence, `matrix` CSR
    float64 (m, v) unit TF-IDF rows, zero if a sentence contains no term.
    """

    sentences: tuple[str, ...]
    row: Rows
    place: Rows
    matrix: scipy.sparse.csr_array


def central_rows(scores: NDArray[np.float32], labels: Labels, major: NDArray[np.bool_]) -> Rows:
    """Return the rows that each summary may quote: the 30 most typical in the main language.

    None for clusters of one row. Grouped by label, the most typical first; ties go to the lowest
    row.
    """
    if labels.size == 0:
        return np.empty(0, dtype=np.int64)
    size = np.bincount(labels)
    rows = np.flatnonzero(major & (size[labels] > 1))
    order = rows[np.lexsort((rows, -scores[rows], labels[rows]))]
    group = labels[order]
    place = np.arange(order.size) - np.searchsorted(group, np.arange(size.size))[group]
    return order[place < CENTRAL_ARTICLES]


def collect_quotables(
    articles: Sequence[Article], rows: Rows, *, progress: Progress = SILENT
) -> Quotables:
    """Split the articles of these rows into sentences, and weight their words by TF-IDF.

    Of each article the first ten quotable sentences within the first 4,000 characters; without
    text, the title.
    """
    kept: list[str] = []
    row_of: list[int] = []
    place_of: list[int] = []
    with progress.start("splitting sentences", len(rows), "articles") as task:
        for done, row in enumerate(rows.tolist(), start=1):
            for place, sentence in enumerate(_sentences(articles[row])):
                kept.append(sentence)
                row_of.append(row)
                place_of.append(place)
            if done % _CHUNK == 0:
                task.advance(_CHUNK)
        task.advance(len(rows) % _CHUNK)
    languages = [articles[row].lang for row in row_of]
    counts = count_terms(kept, languages, progress=progress).matrix
    return Quotables(
        sentences=tuple(kept),
        row=np.array(row_of, dtype=np.int64),
        place=np.array(place_of, dtype=np.int64),
        matrix=_tf_idf(counts),
    )


def _sentences(article: Article) -> list[str]:
    if not article.text.strip():
        title = article.title.strip()
        return [title] if is_quotable(title) else []
    lead = article.text[:LEAD_CHARACTERS]
    sentences = split_sentences(lead, article.lang)
    if len(lead) < len(article.text) and len(sentences) > 1:
        sentences.pop()  # cut in the middle
    return [sentence for sentence in sentences if is_quotable(sentence)][:LEAD_SENTENCES]


def _tf_idf(counts: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    matrix = scipy.sparse.csr_array(counts, dtype=np.float64, copy=True)
    n, v = matrix.shape
    frequency = np.bincount(matrix.indices, minlength=v)
    matrix.data = (1 + np.log(matrix.data)) * (np.log((1 + n) / (1 + frequency)) + 1)[
        matrix.indices
    ]
    return _unit_rows(matrix)


def _unit_rows(matrix: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    norm = np.sqrt(np.bincount(row, matrix.data**2, matrix.shape[0]))
    matrix.data = matrix.data / norm[row]
    return matrix


def summaries(
    articles: Sequence[Article],
    quotables: Quotables,
    rows: Rows,
    labels: Labels,
    scores: NDArray[np.float32],
) -> list[tuple[Sentence, ...]]:
    """Return the summary of every cluster, at most three sentences, the most informative first.

    Sentences are chosen one by one by maximal marginal relevance (Carbonell & Goldstein 1998,
    λ = 0.7): close to the cluster's mean sentence, early in a typical article, and unlike those
    chosen already. The articles of `rows`, from `central_rows`, may be quoted; `scores` (n,) come
    from `centrality`. Three sparse passes over at most 300 sentences per cluster; ties go to the
    earlier row and place.
    """
    clusters = int(labels.max()) + 1 if labels.size else 0
    chosen: list[list[Sentence]] = [[] for _ in range(clusters)]
    allowed = np.zeros(labels.size, dtype=bool)
    allowed[rows] = True
    use = np.flatnonzero(allowed[quotables.row]) if quotables.row.size else quotables.row
    use = use[np.argsort(labels[quotables.row[use]], kind="stable")]
    if not use.size:
        return [()] * clusters
    matrix, group = quotables.matrix[use], labels[quotables.row[use]].astype(np.int64)
    relevance = _relevance(matrix, group, clusters)
    relevance *= 0.5 + 0.5 * np.clip(scores[quotables.row[use]].astype(np.float64), 0, 1)
    relevance /= 1 + 0.1 * quotables.place[use]
    cut = np.array([quotables.sentences[at].endswith(("...", "…")) for at in use.tolist()])
    relevance[cut] *= _CUT_SHORT
    nearest = np.zeros(use.size)
    open_ = np.ones(use.size, dtype=bool)
    for _ in range(SENTENCES):
        best = _best(_RELEVANCE * relevance - (1 - _RELEVANCE) * nearest, open_, group)
        if not best.size:
            break
        for at in best.tolist():
            article = articles[quotables.row[use[at]]]
            chosen[group[at]].append(Sentence(quotables.sentences[use[at]], article.id))
        pick = np.full(clusters, -1, dtype=np.int64)
        pick[group[best]] = best
        open_ &= pick[group] >= 0  # a cluster without another sentence is done
        nearest = np.maximum(nearest, _row_dot(matrix, matrix[pick[group].clip(0)]))
        open_ &= nearest < REDUNDANT
        open_[best] = False
    return [tuple(sentences) for sentences in chosen]


def _relevance(matrix: scipy.sparse.csr_array, group: Rows, clusters: int) -> Floats:
    """Return the cosine of each sentence with the mean sentence of its cluster."""
    m = group.size
    member = scipy.sparse.csr_array((np.ones(m), (group, np.arange(m))), shape=(clusters, m))
    means = _unit_rows((member @ matrix).tocsr())
    return _row_dot(matrix, means[group])


def _row_dot(left: scipy.sparse.csr_array, right: scipy.sparse.csr_array) -> Floats:
    product: Floats = np.asarray(left.multiply(right).sum(axis=1), dtype=np.float64).ravel()
    return product


def _best(score: Floats, open_: NDArray[np.bool_], group: Rows) -> Rows:
    """Return the place of the best open sentence of each group that has one."""
    at = np.flatnonzero(open_)
    order = at[np.lexsort((at, -score[at], group[at]))]
    return order[np.r_[True, np.diff(group[order]) > 0]] if order.size else order
