"""Which articles repeat another: wire copy and reprints, found before anything is clustered."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

LONG = 600
"""Folded characters (some 100 words) from which on a text is long."""

_READ = 20_000
_SHORT_SHINGLE, _LONG_SHINGLE = 5, 9
_HASHES = 126
_LONG_ROWS = 3
_SEED = 20_140_310
_CHUNK = 4096
_KEPT_SETS = 16_384
_SHORTEST_PART = 0.5
_SAME_SPELLING = 0.75
_HEAD_WORDS, _OUTLET_WORDS = 4, 5


def fold_copies(
    articles: Sequence[Article], *, min_overlap: float = 0.85, progress: Progress = SILENT
) -> NDArray[np.int64]:
    """Find for each article the one it copies.

    Two articles are the same where their bodies are, but for case, spacing, punctuation, an outlet
    set off by a dash or bar at either end of the title, and a dateline with an agency. They are
    near enough where they share `min_overlap` of their shingles (five folded characters) and every
    number, and no word is exchanged for another, only added, left out or respelled: "up 3 %" and
    "up 4 %", "rain in Nantes" and "rain in Rennes" are not copies however long the rest.

    Long texts, both from 600 folded characters on (shingles of nine), may differ in twice as much,
    numbers and words included, because wire copy is re-led, dated anew and corrected. And where
    one is cut, `min_overlap` of the shorter is enough if that is at least half as long.

    Parameters
    ----------
    articles
        In their canonical order, sorted by id: the earliest of a set of copies is the one kept.
    min_overlap
        Share of common shingles (Jaccard) in (0, 1] for short texts; long ones need
        1 − 2·(1 − min_overlap). 1 folds only what is the same.
    progress
        One task: articles compared.

    Returns
    -------
    NDArray[np.int64]
        Shape (n,): the index of the article each one copies, its own if it copies none. What is
        copied copies nothing itself: ``copies[copies]`` equals ``copies``.

    Raises
    ------
    ParameterError
        If `min_overlap` is not in (0, 1].

    Notes
    -----
    Candidates come from MinHash signatures cut into bands, so a pair just above `min_overlap` is
    found with a probability above 0.99, a long text cut to half with 0.99. Each candidate is then
    compared exactly with the article it would copy, so copies of copies do not drift. Of a text
    the first 20,000 folded characters are compared. Deterministic. About linear in n; memory 300
    bytes an article beside the texts.

    Source: Broder 1997, "On the resemblance and containment of documents"; differs from it in
    taking the lowest index for the original and in the rule on numbers.

    Examples
    --------
    >>> stories = [
    ...     Article("a", "Fed official says weak data caused by weather"),
    ...     Article("b", "Fed official says weak data caused by weather - Reuters"),
    ...     Article("c", "Rain in Nantes"),
    ... ]
    >>> fold_copies(stories)
    array([0, 0, 2])
    """
    if not 0 < min_overlap <= 1:
        raise ParameterError(
            f"fold_copies: min_overlap must be in (0, 1], got {min_overlap}. Try 0.85."
        )
    first: dict[str, int] = {}
    copies = np.empty(len(articles), np.int64)
    for index, article in enumerate(articles):
        copies[index] = first.setdefault(_core(article), index)
    if min_overlap == 1:
        return copies
    cores, origins = list(first), np.fromiter(first.values(), np.int64, len(first))
    leaders = _Near(cores, min_overlap).leaders(progress)
    # An article the same as a near copy copies the leader of that near copy: no chains.
    leader_of = np.arange(len(articles), dtype=np.int64)
    leader_of[origins] = origins[leaders]
    return leader_of[copies]


def _core(article: Article) -> str:
    """Fold what an article says: no outlet, dateline, case, spacing or punctuation."""
    title, text = article.title, article.text
    if title:
        core = _strip_outlet(title)
        if text.startswith(title):
            text = text[len(title) :]
    else:
        core, line_end, rest = text.partition("\n")
        core = _strip_outlet(_strip_dateline(core))
        text = line_end + rest
    body = f"{core} {_strip_dateline(text)}"
    # Of emoji or punctuation alone nothing is left: all such texts would be copies of each other.
    return fold(body) or unicodedata.normalize("NFKC", body).casefold().strip()


def fold(text: str) -> str:
    """Return the words of a text without case, spacing and punctuation.

    Examples
    --------
    >>> fold("“Ban  Bossy”: it's on!")
    'ban bossy it s on'
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_patterns()[0].findall(plain))


