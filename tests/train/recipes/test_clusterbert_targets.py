"""What clusters are learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from newsnest.errors import InputError, ParameterError
from newsnest.train.recipes.clusterbert import ClusterbertSettings
from newsnest.train.recipes.clusterbert.targets import (
    align_labels,
    choose_teacher,
    core_members,
    cut_rac,
    kmeans,
    middle_of_best,
    sharpen,
    size_skew,
    try_k,
)


def blobs(sizes: list[int], *, spread: float = 0.15, seed: int = 0):
    """Unit vectors in groups around random directions of 16 dimensions, and the groups."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), 16))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rows = centres[labels] + spread * rng.normal(size=(len(labels), 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), labels.astype(np.int32)


def chosen(**changes) -> ClusterbertSettings:
    usual = {"data": ("x",), "base": "minilm", "output": Path("out")}
    return ClusterbertSettings(**{**usual, **changes})


def test_alignment_finds_a_renaming():
    rng = np.random.default_rng(0)
    labels = rng.integers(6, size=200).astype(np.int32)
    renamed = rng.permutation(6).astype(np.int32)[labels]
    assert (align_labels(labels, renamed) == labels).all()


def test_alignment_is_the_best_one_to_one_matching_not_the_greedy_one():
    # Shared texts: [[5, 4], [4, 0]]. Greedy takes 5 and 0, the best 4 and 4.
    before = np.repeat([0, 1, 0], [5, 4, 4]).astype(np.int32)
    after = np.repeat([0, 0, 1], [5, 4, 4]).astype(np.int32)
    assert align_labels(before, after).tolist() == [1] * 9 + [0] * 4


def test_new_clusters_get_new_names_and_texts_of_none_stay_of_none():
    before = np.array([0, 0, 1, 1, -1, 0], np.int32)
    after = np.array([2, 2, 0, 0, 1, -1], np.int32)
    assert align_labels(before, after).tolist() == [0, 0, 1, 1, 2, -1]
    fewer = align_labels(np.array([0, 1, 2, 2], np.int32), np.array([0, 0, 1, 1], np.int32))
    assert fewer.tolist() in ([0, 0, 2, 2], [1, 1, 2, 2])


def test_a_new_cluster_never_takes_the_name_of_one_it_shares_nothing_with():
    before = np.array([0, 0, 1, 1, 2, -1, -1], np.int32)
    after = np.array([1, 1, 0, 0, -1, 2, 2], np.int32)
    assert align_labels(before, after).tolist() == [0, 0, 1, 1, -1, 3, 3]


def test_a_least_k_that_the_texts_cannot_have_is_refused():
    vectors, _ = blobs([10, 10, 10])
    with pytest.raises(InputError, match="k_min must be at most half the texts .* 15, got 16"):
        choose_teacher(vectors, chosen(k_min=16))


def test_sharpening_by_hand():
    p = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)
    # f = (1.2, .8): .64/1.2 against .04/.8, and .16/1.2 against .36/.8.
    one = np.array([0.64 / 1.2, 0.04 / 0.8])
    two = np.array([0.16 / 1.2, 0.36 / 0.8])
    assert sharpen(p) == pytest.approx(np.array([one / one.sum(), two / two.sum()]), rel=1e-5)


def test_sharpening_counts_frequencies_over_the_rows_it_is_told():
    p = np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]], np.float32)
    assert sharpen(p, rows=np.array([0, 1]))[:2] == pytest.approx(sharpen(p[:2]), rel=1e-5)


def test_sharpening_makes_sure_rows_surer():
    p = np.random.default_rng(0).dirichlet([1.0] * 4, size=50).astype(np.float32)
    q = sharpen(p)
    assert q.sum(axis=1) == pytest.approx(np.ones(50), rel=1e-5)
    assert q.max(axis=1).mean() > p.max(axis=1).mean()
    balanced = np.full((3, 4), 0.25, np.float32)
    assert sharpen(balanced) == pytest.approx(balanced)


def test_core_members_lie_nearer_to_their_own_cluster_than_to_any_other():
    vectors, labels = blobs([30, 20, 10])
    wrong = labels.copy()
    wrong[0], wrong[-1] = 2, 0
    core = core_members(vectors, wrong)
    assert not core[0] and not core[-1] and core[1:-1].mean() > 0.95


