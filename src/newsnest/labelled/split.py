"""Split pairs and articles so that no article or story is in two parts."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from newsnest.errors import InputError, ParameterError
from newsnest.labelled.articles import GoldArticle
from newsnest.labelled.pairs import Gold, Pair
from newsnest.types import LEVELS, Ints

Together = Literal["article", "story", "topic", "theme"]
_TOGETHER = ("article", "story", "topic", "theme")

T = TypeVar("T")
P = TypeVar("P", Pair, GoldArticle)


@dataclass(frozen=True, slots=True)
class Split:
    """Parts of pairs by name, and what could be in none.

    Parameters
    ----------
    parts
        Pairs by the name of the part, each in the order of the pairs that were split.
    straddling
        Pairs whose articles are in two parts.
    """

    parts: Mapping[str, tuple[Pair, ...]]
    straddling: tuple[Pair, ...]


def by_side(rows: Sequence[P]) -> tuple[list[P], list[P], list[P]]:
    """Return what is trained on, validated on, and held out."""
    train, validation, held = (
        [row for row in rows if row.side == side] for side in ("train", "validation", "held out")
    )
    return train, validation, held


def draw(rows: Sequence[T], count: int | None, seed: Sequence[int]) -> list[T]:
    """Return up to so many of some rows, drawn at random, in their order; None: all.

    Example
    -------
    >>> draw("abcdef", 3, [7, 0])
    ['a', 'c', 'f']
    """
    if count is None or len(rows) <= count:
        return list(rows)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return [rows[row] for row in sorted(chosen.tolist())]


def article_components(pairs: Sequence[Pair]) -> Ints:
    """Number the connected components of pairs: those that share articles, however indirectly.

    Two pairs are neighbours where they share an article (the same id, or the same text under
    another id) or a group. What is resampled for an interval are these, because pairs of one are
    not independent.

    Returns
    -------
    int64 (len(pairs),), 0 … k − 1 in the order of the pairs.

    Example
    -------
    >>> a, b = Pair("x", "y", 1.0), Pair("y", "z", 0.5)
    >>> article_components([a, Pair("v", "w", 0.0), b]).tolist()
    [0, 1, 0]
    """
    forest = _Forest()
    nodes = []
    for pair in pairs:
        keys: list[Hashable] = [("text", pair.text1), ("text", pair.text2)]
        keys += [("id", article) for article in (pair.id1, pair.id2) if article]
        keys += [("group", pair.group)] if pair.group else []
        nodes.append(forest.join(keys))
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(forest.find(n), len(numbers)) for n in nodes], np.int64)


def article_groups(
    pairs: Sequence[Pair], *, together: Together = "story", min_score: float = 0.0
) -> tuple[tuple[int, int], ...]:
    """Number the groups of articles that must stay together.

    Parameters
    ----------
    pairs
        Articles are the same where their ids are, or their texts.
    together
        "article": nothing but what pairs join; "story", "topic", "theme": also articles of the same
        gold label.
    min_score
        A pair joins its articles from this score on; 0: every pair does.

    Returns
    -------
    The groups of the first and the second article of every pair, 0 … k − 1 in the order of the
    pairs.

    Example
    -------
    >>> pairs = [Pair("a", "b", 0.75), Pair("b", "c", 0.0), Pair("d", "e", 0.5)]
    >>> article_groups(pairs)
    ((0, 0), (0, 0), (1, 1))
    >>> article_groups(pairs, min_score=0.25)
    ((0, 0), (0, 1), (2, 2))
    """
    forest = _Forest()
    ends: list[tuple[int, int]] = []
    for pair in pairs:
        first = forest.join(_keys(pair.id1, pair.text1, pair.gold1, together))
        second = forest.join(_keys(pair.id2, pair.text2, pair.gold2, together))
        if pair.score >= min_score:
            forest.unite(first, second)
        ends.append((first, second))
    numbers: dict[int, int] = {}
    roots = [(forest.find(first), forest.find(second)) for first, second in ends]
    return tuple(
        (numbers.setdefault(a, len(numbers)), numbers.setdefault(b, len(numbers))) for a, b in roots
    )


def split_pairs(
    pairs: Sequence[Pair],
    shares: Mapping[str, float],
    *,
    seed: int = 0,
    together: Together = "story",
    min_score: float = 0.0,
) -> Split:
    """Split pairs into parts that share no article and no story.

    Connected components are dealt to the parts, the largest first, each to the part that lacks
    most. Prefer `split_articles` before pairs are built from gold labels: very dissimilar pairs
    connect everything.

    Parameters
    ----------
    pairs
        To be split; their own `split` is not looked at.
    shares
        Name and share of every part, such as {"train": 0.8, "eval": 0.2}; they need not sum to 1.
    seed
        Decides which components of the same size go where.
    together, min_score
        See `article_groups`. Pairs below a min_score above 0 are cut, and straddle two parts, only
        where they would join a component of more than half of the smallest part.

    Raises
    ------
    ParameterError
        If a share is not positive, or a part would stay empty.

    Example
    -------
    >>> pairs = [Pair(f"a{i}", f"b{i}", 0.5) for i in range(10)]
    >>> split = split_pairs(pairs, {"train": 0.8, "eval": 0.2})
    >>> {name: len(part) for name, part in split.parts.items()}
    {'train': 8, 'eval': 2}
    """
    _check_together("split_pairs", together)
    _check_shares("split_pairs", shares)
    groups = _join_small(
        article_groups(pairs, together=together, min_score=min_score),
        smallest_share=min(shares.values()) / sum(shares.values()),
    )
    sizes = Counter(end for ends in groups for end in ends)
    part_of = _deal(sizes, shares, seed)
    parts: dict[str, list[Pair]] = {name: [] for name in shares}
    straddling = []
    for pair, (first, second) in zip(pairs, groups, strict=True):
        if part_of[first] == part_of[second]:
            parts[part_of[first]].append(pair)
        else:
            straddling.append(pair)
    for name, part in parts.items():
        if not part:
            raise ParameterError(
                f'split_pairs: pairs must fall into components enough for "{name}", got '
                f"{len(sizes)} of which the largest holds {max(sizes.values(), default=0)} of "
                f"{2 * len(pairs)} articles. Raise min_score, so that dissimilar pairs may be cut."
            )
    return Split({name: tuple(part) for name, part in parts.items()}, tuple(straddling))


def split_validation(
    pairs: Sequence[Pair],
    file: Path,
    *,
    share: float,
    seed: int,
    min_score: float = 0.0,
    together: Together = "story",
) -> Split:
    """Split off a share of a file's pairs, "validation" beside "train", as `split_pairs` does.

    It is an InputError if none can be.
    """
    shares = {"train": 1 - share, "validation": share}
    try:
        return split_pairs(pairs, shares, seed=seed, min_score=min_score, together=together)
    except ParameterError as error:
        raise inseparable(file, len(pairs), "pairs") from error


def inseparable(file: Path, count: int, what: str) -> InputError:
    """Return the error of a file of which nothing can be split off to validate on."""
    return InputError(
        f"{file}: of {count:,} {what} some must be split off to validate on that share no text and "
        f"no story with the others, got none. Give more {what}, or give some the split "
        '"validation".'
    )


def leaking_pairs(
    train: Sequence[Pair], held_out: Sequence[Pair], *, together: Together = "story"
) -> tuple[Pair, ...]:
    """Return the pairs of `train` with an article, or a story, that `held_out` has too.

    Example
    -------
    >>> leaking_pairs([Pair("a", "b", 0.5), Pair("c", "d", 0.5)], [Pair("x", "a", 0.0)])[0].text2
    'b'
    """
    _check_together("leaking_pairs", together)
    # No score reaches infinity: a pair joins nothing, only the same article or story does.
    groups = article_groups([*train, *held_out], together=together, min_score=np.inf)
    known = {end for ends in groups[len(train) :] for end in ends}
    return tuple(
        pair for pair, ends in zip(train, groups, strict=False) if not known.isdisjoint(ends)
    )


def split_articles(
    articles: Sequence[GoldArticle],
    shares: Mapping[str, float],
    *,
    seed: int = 0,
    together: Together = "story",
) -> tuple[GoldArticle, ...]:
    """Give every article a split, the same to all of a story (topic, theme) and to all copies.

    `build_pairs` then makes no pair across splits.

    Raises
    ------
    ParameterError
        If a share is not positive, or a part would stay empty.

    Example
    -------
    >>> articles = [GoldArticle(str(i), f"text {i}", ("", "", f"s{i // 2}")) for i in range(4)]
    >>> {a.gold[2]: a.split for a in split_articles(articles, {"train": 0.5, "eval": 0.5})}
    {'s0': 'train', 's1': 'eval'}
    """
    _check_together("split_articles", together)
    _check_shares("split_articles", shares)
    forest = _Forest()
    ends = [forest.join(_keys(a.id, a.text, a.gold, together)) for a in articles]
    roots = [forest.find(end) for end in ends]
    part_of = _deal(Counter(roots), shares, seed)
    for name in shares:
        if name not in part_of.values():
            raise ParameterError(
                f'split_articles: articles must fall into groups enough for "{name}", got '
                f"{len(part_of)} groups of {len(articles)} articles. Keep less together."
            )
    return tuple(
        replace(article, split=part_of[root]) for article, root in zip(articles, roots, strict=True)
    )


class _Forest:
    """Disjoint sets of whatever can be a key."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}
        self.parents: list[int] = []

    def join(self, keys: Sequence[Hashable]) -> int:
        """Unite the sets of all keys and return one number of theirs."""
        numbers = []
        for key in keys:
            number = self.numbers.setdefault(key, len(self.parents))
            if number == len(self.parents):
                self.parents.append(number)
            numbers.append(number)
        for number in numbers[1:]:
            self.unite(numbers[0], number)
        return numbers[0]

    def find(self, number: int) -> int:
        while self.parents[number] != number:
            self.parents[number] = self.parents[self.parents[number]]
            number = self.parents[number]
        return number

    def unite(self, first: int, second: int) -> None:
        first, second = self.find(first), self.find(second)
        # The lower number is the root whatever the order of calls.
        self.parents[max(first, second)] = min(first, second)


