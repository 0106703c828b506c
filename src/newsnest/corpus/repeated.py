"""What is boilerplate is found by counting: an outlet repeats it, and others do not."""

import hashlib
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus.affixes import Span, spans, words
from newsnest.corpus.boilerplate import Boilerplate, Pattern
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

_CORPUS = ""
MIN_ARTICLES, MIN_SHARE = 5, 0.03
"""An outlet repeats what stands in so many of its articles and in such a share of them."""
MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE = 12, 0.02
"""The same for what articles share whatever their outlet."""
MAX_ALIKE = 0.08
"""Articles that share boilerplate are unlike otherwise: mean cosine of two, by TF-IDF of words."""
_ELSEWHERE = 0.05  # of the share that it has here, in the articles of others
_OTHERS = 0.2  # articles of others, for each that has it here
_BESIDE = 0.2  # of that share, in the outlet's own articles in another place
_WHOLE_TEMPLATES = 0.8
_UNBOUNDED = 0.3  # of the articles of an outlet have an end that nothing sets off
_LEAD = 60  # words
_MOST = 0.7
_MORE_ALIKE = 0.05
_SAMPLE = 50_000  # articles in which words are counted
_COMPARED = 60  # articles that share a pattern
_WORDS = 80  # of each
_CHARACTERS = 3_000
_CHUNK = 4096


