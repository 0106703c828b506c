"""Stories by evidence: the partition, the rule, and how it is fitted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from newsnest.cluster import (
    GRAINS,
    Evidence,
    JudgedCorpus,
    SharedWords,
    StoryCutter,
    StoryRule,
    StoryTree,
    agglomerate_rows,
    fit_story_rule,
    story_rule,
)
from newsnest.cluster import tree_kernels as trees
from newsnest.cluster.evidence import MERGE_EVIDENCE, NEAREST_EVIDENCE
from newsnest.cluster.evidence_kernels import sampled_pairs
from newsnest.cluster.story_fit import _ALONE, _TOGETHER, shares_of_pairs
from newsnest.cluster.story_odds import Linear
from newsnest.errors import ParameterError
from newsnest.evaluate import bcubed_f1

DAY = 86_400.0


def made(stories, alone, *, seed=0, dated=True, d=48):
    """Evidence of stories of four texts that share words of their own, and of texts alone."""
    rng = np.random.default_rng(seed)
    gold = np.concatenate([np.repeat(np.arange(stories), 4), stories + np.arange(alone)])
    n = len(gold)
    text = rng.normal(size=(gold.max() + 1, d))[gold] + 0.6 * rng.normal(size=(n, d))
    text = (text / np.linalg.norm(text, axis=1, keepdims=True)).astype(np.float32)
    words = np.zeros((n, 3 * (gold.max() + 1) + 40), np.float32)
    for row, story in enumerate(gold):
        words[row, 3 * story : 3 * story + 3] = 2.0
        words[row, 3 * (gold.max() + 1) + rng.integers(0, 40, 4)] += 1.0
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    numeric = np.zeros(words.shape[1], np.bool_)
    numeric[::11] = True
    times = gold * DAY + rng.uniform(0, DAY / 2, n) if dated else np.full(n, np.nan)
    sources = rng.integers(-1, 5, n).astype(np.int32)
    shared = SharedWords(csr_array(words), numeric)
    return Evidence(text, shared, sources, times, None, 5 * DAY if dated else 0.0), gold


def cut(evidence, grain="default", rule=None):
    cutter = StoryCutter.of(
        evidence, np.ones(len(evidence.text)), rule or story_rule("minilm"), grain=grain
    )
    return cutter, cutter(np.arange(len(evidence.text)))


def partitions_of(children, n):
    """Yield every partition of a tree into nodes, as sets of nodes."""
    top = n + len(children) - 1

    def below(node):
        yield (node,)
        if node >= n:
            for left, right in itertools.product(*map(below, children[node - n])):
                yield left + right

    yield from below(top)


def test_the_partition_is_the_best_of_all_that_the_tree_has():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(9, 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    children = trees.children_of(agglomerate_rows(rows, np.ones(9), min_similarity=-1.0).pairs, 9)
    for seed in range(20):
        gain = np.concatenate([np.zeros(9), np.random.default_rng(seed).normal(size=8)])
        worth = trees.accumulated(children, gain)
        cluster = trees.best_partition(children, worth)
        found = sum(worth[node] for node in set(cluster[:9].tolist()))
        assert found == pytest.approx(max(sum(worth[list(p)]) for p in partitions_of(children, 9)))


def test_similarity_within_a_node_is_that_of_all_its_pairs():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    merges = agglomerate_rows(rows, np.ones(30), min_similarity=-1.0)
    children = trees.children_of(merges.pairs, 30)
    total = trees.sums(children, np.ones(30))
    inner = trees.self_similarity(children, total, merges.similarity, 30)
    assert total[-1] == 30
    assert inner[-1] == pytest.approx((rows @ rows.T).mean(), abs=1e-5)


def test_pairs_of_a_merge_come_from_its_two_sides():
    rows = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    children = trees.children_of(agglomerate_rows(rows, np.ones(60), min_similarity=-1.0).pairs, 60)
    members = [{row} for row in range(60)]
    left, right, starts = sampled_pairs(children, 60)
    for step, (i, j) in enumerate(children.tolist()):
        own = slice(starts[step], starts[step + 1])
        pairs = set(zip(left[own].tolist(), right[own].tolist(), strict=True))
        assert all(a in members[i] and b in members[j] for a, b in pairs)
        if len(members[i]) * len(members[j]) <= 8:
            assert len(pairs) == len(members[i]) * len(members[j])
        members.append(members[i] | members[j])


def test_stories_are_found_among_one_off_articles_and_without_them():
    for stories, alone in ((30, 0), (12, 200), (25, 100)):
        evidence, gold = made(stories, alone)
        cutter, merges = cut(evidence)
        assert bcubed_f1(merges.labels, gold) > 0.9
        assert cutter.tree is not None
        assert 0.5 <= cutter.confidence <= 1.0


def test_nothing_is_joined_where_nothing_is_alike():
    evidence, gold = made(0, 150)
    cutter, merges = cut(evidence)
    assert len(np.unique(merges.labels)) > 0.95 * len(gold)
    assert cutter.sharing < 0.3


def test_the_share_of_articles_with_a_partner_follows_the_corpus():
    few, _ = cut(made(5, 200)[0])
    many, _ = cut(made(50, 10)[0])
    assert few.sharing < many.sharing


def test_merges_kept_are_those_within_stories():
    evidence, _ = made(20, 40)
    _, merges = cut(evidence)
    root = np.arange(len(merges.labels))
    for a, b in merges.pairs:
        root[root == root[b]] = root[a]
    assert len(np.unique(np.stack([root, merges.labels]), axis=1).T) == len(np.unique(root))


def test_finer_grains_never_join_more():
    evidence, _ = made(20, 60, seed=4)
    counts = [len(np.unique(cut(evidence, grain)[1].labels)) for grain in GRAINS]
    finest, finer, default, coarser = counts
    assert finest >= finer >= default >= coarser
    assert list(GRAINS) == ["finest", "finer", "default", "coarser"]


def test_an_unknown_grain_is_refused():
    with pytest.raises(ParameterError, match="grain must be one of finest, finer, default"):
        cut(made(2, 2)[0], "corse")
    cutter, _ = cut(made(2, 2)[0])
    with pytest.raises(ParameterError, match="grain must be one of finest, finer, default"):
        StoryCutter.again(cutter.tree, 0.5, grain="corse")


@pytest.mark.parametrize("grain", GRAINS)
def test_a_tree_kept_in_single_precision_is_cut_alike(grain):
    evidence, _ = made(20, 60, seed=6)
    cutter, merges = cut(evidence, grain)
    tree = cutter.tree

    def kept(values):
        return values.astype(np.float32).astype(np.float64)

    linked = replace(tree.merges, similarity=kept(tree.merges.similarity))
    again = StoryCutter.again(
        StoryTree(linked, tree.weights, kept(tree.log_odds), kept(tree.likeness)),
        cutter.sharing,
        grain=grain,
    )
    found = again(np.arange(len(merges.labels)))
    assert np.array_equal(found.labels, merges.labels)
    assert np.array_equal(found.similarity, merges.similarity)
    assert (again.min_similarity, again.confidence) == (cutter.min_similarity, cutter.confidence)


def test_the_same_texts_are_cut_alike_again():
    evidence, _ = made(25, 60)
    first, second = cut(evidence), cut(evidence)
    assert np.array_equal(first[1].labels, second[1].labels)
    assert np.array_equal(first[0].tree.log_odds, second[0].tree.log_odds)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_texts_are_cut(n):
    evidence, _ = made(0, n)
    cutter, merges = cut(evidence)
    assert len(merges.labels) == n
    assert -1.0 <= cutter.min_similarity <= 1.0


def test_texts_without_words_or_dates_are_compared_by_meaning():
    evidence, gold = made(20, 20, dated=False)
    bare = replace(
        evidence, words=SharedWords(csr_array((len(gold), 0), dtype=np.float32), np.zeros(0, bool))
    )
    assert not bare.dated
    assert bcubed_f1(cut(bare)[1].labels, gold) > 0.8


def test_some_texts_are_cut_by_the_evidence_of_all():
    evidence, gold = made(20, 20)
    cutter = StoryCutter.of(evidence, np.ones(len(gold)), story_rule())
    members = np.flatnonzero(gold < 10)
    labels = cutter(members).labels
    assert len(labels) == len(members)
    assert bcubed_f1(labels, gold[members]) > 0.8


def test_the_agreeing_cosine_separates_what_was_made_from_what_was_not():
    rows = np.eye(4, dtype=np.float32)
    rows[1] = rows[0]
    merges = agglomerate_rows(rows, np.ones(4), min_similarity=-1.0)
    tree = StoryTree(merges, np.ones(4), np.array([5.0, -5.0, -5.0]), np.array([0.9, 0.3, 0.2]))
    found = tree.cut()
    assert found.min_similarity == pytest.approx(0.6)
    assert len(found.merges.pairs) == 1


def test_evidence_is_what_it_says():
    evidence, _ = made(15, 15)
    n = len(evidence.text)
    rows, _, tenth = evidence.rows()
    merges = agglomerate_rows(rows, np.ones(n), min_similarity=-1.0)
    found, likeness = evidence.merges(merges, np.ones(n), tenth)
    column = {name: found[:, place] for place, name in enumerate(MERGE_EVIDENCE)}
    assert found.shape == (n - 1, len(MERGE_EVIDENCE))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(column["height"], merges.similarity)
    a, b = merges.pairs[0]  # of two single texts everything is known
    meaning = evidence.text[a] @ evidence.text[b]
    words = (evidence.words.weights[[a]] @ evidence.words.weights[[b]].T).toarray()[0, 0]
    step = (evidence.times[a] - evidence.times[b]) / evidence.time_scale
    assert column["meaning"][0] == pytest.approx(meaning, abs=1e-5)
    assert column["words_max"][0] == pytest.approx(words, abs=1e-5)
    assert likeness[0] == pytest.approx(0.8 * meaning + 0.2 * np.exp(-0.5 * step**2), abs=1e-4)
    assert column["same_outlet"][0] == (evidence.sources[a] == evidence.sources[b] >= 0)
    assert column["larger"][0] == column["smaller"][0] == 0.0


def test_sketches_keep_the_products_of_words():
    words = made(20, 40)[0].words
    exact = (words.weights @ words.weights.T).toarray()
    sketch = words.sketch()
    assert sketch.shape == (len(exact), 256)
    assert np.abs(sketch @ sketch.T - exact).mean() < 0.08


def test_shares_of_pairs_count_pairs():
    rows = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    stories = np.random.default_rng(1).integers(0, 4, 20)
    children = trees.children_of(agglomerate_rows(rows, np.ones(20), min_similarity=-1.0).pairs, 20)
    members = [[row] for row in range(20)]
    for share, (i, j) in zip(shares_of_pairs(children, stories), children, strict=True):
        same = [stories[a] == stories[b] for a in members[i] for b in members[j]]
        assert share == pytest.approx(np.mean(same))
        members.append(members[i] + members[j])


def test_a_fitted_rule_keeps_its_signs_and_finds_stories_it_has_not_seen():
    seen = [JudgedCorpus.of(f"set {s}", *made(20, alone, seed=s)) for s, alone in ((1, 0), (2, 90))]
    rule = fit_story_rule(seen)
    for linear, bounds in ((rule.alone, _ALONE), (rule.together, _TOGETHER)):
        for value, name in zip(linear.coefficients, MERGE_EVIDENCE, strict=True):
            low, high = bounds[name]
            assert low <= value <= high
    evidence, gold = made(15, 60, seed=9)
    assert bcubed_f1(cut(evidence, rule=rule)[1].labels, gold) > 0.9


def test_a_strong_prior_is_kept():
    corpus = JudgedCorpus.of("one", *made(10, 30))
    prior = story_rule("minilm")
    near = fit_story_rule([corpus], prior=prior, ridge=1e6)
    for ours, theirs in ((near.alone, prior.alone), (near.partner, prior.partner)):
        np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-3)
        assert ours.intercept == pytest.approx(theirs.intercept, abs=1e-2)


def test_rules_are_written_and_read_alike():
    rule = story_rule("static")
    assert StoryRule.of(rule.fields) == rule
    assert story_rule("no encoder of this name") == story_rule("any")


def test_a_rule_says_how_likely_by_name():
    linear = Linear.of({"coefficients": {"words": 2.0}, "intercept": -1.0}, NEAREST_EVIDENCE)
    np.testing.assert_allclose(linear.log_odds(np.array([[9.0, 0.5]])), [0.0])


def test_words_of_two_languages_are_not_compared():
    evidence, gold = made(20, 20)
    apart = replace(evidence, languages=(np.arange(len(gold)) % 2).astype(np.int32))
    neighbour = ((np.arange(len(gold)) + 1) % len(gold)).astype(np.int32)  # of the other language
    meaning, words = apart.nearest(neighbour).T
    np.testing.assert_allclose(words, 0.4 * np.maximum(meaning, 0), atol=1e-6)
    assert bcubed_f1(cut(apart)[1].labels, gold) > 0.85


def test_a_rule_of_one_share_judges_every_corpus_as_one_with_it():
    rule, merges = story_rule("minilm"), np.random.default_rng(0).normal(size=(9, 12))
    for sharing in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(
            rule.among(0.3).log_odds(merges, sharing), rule.log_odds(merges, 0.3)
        )


def test_evidence_that_there_is_none_of_is_told():
    fields = story_rule("minilm").fields
    fields["partner"]["coefficients"]["meanings"] = 1.0
    with pytest.raises(ParameterError, match="evidence must be among meaning, words, got 'm"):
        StoryRule.of(fields)


def test_texts_that_stand_for_more_articles_weigh_more():
    evidence, gold = made(10, 10)
    weights = np.where(np.arange(len(gold)) == 0, 5.0, 1.0)
    judged = JudgedCorpus.of("one", evidence, gold, weights)
    larger = judged.merges[:, MERGE_EVIDENCE.index("larger")]
    assert np.isclose(np.exp(larger[-1]) + np.exp(judged.merges[-1, 6]), weights.sum())
    assert judged.judged_by(story_rule("any")).weights is weights
