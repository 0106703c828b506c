"""What passes from readers to the making of articles: rows, their values as text, and counts."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from newsnest.corpus.json.values import plain_value
from newsnest.invisible import clean_surrogates, escaped_invisible, without_invisible
from newsnest.types import Notice, Rejected

CONTENT_LIMIT = 10_000
"""Characters of a rejected row that are kept."""

_NOTHING = frozenset(
    {"nan", "-nan", "nat", "none", "null", "undefined", "n/a", "#n/a", "n.a.", "<na>", "<null>"}
    | {"<none>", "<nan>", "(null)", "(none)", "(blank)", "[null]", "\\n", "[]", "{}"}
    | {"-", "--", "---", "–", "—", "#null!", "#value!", "#ref!", "#name?", "#div/0!"}
    | {"only available in paid plans"}  # NewsData.io, of every text
)
_MATTERS = {"title": "a title", "date": "a date", "source": "an outlet", "text": "a text"}
_NO_FIELDS = ("Unnamed: ", "__index_level_", "retrieved")  # pandas' indexes; of versions, not shown
_COLUMNS_MET = 1000
_COLUMNS_SHOWN = 12
_WORDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One row as a reader found it.

    Parameters
    ----------
    file, line
        Where it stands.
    values
        Column → value.
    content
        The row as found; None where a format has no text of its own: the values stand for it.
    """

    file: str
    line: int
    values: Mapping[str, object]
    content: str | None

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, line {self.line}"

    def reject(self, reason: str) -> Rejected:
        """Set the row aside."""
        content = self.content
        if content is None:
            content = json.dumps(dict(self.values), ensure_ascii=False, default=str)
        return reject(self.file, self.line, reason, content)


def reject(file: str, line: int, reason: str, content: str) -> Rejected:
    """Make a rejected row: what is not seen is escaped; cut at 10,000 characters, and says so."""
    whole = escaped_invisible(clean_surrogates(content))
    if len(whole) > CONTENT_LIMIT:
        whole = f"{whole[:CONTENT_LIMIT]} … (cut: {len(whole):,} characters in all)"
    return Rejected(file, line, escaped_invisible(clean_surrogates(reason)), whole)


def as_text(value: object) -> str:
    """Return a value as clean text; raise TypeError, saying what it is, if it is none."""
    return clean(plain_text(value))


def plain_text(value: object) -> str:
    """Return a value as the text it was written as; raise TypeError if it is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and (plain := plain_value(value)) is not value:
        return plain_text(plain)  # the one value of a list is taken for articles alone
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        # Columns of whole numbers with gaps come as floats from many a table.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, bool | int | Decimal | datetime | date | time | timedelta):
        return str(value)
    if isinstance(value, list | tuple):
        raise TypeError("a list")
    raise TypeError("an object" if isinstance(value, dict) else f"a {type(value).__name__}")


def says_nothing(text: str) -> bool:
    """Whether a whole cell is a word that tables write where there is no value: nan, N/A, NULL."""
    # R writes NA; na is a language, Nauruan.
    return len(text) < 30 and (text.casefold() in _NOTHING or text == "NA")


def clean(text: str) -> str:
    """Return text without what is not seen, lone surrogates and space at its ends."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return without_invisible(text).strip()


@dataclass(slots=True)
class Tally:
    """Counts of what did not cost a row, reported once at the end of a file.

    Each kind keeps how often it happened and the first example.
    """

    file: str
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    got: set[str] = field(default_factory=set)
    """Fields that some article has."""
    _unused: dict[str, None] = field(default_factory=dict)
    _names: tuple[str, ...] = ()
    _nothing: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def count(self, what: str, example: str = "") -> None:
        """Count one more of a kind; the first example is kept."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.examples.setdefault(what, example)

    def count_nothing(self, column: str, word: str, line: int) -> None:
        """Count a cell that says nothing."""
        self._add_nothing((column, word), 1, f"line {line:,}")

    def _add_nothing(self, cell: tuple[str, str], count: int, where: str) -> None:
        before, first = self._nothing.get(cell, (0, where))
        self._nothing[cell] = before + count, first

    def absorb(self, other: "Tally") -> None:
        """Add what was counted of one file of a folder, so that the folder says it once."""
        for what, count in other.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
            example = other.examples[what]
            if other.file not in example:
                example = f"{example} in {other.file}".lstrip()
            self.examples.setdefault(what, example)
        for cell, (count, where) in other._nothing.items():
            self._add_nothing(cell, count, f"{other.file}, {where}")
        if not other.rows:
            self.count("file holds no rows|files hold no rows", other.file)

    def meet(self, names: tuple[str, ...], fields: Mapping[str, Iterable[str]]) -> None:
        """Remember which columns are of no field."""
        if names == self._names or len(self._unused) > _COLUMNS_MET:
            return
        self._names = names
        used = {name for columns in fields.values() for name in columns}
        unused = (name for name in names if name and not name.startswith(_NO_FIELDS))
        self._unused.update(dict.fromkeys(name for name in unused if name not in used))

    def gap(self) -> tuple[str, str]:
        """Return what no article has, and the columns that are of no field; "" twice if none."""
        lacking = [words for name, words in _MATTERS.items() if name not in self.got]
        if not self.got or not lacking or not self._unused:
            return "", ""
        names = [name[:60] for name in self._unused]
        more = f" and {len(names) - _COLUMNS_SHOWN:,} more"
        shown = ", ".join(names[:_COLUMNS_SHOWN]) + more * (len(names) > _COLUMNS_SHOWN)
        *first, last = lacking
        return (f"{', '.join(first)} or {last}" if first else last), shown

    def notices(self) -> Iterator[Notice]:
        """Say what was counted, in the order the kinds were first met."""
        for what, count in self.counts.items():
            example = self.examples[what].replace(f"{self.file}, line ", "line ")
            singular, _, plural = what.partition("|")
            words = plural if count != 1 else singular
            message = f"{count:,} {words}" + (f", first {example}" if example else "")
            yield Notice(self.file, message)
        if self._nothing:
            yield Notice(self.file, self._say_nothing())
        if not self.rows:
            yield Notice(self.file, "holds no rows")

    def _say_nothing(self) -> str:
        total = sum(count for count, _ in self._nothing.values())
        ranked = sorted(self._nothing.items(), key=lambda one: -one[1][0])
        shown = ", ".join(
            f"“{word}” in {column[:60]} ({count:,}, first at {where})"
            for (column, word), (count, where) in ranked[:_WORDS_SHOWN]
        )
        more = " and others" * (len(ranked) > _WORDS_SHOWN)
        cells = "placeholder was" if total == 1 else "placeholders were"
        return f"{total:,} {cells} read as empty: {shown}{more}"
