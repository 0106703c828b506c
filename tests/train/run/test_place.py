"""What is said of a folder that another training wrote."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from newsnest.errors import ParameterError
from newsnest.labelled import TextReading, parse_data
from newsnest.train.recipes.tsdae import TsdaeSettings
from newsnest.train.run.base import Base
from newsnest.train.run.place import Place, place_of


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": 0.1, "data": ["a"]}, "did not write: the files of its base or data were others."),
        ({"rate": 0.2, "data": ["b"]}, "rate was 0.1 and is 0.2; data was .+a.+ and is .+b"),
        ({"rate": 0.1}, "did not write. Choose"),
    ],
)
def test_settings_that_differ_are_named_where_the_recipe_is_the_same(
    tmp_path, tally, settings, said
):
    there = {"run": "x", "settings": {"rate": 0.1, "data": ["a"]}}
    (tmp_path / "newsnest.json").write_text(json.dumps(there))
    assert Place(tmp_path, "x", settings).is_complete(tally)
    assert tally.notes == [f"{tmp_path}: this very training has ended already"]
    with pytest.raises(ParameterError, match=said):
        Place(tmp_path, "y", settings).is_complete()


def test_an_output_that_cannot_be_written_is_told_before_the_training(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for output in (file / "model", file / "a" / "model"):
        with pytest.raises(ParameterError, match="output must lie in a folder that can be written"):
            Place(output, "x").is_complete()
    assert not Place(tmp_path / "new" / "model", "x").is_complete()


def test_an_output_without_a_name_of_its_own_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("elsewhere")
    for output in (".", "link"):
        with pytest.raises(ParameterError, match=f"a name of its own, got {output}"):
            Place(Path(output), "x").is_complete()


def test_checkpoints_that_a_kill_left_beside_a_whole_model_go(tmp_path):
    place = Place(tmp_path / "model", "x")
    place.keep({})
    place.output.mkdir()
    (place.output / "newsnest.json").write_text(json.dumps({"run": "x"}))
    assert place.is_complete() and not place.checkpoints.exists()


def test_what_a_base_is_called_decides_nothing_and_how_it_reads_does(tmp_path, tiny_model):
    data = tmp_path / "a.csv"
    data.write_text("text\nSea wall breached\n")
    files = parse_data([f"{data},gold=topic"], TextReading())

    def run(base: Base, **changes) -> str:
        made = TsdaeSettings(data=("a.csv",), base="any", output=tmp_path / "m", **changes)
        return place_of("tsdae", made, base, files).run

    base = Base("any", tiny_model)
    other = shutil.copytree(tiny_model, tmp_path / "other")
    assert run(base) == run(Base("other", other))
    changed = [run(replace(base, prefix="query: ")), run(base, epochs=3), run(base, seed=1)]
    assert len({run(base), *changed}) == 4
