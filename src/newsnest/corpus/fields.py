"""Rows → articles: values found and cleaned, nothing lost on the way."""

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from newsnest.corpus.columns import Columns, is_lead
from newsnest.corpus.dates.fields import DateReader
from newsnest.corpus.dates.moments import DateChoices
from newsnest.corpus.dates.orders import DateOrders
from newsnest.corpus.identity import Identities, Made, Repeats, name_of
from newsnest.corpus.language import detect_language, normalise_language
from newsnest.corpus.markup import to_text
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.outlets import known_outlet
from newsnest.corpus.rows import Row, Tally, clean, plain_text, says_nothing
from newsnest.types import Article, Rejected

MARK_UP = "title or text held HTML, which was removed|titles or texts held HTML, which was removed"
NO_TEXT = "has no title and no text"
"""Why a row is no article that a reader has read."""
REMOVED = (
    "article was withdrawn by its outlet, and NewsAPI gives [Removed] instead of its text"
    "|articles were withdrawn by their outlets, and NewsAPI gives [Removed] instead of their texts"
)
_REMOVED = "[Removed]"
_LONGEST_CUT = 40
_CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*\[\+\d+ chars\]$")  # what NewsAPI leaves out of a text
STANDS_IN = "{0[0]} was taken from “{1}”|{0[1]} were taken from “{1}”"
_SPELLED = (str, bytes, bool, Decimal)
_WORDS = {
    "title": ("title", "titles"),
    "text": ("text", "texts"),
    "date": ("date", "dates"),
}
LANGUAGE_UNKNOWN = "language code is unknown|language codes are unknown"


def cell_text(field: str, value: object, row: Row, tally: Tally) -> str:
    """Return what `Columns.value` gives as clean text; raise TypeError, with what it is, if none.

    Mark-up is taken out, of titles and texts also counted. An id stays as other files write it. A
    cell that says nothing, such as "nan", is empty, and counted.
    """
    plain = plain_text(value)
    cleaned = clean(plain)
    if isinstance(value, str) and says_nothing(cleaned):
        tally.count_nothing(field, cleaned, row.line)
        return ""
    if field == "id":
        return cleaned
    shown = to_text(plain)
    text = cleaned if shown == plain else clean(shown)
    if shown != plain and field in ("title", "text", "summary"):
        tally.count(MARK_UP, f"at {row.where}")
    if field == "text" and text.endswith(" chars]"):
        text = text[:-_LONGEST_CUT] + _CUT.sub("…", text[-_LONGEST_CUT:])
    return text


def was_removed(*texts: str) -> bool:
    """Whether the texts of an article only say that it was taken back."""
    return all(text in ("", _REMOVED) for text in texts)


class ArticleMaker:
    """Makes articles of rows; remembers which were read."""

    def __init__(
        self, options: ReadOptions, columns: Columns, *, repeats: Repeats = "newest"
    ) -> None:
        self._options = options
        self.columns = columns
        self._dates = DateReader(
            DateChoices(options.date_order, options.time_zone, options.reference_date)
        )
        self.identities = Identities(repeats)

    def with_columns(self, columns: Columns) -> Self:
        """Return a maker for other columns that shares the memory of what was read."""
        other = type(self)(self._options, columns)
        other.identities = self.identities
        return other

    def make(self, row: Row, tally: Tally, orders: DateOrders) -> Made | Rejected:
        """Turn a row into an article, or set it aside with the reason.

        Whether it was read before, `identities` knows.
        """
        found: dict[str, str] = {}
        date: datetime | None = None
        columns = self._columns_of(row, tally)
        for field, names in columns.items():
            for name in names:
                if field == "summary" and "text" in found and not is_lead(name):
                    break
                value = self.columns.value(field, name, row.values[name])
                try:
                    text = cell_text(field, value, row, tally)
                except TypeError as error:
                    return row.reject(f"{name!r} is {error}, expected a text")
                if text:
                    found[field] = text
                    if field == "date":
                        date = self._dates.read(row, name, _given(value, text), orders, tally)
                    if field in _WORDS and self.columns.stands_in(field, name):
                        tally.count(STANDS_IN.format(_WORDS[field], name[:60]))
                    break
        title = " ".join(found.get("title", "").split())
        text = "\n\n".join(found[part] for part in ("summary", "text") if part in found)
        if not title and not text:
            return row.reject(no_text(row, self.columns))
        if was_removed(title, *(found.get(part, "") for part in ("text", "summary"))):
            tally.count(REMOVED, f"at {row.where}")
        tally.got.update(found, ("text",) if text else ())
        source = " ".join(found.get("source", "").split())
        source = known_outlet(source, found.get("url", ""), tally)
        article = Article(
            id=" ".join(found.get("id", "").split()),
            title=title,
            text=text,
            lang=self._language(found.get("lang", ""), title, text, row, tally),
            date=date,
            source=source,
            url=found.get("url", ""),
        )
        latest = self._dates.latest(row, date, columns.get("date", ()), orders)
        named = not article.id
        article = replace(article, id=name_of(article)) if named else article
        return Made(article, named, latest)

    def _columns_of(self, row: Row, tally: Tally) -> dict[str, tuple[str, ...]]:
        names = tuple(row.values)
        found = self.columns.match(names)
        if not self.columns.whole_rows:
            tally.meet(names, found)
        return found

    def _language(self, given: str, title: str, text: str, row: Row, tally: Tally) -> str:
        code = normalise_language(given)
        if code is None:
            tally.count(LANGUAGE_UNKNOWN, f"{given[:60]!r} at {row.where}")
        if code or not self._options.detect_language:
            return code or ""
        return detect_language(f"{title}\n{text}" if title else text)


def _given(value: object, text: str) -> object:
    """Return what a date is read from: the clean text of texts, other values as they are."""
    return text if isinstance(value, _SPELLED) else value


def no_text(row: Row, columns: Columns) -> str:
    """Say why a row is no article: nothing there, or words that say nothing."""
    found = columns.match(tuple(row.values))
    names = [name for field in ("title", "text", "summary") for name in found.get(field, ())]
    words = [value for name in names if isinstance(value := row.values[name], str)]
    shown = ", ".join(
        f"“{word.strip()}”" for word in dict.fromkeys(words) if says_nothing(word.strip())
    )
    return NO_TEXT + (f", but for what says nothing: {shown}" if shown else "")
