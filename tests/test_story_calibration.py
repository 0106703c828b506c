"""Rules learnt from labelled stories: near to the prior where labels are few, kept if better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from newsnest.cluster import Evidence, JudgedCorpus, SharedWords, StoryRule, story_rule
from newsnest.pipeline.story_calibration import (
    LabelledTexts,
    _parts_of,
    learn_stories,
    learnt_from,
)


def made(stories: int, alone: int = 40, *, seed: int = 0, spread: float = 0.9) -> LabelledTexts:
    """Texts of stories of four, and others alone: vectors, and words that say the same."""
    rng = np.random.default_rng(seed)
    gold = np.concatenate([np.repeat(np.arange(stories), 4), stories + np.arange(alone)])
    centres = rng.normal(size=(stories + alone, 24))
    text = centres[gold] + spread * rng.normal(size=(len(gold), 24))
    text = (text / np.linalg.norm(text, axis=1, keepdims=True)).astype(np.float32)
    own = np.zeros((len(gold), 60), np.float32)
    own[np.arange(len(gold)), rng.integers(0, 60, len(gold))] = 1.0
    n = len(gold)
    evidence = Evidence(
        text,
        SharedWords(csr_array(own), np.zeros(60, np.bool_)),
        np.full(n, -1, np.int32),
        np.full(n, np.nan),
    )
    return LabelledTexts(evidence, np.ones(n), np.arange(n), gold.astype(np.int64))


def apart(rule: StoryRule, other: StoryRule) -> float:
    return sum(
        float(np.abs(np.subtract(a.coefficients, b.coefficients)).sum())
        for a, b in zip((rule.alone, rule.together), (other.alone, other.together), strict=True)
    )


def test_a_rule_from_few_stories_stays_nearer_to_the_prior():
    prior = story_rule("minilm")
    few, many = (learnt_from([made(stories, alone=10)], prior) for stories in (3, 40))
    assert 0.0 < apart(few, prior) < 0.5 * apart(many, prior)


def test_where_no_story_has_two_texts_nothing_is_learnt():
    prior = story_rule("minilm")
    assert learnt_from([made(0, alone=20)], prior) is prior
    own = made(3, alone=0)
    assert learnt_from([own], prior, [np.ones(3, np.bool_)]) is prior


def test_stories_left_out_are_not_learnt_from():
    own, prior = made(12), story_rule("minilm")
    left_out = np.arange(52) < 6
    mislabelled = own.gold.copy()
    mislabelled[:24] = np.random.default_rng(0).permutation(mislabelled[:24])
    one, other = (
        learnt_from([replace(own, gold=gold)], prior, [left_out])
        for gold in (own.gold, mislabelled)
    )
    assert one == other


def test_a_rule_is_kept_if_stories_left_out_are_found_better_by_it():
    known = story_rule("minilm")
    strict = StoryRule(
        known.partner,
        *(replace(own, intercept=own.intercept - 4.0) for own in (known.alone, known.together)),
    )
    found = learn_stories([made(40)], strict, resamples=50)
    score = found.scores["f1"]
    assert found.rule is not None and score["gain"].low > 0.0
    assert score["learnt"].value > score["before"].value >= score["alone"].value


def test_a_rule_that_finds_stories_already_stays():
    own, prior = made(30, spread=0.4), story_rule("minilm")
    tree = JudgedCorpus.of("", own.evidence, own.gold)
    found_already = tree.judged_by(prior).cut().merges.labels.astype(np.int64)
    found = learn_stories([replace(own, gold=found_already)], prior, resamples=0)
    assert found.rule is None and found.evidence["learnt"] is False
    assert found.scores["f1"]["before"].value == 1.0


def test_the_same_labels_give_the_same_rule():
    one, other = (learn_stories([made(20)], story_rule("any"), resamples=20) for _ in range(2))
    assert one == other


def test_every_part_has_its_share_of_stories_and_of_one_offs():
    parts = _parts_of(np.array([4] * 10 + [1] * 25))
    assert np.bincount(parts[:10]).tolist() == [2] * 5
    assert np.bincount(parts[10:]).tolist() == [5] * 5


def test_copies_tell_one_text_and_unlabelled_articles_none():
    own = made(3, alone=0)
    item = np.array([0, 0, *range(1, 12)])
    gold = np.array([-1, 0, *own.gold[1:-1], -1])
    copied = replace(own, item=item, gold=gold, weights=np.r_[2.0, np.ones(11)])
    assert copied.stories.tolist() == [*own.gold[:-1].tolist(), -1]
    assert copied.texts.tolist() == [4, 4, 3]
    assert copied.agreement(np.zeros(13, np.int64)).sizes.tolist() == [4.0, 4.0, 3.0]
