"""Build graded pairs from articles with gold stories, topics and themes."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import TypeVar

import numpy as np

from newsnest.errors import ParameterError
from newsnest.labelled.articles import GoldArticle
from newsnest.labelled.pairs import GRADES, Pair
from newsnest.types import LEVELS, Ints, Vectors

_ENUMERATED = 64
"""Groups of at most so many articles have all their pairs listed; larger ones are drawn from."""
_PATIENCE = 400
"""Draws in a row without a new pair after which a group is given up."""
_NEIGHBOURS = 3
_CANDIDATES = 32
_JOINED = ("VS", "SS", "SD")
"""What the same story, topic and theme make of two articles."""

Row = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How pairs are built.

    Parameters
    ----------
    per_grade
        Most pairs of each grade.
    balanced
        As many pairs of every grade as of the scarcest that is found at all.
    max_days
        Most days between two articles of one story to be a pair; None: any, also without dates. A
        story that lasts for years is no story two articles share.
    hard
        Share of the very dissimilar pairs that are taken from neighbouring themes, where vectors
        are given.
    seed
        Decides which pairs are drawn.
    """

    per_grade: int = 2000
    balanced: bool = True
    max_days: float | None = None
    hard: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BuiltPairs:
    """Pairs, and how many there are of each grade.

    Parameters
    ----------
    pairs
        In random order.
    found
        Pairs of each grade that were found, before they were balanced; of the very dissimilar ones
        no more were looked for than are kept.
    hard
        How many of the very dissimilar pairs come from neighbouring themes.
    """

    pairs: tuple[Pair, ...]
    found: Mapping[str, int]
    hard: int


def build_pairs(
    articles: Sequence[GoldArticle],
    options: BuildOptions | None = None,
    *,
    vectors: Vectors | None = None,
) -> BuiltPairs:
    """Build very similar, somewhat similar, somewhat dissimilar and very dissimilar pairs.

    The same story makes a pair very similar (VS), the same topic somewhat similar (SS), the same
    theme somewhat dissimilar (SD), nothing of these very dissimilar (VD). Where the articles have
    labels of a level but one of the two lacks it, and nothing finer joins them, there is no pair.
    Articles of different splits make no pair, nor do articles of the same text. Every story (topic,
    theme) gives as many pairs as any other, as far as it has them.

    Parameters
    ----------
    articles
        With gold labels; two of each grade's kind at least, or the grade stays empty.
    options
        See `BuildOptions`.
    vectors
        Unit vectors of the articles by a frozen encoder, (n, d): half of the very dissimilar pairs
        are then hard: an article, and the most similar of some of a neighbouring theme.

    Raises
    ------
    ParameterError
        If an option is outside of its domain, the vectors are not those of the articles, or no pair
        can be built.

    Notes
    -----
    Deterministic for a seed. O(n + pairs); a hard pair costs 32 dot products.

    Example
    -------
    >>> articles = [GoldArticle(str(i), f"text {i}", ("", "", f"s{i // 2}")) for i in range(4)]
    >>> built = build_pairs(articles)
    >>> dict(built.found)
    {'VS': 2, 'SS': 0, 'SD': 0, 'VD': 2}
    """
    options = options or BuildOptions()
    _check(articles, options, vectors)
    drawer = _Drawer(articles, options)
    found = {grade: drawer.draw(grade, options.per_grade) for grade in _JOINED}
    size = _scarcest(found.values(), options)
    hard: list[Row] = []
    if vectors is not None:
        hard = drawer.draw_hard(vectors, round(size * options.hard))
    found["VD"] = hard + drawer.draw("VD", size - len(hard))
    if not any(found.values()):
        raise ParameterError(
            "build_pairs: articles must hold two that a label joins or parts, got none among "
            f"{len(articles)}. Check the labels, splits and max_days."
        )
    # Once more, for the very dissimilar pairs may be the scarcest.
    size = _scarcest(found.values(), options)
    kept = {grade: drawer.some(rows, size) for grade, rows in found.items()}
    pairs = [drawer.pair(row, grade) for grade, rows in kept.items() for row in rows]
    return BuiltPairs(
        pairs=tuple(drawer.some(pairs, len(pairs))),
        found={grade: len(rows) for grade, rows in found.items()},
        hard=len(set(hard) & set(kept["VD"])),
    )


