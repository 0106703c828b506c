"""What is said of a folder that another training wrote."""

from __future__ import annotations

import json

import pytest

from newsnest.errors import ParameterError
from newsnest.train.run.place import Place


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