@dataclass(slots=True)
class _Candidate:
    """What many articles of an outlet share."""

    outlet: str
    span: Span
    text: str
    rows: list[int] = field(default_factory=list)

    @property
    def compared(self) -> list[int]:
        """Return the articles that are compared with each other, spread over all."""
        return _spread(self.rows)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that must be rare elsewhere: those behind the gap."""
        return tuple(words(self.span.key.rpartition("… ")[2].replace("#", "0")))


def find_boilerplate(
    articles: Sequence[Article], *, progress: Progress = SILENT
) -> Boilerplate:
    """Find what outlets repeat across their articles and others do not."""
    names, outlet = np.unique([article.source for article in articles], return_inverse=True)
    sizes = np.bincount(outlet, minlength=len(names))
    needs = np.maximum(MIN_ARTICLES, np.ceil(MIN_SHARE * sizes))
    if names.size and names[0] == _CORPUS:
        needs[0] = np.inf  # no outlet
    groups = {str(name): int(size) for name, size in zip(names, sizes, strict=True)}
    groups[_CORPUS] = len(articles)
    frequent, rows = _frequent(articles, outlet, needs, progress)
    candidates = _candidates(articles, frequent, rows)
    candidates = _repeated(candidates, groups)
    corpus = _read(articles, candidates)
    candidates = _only_here(candidates, articles, groups, corpus)
    candidates = _unlike(candidates, articles, corpus)
    return _used(Boilerplate(_pattern(one) for one in candidates), articles, rows)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _frequent(
    articles: Sequence[Article], outlet: Any, needs: Any, progress: Progress
) -> tuple[set[int], list[int]]:
    """Return the hashes of what is frequent, and the articles which have any of it."""
    hashes, begins = array("Q"), array("q", [0])
    with progress.start("count what is repeated", len(articles), "articles") as task:
        for article in articles:
            hashes.extend(sorted({_hash(span.name) for span in spans(article)}))
            begins.append(len(hashes))
            task.advance()
    own = np.frombuffer(hashes, np.uint64) if hashes else np.empty(0, np.uint64)
    row = np.repeat(np.arange(len(articles)), np.diff(np.frombuffer(begins, np.int64)))
    corpus_need = max(MIN_CORPUS_ARTICLES, math.ceil(MIN_CORPUS_SHARE * len(articles)))
    many = np.zeros(own.size, bool)
    _, inverse, counts = np.unique(own, return_inverse=True, return_counts=True)
    many |= counts[inverse] >= corpus_need
    # Odd, so that multiplying modulo 2⁶⁴ keeps hashes apart.
    salt = np.random.default_rng(0).integers(1 << 63, size=len(needs), dtype=np.uint64)
    mixed = own ^ (salt * np.uint64(2) + np.uint64(1))[outlet[row]]
    _, inverse, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    many |= counts[inverse] >= needs[outlet[row]]
    return set(own[many].tolist()), np.unique(row[many]).tolist()


def _candidates(
    articles: Sequence[Article], frequent: set[int], rows: Sequence[int]
) -> dict[tuple[str, str], _Candidate]:
    found: dict[tuple[str, str], _Candidate] = {}
    for row in rows:
        article = articles[row]
        seen: dict[str, Span] = {}
        for span in spans(article):
            seen.setdefault(span.name, span)
        for name, span in seen.items():
            if _hash(name) not in frequent:
                continue
            for outlet in {article.source, _CORPUS}:
                one = found.get((outlet, name))
                if one is None:
                    text = getattr(article, span.part)[span.start : span.end]
                    one = found[outlet, name] = _Candidate(outlet, span, text)
                one.rows.append(row)
    return found


def _repeated(
    found: Mapping[tuple[str, str], _Candidate], groups: Mapping[str, int]
) -> list[_Candidate]:
    """Keep what is frequent enough, and templates which nearly all with that end have."""
    kept = []
    for (outlet, _), one in found.items():
        least, share = (
            (MIN_ARTICLES, MIN_SHARE) if outlet else (MIN_CORPUS_ARTICLES, MIN_CORPUS_SHARE)
        )
        if one.span.place == "ending":
            share = _UNBOUNDED
        if len(one.rows) < max(least, share * groups[outlet]) or not one.words:
            continue
        _, gap, ending = one.span.key.partition(" … ")
        if gap and one.span.place == "tail":
            all_ = found[outlet, f"text ending: {ending}"]
            if len(one.rows) < _WHOLE_TEMPLATES * len(all_.rows):
                continue
        kept.append(one)
    return kept


def _sampled(articles: Sequence[Article]) -> Iterable[tuple[int, Article]]:
    step = max(1, -(-len(articles) // _SAMPLE))
    return ((row, articles[row]) for row in range(0, len(articles), step))


def _words_of(article: Article) -> list[str]:
    body = f"{article.title}\n{article.text[:_CHARACTERS]}"
    return words(body)


@dataclass(frozen=True, slots=True)
class _Corpus:
    """Words of the articles, or of an even sample of them."""

    words: Mapping[int, list[str]]  # by row
    weight: Mapping[str, float]  # log of articles by articles with the word
    unseen: float


def _read(articles: Sequence[Article], candidates: Sequence[_Candidate]) -> _Corpus:
    said = {row: _words_of(article) for row, article in _sampled(articles)}
    count = Counter(word for one in said.values() for word in set(one))
    weight = {word: math.log(len(said) / many) for word, many in count.items()}
    for one in candidates:
        said.update({r: _words_of(articles[r]) for r in one.compared if r not in said})
    return _Corpus(said, weight, math.log(len(articles)))


def _only_here(
    candidates: Sequence[_Candidate],
    articles: Sequence[Article],
    groups: Mapping[str, int],
    corpus: _Corpus,
) -> list[_Candidate]:
    """Keep what (nearly) no other outlet says, and what this one says in this place only."""
    said = _Said(candidates, corpus)
    having: dict[tuple[str, tuple[str, ...]], set[int]] = defaultdict(set)
    for one in candidates:
        having[one.outlet, one.words].update(one.rows)
    sharers = [having[one.outlet, one.words] for one in candidates]
    others, beside = Counter[int](), Counter[int]()
    sampled = Counter[str]()
    for row, article in _sampled(articles):
        sampled[article.source] += 1
        for at in said.by(corpus.words[row]):
            if row in sharers[at]:
                continue
            same = candidates[at].outlet in (_CORPUS, article.source)
            (beside if same else others)[at] += 1
    total = sampled.total()
    kept = []
    for at, one in enumerate(candidates):
        here = sampled[one.outlet] if one.outlet else total
        share = len(one.rows) / groups[one.outlet]
        most = min(_ELSEWHERE * share * (total - here), max(1, _OTHERS * len(one.rows) * total / len(articles)))
        if others[at] <= most and beside[at] <= _BESIDE * share * here:
            kept.append(one)
            if VERBOSE: print("only here",len(one.rows),one.outlet,one.span.name,others[at],beside[at])
        elif VERBOSE: print("not here only",len(one.rows),one.outlet,one.span.name,others[at],beside[at])
    return kept
VERBOSE=0

class _Said:
    """Tells which candidates an article says: all their words in a row, or most in its lead."""

    def __init__(self, candidates: Sequence[_Candidate], corpus: _Corpus) -> None:
        self._rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._having: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, one in enumerate(candidates):
            self._rows[one.words].append(at)
            self._lengths[one.words[0]].add(len(one.words))
            weight = {word: corpus.weight.get(word, corpus.unseen) for word in one.words}
            total = sum(weight.values()) or 1.0
            for word, value in weight.items():
                self._having[word].append((at, value / total))

    def by(self, words: Sequence[str]) -> set[int]:
        found: set[int] = set()
        for at, word in enumerate(words):
            for length in self._lengths.get(word, ()):
                found.update(self._rows.get(tuple(words[at : at + length]), ()))
        share: dict[int, float] = defaultdict(float)
        for word in set(words[:_LEAD]):
            for at, value in self._having.get(word, ()):
                share[at] += value
        found.update(at for at, value in share.items() if value >= _MOST)
        return found


def _unlike(
    candidates: Sequence[_Candidate], articles: Sequence[Article], corpus: _Corpus
) -> list[_Candidate]:
    """Keep what articles share that are unlike otherwise."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row in corpus.words: rows[articles[row].source].append(row); rows[_CORPUS].append(row)
    kept=[]
    for one in candidates:
        r=rows[one.outlet]; usual=_alike(_spread(r),one.words,corpus)
        a=_alike(one.compared,one.words,corpus)
        ok= a<=min(usual,MAX_ALIKE)+_MORE_ALIKE
        if VERBOSE: print(f"ALIKE {a:.3f} {usual:.3f} {ok}",len(one.rows),one.outlet,one.span.name)
        if ok: kept.append(one)
    return kept

