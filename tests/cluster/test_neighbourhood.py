from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from newsnest.cluster import agglomerate_rows, auto_levels, level_vectors, nest_levels
from newsnest.cluster.neighbourhood import Neighbourhood, find_neighbours
from newsnest.errors import ParameterError
from newsnest.types import Level

LEVELS = (
    Level("theme", None, -1.0, neighbours=20, resolution=0.6),
    Level("topic", None, -1.0, neighbours=10, resolution=1.5),
    Level("story", None, 0.8),
)
ORDERS = ("fine-to-coarse", "coarse-to-fine")


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def corpus(n=900, d=24, seed=0):
    """Rows in 4 themes of 5 topics each, and some that are alone."""
    rng = np.random.default_rng(seed)
    themes = rng.standard_normal((4, d))
    topics = np.repeat(themes, 5, axis=0) + 0.7 * rng.standard_normal((20, d))
    of = rng.integers(0, 20, n)
    rows = unit(topics[of] + 0.8 * rng.standard_normal((n, d)))
    rows[: n // 20] = unit(rng.standard_normal((n // 20, d)))
    return rows, of // 5, of


def nested(rows, levels=LEVELS, order=ORDERS[0], **more):
    weights = more.pop("weights", np.ones(len(rows)))
    return nest_levels(lambda _: rows.copy(), levels, weights, order=order, **more)


def inside(fine, coarse):
    return len(np.unique(np.stack([fine, coarse]), axis=1).T) == fine.max() + 1


def modularity(near, labels, resolution):
    """By the definition."""
    n = len(labels)
    graph = np.zeros((n, n))
    np.add.at(graph, (np.arange(n)[:, None], near.ids), near.weights[:, None] * near.shares)
    graph = (graph + graph.T) / 2
    share, degree = graph / graph.sum(), graph.sum(axis=1) / graph.sum()
    return sum(
        share[np.ix_(own, own)].sum() - resolution * degree[own].sum() ** 2
        for own in (np.flatnonzero(labels == label) for label in np.unique(labels))
    )


def partitions(children, node, n):
    """Every partition of a node's leaves into clusters of the tree."""
    yield [node]
    if node >= n:
        a, b = children[node - n]
        for left in partitions(children, a, n):
            for right in partitions(children, b, n):
                yield left + right


def leaves(children, node, n):
    return [node] if node < n else [i for c in children[node - n] for i in leaves(children, c, n)]


def test_neighbours_are_the_most_similar_other_rows():
    rows, _, _ = corpus(200)
    near = find_neighbours(rows, np.ones(200), 7)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    best = np.argsort(-cosines, axis=1)[:, :7]
    np.testing.assert_array_equal(np.sort(near.ids, axis=1), np.sort(best, axis=1))
    np.testing.assert_allclose(near.shares.sum(axis=1), 1, rtol=1e-6)


def test_of_many_rows_neighbours_are_looked_for_among_some():
    rows, _, _ = corpus(300)
    near = find_neighbours(rows, np.ones(300), 5, among=100)
    assert len(np.unique(near.ids)) <= 100
    assert not (near.ids == np.arange(300)[:, None]).any()


def test_a_heavy_neighbour_counts_for_its_weight():
    rows = unit(np.array([[1.0, 0.0], [1.0, 0.5], [1.0, -0.5]]))
    near = find_neighbours(rows, np.array([1.0, 3.0, 1.0]), 2)
    shares = dict(zip(near.ids[0].tolist(), near.shares[0].tolist(), strict=True))
    assert shares[1] == pytest.approx(3 * shares[2])


def test_smoothing_draws_the_rows_of_a_topic_together():
    rows, _, topics = corpus()
    moved = find_neighbours(rows, np.ones(len(rows)), 10).smooth(rows)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, rtol=1e-5)
    same = topics[:, None] == topics
    for before, after in ((rows, moved),):
        gain = (after @ after.T)[same].mean() - (before @ before.T)[same].mean()
        assert gain > 0.2


def test_the_cut_has_the_highest_modularity_of_all_partitions_of_the_tree():
    rows, _, _ = corpus(14, seed=3)
    weights = np.random.default_rng(0).integers(1, 4, 14).astype(float)
    near = find_neighbours(rows, weights, 3)
    merges = agglomerate_rows(rows, weights, min_similarity=-1.0)
    node, children = list(range(14)), []
    for a, b in merges.pairs.tolist():
        children.append((node[a], node[b]))
        node[a] = node[b] = 14 + len(children) - 1
    for resolution in (0.5, 1.0, 2.0):
        best = -np.inf
        for partition in partitions(children, 14 + len(children) - 1, 14):
            labels = np.empty(14, int)
            for label, top in enumerate(partition):
                labels[leaves(children, top, 14)] = label
            best = max(best, modularity(near, labels, resolution))
        cut = near.cut(merges, np.arange(14, dtype=np.int32), resolution)
        assert modularity(near, cut.labels, resolution) == pytest.approx(best, abs=1e-6)
        assert len(cut.pairs) == 14 - 1 - cut.labels.max()


