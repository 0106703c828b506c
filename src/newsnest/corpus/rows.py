"""What passes from readers to the making of articles: rows, their values as text, and counts."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from newsnest.corpus.json_values import plain_value
from newsnest.types import Notice, Rejected

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]")
_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060\u00ad"
CONTENT_LIMIT = 10_000
"""Characters of a rejected row that are kept."""


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
    """Make a rejected row; its content is cut at 10,000 characters and says so."""
    whole = clean_surrogates(content)
    if len(whole) > CONTENT_LIMIT:
        whole = f"{whole[:CONTENT_LIMIT]} … (cut: {len(whole):,} characters in all)"
    return Rejected(file, line, clean_surrogates(reason), whole)


def clean_surrogates(text: str) -> str:
    """Replace lone surrogates, which no file can hold, by U+FFFD."""
    if text.isascii():
        return text
    # By way of UTF-16, in which the two halves of a pair that stand together become one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_text(value: object) -> str:
    """Return a value as clean text; raise TypeError, saying what it is, if it is none."""
    return clean(plain_text(value))


def plain_text(value: object) -> str:
    """Return a value as the text it was written as; raise TypeError if it is none."""
    if isinstance(value, dict):
        value = plain_value(value)  # the one value of a list is taken for articles alone
    if isinstance(value, str):
        return value
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


def clean(text: str) -> str:
    """Return text without control characters, lone surrogates and space at its ends."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        text = _CONTROL.sub(" ", clean_surrogates(text))
    text = text.strip()
    if text and (text[0] in _INVISIBLE or text[-1] in _INVISIBLE):
        text = text.strip(_INVISIBLE + " \t\n")
    return text


@dataclass(slots=True)
class Tally:
    """Counts of what did not cost a row, reported once at the end of a file.

    Each kind keeps how often it happened and the first example.
    """

    file: str
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    def count(self, what: str, example: str = "") -> None:
        """Count one more of a kind; the first example is kept."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.examples.setdefault(what, example)

    def notices(self) -> Iterator[Notice]:
        """Say what was counted, in the order the kinds were first met."""
        for what, count in self.counts.items():
            example = self.examples[what]
            singular, _, plural = what.partition("|")
            words = plural if count != 1 else singular
            message = f"{count:,} {words}" + (f", first {example}" if example else "")
            yield Notice(self.file, message)
        if not self.rows:
            yield Notice(self.file, "holds no rows")