def _spread(rows):
    step = max(1, len(rows) // _COMPARED)
    return rows[::step][:_COMPARED]

def _alike(rows: Sequence[int], but: Iterable[str], corpus: _Corpus) -> float:
    """Return the mean cosine of two articles, without some words."""
    total: dict[str, float] = defaultdict(float)
    own = set(but)
    for row in rows:
        words = list(dict.fromkeys(w for w in corpus.words[row] if w not in own))[:_WORDS]
        values = [corpus.weight.get(word, corpus.unseen) for word in words]
        norm = math.sqrt(sum(value * value for value in values)) or 1.0
        for word, value in zip(words, values, strict=True):
            total[word] += value / norm
    m = len(rows)
    return (sum(value * value for value in total.values()) - m) / max(1,m * (m - 1))


def _pattern(one: _Candidate) -> Pattern:
    return Pattern(one.outlet, one.span.name, one.text, len(one.rows))


def _used(found: Boilerplate, articles: Sequence[Article], rows: Sequence[int]) -> Boilerplate:
    """Keep the patterns that are taken out of articles, with how many."""
    uses = Counter[Pattern]()
    for row in rows:
        uses.update(found.taken(articles[row])[1])
    return Boilerplate(
        Pattern(pattern.outlet, pattern.name, pattern.text, count) for pattern, count in uses.items()
    )
