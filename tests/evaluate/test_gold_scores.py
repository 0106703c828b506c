"""Scores by gold cluster add up to those of the whole, and parts of two clusterings to a third."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.evaluate import cluster_scores
from newsnest.evaluate.gold_scores import GoldScores


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 9, 80), np.unique(rng.integers(0, 12, 80), return_inverse=True)[1]


@pytest.mark.parametrize("seed", range(5))
def test_scores_by_gold_cluster_add_up_to_those_of_all(seed: int):
    labels, gold = drawn(seed)
    k = int(gold.max()) + 1
    own, known = GoldScores.of(labels, gold, k), cluster_scores(labels, gold)
    assert own.bcubed_f1(np.ones((1, k)))[0] == pytest.approx(known.bcubed_f1)
    assert own.pair_f1(np.ones((1, k)))[0] == pytest.approx(known.pair_f1)


def test_scores_of_some_gold_clusters_count_who_else_is_in_their_clusters():
    gold = np.array([0, 0, 1, 1])
    joined = GoldScores.of(np.array([0, 0, 0, 0]), gold, 2)
    right = GoldScores.of(np.array([0, 0, 1, 1]), gold, 2)
    mixed = right.where(np.array([True, False]), joined)
    assert mixed.precision.tolist() == [1.0, 2.0] and mixed.recall.tolist() == [2.0, 2.0]
    assert mixed.found.tolist() == [6.0, 2.0] and mixed.right.tolist() == [2.0, 2.0]


def test_where_no_pair_is_together_in_either_pairs_agree():
    own = GoldScores.of(np.arange(3), np.arange(3), 3)
    assert own.pair_f1(np.ones((1, 3))).tolist() == [1.0]


def test_a_gold_cluster_that_is_drawn_twice_counts_twice():
    labels, gold = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])
    twice = GoldScores.of(labels, gold, 2).bcubed_f1(np.array([[2.0, 1.0]]))
    known = cluster_scores([0, 0, 3, 3, 1, 2], [0, 0, 2, 2, 1, 1])
    assert twice[0] == pytest.approx(known.bcubed_f1)
