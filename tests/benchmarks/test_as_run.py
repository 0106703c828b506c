"""Benchmarks see sets as a run does."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import as_run
import story_rules
from measured import GoldSet
from newsnest.errors import InputError
from newsnest.types import Article

RULE = {"coefficients": {}, "intercept": -1.0}


def corpus(name: str, n: int, *, dated: bool) -> as_run.Corpus:
    dates = [datetime(2026, 5, 1 + row, tzinfo=UTC) if dated else None for row in range(n)]
    articles = [
        Article(f"{name} {row}", text=f"{name} {row}", date=date, source="Gull")
        for row, date in enumerate(dates)
    ]
    times = np.array([date.timestamp() if date else np.nan for date in dates])
    gold = GoldSet(name, articles, np.arange(n) // 2, times)
    return as_run.Corpus("whole", gold, np.eye(n, 4, dtype=np.float32))


@pytest.mark.parametrize("dated", [True, False])
def test_a_tail_takes_dates_and_outlets_of_the_set_it_is_put_to(dated):
    tail = corpus("other", 12, dated=not dated)
    found = story_rules.with_tail(
        corpus("own", 12, dated=dated), tail, 0.3, 100, np.random.default_rng(0)
    )
    added = found.gold.articles[12:]
    assert len(added) == 5 and found.kind == "tail 30% of other"
    assert {article.source for article in added} == {"Gull"}
    assert all((article.date is not None) == dated for article in added)
    assert np.isnan(found.gold.times).any() != dated
    assert len(set(found.gold.gold[12:].tolist()) - set(range(6))) == 5


def test_single_cuts_go_from_every_article_alone_to_one_cluster():
    alike = np.array([[1, 0], [0.96, 0.28], [-1, 0], [-0.96, -0.28]], np.float32)
    own = corpus("own", 4, dated=False)
    found = story_rules.single_cuts(as_run.Corpus("whole", own.gold, alike).judged())
    assert len(set(found["alone"][0].tolist())) == 4
    assert len(set(found["best"][0].tolist())) <= 2
    assert len(found["best"]) == len(story_rules.GRID)


def test_rules_of_stories_that_were_fitted_without_a_set_are_read(tmp_path):
    path = tmp_path / "story_rules.json"
    rules = {"bbc": dict.fromkeys(("partner", "alone", "together"), RULE)}
    path.write_text(json.dumps({"encoders": {"minilm": {"left_out_rules": rules}}}), "utf-8")
    found = as_run.left_out_story_rules(path, "minilm")
    assert found["bbc"].partner.intercept == -1.0
    with pytest.raises(InputError, match=r"Run benchmarks/story_rules\.py first"):
        as_run.left_out_story_rules(tmp_path / "none.json", "minilm")


def test_committed_rules_keep_what_was_not_fitted(tmp_path, monkeypatch):
    monkeypatch.setattr(as_run.calibration, "__file__", str(tmp_path / "calibration.py"))
    path = tmp_path / "calibration.json"
    before = {"time_weight": 0.3, "rules": {"minilm": {"story": 1, "topic": 2}}}
    path.write_text(json.dumps(before), "utf-8")
    as_run.write_rules({"minilm": {"topic": 3}, "any": {"topic": 4}})
    told = json.loads(path.read_text("utf-8"))
    assert told["time_weight"] == 0.3
    assert told["rules"] == {"minilm": {"story": 1, "topic": 3}, "any": {"topic": 4}}
