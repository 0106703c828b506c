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
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 5, 400  # characters
_READ_AHEAD = 200  # characters
_READ_BACK = 300  # a headline may stand within: "The post … appeared first on …"
_VARIABLE = 6  # words before an anchor: "SEOUL, May 28"
_ANCHOR = 8  # tokens
_ENDINGS = range(3, 9)  # words
_TEMPLATE_STARTS = 4
_GAP = "…"
_DATE = "#"


class Token(NamedTuple):
    """A word or number, a run of punctuation or a line break, and where it stands."""

    key: str
    start: int
    end: int
    is_word: bool


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
    for match in _patterns().token.finditer(text):
        is_word = match.lastindex == 1
        key = "\n" if match.lastindex == 2 else match.group()
        if is_word:
            key = _word_key(key.casefold())
            if key == _DATE and found and found[-1].key == _DATE:
                found[-1] = Token(_DATE, found[-1].start, match.end(), True)
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
    found = [_word_key(word) for word in _patterns().word.findall(text.casefold())]
    return [w for w, after in zip(found, [*found[1:], ""], strict=True) if w != _DATE or w != after]


def _word_key(word: str) -> str:
    if word in _dates():
        return _DATE
    return _patterns().number.sub(_DATE, word) if not word.isalpha() else word


class _Patterns(NamedTuple):
    token: Any
    word: Any
    number: Any
    closing: Any  # what may close a beginning; no comma, quotation mark or opening bracket does
    opening: Any  # what may open an end
    sentence_end: Any  # also "standstill.Read" and "standstillRead": lost mark-up


@cache
def _patterns() -> _Patterns:
    import regex

    word = r"[\p{L}\p{M}\p{N}]+(?:['’.\-‑][\p{L}\p{M}\p{N}]+)*"
    return _Patterns(
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
    last = [Token(t.key, t.start + begin, t.end + begin, t.is_word) for t in tokens(text[begin:])]
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
    if found[at].is_word or _patterns().closing.search(key) is None:
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
        return _patterns().opening.search(found[at].key) is not None
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
    for stop in [*(match.end() for match in _patterns().sentence_end.finditer(text)), len(text)]:
        if _SHORTEST_SENTENCE <= stop - begin <= _LONGEST_SENTENCE:
            found = text[begin:stop].casefold().split()
            if len(found) > 1:
                yield Span("text", "sentence", " ".join(map(_sentence_key, found)), begin, stop)
        begin = stop


def _sentence_key(word: str) -> str:
    if word.isalpha() and word not in _dates():
        return word
    return _DATE if word in _dates() else _patterns().number.sub(_DATE, word)


def _key(found: list[Token]) -> str:
    return " ".join(token.key for token in found)
