"""Scores without gold labels, against scikit-learn and against every pair spelled out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score, silhouette_score

from newsnest.errors import ParameterError
from newsnest.evaluate import Labelling, cluster_samples, dunn, silhouette, stability


def blobs(n=3000, k=7, d=16, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=n)
    vectors = rng.normal(size=(k, d))[labels] + rng.normal(size=(n, d)) * 0.8
    return vectors.astype(np.float32), labels


def slow_dunn(vectors, labels):
    distance = cdist(vectors.astype(np.float64), vectors.astype(np.float64), "cosine")
    same = labels[:, None] == labels
    return distance[~same].min() / distance[same].max()


def test_silhouette_matches_sklearn_under_cosine_distance():
    vectors, labels = blobs()
    oracle = silhouette_score(vectors, labels, metric="cosine")
    assert silhouette(vectors, labels, resamples=0).value == pytest.approx(oracle, abs=1e-6)


def test_silhouette_matches_sklearn_where_clusters_have_one_row():
    vectors, labels = blobs(n=200)
    labels[:5] = np.arange(50, 55)
    oracle = silhouette_score(vectors, labels, metric="cosine")
    assert silhouette(vectors, labels, resamples=0).value == pytest.approx(oracle, abs=1e-6)


def test_a_noise_row_scores_zero_and_is_nobodys_neighbour():
    vectors, labels = blobs(n=500)
    without = silhouette(vectors[100:], labels[100:], resamples=0).value
    labels[:100] = -1
    assert silhouette(vectors, labels, resamples=0).value == pytest.approx(without * 400 / 500)


def test_the_interval_covers_the_value_and_is_the_same_every_time():
    vectors, labels = blobs(n=400)
    found = silhouette(vectors, labels, seed=3)
    assert found.low < found.value < found.high
    assert found == silhouette(vectors, labels, seed=3)
    assert found != silhouette(vectors, labels, seed=4)
    assert found.high - found.low < 0.1


def test_a_sample_of_rows_is_compared_with_all_rows():
    vectors, labels = blobs()
    whole = silhouette(vectors, labels, resamples=0).value
    part = silhouette(vectors, labels, sample=1500)
    assert part.low < whole < part.high
    assert silhouette(vectors, labels, sample=3000, resamples=0).value == pytest.approx(whole)


def test_silhouette_of_identical_rows_in_two_clusters_is_zero():
    assert silhouette(np.ones((4, 2), np.float32), np.array([0, 0, 1, 1]), resamples=0).value == 0


def test_dunn_matches_every_pair_spelled_out_across_blocks():
    vectors, labels = blobs(n=2500)
    assert dunn(vectors, labels) == pytest.approx(slow_dunn(vectors, labels), rel=1e-3)


def test_dunn_does_not_depend_on_the_order_of_rows_or_names_of_clusters():
    vectors, labels = blobs(n=1500, k=60)
    order = np.random.default_rng(1).permutation(1500)
    again = dunn(vectors[order], 1000 - labels[order])
    assert again == pytest.approx(dunn(vectors, labels), rel=1e-4)


def test_dunn_leaves_noise_out_and_is_infinite_for_points():
    vectors, labels = blobs(n=300)
    kept = dunn(vectors[50:], labels[50:])
    labels[:50] = -1
    assert dunn(vectors, labels) == pytest.approx(kept, rel=1e-4)
    points = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    assert dunn(points, np.array([0, 0, 1, 2])) == math.inf


def test_stability_is_the_mean_ari_over_pairs_on_shared_rows():
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(3):
        rows = rng.permutation(60)[:40]
        runs.append(Labelling(rows, rng.integers(4, size=40)))
    expected = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        left = dict(zip(runs[a].rows.tolist(), runs[a].labels.tolist(), strict=True))
        right = dict(zip(runs[b].rows.tolist(), runs[b].labels.tolist(), strict=True))
        shared = sorted(left.keys() & right.keys())
        expected.append(adjusted_rand_score([left[r] for r in shared], [right[r] for r in shared]))
    assert stability(runs) == pytest.approx(np.mean(expected))


def test_noise_rows_are_apart_from_each_other_in_stability():
    rows = np.arange(6)
    noisy = Labelling(rows, np.array([0, 0, 0, -1, -1, -1]))
    apart = Labelling(rows, np.array([0, 0, 0, 1, 2, 3]))
    assert stability([noisy, apart]) == 1


def test_samples_are_sorted_distinct_and_drawn_by_the_seed():
    seen = []
    runs = cluster_samples(lambda rows: seen.append(rows) or rows // 10, 100, samples=4, seed=2)
    assert all((np.diff(rows) > 0).all() and rows.size == 80 for rows in seen)
    assert stability(runs) == 1
    again = cluster_samples(lambda rows: rows // 10, 100, samples=4, seed=2)
    assert all((a.rows == b.rows).all() for a, b in zip(runs, again, strict=True))


@pytest.mark.parametrize("score", [silhouette, dunn])
def test_internal_scores_refuse_what_has_no_score(score):
    vectors, labels = blobs(n=10)
    name = score.__name__
    with pytest.raises(ParameterError, match=rf"{name}: labels must hold one label per vector"):
        score(vectors, labels[:5])
    with pytest.raises(ParameterError, match=rf"{name}: labels must name at least two .* got 1\."):
        score(vectors, np.zeros(10, np.int64))
    with pytest.raises(ParameterError, match=rf"{name}: labels must name at least two .* got 0\."):
        score(vectors, np.full(10, -1))
    vectors[3] = 0
    with pytest.raises(ParameterError, match=rf"{name}: vectors must be finite .* got 1 that"):
        score(vectors, labels)


def test_internal_scores_refuse_parameters_out_of_range():
    vectors, labels = blobs(n=10)
    with pytest.raises(ParameterError, match="mean_estimate: resamples must be at least 0, got -1"):
        silhouette(vectors, labels, resamples=-1)
    for sample in (0, 11):
        with pytest.raises(ParameterError, match="silhouette: sample must be from 1 to .*10"):
            silhouette(vectors, labels, sample=sample)
    with pytest.raises(ParameterError, match="cluster_samples: samples must be at least 2, got 1"):
        cluster_samples(lambda rows: rows, 10, samples=1)
    with pytest.raises(ParameterError, match=r"cluster_samples: share must be in \(0, 1\], got 0"):
        cluster_samples(lambda rows: rows, 10, share=0)


def test_stability_refuses_what_cannot_be_compared():
    one = Labelling(np.arange(3), np.arange(3))
    with pytest.raises(ParameterError, match="stability: labellings must hold at least two, got 1"):
        stability([one])
    twice = Labelling(np.array([0, 0, 1]), np.arange(3))
    with pytest.raises(ParameterError, match=r"labellings\[1\] must name each row once .*2 diff"):
        stability([one, twice])
    with pytest.raises(ParameterError, match="labellings must share at least two rows, got 1"):
        stability([one, Labelling(np.array([2, 3]), np.arange(2))])