def test_a_higher_resolution_gives_more_clusters():
    rows, _, _ = corpus()
    weights = np.ones(len(rows))
    near = find_neighbours(rows, weights, 10)
    merges = agglomerate_rows(near.smooth(rows), weights, min_similarity=-1.0)
    leaf = np.arange(len(rows), dtype=np.int32)
    counts = [near.cut(merges, leaf, r).labels.max() + 1 for r in (0.3, 1.0, 3.0, 30.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("order", ORDERS)
def test_levels_cut_by_neighbours_are_nested_and_count_from_the_heaviest(order):
    weights = np.random.default_rng(1).integers(1, 4, 900).astype(float)
    found = nested(corpus()[0], order=order, weights=weights)
    themes, topics, stories = found.labels
    assert inside(stories, topics)
    assert inside(topics, themes)
    for labels in found.labels:
        assert (np.diff(np.bincount(labels, weights)) <= 0).all()


@pytest.mark.parametrize("order", ORDERS)
def test_themes_and_topics_come_out_as_they_were_made(order):
    rows, themes, topics = corpus()
    found = nested(rows, order=order)
    for labels, gold in zip(found.labels, (themes, topics), strict=False):
        own = [np.bincount(gold[labels == label]).max() for label in range(labels.max() + 1)]
        assert sum(own) > 0.8 * len(rows)
    assert 4 <= found.labels[0].max() + 1 <= 12


@pytest.mark.parametrize("order", ORDERS)
def test_no_theme_holds_more_than_half_of_a_mixed_corpus(order):
    rows = corpus()[0]
    whole = replace(LEVELS[0], neighbours=400, resolution=0.3)
    found = nested(rows, [whole, *LEVELS[1:]], order)
    assert np.bincount(found.labels[0]).max() <= len(rows) / 2
    assert 0.3 < found.levels[0].resolution <= 1.0


def test_texts_that_are_all_alike_stay_one_theme():
    rows = unit(np.ones((60, 12)) + 1e-3 * np.random.default_rng(0).standard_normal((60, 12)))
    assert (
        nested(rows, [Level("theme", None, -1.0, neighbours=59, resolution=0.5)]).labels[0].max()
        == 0
    )


@pytest.mark.parametrize("order", ORDERS)
def test_the_same_rows_give_the_same_levels_on_any_number_of_threads(order):
    rows = corpus()[0]
    one, three = (nested(rows, order=order, n_jobs=jobs) for jobs in (1, 3))
    assert one.levels == three.levels
    for ours, theirs in zip(one.labels + one.linkages, three.labels + three.linkages, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_texts_are_clustered_too(n, order):
    rows = unit(np.random.default_rng(n).standard_normal((n, 12)))
    for levels in (LEVELS, auto_levels(rows)):
        found = nested(rows, [replace(level, dims=None) for level in levels], order)
        assert all(len(labels) == n and labels.min() == 0 for labels in found.labels)


@pytest.mark.parametrize("order", ORDERS)
def test_the_similarity_of_a_level_gives_as_many_clusters(order):
    rows = corpus()[0]
    found = nested(rows, [LEVELS[1]], order)
    (topic,) = found.levels
    again = nested(rows, [replace(topic, resolution=None)], order)
    assert again.labels[0].max() == found.labels[0].max()


def test_linkages_hold_the_merges_inside_clusters():
    found = nested(corpus()[0])
    for labels, linkage, atoms in zip(found.labels, found.linkages, found.atoms, strict=True):
        assert len(linkage) == atoms.max() - labels.max()


def test_articles_of_one_section_come_closer_and_the_uncertain_stay_as_they_were():
    rows = unit(np.random.default_rng(0).standard_normal((60, 12)))
    sections = np.full((60, 4), 0.25)
    sections[:20] = [0.97, 0.01, 0.01, 0.01]
    sections[20:40] = [0.01, 0.97, 0.01, 0.01]
    level = Level("theme", None, 0.0, section_weight=0.3)
    seen = level_vectors(rows, level, sections=sections)
    assert seen.shape == (60, 16)
    plain, with_them = rows @ rows.T, seen @ seen.T
    gain = with_them - plain
    assert gain[:20, :20][~np.eye(20, dtype=bool)].mean() > 0.1
    assert gain[:20, 20:40].mean() < 0
    assert abs(gain[40:, 40:]).mean() < 0.1
    np.testing.assert_array_equal(level_vectors(rows, level), rows)


def test_bad_levels_are_refused():
    rows = corpus(40)[0]
    for level, message in (
        (Level("x", None, 0.0, neighbours=-1), "neighbours must be at least 0, got -1"),
        (Level("x", None, 0.0, resolution=1.0), "resolution must be positive and go with neigh"),
        (Level("x", None, 0.0, neighbours=3, resolution=0.0), "must be positive"),
    ):
        with pytest.raises(ParameterError, match=message):
            nested(rows, [level])
    with pytest.raises(ParameterError, match=r"section_weight must be in \[0, 1\), got 1"):
        level_vectors(rows, Level("x", None, 0.0, section_weight=1.0))


def test_a_neighbourhood_of_one_row_changes_nothing():
    near = find_neighbours(np.eye(1, 4, dtype=np.float32), np.ones(1), 5)
    assert isinstance(near, Neighbourhood)
    np.testing.assert_array_equal(near.smooth(np.eye(1, 4, dtype=np.float32)), np.eye(1, 4))
