"""Cluster scores against hand-computed values, a brute-force oracle and scikit-learn."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

from newsnest.errors import ParameterError
from newsnest.evaluate import bcubed_f1, cluster_scores
from newsnest.evaluate.clusters import _contingency, _matched, _matched_sparse

LABELS = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
    )
)


def _brute_pairs(predicted, gold):
    both = put = belong = 0
    for i, j in itertools.combinations(range(len(gold)), 2):
        put += predicted[i] == predicted[j]
        belong += gold[i] == gold[j]
        both += predicted[i] == predicted[j] and gold[i] == gold[j]
    return both / put if put else 1.0, both / belong if belong else 1.0


def _brute_bcubed(predicted, gold):
    n = len(gold)
    precision = recall = 0.0
    for i in range(n):
        mine = {j for j in range(n) if predicted[j] == predicted[i]}
        own = {j for j in range(n) if gold[j] == gold[i]}
        precision += len(mine & own) / len(mine) / n
        recall += len(mine & own) / len(own) / n
    return precision, recall


def test_scores_match_values_computed_by_hand():
    # clusters {0,1} {2,3}, gold {0,1,2} {3}: pairs put 2, belonging 3, both 1
    scores = cluster_scores([0, 0, 1, 1], ["a", "a", "a", "b"])
    assert scores.pair_precision == 1 / 2
    assert scores.pair_recall == 1 / 3
    assert scores.pair_f1 == pytest.approx(0.4)
    assert scores.bcubed_precision == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert scores.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert scores.accuracy == 0.75
    assert (scores.articles, scores.clusters, scores.gold_clusters) == (4, 2, 2)


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_scores_match_brute_force_over_all_pairs_and_scikit_learn(labels):
    predicted, gold = labels
    scores = cluster_scores(predicted, gold)
    assert (scores.pair_precision, scores.pair_recall) == _brute_pairs(predicted, gold)
    assert (scores.bcubed_precision, scores.bcubed_recall) == pytest.approx(
        _brute_bcubed(predicted, gold)
    )
    assert scores.ari == pytest.approx(metrics.adjusted_rand_score(gold, predicted))
    assert scores.v_measure == pytest.approx(metrics.v_measure_score(gold, predicted))
    assert scores.nmi == pytest.approx(
        metrics.normalized_mutual_info_score(gold, predicted, average_method="geometric")
    )
    table = metrics.cluster.contingency_matrix(gold, predicted)
    rows, columns = linear_sum_assignment(-table)
    assert scores.accuracy == pytest.approx(table[rows, columns].sum() / len(gold))


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_sparse_matching_equals_the_dense_one(labels):
    predicted, gold = (np.unique(side, return_inverse=True)[1] for side in labels)
    table = _contingency(predicted, gold)
    dense = table.toarray()
    best = dense[linear_sum_assignment(dense, maximize=True)].sum()
    assert _matched_sparse(table) == _matched(table) == best


@settings(max_examples=30, deadline=None)
@given(LABELS, st.randoms(use_true_random=False))
def test_scores_depend_on_neither_the_order_of_articles_nor_the_names_of_labels(labels, random):
    predicted, gold = labels
    order = list(range(len(gold)))
    random.shuffle(order)
    renamed = [f"cluster {(label * 5 + 3) % 7}" for label in predicted]
    one = cluster_scores(predicted, gold).as_dict()
    two = cluster_scores([renamed[i] for i in order], [gold[i] for i in order]).as_dict()
    assert one == pytest.approx(two, nan_ok=False)


def test_perfect_agreement_scores_one_throughout():
    scores = cluster_scores(np.array([2, 2, 0, 1]), ["x", "x", "y", "z"]).as_dict()
    for name in ("pair_f1", "bcubed_f1", "nmi", "ari", "v_measure", "accuracy"):
        assert scores[name] == 1.0


def test_articles_without_gold_are_left_out_and_counted():
    scores = cluster_scores([0, 0, 5, 1], ["a", "a", None, ""])
    assert (scores.articles, scores.unlabelled, scores.clusters) == (2, 2, 1)


@pytest.mark.parametrize("noise", [-1, "-1"])
def test_each_noise_article_is_a_cluster_of_its_own(noise):
    scores = cluster_scores([0, 0, noise, noise], list("aabb"))
    assert (scores.noise, scores.clusters) == (0.5, 3)
    assert (scores.pair_precision, scores.pair_recall) == (1.0, 0.5)
    same = cluster_scores([0, 0, 1, 2], list("aabb"))
    assert scores.bcubed_f1 == same.bcubed_f1


def test_noise_in_an_array_is_seen_and_string_arrays_work():
    assert cluster_scores(np.array([-1, 0, 0], np.int32), np.array(["a", "b", "b"])).noise == 1 / 3


def test_nothing_to_score_scores_zero():
    scores = cluster_scores([], []).as_dict()
    assert scores.pop("nmi_language") is None
    assert not any(scores.values())
    assert cluster_scores([0, 1], [None, None]).unlabelled == 2


def test_a_single_article_scores_one():
    scores = cluster_scores([3], ["a"])
    assert scores.pair_f1 == scores.bcubed_f1 == scores.nmi == scores.ari == scores.accuracy == 1


def test_one_cluster_for_everything_has_full_recall_and_no_information():
    scores = cluster_scores([0] * 4, list("aabb"))
    assert scores.pair_recall == 1.0
    assert scores.pair_precision == pytest.approx(2 / 6)
    assert scores.nmi == scores.ari == scores.v_measure == 0
    assert scores.accuracy == 0.5


def test_all_apart_puts_no_pair_together():
    scores = cluster_scores(range(4), list("aabb"))
    assert (scores.pair_precision, scores.pair_recall, scores.pair_f1) == (1.0, 0.0, 0.0)


def test_nmi_with_language_is_one_where_clusters_only_sort_by_language():
    scores = cluster_scores([0, 0, 1, 1], list("abab"), languages=["en", "en", "fr", "fr"])
    assert scores.nmi_language == pytest.approx(1.0)
    assert scores.nmi == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("languages", [None, ["en"] * 3, ["en", "", ""]])
def test_nmi_with_language_is_none_below_two_languages(languages):
    assert cluster_scores([0, 0, 1], list("aab"), languages=languages).nmi_language is None


def test_scores_survive_json():
    scores = cluster_scores(np.array([0, 1]), np.array([1, 1])).as_dict()
    assert json.loads(json.dumps(scores)) == scores


def test_pairs_of_a_million_articles_do_not_overflow():
    scores = cluster_scores(np.zeros(1_000_000, np.int32), np.zeros(1_000_000, np.int32))
    assert scores.pair_f1 == 1.0


def test_lengths_that_differ_are_refused():
    with pytest.raises(
        ParameterError, match=r"gold must hold one value per prediction \(2\), got 1"
    ):
        cluster_scores([0, 1], ["a"])
    with pytest.raises(ParameterError, match="languages must hold one value per prediction"):
        cluster_scores([0, 1], ["a", "b"], languages=["en"])


@pytest.mark.parametrize("seed", range(5))
def test_bcubed_f1_alone_is_that_of_all_scores_noise_and_gaps_included(seed):
    rng = np.random.default_rng(seed)
    predicted = rng.integers(-1, 6, 60)
    gold = [None if x == 0 else f"g{x}" for x in rng.integers(0, 5, 60)]
    assert bcubed_f1(predicted, gold) == cluster_scores(predicted, gold).bcubed_f1
    whole = rng.integers(0, 200, 60)
    assert bcubed_f1(predicted % 9, whole) == pytest.approx(
        cluster_scores(predicted % 9, whole).bcubed_f1, abs=1e-12
    )
    words = [str(label) for label in predicted]
    assert bcubed_f1(words, gold) == cluster_scores(words, gold).bcubed_f1


def test_bcubed_f1_of_nothing_is_nothing_and_lengths_must_agree():
    assert bcubed_f1([], []) == bcubed_f1([1], [None]) == 0.0
    with pytest.raises(ParameterError, match=r"bcubed_f1: gold must hold one value per predic"):
        bcubed_f1([1, 2], ["a"])
