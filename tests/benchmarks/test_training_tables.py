"""The tables of trainings in the docs are those of the results, and rightly made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import measured
import training_tables as tables


def test_the_pages_have_the_tables_of_the_results():
    for page, text in tables.pages().items():
        assert (tables.DOCS / page).read_text("utf-8") == text


def ablation(story: float) -> dict[str, object]:
    told = {
        name: [0.1, 0.2, 0.3]
        for name in ("semeval_pearson", "semeval_pearson_en_en", "stsb_en_spearman")
    }
    stories = {f"{s}_story_f1": {"best": [story] * 3} for s in ("ecbplus", "uci_news")}
    return {**told, **stories, "sib200_relational": [0.4, 0.5, 0.6]}


def test_ablations_are_means_and_deviations_over_seeds():
    rows = {"base, seed 0": ablation(0.5), "LoRA, seed 0": ablation(0.5)}
    rows["LoRA, seed 1"] = ablation(0.7)
    lines = tables.ablations({"small": {"parts": rows}}).splitlines()
    assert lines[4].startswith("| base | 10.0 / 20.0 / 30.0 |")
    assert (
        lines[5].split(" | ")[4] == "60.0 ± 14.1 (of 2) / 60.0 ± 14.1 (of 2) / 60.0 ± 14.1 (of 2)"
    )


def test_newsroom_has_a_column_a_set_and_score():
    told = {name: {"value": 0.25} for name in ("auroc", "mrr_10", "recall_1")}
    rows = {"mnr, 16, seed 0": {"orangesum": told, "masakhanews": told}}
    lines = tables.newsroom({"small": {"rows": rows}}).splitlines()
    assert lines[-1] == "| mnr, 16 |" + " 25.0 |" * 6


def test_gains_weigh_sets_alike_and_pool_their_intervals():
    told = {"value": 0.02, "low": 0.01, "high": 0.03}
    row = {"mean_held_out": 0.5, "mean_never_trained_on": 0.4}
    random = {**row, "against_random": None}
    better = {**row, "against_random": {"bbc": told, "agnews": {**told, "value": 0.04},
                                        "time": {**told, "value": -0.05}}}  # fmt: skip
    training = {"reset: random, seed 0": random, "reset: item, k=10, seed 0": better}
    lines = tables.stratified({"small": {"training": training}}).splitlines()
    assert lines[-2] == "| random | 50.0 | 40.0 | – | – |"
    assert lines[-1] == "| item, k=10 | 50.0 | 40.0 | +3.0 (+2.3 … +3.7) | -5.0 (-6.0 … -4.0) |"


def test_hardness_has_a_line_a_k():
    side = {"positive_mean": 0.7, "negative_mean": 0.2, "likely_false_negatives": 0.01}
    by_k = [{"k": 5, "in_cluster": side, "random": {**side, "negative_mean": 0.05}}]
    lines = tables.stratified({"small": {"hardness": {"pair": {"by_k": by_k}}}}).splitlines()
    assert lines[-1] == "| pairs | 5 | 0.700 | 0.200 | 0.050 | 1.00 % | 1.00 % |"


def test_a_page_keeps_what_stands_around_the_markers():
    begin, end = (f"<!-- from x.json: {mark} -->" for mark in ("begin", "end"))
    new = measured.page_with(f"before\n{begin}\nold\n{end}\nafter\n", "x.json", "| new |\n")
    assert new == f"before\n{begin}\n\n| new |\n\n{end}\nafter\n"
    assert measured.page_with(new, "x.json", "| new |") == new


def test_a_page_without_markers_is_named():
    with pytest.raises(SystemExit, match=r"<!-- from x\.json: begin -->"):
        measured.page_with("text", "x.json", "table")
