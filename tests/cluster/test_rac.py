"""Exact average linkage: SciPy is the oracle, invariants and edge cases around it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from newsnest.cluster import (
    RAC,
    LevelwiseRAC,
    PredictingRAC,
    agglomerate,
    agglomerate_rows,
    int8_screen,
    int8_tile,
    rac_engine,
)
from newsnest.cluster.rac_kernels import READY, find, similarity
from newsnest.cluster.screen import tournament
from newsnest.errors import ParameterError
from newsnest.progress import Task


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


@pytest.mark.parametrize("noise", [1e-3, 1e-4, 3e-5])
def test_near_twins_are_merged_to_the_last(noise):
    for seed in range(5):
        dice = np.random.default_rng(seed)
        rows = np.repeat(dice.standard_normal((3, 16)), 40, axis=0)
        rows += noise * dice.standard_normal(rows.shape)
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        ours = RAC(min_similarity=-1.0).fit(rows).linkage_
        theirs = linkage(rows.astype(np.float64), "average", metric="cosine")
        np.testing.assert_allclose(ours[:, 2], theirs[:, 2], atol=1e-6)
        nearby = RAC(min_similarity=-1.0, exact=False).fit(rows)
        assert len(nearby.linkage_) == len(rows) - 1


def test_an_engine_that_cannot_go_on_says_so(monkeypatch):
    monkeypatch.setattr("newsnest.cluster.rac_engine._Engine.merge_round", lambda self: 0)
    with pytest.raises(RuntimeError, match="9 clusters are left of which no two are each other's"):
        RAC(min_similarity=-1.0).fit(DATA["clustered"][:9])


def test_twins_up_to_rounding_are_no_closer_than_possible():
    dice = np.random.default_rng(0)
    rows = np.repeat(dice.standard_normal((200, 97)), 2, axis=0)
    rows = (rows * dice.uniform(0.5, 2.0, (400, 1))).astype(np.float32)
    linkage_ = RAC(min_similarity=-1.0).fit(rows).linkage_
    assert linkage_[:, 2].min() >= 0.0
    assert is_valid_linkage(linkage_)


def test_linkage_is_one_that_scipy_can_cut():
    rows = DATA["clustered"]
    model = RAC(-1.0).fit(rows)
    assert is_valid_linkage(model.linkage_)
    assert model.linkage_[-1, 3] == len(rows)
    for lowest in (0.8, 0.5, 0.2):
        cut = fcluster(model.linkage_, 1 - lowest, "distance")
        assert same_partition(cut, RAC(lowest).fit(rows).labels_)


needs_int8 = pytest.mark.skipif(not int8_tile.LANES, reason="needs a processor with VNNI")


def without_int8(monkeypatch):
    monkeypatch.setattr(rac_engine, "LANES", 0)


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_block_size_does_not_change_the_result(monkeypatch, block):
    rows = DATA["clustered"]
    expected = RAC(0.3).fit(rows).linkage_
    without_int8(monkeypatch)
    monkeypatch.setattr("newsnest.cluster.screen._BLOCK", block)
    np.testing.assert_array_equal(RAC(0.3).fit(rows).linkage_, expected)


@needs_int8
@pytest.mark.parametrize("block", [384, 768])
def test_block_size_of_int8_does_not_change_the_result(monkeypatch, block):
    rows = unit(np.random.default_rng(3).normal(size=(2500, 40)))
    expected = RAC(0.3).fit(rows).linkage_
    monkeypatch.setattr(int8_screen, "_BLOCK", block)
    monkeypatch.setattr(int8_screen, "_SMALL", 0)
    np.testing.assert_array_equal(RAC(0.3).fit(rows).linkage_, expected)


def difficult(kind, n=1500, d=96):
    """Rows on which a screen by rounded values has the hardest time."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(n, d))
    if kind == "one axis":  # nearly all energy in one dimension
        rows[:, 0] += 30
    elif kind == "sparse":
        rows *= rng.random((n, d)) < 0.03
        rows[np.abs(rows).sum(axis=1) == 0, 0] = 1
    elif kind == "steep":
        rows *= 2.0 ** -np.arange(d)
    elif kind == "equal":  # many exact ties
        rows = np.sign(rows[:, :6]) @ np.eye(6, d)
    elif kind == "close":
        rows = rows[:20].repeat(n // 20, axis=0) + 1e-4 * rows
    return unit(rows)


@needs_int8
@pytest.mark.parametrize("kind", ["flat", "one axis", "sparse", "steep", "equal", "close"])
@pytest.mark.parametrize("lowest", [-1.0, 0.3, 0.9])
def test_the_int8_screen_changes_no_bit(monkeypatch, kind, lowest):
    rows = difficult(kind)
    screened = RAC(lowest).fit(rows)
    without_int8(monkeypatch)
    plain = RAC(lowest).fit(rows)
    np.testing.assert_array_equal(screened.linkage_, plain.linkage_)
    np.testing.assert_array_equal(screened.labels_, plain.labels_)


@needs_int8
@pytest.mark.parametrize("d", [1, 3, 63, 64, 65, 200])
def test_the_int8_screen_takes_any_number_of_dimensions(monkeypatch, d):
    rows = unit(np.random.default_rng(d).normal(size=(300, d)))
    screened = RAC(0.2).fit(rows).linkage_
    without_int8(monkeypatch)
    np.testing.assert_array_equal(screened, RAC(0.2).fit(rows).linkage_)


@needs_int8
def test_the_narrower_instruction_gives_the_same(tmp_path):
    """Processors with AVX-VNNI have half the register: compiled here by feigning one."""
    code = """
import numpy as np, llvmlite.binding, hashlib
real = llvmlite.binding.get_host_cpu_features
class Feigned(type(real())):
    def get(self, name, default=None):
        return {{"avx512vnni": False, "avxvnni": True}}.get(name, default)
if {narrow}:
    llvmlite.binding.get_host_cpu_features = lambda: Feigned(real())
from newsnest.cluster import RAC, int8_tile
rows = np.random.default_rng(0).normal(size=(1200, 48)).astype(np.float32)
print(int8_tile.LANES, hashlib.sha256(RAC(0.25).fit(rows).linkage_.tobytes()).hexdigest())
"""
    lanes, digests = [], []
    for narrow in (0, 1):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / str(narrow))}
        out = subprocess.run(
            [sys.executable, "-c", code.format(narrow=narrow)],
            env=environment, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        lanes.append(int(out[0]))
        digests.append(out[1])
    assert lanes[1] == 8
    assert digests[0] == digests[1]


def stories(n=4000, d=48, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n // 10, d))
    return unit(centres[rng.integers(0, n // 10, n)] + 0.35 * rng.normal(size=(n, d)))


@pytest.mark.parametrize("screen", ["int8", "float"])
def test_looking_nearby_first_agrees_with_exact(monkeypatch, screen):
    if screen == "float":
        without_int8(monkeypatch)
    rows = stories()
    exact, nearby = RAC(0.6).fit(rows), RAC(0.6, exact=False).fit(rows)
    assert exact.exact_
    assert not nearby.exact_
    assert adjusted_rand_score(exact.labels_, nearby.labels_) >= 0.999
    assert is_valid_linkage(RAC(-1.0, exact=False).fit(rows[:300]).linkage_)
    assert (np.diff(nearby.linkage_[:, 2]) >= 0).all()


@pytest.mark.parametrize("lowest", [0.5, 0.0, -0.03])
def test_looking_nearby_leaves_no_two_clusters_that_should_be_one(lowest):
    rows = stories(seed=1)
    labels = RAC(lowest, exact=False).fit(rows).labels_
    means = np.stack([rows[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    between = means @ means.T
    np.fill_diagonal(between, -1)
    assert between.max() < lowest + 1e-5


def test_rows_that_are_not_numbers_are_refused():
    rows = stories(100)
    rows[7, 3] = np.nan
    with pytest.raises(
        ParameterError, match="agglomerate: means must be finite, .* in row 7. Drop"
    ):
        agglomerate(rows, np.ones(len(rows)), min_similarity=0.5)
    rows[7, 3] = np.inf
    with pytest.raises(ParameterError, match="agglomerate_rows: rows must be finite, .* in row 7"):
        agglomerate_rows(rows, np.ones(len(rows)), min_similarity=0.5)


def test_above_a_number_of_rows_first_neighbours_are_looked_for_nearby(monkeypatch):
    monkeypatch.setattr(rac_engine, "MAX_EXACT", 500)
    rows = stories(2000)
    weights = np.ones(len(rows))
    assert not agglomerate_rows(rows, weights, min_similarity=0.6).exact
    assert agglomerate_rows(rows, weights, min_similarity=0.6, exact=True).exact
    assert agglomerate_rows(rows[:400], weights[:400], min_similarity=0.6).exact
    two = [RAC(0.6, n_jobs=jobs).fit(rows).linkage_ for jobs in (1, 3)]
    np.testing.assert_array_equal(*two)


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


@pytest.mark.parametrize("screen", ["int8", "float"])
@pytest.mark.parametrize("lowest", [-1.0, 0.2])
def test_no_cluster_outside_a_list_exceeds_its_bound(monkeypatch, screen, lowest):
    """After every round, against all similarities: lists, bounds and proven neighbours are true."""
    if screen == "float":
        without_int8(monkeypatch)
    audited = 0
    real = rac_engine._Engine.merge_round

    def merge_round(engine):
        nonlocal audited
        state = engine.clusters
        every = state.means.astype(np.float64) @ state.means.T.astype(np.float64)
        for i in engine.live:
            listed = {find(state.parent, j) for j in state.listed[i, : state.counts[i]]}
            others = [j for j in engine.live if j != i and j not in listed]
            if others:
                assert every[i, others].max() <= state.bound[i] + 1e-6
            if state.state[i] == READY:
                own = [j for j in engine.live if j != i]
                assert every[i, own].max() <= every[i, state.nearest[i]] + 1e-6
            audited += 1
        return real(engine)

    monkeypatch.setattr(rac_engine._Engine, "merge_round", merge_round)
    monkeypatch.setattr(rac_engine, "_CANDIDATES", 3)
    RAC(lowest).fit(clustered(150, 20, 12, seed=4))
    assert audited > 1000


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


def test_long_compiling_is_told_once(monkeypatch):
    class Notes:
        said: list[str] = []  # noqa: RUF012

        def start(self, what, total, unit):
            return Task()

        def note(self, message):
            self.said.append(message)

    monkeypatch.setattr(rac_engine, "_compiled", [])
    monkeypatch.setattr(rac_engine, "_LONG_COMPILE", 0.0)
    rows = DATA["narrow"]
    for _ in range(2):
        agglomerate_rows(rows, np.ones(len(rows)), min_similarity=0.5, progress=Notes())
    assert len(Notes.said) == 1
    assert "kept for next time" in Notes.said[0]


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
        rounds = list(tournament(teams))
        pairs = [pair for played in rounds for pair in played]
        assert sorted(pairs) == [(i, j) for i in range(teams) for j in range(i, teams)]
        for played in rounds[1:]:
            busy = [team for pair in played for team in pair]
            assert len(busy) == len(set(busy))


def test_levels_refuse_weights_of_zero_as_flat_clusters_do():
    for estimator in (RAC(), PredictingRAC(), LevelwiseRAC()):
        with pytest.raises(ParameterError, match="fit: sample_weight must be positive, got 0.0"):
            estimator.fit(np.eye(3), sample_weight=[1, 0, 2])


def test_weights_predict_as_repeated_rows_do():
    rows = DATA["narrow"][:200]
    times = np.random.default_rng(7).integers(1, 5, len(rows))
    weighted = PredictingRAC(0.85).fit(rows, sample_weight=times)
    expanded = PredictingRAC(0.85).fit(np.repeat(rows, times, axis=0))
    new = DATA["narrow"][200:]
    np.testing.assert_array_equal(weighted.predict(new), expanded.predict(new))


@parametrize_with_checks(
    [RAC(), PredictingRAC(), LevelwiseRAC()],
    expected_failed_checks=lambda _: {
        "check_estimators_dtypes": "its integer data has a zero row, which has no cosine",
        "check_sample_weight_equivalence_on_dense_data": "weights of zero are refused",
    },
)
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)
