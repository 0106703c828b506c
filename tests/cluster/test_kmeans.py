"""Spherical k-means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from newsnest.cluster import SphericalKMeans, pair_vectors
from newsnest.errors import ParameterError


def unit(n: int, d: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def around(centers: np.ndarray, each: int, noise: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.repeat(centers, each, axis=0) + noise * rng.normal(
        size=(len(centers) * each, centers.shape[1])
    )


def lloyd(rows: np.ndarray, centers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The textbook, in double precision, without empty clusters."""
    for _ in range(100):
        labels = (rows @ centers.T).argmax(axis=1)
        sums = np.array(
            [(weights[labels == c, None] * rows[labels == c]).sum(0) for c in range(len(centers))]
        )
        centers = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return labels


def test_clusters_that_lie_apart_are_found():
    rows = around(np.eye(6), 40)
    found = SphericalKMeans(6).fit(rows)
    blocks = found.labels_.reshape(6, 40)
    assert (blocks == blocks[:, :1]).all() and len(set(found.labels_.tolist())) == 6
    assert np.abs(found.cluster_centers_[blocks[:, 0]] - np.eye(6)).max() < 0.05


def test_it_walks_as_the_textbook_does():
    rows = unit(300, 5).astype(np.float64)
    weights = np.random.default_rng(2).integers(1, 4, 300).astype(float)
    found = SphericalKMeans(7, tol=0.0, max_iter=200).fit(rows, sample_weight=weights)
    assert found.n_iter_ < 200
    # Where it ended, the textbook stays.
    again = lloyd(rows, found.cluster_centers_.astype(float), weights)
    assert (again == found.labels_).all()


def test_a_weight_counts_a_row_so_often():
    rows = unit(60, 4)
    weights = np.random.default_rng(3).integers(1, 5, 60)
    found = SphericalKMeans(5, tol=0.0).fit(rows, sample_weight=weights)
    centers = found.cluster_centers_
    sums = np.zeros((5, 4))
    np.add.at(sums, found.labels_, rows * weights[:, None])
    assert np.abs(centers - sums / np.linalg.norm(sums, axis=1, keepdims=True)).max() < 1e-5


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 6), st.integers(0, 5))
def test_every_row_is_in_the_cluster_of_its_nearest_centre(n, k, d, seed):
    k = min(n, k)
    rows = unit(n, d, seed)
    found = SphericalKMeans(k, seed=seed).fit(rows)
    assert np.allclose(np.linalg.norm(found.cluster_centers_, axis=1), 1, atol=1e-5)
    assert (found.predict(rows) == found.labels_).all()
    cosines = rows @ found.cluster_centers_.T
    assert (cosines[np.arange(n), found.labels_] >= cosines.max(axis=1) - 1e-6).all()
    assert found.inertia_ == pytest.approx((1 - cosines.max(axis=1)).sum(), abs=1e-3)


def test_empty_clusters_begin_anew_where_rows_are_far_from_their_centres():
    from newsnest.cluster.kmeans import _Walk
    from newsnest.cluster.threads import Threads

    rows = np.concatenate([around(np.eye(3), 20, 0.01), -np.eye(3)[:1]])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    start = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    with Threads("test", 1) as threads:
        walk = _Walk(rows, np.ones(len(rows)), threads)
        walk.run(start, max_iter=50, tol=1e-4)
    assert sorted(np.bincount(walk.labels, minlength=4).tolist()) == [1, 20, 20, 20]


def test_fewer_different_rows_than_clusters_leave_some_empty():
    rows = np.repeat(np.eye(2), 5, axis=0)
    found = SphericalKMeans(4).fit(rows)
    assert len(set(found.labels_.tolist())) == 2 and np.isfinite(found.cluster_centers_).all()
    opposite = SphericalKMeans(1).fit([[1.0, 0.0], [-1.0, 0.0]])  # a mean without a direction
    assert np.linalg.norm(opposite.cluster_centers_[0]) == pytest.approx(1)


def test_it_begins_on_a_sample():
    rows = around(np.eye(8), 100)
    sampled = SphericalKMeans(8, start_rows=100).fit(rows)
    blocks = sampled.labels_.reshape(8, 100)
    assert (blocks == blocks[:, :1]).all() and sampled.n_iter_ <= 3
    assert SphericalKMeans(8, start_rows=1).fit(rows).n_iter_ >= 1  # as many as clusters at least


def test_the_same_bits_for_any_number_of_threads():
    rows = unit(9000, 24)
    one, two, four = (SphericalKMeans(50, n_jobs=n, max_iter=5).fit(rows) for n in (1, 2, 4))
    for other in (two, four):
        assert (one.labels_ == other.labels_).all()
        assert (one.cluster_centers_ == other.cluster_centers_).all()
    assert (one.labels_ != SphericalKMeans(50, seed=1, max_iter=5).fit(rows).labels_).any()


def test_the_cosine_of_pairs_is_the_mean_of_both():
    first, second = unit(20, 3), unit(20, 5, seed=1)
    pairs = pair_vectors(first, second)
    mean = (first @ first.T + second @ second.T) / 2
    assert pairs.dtype == np.float32 and np.allclose(pairs @ pairs.T, mean, atol=1e-6)
    with pytest.raises(ParameterError, match=r"second must have as many rows as first \(20\)"):
        pair_vectors(first, second[:3])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_clusters": 0}, "n_clusters must be a whole number from 1 to n_samples=5, got 0"),
        ({"n_clusters": 6}, "n_clusters must be a whole number from 1 to n_samples=5, got 6"),
        ({"n_clusters": 2.5}, "n_clusters must be a whole number"),
        ({"max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"tol": -1.0}, "tol must be at least 0, got -1.0"),
        ({"start_rows": 0}, "start_rows must be at least 1 or None, got 0"),
        ({"n_jobs": 0}, "n_jobs must be at least 1 or None, got 0"),
    ],
)
def test_what_it_cannot_do_is_said(changes, said):
    with pytest.raises(ParameterError, match=said):
        SphericalKMeans(**{"n_clusters": 2, **changes}).fit(unit(5, 3))


def test_rows_and_weights_that_mean_nothing_are_refused():
    rows = unit(5, 3)
    with pytest.raises(ParameterError, match="sample_weight must be positive, got 0"):
        SphericalKMeans(2).fit(rows, sample_weight=[1, 1, 0, 1, 1])
    with pytest.raises(ParameterError, match="X must have no zero rows, got one at row 1"):
        SphericalKMeans(2).fit([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ParameterError, match=r"predict: X must have no zero rows"):
        SphericalKMeans(2).fit(rows).predict(np.zeros((1, 3)))


@parametrize_with_checks(
    [SphericalKMeans(3)],
    expected_failed_checks=lambda _: {
        "check_estimators_dtypes": "its integer data has a zero row, which has no cosine",
        "check_sample_weight_equivalence_on_dense_data": "weights of zero are refused",
    },
)
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)
