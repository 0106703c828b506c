"""`--set key=value` becomes a checked dataclass, or says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import pytest

from newsnest.errors import ParameterError
from newsnest.train.recipe import require_packages
from newsnest.train.recipes import RECIPES, RecipeSettings, parse_settings, setting
from newsnest.train.settings import describe_settings, setting_fields, settings_content, written
from newsnest.values import parse_value


@dataclass(frozen=True, kw_only=True)
class Mine(RecipeSettings):
    rate: float = setting(0.1, "learning rate", above=0, maximum=1)
    rounds: int | None = setting(None, "how often", minimum=1)
    shape: Literal["round", "square"] = setting("round", "of the thing")
    fast: bool = setting(False, "or not")
    scale: tuple[float, float] = setting((0.0, 1.0), "two numbers")
    names: tuple[str, ...] = setting(("a", "b"), "some")
    prefix: str = setting("", "before every text")


def parsed(*assignments: str) -> Mine:
    return parse_settings(Mine, assignments, data=["a.csv"], base="minilm", output="m")


def test_every_kind_of_value_is_read():
    mine = parsed(
        "rate=2e-1", "rounds=3", "shape=square", "fast=TRUE", "scale=4:1", "names=x", "prefix=q: "
    )
    assert (mine.rate, mine.rounds, mine.shape, mine.fast) == (0.2, 3, "square", True)
    assert mine.scale == (4.0, 1.0) and mine.names == ("x",)
    assert mine.prefix == "q: "  # its space is kept
    assert parsed("rounds=none").rounds is None
    assert (mine.data, mine.base, mine.output) == (("a.csv",), "minilm", Path("m"))


def test_an_equals_sign_may_stand_in_a_value():
    assert parsed("prefix=a=b").prefix == "a=b"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("rate", "must be key=value, got 'rate'"),
        ("=1", "must be key=value, got '=1'"),
        ("rat=1", "got 'rat'. Did you mean 'rate'"),
        ("output=x", "must name a setting of the recipe, got 'output'. Choose one of rate"),
        ("rate=fast", "--set rate must be a number, got 'fast'"),
        ("rate=nan", "rate must be more than 0 and at most 1, got nan"),
        ("rate=0", "rate must be more than 0 and at most 1, got 0"),
        ("rounds=0", "rounds must be at least 1, got 0. The default is none"),
        ("rounds=1.5", "must be a whole number or none, got '1.5'"),
        ("rate=none", "must be a number, got 'none'"),
        ("shape=sqare", "shape must be one of round, square, got 'sqare'. Did you mean 'square'"),
        ("fast=1", "must be true or false, got '1'"),
        ("scale=4", "must be 2 values joined by a colon, got '4'"),
        ("scale=4:x", "must be a number, got 'x'"),
    ],
)
def test_a_bad_assignment_says_what_is_wrong(assignment: str, message: str):
    with pytest.raises(ParameterError) as error:
        parsed(assignment)
    assert message in str(error.value)


def test_a_setting_is_given_once():
    with pytest.raises(ParameterError, match="rate must be given once, got it twice"):
        parsed("rate=1", "rate=1")


def test_data_must_be_named():
    with pytest.raises(ParameterError, match="data must name at least one file"):
        parse_settings(Mine, [], data=[], base="minilm", output="m")


def test_whole_numbers_are_numbers():
    made = Mine(data=("a.csv",), base="minilm", output=Path("m"), rate=1, scale=(4, 1), rounds=3)
    assert made == parsed("rate=1", "scale=4:1", "rounds=3")
    assert settings_content(made)["scale"] == [4.0, 1.0]
    assert [type(v) for v in (made.rate, made.rounds, *made.scale)] == [float, int, float, float]


def test_settings_made_in_python_are_checked_too():
    with pytest.raises(ParameterError, match="rate must be more than 0"):
        Mine(data=("a",), base="b", output=Path("m"), rate=-1)


@pytest.mark.parametrize("name", RECIPES)
def test_every_default_is_written_as_it_is_read(name: str):
    kind = RECIPES[name].settings
    kinds = get_type_hints(kind)
    for own in setting_fields(kind):
        assert parse_value(own.name, kinds[own.name], written(own.default)) == own.default
        assert own.metadata["meaning"]
    assert len(describe_settings(kind)) == len(setting_fields(kind))


def test_the_content_is_json_and_does_not_depend_on_the_place():
    one, two = (
        parse_settings(Mine, ["scale=4:1"], data=["a"], base="b", output=o) for o in ("m", "n")
    )
    assert settings_content(one) == settings_content(two)
    assert settings_content(one)["scale"] == [4.0, 1.0]


def test_recipes_are_listed_without_loading_torch():
    code = """if True:
    import sys
    from newsnest.train.recipes import RECIPES
    print(*sys.modules)"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sentence_transformers", "datasets", "sklearn"} & set(out.stdout.split())


def test_the_extra_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("newsnest.train.recipe.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"got no accelerate and no datasets.*newsnest\[train"):
        require_packages()


def test_a_setting_has_one_kind_and_one_unit_in_all_recipes():
    kinds: dict[str, set[object]] = {}
    for recipe in RECIPES.values():
        hints = get_type_hints(recipe.settings)
        for own in setting_fields(recipe.settings):
            given = [k for k in get_args(hints[own.name]) if k is not type(None)]
            kind = given[0] if type(None) in get_args(hints[own.name]) else hints[own.name]
            # A number of epochs may be a fraction where a trainer counts them.
            kinds.setdefault(own.name, set()).add(float if kind is int else kind)
    several = {name for name, found in kinds.items() if len(found) > 1}
    assert several == {"k"}  # one number, several, or auto
    assert "own_rate" not in kinds  # it was a multiple in sccl and a rate in tsdae
    words = {word for name in kinds for word in name.split("_")}
    assert words.isdisjoint({"least", "most", "told", "said", "own"})


def test_what_is_trained_from_scratch_has_a_rate_or_a_factor_and_never_both():
    fields = {
        name: {own.name for own in setting_fields(RECIPES[name].settings)} for name in RECIPES
    }
    assert {name for name in fields if "head_lr_factor" in fields[name]} == {"sccl"}
    rated = {name for name in fields if "head_learning_rate" in fields[name]}
    assert rated == {"tsdae", "clusterbert"}
