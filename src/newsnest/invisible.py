"""Characters that show nothing, or rearrange what others show, and terminal codes."""

import re
from functools import cache
from typing import Any

# Soft hyphen, joiners and spaces of no width, marks and overrides of direction, annotation, blank
# letters of Hangul, musical and shorthand controls, tags, code points that are no characters.
_HIDDEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufdd0-\ufdef\ufff0-\ufffc\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_JOINERS = "\u200c\u200d"
_VARIANTS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff"
_BREAKS = "\x85\u2028\u2029"
_SUSPECT = re.compile(f"[{_HIDDEN}{_JOINERS}{_VARIANTS}{_TAGS}{_CONTROLS}{_BREAKS}]")
_CONTROL = re.compile(f"[{_CONTROLS}]")
_BREAK = re.compile(f"[{_BREAKS}]")
# ECMA-48: CSI sequences (colours), OSC strings (titles, links), and the short ones.
_TERMINAL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-~])"
)


def without_invisible(text: str) -> str:
    r"""Return a text as it is seen: nothing in it hides, joins or turns round its neighbours.

    Terminal sequences go as a whole; a control character becomes a space, a line separator a line
    break. Joiners stay where they shape letters (Persian, the scripts of India) or an emoji,
    variation selectors behind what they vary, tags in the flags of Scotland and the like.

    Examples
    --------
    >>> without_invisible("\u202eFe\u200brry\u202c \x1b[31mred\x1b[0m")
    'Ferry red'
    >>> without_invisible("👨‍👩‍👧 می‌رود") == "👨‍👩‍👧 می‌رود"
    True
    """
    if text.isascii() and text.isprintable():  # nearly all, at half the cost
        return text
    if (_CONTROL if text.isascii() else _SUSPECT).search(text) is None:
        return text
    if "\x1b" in text:
        text = _TERMINAL.sub("", text)
    if _CONTROL.search(text):
        text = _CONTROL.sub(" ", clean_surrogates(text))
    removed: str = _removed().sub("", _BREAK.sub("\n", text))
    return removed


def escaped_invisible(text: str) -> str:
    r"""Return a text in which what shows nothing is written as an escape, line breaks kept.

    Examples
    --------
    >>> escaped_invisible("{\u202eabc")
    '{\\u202eabc'
    """
    if _SUSPECT.search(text) is None:
        return text
    for what in (_CONTROL, _BREAK, _removed()):
        text = what.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text


def clean_surrogates(text: str) -> str:
    """Replace lone surrogates, which no file can hold, by U+FFFD."""
    if text.isascii():
        return text
    # By way of UTF-16, in which the two halves of a pair that stand together become one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@cache
def _removed() -> Any:
    import regex

    joining = (
        r"[\p{Arab}\p{Syrc}\p{Nkoo}\p{Mong}\p{Deva}\p{Beng}\p{Guru}\p{Gujr}\p{Orya}\p{Taml}"
        r"\p{Telu}\p{Knda}\p{Mlym}\p{Sinh}\p{Mymr}\p{Khmr}\p{Tibt}]"
    )
    picture = r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\U000e007f]"
    virama = r"(?<=\p{Indic_Syllabic_Category=Virama})"  # also at the end: old Malayalam chillus
    varied = r"[\p{So}\p{Sm}\p{Po}\p{Nd}\p{Extended_Pictographic}\p{Han}\p{Mong}\p{Mymr}\p{Phag}]"
    flag = r"\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"
    return regex.compile(
        rf"{flag}(*SKIP)(*FAIL)"
        rf"|(?<={joining}\p{{M}}*)[{_JOINERS}](?={joining})(*SKIP)(*FAIL)|{virama}\u200d(*SKIP)(*FAIL)"
        rf"|(?<={picture})\u200d(?=\p{{Extended_Pictographic}})(*SKIP)(*FAIL)"
        rf"|(?<={varied})[{_VARIANTS}](*SKIP)(*FAIL)"
        rf"|[{_HIDDEN}{_JOINERS}{_VARIANTS}{_TAGS}]"
    )
