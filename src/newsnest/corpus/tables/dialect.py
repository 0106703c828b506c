"""How a delimited line is cut into values: delimiter, quotes, escapes.

Not the csv module's way: there a quote that never closes swallows the rest of the file.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsnest.corpus.columns import Columns, known_names

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_SNIFFED = 100_000

CLOSED, OPEN, BROKEN = "closed", "open", "broken"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What separates values, what quotes them, and whether a backslash escapes a quote."""

    delimiter: str
    quote: str = '"'
    escapes: bool = False

    def parse(self, line: str) -> tuple[list[str], str]:
        """Split one physical line; the state says how it ends."""
        if self.quote not in line:
            return line.split(self.delimiter), CLOSED
        values: list[str] = []
        at = 0
        while True:
            opening = _skip_spaces(line, at, self.delimiter)
            if line[opening : opening + 1] == self.quote:
                value, at, state = self.quoted(line, opening + 1)
                values.append(value)
                if state != CLOSED or at > len(line):
                    return values, state
            else:
                end = line.find(self.delimiter, at)
                if end < 0:
                    values.append(line[at:])
                    return values, CLOSED
                values.append(line[at:end])
                at = end + 1

    def quoted(self, line: str, at: int, *, strict: bool = False) -> tuple[str, int, str]:
        """Read on inside quotes; return the value, where the next one starts, and the state.

        A quote amid the value that is neither doubled nor before a delimiter is kept as it is on
        one line; `strict` calls it broken, because across lines it is the sign that the quote
        before it was never closed.
        """
        parts: list[str] = []
        inner = False
        start = at
        while True:
            end = line.find(self.quote, at)
            if end < 0:
                parts.append(line[at:])
                return "".join(parts), len(line) + 1, BROKEN if inner else OPEN
            if self.escapes and _is_escaped(line, end, start):
                parts.append(line[at : end - 1] + self.quote)
                at = end + 1
                continue
            parts.append(line[at:end])
            after = _skip_spaces(line, end + 1, self.delimiter)
            if line[end + 1 : end + 2] == self.quote:
                parts.append(self.quote)
                at = end + 2
            elif after >= len(line) or line[after] == self.delimiter:
                return "".join(parts), after + 1, CLOSED
            elif strict:
                return "".join(parts), len(line) + 1, BROKEN
            else:
                inner = True
                parts.append(self.quote)
                at = end + 1

    def leaves(self, line: str) -> tuple[str, int]:
        """Tell how a line ends that starts inside quotes, and how many more values it begins.

        Both are facts of the line alone.
        """
        _, at, state = self.quoted(line, 0, strict=True)
        if state != CLOSED or at > len(line):
            return state, 0
        rest, state = self.parse(line[at:])
        return state, len(rest)


def _skip_spaces(line: str, at: int, delimiter: str) -> int:
    while line[at : at + 1] == " " and delimiter != " ":
        at += 1
    return at


def _is_escaped(line: str, at: int, start: int) -> bool:
    """Whether an odd number of backslashes stands before a place."""
    first = at
    while first > start and line[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def sniff(
    head: str, sample: Sequence[str], columns: Columns | None, *, is_tsv: bool, delimiter: str = ""
) -> Dialect:
    """Return the dialect under which the first line names most fields, then fits most others.

    `head` is the line that names the columns, `sample` lines after it. Without `columns` the head
    is an article. A `delimiter` that is known is kept.
    """
    sample = [line for line in sample if len(line) < _LONGEST_SNIFFED][:50]
    # max() keeps the first of equals, so that this order decides.
    order = ("\t", *_DELIMITERS[:2], "|") if is_tsv else _DELIMITERS

    def score(delimiter: str) -> tuple[int, int, int]:
        names = [name.strip() for name in Dialect(delimiter).parse(head)[0]]
        width = len(names)
        alike = sum(len(Dialect(delimiter).parse(line)[0]) == width for line in sample)
        known = len(known_names(names, columns)) if columns else 0
        return known, alike if width > 1 else 0, width

    return _with_quotes(delimiter or max(order, key=score), [head, *sample])


def _with_quotes(delimiter: str, lines: Sequence[str]) -> Dialect:
    """Return a dialect whose quotes are apostrophes, or are escaped, where the lines show it."""

    def quoted(line: str, quote: str) -> bool:
        opens = line.startswith(quote) or delimiter + quote in line
        return opens and (line.endswith(quote) or quote + delimiter in line)

    lines = [line.strip() for line in lines if len(line) < _LONGEST_SNIFFED]
    in_single = sum(quoted(line, "'") for line in lines)
    if in_single * 2 > len(lines) and not any(quoted(line, '"') for line in lines):
        return Dialect(delimiter, "'")
    mark = re.escape(delimiter)
    escaped = re.compile(rf'\\"(?!\s*(?:{mark}|$))')
    doubled = re.compile(rf'[^{mark}\s]""(?!\s*(?:{mark}|$))')
    escapes = any(map(escaped.search, lines)) and not any(map(doubled.search, lines))
    return Dialect(delimiter, escapes=escapes)


def usual_width(lines: Sequence[str], dialect: Dialect) -> int:
    """Return how many values most lines have, of those that close their quotes."""
    widths = Counter(len(values) for values, state in map(dialect.parse, lines) if state == CLOSED)
    return max(widths, key=lambda width: (widths[width], width)) if widths else 1
