"""Scores of rankings against trec_eval, and rankings against a full sort."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate import rank_documents, retrieval_scores

pytrec_eval = pytest.importorskip("pytrec_eval")


def made(queries=40, documents=300, seed=0):
    rng = np.random.default_rng(seed)
    ids = [f"d{i}" for i in range(documents)]
    ranked, qrels = {}, {}
    for q in range(queries):
        ranked[f"q{q}"] = [ids[i] for i in rng.permutation(documents)[: rng.integers(1, documents)]]
        judged = rng.choice(documents, rng.integers(1, 30), replace=False)
        qrels[f"q{q}"] = {ids[i]: int(rng.integers(0, 4)) for i in judged}
        qrels[f"q{q}"][ids[judged[0]]] = 3
    return ranked, qrels


def test_scores_match_trec_eval():
    ranked, qrels = made()
    run = {
        q: {d: float(len(ranking) - place) for place, d in enumerate(ranking)}
        for q, ranking in ranked.items()
    }
    measures = {"map", "ndcg_cut.10", "recip_rank_cut.10", "recall.10,100", "recip_rank"}
    told = pytrec_eval.RelevanceEvaluator(qrels, measures - {"recip_rank_cut.10"}).evaluate(run)
    oracle = {
        name: np.mean([row[name] for row in told.values()])
        for name in ("map", "ndcg_cut_10", "recall_10", "recall_100")
    }
    first = [row["recip_rank"] if row["recip_rank"] >= 0.1 else 0.0 for row in told.values()]
    scores = retrieval_scores(ranked, qrels, resamples=0)
    assert scores.queries == 40 and scores.without_relevant == 0
    assert scores.map.value == pytest.approx(oracle["map"], abs=1e-4)
    assert scores.ndcg_10.value == pytest.approx(oracle["ndcg_cut_10"], abs=1e-4)
    assert scores.mrr_10.value == pytest.approx(np.mean(first), abs=1e-4)
    assert scores.recall[10].value == pytest.approx(oracle["recall_10"], abs=1e-4)
    assert scores.recall[100].value == pytest.approx(oracle["recall_100"], abs=1e-4)


def test_a_perfect_ranking_scores_one_and_a_missing_one_zero():
    qrels = {"a": {"x": 2, "y": 1}, "b": {"z": 1}}
    perfect = retrieval_scores({"a": ["x", "y"], "b": ["z"]}, qrels, resamples=0)
    half = retrieval_scores({"a": ["x", "y"]}, qrels, resamples=0)
    for score in ("map", "mrr_10", "ndcg_10"):
        assert getattr(perfect, score).value == 1
        assert getattr(half, score).value == 0.5
    assert perfect.recall[10].value == 1 and half.recall[10].value == 0.5


def test_queries_without_a_relevant_document_are_left_out_and_counted():
    scores = retrieval_scores({"a": ["x"], "c": ["x"]}, {"a": {"x": 1}, "b": {"x": 0}}, resamples=0)
    assert (scores.queries, scores.without_relevant) == (1, 2)
    assert scores.map.value == 1


def test_documents_beyond_the_depth_are_not_found():
    ranking = [f"d{i}" for i in range(20)]
    deep = retrieval_scores({"a": ranking}, {"a": {"d15": 1}}, recall_at=(10,), resamples=0)
    cut = retrieval_scores(
        {"a": ranking}, {"a": {"d15": 1}}, recall_at=(10,), depth=10, resamples=0
    )
    assert (deep.map.value, cut.map.value) == (1 / 16, 0)


def test_intervals_come_from_resampled_queries_and_the_seed():
    ranked, qrels = made()
    scores = retrieval_scores(ranked, qrels, seed=1)
    assert scores.map.low < scores.map.value < scores.map.high
    assert scores == retrieval_scores(ranked, qrels, seed=1)
    assert scores != retrieval_scores(ranked, qrels, seed=2)
    assert set(scores.as_dict()["recall"]) == {10, 100}


def test_rankings_are_those_of_a_full_sort_with_ties_by_row():
    rng = np.random.default_rng(0)
    documents = rng.integers(-2, 3, size=(700, 4)).astype(np.float32)
    queries = rng.integers(-2, 3, size=(300, 4)).astype(np.float32)
    for depth in (1, 10, 699, 5000):
        found = rank_documents(queries, documents, depth=depth)
        for query, ranking in zip(queries, found, strict=True):
            expected = np.argsort(-(documents @ query), kind="stable")[:depth]
            assert ranking.tolist() == expected.tolist()


def test_what_is_not_looked_for_is_in_no_ranking():
    rows = np.eye(4, dtype=np.float32)
    found = rank_documents(rows, rows, never=[[0], [], [2, 3], [0, 1, 2, 3]])
    assert [ranking.tolist() for ranking in found] == [[1, 2, 3], [1, 0, 2, 3], [0, 1], []]


def test_parameters_out_of_range_are_refused():
    rows = np.eye(3, dtype=np.float32)
    one = {"a": {"x": 1}}
    with pytest.raises(ParameterError, match="rank_documents: depth must be at least 1, got 0"):
        rank_documents(rows, rows, depth=0)
    with pytest.raises(
        ParameterError, match=r"queries must be as wide as documents, got .*\(3, 2\)"
    ):
        rank_documents(rows[:, :2], rows)
    with pytest.raises(ParameterError, match=r"never must hold one list per query \(3\), got 1"):
        rank_documents(rows, rows, never=[[]])
    with pytest.raises(ParameterError, match="retrieval_scores: depth must be at least 10, got 5"):
        retrieval_scores({}, one, depth=5)
    for k in (0, 1001):
        with pytest.raises(ParameterError, match=rf"recall_at must be from 1 to .*1000\), got {k}"):
            retrieval_scores({}, one, recall_at=(k,))
    with pytest.raises(ParameterError, match="qrels must hold gains of at least 0, got -1 for"):
        retrieval_scores({}, {"a": {"x": -1}})
    with pytest.raises(ParameterError, match="ranked must name each document once, got one twice"):
        retrieval_scores({"a": ["x", "x"]}, one)
    with pytest.raises(ParameterError, match="qrels must name a relevant document for some query"):
        retrieval_scores({"a": ["x"]}, {"a": {"x": 0}})