class _Drawer:
    """Draws distinct pairs of a grade, as many from each group as from any other."""

    def __init__(self, articles: Sequence[GoldArticle], options: BuildOptions) -> None:
        self.articles = articles
        self.max_days = options.max_days
        self.rng = np.random.default_rng(options.seed)
        self.used = [i for i in range(len(LEVELS)) if any(a.gold[i] for a in articles)]
        self.taken: set[Row] = set()

    def some(self, items: Sequence[T], maximum: int) -> list[T]:
        """Return up to so many of the items, in random order."""
        return [items[i] for i in self.rng.permutation(len(items))[:maximum].tolist()]

    def pair(self, row: Row, grade: str) -> Pair:
        """Return the pair of two articles."""
        a, b = (self.articles[i] for i in row)
        return Pair(
            text1=a.text,
            text2=b.text,
            score=GRADES[grade],
            id1=a.id,
            id2=b.id,
            lang1=a.lang,
            lang2=b.lang,
            split=a.split,
            gold1=a.gold,
            gold2=b.gold,
        )

    def grade(self, row: Row) -> str | None:
        """Return the grade of two articles; None where they are not to be a pair."""
        a, b = (self.articles[i] for i in row)
        if a.split != b.split or a.text == b.text:
            return None
        for level in reversed(self.used):
            if not (a.gold[level] and b.gold[level]):
                return None
            if a.gold[level] == b.gold[level]:
                grade = _JOINED[-1 - level]
                return None if grade == "VS" and not self._near(a, b) else grade
        return "VD"

    def draw(self, grade: str, wanted: int) -> list[Row]:
        """Return up to so many pairs of a grade."""
        waiting = deque(self._pairs_of(group, grade) for group in self._groups(grade))
        rows: list[Row] = []
        while waiting and len(rows) < wanted:
            source = waiting.popleft()
            row = next(source, None)
            if row is not None:
                self.taken.add(row)
                rows.append(row)
                waiting.append(source)
        return rows

    def draw_hard(self, vectors: Vectors, wanted: int) -> list[Row]:
        """Return up to so many very dissimilar pairs from neighbouring groups of the top level."""
        top = self.used[0]
        groups: dict[str, list[int]] = defaultdict(list)
        for i, article in enumerate(self.articles):
            if article.gold[top]:
                groups[article.gold[top]].append(i)
        names = sorted(groups)
        if len(names) < 2:
            return []
        members = [groups[name] for name in names]
        near = _neighbours(np.stack([vectors[m].mean(axis=0) for m in members]))
        rows: list[Row] = []
        failures = 0
        while len(rows) < wanted and failures < _PATIENCE:
            home = int(self.rng.integers(len(names)))
            away = members[int(self.rng.choice(near[home]))]
            one = members[home][int(self.rng.integers(len(members[home])))]
            others = [away[i] for i in self.rng.integers(len(away), size=_CANDIDATES).tolist()]
            fits = [
                i for i in others if self.grade((one, i)) == "VD" and _row(one, i) not in self.taken
            ]
            failures = 0 if fits else failures + 1
            if fits:
                row = _row(one, fits[int(np.argmax(vectors[fits] @ vectors[one]))])
                self.taken.add(row)
                rows.append(row)
        return rows

    def _groups(self, grade: str) -> list[list[int]]:
        if grade == "VD":
            return [list(range(len(self.articles)))]
        level = LEVELS[-1 - _JOINED.index(grade)]
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, article in enumerate(self.articles):
            label = article.gold[LEVELS.index(level)]
            if label:
                groups[label, article.split].append(i)
        return self.some(list(groups.values()), len(groups))

    def _pairs_of(self, group: Sequence[int], grade: str) -> Iterator[Row]:
        """Yield pairs of a grade within a group, none that is taken."""
        if len(group) <= _ENUMERATED:
            for row in self.some(list(combinations(group, 2)), len(group) ** 2):
                if row not in self.taken and self.grade(row) == grade:
                    yield row
            return
        failures = 0
        while failures < _PATIENCE:
            first, second = self.rng.integers(len(group), size=2).tolist()
            row = _row(group[first], group[second])
            fits = row[0] != row[1] and row not in self.taken and self.grade(row) == grade
            failures = 0 if fits else failures + 1
            if fits:
                yield row

    def _near(self, a: GoldArticle, b: GoldArticle) -> bool:
        if self.max_days is None:
            return True
        if a.date is None or b.date is None:
            return False
        return abs(a.date - b.date) / timedelta(days=1) <= self.max_days


def _row(first: int, second: int) -> Row:
    return (first, second) if first < second else (second, first)


def _scarcest(found: Iterable[Sequence[Row]], options: BuildOptions) -> int:
    counts = [len(rows) for rows in found if rows]
    return min([options.per_grade, *counts]) if options.balanced else options.per_grade


def _neighbours(means: Vectors) -> Ints:
    """Return for every mean the indices of the nearest others, nearest first."""
    # The mean of opposite vectors has no length.
    units = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    nearest: Ints = np.argsort(-cosines, axis=1, kind="stable")
    return nearest[:, : min(_NEIGHBOURS, len(means) - 1)]


def _check(articles: Sequence[GoldArticle], options: BuildOptions, vectors: Vectors | None) -> None:
    if not any(any(article.gold) for article in articles):
        raise ParameterError(
            f"build_pairs: articles must have labels, got {len(articles)} without any. "
            "Read them with read_gold, and name the fields of theme, topic or story."
        )
    if options.per_grade < 1:
        raise ParameterError(
            f"build_pairs: per_grade must be at least 1, got {options.per_grade}. "
            "Give the number of pairs of each grade."
        )
    if not 0 <= options.hard <= 1:
        raise ParameterError(
            f"build_pairs: hard must be in [0, 1], got {options.hard}. Give a share."
        )
    if options.max_days is not None and not options.max_days >= 0:
        raise ParameterError(
            f"build_pairs: max_days must be at least 0 or None, got {options.max_days}. "
            "Leave it out for any distance."
        )
    if vectors is not None and len(vectors) != len(articles):
        raise ParameterError(
            f"build_pairs: vectors must be one for each of {len(articles)} articles, "
            f"got {len(vectors)}. Encode the same articles."
        )
