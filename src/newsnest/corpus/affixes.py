"""Where boilerplate can stand: the beginnings, the ends and the sentences of an article."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from newsnest.corpus.tokens import GAP, Token, patterns, tokens, word_key
from newsnest.types import Article

Part = Literal["title", "text"]
Place = Literal["head", "tail", "ending", "sentence"]

_LONGEST = 16  # tokens of a beginning or end
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 5, 400  # characters
_READ_AHEAD = 200  # characters
_READ_BACK = 300  # a headline may stand within: "The post … appeared first on …"
_VARIABLE = 6  # words before an anchor: "SEOUL, May 28"
_ANCHOR = 8  # tokens
_ENDINGS = range(2, 9)  # words
_TEMPLATE_STARTS = 4


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
            yield Span(part, "head", f"{GAP} {_key(anchor)}", 0, stop)


def _closes(found: list[Token], at: int) -> bool:
    """Whether a beginning may end with this token."""
    key = found[at].key
    if found[at].is_word or patterns().closing.search(key) is None:
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
        return patterns().opening.search(found[at].key) is not None
    return _closes(found, at - 1)


def _templates(found: list[Token], part: Part) -> Iterator[Span]:
    """Yield ends whose middle varies: "The post … appeared first on the Herald."."""
    if not found:
        return
    last = len(found) - (not found[-1].is_word)
    starts = [
        at for at in range(1, last) if found[at - 1].key[-1] in ".!?…。\n" and _opens(found, at)
    ]
    for size in _ENDINGS:
        if size >= last or not all(token.is_word for token in found[last - size : last]):
            continue
        ending = _key(found[last - size :])
        yield Span(part, "ending", ending, found[last - size].start, found[-1].end)
        for at in starts[-_TEMPLATE_STARTS:]:
            if at + 2 < last - size and found[at + 1].is_word:
                key = f"{_key(found[at : at + 2])} {GAP} {ending}"
                yield Span(part, "tail", key, found[at].start, found[-1].end)


def _sentences(text: str) -> Iterator[Span]:
    begin = 0
    for stop in [*(match.end() for match in patterns().sentence_end.finditer(text)), len(text)]:
        if _SHORTEST_SENTENCE <= stop - begin <= _LONGEST_SENTENCE:
            found = text[begin:stop].casefold().split()
            if len(found) > 1:
                yield Span("text", "sentence", " ".join(map(word_key, found)), begin, stop)
        begin = stop


def _key(found: list[Token]) -> str:
    return " ".join(token.key for token in found)
