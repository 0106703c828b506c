from __future__ import annotations

import numpy as np
import pytest

from newsnest.cluster import agglomerate_rows
from newsnest.errors import ParameterError
from newsnest.evaluate import bcubed_f1
from newsnest.evaluate.cuts import CUTS, CutScores, best_cut, cut_scores, join_similarities


def blobs(seed: int = 0, each: int = 12, clusters: int = 5):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, 16))
    gold = np.repeat(np.arange(clusters), each)
    rows = centres[gold] + 0.9 * rng.normal(size=(len(gold), 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), gold


def tree(rows):
    merges = agglomerate_rows(rows, np.ones(len(rows)), min_similarity=-1.0)
    return merges.pairs, merges.similarity


def test_every_cut_scores_as_a_clustering_at_that_similarity_does():
    rows, gold = blobs()
    gold[::7] = -1  # without a label: clustered, not scored
    codes = np.where(gold < 0, -1, np.unique(gold, return_inverse=True)[1] - 1)
    cuts = CUTS[::20]
    f1 = cut_scores(*tree(rows), np.arange(len(rows)), codes, cuts=cuts).f1()[0]
    labelled = codes >= 0
    for cut, score in zip(cuts, f1, strict=True):
        labels = agglomerate_rows(rows, np.ones(len(rows)), min_similarity=cut).labels
        assert score == pytest.approx(bcubed_f1(labels[labelled], codes[labelled]), abs=1e-12)


def test_articles_count_where_atoms_stand_for_several():
    pairs, similarity = np.array([[0, 1]]), np.array([0.5])
    atoms, gold = np.array([0, 0, 1]), np.array([0, 0, 1])
    scores = cut_scores(pairs, similarity, atoms, gold, cuts=[0.6, 0.4])
    assert scores.f1()[0].tolist() == pytest.approx([1.0, bcubed_f1([0, 0, 0], gold)])


def test_weights_of_gold_clusters_are_how_often_they_count():
    rows, gold = blobs()
    scores = cut_scores(*tree(rows), np.arange(len(rows)), gold, cuts=CUTS)
    assert scores.f1(np.full((1, 5), 3.0)) == pytest.approx(scores.f1())
    one = scores.f1(np.array([[1.0, 0, 0, 0, 0]]))[0]
    precision, recall = scores.precision[:, 0] / 12, scores.recall[:, 0] / 12
    assert one == pytest.approx(2 * precision * recall / (precision + recall))


def test_the_best_cut_separates_what_is_apart_and_its_interval_holds_it():
    rows, gold = blobs()
    scores = cut_scores(*tree(rows), np.arange(len(rows)), gold)
    best = best_cut([scores], resamples=200)
    value = best.min_similarity
    assert best.f1.value == scores.f1().max()
    assert value.low <= value.value <= value.high
    assert best.f1.low <= best.f1.value + 1e-12 and best.f1.high <= 1.0
    assert (best.articles, best.gold_clusters) == (60, 5)
    assert best == best_cut([scores], resamples=200)
    assert best_cut([scores], resamples=0).min_similarity.low is None


def test_of_equal_neighbours_the_middle_one_is_taken():
    pairs, similarity = np.array([[0, 1], [2, 3], [0, 2]]), np.array([0.9, 0.8, 0.1])
    scores = cut_scores(pairs, similarity, np.arange(4), np.array([0, 0, 1, 1]))
    assert best_cut([scores], resamples=10).min_similarity.value == pytest.approx(0.455, abs=0.003)


def test_every_corpus_counts_once():
    def scores(best: int, size: float) -> CutScores:
        good = np.full((3, 2), 0.5)
        good[best] = 1.0
        return CutScores(good * size, good * size, np.full(2, size))

    cuts = (0.9, 0.5, 0.1)
    alone = best_cut([scores(0, 1000.0)], cuts=cuts, resamples=0)
    both = [scores(0, 1000.0), scores(2, 2.0), scores(2, 2.0)]
    assert alone.min_similarity.value == 0.9
    assert best_cut(both, cuts=cuts, resamples=0).min_similarity.value == 0.1


@pytest.mark.parametrize("gold", [[-1, -1, -1], [0, 0, 0], [0, 1, 2]])
def test_labels_that_cannot_tell_cuts_apart_are_refused(gold):
    with pytest.raises(ParameterError, match="gold must hold two labels or more, one of them on"):
        cut_scores(np.empty((0, 2), int), np.empty(0), np.arange(3), np.array(gold))


def test_two_atoms_share_a_cluster_from_where_they_join():
    rows, _ = blobs(each=6)
    pairs, similarity = tree(rows)
    left, right = (side.ravel() for side in np.meshgrid(np.arange(30), np.arange(30)))
    joined = join_similarities(pairs, similarity, left, right)
    for cut in np.arange(0.975, -0.5, -0.05):
        labels = agglomerate_rows(rows, np.ones(len(rows)), min_similarity=cut).labels
        assert ((labels[left] == labels[right]) == (joined >= cut)).all()


def test_atoms_that_a_tree_leaves_apart_never_join():
    pairs, similarity = np.array([[0, 1]]), np.array([0.5])
    left, right = np.array([0, 0, 2, 2]), np.array([1, 2, 3, 2])
    assert join_similarities(pairs, similarity, left, right).tolist() == [0.5, -1.0, -1.0, 1.0]