def _keys(article: str, text: str, gold: Gold, together: Together) -> list[Hashable]:
    keys: list[Hashable] = [("text", text)]
    if article:
        keys.append(("id", article))
    if together != "article" and gold[LEVELS.index(together)]:
        keys.append((together, gold[LEVELS.index(together)]))
    return keys


def _join_small(groups: Sequence[tuple[int, int]], smallest_share: float) -> list[tuple[int, int]]:
    """Join the groups of every pair while they fill no more than half of the smallest part."""
    forest = _Forest()
    forest.parents = list(range(1 + max((max(ends) for ends in groups), default=-1)))
    sizes = Counter(end for ends in groups for end in ends)
    limit = len(groups) * smallest_share  # half of it, in ends
    for ends in groups:
        first, second = (forest.find(end) for end in ends)
        if first != second and sizes[first] + sizes[second] <= limit:
            forest.unite(first, second)
            sizes[min(first, second)] = sizes[first] + sizes[second]
    return [(forest.find(first), forest.find(second)) for first, second in groups]


def _deal(sizes: Mapping[int, int], shares: Mapping[str, float], seed: int) -> dict[int, str]:
    """Return the part of every group: the largest first, each to the part that lacks most."""
    total = sum(sizes.values()) / sum(shares.values())
    lacking = {name: share * total for name, share in shares.items()}
    groups = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(groups)).tolist()
    part_of = {}
    for at in sorted(order, key=lambda i: -sizes[groups[i]]):  # stable: ties stay in random order
        name = max(lacking, key=lambda part: lacking[part])
        part_of[groups[at]] = name
        lacking[name] -= sizes[groups[at]]
    return part_of


def _check_together(caller: str, together: str) -> None:
    if together not in _TOGETHER:
        raise ParameterError(
            f"{caller}: together must be one of {', '.join(_TOGETHER)}, got {together!r}. "
            "Choose what may not be in two parts."
        )


def _check_shares(caller: str, shares: Mapping[str, float]) -> None:
    if not shares or not all(share > 0 for share in shares.values()):
        raise ParameterError(
            f"{caller}: shares must be positive, got {dict(shares)}. "
            "Name every part with its share, such as train=0.8 and eval=0.2."
        )
