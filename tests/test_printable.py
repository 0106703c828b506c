"""Nothing that is printed acts on a terminal."""

from __future__ import annotations

import pytest

from newsnest.errors import InputError
from newsnest.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain café 日本.csv", "plain café 日本.csv"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\x0ab\x09c\x0d"),
        ("\x9b31m", r"\x9b31m"),
        ("cod\u202exslx", r"cod\u202exslx"),
        ("\u2066x\u2069\u2028", r"\u2066x\u2069\u2028"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("می‌خواهم 👩‍👩‍👧", "می‌خواهم 👩‍👩‍👧"),
    ],
)
def test_what_acts_on_a_terminal_is_written_out(text: str, shown: str):
    assert printable(text) == shown


def test_messages_keep_their_lines():
    assert printable("a\n\tb\x07", lines=True) == "a\n\tb\\x07"


def test_errors_are_printable():
    error = InputError("read_articles: a\x1b[2Jb\nc.csv must exist, got none.")
    assert error.for_people == r"a\x1b[2Jb c.csv must exist, got none."
