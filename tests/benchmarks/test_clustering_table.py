"""The tables of clustering are those of the results, and rightly made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import clustering_table as tables


def test_the_pages_have_the_tables_of_the_results():
    for path, text in tables.pages().items():
        assert path.read_text("utf-8") == text


def result(name: str, level: str, kind: str = "whole", **f1: float) -> dict[str, Any]:
    rows = [
        {"method": method.replace("_", " "), "bcubed_f1": value, "pair_f1": value / 2,
         "nmi": value / 4, "clusters": 3, "largest": 0.5}
        for method, value in f1.items()
    ]  # fmt: skip
    return {"set": name, "level": level, "kind": kind, "articles": 9, "methods": rows}


def newsnest(value: float) -> dict[str, float]:
    return {"newsnest, left out": value, "EVoC": 0.4}


def record() -> dict[str, Any]:
    return {
        "results": [
            result("global_news", "story", **newsnest(0.8)),
            result("uci_news", "story", **newsnest(0.6), **{"newsnest, left out, no dates": 0.5}),
            result("uci_news", "story", "tail 30% of wiki_events", **newsnest(0.6)),
            result("ecbplus", "story", "tail 30% of wiki_events", **newsnest(0.8)),
            result("ecbplus", "story", "tail 70% of wiki_events", **newsnest(0.9)),
            result("ecbplus", "topic", **newsnest(0.7)),
            result("week_feeds", "theme", **newsnest(0.8)),
            result("bbc", "theme", **newsnest(0.9)),
        ]
    }


def test_stories_have_f1_of_items_and_of_pairs_and_topics_of_items():
    lines = tables.readme(record()).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:5] == ["global_news, a day of 28 outlets", "story", "9", "–", "0.80 / 0.40"]
    assert cells[2][4] == "0.50 / 0.25"
    assert cells[5][1:5] == ["topic", "9", "–", "0.70"]


def test_tails_are_means_over_sets_and_dumps_have_nmi_of_themes():
    lines = tables.readme(record()).splitlines()[-5:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[4] for row in cells] == ["0.70 / 0.35", "0.90 / 0.45", "0.70", "0.20", "0.90"]
    assert cells[0][0] == "four sets, 30 % one-offs added"
