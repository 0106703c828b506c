from __future__ import annotations

import pytest

from newsnest.invisible import escaped_invisible, without_invisible

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "hidden",
    [
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\u00ad\u061c",
        *"\u180e\u200e\u200f\ufff9\ufffa\ufffb\ufffc\u2061\u206a\u034f\u3164\U000e0041\U000e0001",
        *"\u200c\u200d\ufe0f\U000e0100\ufdd0\uffff",
    ],
)
def test_what_is_not_seen_goes_wherever_it_stands(hidden):
    assert without_invisible(f"{hidden}Fe{hidden}rry{hidden}") == "Ferry"
    assert hidden not in escaped_invisible(f"Fe{hidden}rry")


@pytest.mark.parametrize(
    "text",
    [
        FAMILY,
        SCOTLAND,
        "⚽\ufe0f❤\ufe0f",
        "1\ufe0f\u20e3",
        "👁\ufe0f\u200d🗨\ufe0f",
        "👩🏽\u200d🚒",
        "🏳\ufe0f\u200d🌈",
        "می\u200cرود",  # Persian: goes
        "क्\u200dष",  # Hindi: a half letter
        "ন\u200cা",
        "അവന്\u200d",  # Malayalam: a chillu as older texts write it
        "ශ්\u200dරී",  # Sinhala: Sri
        "葛\U000e0100城",  # a variant of a Han character in a Japanese name
        "crème brûlée, Ελλάδα, 서울, ไทย",
    ],
)
def test_what_shapes_letters_or_emoji_stays(text):
    assert without_invisible(text) == text


def test_many_variation_selectors_carry_nothing():
    smuggled = "😀" + "".join(chr(0xE0100 + byte) for byte in b"secret")
    assert len(without_invisible(smuggled)) <= 2
    assert without_invisible("می\u200c\u200c\u200c") == "می"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31;1mRed\x1b[0m alert", "Red alert"),
        ("\x1b]0;owned\x07Calm", "Calm"),
        ("\x1b]8;;https://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcWiped\x1b(B", "Wiped"),
        ("a\x9b31mb", "a 31mb"),
        ("a\x00b\x7fc\x1b", "a b c "),
        ("one\x85two\u2028three\u2029four", "one\ntwo\nthree\nfour"),
        ("tab\tand\nbreak", "tab\tand\nbreak"),
        ("half \ud83d pair", "half \ufffd pair"),
    ],
)
def test_nothing_reaches_a_terminal_that_moves_its_cursor(text, seen):
    assert without_invisible(text) == seen


def test_escapes_say_what_was_hidden_and_leave_emoji():
    assert escaped_invisible(f"\u202eabc {FAMILY}\x1b[0m\n") == f"\\u202eabc {FAMILY}\\x1b[0m\n"
