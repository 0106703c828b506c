"""Boilerplate is taken out of articles: datelines, slogans, credits, "Read more"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from newsnest.corpus.affixes import Span, mark_of, marks, spans
from newsnest.types import Article

_SEPARATORS = " \n\t-–—|·•:"  # between an outlet and the rest, and not part of the pattern
_ROUNDS = 6  # a beginning may stand behind another
CORPUS = ""
"""The outlet of what articles share whatever their outlet."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an outlet repeats.

    Parameters
    ----------
    outlet
        Whose; "" for what the articles of the corpus share whatever their outlet.
    name
        Where it stands, and its words: "text head: … ( yonhap ) --". "#" is a number or date, "…"
        what varies.
    text
        An example as it is written, "#" for its numbers and "…" for what varies.
    articles
        How many articles it is taken out of.
    """

    outlet: str
    name: str
    text: str
    articles: int


class Boilerplate:
    """What outlets repeat, and articles without it.

    `patterns` come with the commonest first.

    Example
    -------
    >>> pattern = Pattern("Gulls", "text tail: read on at gulls.example .", "Read on at …", 9)
    >>> article = Article("1", "Sea wall", "It broke. Read on at gulls.example.", source="Gulls")
    >>> Boilerplate([pattern]).strip(article).text
    'It broke.'
    """

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        self.patterns = tuple(sorted(patterns, key=lambda p: (-p.articles, p.outlet, p.name)))
        by_outlet: dict[str, dict[str, Pattern]] = {CORPUS: {}}
        for pattern in self.patterns:
            by_outlet.setdefault(pattern.outlet, {})[pattern.name] = pattern
        everywhere = by_outlet[CORPUS]
        self._known = {outlet: _Known({**everywhere, **own}) for outlet, own in by_outlet.items()}

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> "Boilerplate":
        """Return what `as_rows` wrote."""
        return cls(Pattern(**row) for row in rows)

    def as_rows(self) -> list[dict[str, Any]]:
        """Return the patterns, ready for JSON."""
        return [asdict(pattern) for pattern in self.patterns]

    def strip(self, article: Article) -> Article:
        """Return an article without boilerplate, the same object where there is none.

        Neither the title nor the whole article becomes empty.
        """
        return self.taken(article)[0]

    def taken(self, article: Article) -> tuple[Article, tuple[Pattern, ...]]:
        """Return an article without boilerplate, and the patterns that were taken out of it."""
        known = self._known.get(article.source, self._known[CORPUS])
        left, taken = article, list[Pattern]()
        for _ in range(_ROUNDS if known.patterns else 0):
            chosen = _choose(known.spans(left), known.patterns)
            shorter = _cut(left, chosen) if chosen else left
            if shorter is left:
                break
            taken += [known.patterns[span.name] for span in chosen]
            left = shorter
        return left, tuple(dict.fromkeys(taken))


class _Known:
    """The patterns of an outlet and of the corpus, by name."""

    def __init__(self, patterns: Mapping[str, Pattern]) -> None:
        self.patterns = patterns
        self._marks = {mark_of(name) for name in patterns}
        self._sentences = any(name.startswith("text sentence") for name in patterns)

    def spans(self, article: Article) -> list[Span]:
        """Return where these patterns stand."""
        if self._marks.isdisjoint(marks(article, sentences=self._sentences)):
            return []
        found = spans(article, self._marks, sentences=self._sentences)
        return [span for span in found if span.name in self.patterns]


def _choose(found: Sequence[Span], known: Mapping[str, Pattern]) -> list[Span]:
    """Return the sentences, or else the longest beginning and end of every part."""
    sentences = [span for span in found if span.place == "sentence"]
    if sentences:
        return sentences
    best: dict[tuple[str, bool], Span] = {}
    for span in sorted(
        found, key=lambda s: (s.first - s.stop, -known[s.name].articles, -len(s.name))
    ):
        best.setdefault((span.part, span.place == "head"), span)
    return list(best.values())


def _cut(article: Article, chosen: Sequence[Span]) -> Article:
    """Return an article without these spans, itself if too little would be left."""
    title, text = article.title, article.text
    places = {span: span.characters(article) for span in chosen}
    for span, place in sorted(places.items(), key=lambda item: item[1], reverse=True):
        if span.part == "text":
            text = _without(text, *place)
        else:
            shorter = _without(title, *place)
            title = shorter if _says_anything(shorter) else title
    if not _says_anything(text):
        text = ""
    if (title, text) == (article.title, article.text) or not (title or text):
        return article
    return replace(article, title=title, text=text)


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    if not after.strip():
        return before.rstrip(_SEPARATORS).strip()
    if not before.strip():
        return after.lstrip(_SEPARATORS).strip()
    left, right = before.rstrip(), after.lstrip()
    between = before[len(left) :] + after[: len(after) - len(right)]
    return f"{left}\n{right}" if "\n" in between else f"{left} {right}"


def _says_anything(text: str) -> bool:
    return any(c.isalnum() for c in text)
