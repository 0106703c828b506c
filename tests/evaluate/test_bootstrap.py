"""Resampling of components, and the intervals made of it."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import (
    Estimate,
    correlation,
    estimate,
    mean_estimate,
    resample_weights,
)


def test_components_are_drawn_whole_and_as_many_as_there_are():
    components = np.array([7, 7, 7, 2, 5])
    weights = resample_weights(components, resamples=200, seed=3)
    assert weights.shape == (201, 5)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()


def test_the_seed_decides_the_draw():
    rows = np.arange(20)
    one, again, other = (resample_weights(rows, resamples=5, seed=s) for s in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize(("components", "resamples"), [([4, 4, 4], 100), ([0, 1, 2], 0)])
def test_with_nothing_to_resample_the_data_stand_alone(components, resamples):
    weights = resample_weights(np.array(components), resamples=resamples, seed=0)
    assert weights.tolist() == [[1.0, 1.0, 1.0]]


def test_a_negative_number_of_resamples_is_refused():
    with pytest.raises(ParameterError, match="resamples must be at least 0, got -1"):
        resample_weights(np.arange(3), resamples=-1, seed=0)


def test_the_interval_leaves_a_fortieth_out_on_each_side():
    found = estimate(np.concatenate([[50.0], np.arange(101.0)]))
    assert found.value == 50.0
    assert (found.low, found.high) == pytest.approx((2.5, 97.5))


def test_what_is_undefined_has_no_estimate_and_rare_gaps_are_passed_over():
    assert estimate(np.array([np.nan, 1.0])) is None
    assert estimate(np.array([1.0, *[0.5] * 97, *[np.nan] * 3])) == Estimate(1.0, 0.5, 0.5)
    assert estimate(np.array([1.0, *[0.5] * 90, *[np.nan] * 10])) == Estimate(1.0)
    assert estimate(np.array([0.3])) == Estimate(0.3)


def test_nothing_correlates_with_what_does_not_vary_whatever_rounding_leaves():
    x, y = np.full(1000, 0.1), np.random.default_rng(0).normal(size=1000)
    sums = np.array([[v.sum()] for v in (np.ones(1000), x, y, x * x, y * y, x * y)])
    assert np.isnan(correlation(sums)).all()
    assert np.isnan(correlation(np.zeros((6, 1)))).all()


def test_the_interval_of_a_mean_is_that_of_its_resamples():
    values = np.random.default_rng(0).normal(size=400)
    found = mean_estimate(values, resamples=2000, seed=1)
    assert found.value == values.mean()
    error = 1.96 * values.std() / 20
    assert found.low == pytest.approx(found.value - error, abs=0.02)
    assert found.high == pytest.approx(found.value + error, abs=0.02)
    assert mean_estimate(values, resamples=0, seed=1) == Estimate(values.mean())
    with pytest.raises(ParameterError, match="mean_estimate: resamples must be at least 0, got -1"):
        mean_estimate(values, resamples=-1, seed=1)
