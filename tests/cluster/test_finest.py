"""Other clusterers at the finest level, and a RAC that predicts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from newsnest.cluster import (
    RAC,
    auto_levels,
    finest_clusterer,
    fit_frame,
    level_vectors,
    nest_levels,
)
from newsnest.errors import ParameterError


def blobs(seed: int = 0, strangers: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Eight dense stories of ten rows, and rows that belong nowhere."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(8, 24)), 10, axis=0) + 0.05 * rng.normal(size=(80, 24))
    rows = np.concatenate([rows, 3 * rng.normal(size=(strangers, 24))])
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, np.repeat(np.arange(8), 10)


def nested(rows: np.ndarray, told: str):
    weights = np.ones(len(rows))
    text = fit_frame(rows, weights).apply(rows, np.zeros(len(rows), np.int32))
    finest = finest_clusterer(told)
    levels = auto_levels(text)
    found = nest_levels(lambda level: level_vectors(text, level), levels, weights, finest=finest)
    return found, finest


@pytest.mark.parametrize("told", ["hdbscan:5", "kmeans:14"])
def test_a_hierarchy_of_other_stories_keeps_the_contract(told):
    rows, gold = blobs()
    found, _ = nested(rows, told)
    again, _ = nested(rows, told)
    assert [level.name for level in found.levels] == ["theme", "topic", "story"]
    for labels, linkage, atoms, same in zip(
        found.labels, found.linkages, found.atoms, again.labels, strict=True
    ):
        assert labels.dtype == np.int32 and set(labels) == set(range(labels.max() + 1))
        sizes = np.bincount(labels)
        assert (np.diff(sizes) <= 0).all()  # label 0 is the heaviest
        assert linkage.shape[1] == 4 and len(linkage) == atoms.max() + 1 - len(sizes)
        assert np.array_equal(labels, same)
    for coarse, fine in zip(found.labels, found.labels[1:], strict=False):
        assert all(len(set(coarse[fine == label])) == 1 for label in set(fine))
    assert adjusted_rand_score(gold, found.labels[-1][:80]) > 0.9
    assert np.array_equal(found.atoms[-1], found.labels[-1])


def test_noise_of_hdbscan_is_one_story_each_and_counted():
    rows, _ = blobs()
    finest = finest_clusterer("hdbscan")
    labels = finest(rows, np.ones(len(rows)))
    theirs = HDBSCAN(min_cluster_size=5, copy=True).fit(rows).labels_
    assert finest.noise == int((theirs == -1).sum()) > 0
    assert adjusted_rand_score(theirs[theirs >= 0], labels[theirs >= 0]) == 1
    assert (np.bincount(labels)[labels[theirs == -1]] == 1).all()
    few = finest_clusterer("hdbscan:50")
    assert len(set(few(rows[:20], np.ones(20)))) == few.noise == 20


def test_kmeans_is_that_of_sklearn_and_weighs_rows():
    rows, _ = blobs()
    weights = np.random.default_rng(0).integers(1, 5, len(rows)).astype(float)
    labels = finest_clusterer("kmeans:9")(rows, weights)
    theirs = KMeans(9, n_init=3, random_state=0).fit(rows, sample_weight=weights).labels_
    assert adjusted_rand_score(theirs, labels) == 1


def test_rac_is_the_default_and_needs_no_other():
    assert finest_clusterer("rac") is None


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("hdbskan", "got 'hdbskan'. Did you mean 'hdbscan'?"),
        ("kmeans:x", "must be rac, hdbscan, hdbscan:SIZE or kmeans:K, got 'kmeans:x'"),
        ("kmeans", "kmeans must have a number of clusters, got none"),
        ("hdbscan:1", "the number of hdbscan must be at least 2, got 1"),
        ("rac:3", "rac must stand alone, got 'rac:3'"),
    ],
)
def test_a_clusterer_that_is_none_is_refused(told, said):
    with pytest.raises(ParameterError, match=said.replace("?", r"\?")):
        finest_clusterer(told)


def test_what_does_not_go_together_is_refused():
    rows, _ = blobs()
    with pytest.raises(ParameterError, match=r"kmeans: K must be at most 86, .* got 100"):
        nested(rows, "kmeans:100")
    with pytest.raises(ParameterError, match="order must be fine-to-coarse with a clusterer of"):
        nest_levels(
            lambda level: rows, (), np.ones(86), order="coarse-to-fine",
            finest=finest_clusterer("hdbscan"),
        )  # fmt: skip


def test_new_rows_go_to_the_cluster_of_the_highest_mean_cosine():
    rows, _ = blobs()
    model = RAC(0.6).fit(rows)
    assert np.array_equal(model.labels_, RAC(0.6).fit(rows).labels_)
    new, _ = blobs(seed=1)
    found = model.predict(new)
    for row, label in zip(new, found, strict=True):
        means = [float((rows[model.labels_ == k] @ row).mean()) for k in range(model.n_clusters_)]
        assert label == (int(np.argmax(means)) if max(means) >= 0.6 else -1)
    near = model.predict(rows[:80])
    assert (near == model.labels_[:80]).all()


def test_weights_move_the_means_of_predicting():
    rows = np.array([[1.0, 0.0], [0.8, 0.6]], np.float32)
    model = RAC(0.5).fit(rows, sample_weight=[3.0, 1.0])
    assert model.means_ == pytest.approx(np.array([[0.95, 0.15]]))


def test_predicting_asks_for_a_fit_and_rows_with_a_direction():
    with pytest.raises(NotFittedError):
        RAC().predict([[1.0, 0.0]])
    with pytest.raises(ParameterError, match="X must have no zero rows, got one at row 1"):
        RAC().fit([[1.0, 0.0]]).predict([[1.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("kmeans:-3", "the number of kmeans must be at least 2, got -3. Raise it."),
        ("kmeans:many", "got 'kmeans:many'. Write a whole number after the colon."),
    ],
)
def test_a_number_that_is_none_is_told_as_such(told, message):
    with pytest.raises(ParameterError, match=message):
        finest_clusterer(told)


def test_too_few_texts_are_known_before_there_are_vectors():
    finest_clusterer("hdbscan:50").check(3)
    finest_clusterer("kmeans:3").check(3)
    with pytest.raises(ParameterError, match="kmeans: K must be at most 2, the number of texts"):
        finest_clusterer("kmeans:3").check(2)
