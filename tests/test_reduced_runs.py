"""Reductions inside the pipeline: other runs of the same vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import invented
from newsnest.errors import ParameterError
from newsnest.nest import Nest
from newsnest.pipeline import Options, build


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented.write(tmp_path_factory.mktemp("reduced") / "news.jsonl", invented.articles())


def labels(nest: Nest, number: int) -> list[tuple[int, ...]]:
    return [member.clusters for member in nest.members(run=nest.run(number))]


def test_another_reduction_is_another_run_of_vectors_encoded_once(corpus: Path, tmp_path, tally):
    with Nest(tmp_path / "n.nest", create=True) as nest:
        build([corpus], nest, Options(encoder="tfidf"))
        rows = nest.store.connection.execute("SELECT count(*) FROM vectors").fetchone()
        reduced = build([corpus], nest, Options(encoder="tfidf", reduce="pca", dims=8))
        again = build([corpus], nest, Options(encoder="tfidf", reduce="pca", dims=8))
        other = build([corpus], nest, Options(encoder="tfidf", reduce="pca", dims=9))
        assert (reduced.new, again.new, other.new) == (True, False, True)
        assert nest.store.connection.execute("SELECT count(*) FROM vectors").fetchone() == rows
        levels = reduced.run.facts["levels"]
        assert [level["dims"] for level in levels] == [2, 4, 8]
        assert levels[-1]["time_weight"] > 0  # stories still look at dates
        assert reduced.run.options["reduce"] == "pca"


def test_umap_sees_all_dimensions_at_every_level_and_names_its_version(corpus: Path, tmp_path):
    pytest.importorskip("umap")
    with Nest(tmp_path / "n.nest", create=True) as nest:
        run = build([corpus], nest, Options(encoder="tfidf", reduce="umap", dims=4)).run
        assert [level["dims"] for level in run.facts["levels"]] == [4, 4, 4]
        assert "umap-learn" in run.versions


def test_too_many_dimensions_end_the_run_before_anything_is_encoded(corpus: Path, tmp_path):
    path = tmp_path / "n.nest"
    with (
        pytest.raises(ParameterError, match="dims must be at most"),
        Nest(path, create=True) as nest,
    ):
        build([corpus], nest, Options(encoder="tfidf", reduce="pca", dims=5000))
    assert not path.exists()


def test_fewer_words_are_counted_where_that_is_asked_for(corpus: Path, tmp_path):
    with Nest(tmp_path / "n.nest", create=True) as nest:
        build([corpus], nest, Options(encoder="tfidf", keyword_terms=3))
        words = {word for cluster in nest.clusters("story") for word in cluster.keywords}
        assert 0 < len(words) <= 3
    with pytest.raises(ParameterError, match="keyword_characters must be at least 1, got 0"):
        Options(keyword_characters=0)


def test_a_reduction_leaves_calibrated_values_of_whole_vectors_aside(
    corpus: Path, tmp_path, tiny_model, tally
):
    import json
    import shutil

    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    told = {"levels": [{"name": "story", "dims": 32, "min_similarity": 0.123}]}
    (model / "newsnest.json").write_text(json.dumps(told))
    with Nest(tmp_path / "n.nest", create=True) as nest:
        whole, cut = (
            build([corpus], nest, Options(encoder=str(model), time_weight=0.0, **reduced)).run
            for reduced in ({}, {"reduce": "truncate", "dims": 16})
        )
    values = [run.facts["levels"][-1]["min_similarity"] for run in (whole, cut)]
    assert values[0] == pytest.approx(0.123)
    assert not np.isclose(values[1], 0.123)
    assert cut.facts["levels"][-1]["dims"] == 16
