from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from newsnest.cluster import RAC, agglomerate_rows
from newsnest.cluster.persistence import lasting_cut, lasting_similarity


def groups(sizes, *, spread=0.3, d=24, seed=0):
    """Rows around random directions, and the direction of each."""
    rng = np.random.default_rng(seed)
    gold = np.repeat(np.arange(len(sizes)), sizes)
    rows = rng.standard_normal((len(sizes), d))[gold] + spread * rng.standard_normal((len(gold), d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), gold


def near(rows, noise):
    moved = rows + noise
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def tree(rows):
    return agglomerate_rows(rows, np.ones(len(rows)), min_similarity=-1.0)


def mean_lives(rows, cuts):
    """By brute force: how long the clusters of each cut live, over SciPy's tree."""
    table = linkage(rows.astype(np.float64), "average", metric="cosine")
    n = len(rows)
    born = np.concatenate([np.full(n, np.nan), 1 - table[:, 2]])
    ends = born.copy()
    for a, b, distance, _ in table:
        ends[int(a)] = ends[int(b)] = 1 - distance
    members = {i: [i] for i in range(n)}
    total = np.zeros(len(cuts))
    for step, (a, b, _, _) in enumerate(table):
        members[n + step] = members[int(a)] + members[int(b)]
    for node in range(n, n + len(table)):
        crossed = (ends[node] < cuts) & (cuts <= born[node])
        total += crossed * len(members[node]) * (born[node] - ends[node])
    return total


@pytest.mark.parametrize("seed", range(5))
def test_the_cut_is_the_mean_of_those_that_last_nearly_longest(seed):
    rows, _ = groups([9, 4, 15, 2, 1, 6], spread=0.8, seed=seed)
    cut = lasting_cut(tree(rows))
    others = np.linspace(0, 1, 20_001)
    lives = mean_lives(rows, others)
    worth = np.maximum(lives - 0.9 * lives.max(), 0)
    assert cut == pytest.approx(worth @ others / worth.sum(), abs=1e-3)
    assert mean_lives(rows, [cut]).item() >= 0.8 * lives.max()


def test_a_small_change_moves_the_cut_by_little():
    rows, _ = groups([9, 4, 15, 2, 1, 6] * 10, spread=1.0)
    noise = np.random.default_rng(1).standard_normal((20, *rows.shape)).astype(np.float32)
    cuts = [lasting_similarity(near(rows, n)) for n in noise * 0.002]
    assert np.ptp(cuts) < 0.06


@pytest.mark.parametrize("sizes", [[40, 40, 40], [40, 20, 10], [5] * 30])
def test_well_separated_groups_are_found(sizes):
    rows, gold = groups(sizes, d=200)
    labels = RAC(min_similarity=lasting_similarity(rows)).fit(rows).labels_
    assert len(np.unique(labels)) == len(sizes)
    assert len({*zip(labels.tolist(), gold.tolist(), strict=True)}) == len(sizes)


def test_a_cut_means_the_same_to_scipy():
    rows, _ = groups([8, 8, 8])
    cut = lasting_cut(tree(rows))
    labels = RAC(min_similarity=cut).fit(rows).labels_
    expected = fcluster(linkage(rows, "average", metric="cosine"), 1 - cut, "distance")
    assert len({*zip(labels.tolist(), expected.tolist(), strict=True)}) == labels.max() + 1


def test_no_cut_is_below_zero():
    assert lasting_similarity(np.eye(2, dtype=np.float32)[[0, 0, 1]] * [[1], [1], [-1]]) >= 0
    opposite = np.array([[1, 0], [-1, 0]], np.float32)
    assert lasting_similarity(opposite) == 0.0
    assert lasting_similarity(np.array([[1, 0], [1, 0]], np.float32)) == 1.0


def test_many_rows_are_judged_by_a_sample(monkeypatch):
    rows, _ = groups([60] * 20)
    whole = lasting_similarity(rows)
    monkeypatch.setattr("newsnest.cluster.persistence._MAX_ROWS", 400)
    assert lasting_similarity(rows) == pytest.approx(whole, abs=0.1)
    assert lasting_similarity(rows) == lasting_similarity(rows)
