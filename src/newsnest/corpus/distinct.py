"""Which of the things that an outlet repeats are not content.

Content is said by others too, or holds together the articles that share it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, groupby

from newsnest.corpus.affixes import Span
from newsnest.corpus.boilerplate import CORPUS
from newsnest.corpus.tokens import GAP, keys, words
from newsnest.types import Article

_CHARACTERS = 1_000  # of a text
_BEGINNING = 120  # characters where a tag stands
_LEAD = 60  # words
_MOST = 0.7  # of the weight of a pattern's words, in a lead: its subject
_OTHERS, _OTHERS_SHARE = 0.2, 0.05  # of the articles and of the share that have it here
_BESIDE_SHARE = 0.2  # of that share, in the outlet's other articles
_COMPARED = 60  # articles that share a pattern
_OPENING, _CLOSING = "([（【［", ")]）】］"
_WORDS = 80  # of each
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

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words."""
        # Behind a gap stands what varies least: "(Yonhap) --", "appeared first on the Herald".
        return tuple(words(self.span.key.rpartition(f"{GAP} ")[2]))


class Sample:
    """The words of a sample of the articles: in how many is each."""

    def __init__(self, articles: Sequence[Article], rows: Sequence[int]) -> None:
        self.articles, self.rows = articles, rows
        self.sizes = Counter(articles[row].source for row in rows)
        self.sizes[CORPUS] = len(rows)
        self._articles_with = Counter(word for row in rows for word in set(self.words(row)))

    def words(self, row: int) -> list[str]:
        """Return the words of an article, of a long one those at its beginning."""
        article = self.articles[row]
        return words(f"{article.title}\n{article.text[:_CHARACTERS]}")

    def weight(self, word: str) -> float:
        """Return the log of how many articles there are for each one with the word."""
        return math.log(len(self.rows) / max(1, self._articles_with[word]))

    def vector(self, row: int) -> dict[str, float]:
        """Return the weights of the first 80 words of an article."""
        return {word: self.weight(word) for word in list(dict.fromkeys(self.words(row)))[:_WORDS]}


def only_here(candidates: Sequence[Candidate], sample: Sample) -> Iterator[Candidate]:
    """Yield what (nearly) no other outlet says, and what this one says in one place only.

    An article says it if it holds all its words in a row, or most of them in its first 60 words: so
    an outlet keeps the name of a story that others cover. Of what stands in brackets only the same
    beginnings count.
    """
    said = _said(candidates, sample)
    having: dict[tuple[str, _Phrase], set[int]] = defaultdict(set)
    for one in candidates:
        having[one.outlet, one.words].update(one.rows)
    for one in candidates:
        by = said[(one.span.key,) if one.is_tag else one.words]
        here = by.get(one.outlet, []) if one.outlet else sum(by.values(), [])
        others = sum(map(len, by.values())) - len(here)
        own, share = sample.sizes[one.outlet], len(one.rows) / len(one.among)
        most = max(1.0, _OTHERS * share * own)
        if one.is_tag:
            if others <= most:
                yield one
            continue
        most = min(most, _OTHERS_SHARE * share * (len(sample.rows) - own))
        beside = len(set(here) - having[one.outlet, one.words])
        if others <= most and beside <= _BESIDE_SHARE * share * own:
            yield one


def _said(
    candidates: Sequence[Candidate], sample: Sample
) -> Mapping[_Phrase, Mapping[str, Sequence[int]]]:
    """Return which articles of the sample say the words of candidates, by outlet."""
    weights: dict[_Phrase, dict[str, float]] = {}
    near: dict[str, list[_Phrase]] = defaultdict(list)
    tags = {(one.span.key,) for one in candidates if one.is_tag}
    for phrase in {one.words for one in candidates if not one.is_tag}:
        each = {word: sample.weight(word) for word in phrase}
        total = sum(each.values()) or 1.0
        weights[phrase] = {word: weight / total for word, weight in each.items()}
        # An article that says it has one of its heaviest words.
        rest = 1.0
        for word, weight in sorted(weights[phrase].items(), key=lambda item: (-item[1], item[0])):
            near[word].append(phrase)
            rest -= weight
            if rest < _MOST:
                break
    found: dict[_Phrase, dict[str, list[int]]] = {
        phrase: defaultdict(list) for phrase in (*weights, *tags)
    }
    for row in sample.rows:
        words = sample.words(row)
        article = sample.articles[row]
        text, lead = f" {' '.join(words)} ", set(words[:_LEAD])
        for phrase in {one for word in near.keys() & set(words) for one in near[word]}:
            if f" {' '.join(phrase)} " in text or (
                sum(part for word, part in weights[phrase].items() if word in lead) >= _MOST
            ):
                found[phrase][article.source].append(row)
        if tags:
            parts = (keys(part[:_BEGINNING]) for part in (article.title, article.text))
            begins = f" {' '.join(chain(*parts))} "
            for tag in tags:
                if f" {tag[0]} " in begins:
                    found[tag][article.source].append(row)
    return found


def unlike(candidates: Iterable[Candidate], sample: Sample) -> Iterator[Candidate]:
    """Yield what is shared by articles that are about as unlike as others of their outlet.

    So the sentences of one story that an outlet tells again and again stay, and copies do not
    count.
    """
    for _, group in groupby(candidates, key=lambda one: one.outlet):
        own, vector = list(group), cache(sample.vector)
        shared = dict.fromkeys(word for one in own for word in one.words)
        usual = _alikeness(map(vector, own[0].among[:_COMPARED]), shared)
        for one in own:
            rows = one.rows[:_COMPARED]
            alikeness = _alikeness(map(vector, rows), dict.fromkeys(one.words))
            if alikeness <= min(usual, _ALIKE) + _MORE_ALIKE:
                yield one


def _alikeness(vectors: Iterable[dict[str, float]], without: dict[str, None]) -> float:
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
