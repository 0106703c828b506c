"""How hard negatives are: against all pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate import QueryItemVectors, negative_hardness
from newsnest.evaluate.hardness import BINS, QUANTILES


def pairs(n: int = 60, d: int = 5) -> tuple[QueryItemVectors, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, n).astype(np.int32)
    centers = rng.normal(size=(4, d))
    queries, items = (
        (centers[labels] + 0.7 * rng.normal(size=(n, d))).astype(np.float32) for _ in range(2)
    )
    queries, items = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, items))
    components = np.arange(n)
    components[1] = 0
    return QueryItemVectors(queries, items, components), labels


def counted(told: QueryItemVectors, labels: np.ndarray) -> tuple[float, float, float]:
    """Every negative of every query, each query with the same say."""
    similar = told.queries @ told.items.T
    means, wrong, own = [], [], []
    for i in range(len(labels)):
        there = (labels == labels[i]) & (told.components != told.components[i])
        means.append(similar[i, there].mean())
        wrong.append((similar[i, there] >= similar[i, i]).mean())
        own.append(similar[i, i])
    return float(np.mean(own)), float(np.mean(means)), float(np.mean(wrong))


@pytest.mark.parametrize("clustered", [True, False])
def test_it_agrees_with_all_negatives_counted(clustered):
    told, labels = pairs()
    labels = labels if clustered else np.zeros_like(labels)
    found = negative_hardness(told, labels, negatives=4000)
    own, mean, wrong = counted(told, labels)
    assert found.positive_mean == pytest.approx(own, abs=1e-6)
    assert found.negative_mean == pytest.approx(mean, abs=0.005)
    assert found.likely_false_negatives == pytest.approx(wrong, abs=0.005)


def test_negatives_of_a_cluster_are_harder_where_clusters_are_subjects():
    told, labels = pairs()
    inside, everywhere = (negative_hardness(told, x) for x in (labels, np.zeros_like(labels)))
    assert inside.negative_mean > everywhere.negative_mean + 0.1
    assert inside.likely_false_negatives > everywhere.likely_false_negatives


def test_a_pair_is_never_its_own_negative_nor_is_one_that_shares_its_text():
    eye = np.eye(4, dtype=np.float32)
    alone = negative_hardness(QueryItemVectors(eye, eye, np.arange(4)), np.zeros(4, np.int32))
    assert (alone.negative_mean, alone.likely_false_negatives) == (0, 0)
    same = QueryItemVectors(eye[[0, 0, 1, 1]], eye[[0, 0, 1, 1]], np.array([0, 0, 1, 1]))
    assert negative_hardness(same, np.zeros(4, np.int32)).negative_mean == 0
    nothing = negative_hardness(same, np.array([0, 0, 1, 1], np.int32))
    assert nothing.negatives == nothing.queries == 0
    assert nothing.positive_mean is nothing.negative_mean is nothing.likely_false_negatives is None
    assert nothing.quantiles == {}


def test_clusters_of_one_pair_have_no_negatives():
    told, labels = pairs(5)
    labels = np.array([0, 0, 1, 2, 2], np.int32)
    told = QueryItemVectors(told.queries, told.items, np.arange(5))
    assert negative_hardness(told, labels).queries == 4
    assert negative_hardness(told, labels, rows=np.array([2])).queries == 0


def test_quantiles_rise_and_histograms_hold_all():
    told, labels = pairs()
    found = negative_hardness(told, labels, negatives=9)
    assert list(found.quantiles) == [str(q) for q in QUANTILES]
    values = list(found.quantiles.values())
    assert values == sorted(values)
    assert sum(found.negative_counts) == found.negatives
    assert sum(found.positive_counts) == found.queries and len(found.positive_counts) == BINS
    assert not {"positive_counts", "negative_counts"} & found.as_dict().keys()


def test_the_same_seed_draws_the_same():
    told, labels = pairs()
    assert negative_hardness(told, labels) == negative_hardness(told, labels)
    assert negative_hardness(told, labels) != negative_hardness(told, labels, seed=1)


def test_what_it_cannot_do_is_said():
    told, labels = pairs()
    with pytest.raises(ParameterError, match=r"labels must be as many as pairs \(60\), got 3"):
        negative_hardness(told, labels[:3])
    with pytest.raises(ParameterError, match="negatives must be at least 1, got 0"):
        negative_hardness(told, labels, negatives=0)
    with pytest.raises(ParameterError, match="as many as queries, at least one, got 60 and 2 for"):
        QueryItemVectors(told.queries, told.items, np.arange(2))
    with pytest.raises(ParameterError, match="got 0 and 0 for 0"):
        QueryItemVectors(told.queries[:0], told.items[:0], np.arange(0))
