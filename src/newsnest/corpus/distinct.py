"""Which of the things that an outlet repeats are not content.

Content is said by others too, or holds together the articles that share it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, groupby

from newsnest.corpus.affixes import Span
from newsnest.corpus.boilerplate import CORPUS
from newsnest.corpus.tokens import GAP, keys, words
from newsnest.types import Article

_CHARACTERS = 1_000  # of a text
_BEGINNING, _COMPARED_CHARACTERS = 120, 500  # where a tag stands, and where articles are compared
_LEAD = 60  # words
_MOST = 0.7  # of the weight of a pattern's words, in a lead: its subject
_OTHERS, _OTHERS_SHARE = 0.2, 0.05  # of the articles and of the share that have it here
_BESIDE_SHARE = 0.2  # of that share, in the outlet's other articles
_COMPARED = 30  # articles that share a pattern
_OPENING, _CLOSING = "([（【［", ")]）】］"
_ALIKE, _MORE_ALIKE = 0.08, 0.05  # mean cosine of two articles of an outlet, and of two that share

_Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """What articles share, all of one outlet or, for `CORPUS`, of any.

    `rows` have it, of those `among` that were looked at; `example` is one as it is written.
    """

    outlet: str
    span: Span
    example: str
    rows: Sequence[int]
    among: Sequence[int]

    @property
    def is_tag(self) -> bool:
        """Whether it is a mark of an outlet in brackets, as "(LEAD)" is: no word of a sentence."""
        key = self.span.key
        return bool(self.outlet) and key[0] in _OPENING and key[-1] in _CLOSING

    @property
    def phrase(self) -> _Phrase:
        """What others might say too: the words, all of a tag."""
        return (self.span.key,) if self.is_tag else self.words

    @cached_property
    def words(self) -> _Phrase:
        """Its words."""
        # Behind a gap stands what varies least: "(Yonhap) --", "appeared first on the Herald".
        return tuple(words(self.span.key.rpartition(f"{GAP} ")[2]))


class Sample:
    """The words of a sample of the articles: in how many is each."""

    def __init__(self, articles: Sequence[Article], rows: Sequence[int]) -> None:
        self.articles, self.rows = articles, rows
        self.sizes = Counter(articles[row].source for row in rows)
        self.sizes[CORPUS] = len(rows)
        self._most = math.log(len(rows) + 1)
        articles_with = Counter(word for row in rows for word in set(self.words(row)))
        # Above 0, or copies of one text would be alike in nothing.
        self._weights = {w: math.log((len(rows) + 1) / n) for w, n in articles_with.items()}

    def words(self, row: int, characters: int = _CHARACTERS) -> list[str]:
        """Return the words of an article, of a long one those at its beginning."""
        article = self.articles[row]
        return words(f"{article.title}\n{article.text[:characters]}")

    def weight(self, word: str) -> float:
        """Return the log of how many articles there are for each one with the word."""
        return self._weights.get(word, self._most)

    def vector(self, row: int) -> dict[str, float]:
        """Return the weights of the words with which an article begins."""
        return {word: self.weight(word) for word in self.words(row, _COMPARED_CHARACTERS)}


def only_here(candidates: Sequence[Candidate], sample: Sample) -> Iterator[Candidate]:
    """Yield what (nearly) no other outlet says, and what this one says in one place only.

    An article says it if it holds all its words in a row, or most of them in its first 60 words: so
    an outlet keeps the name of a story that others cover. Of what stands in brackets only the same
    beginnings count.
    """
    said = _said(candidates, sample)
    having: dict[tuple[str, _Phrase], set[int]] = defaultdict(set)
    for one in candidates:
        having[one.outlet, one.phrase].update(one.rows)
    for one in candidates:
        by = said[one.phrase]
        here = set(by.get(one.outlet, ()) if one.outlet else chain(*by.values()))
        others = sum(map(len, by.values())) - len(here)
        own, share = sample.sizes[one.outlet], len(one.rows) / len(one.among)
        most = max(1.0, _OTHERS * share * own)
        if not one.is_tag:
            most = min(most, _OTHERS_SHARE * share * (len(sample.rows) - own))
        beside = 0 if one.is_tag else len(here - having[one.outlet, one.phrase])
        if others <= most and beside <= _BESIDE_SHARE * share * own:
            yield one


def _said(
    candidates: Sequence[Candidate], sample: Sample
) -> Mapping[_Phrase, Mapping[str, Sequence[int]]]:
    """Return which articles of the sample say the phrases of candidates, by outlet."""
    tags = {one.phrase for one in candidates if one.is_tag}
    parts: dict[_Phrase, dict[str, float]] = {}  # of the weight of a phrase
    near: dict[str, list[_Phrase]] = defaultdict(list)
    for phrase, its in {one.phrase: one.words for one in candidates}.items():
        weights = {word: sample.weight(word) for word in its}
        total = sum(weights.values()) or 1.0
        parts[phrase] = {word: weight / total for word, weight in weights.items()}
        # What says it has one of its heaviest words.
        rest = 1.0
        for word, part in sorted(parts[phrase].items(), key=lambda item: (-item[1], item[0])):
            near[word].append(phrase)
            rest -= part
            if rest < _MOST:
                break
    found: dict[_Phrase, dict[str, list[int]]] = {phrase: defaultdict(list) for phrase in parts}
    for row in sample.rows:
        said = sample.words(row)
        article = sample.articles[row]
        text, lead = f" {' '.join(said)} ", set(said[:_LEAD])
        for phrase in {one for word in near.keys() & set(said) for one in near[word]}:
            if phrase in tags:
                begins = f"{article.title[:_BEGINNING]}\n{article.text[:_BEGINNING]}"
                says = f" {phrase[0]} " in f" {' '.join(keys(begins))} "
            else:
                says = (
                    f" {' '.join(phrase)} " in text
                    or sum(part for word, part in parts[phrase].items() if word in lead) >= _MOST
                )
            if says:
                found[phrase][article.source].append(row)
    return found


def unlike(candidates: Iterable[Candidate], sample: Sample) -> Iterator[Candidate]:
    """Yield what is shared by articles that are about as unlike as others of their outlet.

    So the sentences of one story that an outlet tells again and again stay, and copies do not
    count.
    """
    for _, group in groupby(candidates, key=lambda one: one.outlet):
        vector = cache(sample.vector)
        for one in group:
            usual, alikeness = (
                _alikeness(map(vector, rows[:_COMPARED]), set(one.words))
                for rows in (one.among, one.rows)
            )
            if alikeness <= min(usual, _ALIKE) + _MORE_ALIKE:
                yield one


def _alikeness(vectors: Iterable[dict[str, float]], without: Set[str]) -> float:
    """Return the mean cosine of two of these articles, but for some words."""
    total: dict[str, float] = defaultdict(float)
    count = squares = 0.0
    for vector in vectors:
        count += 1
        square = math.fsum(w * w for word, w in vector.items() if word not in without)
        if square > 0:
            squares += 1
            scale = 1 / math.sqrt(square)
            for word, weight in vector.items():
                total[word] += weight * scale
    if count < 2:
        return 0.0
    every = sum(w * w for word, w in total.items() if word not in without)
    return (every - squares) / (count * (count - 1))
