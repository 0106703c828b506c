"""Retrieval scores of ranked documents: MAP, MRR, NDCG, recall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Estimate, Scores, mean_estimate
from newsnest.types import Floats, Ints, Vectors

Qrels = Mapping[str, Mapping[str, float]]
"""Gain of every relevant document by query; what has no gain, or a gain of 0, is not relevant."""

DEPTH = 1000
RECALL_AT = (10, 100)
_FIRST = 10
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class RetrievalScores(Scores):
    """Means over queries, each in [0, 1], with intervals from resampled queries.

    Parameters
    ----------
    queries
        How many were scored: those with a relevant document.
    without_relevant
        Queries left out, for no document is relevant to them.
    depth
        How many documents of each ranking were scored, at most.
    map
        Mean average precision: precision at each relevant document, averaged over all of them; one
        that was not found counts 0.
    mrr_10
        One over the place of the first relevant document, 0 from place 11.
    ndcg_10
        Gains over log₂(place + 1), summed over 10 places, relative to the best possible order.
    recall
        By k: share of the relevant documents among the first k.
    """

    queries: int
    without_relevant: int
    depth: int
    map: Estimate
    mrr_10: Estimate
    ndcg_10: Estimate
    recall: Mapping[int, Estimate]


def retrieval_scores(
    ranked: Mapping[str, Sequence[str]],
    qrels: Qrels,
    *,
    recall_at: Sequence[int] = RECALL_AT,
    depth: int = DEPTH,
    resamples: int = 1000,
    seed: int = 0,
) -> RetrievalScores:
    """Score rankings of documents against relevance judgements.

    Parameters
    ----------
    ranked
        Ids of documents by query, the best first, each once. A query that is missing here and
        occurs in `qrels` scores 0.
    qrels
        Gains of documents by query. Queries without a positive gain are left out and counted.
    recall_at
        Values of k, from 1 to `depth`.
    depth
        Documents beyond this place count as not found.
    resamples, seed
        Of the queries, for the intervals; 0 resamples leave them out.

    Returns
    -------
    RetrievalScores

    Raises
    ------
    ParameterError
        If no query has a relevant document, a gain is negative or not finite, a ranking names a
        document twice, or `recall_at`, `depth` or `resamples` is out of range.

    Notes
    -----
    The definitions are those of trec_eval: NDCG has linear gains, and the ideal order is that of
    all relevant documents of the query.

    Example
    -------
    >>> scores = retrieval_scores({"q": ["b", "a"]}, {"q": {"a": 1}}, resamples=0)
    >>> scores.map.value, scores.mrr_10.value, round(scores.ndcg_10.value, 3)
    (0.5, 0.5, 0.631)
    """
    _check(ranked, qrels, recall_at, depth)
    gains = {
        query: {document: gain for document, gain in row.items() if gain > 0}
        for query, row in qrels.items()
    }
    asked = [query for query, row in gains.items() if row]
    if not asked:
        raise ParameterError(
            "retrieval_scores: qrels must name a relevant document for some query, got none. "
            "Check ids and grades."
        )
    rows = np.array(
        [_query_scores(ranked.get(q, ())[:depth], gains[q], recall_at) for q in asked]
    )  # (queries, 3 + len(recall_at))
    estimates = [mean_estimate(column, resamples=resamples, seed=seed) for column in rows.T]
    return RetrievalScores(
        queries=len(asked),
        without_relevant=len((gains.keys() | ranked.keys()) - set(asked)),
        depth=depth,
        map=estimates[0],
        mrr_10=estimates[1],
        ndcg_10=estimates[2],
        recall=dict(zip(recall_at, estimates[3:], strict=True)),
    )


def rank_documents(
    queries: Vectors,
    documents: Vectors,
    *,
    depth: int = DEPTH,
    never: Sequence[Sequence[int]] | None = None,
) -> list[Ints]:
    """Return the most similar documents of every query, the best first.

    Parameters
    ----------
    queries, documents
        Unit vectors, (q, d) and (n, d).
    depth
        How many documents of each query, at most.
    never
        By query the rows of documents that are not looked for, such as the query itself; None
        looks for all.

    Returns
    -------
    list of int64, one array a query: rows of `documents`. Of equals the one with the lower row is
    first.

    Raises
    ------
    ParameterError
        If `depth` is below 1, the widths differ or `never` has another length than `queries`.

    Notes
    -----
    O(q · n · d) in time; 256 · n similarities in memory.

    Example
    -------
    >>> rows = np.eye(3, dtype=np.float32)
    >>> rank_documents(rows[:1], rows, depth=2)[0].tolist()
    [0, 1]
    """
    if depth < 1:
        raise ParameterError(f"rank_documents: depth must be at least 1, got {depth}. Give 1000.")
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise ParameterError(
            f"rank_documents: queries must be as wide as documents, got shapes {queries.shape} "
            f"and {documents.shape}. Encode both by the same encoder."
        )
    if never is not None and len(never) != len(queries):
        raise ParameterError(
            f"rank_documents: never must hold one list per query ({len(queries)}), "
            f"got {len(never)}. Give an empty list where nothing is left out."
        )
    out: list[Ints] = []
    for start in range(0, len(queries), _BLOCK):
        similar = queries[start : start + _BLOCK] @ documents.T  # (block, n)
        for row, cosines in enumerate(similar, start=start):
            if never is not None:
                cosines[list(never[row])] = -np.inf
            out.append(_best(cosines, depth))
    return out


def _best(similar: Vectors, depth: int) -> Ints:
    kept = np.flatnonzero(similar > -np.inf)
    if len(kept) > depth:
        # All that equal the last one are kept, so that the sort alone decides among equals.
        lowest = np.partition(similar[kept], len(kept) - depth)[len(kept) - depth]
        kept = kept[similar[kept] >= lowest]
    best: Ints = kept[np.argsort(-similar[kept], kind="stable")][:depth]
    return best


def _query_scores(
    ranking: Sequence[str], gains: Mapping[str, float], recall_at: Sequence[int]
) -> list[float]:
    gain = np.array([gains.get(document, 0.0) for document in ranking])
    found = np.flatnonzero(gain > 0) + 1  # places of relevant documents, from 1
    precision = np.arange(1, len(found) + 1) / found
    first = 1 / found[0] if len(found) and found[0] <= _FIRST else 0.0
    ideal = np.sort(np.fromiter(gains.values(), float))[::-1]
    return [
        float(precision.sum() / len(gains)),
        float(first),
        _discounted(gain) / _discounted(ideal),
        *(float((found <= k).sum() / len(gains)) for k in recall_at),
    ]


def _discounted(gain: Floats) -> float:
    head = gain[:_FIRST]
    return float((head / np.log2(np.arange(2, len(head) + 2))).sum())


def _check(
    ranked: Mapping[str, Sequence[str]], qrels: Qrels, recall_at: Sequence[int], depth: int
) -> None:
    if depth < _FIRST:
        raise ParameterError(
            f"retrieval_scores: depth must be at least {_FIRST}, got {depth}. Give 1000."
        )
    for k in recall_at:
        if not 1 <= k <= depth:
            raise ParameterError(
                f"retrieval_scores: recall_at must be from 1 to depth ({depth}), got {k}. "
                "Raise depth, or ask for less."
            )
    for query, row in qrels.items():
        for document, gain in row.items():
            if not (np.isfinite(gain) and gain >= 0):
                raise ParameterError(
                    f"retrieval_scores: qrels must hold gains of at least 0, got {gain} for query "
                    f"{query!r} and document {document!r}. Leave such judgements out."
                )
    for query, ranking in ranked.items():
        if len(set(ranking)) != len(ranking):
            raise ParameterError(
                f"retrieval_scores: ranked must name each document once, got one twice for query "
                f"{query!r}. Keep its first place."
            )
