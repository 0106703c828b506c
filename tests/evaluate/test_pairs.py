"""Scores of pairs against scipy and scikit-learn, on the data and on spelled-out resamples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import roc_auc_score

from newsnest.errors import ParameterError
from newsnest.evaluate import LEVEL_SIMILARITIES, pair_scores, prefix_dims
from newsnest.evaluate.pairs import (
    paired_cosines,
    weighted_pearson,
    weighted_ranking,
)
from newsnest.labelled import Pair

GRADES = (0.0, 1 / 3, 2 / 3, 1.0)


def made(n, d=8, seed=0, languages=("en",)):
    rng = np.random.default_rng(seed)
    graded = rng.choice(GRADES, n)
    left = rng.normal(size=(n, d))
    right = left * graded[:, None] + rng.normal(size=(n, d)) * 0.7
    pairs = [
        Pair(f"a{i}", f"b{i}", float(g), lang1="en", lang2=languages[i % len(languages)])
        for i, g in enumerate(graded)
    ]
    return pairs, left.astype(np.float32), right.astype(np.float32)


def cosines(left, right, dims):
    a, b = left[:, :dims].astype(np.float64), right[:, :dims].astype(np.float64)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_scores_match_scipy_and_sklearn_at_every_prefix_and_language_pair():
    pairs, left, right = made(240, languages=("en", "fr", "fr"))
    graded = np.array([pair.score for pair in pairs])
    names = np.array([pair.languages for pair in pairs])
    scores = pair_scores(pairs, left, right, resamples=0)
    assert [(s.languages, s.dims) for s in scores] == [
        (name, dims) for name in ("all", "en-fr", "en-en") for dims in (2, 4, 8)
    ]
    for s in scores:
        rows = names == s.languages if s.languages != "all" else np.full(240, True)
        cosine = cosines(left, right, s.dims)[rows]
        assert s.pairs == s.components == rows.sum()
        assert s.pearson.value == pytest.approx(pearsonr(cosine, graded[rows])[0], abs=1e-9)
        assert s.spearman.value == pytest.approx(spearmanr(cosine, graded[rows])[0], abs=1e-9)
        for level, lowest in LEVEL_SIMILARITIES.items():
            oracle = roc_auc_score(graded[rows] >= lowest, cosine)
            assert s.auroc[level].value == pytest.approx(oracle, abs=1e-9)
        assert s.pearson.low is None


def test_weights_do_what_spelling_out_the_resample_does():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=40).round(1), rng.choice(GRADES, 40)
    weights = rng.integers(0, 4, size=(7, 40)).astype(float)
    pearson, (spearman, auroc) = weighted_pearson(x, y, weights), weighted_ranking(x, y, weights)
    for row, drawn in enumerate(weights.astype(int)):
        a, b = np.repeat(x, drawn), np.repeat(y, drawn)
        assert pearson[row] == pytest.approx(pearsonr(a, b)[0], abs=1e-9)
        assert spearman[row] == pytest.approx(spearmanr(a, b)[0], abs=1e-9)
        for level, lowest in LEVEL_SIMILARITIES.items():
            assert auroc[level][row] == pytest.approx(roc_auc_score(b >= lowest, a), abs=1e-9)


def test_small_chunks_of_resamples_give_the_same(monkeypatch):
    pairs, left, right = made(30)
    whole = pair_scores(pairs, left, right, resamples=50)
    monkeypatch.setattr("newsnest.evaluate.pairs._CHUNK", 60)
    assert pair_scores(pairs, left, right, resamples=50) == whole


@given(st.integers(0, 10_000))
def test_order_of_pairs_ends_and_length_of_vectors_change_nothing(seed):
    pairs, left, right = made(25, seed=seed)
    turned = np.random.default_rng(seed).permutation(25)
    scores = pair_scores(pairs, left, right, resamples=0)
    others = pair_scores([pairs[i] for i in turned], right[turned] * 3, left[turned], resamples=0)
    for one, other in zip(scores, others, strict=True):
        assert one.pearson.value == pytest.approx(other.pearson.value, abs=1e-6)
        assert one.spearman.value == pytest.approx(other.spearman.value, abs=1e-6)


def test_intervals_hold_the_score_and_are_wider_where_pairs_share_articles():
    pairs, left, right = made(200)
    apart = pair_scores(pairs, left, right, dims=[8])[0]
    shared = [Pair(f"article {i // 20}", f"b{i}", p.score) for i, p in enumerate(pairs)]
    # What shares an article errs alike: here the same noise twenty times.
    noise = np.repeat(np.random.default_rng(3).normal(size=(10, 8)) * 2, 20, axis=0)
    worse = (right + noise).astype(np.float32)
    together = pair_scores(shared, left, worse, dims=[8])[0]
    alone = pair_scores(pairs, left, worse, dims=[8])[0]
    assert apart.pearson.low < apart.pearson.value < apart.pearson.high
    assert (together.components, together.largest_component) == (10, 20)
    assert together.pearson.value == alone.pearson.value
    assert together.pearson != alone.pearson


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        x = rng.normal(size=(80, 2))
        graded = np.clip(0.5 + 0.15 * (0.6 * x[:, 0] + 0.8 * x[:, 1]), 0, 1)
        angle = np.clip(0.2 * x[:, 0], -0.99, 0.99)
        left = np.tile([1.0, 0.0], (80, 1)).astype(np.float32)
        right = np.stack([angle, np.sqrt(1 - angle**2)], 1).astype(np.float32)
        pairs = [Pair(f"a{i}", f"b{i}", float(g)) for i, g in enumerate(graded)]
        found = pair_scores(pairs, left, right, dims=[2], resamples=200, seed=seed)[0].pearson
        covered += found.low <= 0.6 <= found.high
    assert covered >= 51  # 57 expected


def test_the_same_seed_gives_the_same_intervals_and_another_does_not():
    pairs, left, right = made(40)
    one, again, other = (
        pair_scores(pairs, left, right, resamples=30, seed=seed) for seed in (5, 5, 6)
    )
    assert one == again
    assert one[0].pearson.value == other[0].pearson.value
    assert one[0].pearson != other[0].pearson


def test_what_cannot_be_told_is_none():
    pairs = [Pair("a", "b", 1.0), Pair("c", "d", 1.0)]
    vectors = np.ones((2, 4), np.float32)
    (s,) = pair_scores(pairs, vectors, vectors, dims=[4])
    assert s.pearson is None
    assert s.spearman is None
    assert s.auroc == {"theme": None, "topic": None, "story": None}
    assert s.as_dict()["pearson"] is None


def test_a_prefix_without_length_is_similar_to_nothing():
    left = np.array([[0, 0, 1, 0], [1, 0, 0, 0]], np.float32)
    assert paired_cosines(left, left, 2).tolist() == [0.0, 1.0]


def test_prefixes_are_a_quarter_half_and_all_and_sorted_if_given():
    assert prefix_dims(768) == (192, 384, 768)
    assert prefix_dims(1) == (1,)
    assert prefix_dims(8, [8, 3, 3]) == (3, 8)


@pytest.mark.parametrize("dims", [[0], [9], []])
def test_prefixes_outside_of_the_vectors_are_refused(dims):
    with pytest.raises(ParameterError, match="between 1 and the 8 dimensions of the vectors"):
        prefix_dims(8, dims)


@pytest.mark.parametrize(
    ("pairs", "left", "right", "message"),
    [
        (0, (0, 2), (0, 2), "pairs must hold at least one pair, got none"),
        (2, (3, 2), (3, 2), r"left must hold one vector per pair \(2\).*got shape \(3, 2\)"),
        (2, (2, 2), (2, 3), r"right must hold one vector per pair.*got shape \(2, 3\)"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(pairs, left, right, message):
    with pytest.raises(ParameterError, match=message):
        pair_scores([Pair("a", "b", 1.0)] * pairs, np.ones(left), np.ones(right))


def test_vectors_that_are_not_finite_are_refused():
    vectors = np.ones((1, 2), np.float32)
    with pytest.raises(ParameterError, match="right must hold finite numbers"):
        pair_scores([Pair("a", "b", 1.0)], vectors, vectors * np.nan)
