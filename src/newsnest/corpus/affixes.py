"""Where boilerplate can stand: the beginnings, the ends and the sentences of an article."""

from collections.abc import Iterator, Sequence, Set
from typing import Literal, NamedTuple

from newsnest.corpus.tokens import (
    CLOSING,
    GAP,
    OPENING,
    is_word,
    keys,
    patterns,
    sentence_key,
    tokens,
)
from newsnest.types import Article

Part = Literal["title", "text"]
Place = Literal["head", "tail", "ending", "sentence"]

_LONGEST = 16  # tokens of a beginning or end
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 5, 400  # characters
_NEAR = 120  # characters of a beginning
_READ_BACK = 300  # a headline may stand within: "The post … appeared first on …"
_VARIABLE = 6  # words before an anchor: "SEOUL, May 28"
_ANCHOR = 8  # tokens
_ENDINGS = range(2, 9)  # words
_TEMPLATE_STARTS = 4


class Span(NamedTuple):
    """A piece of an article that may be boilerplate.

    `key` is the same for pieces that differ in numbers, dates, case and what stands at "…".
    `first` and `stop` count characters of a sentence, or else tokens, from the end if below 0.
    """

    part: Part
    place: Place
    key: str
    first: int
    stop: int

    @property
    def name(self) -> str:
        """What is counted."""
        return f"{self.part} {self.place}: {self.key}"

    def characters(self, article: Article) -> tuple[int, int]:
        """Return where the piece begins and ends in the title or text of its article."""
        text = article.title if self.part == "title" else article.text
        if self.place == "sentence":
            return self.first, self.stop
        if self.place == "head":
            return 0, tokens(text[:_NEAR])[self.stop - 1].end
        begin = max(0, len(text) - _READ_BACK)
        return begin + tokens(text[begin:])[self.first].start, len(text)


def marks(article: Article, *, sentences: bool) -> set[int]:
    """Return hashes that are cheap to count: of the last word of every beginning, end, sentence.

    What many articles share has a mark that at least as many share; so only they need `spans`.
    """
    found = set()
    for part, text in _parts(article):
        first = keys(text[:_NEAR])
        # Of an end, only the last word and what follows it counts.
        last = first if len(text) <= _NEAR else keys(text[-_NEAR:])
        found.add(_mark(part, "tail", last))
        found |= {_mark(part, "head", first[:end]) for end in _head_ends(first)}
    if sentences:
        found |= {hash(key) for key, _, _ in _sentences(article.text)}
    return found


def mark_of(name: str) -> int:
    """Return the mark of the spans with this name."""
    where, _, key = name.partition(": ")
    part, place = where.split(" ")
    if place == "sentence":
        return hash(key)
    return _mark(part, "head" if place == "head" else "tail", key.split(" "))


def spans(article: Article, wanted: Set[int], *, sentences: bool) -> Iterator[Span]:
    """Yield the pieces with these marks."""
    for part, text in _parts(article):
        found = keys(text[:_NEAR])
        for end in _head_ends(found):
            if _mark(part, "head", found[:end]) in wanted:
                yield from _heads(found[:end], part)
        found = keys(text[-_READ_BACK:])
        if _mark(part, "tail", found) in wanted:
            yield from _tails(found[len(text) > _READ_BACK :], part)  # the first may be cut
    for key, begin, stop in _sentences(article.text) if sentences else ():
        if hash(key) in wanted:
            yield Span("text", "sentence", key, begin, stop)


def _parts(article: Article) -> Iterator[tuple[Part, str]]:
    if article.title:
        yield "title", article.title
    if article.text:
        yield "text", article.text


def _mark(part: str, place: str, found: Sequence[str]) -> int:
    at = len(found) - 1
    while at > 0 and not is_word(found[at]):
        at -= 1
    return hash((part, place, *found[at:])) if found else 0


def _head_ends(found: Sequence[str]) -> list[int]:
    """Return after how many tokens a beginning may end: not at the last, which may be cut."""
    return [
        at + 1
        for at in range(1, min(len(found) - 1, _LONGEST))
        if found[at][-1] in CLOSING and _closes(found, at)
    ]


def _closes(found: Sequence[str], at: int) -> bool:
    """Whether a beginning may end with this token."""
    key = found[at]
    # "S. Korea", "Sen. Lee": a full stop alone closes only what is longer than an abbreviation.
    return key[-1] in CLOSING and (
        key != "." or (at > 1 and len(found[at - 1]) > 2 and is_word(found[at - 2]))
    )


def _heads(found: Sequence[str], part: Part) -> Iterator[Span]:
    yield Span(part, "head", " ".join(found), 0, len(found))
    if part == "title":
        return
    variable = 0
    for start in range(1, len(found) - 2):
        variable += is_word(found[start - 1])
        if variable > _VARIABLE:
            return
        if len(found) - start <= _ANCHOR and _is_anchor(found[start:]):
            yield Span(part, "head", f"{GAP} {' '.join(found[start:])}", 0, len(found))


def _is_anchor(anchor: Sequence[str]) -> bool:
    """Whether words set off by punctuation on both sides stand here: "(Yonhap) --", "/TASS/."."""
    return (
        not is_word(anchor[0])
        and anchor[0][0] not in ",.'’\"”"
        and is_word(anchor[1])
        and any(c.isalpha() for key in anchor for c in key)
    )


def _tails(found: Sequence[str], part: Part) -> Iterator[Span]:
    size = len(found)
    last = size  # after the last word
    while last and not is_word(found[last - 1]):
        last -= 1
    for start in range(max(1, size - _LONGEST), last):
        if _opens(found, start):
            yield Span(part, "tail", " ".join(found[start:]), start - size, 0)
    if part == "text" and size - last <= 1:
        yield from _templates(found, last)


def _opens(found: Sequence[str], at: int) -> bool:
    """Whether an end may begin with this token."""
    return _closes(found, at - 1) if is_word(found[at]) else found[at][0] in OPENING


def _templates(found: Sequence[str], last: int) -> Iterator[Span]:
    """Yield ends whose middle varies: "The post … appeared first on the Herald."."""
    size = len(found)
    starts = [
        at for at in range(1, last - 2) if found[at - 1][-1] in ".!?…。\n" and _opens(found, at)
    ][-_TEMPLATE_STARTS:]
    for begin in (last - words for words in _ENDINGS if words < last):
        if not is_word(found[begin]):
            return
        ending = " ".join(found[begin:])
        yield Span("text", "ending", ending, begin - size, 0)
        for at in starts:
            if at + 2 < begin and is_word(found[at + 1]):
                key = f"{' '.join(found[at : at + 2])} {GAP} {ending}"
                yield Span("text", "tail", key, at - size, 0)


def _sentences(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the key of every sentence, and where it begins and ends."""
    split = patterns()
    stops = [match.end() for match in split.sentence_end.finditer(text)]
    stops += [match.start() for match in split.glued.finditer(text)]
    begin = 0
    for stop in (*sorted(stops), len(text)):
        if _SHORTEST_SENTENCE <= stop - begin <= _LONGEST_SENTENCE:
            key = sentence_key(text[begin:stop])
            if " " in key:
                yield key, begin, stop
        begin = stop
