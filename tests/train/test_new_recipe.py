"""A recipe of another package: few lines, found by its entry point, trained as ours are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from newsnest.embed import ModelRecord
from newsnest.errors import ParameterError
from newsnest.train import RECIPES, train

TOY = Path(__file__).with_name("toy_recipe.py")


@pytest.fixture
def install(tmp_path: Path, monkeypatch) -> Callable[..., None]:
    """Install a package with entry points of our group; it is gone after the test."""

    def installed(**points: str) -> None:
        lines = [f"{name} = {value}" for name, value in points.items()]
        folder = tmp_path / "site" / "toy-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join(["[newsnest.recipes]", *lines]))
        shutil.copy(TOY, folder.parent)
        monkeypatch.syspath_prepend(folder.parent)

    return installed


@pytest.fixture
def options(tiny_model: Path, tmp_path: Path) -> dict[str, object]:
    words = [
        "sea",
        "wall",
        "town",
        "bank",
        "rates",
        "storm",
        "coast",
        "police",
        "team",
        "cup",
        "strike",
        "vote",
    ]
    rows = [f"{a} {b},{b} the {a} {i}" for i, a in enumerate(words) for b in words[:4] if a != b]
    data = tmp_path / "titles.csv"
    data.write_text("\n".join(["title,summary", *rows]))
    return {
        "data": data, "base": str(tiny_model), "epochs": 2, "batch_size": 8, "device": "cpu",
        "precision": "float32", "learning_rate": 1e-3, "validation": 0.3, "save": "trained",
    }  # fmt: skip


def test_a_recipe_of_one_loss_is_at_most_fifty_lines():
    assert len(TOY.read_text().splitlines()) <= 50


def test_it_trains_resumes_and_publishes_a_stock_model(
    install, options, tmp_path: Path, tally, monkeypatch
):
    install(toy="toy_recipe:TOY")
    whole = train("toy", output=tmp_path / "whole", margin=0.4, **options)

    import toy_recipe  # of the package that was installed

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    output = tmp_path / "model"
    with monkeypatch.context() as patch:
        patch.setattr(toy_recipe.PairRun, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            train("toy", output=output, margin=0.4, **options)
    assert not output.exists() and list(tmp_path.glob("model.checkpoints/checkpoint-*"))
    folder = train("toy", output=output, margin=0.4, progress=tally, **options)
    assert any(note.startswith("resuming from checkpoint-") for note in tally.notes)
    texts = ["sea wall", "bank rates"]
    base, one, other = (
        SentenceTransformer(str(path), device="cpu").encode(texts)
        for path in (options["base"], whole, folder)
    )
    assert (one == other).all() and abs(one - base).max() > 1e-3
    record = ModelRecord.read(folder)
    assert record.recipe == "toy" and record.details["loss"] == {"margin": 0.4}
    assert record.settings["margin"] == 0.4 and len(record.training_digests) == 1
    assert (folder / "README.md").read_text().count("Trained with a margin.") == 1
    assert train("toy", output=output, margin=0.4, **options) == folder


def test_it_is_imported_only_when_it_is_asked_for(install):
    install(toy="toy_recipe:TOY", broken="no_such_module:RECIPE")
    assert list(RECIPES)[-2:] == ["broken", "toy"] and "pairs" in RECIPES
    assert RECIPES["toy"].summary == "a margin"
    with pytest.raises(
        ParameterError, match="'broken' of package .* must load, got .*No module named"
    ):
        RECIPES["broken"]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"pairs": "toy_recipe:TOY"}, "'pairs' must be a new name, got one that is built in"),
        (
            {"other": "toy_recipe:TOY"},
            "'other' of package .* must have that name .* 'toy'",
        ),
        ({"toy": "toy_recipe:MarginLoss"}, "'toy' of package .* must be a Recipe, got type"),
    ],
)
def test_a_name_that_is_taken_or_not_its_own_is_refused(install, points, message: str):
    install(**points)
    with pytest.raises(ParameterError, match=message):
        [RECIPES[name] for name in RECIPES]


def test_an_unknown_recipe_or_setting_is_told(options, tmp_path: Path):
    with pytest.raises(ParameterError, match="must be one of .*, got 'pair'. Did you mean 'pairs'"):
        train("pair", output=tmp_path / "m", **options)
    with pytest.raises(ParameterError, match="keywords must be a setting of the recipe, got 'k'"):
        train("pairs", output=tmp_path / "m", k=3, **options)


def test_settings_of_another_recipe_are_refused(options, tmp_path: Path):
    from newsnest.train.recipes.align import AlignSettings

    settings = AlignSettings(data=("a",), base="b", output=tmp_path / "m")
    with pytest.raises(ParameterError, match="settings must be PairsSettings, got AlignSettings"):
        RECIPES["pairs"].run(settings)
