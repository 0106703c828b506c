"""The tables of reports/clusterbert.md are those of the result, and its script makes them right."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import clusterbert_table as table
import measured


def cell(**changes):
    usual = {"part": "frozen", "set": "bbc", "encoder": "frozen", "clusterer": "k-means",
             "seed": 0, "nmi": 0.5, "accuracy": 0.75}  # fmt: skip
    return {**usual, **changes}


RECORD = {
    "small": {
        "says": "What it is.",
        "cells": [
            cell(),
            cell(seed=1, nmi=0.7, accuracy=0.75),
            cell(set="agnews", clusterer="RAC", nmi=0.125, accuracy=0.25),
            cell(encoder="ClusterBERT, best stage", part="trained"),
            cell(encoder="ClusterBERT, no noise", part="ablations"),
            {"part": "number", "set": "bbc", "encoder": "frozen", "seed": 0, "true_k": 5, "k": 6,
             "targets": "kmeans", "kmeans_k": 6},
            {"part": "number", "set": "bbc", "encoder": "frozen", "seed": 1, "true_k": 5, "k": 40,
             "targets": "rac", "kmeans_k": 4},
            {"part": "number", "set": "other", "encoder": "frozen", "seed": 0, "true_k": 7, "k": 7,
             "targets": "kmeans", "kmeans_k": 7},
            {"part": "retrieval", "set": "bbc", "encoder": "SCCL", "task": "answers", "seed": 0,
             "map": 0.3, "mrr_10": 0.4},
        ],
    }
}  # fmt: skip


def test_the_page_has_the_tables_of_the_result():
    record = json.loads(table.RESULT.read_text("utf-8")) if table.RESULT.exists() else {}
    page = table.PAGE.read_text("utf-8")
    assert page == measured.page_with(page, table.RESULT.name, table.build(record))


def test_cells_become_means_and_deviations_in_percent():
    lines = table.build(RECORD).splitlines()
    assert "| encoder + clusterer | BBC, articles | AgNews |" in lines
    assert "| frozen + k-means | 60.0 ± 14.1 (of 2) / 75.0 ± 0.0 (of 2) | – |" in lines
    assert "| frozen + RAC | – | 12.5 / 25.0 |" in lines


def test_what_was_chosen_on_labels_is_marked_and_parts_have_tables_of_their_own():
    lines = table.build(RECORD).splitlines()
    assert "| ClusterBERT, best stage + k-means † | 50.0 / 75.0 | – |" in lines
    assert "| no noise | 50.0 / 75.0 |" in lines
    assert "| BBC, articles | 5 | 6, 4 | kmeans 6, rac 40 |" in lines
    assert "| other ‡ | 7 | 7 | kmeans 7 |" in lines
    assert "| SCCL | answers | 30.0 | 40.0 | 1 |" in lines
    assert lines.index("What it is.") < lines.index("| frozen + RAC | – | 12.5 / 25.0 |")


def test_what_is_quoted_is_said_to_be():
    told = table.build({})
    assert told.startswith("### Quoted from the paper")
    assert "| quoted, not run here | StackOverflow |" in told
    assert "| ClusterBERT + k-means | 75.6 / 79.9 | 43.4 / 38.2 |" in told
