from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from newsnest.cluster import RAC, IncrementalRAC
from newsnest.cluster import incremental as module
from newsnest.errors import ParameterError


def stories(n=600, d=24, seed=0, spread=0.5):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n // 8, d))
    rows = centres[rng.integers(0, len(centres), n)] + spread * rng.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("lowest", [0.95, 0.8, 0.6, 0.3, -1.0])
@pytest.mark.parametrize("steps", [[600], [300, 300], [590, 1, 1, 8], [1, 2, 3, 594]])
def test_updates_equal_one_run(lowest, steps):
    rows = stories()
    weights = np.random.default_rng(1).integers(1, 5, len(rows)).astype(float)
    grown = IncrementalRAC(lowest)
    start = 0
    for step in steps:
        part = slice(start, start + step)
        grown.update(rows[part], weights[part])
        start += step
        expected = RAC(lowest).fit(rows[:start], sample_weight=weights[:start])
        np.testing.assert_array_equal(grown.labels_, expected.labels_)


def test_components_are_those_of_the_graph_of_similar_pairs(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 50)
    rows = stories()
    grown = IncrementalRAC(0.7).update(rows[:251]).update(rows[251:])
    count, expected = connected_components(csr_array(rows @ rows.T >= 0.7), directed=False)
    assert len(np.unique(grown.components_)) == count > 10
    first = np.unique(expected, return_index=True)[1]
    np.testing.assert_array_equal(grown.components_, first[expected])


def test_only_what_is_touched_is_clustered_again():
    rows = stories(spread=0.2)
    grown = IncrementalRAC(0.9).update(rows)
    assert grown.rerun_ == len(rows)
    grown.update(rows[:1])
    assert 2 <= grown.rerun_ <= 40
    assert grown.labels_[-1] == grown.labels_[0]


def test_identical_rows_and_any_number_of_threads():
    rows = np.repeat(stories(100), 3, axis=0)
    one, three = (IncrementalRAC(0.7, n_jobs=k).update(rows).update(rows[:7]) for k in (1, 3))
    np.testing.assert_array_equal(one.labels_, three.labels_)
    expected = RAC(0.7).fit(np.concatenate([rows, rows[:7]])).labels_
    np.testing.assert_array_equal(one.labels_, expected)


def test_bad_updates_are_refused_and_leave_nothing_behind():
    grown = IncrementalRAC(0.7).update(stories(50))
    before = grown.labels_.copy()
    with pytest.raises(ParameterError, match="must have 24 columns as before, got 3"):
        grown.update(np.ones((2, 3)))
    with pytest.raises(ParameterError, match="no zero rows"):
        grown.update(np.zeros((2, 24)))
    with pytest.raises(ParameterError, match="sample_weight must be 2 positive numbers"):
        grown.update(stories(2 * 8)[:2], [1.0, 0.0])
    with pytest.raises(ValueError, match="NaN"):
        grown.update(np.full((2, 24), np.nan))
    np.testing.assert_array_equal(grown.labels_, before)
    with pytest.raises(ParameterError, match="min_similarity must be in"):
        IncrementalRAC(2.0)
