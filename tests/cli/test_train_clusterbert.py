"""`newsnest train clusterbert`: its own options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    rows = [
        {"id": str(i), "title": f"{words} {i}"}
        for i in range(12)
        for words in ("sea wall breached", "bank raises rates")
    ]
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps({**row, "id": str(n)}) + "\n" for n, row in enumerate(rows)))
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-k", "one"], "k must be a whole number of at least 2 or auto, got 'one'"),
        (["--targets", "racs"], "got 'racs'. Did you mean 'rac'?"),
        (["-k", "3", "--set", "k=4"], "--set k must be given once, got it twice"),
    ],
)
def test_k_and_targets_are_options_of_their_own(
    newsnest, articles: Path, tiny_model: Path, tmp_path: Path, options: list[str], message: str
):
    start = ["--data", articles, "--base", tiny_model, "-o", tmp_path / "model"]
    assert message in newsnest("train", "clusterbert", *start, *options, status=1).stderr


def test_the_model_clusters_articles(newsnest, articles: Path, tiny_model: Path, tmp_path: Path):
    start = ["--data", articles, "--base", tiny_model, "-o", tmp_path / "model", "-k", "2"]
    start += ["--targets", "kmeans", "--set", "device=cpu", "--set", "adaptation_epochs=0"]
    result = newsnest("train", "clusterbert", *start)
    assert result.stdout == f"{tmp_path / 'model'}\n"
    assert "clustering 1: silhouette" in result.stderr
    newsnest("cluster", articles, "-o", tmp_path / "own.nest", "--encoder", tmp_path / "model")
