"""Rows → articles: values found and cleaned, nothing lost on the way."""

import hashlib
import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Self

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus.columns import Columns, is_lead
from newsnest.corpus.dates import DateOrders, Evidence, could_be_two_days, parse_date
from newsnest.corpus.json_values import plain_value
from newsnest.corpus.language import detect_language, normalise_language
from newsnest.corpus.markup import to_text
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.outlets import known_outlet
from newsnest.corpus.rows import Row, Tally, clean, plain_text, says_nothing
from newsnest.types import Article, Rejected

DATE_UNREADABLE = (
    "date could not be read and was left out|dates could not be read and were left out"
)
DATE_TWO_DAYS = (
    "date could be two days and was left out{why} (say which with --date-order)"
    "|dates could be two days and were left out{why} (say which with --date-order)"
)
DATE_SETTLED = (
    "date that could be two days was read as {order}, because the file has {dates}"
    "|dates that could be two days were read as {order}, because the file has {dates}"
)
MARK_UP = (
    "title or text held mark-up, which was taken out"
    "|titles or texts held mark-up, which was taken out"
)
NO_TEXT = "has no title and no text"
"""Why a row is no article that a reader has read."""
REMOVED = "was taken back by its outlet: NewsAPI gives [Removed] instead of it"
_REMOVED = "[Removed]"
_LONGEST_CUT = 40
_CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*\[\+\d+ chars\]$")  # what NewsAPI leaves out of a text
STANDS_IN = "{0[0]} was taken from “{1}”|{0[1]} were taken from “{1}”"
_WORDS = {
    "title": ("title", "titles"),
    "text": ("text", "texts"),
    "date": ("date", "dates"),
}
LANGUAGE_UNKNOWN = "language code is none|language codes are none"
_LINE_BITS = 40


