"""Tokens of a text as boilerplate is counted: numbers and dates are all alike."""

import importlib
from functools import cache
from typing import Any, NamedTuple

from newsnest.corpus.dates import LANGUAGES

GAP = "…"
"""What stands in a key for words that vary."""
DATE = "#"
"""The key of a number, of a month and of a day of the week."""
_MONTHS_AND_DAYS = (
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday"
)


class Token(NamedTuple):
    """A word or number, a run of punctuation or a line break, and where it stands."""

    key: str
    start: int
    end: int
    is_word: bool


def tokens(text: str) -> list[Token]:
    """Split a text; numbers, months and days of the week become "#", one for several in a row.

    Example
    -------
    >>> [token.key for token in tokens("SEOUL, May 28 (Yonhap) --")]
    ['seoul', ',', '#', '(', 'yonhap', ')', '--']
    """
    found: list[Token] = []
    for match in patterns().token.finditer(text):
        is_word = match.lastindex == 1
        key = "\n" if match.lastindex == 2 else match.group()
        if is_word:
            key = word_key(key.casefold())
            if key == DATE and found and found[-1].key == DATE:
                found[-1] = Token(DATE, found[-1].start, match.end(), True)
                continue
        found.append(Token(key, match.start(), match.end(), is_word))
    return found


def words(text: str) -> list[str]:
    """Return the keys of the words of a text, as `tokens` makes them.

    Example
    -------
    >>> words("On 3 May in Lyon")
    ['on', '#', 'in', 'lyon']
    """
    found = [word_key(word) for word in patterns().word.findall(text.casefold())]
    return [w for at, w in enumerate(found) if w != DATE or found[at + 1 : at + 2] != [DATE]]


def word_key(word: str) -> str:
    """Return the key of a word in lower case, punctuation at its ends included."""
    if word in months_and_days():
        return DATE
    return patterns().number.sub(DATE, word) if not word.isalpha() else word


class Patterns(NamedTuple):
    """What splits a text."""

    token: Any
    word: Any
    number: Any
    closing: Any  # what may close a beginning; no comma, quotation mark or opening bracket does
    opening: Any  # what may open an end
    sentence_end: Any  # also "standstill.Read" and "standstillRead": lost mark-up


@cache
def patterns() -> Patterns:
    """Return what splits a text; compiled when first needed."""
    import regex

    word = r"[\p{L}\p{M}\p{N}]+(?:['’.\-‑][\p{L}\p{M}\p{N}]+)*"
    return Patterns(
        regex.compile(rf"({word})|(\s*\n\s*)|[^\s\p{{L}}\p{{M}}\p{{N}}]+"),
        regex.compile(word),
        regex.compile(r"\p{N}+"),
        regex.compile(r"[\p{Pd}:：|·•»\])】）」』›>/\\.…!?。！？।؟۔~*\n]$"),
        regex.compile(r"^[\p{Pd}|·•«\[(【（「『‹<~*\n]"),
        regex.compile(
            r"[.!?…]+[\p{Pe}\p{Pf}\"']*(?=\s|\p{Lu})|[。！？।۔]+|\s*\n\s*|"
            r"(?<=\p{Ll}{4})(?=\p{Lu}\p{Ll})"
        ),
    )


@cache
def months_and_days() -> frozenset[str]:
    """Return the names of months and days of the week, as dates are read."""
    names = _MONTHS_AND_DAYS.split()
    found = set()
    for language in LANGUAGES.split():
        info = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
        for name in names:
            # May is short in full; other short spellings are words elsewhere: mar, sen, min.
            found |= {word.casefold() for word in info[name] if len(word) > 3 or name == "may"}
    return frozenset(word for word in found if len(word) > 2 and word.isalpha())


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


def _spelled(text: str, found: list[Token]) -> str:
    pieces = []
    for at, token in enumerate(found):
        if at:
            pieces.append(text[found[at - 1].end : token.start])
        named = any(c.isalpha() for c in token.key)  # "News24"
        pieces.append(text[token.start : token.end] if named else token.key)
    return " ".join("".join(pieces).split())
