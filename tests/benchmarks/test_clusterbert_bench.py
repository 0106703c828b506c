"""The ClusterBERT benchmark goes on where it stopped, and asks for settings that exist."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from clusterbert import Bench, Texts, cluster_cells, scored
from clusterbert_cells import Cells
from clusterbert_methods import ABLATIONS, CLUSTERERS, DEEP, PROFILES, kmeans, rac, tfidf
from clusterbert_table import ENCODERS
from newsnest.train.recipes.clusterbert import ClusterbertSettings
from newsnest.train.recipes.contrast import ScclSettings, VasclSettings

KEY = {"part": "frozen", "set": "bbc", "encoder": "frozen", "clusterer": "k-means", "seed": 0}


def test_what_was_measured_is_not_measured_again(tmp_path, capsys):
    cells = Cells(tmp_path, "small")
    cells.measure(lambda: {"nmi": 0.5}, **KEY)
    cells.measure(lambda: {"nmi": 0.6}, **{**KEY, "seed": 1})

    def never():
        raise AssertionError

    again = Cells(tmp_path, "small")
    again.measure(never, **KEY)
    assert [cell["nmi"] for cell in again.done.values()] == [0.5, 0.6]
    assert not Cells(tmp_path, "full").done
    assert "frozen bbc frozen k-means 0" in capsys.readouterr().out


def test_a_line_that_a_kill_cut_off_is_measured_again(tmp_path, capsys):
    cells = Cells(tmp_path, "small")
    cells.measure(lambda: {"nmi": 0.5}, **KEY)
    cells.measure(lambda: {"nmi": 0.6}, **{**KEY, "seed": 1})
    cells.file.write_text(cells.file.read_text()[:-20])
    again = Cells(tmp_path, "small")
    assert [cell["seed"] for cell in again.done.values()] == [0]
    assert "is measured again" in capsys.readouterr().out
    again.measure(lambda: {"nmi": 0.7}, **{**KEY, "seed": 1})
    assert [c["nmi"] for c in Cells(tmp_path, "small").done.values()] == [0.5, 0.7]


def test_every_training_is_clustered_by_its_own_seed_and_deeply_by_those_of_the_profile(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(CLUSTERERS, "IDEC", CLUSTERERS["k-means"])
    cells = Cells(tmp_path, "small")
    bench = Bench(tmp_path, tmp_path, cells, "small")
    texts = Texts("bbc", ["a", "b", "c"], np.array([0, 0, 1]))
    vectors = np.eye(3, dtype=np.float32)
    for seed in (0, 1):
        names = ("k-means", "RAC", "IDEC")
        cluster_cells(bench, texts, "SCCL", vectors, part="trained", names=names, seeds=(seed,))
    done = [(cell["clusterer"], cell["seed"]) for cell in cells.done.values()]
    assert done == [("k-means", 0), ("RAC", 0), ("IDEC", 0), ("k-means", 1), ("RAC", 1)]
    assert cells.hours() * 3600 == pytest.approx(sum(c["seconds"] for c in cells.done.values()))


@pytest.mark.parametrize("name", PROFILES)
def test_every_training_asks_for_settings_that_its_recipe_accepts(name):
    profile = PROFILES[name]
    usual = {"data": ("x",), "base": "minilm", "output": Path("m")}
    ScclSettings(k=5, **usual, **profile.contrast)
    VasclSettings(**usual, **profile.contrast)
    for changed in ({}, *ABLATIONS.values()):
        told = {"targets": "kmeans", **profile.clusterbert, **changed}
        settings = ClusterbertSettings(k="5", **usual, **told)
        assert all(getattr(settings, key) == value for key, value in changed.items())


def test_the_cheap_clusterers_and_tfidf_find_what_is_plain():
    texts = [f"{word} {word} {other}" for word in ("wall", "bank") for other in ("one", "two")] * 5
    gold = np.array([0, 0, 1, 1] * 5)
    vectors = tfidf(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    for cluster in (kmeans, rac):
        told = scored(cluster(vectors, 2, 0, PROFILES["small"]), gold)
        assert (told["nmi"], told["accuracy"], told["clusters"]) == (1, 1, 2)


def test_a_text_without_a_word_has_a_vector_and_outliers_are_counted():
    assert np.linalg.norm(tfidf(["wall breached", "the of"]), axis=1) == pytest.approx(1)
    told = scored(np.array([0, 0, -1, -1]), np.array([0, 0, 1, 1]))
    assert (told["clusters"], told["noise"], told["accuracy"]) == (1, 0.5, 0.75)


def test_the_table_has_a_row_for_every_name():
    assert set(DEEP) <= set(CLUSTERERS)
    assert {"frozen", "TF-IDF", "SIF"} <= set(ENCODERS)
