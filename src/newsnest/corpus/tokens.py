"""Tokens of a text as boilerplate is counted: numbers and dates are all alike."""

import importlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from newsnest.corpus.dates.words import LANGUAGES

GAP = "…"
"""What stands in a key for words that vary."""
DATE = "#"
"""The key of a number, of a month and of a day of the week."""
CLOSING = frozenset("-‐‑‒–—―⸺:：|·•»])】）」』›>/\\.…!?。！？।؟۔~*\n")
"""What may close a beginning; no comma, quotation mark or opening bracket does."""
OPENING = frozenset("-‐‑‒–—―⸺|·•«[(【（「『‹<~*\n")
"""What may open an end."""
_PICTURES = range(0x1F000, 0x1FB00)
_MONTHS_AND_DAYS = (
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday"
)


class Token(NamedTuple):
    """A word or number, a run of punctuation or a line break, and where it stands."""

    key: str
    start: int
    end: int


class Patterns(NamedTuple):
    """What splits a text. Nowhere is the same run of characters read again and again."""

    token: re.Pattern[str]
    word: re.Pattern[str]
    number: re.Pattern[str]
    closing: re.Pattern[str]  # where a beginning may close
    sentence_end: re.Pattern[str]
    glued: re.Pattern[str]  # "standstillRead": lost mark-up


@cache
def patterns() -> Patterns:
    """Return what splits a text; compiled when first needed."""
    marks = re.escape("".join(sorted(c for c in punctuation() if ord(c) not in _PICTURES)))
    marks += f"{chr(_PICTURES[0])}-{chr(_PICTURES[-1])}"  # single ones are not looked up at once
    upper, lower = (
        "".join(re.escape(c) for c in map(chr, range(0x2E80)) if test(c))
        for test in (str.isupper, str.islower)
    )
    closing = "".join(map(re.escape, sorted(CLOSING - set("-.‑"))))
    word = rf"[^\s{marks}]+(?:['’.\-‑][^\s{marks}]+)*"
    ends, always = ".!?…", "。！？।۔\n"
    return Patterns(
        re.compile(rf"{word}|[{marks}]+|\n(?![^\S\n]*\n)"),
        re.compile(word),
        re.compile(r"\d+"),
        # Not within a word, nor at the end.
        re.compile(rf"(?:[{closing}]|[-.‑](?![^\s{marks}]))(?=.)", re.DOTALL),
        # Also "standstill.Read".
        re.compile(
            rf"[{ends}{always}](?<![{ends}{always}]{{2}})[{ends}{always}]*[\"'”’»)\]}}]*"
            rf"(?:(?=[\s{upper}])|(?<=[{always}]))"
        ),
        re.compile(rf"[{upper}](?<=[{lower}]{{4}}.)(?=[{lower}])"),
    )


@cache
def punctuation() -> frozenset[str]:
    """Return all punctuation and symbols but "#", which stands for numbers."""
    found = {c for c in map(chr, range(0x10000)) if unicodedata.category(c)[0] in "PS"}
    return frozenset(found | set(map(chr, _PICTURES))) - {DATE}


def is_word(key: str) -> bool:
    """Tell whether a token is a word or number."""
    return key[-1] not in punctuation() and key != "\n"


def keys(text: str) -> list[str]:
    """Return the keys of the tokens of a text, as `tokens` makes them."""
    return _merged(_keys(patterns().token, text))


def tokens(text: str) -> list[Token]:
    """Split a text; numbers, months and days of the week become "#", one for several in a row.

    Example
    -------
    >>> [token.key for token in tokens("SEOUL, May 28 (Yonhap) --")]
    ['seoul', ',', '#', '(', 'yonhap', ')', '--']
    """
    found: list[Token] = []
    split = patterns().token
    for key, match in zip(_keys(split, text), split.finditer(text), strict=True):
        if key == DATE and found and found[-1].key == DATE:
            found[-1] = Token(DATE, found[-1].start, match.end())
        else:
            found.append(Token(key, match.start(), match.end()))
    return found


def words(text: str) -> list[str]:
    """Return the keys of the words of a text, as `tokens` makes them.

    Example
    -------
    >>> words("On 3 May in Lyon")
    ['on', '#', 'in', 'lyon']
    """
    return _merged(_keys(patterns().word, text))


def sentence_key(sentence: str) -> str:
    """Return a sentence in lower case with one space between words, "#" for numbers and dates."""
    found = patterns().number.sub(DATE, sentence.casefold()).split()
    return " ".join(map(months_and_days().get, found, found))


def _keys(split: re.Pattern[str], text: str) -> list[str]:
    # No character becomes another kind of character: a text splits where the keys split.
    found = split.findall(patterns().number.sub(DATE, text.casefold()))
    return list(map(months_and_days().get, found, found))


def _merged(found: list[str]) -> list[str]:
    if DATE not in found:
        return found
    return [w for w, after in zip(found, [*found[1:], ""], strict=True) if not w == after == DATE]


@cache
def months_and_days() -> dict[str, str]:
    """Map the names of months and days of the week, as dates are read, to "#"."""
    names = _MONTHS_AND_DAYS.split()
    found = set()
    for language in LANGUAGES.split():
        info = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
        for name in names:
            # May is short in full; other short spellings are words elsewhere: mar, sen, min.
            found |= {word.casefold() for word in info[name] if len(word) > 3 or name == "may"}
    return {word: DATE for word in found if len(word) > 2 and word.isalpha()}


def written(text: str, key: str) -> str:
    """Return a piece with this key as it is written, "#" for numbers and dates, "…" for its gap.

    Example
    -------
    >>> written("SEOUL, May 28 (Yonhap) --", "… # ( yonhap ) --")
    '… # (Yonhap) --'
    """
    found = tokens(text)
    before, gap, after = key.partition(GAP)
    if not gap:
        return _spelled(text, found)
    first, last = len(before.split()), len(after.split(" ")) - 1
    parts = (_spelled(text, found[:first]), GAP, _spelled(text, found[len(found) - last :]))
    return " ".join(part for part in parts if part)


def _spelled(text: str, found: Iterable[Token]) -> str:
    spelled, end = "", None
    for token in found:
        if end is not None:
            spelled += text[end : token.start]
        named = any(c.isalpha() for c in token.key)  # "News24"
        spelled += text[token.start : token.end] if named else token.key
        end = token.end
    return " ".join(spelled.split())
