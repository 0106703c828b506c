"""Exact average linkage: SciPy is the oracle, invariants and edge cases around it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist
from sklearn.utils.estimator_checks import parametrize_with_checks

from newsnest.cluster import RAC, agglomerate, neighbours, rac_engine
from newsnest.cluster.rac_kernels import similarity
from newsnest.errors import ParameterError


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def same_partition(a, b):
    return (
        len(set(zip(a.tolist(), b.tolist(), strict=True)))
        == len(set(a.tolist()))
        == len(set(b.tolist()))
    )


def clustered(n, d, groups, seed, spread=0.6):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, d))
    return unit(centres[rng.integers(0, groups, n)] + spread * rng.standard_normal((n, d)))


def scattered(n, d, seed):
    return unit(np.random.default_rng(seed).standard_normal((n, d)))


DATA = {
    "clustered": clustered(700, 32, 40, 0),
    "scattered": scattered(500, 16, 1),
    "narrow": unit(np.random.default_rng(2).random((600, 24))),
    "flat spectrum": scattered(400, 200, 3),
    "one dimension more than the block": clustered(1025, 8, 60, 4),
}


@pytest.mark.parametrize("name", DATA)
def test_rac_matches_scipy_average_linkage(name):
    rows = DATA[name]
    tree = linkage(pdist(rows.astype(np.float64), "cosine"), "average")
    for lowest in np.linspace(-0.1, 0.9, 11):
        expected = fcluster(tree, 1 - lowest, "distance")
        assert same_partition(RAC(lowest).fit(rows).labels_, expected), lowest


@pytest.mark.parametrize("name", DATA)
def test_the_whole_tree_has_scipys_heights(name):
    rows = DATA[name]
    tree = linkage(pdist(rows.astype(np.float64), "cosine"), "average")
    ours = RAC(-1.0).fit(rows).linkage_
    assert ours.shape == tree.shape
    np.testing.assert_allclose(ours[:, 2], tree[:, 2], atol=1e-6)


def test_linkage_is_one_that_scipy_can_cut():
    rows = DATA["clustered"]
    model = RAC(-1.0).fit(rows)
    assert is_valid_linkage(model.linkage_)
    assert model.linkage_[-1, 3] == len(rows)
    for lowest in (0.8, 0.5, 0.2):
        cut = fcluster(model.linkage_, 1 - lowest, "distance")
        assert same_partition(cut, RAC(lowest).fit(rows).labels_)


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_block_size_does_not_change_the_result(monkeypatch, block):
    rows = DATA["clustered"]
    expected = RAC(0.3).fit(rows).linkage_
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    np.testing.assert_array_equal(RAC(0.3).fit(rows).linkage_[:, :2], expected[:, :2])


@pytest.mark.parametrize("candidates", [1, 2, 5])
def test_short_candidate_lists_only_cost_time(monkeypatch, candidates):
    rows = DATA["narrow"]
    expected = RAC(-1.0).fit(rows).linkage_
    monkeypatch.setattr(rac_engine, "_CANDIDATES", candidates)
    np.testing.assert_array_equal(RAC(-1.0).fit(rows).linkage_, expected)


def test_every_merge_joins_two_nearest_neighbours():
    rows = DATA["scattered"][:120]
    merges = agglomerate(rows, np.ones(len(rows)), min_similarity=-1.0)
    means = {i: rows[i].astype(np.float64) for i in range(len(rows))}
    sizes = dict.fromkeys(means, 1)
    for (a, b), height in zip(merges.pairs.tolist(), merges.similarity, strict=True):
        here = float(means[a] @ means[b])
        assert here == pytest.approx(height, abs=1e-5)
        for side in (a, b):
            others = [float(means[side] @ means[c]) for c in means if c not in (a, b)]
            assert all(other <= here + 1e-5 for other in others)
        total = sizes[a] + sizes[b]
        means[a] = (sizes[a] * means[a] + sizes[b] * means.pop(b)) / total
        sizes[a] = total
        del sizes[b]


def test_no_two_final_clusters_are_similar_enough():
    rows, lowest = DATA["clustered"], 0.35
    labels = RAC(lowest).fit(rows).labels_
    means = np.stack([rows[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    between = means @ means.T - 2 * np.eye(len(means))
    assert between.max() < lowest


def test_partitions_nest_as_the_similarity_falls():
    previous = None
    for lowest in (0.8, 0.6, 0.4, 0.2, 0.0):
        labels = RAC(lowest).fit(DATA["clustered"]).labels_
        if previous is not None:
            pairs = set(zip(previous.tolist(), labels.tolist(), strict=True))
            assert len(pairs) == previous.max() + 1
        previous = labels


@pytest.mark.parametrize("name", ["clustered", "ties"])
def test_one_thread_and_three_give_the_same_bits(name):
    ties = np.random.default_rng(5).integers(0, 3, (600, 6)) + 1e-9
    rows = DATA.get(name, unit(ties))
    one, three = RAC(0.1, n_jobs=1).fit(rows), RAC(0.1, n_jobs=3).fit(rows)
    np.testing.assert_array_equal(one.linkage_, three.linkage_)
    np.testing.assert_array_equal(one.labels_, three.labels_)
    np.testing.assert_array_equal(RAC(0.1).fit(rows).linkage_, one.linkage_)


def test_shuffled_rows_give_the_same_partition():
    rows = DATA["clustered"]
    order = np.random.default_rng(6).permutation(len(rows))
    labels = np.empty(len(rows), np.int64)
    labels[order] = RAC(0.3).fit(rows[order]).labels_
    assert same_partition(labels, RAC(0.3).fit(rows).labels_)


def test_weights_stand_for_repeated_rows():
    rows = DATA["narrow"][:200]
    times = np.random.default_rng(7).integers(1, 5, len(rows))
    weighted = RAC(0.85).fit(rows, sample_weight=times)
    expanded = RAC(0.85).fit(np.repeat(rows, times, axis=0))
    assert same_partition(np.repeat(weighted.labels_, times), expanded.labels_)


def test_identical_rows_share_a_cluster_at_any_similarity():
    rows = np.repeat(DATA["scattered"][:50], 40, axis=0)
    model = RAC(1.0).fit(rows)
    assert model.n_clusters_ == 50
    assert len(model.linkage_) == len(rows) - 50
    assert (model.linkage_[:, 2] == 0).all()


def test_ties_beyond_the_list_are_settled_by_the_lowest_row():
    # 60 corners around one axis: every pair is equally similar, far more than a list holds.
    rows = unit(np.eye(60) + 0.5)
    model = RAC(0.0).fit(rows)
    assert model.n_clusters_ == 1
    assert model.linkage_[0, :2].tolist() == [0, 1]


def test_labels_count_from_the_heaviest_cluster():
    rows = unit(np.repeat(np.eye(3), [2, 5, 3], axis=0) + 0.01)
    labels = RAC(0.5).fit(rows).labels_
    assert labels.tolist() == [2, 2, 0, 0, 0, 0, 0, 1, 1, 1]
    assert RAC(0.5).fit(rows, sample_weight=[9] * 2 + [1] * 8).labels_[0] == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_are_enough(n):
    model = RAC(-1.0).fit(np.eye(3)[:n])
    assert model.labels_.tolist() == [0] * n
    assert model.linkage_.shape == (n - 1, 4)


def test_any_float_layout_is_taken():
    rows = DATA["clustered"].astype(np.float64)
    expected = RAC(0.3).fit(rows).labels_
    np.testing.assert_array_equal(RAC(0.3).fit(np.asfortranarray(rows)).labels_, expected)
    np.testing.assert_array_equal(RAC(0.3).fit((rows * 3.0).tolist()).labels_, expected)
    np.testing.assert_array_equal(RAC(0.3).fit(np.repeat(rows, 2, axis=0)[::2]).labels_, expected)


def test_bad_input_says_what_to_do():
    with pytest.raises(ParameterError, match=r"min_similarity must be in \[-1, 1\], got 1.5"):
        RAC(1.5).fit(np.eye(3))
    with pytest.raises(ParameterError, match="no zero rows, got one at row 1. Drop it"):
        RAC().fit([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ParameterError, match="sample_weight must be positive, got 0.0"):
        RAC().fit(np.eye(2), sample_weight=[1, 0])
    with pytest.raises(ParameterError, match="n_jobs must be at least 1 or None, got 0"):
        RAC(n_jobs=0).fit(np.eye(2))
    with pytest.raises(ValueError, match="NaN"):
        RAC().fit([[1.0, np.nan], [0.0, 1.0]])
    with pytest.raises(ValueError, match="0 sample"):
        RAC().fit(np.empty((0, 4)))


def test_nothing_is_printed(capfd):
    RAC(0.3).fit(DATA["clustered"])
    assert capfd.readouterr() == ("", "")


def test_input_rows_are_left_alone():
    rows = DATA["clustered"].copy()
    RAC(0.3).fit(rows)
    np.testing.assert_array_equal(rows, DATA["clustered"])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 10**6), st.floats(-1, 1))
def test_any_small_input_agrees_with_a_plain_search(n, d, seed, lowest):
    rows = unit(np.random.default_rng(seed).standard_normal((n, d)) + 1e-3)
    merges = agglomerate(rows, np.ones(n), min_similarity=lowest)
    assert (np.diff(merges.similarity) <= 0).all()
    means = np.stack(
        [rows[merges.labels == k].mean(axis=0) for k in range(merges.labels.max() + 1)]
    )
    for i in range(len(means)):
        for j in range(i):
            assert similarity(means, i, j) < lowest + 1e-5


def test_tournament_lets_everybody_meet_once():
    for teams in range(1, 9):
        rounds = list(neighbours.tournament(teams))
        pairs = [pair for played in rounds for pair in played]
        assert sorted(pairs) == [(i, j) for i in range(teams) for j in range(i, teams)]
        for played in rounds[1:]:
            busy = [team for pair in played for team in pair]
            assert len(busy) == len(set(busy))


@parametrize_with_checks(
    [RAC()],
    expected_failed_checks=lambda _: {
        "check_estimators_dtypes": "its integer data has a zero row, which has no cosine",
        "check_sample_weight_equivalence_on_dense_data": "weights of zero are refused",
    },
)
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)