def _strip_outlet(title: str) -> str:
    """Cut an outlet off either end: a few words behind a spaced dash or bar."""
    parts = _patterns()[1].split(title)
    if len(parts) < 2:
        return title
    head, tail = " - ".join(parts[:-1]), parts[-1]
    if len(head.split()) >= _HEAD_WORDS and len(tail.split()) <= _OUTLET_WORDS:
        return head
    head, tail = parts[0], " - ".join(parts[1:])
    if len(tail.split()) >= _HEAD_WORDS and len(head.split()) <= _OUTLET_WORDS:
        return tail
    return title


def _strip_dateline(text: str) -> str:
    """Cut "LONDON, March 5 (Reuters) - " off the beginning."""
    start = text[:120]
    found = _patterns()[2].match(start)
    return text[found.end() :] if found else text


@cache
def _patterns() -> tuple[Any, Any, Any]:
    import regex

    return (
        # Marks belong to their letters: without them words of Hindi or Thai fall together.
        # Not those of emoji: all with one would be the same.
        regex.compile(r"(?V1)[[\p{L}\p{M}\p{N}]--[\ufe00-\ufe0f\u20e3]]+"),
        regex.compile(r"\s+(?:[-–—|·»]|\.\.\.)\s+"),
        regex.compile(r"\s*[^()\n]{0,60}\([\p{L}. /]{2,30}\)\s*[-–—]{1,2}\s+"),
    )


class _Near:
    """Finds near copies among texts that all differ, the earliest first."""

    def __init__(self, cores: list[str], min_overlap: float) -> None:
        texts = self._texts = [core[:_READ] for core in cores]
        self._need = min_overlap
        self._need_long = max(0.0, 1 - 2 * (1 - min_overlap))
        # A text that is compared once is often compared again; a million sets would be gigabytes.
        self._shingles = lru_cache(_KEPT_SETS)(
            lambda index, size: frozenset(_shingle(texts[index], size))
        )
        self._count_numbers = lru_cache(_KEPT_SETS)(
            lambda index: Counter(word for word in texts[index].split() if not word.isalpha())
        )

    def leaders(self, progress: Progress) -> NDArray[np.int64]:
        """Return the index of the text each one copies, its own if none."""
        lengths = np.array([len(text) for text in self._texts])
        leader = np.arange(len(self._texts), dtype=np.int64)
        tiers = [
            # A short text and its copy may lie on both sides of LONG: this tier reaches over it.
            _Bands(np.flatnonzero(lengths < LONG / self._need), _rows_for(self._need)),
            _Bands(np.flatnonzero(lengths >= LONG), _LONG_ROWS),
        ]
        with progress.start("find copies", 2 * len(self._texts), "articles") as task:
            for tier, size in zip(tiers, (_SHORT_SHINGLE, _LONG_SHINGLE), strict=True):
                tier.sign(self._texts, size)
                task.advance(len(tier.members))
            for index in range(len(self._texts)):
                best = 0.0
                for tier in tiers:
                    for other in tier.meet(index):
                        overlap = self._overlap(other, index)
                        if overlap > best:
                            best, leader[index] = overlap, other
                if leader[index] == index:
                    for tier in tiers:
                        tier.join(index)
                task.advance()
        return leader

    def _overlap(self, original: int, copy: int) -> float:
        """Overlap of two texts, 0 where it is not enough."""
        first, second = self._texts[original], self._texts[copy]
        both_long = min(len(first), len(second)) >= LONG
        if not both_long and self._count_numbers(original) != self._count_numbers(copy):
            return 0.0
        size = _LONG_SHINGLE if both_long else _SHORT_SHINGLE
        one, other = self._shingles(original, size), self._shingles(copy, size)
        common = len(one & other)
        overlap = common / (len(one) + len(other) - common)
        if not both_long:
            enough = overlap >= self._need and not _says_another_thing(first, second)
            return overlap if enough else 0.0
        if overlap >= self._need_long:
            return overlap
        shorter, longer = sorted((len(one), len(other)))
        part = common / shorter
        return part if part >= self._need and shorter >= _SHORTEST_PART * longer else 0.0


