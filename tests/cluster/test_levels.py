from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from newsnest.cluster import RAC, LevelwiseRAC, fit_frame, group_means, level_vectors, nest_levels
from newsnest.errors import ParameterError
from newsnest.types import Level

LEVELS = (Level("theme", 8, 0.05), Level("topic", 16, 0.6), Level("story", None, 0.8))
ORDERS = ("fine-to-coarse", "coarse-to-fine")


def articles(n=600, d=32, seed=0):
    rng = np.random.default_rng(seed)
    themes = rng.standard_normal((5, d))
    topics = themes[rng.integers(0, 5, 20)] + 0.8 * rng.standard_normal((20, d))
    stories = topics[rng.integers(0, 20, 80)] + 0.6 * rng.standard_normal((80, d))
    rows = stories[rng.integers(0, 80, n)] + 0.5 * rng.standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def nested(fine, coarse):
    return len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == len(set(fine.tolist()))


@pytest.mark.parametrize("order", ORDERS)
def test_every_story_lies_in_one_topic_and_every_topic_in_one_theme(order):
    model = LevelwiseRAC(LEVELS, order=order).fit(articles())
    themes, topics, stories = model.level_labels_.T
    assert nested(stories, topics)
    assert nested(topics, themes)
    assert themes.max() < topics.max() < stories.max()
    np.testing.assert_array_equal(model.labels_, stories)


@pytest.mark.parametrize("order", ORDERS)
def test_labels_count_from_the_heaviest_cluster_of_each_level(order):
    weights = np.random.default_rng(1).integers(1, 4, 600)
    model = LevelwiseRAC(LEVELS, order=order).fit(articles(), sample_weight=weights)
    for labels in model.level_labels_.T:
        sizes = np.bincount(labels, weights)
        assert (np.diff(sizes) <= 0).all()
        assert sizes.min() > 0


def test_fine_to_coarse_topics_are_average_linkage_over_stories():
    rows = articles()
    model = LevelwiseRAC(LEVELS).fit(rows)
    text = model.frame_.apply(rows)
    view = level_vectors(text, LEVELS[1])
    stories = model.labels_
    similarity = view.astype(np.float64) @ view.T.astype(np.float64)
    k = stories.max() + 1
    member = np.eye(k)[stories]
    between = member.T @ similarity @ member / np.outer(member.sum(0), member.sum(0))
    for topic in range(model.level_labels_[:, 1].max() + 1):
        inside = np.unique(stories[model.level_labels_[:, 1] == topic])
        if len(inside) == 2:  # merged directly: their mean similarity decided it
            assert between[inside[0], inside[1]] >= LEVELS[1].min_similarity - 1e-5


def test_coarse_to_fine_themes_are_plain_average_linkage_of_all_rows():
    rows = articles()
    model = LevelwiseRAC(LEVELS, order="coarse-to-fine").fit(rows)
    view = level_vectors(model.frame_.apply(rows), LEVELS[0]).astype(np.float64)
    expected = fcluster(linkage(pdist(view, "cosine"), "average"), 1 - 0.05, "distance")
    assert nested(expected, model.level_labels_[:, 0])
    assert nested(model.level_labels_[:, 0], expected)


def test_fine_to_coarse_stories_are_what_rac_finds():
    rows = articles()
    model = LevelwiseRAC(LEVELS).fit(rows)
    stories = RAC(0.8).fit(model.frame_.apply(rows)).labels_
    np.testing.assert_array_equal(model.labels_, stories)


@pytest.mark.parametrize("order", ORDERS)
def test_linkages_lead_from_atoms_to_labels(order):
    found = LevelwiseRAC(LEVELS, order=order).fit(articles()).hierarchy_
    for labels, tree, atoms in zip(found.labels, found.linkages, found.atoms, strict=True):
        n = atoms.max() + 1
        parent = np.arange(n + len(tree))
        for step, (a, b, distance, _) in enumerate(tree):
            parent[int(a)] = parent[int(b)] = n + step
            assert distance <= 1.0 - 0.05 + 1e-6
        while (parent != parent[parent]).any():
            parent = parent[parent]
        assert nested(parent[atoms], labels)
        assert nested(labels, parent[atoms])
        assert (np.diff(tree[:, 2]) >= 0).all()


