"""What is said of a folder that another training wrote."""

from __future__ import annotations

import json

import pytest

from newsnest.errors import ParameterError
from newsnest.train.recipes.place import Place


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": 0.1, "data": ["a"]}, "did not write: the files of its base or data were others."),
        ({"rate": 0.2, "data": ["b"]}, "rate was 0.1 and is 0.2; data was .+a.+ and is .+b"),
        ({"rate": 0.1}, "did not write. Choose"),
    ],
)
def test_settings_that_differ_are_named_where_the_recipe_is_the_same(tmp_path, settings, said):
    there = {"run": "x", "settings": {"rate": 0.1, "data": ["a"]}}
    (tmp_path / "newsnest.json").write_text(json.dumps(there))
    assert Place(tmp_path, "x", settings).is_complete()
    with pytest.raises(ParameterError, match=said):
        Place(tmp_path, "y", settings).is_complete()
