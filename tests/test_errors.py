"""What a person reads of an error, and what is offered for a name that is nearly known."""

from __future__ import annotations

import pytest

from newsnest.errors import InputError, NestError, NewsnestError, did_you_mean


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("export: path must end in .csv, got 'a'. Rename it.", "path must end in .csv, got 'a'."),
        (
            "ReadOptions: format must be one of\n csv, got 'x'.",
            "format must be one of csv, got 'x'.",
        ),
        ("read_articles: a.csv: a column must be a text.", "a.csv: a column must be a text."),
        ("export: no such directory. Create it.", "export: no such directory. Create it."),
        ("a.nest: a thing must be.", "a.nest: a thing must be."),
        ("Run 1 of a is not finished: x: y must be z.", "Run 1 of a is not finished: x: y must be"),
    ],
)
def test_the_name_of_a_function_is_for_programmers(message: str, shown: str):
    for kind in (NewsnestError, InputError, NestError):
        assert kind(message).for_people.startswith(shown)
        assert str(kind(message)) == message


def test_only_a_near_name_is_offered():
    levels = ["theme", "topic", "story"]
    assert did_you_mean("storey", levels) == " Did you mean 'story'?"
    assert did_you_mean("event", levels) == did_you_mean("story", []) == ""
