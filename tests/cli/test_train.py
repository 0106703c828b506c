"""`newsnest train`: the recipes as commands."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from newsnest.train.recipes import RECIPES
from newsnest.train.settings import setting_fields

ROWS = [
    (f"{a} {i}", f"{b} {i}", score)
    for i in range(12)
    for a, b, score in (
        ("rates held", "bank holds rates", 1),
        ("storm hits coast", "wall breached", 2),
        ("team wins cup", "minister resigns", 4),
    )
]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("train") / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text1", "text2", "overall"))
        writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("name", RECIPES)
def test_help_names_every_setting_with_its_default(newsnest, name: str):
    told = newsnest("train", name, "--help").stdout
    assert RECIPES[name].summary.lower() in " ".join(told.lower().split())
    for own in setting_fields(RECIPES[name].settings):
        assert f"  {own.name}" in told
    assert "[default: " in told


def test_help_of_base_names_the_trainable_encoders_of_the_registry(newsnest, monkeypatch):
    from newsnest.embed import KNOWN, registry

    told = " ".join(newsnest("train", "pairs", "--help").stdout.split())
    assert "Encoder to start from: minilm, multilingual, a model folder or a hub id." in told
    mine = registry.KnownEncoder("mine", KNOWN["minilm"].build, trainable=True)
    monkeypatch.setattr(registry, "KNOWN", {**KNOWN, "mine": mine})
    told = " ".join(newsnest("train", "pairs", "--help").stdout.split())
    assert "Encoder to start from: minilm, multilingual, mine, a model folder" in told


def test_the_group_lists_the_recipes(newsnest):
    told = newsnest("train", "--help").stdout
    assert all(f"  {name}" in told for name in RECIPES)


def test_train_writes_a_model_and_names_it_on_stdout(
    newsnest, pairs: Path, tiny_model: Path, tmp_path: Path
):
    arguments = ["--data", f"{pairs},scale=4:1,score=overall", "--base", tiny_model]
    arguments += ["-o", tmp_path / "model", "--set", "epochs=1", "--set", "device=cpu"]
    arguments += ["--set", "validation=0.3"]
    result = newsnest("train", "matryoshka", *arguments)
    assert result.stdout == f"{tmp_path / 'model'}\n"
    assert "pairs to train on" in result.stderr and "before training" in result.stderr
    assert (tmp_path / "model" / "newsnest.json").is_file()
    again = newsnest("train", "matryoshka", *arguments, "--quiet")
    assert again.stdout == result.stdout and again.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "epochs=0"], "epochs must be more than 0, got 0. The default is 3."),
        (["--set", "epoch=1"], "got 'epoch'. Did you mean 'epochs'?"),
        (["--base", "tfidf"], "base must be a transformer, got 'tfidf'."),
        (["--data", "none.csv"], "none.csv: must be a file to train on, got none. Check the path."),
        (["--set", "levels=topic:theme"], "levels must go from coarse to fine"),
    ],
)
def test_what_is_wrong_is_one_line(
    newsnest, pairs: Path, tiny_model: Path, tmp_path: Path, arguments: list[str], message: str
):
    start = ["--data", pairs, "--base", tiny_model, "-o", tmp_path / "model"]
    told = newsnest("train", "matryoshka", *start, *arguments, status=1).stderr
    assert message in told and told.startswith("newsnest: ") and told.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_a_score_outside_of_the_scale_is_told_with_its_line(
    newsnest, pairs: Path, tiny_model: Path, tmp_path: Path
):
    start = ["--data", f"{pairs},score=overall", "--base", tiny_model, "-o", tmp_path / "model"]
    told = newsnest("train", "matryoshka", *start, status=1).stderr
    assert "line 3" in told and "outside of the scale" in told


def test_an_unknown_recipe_and_missing_options_are_usage_errors(newsnest, tmp_path: Path):
    assert "No such command 'matroska'" in newsnest("train", "matroska", status=2).stderr
    assert "--data" in newsnest("train", "matryoshka", "-o", tmp_path / "m", status=2).stderr


@pytest.mark.parametrize(
    ("name", "again"),
    [("matryoshka", "resumes from the last checkpoint."), ("adapter", "starts anew.")],
)
def test_an_interrupted_training_says_whether_it_goes_on(
    newsnest, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, again: str
):
    from dataclasses import replace

    def interrupted(context):
        raise KeyboardInterrupt

    recipe = replace(RECIPES[name], work=interrupted)
    monkeypatch.setattr("newsnest.train.recipes.RECIPES", {name: recipe})
    told = newsnest("train", name, "--data", pairs, "-o", tmp_path / "m", status=130)
    assert f"interrupted. The same command {again}" in told.stderr
    help_text = " ".join(newsnest("train", name, "--help").stdout.split())
    assert f"after an interruption the same command {again.partition(' from')[0]}" in help_text


def test_help_comes_without_loading_torch():
    code = """if True:
    import sys
    from newsnest.cli.main import main
    try:
        main(["train", "matryoshka", "--help"])
    except SystemExit:
        print(*sys.modules)"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "datasets", "numba"} & set(out.stdout.split())