class _Bands:
    """One tier of signatures: who shares a band of equal hashes with whom.

    Most texts share none; only the bands of the others take part when texts meet.
    """

    def __init__(self, members: NDArray[np.intp], rows: int) -> None:
        self.members = members
        self._rows = rows
        self._place: dict[int, int] = {}
        self._groups: NDArray[np.int32] = np.empty((0, _HASHES // rows), np.int32)
        self._originals: list[list[int]] = []

    def sign(self, texts: list[str], size: int) -> None:
        """Compute the signatures of the members and group those with an equal band."""
        from rensa import RMinHash

        draw = np.random.default_rng(_SEED)
        # Odd, so that multiplying modulo 2⁶⁴ loses no bit of a hash.
        factors = draw.integers(1 << 63, size=self._rows, dtype=np.uint64) * np.uint64(2) + 1
        chunks = [*range(0, len(self.members), _CHUNK), len(self.members)]
        bands = np.empty((_HASHES // self._rows, len(self.members)), np.uint64)
        for start, stop in pairwise(chunks):
            tokens = [_shingle(texts[member], size) for member in self.members[start:stop]]
            matrix = RMinHash.digest_matrix_from_token_sets(tokens, _HASHES, _SEED)
            signed = np.array(matrix.to_rows(), dtype=np.uint64)
            # Bands that are not equal get the same number once in 2⁶⁴ and are compared in vain.
            bands[:, start:stop] = (signed.reshape(stop - start, -1, self._rows) @ factors).T
        self._group(bands)

    def _group(self, bands: NDArray[np.uint64]) -> None:
        """Number the groups of members with an equal band; −1 where a band is like no other."""
        groups = np.empty(bands.shape, np.int32)
        count = 0
        for group, band in zip(groups, bands, strict=True):
            _, inverse, sizes = np.unique(band, return_inverse=True, return_counts=True)
            shared = sizes > 1
            group[:] = np.where(shared, count + np.cumsum(shared) - 1, -1)[inverse]
            count += int(shared.sum())
        meeting = np.flatnonzero((groups >= 0).any(axis=0))
        self._groups = np.ascontiguousarray(groups[:, meeting].T)
        self._place = {int(m): place for place, m in enumerate(self.members[meeting])}
        self._originals = [[] for _ in range(count)]

    def meet(self, index: int) -> list[int]:
        """Return the earlier originals that share a band with a text, the lowest index first."""
        return sorted({other for group in self._of(index) for other in self._originals[group]})

    def join(self, index: int) -> None:
        """Become an original that later texts can copy."""
        for group in self._of(index):
            self._originals[group].append(index)

    def _of(self, index: int) -> list[int]:
        """Return the groups of a text; a list, because most are asked one by one."""
        place = self._place.get(index)
        return [] if place is None else [g for g in self._groups[place].tolist() if g >= 0]


def _says_another_thing(first: str, second: str) -> bool:
    """Whether words are exchanged ("in Nantes", "in Rennes"), not only added or respelled."""
    if first.startswith(second) or second.startswith(first):
        return False  # cut, maybe amid a word
    one, other = Counter(first.split()), Counter(second.split())
    only_one, only_other = one - other, other - one
    if not only_one or not only_other:
        return False
    left, right = "".join(only_one.elements()), "".join(only_other.elements())
    # autojunk would pass over frequent letters in texts of 200 characters or more.
    return SequenceMatcher(None, left, right, autojunk=False).ratio() < _SAME_SPELLING


def _shingle(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(max(1, len(text) - size + 1))]


def _rows_for(overlap: float) -> int:
    """Most rows a band under which a pair of this overlap is met with a probability of 0.99."""
    rows = [r for r in range(1, 19) if _HASHES % r == 0]
    return max(r for r in rows if r == 1 or 1 - (1 - overlap**r) ** (_HASHES // r) >= 0.99)
