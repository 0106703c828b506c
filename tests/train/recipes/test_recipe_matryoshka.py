"""The recipe from files to a model that plain sentence-transformers loads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import TrainerControl, TrainerState

import newsnest
from newsnest.embed import ModelRecord
from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.progress import SILENT
from newsnest.train.losses import training_levels
from newsnest.train.recipes.matryoshka import MATRYOSHKA
from newsnest.train.recipes.matryoshka import MatryoshkaSettings as Chosen
from newsnest.train.recipes.matryoshka.train import level_dataset
from newsnest.train.run import PairRun
from newsnest.train.run.place import Place
from newsnest.train.run.trainer import Reporter
from newsnest.train.settings import setting_fields, written

TEXTS = ["sea wall breached", "rates held", "team wins cup"]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def moved(first: Path, second: Path) -> float:
    one, two = weights(first), weights(second)
    assert set(one) == set(two)
    return max((one[k] - two[k]).abs().max().item() for k in one)


def test_a_training_writes_a_stock_model_with_its_levels(
    settings, tiny_model: Path, tmp_path: Path, tally
):
    folder = MATRYOSHKA.run(settings(epochs=4, prefix="query: ", max_length=12), progress=tally)
    assert folder == tmp_path / "model" and not (tmp_path / "model.checkpoints").exists()
    modules = json.loads((folder / "modules.json").read_text())
    assert all(m["type"].startswith("sentence_transformers.") for m in modules)
    model = SentenceTransformer(str(folder), device="cpu")
    assert model.max_seq_length == 12 and model.encode(TEXTS).shape == (3, 32)
    assert not np.allclose(model.encode("rates held"), model.encode("rates held", prompt=""))
    kept = ModelRecord.read(folder).as_dict()
    assert kept["levels"] == [
        {"name": "theme", "dims": 8, "min_similarity": None},
        {"name": "topic", "dims": 16, "min_similarity": None},
        {"name": "story", "dims": 32, "min_similarity": None},
    ]
    assert kept["base"]["files"]["model.safetensors"] and kept["data"][0]["digest"]
    assert kept["settings"]["scale"] == [0.0, 1.0] and kept["prefix"] == "query: "
    assert kept["versions"]["torch"] == torch.__version__ and kept["seed"] == 0
    assert kept["preflight"]["gradient"] > 0 and kept["preflight"]["seconds"] > 0
    scores = kept["validation"]
    assert scores["after"]["pearson"] > scores["before"]["pearson"] + 0.05
    assert "hanley2025" in (folder / "README.md").read_text()
    said = "\n".join(tally.notes)
    assert "pairs to train on" in said and "false negatives" in said and "gradient" in said
    assert "before training: validation Pearson" in said and "step " in said

    again = MATRYOSHKA.run(settings(epochs=4, prefix="query: ", max_length=12), progress=tally)
    assert again == folder and "has ended already" in tally.notes[-1]
    with pytest.raises(ParameterError, match="output must not exist, got .*model"):
        MATRYOSHKA.run(settings(epochs=1), progress=SILENT)


def test_the_encoder_of_the_house_reads_the_model_and_its_levels(settings):
    from newsnest import load_encoder

    folder = MATRYOSHKA.run(settings(prefix="the "), progress=SILENT)
    encoder = load_encoder(str(folder))
    encoder.prepare(TEXTS)
    expected = SentenceTransformer(str(folder), device="cpu").encode(
        TEXTS, normalize_embeddings=True
    )
    assert np.allclose(encoder.encode(TEXTS), expected, atol=0.02)
    assert encoder.record.levels[0].dims == 8


def test_the_same_seed_gives_the_same_weights(settings, tmp_path: Path):
    folders = [
        MATRYOSHKA.run(settings(output=tmp_path / name, seed=seed), progress=SILENT)
        for name, seed in (("a", 0), ("b", 0))
    ]
    assert moved(*folders) == 0


def test_gold_labels_train_too_with_hard_pairs(settings, gold_file: Path, tally):
    folder = MATRYOSHKA.run(settings(data=(str(gold_file),), batch_size=8), progress=tally)
    kept = ModelRecord.read(folder).as_dict()
    assert kept["data"][0]["kind"] == "gold" and kept["data"][0]["hard"] > 0
    assert kept["preflight"]["levels"]["story"]["false_negatives"] == 0
    assert any(what == "encode" for what, _, _ in tally.tasks)


@pytest.mark.parametrize(
    "changes",
    [
        {"lora": 4},
        {"mini_batch_size": 8, "batch_size": 24},
        {"precision": "bfloat16"},
        {"variant": "paper", "graded_story": False, "anchor": 0.0},
        {"levels": ("story",), "dropout_views": False, "unlike": "negative"},
        {"pooling": "cls", "angle": 0.0},
    ],
    ids=lambda changes: "+".join(changes),
)
def test_every_way_trains_and_saves_a_model_of_the_same_make(
    settings, tiny_model: Path, changes: dict
):
    folder = MATRYOSHKA.run(settings(**changes), progress=SILENT)
    assert moved(folder, tiny_model) > 1e-5
    kept = ModelRecord.read(folder).as_dict()
    names = changes.get("levels", ("theme", "topic", "story"))
    assert tuple(level["name"] for level in kept["levels"]) == names
    assert kept["preflight"]["trained_weights"] <= kept["preflight"]["weights"]
    assert (kept["preflight"]["trained_weights"] < 20_000) == ("lora" in changes)
    vectors = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    assert vectors.shape == (3, 32) and np.isfinite(vectors).all()


def test_averaging_fully_gives_the_base_back(settings, tiny_model: Path):
    folder = MATRYOSHKA.run(settings(average=1.0), progress=SILENT)
    assert moved(folder, tiny_model) < 1e-6
    scores = ModelRecord.read(folder).as_dict()["validation"]
    assert scores["after"]["pearson"] == pytest.approx(scores["before"]["pearson"], abs=1e-6)
    assert scores["trained"]["pearson"] != pytest.approx(scores["before"]["pearson"], abs=1e-4)


def test_an_anchor_keeps_similarities_nearer_to_the_base(settings, tiny_model: Path, tmp_path):
    def drift(anchor: float) -> float:
        folder = MATRYOSHKA.run(settings(output=tmp_path / f"m{anchor}", anchor=anchor, epochs=2))
        found = [
            SentenceTransformer(str(f), device="cpu").encode(
                [*TEXTS, "vote ends minister", "police arrest three"], normalize_embeddings=True
            )
            for f in (folder, tiny_model)
        ]
        return float(abs(found[0] @ found[0].T - found[1] @ found[1].T).mean())

    assert drift(10.0) < 0.7 * drift(0.0)


def test_training_ends_early_where_validation_gets_no_better(settings):
    # A rate at which nothing can be learnt: the first validation stays the best, or nearly so.
    changes = {"learning_rate": 3.0, "epochs": 20, "patience": 1, "evaluations": 1, "anchor": 0.0}
    kept = ModelRecord.read(MATRYOSHKA.run(settings(**changes), progress=SILENT)).as_dict()
    assert kept["validation"]["steps"] < kept["preflight"]["steps"]
    assert kept["validation"]["best_step"] <= kept["validation"]["steps"]


@pytest.mark.parametrize("lora", [None, 4])
@pytest.mark.parametrize("save", ["best", "trained"])
def test_a_training_that_made_it_worse_says_so_and_keeps_the_base(
    settings, tiny_model: Path, tally, save: str, lora: int | None
):
    ruinous = settings(learning_rate=3.0, epochs=1, anchor=0.0, save=save, lora=lora)
    folder = MATRYOSHKA.run(ruinous, progress=tally)
    kept = ModelRecord.read(folder).as_dict()
    vectors = [
        SentenceTransformer(str(f), device="cpu").encode(TEXTS) for f in (folder, tiny_model)
    ]
    assert np.array_equal(*vectors) == (save == "best")
    saved = {"best": "base", "trained": "trained model"}[save]
    assert kept["chosen"]["saved"] == saved
    assert tally.notes[-1].endswith(f"Saved: the {saved}. More or other data may help.")
    is_told = "these are the weights of the base" in (folder / "README.md").read_text()
    assert is_told == (save == "best")
    assert (kept["validation"]["after"] == kept["validation"]["before"]) == (save == "best")


def test_terms_without_weight_are_refused_before_anything_is_written(settings, tmp_path: Path):
    with pytest.raises(ParameterError, match="terms must hold one of positive weight"):
        MATRYOSHKA.run(settings(cosine=0.0, angle=0.0, contrastive=0.0), progress=SILENT)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (("storey",), "levels must be some of theme, topic, story, got 'storey'. Did you mean"),
        (("story", "theme"), "coarse to fine, each once, got 'story:theme'. Write theme:story"),
        ((), "coarse to fine, each once, got ''"),
    ],
)
def test_levels_are_checked_with_the_settings(settings, levels, message):
    with pytest.raises(ParameterError) as error:
        settings(levels=levels)
    assert message in str(error.value)


def test_labels_keep_the_groups_of_the_levels_that_are_trained():
    pairs = [Pair("a", "b", 0.5, gold1=("t", "o", "s"), gold2=("t", "o", "r"))]
    whole = training_levels(32)
    assert level_dataset(pairs, whole)["label"][:] == [[0.5, 0, 0, 1, 1, 2, 3]]
    assert level_dataset(pairs, whole[2:])["label"][:] == [[0.5, 2, 3]]
    assert level_dataset([Pair("a", "b", 0.5)], whole[2:])["label"][:] == [0.5]


def test_checkpoints_of_another_training_are_not_gone_on_with(tmp_path: Path):
    Place(tmp_path / "model", "one").keep({"before": {}})
    assert not Place(tmp_path / "model", "one").is_complete()
    assert Place(tmp_path / "model", "one").kept() == {"run": "one", "before": {}}
    with pytest.raises(ParameterError, match="checkpoints in .* must be those of the same base"):
        Place(tmp_path / "model", "two").is_complete()


def test_a_loss_that_is_lost_ends_the_training():
    state = TrainerState(global_step=7)
    with pytest.raises(ParameterError, match="loss must stay finite, got nan at step 7"):
        Reporter(SILENT, "x").on_log(None, state, TrainerControl(), logs={"loss": float("nan")})


CODE = """
import sys, torch
torch.set_num_threads(1)
from newsnest.cli.main import main
main(sys.argv[1:])
"""


def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_been(settings, tmp_path: Path, tally):
    chosen = settings(
        epochs=12, evaluations=1, patience=50, lora=2, batch_size=16, output=tmp_path / "killed"
    )
    command = [sys.executable, "-c", CODE, "train", "matryoshka", "--base", chosen.base]
    command += ["--data", chosen.data[0], "-o", str(chosen.output)]
    command += [
        f"--set={own.name}={written(getattr(chosen, own.name))}" for own in setting_fields(Chosen)
    ]
    source = str(Path(newsnest.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": source}
    checkpoints = tmp_path / "killed.checkpoints"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not chosen.output.exists()

    assert MATRYOSHKA.run(chosen, progress=tally) == chosen.output and not checkpoints.exists()
    assert any(note.startswith("resuming from checkpoint-") for note in tally.notes)
    assert not any("before training" in note for note in tally.notes)
    whole = MATRYOSHKA.run(replace(chosen, output=tmp_path / "whole"), progress=SILENT)
    assert moved(chosen.output, whole) < 1e-6
    scores = [ModelRecord.read(f).as_dict()["validation"] for f in (chosen.output, whole)]
    assert scores[0]["steps"] == scores[1]["steps"]
    assert scores[0]["best_step"] == scores[1]["best_step"]


@pytest.mark.parametrize("changes", [{"patience": 1}, {"epochs": 1.5, "patience": 9}])
def test_a_training_that_was_killed_after_its_end_trains_no_further(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes
):
    usual = {"epochs": 9, "evaluations": 2, "batch_size": 16, "learning_rate": 0.05}
    chosen = settings(**(usual | changes))

    def killed(*args) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PairRun, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            MATRYOSHKA.run(chosen)
    moved_to = tmp_path / "elsewhere"
    moved_to.mkdir()
    monkeypatch.chdir(moved_to)
    MATRYOSHKA.run(chosen)
    whole = MATRYOSHKA.run(replace(chosen, output=tmp_path / "whole"))
    assert moved(chosen.output, whole) == 0
    told = [ModelRecord.read(folder).as_dict()["validation"] for folder in (chosen.output, whole)]
    assert told[0] == told[1]
