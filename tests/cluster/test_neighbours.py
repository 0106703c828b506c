"""Nearest rows, and rows drawn towards them."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.cluster.neighbours import nearest_rows, smooth_rows
from newsnest.errors import ParameterError


def unit_rows(n, d=24, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("n", [2, 7, 300, 1500])
def test_nearest_rows_are_those_of_the_whole_matrix(n):
    rows = unit_rows(n)
    values, ids = nearest_rows(rows, 5)
    product = rows @ rows.T
    np.fill_diagonal(product, -np.inf)
    best = np.sort(product, axis=1)[:, ::-1][:, : min(5, n - 1)]
    assert values.shape == ids.shape == (n, min(5, n - 1))
    np.testing.assert_allclose(values, best, atol=1e-5)
    np.testing.assert_allclose(
        np.take_along_axis(product, ids.astype(np.int64), 1), values, atol=1e-5
    )
    assert (ids != np.arange(n)[:, None]).all()


def test_a_single_row_has_no_neighbour_and_stays():
    rows = unit_rows(1)
    neighbours = nearest_rows(rows, 5)
    assert neighbours[0].shape == (1, 0)
    moved = smooth_rows(rows, neighbours, strength=0.5, low=0.2, high=0.5)
    np.testing.assert_allclose(moved, rows, atol=1e-6)


def test_neighbours_are_the_same_for_any_number_of_threads():
    rows = unit_rows(2100)
    one, two = nearest_rows(rows, 8, n_jobs=1), nearest_rows(rows, 8, n_jobs=2)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_most_neighbours_are_found_nearby():
    rows = unit_rows(3000, d=8)
    _, exact = nearest_rows(rows, 5)
    _, nearby = nearest_rows(rows, 5, exact=False)
    same = [len(set(a) & set(b)) for a, b in zip(exact.tolist(), nearby.tolist(), strict=True)]
    assert np.mean(same) > 4.5


def test_rows_that_are_not_finite_are_refused():
    rows = unit_rows(5)
    rows[2, 3] = np.nan
    with pytest.raises(ParameterError, match="nearest_rows: rows must be finite"):
        nearest_rows(rows, 2)


def test_smoothing_brings_a_group_together_and_leaves_strangers_where_they_are():
    rng = np.random.default_rng(1)
    middle = unit_rows(1, d=64)
    group = middle + 0.1 * rng.normal(size=(12, 64)).astype(np.float32)
    strangers = unit_rows(12, d=64, seed=2)
    rows = np.concatenate([group, strangers])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    moved = smooth_rows(rows, nearest_rows(rows, 5), strength=0.5, low=0.35, high=0.6)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1.0, atol=1e-6)
    assert (moved[:12] @ moved[:12].T).mean() > (rows[:12] @ rows[:12].T).mean() + 0.1
    np.testing.assert_allclose(moved[12:], rows[12:], atol=1e-6)
