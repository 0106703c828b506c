"""Which articles were read before: seen again, updated, or with an id of another article."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus.rows import Row, Tally
from newsnest.types import Article, Rejected, Update

Repeats = Literal["newest", "first", "none"]
"""What is done with an id that comes again: the newest article of it is kept; an equal row is
passed over and another set aside; it is set aside.
"""

SEEN_AGAIN = (
    "article was read before, with the same id and text, and is counted once"
    "|articles were read before, with the same id and text, and are counted once"
)
UPDATED = (
    "article was read before with the same id and another text: the newest is kept"
    "|articles were read before with the same id and another text: the newest are kept"
)
_LINE_BITS = 40
_RECORD = np.dtype(
    [
        ("place", "u8"),
        ("text", "u8"),
        ("whole", "u8"),
        ("when", "f8"),
        ("lang", "u4"),
        ("source", "u4"),
    ]
)


class Version(NamedTuple):
    """One version of an article, as far as it is remembered.

    Parameters
    ----------
    place
        Number of its file, and its line in the last 40 bits.
    text, whole
        Hashes of title and text, and of all there is.
    when
        Seconds since 1970 of its latest date, −∞ if it has none.
    lang, source
        The numbers of its language and of its outlet.
    """

    place: int
    text: int
    whole: int
    when: float
    lang: int
    source: int

    @property
    def age(self) -> tuple[float, int, int]:
        """What orders versions: the date, and of equal dates the content, whatever came first."""
        return self.when, self.text, self.whole


class Seen:
    """The version of each id that is kept.

    Recent ids lie in a dict, older ones in two sorted arrays of 48 bytes an id. Ids are known by a
    64-bit hash: among a million ids two share one with a probability below 3 in 10⁸.
    """

    def __init__(self, keep: int = 1 << 16) -> None:
        self._files: list[str] = []
        self._recent: dict[int, Version] = {}
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._versions: NDArray[np.void] = np.empty(0, _RECORD)
        self._keep = keep

    def place(self, file: str, line: int) -> int:
        """Return one number for file and line, which an array can hold; tuples take more memory."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        return (len(self._files) - 1) << _LINE_BITS | line

    def where(self, version: Version) -> str:
        """Return file and line of a version, in words."""
        line = version.place & ((1 << _LINE_BITS) - 1)
        return f"{self._files[version.place >> _LINE_BITS]}, line {line}"

    def find(self, key: int) -> Version | None:
        """Return the version of an id, given the id's hash; None if it is new."""
        found = self._recent.get(key)
        at = -1 if found else self._at(key)
        return found if at < 0 else Version(*self._versions[at].item())

    def add(self, key: int, version: Version) -> None:
        """Remember a new id."""
        self._recent[key] = version
        if len(self._recent) > max(self._keep, len(self._keys) // 8):
            self._settle()

    def replace(self, key: int, version: Version) -> None:
        """Remember another version of an id."""
        at = -1 if key in self._recent else self._at(key)
        if at < 0:
            self._recent[key] = version
        else:
            self._versions[at] = tuple(version)

    def _at(self, key: int) -> int:
        wanted = np.uint64(key)
        at = int(self._keys.searchsorted(wanted))
        return at if at < len(self._keys) and self._keys[at] == wanted else -1

    def _settle(self) -> None:
        """Move the recent ids into the arrays: both grow by an eighth, so the cost is linear."""
        keys = np.fromiter(self._recent.keys(), np.uint64, len(self._recent))
        versions = np.array([tuple(version) for version in self._recent.values()], _RECORD)
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._versions = np.insert(self._versions, at, versions[order])
        self._recent.clear()


def hash_of(*parts: str) -> int:
    """Return 64 bits that stand for texts."""
    # No part holds a NUL, for cleaning removes it: other parts never join to the same text.
    whole = "\0".join(parts).encode()
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def name_of(article: Article) -> str:
    """Return the id of an article that has none: a hash of its content."""
    when = article.date.isoformat() if article.date else ""
    parts = (article.title, article.text, when, article.source, article.url)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=10).hexdigest()


class Made(NamedTuple):
    """An article as its row gives it.

    Parameters
    ----------
    article
        Has an id.
    named
        Whether that is a hash of its content.
    latest
        The latest of its dates, of when it was changed or read.
    """

    article: Article
    named: bool
    latest: datetime | None


class Identities:
    """Knows the articles that were read, and says what becomes of those that come again."""

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats
        self._seen = Seen()
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []  # languages and outlets
        self._places: dict[str, int] = {}  # word → its place there

    def settle(self, made: Made, row: Row, tally: Tally) -> Article | Rejected | None:
        """Return the article, an `Update` where it replaces another, None where that stays.

        Repeats of the same content without an id are numbered from 2; with an address they are one
        article.
        """
        article = made.article
        version, key = self._version(made, row), hash_of(article.id)
        kept = self._seen.find(key)
        if kept is None:
            self._seen.add(key, version)
            return article
        same = version.whole == kept.whole and (bool(article.url) or not made.named)
        if made.named and not (same and self._repeats != "none"):
            article = replace(article, id=self._numbered(article.id))
            self._seen.add(hash_of(article.id), version)
            return article
        where = self._seen.where(kept)
        if self._repeats == "none" or (self._repeats == "first" and not same):
            return row.reject(f"id {article.id[:200]!r} was used before, at {where}")
        what = SEEN_AGAIN if version.text == kept.text else UPDATED
        tally.count(what, f"{article.id[:60]!r} at {row.where}, before at {where}")
        if version.age <= kept.age:
            return None
        self._seen.replace(key, version)
        lang, source = self._words[kept.lang], self._words[kept.source]
        return Update(**asdict(article), was_lang=lang, was_source=source)

    def _version(self, made: Made, row: Row) -> Version:
        article = made.article
        text = hash_of(article.title, article.text)
        # What is read beside an article counts too where the first is kept.
        beside = _spelled(row.values) if self._repeats == "first" else ""
        # Of the date its repr, for that is faster than the text of it.
        others = (article.lang, repr(article.date), article.source, article.url, beside)
        return Version(
            self._seen.place(row.file, row.line),
            text,
            hash_of(str(text), *others),
            made.latest.timestamp() if made.latest else -np.inf,
            self._place(article.lang),
            self._place(article.source),
        )

    def _place(self, word: str) -> int:
        place = self._places.setdefault(word, len(self._words))
        if place == len(self._words):
            self._words.append(word)
        return place

    def _numbered(self, content: str) -> str:
        number = self._numbers.get(content, 1) + 1
        while self._seen.find(hash_of(f"{content}-{number}")) is not None:
            number += 1
        self._numbers[content] = number
        return f"{content}-{number}"


def _spelled(values: Mapping[str, object]) -> str:
    return json.dumps(dict(values), default=str, sort_keys=True)
