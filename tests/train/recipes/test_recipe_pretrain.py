"""The recipe `pretrain`: batches of one cluster, a mask, and the same weights after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_recipe_pairs import row

import newsnest
from newsnest.embed import ModelRecord
from newsnest.errors import ParameterError
from newsnest.labelled import ColumnReading, Splitting, parse_data, read_column_pairs
from newsnest.progress import SILENT
from newsnest.train.losses import MaskedRankingLoss, TeacherVectors
from newsnest.train.recipes.pretrain import PRETRAIN, PretrainSettings
from newsnest.train.recipes.pretrain import train as pretrain
from newsnest.train.recipes.pretrain.train import ask_teacher, masked_share
from newsnest.train.settings import parse_settings, setting_fields, written


@pytest.fixture
def files(write_rows) -> tuple[str, str]:
    return (
        str(write_rows("one.jsonl", [row(i) for i in range(50)])),
        str(write_rows("two.jsonl", [row(i) for i in range(100, 140)])),
    )


@pytest.fixture
def chosen(tiny_model: Path, files, tmp_path: Path) -> Callable[..., PretrainSettings]:
    def make(**changes) -> PretrainSettings:
        usual = {
            "data": files,
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "save": "trained",
            "device": "cpu",
            "precision": "float32",
            "learning_rate": 3e-3,
            "epochs": 2,
            "evaluations": 1,
            "patience": 20,
            "validation": 0.25,
            "batch_size": 8,
            "mini_batch_size": 4,
            "k": (4,),
        }
        return PretrainSettings(**{**usual, **changes})

    return make


def moved(one: Path, other: Path) -> float:
    a, b = (load_file(folder / "model.safetensors") for folder in (one, other))
    return max(float((a[name] - b[name]).abs().max()) for name in a)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "cluster_by": "query",
            "teacher": "tfidf",
            "batch_order": "tour",
            "small_clusters": "short",
        },
        {"cluster_by": "pair", "schedule": "alternating", "mask": False, "sources": "mixed"},
        {"schedule": "growing", "k": (2, 8), "mini_batch_size": None},
        {"schedule": "from", "random_steps": 5, "mask_margin": -0.02},
        {"cluster_by": "none"},
        {"cluster_by": "none", "mask": False},
    ],
    ids=lambda changes: "+".join(f"{k}={v}" for k, v in changes.items()) or "usual",
)
def test_every_choice_trains_a_stock_model(chosen, tiny_model, changes, tally):
    settings = chosen(**changes)
    folder = PRETRAIN.run(settings, progress=tally)
    assert moved(tiny_model, folder) > 0
    kept = ModelRecord.read(folder).as_dict()
    assert kept["recipe"] == "pretrain" and "levels" not in kept
    assert (kept["teacher"] is None) == (not settings.needs_teacher)
    assert kept["chosen"]["clusters"] == ([1] if settings.cluster_by == "none" else [*settings.k])
    assert kept["preflight"]["batches"] == kept["chosen"]["batches"]
    assert {p.name for p in folder.iterdir()} >= {"modules.json", "newsnest.json", "README.md"}
    assert not folder.with_name("model.checkpoints").exists()
    notes = "\n".join(tally.notes)
    assert ("negatives of the first epoch are masked" in notes) == settings.mask
    assert ("batches are random" in notes) == (settings.cluster_by == "none")


def test_training_finds_more_and_a_second_call_does_nothing(chosen, tally):
    settings = chosen(epochs=10, cluster_by="pair")
    folder = PRETRAIN.run(settings, progress=tally)
    scores = ModelRecord.read(folder).as_dict()["validation"]
    assert scores["after"]["ndcg_10"] > scores["before"]["ndcg_10"]
    assert PRETRAIN.run(settings, progress=tally) == folder
    assert "has ended already" in tally.notes[-1]


def test_the_files_of_pairs_are_kept_and_stay_apart(chosen, files):
    sources = parse_data(files, ColumnReading())
    data = read_column_pairs(sources, Splitting(share=0.25))
    assert len(data.files) == len(data.train) and set(data.files) == {0, 1}
    numbers = [int(pair.text2.rsplit(" ", 1)[1]) for pair in data.train]
    assert [file == 1 for file in data.files] == [number >= 100 for number in numbers]


def test_the_teacher_is_asked_once_and_its_words_are_kept(chosen, files, tmp_path, monkeypatch):
    sources = parse_data(files, ColumnReading())
    pairs = read_column_pairs(sources, Splitting(share=0.25)).train
    kept = tmp_path / "folder" / "teacher.npz"
    first = ask_teacher(pairs, chosen(teacher="tfidf", cluster_by="query"), kept)
    monkeypatch.setattr(pretrain, "load_encoder", None)  # would raise if it were called
    again = ask_teacher(pairs, chosen(teacher="tfidf", cluster_by="query"), kept)
    assert first.fingerprint == again.fingerprint != ""
    assert (first.vectors.queries == again.vectors.queries).all()
    assert (first.clusterings[0].labels == again.clusterings[0].labels).all()
    lengths = np.linalg.norm(first.vectors.items, axis=1)
    assert np.allclose(lengths, 1, atol=1e-5) and len(lengths) == len(pairs)


def test_clusters_are_those_of_what_was_chosen():
    eye = np.eye(3, dtype=np.float32)
    teacher = TeacherVectors(eye, eye[::-1].copy())
    for by, width in (("query", 3), ("item", 3), ("pair", 6)):
        assert pretrain.clustered_vectors(teacher, by).shape == (3, width)
    assert (pretrain.clustered_vectors(teacher, "item") == teacher.items).all()


def test_the_masked_share_is_counted_over_all_negatives():
    eye = np.eye(4, dtype=np.float32)
    teacher = TeacherVectors(np.repeat(eye[:1], 4, 0), eye)  # all queries look for the first item
    loss = MaskedRankingLoss(torch.nn.Identity(), teacher=teacher)
    # Of 12 negatives the first item is one of three queries, and they alone are masked.
    assert masked_share([[0, 1, 2, 3]], loss) == pytest.approx(3 / 12)
    assert masked_share([[0, 1, 2, 3]], MaskedRankingLoss(torch.nn.Identity())) == 0


def test_another_teacher_of_the_same_name_is_another_training(chosen, tiny_model, tmp_path):
    import shutil

    teacher = tmp_path / "teacher"
    shutil.copytree(tiny_model, teacher)
    settings = chosen(teacher=str(teacher), epochs=1)
    PRETRAIN.run(settings, progress=SILENT)
    (teacher / "more.json").write_text("{}")
    with pytest.raises(ParameterError, match="output must not exist"):
        PRETRAIN.run(settings, progress=SILENT)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"k": ()}, "k must be whole numbers from 1 on, each higher than the one before, got none"),
        ({"k": (0,)}, "each higher than the one before, got 0"),
        ({"k": (9, 3), "schedule": "growing"}, "each higher than the one before, got 9:3"),
        ({"k": (3, 9)}, "k must be one with schedule=always, got 3:9"),
        ({"schedule": "growing"}, "k must be several with schedule=growing, got 4"),
        (
            {"schedule": "growing", "k": (2, 3, 4)},
            "k must be no more than the 2 epochs with schedule=growing, got 2:3:4",
        ),
        ({"random_steps": 3}, "random_steps must be 0 with schedule=always, got 3"),
        ({"schedule": "from"}, "random_steps must be at least 1 with schedule=from, got 0"),
        (
            {"cluster_by": "none", "schedule": "alternating"},
            "schedule must be always with cluster_by=none, got alternating",
        ),
        ({"mask": False, "mask_margin": 0.1}, "mask_margin must be 0 with mask=false, got 0.1"),
        (
            {"mask": False, "cluster_by": "none", "teacher": "minilm"},
            "teacher must be none with cluster_by=none and mask=false, got 'minilm'",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(chosen, changes, said):
    with pytest.raises(ParameterError, match=said):
        chosen(**changes)


def test_more_clusters_than_pairs_are_refused(chosen):
    with pytest.raises(ParameterError, match="k must be at most the number of pairs trained on, "):
        PRETRAIN.run(chosen(k=(1000,)), progress=SILENT)


def test_a_mask_that_leaves_nothing_is_refused(chosen):
    with pytest.raises(ParameterError, match="the mask must leave negatives, got none left"):
        PRETRAIN.run(chosen(mask_margin=1.0), progress=SILENT)


def test_settings_are_read_from_the_command_line(chosen):
    told = ["cluster_by=query", "k=10:50:512", "teacher=minilm", "schedule=growing"]
    read = parse_settings(PretrainSettings, told, data=["a"], base="minilm", output="m")
    assert read.k == (10, 50, 512) and read.teacher == "minilm" and read.temperature == 0.02


@pytest.mark.slow
def test_training_goes_on_after_a_kill_to_the_same_weights(chosen, tmp_path):
    settings = chosen(output=tmp_path / "whole", epochs=12, schedule="alternating")
    PRETRAIN.run(settings, progress=SILENT)
    told = [
        f"{own.name}={written(getattr(settings, own.name))}"
        for own in setting_fields(type(settings))
    ]
    command = [sys.executable, "-m", "newsnest", "train", "pretrain"]
    command += [part for one in settings.data for part in ("--pairs", one)]
    command += ["--base", settings.base, "-o", str(tmp_path / "killed")]
    command += [part for one in told for part in ("--set", one)]
    source = str(Path(newsnest.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / "killed.checkpoints"
    while len(list(checkpoints.glob("checkpoint-*/trainer_state.json"))) < 2:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    assert len(list(checkpoints.glob("teacher-*.npz"))) == 1
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    assert moved(tmp_path / "whole", tmp_path / "killed") == 0