@pytest.mark.parametrize("order", ORDERS)
def test_threads_and_repeats_give_the_same_bits(order):
    rows = articles()
    one = LevelwiseRAC(order=order, n_jobs=1).fit(rows)
    three = LevelwiseRAC(order=order, n_jobs=3).fit(rows)
    np.testing.assert_array_equal(one.level_labels_, three.level_labels_)
    for left, right in zip(one.linkages_, three.linkages_, strict=True):
        np.testing.assert_array_equal(left, right)


def test_time_splits_what_text_cannot():
    rng = np.random.default_rng(4)
    rows = np.repeat(articles(20, seed=5), 20, axis=0) + 0.02 * rng.standard_normal((400, 32))
    week = np.tile(np.repeat([0.0, 7 * 86_400.0], 10), 20) + rng.uniform(0, 7200, 400)
    levels = (Level("story", None, 0.85, 0.3),)
    together = LevelwiseRAC(levels).fit(rows)
    apart = LevelwiseRAC(levels).fit(rows, times=week)
    assert apart.labels_.max() > together.labels_.max()
    assert nested(apart.labels_, week > 86_400.0)


def test_groups_may_be_any_labels():
    rows = articles()
    names = np.array(["en", "fr"])[np.arange(600) % 2]
    codes = np.arange(600) % 2
    np.testing.assert_array_equal(
        LevelwiseRAC().fit(rows, groups=names).labels_,
        LevelwiseRAC().fit(rows, groups=codes).labels_,
    )


def test_group_means_are_weighted_and_not_normalised():
    rows, labels = articles(60), (np.arange(60) % 7).astype(np.int32)
    weights = np.random.default_rng(2).uniform(1, 3, 60)
    means, total = group_means(rows, labels, weights)
    for label in range(7):
        mine = labels == label
        expected = np.average(rows[mine], axis=0, weights=weights[mine])
        np.testing.assert_allclose(means[label], expected, atol=1e-6)
        assert total[label] == pytest.approx(weights[mine].sum())


@pytest.mark.parametrize("n", [1, 2, 3, 10])
@pytest.mark.parametrize("order", ORDERS)
def test_a_handful_of_articles_is_nested_too(n, order):
    model = LevelwiseRAC(order=order).fit(articles(n))
    assert model.level_labels_.shape == (n, 3)


def test_bad_parameters_are_refused():
    rows = articles(20)
    with pytest.raises(ParameterError, match="order must be one of fine-to-coarse, coarse-to-fine"):
        LevelwiseRAC(order="sideways").fit(rows)
    with pytest.raises(ParameterError, match=r"Level story: min_similarity must be in \[-1, 1\]"):
        LevelwiseRAC([Level("story", None, 2.0)]).fit(rows)


def test_levels_can_have_other_names_and_numbers():
    rows = articles()
    text = fit_frame(rows).apply(rows)
    levels = [Level("all", 4, -1.0), Level("half", 8, 0.1), Level("most", 16, 0.3),
              Level("leaf", None, 0.7)]  # fmt: skip
    found = nest_levels(partial(level_vectors, text), levels, np.ones(600))
    assert [labels.max() + 1 for labels in found.labels] == sorted(
        labels.max() + 1 for labels in found.labels
    )
    assert found.labels[0].max() == 0


@pytest.mark.parametrize("order", ["fine-to-coarse", "coarse-to-fine"])
def test_the_result_says_whether_it_is_exact(order):
    rows = np.random.default_rng(2).normal(size=(200, 16))
    assert LevelwiseRAC(order=order).fit(rows).hierarchy_.exact
    assert not LevelwiseRAC(order=order, exact=False).fit(rows).hierarchy_.exact


@pytest.mark.parametrize(
    ("times", "got"),
    [
        (np.full(40, np.nan), r"got shape \(40,\) with 0 finite"),
        (np.zeros(39), r"got shape \(39,\) with 39 finite"),
        (np.r_[np.inf, np.zeros(39)], r"got shape \(40,\) with 39 finite"),
    ],
)
def test_times_are_those_of_the_rows_and_one_at_least_is_known(times, got):
    with pytest.raises(ParameterError, match=f"times must be the seconds of all 40 rows, .*{got}"):
        LevelwiseRAC(LEVELS).fit(articles(40), times=times)
    LevelwiseRAC(LEVELS).fit(articles(40), times=np.r_[0.0, np.full(39, np.nan)])
