"""What is said before training is true."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.train.losses import training_levels
from newsnest.train.run.preflight import (
    LevelCounts,
    Preflight,
    Stopwatch,
    check_gradient,
    choose_connection,
    look_at_batches,
    same_dice,
)

LEVELS = training_levels(32)


def looked(pairs, *, connect_from=1.0, masked=False):
    return look_at_batches(
        pairs, LEVELS, connect_from=connect_from, batch_size=8, masked=masked, seed=0
    )


CHAIN = [Pair("a", "b", 0.75), Pair("c", "d", 0.75), Pair("b", "c", 0.5)]
"""a, b, c and d are one topic; a, b and c, d a story each."""


def test_false_negatives_of_a_batch_are_counted_by_hand():
    counts, batches = looked(CHAIN)
    # The third pair shares its articles with the others, so it stays alone.
    assert sorted(map(sorted, batches)) == [[0, 1], [2]]
    # Each of a, b meets each of c, d: eight entries, all of one topic, none of one story.
    assert counts["story"] == LevelCounts(2, 1, 0.0, 0.0)
    assert counts["topic"] == LevelCounts(3, 0, 1.0, 1.0)
    assert counts["theme"] == LevelCounts(3, 0, 1.0, 1.0)


def test_the_sampler_keeps_connected_pairs_apart():
    counts, batches = looked(CHAIN, connect_from=0.25)
    assert len(batches) == 3
    assert {level.meeting for level in counts.values()} == {0.0}


def test_gold_labels_tell_more_and_the_loss_masks_what_they_tell():
    one, two = ("t", "", "s1"), ("t", "", "s2")
    pairs = [Pair("a", "b", 0.75, gold1=one, gold2=one), Pair("c", "d", 0.75, gold1=two, gold2=two)]
    plain, _ = looked(pairs)
    masked, _ = looked(pairs, masked=True)
    assert plain["theme"].meeting == plain["theme"].false_negatives == 1.0
    assert masked["theme"] == LevelCounts(2, 0, 1.0, 0.0)
    assert plain["story"].meeting == 0.0


def test_a_story_joins_at_the_topic_too_though_no_topic_is_told():
    gold = ("", "", "s")
    pairs = [Pair(t, t + "'", 0.75, gold1=gold, gold2=gold) for t in "ab"]
    counts, _ = looked(pairs, masked=True)
    assert counts["topic"].meeting == 1.0 and counts["topic"].false_negatives == 0.0
    assert counts["story"].false_negatives == 0.0
    counts, _ = looked(pairs, masked=False)
    assert counts["topic"].false_negatives == 1.0


def test_articles_are_kept_apart_from_the_lowest_grade_that_leaves_batches_full():
    stories = [Pair(f"{i}a", f"{i}b", 0.75) for i in range(64)]
    assert choose_connection(stories, batch_size=8, seed=0) == 0.25
    themes = [Pair(f"{i}a", f"{(i + 1) % 64}a", 0.25) for i in range(64)]  # one ring
    assert choose_connection(stories + themes, batch_size=8, seed=0) == 0.5
    hub = [Pair("hub", f"{i}b", 0.75) for i in range(16)]
    assert choose_connection(hub, batch_size=8, seed=0) == 0.75  # nothing helps here


def test_a_gradient_that_reaches_no_weight_is_an_error():
    layer = nn.Linear(2, 1)
    loss = layer(torch.ones(1, 2)).sum()
    loss.backward()
    assert check_gradient(loss, layer) == pytest.approx(math.sqrt(3))
    layer.zero_grad(set_to_none=True)
    with pytest.raises(ParameterError, match="gradient must reach the weights, got length 0"):
        check_gradient(loss, layer)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_loss_that_is_not_finite_is_an_error(value: float):
    layer = nn.Linear(2, 1)
    loss = layer(torch.ones(1, 2)).sum() * value
    loss.backward()
    with pytest.raises(ParameterError, match="loss and gradient must be finite"):
        check_gradient(loss, layer)


def test_looking_first_changes_no_random_number():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with same_dice():
        torch.rand(100)
    assert torch.equal(torch.rand(4), expected)


def test_the_time_is_that_of_steps_and_validations():
    found = Preflight(
        train_pairs=10,
        validation_pairs=2,
        levels={"story": LevelCounts(4, 6, 0.5, 0.25)},
        connect_from=0.25,
        batches=5,
        mean_batch=2.0,
        gradient=1.0,
        step_seconds=2.0,
        evaluation_seconds=10.0,
        steps=100,
        evaluations=5,
    )
    assert found.seconds == 250 and found.as_dict()["seconds"] == 250
    text = "\n".join(found.lines())
    assert "4 min" in text and "50.00%" in text and "25.00% are false negatives" in text


def test_a_stopwatch_goes_forward():
    watch = Stopwatch(torch.device("cpu"))
    assert 0 <= watch.seconds() <= watch.seconds() and np.isfinite(watch.seconds())


def test_articles_of_one_story_are_no_negatives_though_their_topics_differ():
    first, second = ("", "t", "s"), ("", "u", "s")
    pairs = [Pair("a", "b", 0.75, gold1=first, gold2=first)]
    pairs += [Pair("c", "d", 0.75, gold1=second, gold2=second)]
    counts, _ = looked(pairs, masked=True)
    assert counts["topic"].meeting == 1.0 and counts["topic"].false_negatives == 0.0


def test_a_text_of_two_stories_does_not_make_them_one():
    s, z = ("", "", "s"), ("", "", "z")
    pairs = [Pair("copy", "b", 0.75, gold1=s, gold2=s), Pair("copy", "c", 0.75, gold1=z, gold2=z)]
    pairs += [Pair("d", "e", 0.75, gold1=s, gold2=s), Pair("f", "g", 0.75, gold1=z, gold2=z)]
    counts, _ = looked(pairs, masked=True)
    assert counts["story"].false_negatives == 0.0