class Seen:
    """Where each id was first met.

    Recent ids lie in a dict, older ones in two sorted arrays of 16 bytes an id. Ids are known by a
    64-bit hash: among a million ids two share one with a probability below 3 in 10⁸.
    """

    def __init__(self, keep: int = 1 << 16) -> None:
        self._files: list[str] = []
        self._recent: dict[int, int] = {}
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._places: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._keep = keep

    def find(self, name: str) -> tuple[str, int] | None:
        """Return file and line where the id was first used, None if it is new."""
        place = self._find(_key(name))
        if place is None:
            return None
        return self._files[place >> _LINE_BITS], place & ((1 << _LINE_BITS) - 1)

    def add(self, name: str, file: str, line: int) -> None:
        """Remember a new id."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        # One number for file and line, which an array can hold; tuples would take far more memory.
        self._recent[_key(name)] = (len(self._files) - 1) << _LINE_BITS | line
        if len(self._recent) > max(self._keep, len(self._keys) // 8):
            self._settle()

    def _find(self, key: int) -> int | None:
        place = self._recent.get(key)
        if place is not None:
            return place
        wanted = np.uint64(key)
        at = int(np.searchsorted(self._keys, wanted))
        if at < len(self._keys) and self._keys[at] == wanted:
            return int(self._places[at])
        return None

    def _settle(self) -> None:
        """Move the recent ids into the arrays: both grow by an eighth, so the cost is linear."""
        count = len(self._recent)
        keys = np.fromiter(self._recent.keys(), np.uint64, count)
        places = np.fromiter(self._recent.values(), np.uint64, count)
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._places = np.insert(self._places, at, places[order])
        self._recent.clear()


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def cell_text(field: str, value: object, row: Row, tally: Tally) -> str:
    """Return a cell as clean text; raise TypeError, saying what it is, if it is none.

    Mark-up is taken out, of titles and texts also counted. An id stays as other files write it. A
    cell that says nothing, such as "nan", is empty, and counted.
    """
    plain = plain_text(plain_value(value))
    cleaned = clean(plain)
    if isinstance(value, str) and says_nothing(cleaned):
        tally.count_nothing(field, cleaned, row.line)
        return ""
    if field == "id":
        return cleaned
    text = to_text(plain)
    if text != plain and field in ("title", "text", "summary"):
        tally.count(MARK_UP, f"at {row.where}")
    text = clean(text)
    if field == "text" and text.endswith(" chars]"):
        text = text[:-_LONGEST_CUT] + _CUT.sub("…", text[-_LONGEST_CUT:])
    return text


def was_removed(*texts: str) -> bool:
    """Whether the texts of an article only say that it was taken back."""
    return {"", _REMOVED} >= set(texts)


class ArticleMaker:
    """Makes articles of rows; remembers which ids were used."""

    def __init__(self, options: ReadOptions, columns: Columns) -> None:
        self._options = options
        self.columns = columns
        self._seen = Seen()
        self._repeats: dict[str, int] = {}

    def with_columns(self, columns: Columns) -> Self:
        """Return a maker for other columns that shares the memory of ids."""
        other = type(self)(self._options, columns)
        other._seen, other._repeats = self._seen, self._repeats
        return other

    def make(self, row: Row, tally: Tally, orders: DateOrders) -> Article | Rejected:
        """Turn a row into an article, or set it aside with the reason."""
        found: dict[str, str] = {}
        date: datetime | None = None
        for field, names in self._columns_of(row, tally).items():
            for name in names:
                if field == "summary" and "text" in found and not is_lead(name):
                    break
                value = plain_value(self.columns.value(field, name, row.values[name]))
                try:
                    text = cell_text(field, value, row, tally)
                except TypeError as error:
                    return row.reject(f"{name!r} is {error}, expected a text")
                if text:
                    found[field] = text
                    if field == "date":
                        date = self._read_date(value, text, tally, (row, name, orders))
                    if field in _WORDS and self.columns.stands_in(field, name):
                        tally.count(STANDS_IN.format(_WORDS[field], name[:60]))
                    break
        title = " ".join(found.get("title", "").split())
        text = "\n\n".join(found[part] for part in ("summary", "text") if part in found)
        if not title and not text:
            return row.reject(no_text(row, self.columns))
        if was_removed(title, *(found.get(part, "") for part in ("text", "summary"))):
            return row.reject(REMOVED)
        tally.got |= found.keys() | ({"text"} if text else set())
        source = " ".join(found.get("source", "").split())
        source = known_outlet(source, found.get("url", ""), tally)
        article = Article(
            id=found.get("id", ""),
            title=title,
            text=text,
            lang=self._language(found.get("lang", ""), title, text, row, tally),
            date=date,
            source=source,
            url=found.get("url", ""),
        )
        return self._with_id(article, row)

    def _columns_of(self, row: Row, tally: Tally) -> dict[str, tuple[str, ...]]:
        names = tuple(row.values)
        found = self.columns.match(names)
        if not self.columns.whole_rows:
            tally.meet(names, found)
        return found

    def _read_date(
        self, value: object, text: str, tally: Tally, where: tuple[Row, str, DateOrders]
    ) -> datetime | None:
        row, column, orders = where
        is_plain = isinstance(value, str | bytes | bool | Decimal)
        read = parse_date(text if is_plain else value, self._options.date_order)
        if read is not None:
            return read
        what = DATE_UNREADABLE
        if self._options.date_order is None and could_be_two_days(text):
            read, what = _settle(text, orders.find(column, text))
        tally.count(what, f"{text[:60]!r} at {row.file}, line {row.line}")
        return read

    def _language(self, given: str, title: str, text: str, row: Row, tally: Tally) -> str:
        code = normalise_language(given)
        if code is None:
            tally.count(LANGUAGE_UNKNOWN, f"{given[:60]!r} at {row.file}, line {row.line}")
        if code or not self._options.detect_language:
            return code or ""
        return detect_language(f"{title}\n{text}" if title else text)

    def _with_id(self, article: Article, row: Row) -> Article | Rejected:
        name = article.id or self._name(article)
        first = self._seen.find(name)
        if first is not None:
            file, line = first
            return row.reject(f"id {name[:200]!r} was used before, at {file}, line {line}")
        self._seen.add(name, row.file, row.line)
        if article.id:
            return article
        return replace(article, id=name)

    def _name(self, article: Article) -> str:
        """Name an article by its content; repeats of the same content are numbered from 2."""
        when = article.date.isoformat() if article.date else ""
        parts = (article.title, article.text, when, article.source, article.url)
        # No part holds a NUL, for cleaning removes it: other parts never join to the same text.
        content = hashlib.blake2b("\0".join(parts).encode(), digest_size=10).hexdigest()
        if self._seen.find(content) is None:
            return content
        number = self._repeats.get(content, 1) + 1
        while self._seen.find(f"{content}-{number}") is not None:
            number += 1
        self._repeats[content] = number
        return f"{content}-{number}"


def no_text(row: Row, columns: Columns) -> str:
    """Say why a row is no article: nothing there, or words that say nothing."""
    found = columns.match(tuple(row.values))
    names = [name for field in ("title", "text", "summary") for name in found.get(field, ())]
    words = [value for name in names if isinstance(value := row.values[name], str)]
    shown = ", ".join(
        f"“{word.strip()}”" for word in dict.fromkeys(words) if says_nothing(word.strip())
    )
    return NO_TEXT + (f", but for what says nothing: {shown}" if shown else "")


def _settle(text: str, evidence: Evidence | None) -> tuple[datetime | None, str]:
    """Read a date that could be two days as the file's other dates say; return what to count."""
    dates = " and ".join(evidence.dates) if evidence else ""
    if evidence and len(evidence.orders) == 1:
        (order,) = evidence.orders
        return parse_date(text, order), DATE_SETTLED.format(order=order, dates=dates)
    contradicted = evidence is not None and not evidence.orders
    return None, DATE_TWO_DAYS.format(why=f": the file has {dates}" if contradicted else "")