def test_core_members_are_those_of_a_plain_double_loop():
    vectors, labels = blobs([8, 5, 1, 6], spread=0.4)
    wanted = []
    for i, own in enumerate(labels):
        near = {
            c: np.mean([vectors[i] @ vectors[j] for j in np.flatnonzero(labels == c) if j != i])
            for c in range(4)
            if (labels == c).sum() > 1
        }
        wanted.append(own in near and near[own] == max(near.values()))
    assert core_members(vectors, labels).tolist() == wanted


def test_a_cut_of_rac_is_average_linkage_at_that_many_clusters():
    vectors, _ = blobs([12, 9, 4, 1], spread=0.3)
    tree = linkage(vectors, "average", metric="cosine")
    for k in (2, 4, 7):
        own = cut_rac(vectors, k)
        assert adjusted_rand_score(own, fcluster(tree, k, criterion="maxclust")) == 1
        assert sorted(set(own.tolist())) == list(range(k))


def test_k_is_found_where_groups_lie_apart():
    for sizes in ([30] * 4, [25] * 9):
        vectors, _ = blobs(sizes)
        tried = try_k(vectors, 2, 40, seed=0)
        assert abs(middle_of_best(tried) - len(sizes)) <= 1
        assert min(tried) == 2 and max(tried) == min(40, len(vectors) // 5)


def test_the_teacher_is_the_same_for_a_seed():
    vectors, labels = blobs([30, 30, 30])
    one, two = (choose_teacher(vectors, chosen(seed=3)) for _ in range(2))
    assert one == two and one.chosen["looked_at"].keys() == {"kmeans", "rac"}
    assert adjusted_rand_score(one.cluster(vectors, seed=3), labels) == 1
    assert (kmeans(vectors, 3, seed=1) == kmeans(vectors, 3, seed=1)).all()


def test_rac_teaches_where_sizes_are_very_unequal():
    vectors, _ = blobs([150, 3, 4, 2, 5, 3, 60, 2], spread=0.12, seed=2)
    told = choose_teacher(vectors, chosen(k="8"))
    assert told.kind == "rac" and told.k == 8
    assert told.chosen["looked_at"]["rac"]["skew"] > 1


def test_what_is_asked_for_teaches(tally):
    vectors, _ = blobs([20, 20])
    assert choose_teacher(vectors, chosen(targets="rac")).kind == "rac"
    told = choose_teacher(vectors, chosen(targets="kmeans", k="5"), progress=tally)
    assert (told.kind, told.k) == ("kmeans", 5)
    assert tally.notes[0].startswith("kmeans: 5 clusters, silhouette ")


def test_rac_makes_fewer_clusters_of_a_sample():
    vectors, _ = blobs([10] * 10)
    teacher = choose_teacher(vectors, chosen(targets="rac", k="50"))
    assert len(set(teacher.cluster(vectors[:40], seed=0).tolist())) == 20


def test_a_tree_without_a_top_is_refused(monkeypatch):
    class Stump:
        def __init__(self, **_):
            self.linkage_ = np.zeros((1, 4))

        def fit(self, _):
            return self

    monkeypatch.setattr("newsnest.train.recipes.clusterbert.targets.RAC", Stump)
    with pytest.raises(InputError, match="targets=rac needs at most 300,000 texts, got 40"):
        cut_rac(blobs([20, 20])[0], 2)


def test_the_skew_of_sizes_by_hand():
    assert size_skew(np.array([0, 0, 1, 1])) == 0
    assert size_skew(np.array([0, 0, 0, 1])) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": "1"}, "k must be a whole number of at least 2 or auto, got '1'"),
        ({"k": "many"}, "k must be a whole number of at least 2 or auto, got 'many'"),
        ({"k_min": 9, "k_max": 8}, "k_min must be at most k_max, 8, got 9"),
        ({"targets": "rac", "k_max": 9}, "k_min and k_max must be left alone with targets=rac"),
        ({"targets": "dbscan"}, "targets must be one of auto, kmeans, rac"),
    ],
)
def test_settings_outside_of_their_domain_are_refused(change, message: str):
    with pytest.raises(ParameterError, match=message):
        chosen(**change)


def test_k_is_a_number_or_chosen():
    assert chosen(k=" 12 ").clusters == 12 and chosen(k="AUTO").clusters is None
