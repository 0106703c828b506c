from __future__ import annotations

import numpy as np
import pytest

from newsnest.cluster import auto_levels, auto_time_scale, calibration_digest, default_time_weight
from newsnest.cluster.calibration import (
    Rule,
    Spread,
    coarse_rule,
    measure_spread,
    news_share,
    rule_for,
    tell_apart,
)
from newsnest.errors import ParameterError

DAY = 86_400.0


def text(n=800, d=32, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_spread_agrees_with_all_pairs():
    rows = text()
    every = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    nearest = (rows @ rows.T - 2 * np.eye(len(rows))).max(axis=1)
    spread = measure_spread(rows)
    assert spread.deviation == pytest.approx(every.std(), abs=2e-3)
    assert spread.tail == pytest.approx(np.quantile(every, 0.99), abs=5e-3)
    assert spread.nearest == pytest.approx(np.median(nearest), abs=1e-4)


def test_spread_is_the_same_every_time():
    assert measure_spread(text()) == measure_spread(text())


def test_a_rule_is_linear_and_stays_a_cosine():
    usual = Spread(0.1, 0.4, 0.6, 0.3)
    rule = Rule(0.1, 2.0, 0.5, -0.25, 0.5, dated=None, usual=usual)
    assert rule.apply(usual) == pytest.approx(0.1 + 0.2 + 0.2 - 0.15 + 0.15)
    assert rule.apply(Spread(9.0, 1.0, 0.0, 0.0)) == 1.0


def test_few_texts_are_judged_by_the_usual_spread():
    usual = Spread(0.1, 0.4, 0.6, 0.3)
    rule = Rule(0.0, 1.0, 0.0, 0.0, 0.0, None, usual)
    one, many = rule.value(text(1)), rule.value(text(5000))
    assert one == pytest.approx(usual.deviation)
    assert many == pytest.approx(measure_spread(text(5000)).deviation, rel=0.02)


def test_levels_come_coarse_to_fine_with_their_share_of_dimensions():
    levels = auto_levels(text(), encoder="minilm")
    assert [level.name for level in levels] == ["theme", "topic", "story"]
    assert [level.dims for level in levels] == [8, 16, 32]
    assert all(level.time_weight == 0 for level in levels)


def test_given_values_replace_the_defaults():
    plain = auto_levels(text())
    given = auto_levels(text(), min_similarity={"topic": 0.123})
    assert given[1].min_similarity == 0.123
    assert given[0] == plain[0]
    assert given[2] == plain[2]


def test_time_moves_the_story_level_alone():
    weight = default_time_weight()
    week = np.linspace(0, 6 * DAY, 800)
    dated = auto_levels(
        text(), encoder="minilm", time_weight=weight, times=week, time_scale=DAY / 2
    )
    assert dated[0].time_weight == dated[1].time_weight == 0
    rule = rule_for("story", "minilm")
    assert dated[2].min_similarity == pytest.approx((1 - weight) * rule.dated + weight)
    nearly = auto_levels(text(), encoder="minilm", time_weight=1e-9, times=week)[2].min_similarity
    assert nearly == pytest.approx(auto_levels(text(), encoder="minilm")[2].min_similarity)


def test_articles_of_one_moment_are_judged_by_text_alone():
    weight = default_time_weight()
    undated = auto_levels(text())[2].min_similarity
    same = auto_levels(text(), time_weight=weight, times=np.zeros(800), time_scale=3600.0)[2]
    assert same.min_similarity == pytest.approx((1 - weight) * undated + weight)


def test_dates_tell_apart_what_lies_further_than_the_scale():
    assert tell_apart(np.zeros(10), 60.0) == 0.0
    assert tell_apart(np.arange(100) * DAY, 60.0) == pytest.approx(1.0)
    assert tell_apart(np.linspace(0, 6, 2000), 1.0) == pytest.approx(0.6, abs=0.05)
    assert tell_apart(np.array([np.nan, 5.0]), 1.0) == 0.0


def test_time_needs_times():
    with pytest.raises(ParameterError, match="times must be given with a time_weight"):
        auto_levels(text(), time_weight=0.3)


def test_an_encoder_without_rules_gets_the_pooled_ones():
    assert auto_levels(text(), encoder="some/model") == auto_levels(text())


@pytest.mark.parametrize(
    ("days", "expected"),
    [([0, 6], 1.0), ([0, 3000], 14.0), ([5, 5], 1 / 24), ([0, np.nan, 6], 1.0)],
)
def test_time_scale_is_a_sixth_of_the_span_within_limits(days, expected):
    times = np.repeat(np.array(days) * DAY, 100)
    assert auto_time_scale(times) == pytest.approx(expected * DAY)


def test_one_wrong_date_does_not_stretch_the_time_scale():
    times = np.concatenate([np.linspace(0, 6 * DAY, 500), [-40 * 365 * DAY]])
    assert auto_time_scale(times) == pytest.approx(DAY, rel=0.06)


def test_bad_values_are_refused():
    with pytest.raises(ParameterError, match="name levels among theme, topic, story, got 'x'"):
        auto_levels(text(), min_similarity={"x": 0.5})
    with pytest.raises(ParameterError, match=r"must be in \[-1, 1\], got 3 for story"):
        auto_levels(text(), min_similarity={"story": 3})
    with pytest.raises(ParameterError, match="rule_for: level must be story, got 'topic'"):
        rule_for("topic")
    with pytest.raises(ParameterError, match="coarse_rule: level must be theme or topic"):
        coarse_rule("story")


def test_the_digest_names_the_committed_rules():
    assert len(calibration_digest()) == 16


def test_texts_that_sections_tell_apart_are_news_and_others_are_not():
    certain = np.eye(8)[np.arange(400) % 8]
    assert news_share(certain) == 1.0
    assert news_share(np.full((400, 8), 1 / 8)) == 0.0  # nobody can tell
    assert news_share(certain[:, :1].repeat(2, axis=1) / 2) == 0.0  # one subject
    assert news_share(None) == 0.0
    assert 0.0 < news_share(0.9 * certain + 0.1 / 8) < 1.0


def test_weights_count_where_sections_are_measured():
    sections = np.eye(8)[np.arange(64) % 8]
    heavy = np.where(np.arange(64) % 8 == 0, 1000.0, 1.0)
    assert news_share(sections, heavy) < news_share(sections)


def test_themes_of_news_are_cut_finer_than_others():
    sections = np.eye(8)[np.arange(len(text())) % 8]
    for plain, news in zip(
        auto_levels(text()), auto_levels(text(), sections=sections), strict=True
    ):
        assert plain.name == "story" or news.resolution > plain.resolution
        assert news.section_weight >= plain.section_weight


def test_a_given_similarity_cuts_the_smoothed_tree_at_one_cosine():
    theme, topic, _ = auto_levels(text(), min_similarity={"topic": 0.3})
    assert topic.resolution is None
    assert (topic.min_similarity, topic.neighbours) == (0.3, coarse_rule("topic").neighbours)
    assert theme.resolution is not None
