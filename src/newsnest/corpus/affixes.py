"""Where boilerplate can stand: the beginnings, the ends and the sentences of an article."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from newsnest.corpus.dates import LANGUAGES
from newsnest.types import Article

Part = Literal["title", "text"]
Place = Literal["head", "tail", "ending", "sentence"]

_LONGEST = 16  # tokens of a pattern
_LONGEST_SENTENCE = 60  # tokens
_READ_AHEAD = 400  # characters at either end that may hold an affix
_READ_BACK = 700  # a headline may stand within: "The post … appeared first on …"
_VARIABLE = 6  # words before an anchor: "SEOUL, May 28"
_ANCHOR = 8  # tokens
_ENDINGS = range(3, 9)  # words
_TEMPLATE_STARTS = 4
_GAP = "…"
_DATE = "#"


class Token(NamedTuple):
    """A word, a number, a run of punctuation or a line break, and where it stands."""

    key: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Whether it holds a letter or a number."""
        return self.key == _DATE or any(c.isalnum() for c in self.key)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of an article that may be boilerplate.

    `key` is the same for pieces that differ in numbers, dates, case and what stands at "…".
    """

    part: Part
    place: Place
    key: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """What is counted."""
        return f"{self.part} {self.place}: {self.key}"


def tokens(text: str) -> list[Token]:
    """Split a text; numbers, months and days of the week become "#", one for several in a row.

    Example
    -------
    >>> [token.key for token in tokens("SEOUL, May 28 (Yonhap) --")]
    ['seoul', ',', '#', '(', 'yonhap', ')', '--']
    """
    found: list[Token] = []
    dates = _dates()
    for match in _patterns()[0].finditer(text):
        spelling = match.group()
        key = spelling.casefold()
        if key[0].isspace():
            key = "\n"
        elif key in dates or key[0].isdigit():
            key = _patterns()[1].sub(_DATE, key) if key not in dates else _DATE
            if key == _DATE and found and found[-1].key == _DATE:
                found[-1] = Token(_DATE, found[-1].start, match.end())
                continue
        found.append(Token(key, match.start(), match.end()))
    return found


@cache
def _patterns() -> tuple[Any, Any, Any, Any, Any]:
    import regex

    return (
        regex.compile(
            r"[\p{L}\p{M}\p{N}]+(?:['’.\-‑][\p{L}\p{M}\p{N}]+)*|\s*\n\s*|[^\s\p{L}\p{M}\p{N}]+"
        ),
        regex.compile(r"\p{N}+"),
        # What may close a beginning; a comma, a quotation mark or an opening bracket does not.
        regex.compile(r"[\p{Pd}:：|·•»\])】）」』›>/\\.…!?。！？।؟۔~*\n]$"),
        # What may open an end.
        regex.compile(r"^[\p{Pd}|·•«\[(【（「『‹<~*\n]"),
        # Ends of sentences, of lines, and "standstill.Read" and "standstillRead": lost mark-up.
        regex.compile(
            r"(?<=[\p{L}\p{N}\p{Pe}\p{Pf}\"'][.!?…]+[\p{Pe}\p{Pf}\"']*)\s+|(?<=[。！？।۔])\s*|\s*\n\s*|"
            r"(?<=[\p{Ll}\p{Pe}][.!?…])(?=\p{Lu})|(?<=\p{Ll}{4})(?=\p{Lu}\p{Ll})"
        ),
    )


@cache
def _dates() -> frozenset[str]:
    """Return the names of months and days of the week, as dates are read."""
    names = ("january february march april may june july august september october november "
             "december monday tuesday wednesday thursday friday saturday sunday").split()  # fmt: skip
    found = set()
    for language in LANGUAGES.split():
        info = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
        found |= {spelling.casefold() for name in names for spelling in info[name]}
    return frozenset(name for name in found if len(name) > 2 and name.isalpha())


def spans(article: Article) -> Iterator[Span]:
    """Yield the pieces of an article that may be boilerplate, each key once a place."""
    yield from _affixes(article.title, "title")
    yield from _affixes(article.text, "text")
    yield from _sentences(article.text)


def _affixes(text: str, part: Part) -> Iterator[Span]:
    if not text:
        return
    first = tokens(text[:_READ_AHEAD])
    if len(text) > _READ_AHEAD:
        first = first[:-1]  # cut, maybe amid a word
    yield from _heads(first, part, len(text))
    begin = max(0, len(text) - _READ_BACK)
    last = [Token(t.key, t.start + begin, t.end + begin) for t in tokens(text[begin:])]
    if begin:
        last = last[1:]
    yield from _tails(last, part)
    if part == "text":
        yield from _templates(last, part)


def _heads(found: list[Token], part: Part, length: int) -> Iterator[Span]:
    whole = bool(found) and found[-1].end == length
    for end in range(2, min(len(found), _LONGEST) + 1):
        if not _closes(found, end - 1) or (whole and end == len(found)):
            continue
        stop = found[end - 1].end
        yield Span(part, "head", _key(found[:end]), 0, stop)
        if part == "title":
            continue
        for start in range(1, end - 2):
            variable = sum(token.is_word for token in found[:start])
            if variable > _VARIABLE:
                break
            anchor = found[start:end]
            if len(anchor) > _ANCHOR or not _is_anchor(anchor):
                continue
            yield Span(part, "head", f"{_GAP} {_key(anchor)}", 0, stop)


def _closes(found: list[Token], at: int) -> bool:
    """Whether a beginning may end with this token."""
    key = found[at].key
    if found[at].is_word or _patterns()[2].search(key) is None:
        return False
    # "S. Korea", "Sen. Lee": a full stop alone closes only what is longer than an abbreviation.
    return key != "." or (at > 1 and len(found[at - 1].key) > 2 and found[at - 2].is_word)


def _is_anchor(anchor: list[Token]) -> bool:
    """Whether words set off by punctuation on both sides stand here: "(Yonhap) --", "/TASS/."."""
    return (
        not anchor[0].is_word
        and anchor[0].key[0] not in ",.'’\"”"
        and anchor[1].is_word
        and any(c.isalpha() for token in anchor for c in token.key)
    )


def _tails(found: list[Token], part: Part) -> Iterator[Span]:
    if not found:
        return
    end = found[-1].end
    for start in range(max(1, len(found) - _LONGEST), len(found)):
        if not any(token.is_word for token in found[start:]):
            break
        if _opens(found, start):
            yield Span(part, "tail", _key(found[start:]), found[start].start, end)


def _opens(found: list[Token], at: int) -> bool:
    """Whether an end may begin with this token."""
    if not found[at].is_word:
        return _patterns()[3].search(found[at].key) is not None
    return _closes(found, at - 1)


def _templates(found: list[Token], part: Part) -> Iterator[Span]:
    """Yield ends whose middle varies: "The post … appeared first on the Herald."."""
    if not found:
        return
    last = len(found) - (not found[-1].is_word)
    starts = [at for at in range(1, last) if found[at - 1].key[-1] in ".!?…。\n" and _opens(found, at)]
    for size in _ENDINGS:
        if size >= last or not all(token.is_word for token in found[last - size : last]):
            continue
        ending = _key(found[last - size :])
        yield Span(part, "ending", ending, found[last - size].start, found[-1].end)
        for at in starts[-_TEMPLATE_STARTS:]:
            if at + 2 < last - size and found[at + 1].is_word:
                key = f"{_key(found[at : at + 2])} {_GAP} {ending}"
                yield Span(part, "tail", key, found[at].start, found[-1].end)


def _sentences(text: str) -> Iterator[Span]:
    begin = 0
    cuts = [(m.start(), m.end()) for m in _patterns()[4].finditer(text)]
    for stop, after in [*cuts, (len(text), len(text))]:
        if 3 < stop - begin < 500:
            found = tokens(text[begin:stop])
            if len(found) <= _LONGEST_SENTENCE and sum(token.is_word for token in found) > 1:
                yield Span("text", "sentence", _key(found), begin, stop)
        begin = after


def _key(found: list[Token]) -> str:
    return " ".join(token.key for token in found)
