"""Which of the things that an outlet repeats are not content.

Content is said by others too, or holds together the articles that share it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from newsnest.corpus.affixes import Span
from newsnest.corpus.boilerplate import CORPUS
from newsnest.corpus.tokens import DATE, GAP, words
from newsnest.types import Article

_SAMPLE = 20_000  # articles, evenly spread, whose words are counted
_CHARACTERS = 2_000  # of each
_LEAD = 60  # words
_MOST = 0.7  # of the weight of a pattern's words, in a lead: its subject
_OTHERS, _OTHERS_SHARE = 0.2, 0.05  # of the articles and of the share that have it here
_BESIDE_SHARE = 0.2  # of that share, in the outlet's other articles
_COMPARED = 60  # articles that share a pattern
_OPENING, _CLOSING = "([（【［", ")]）】］"
_WORDS = 80  # of each
_ALIKE, _MORE_ALIKE = 0.08, 0.05  # mean cosine of two articles of an outlet, and of two that share


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the articles at `rows` share, all of one outlet or, for `CORPUS`, of any."""

    outlet: str
    span: Span
    text: str
    words: tuple[str, ...]
    rows: list[int] = field(default_factory=list)

    @property
    def is_tag(self) -> bool:
        """Whether it is a mark of an outlet in brackets, as "(LEAD)" is: no word of a sentence."""
        return bool(self.outlet) and self.span.key[0] in _OPENING and self.span.key[-1] in _CLOSING

    @classmethod
    def of(cls, outlet: str, span: Span, article: Article) -> "Candidate":
        """Return a candidate without rows, written as it is in this article."""
        text = getattr(article, span.part)[span.start : span.end].strip()
        # Behind a gap stands what varies least: "(Yonhap) --", "appeared first on the Herald".
        fixed = span.key.rpartition(f"{GAP} ")[2]
        return cls(outlet, span, text, tuple(words(fixed.replace(DATE, "0"))))


class WordSample:
    """The words of an even sample of the articles, and of those that candidates compare."""

    def __init__(self, articles: Sequence[Article], candidates: Sequence[Candidate]) -> None:
        self.articles = articles
        step = max(1, -(-len(articles) // _SAMPLE))
        self.rows = range(0, len(articles), step)
        self.words = {row: _words_of(articles[row]) for row in self.rows}
        self.sizes = Counter(articles[row].source for row in self.rows)
        self._articles_with = Counter(w for said in self.words.values() for w in set(said))
        for row in {row for one in candidates for row in spread(one.rows)} - self.words.keys():
            self.words[row] = _words_of(articles[row])

    def weight(self, word: str) -> float:
        """Return the log of how many articles there are for each one with the word."""
        return math.log(len(self.rows) / max(1, self._articles_with[word]))

    @cached_property
    def by_outlet(self) -> Mapping[str, list[int]]:
        """Sampled rows of every outlet, and of the corpus."""
        found: dict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            for outlet in {self.articles[row].source, CORPUS}:
                found[outlet].append(row)
        return found


def _words_of(article: Article) -> list[str]:
    return words(f"{article.title}\n{article.text[:_CHARACTERS]}")


def spread(rows: Sequence[int]) -> Sequence[int]:
    """Return at most 60 rows, evenly spread."""
    return rows[:: -(-len(rows) // _COMPARED)] if rows else rows


def only_here(
    candidates: Sequence[Candidate], sample: WordSample, having_it: Mapping[str, int]
) -> Iterator[Candidate]:
    """Yield what (nearly) no other outlet says, and what this one says in one place only.

    An article says it if it holds all its words in a row, or most of them in its first 60 words: so
    an outlet keeps the name of a story that others cover. Of what stands in brackets only the same
    beginnings and ends count: `having_it` gives the articles of the corpus with each, by name.
    """
    said = _Said(candidates, sample)
    having: dict[tuple[str, tuple[str, ...]], set[int]] = defaultdict(set)
    for one in candidates:
        having[one.outlet, one.words].update(one.rows)
    others, beside = Counter[int](), Counter[int]()
    for row in sample.rows:
        source = sample.articles[row].source
        for at in said.by(sample.words[row]):
            one = candidates[at]
            if row not in having[one.outlet, one.words]:
                (beside if one.outlet in (CORPUS, source) else others)[at] += 1
    for at, one in enumerate(candidates):
        own = sample.sizes[one.outlet] if one.outlet else len(sample.rows)
        shared = len(one.rows) * len(sample.rows) / len(sample.articles)  # about, in the sample
        rate = min(1.0, shared / own) if own else 1.0
        most = min(_OTHERS_SHARE * rate * (len(sample.rows) - own), max(1.0, _OTHERS * shared))
        if one.is_tag:
            if having_it[one.span.name] - len(one.rows) <= max(1.0, _OTHERS * len(one.rows)):
                yield one
        elif others[at] <= most and beside[at] <= _BESIDE_SHARE * rate * own:
            yield one


class _Said:
    """Tells which candidates an article says."""

    def __init__(self, candidates: Sequence[Candidate], sample: WordSample) -> None:
        self._whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._shares: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, one in enumerate(candidates):
            self._whole[one.words].append(at)
            self._lengths[one.words[0]].add(len(one.words))
            weights = {word: sample.weight(word) for word in one.words}
            total = sum(weights.values()) or 1.0
            for word, weight in weights.items():
                self._shares[word].append((at, weight / total))

    def by(self, said: Sequence[str]) -> set[int]:
        found: set[int] = set()
        for at, word in enumerate(said):
            for length in self._lengths.get(word, ()):
                found.update(self._whole.get(tuple(said[at : at + length]), ()))
        share: dict[int, float] = defaultdict(float)
        for word in dict.fromkeys(said[:_LEAD]):
            for one, part in self._shares.get(word, ()):
                share[one] += part
        return found | {one for one, part in share.items() if part >= _MOST}


def unlike(candidates: Sequence[Candidate], sample: WordSample) -> Iterator[Candidate]:
    """Yield what is shared by articles that are about as unlike as others of their outlet.

    So the sentences of one story that an outlet tells again and again stay, and copies do not
    count.
    """
    for one in candidates:
        usual = _alikeness(spread(sample.by_outlet[one.outlet]), one, sample)
        if _alikeness(spread(one.rows), one, sample) <= min(usual, _ALIKE) + _MORE_ALIKE:
            yield one


def _alikeness(rows: Sequence[int], one: Candidate, sample: WordSample) -> float:
    """Return the mean cosine of two of these articles, by TF-IDF, but for a candidate's words."""
    if len(rows) < 2:
        return 0.0
    total: dict[str, float] = defaultdict(float)
    for row in rows:
        said = dict.fromkeys(sample.words[row])
        weights = [(w, sample.weight(w)) for w in said if w not in one.words][:_WORDS]
        norm = math.hypot(*(weight for _, weight in weights)) or 1.0
        for word, weight in weights:
            total[word] += weight / norm
    squares = sum(weight * weight for weight in total.values())
    return (squares - len(rows)) / (len(rows) * (len(rows) - 1))
