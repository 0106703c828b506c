"""Comma-separated files and their kin, where one bad quote costs one line and no more."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from newsnest.corpus.columns import Columns, check_header, knows_a_text
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import LINE_LIMIT, Line, Source
from newsnest.types import Rejected

_DELIMITERS = (",", ";", "\t", "|")
# Excel's own first line, which names the delimiter.
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)

_CLOSED, _OPEN, _BROKEN = "closed", "open", "broken"


def read_csv(source: Source) -> Iterator[Row | Rejected]:
    """Yield the rows of a table whose first line names its columns.

    The delimiter is the one of comma, semicolon, tab and bar under which the header names most
    fields we know. A quoted value may span lines. A quote that never closes, or closes in the
    middle of a value on another line, costs the line it opens on: reading goes on at the next.
    """
    return _read(source, is_tsv=False)


def read_tsv(source: Source) -> Iterator[Row | Rejected]:
    """Yield the rows of a table as `read_csv` does, of tabs where several delimiters fit alike."""
    return _read(source, is_tsv=True)


def _read(source: Source, *, is_tsv: bool) -> Iterator[Row | Rejected]:
    buffer, file, columns = _Buffer(source.lines()), source.file, source.columns
    dialect = header = None
    while (line := buffer.pop()) is not None:
        if line.fault:
            yield reject(file, line.number, line.fault, line.text)
            continue
        if not line.text.strip():
            continue
        if header is None and (named := _SEP_LINE.fullmatch(line.text.strip())):
            dialect = _Dialect(named[1])
            continue
        if header is None:
            dialect = dialect or _sniff(line.text, columns, is_tsv=is_tsv)
            header = [name.strip() for name in dialect.parse(line.text)[0]]
            check_header(header, columns, file, line.number)
            continue
        assert dialect is not None
        yield _read_record(line, buffer, dialect, header, file)


def looks_like_header(line: str, columns: Columns) -> bool:
    """Whether some delimiter makes this line name a title or a text."""
    names, _ = _sniff(line, columns, is_tsv=False).parse(line)
    return any(knows_a_text([name.strip()], columns) for name in names) and len(line) < 10_000


# Not the csv module: there a quote that never closes swallows the rest of the file.
@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str

    def parse(self, line: str) -> tuple[list[str], str]:
        """Split one physical line; the state says how it ends."""
        if '"' not in line:
            return line.split(self.delimiter), _CLOSED
        values: list[str] = []
        at = 0
        while True:
            opening = _skip_spaces(line, at, self.delimiter)
            if line[opening : opening + 1] == '"':
                value, at, state = self.quoted(line, opening + 1)
                values.append(value)
                if state != _CLOSED or at > len(line):
                    return values, state
            else:
                end = line.find(self.delimiter, at)
                if end < 0:
                    values.append(line[at:])
                    return values, _CLOSED
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
        while True:
            end = line.find('"', at)
            if end < 0:
                parts.append(line[at:])
                return "".join(parts), len(line) + 1, _BROKEN if inner else _OPEN
            parts.append(line[at:end])
            after = _skip_spaces(line, end + 1, self.delimiter)
            if line[end + 1 : end + 2] == '"':
                parts.append('"')
                at = end + 2
            elif after >= len(line) or line[after] == self.delimiter:
                return "".join(parts), after + 1, _CLOSED
            elif strict:
                return "".join(parts), len(line) + 1, _BROKEN
            else:
                inner = True
                parts.append('"')
                at = end + 1

    def leaves(self, line: str) -> str:
        """Tell how a line ends that starts inside quotes: a fact of the line alone."""
        _, at, state = self.quoted(line, 0, strict=True)
        if state != _CLOSED or at > len(line):
            return state
        return self.parse(line[at:])[1]


def _skip_spaces(line: str, at: int, delimiter: str) -> int:
    while line[at : at + 1] == " " and delimiter != " ":
        at += 1
    return at


class _Buffer:
    """Lines with a look ahead: how far the lines ahead were searched is never searched again.

    Whether a line that starts inside quotes ends inside them depends on that line alone. So when
    no line up to here ends a quoted value, that holds for every later opening too, and a file of
    opening quotes costs one pass.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._ahead: deque[Line] = deque()
        self._searched = 0
        self._held = 0
        self._last = (0, "")

    def pop(self) -> Line | None:
        if not self._ahead:
            return next(self._lines, None)
        line = self._ahead.popleft()
        self._held -= len(line.text)
        self._searched = max(0, self._searched - 1)
        return line

    def find_end(self, dialect: _Dialect) -> tuple[int, str]:
        """Count the lines ahead up to the one where an open quote ends, and tell how."""
        while True:
            if self._searched == len(self._ahead):
                if self._held > LINE_LIMIT:
                    return 0, f"does not close within {LINE_LIMIT:,} characters"
                line = next(self._lines, None)
                if line is None:
                    return 0, "never closes"
                self._ahead.append(line)
                self._held += len(line.text)
            found = self._ahead[self._searched]
            if self._last[0] != found.number:
                self._last = (found.number, "" if found.fault else dialect.leaves(found.text))
            state = self._last[1] or _BROKEN
            if state == _CLOSED:
                return self._searched + 1, ""
            if state == _BROKEN:
                return 0, f"is not closed where line {found.number:,} has another quote"
            self._searched += 1

    def take(self, count: int) -> list[str]:
        lines = []
        for _ in range(count):
            line = self.pop()
            assert line is not None
            lines.append(line.text)
        return lines

    def peek(self, count: int) -> Iterator[str]:
        return (line.text for line in islice(self._ahead, count))


def _read_record(
    line: Line, buffer: _Buffer, dialect: _Dialect, header: Sequence[str], file: str
) -> Row | Rejected:
    values, state = dialect.parse(line.text)
    if state == _CLOSED and len(values) == len(header):
        return Row(file, line.number, dict_of(header, values), line.text)
    why = "is followed by another quote that neither closes it nor is doubled"
    if state == _OPEN:
        count, why = buffer.find_end(dialect)
        if count:
            values = _parse_joined(values, buffer.peek(count), dialect, len(header))
            if len(values) == len(header):
                content = "\n".join([line.text, *buffer.take(count)])
                return Row(file, line.number, dict_of(header, values), content)
            why = f"closes {count:,} lines on, but then the row has {_miscounted(values, header)}"
    if dialect.delimiter == "\t":
        # Many tab-separated files know no quotes at all: a headline may begin with one.
        plain = line.text.split("\t")
        if len(plain) == len(header):
            return Row(file, line.number, dict_of(header, plain), line.text)
    if state == _CLOSED:
        return reject(file, line.number, f"has {_miscounted(values, header)}", line.text)
    return reject(file, line.number, f"a quote opens here and {why}", line.text)


def _parse_joined(
    first: list[str], following: Iterator[str], dialect: _Dialect, width: int
) -> list[str]:
    """Read an open record on; stop where it has too many values, for it is of no use then."""
    values = list(first)
    parts = [values.pop()]
    for line in following:
        value, at, state = dialect.quoted(line, 0, strict=True)
        parts.append(value)
        if state == _CLOSED and at <= len(line):
            rest, _ = dialect.parse(line[at:])
            values += ["\n".join(parts), *rest[:-1]]
            parts = [rest[-1]]
            if len(values) > width:
                break
    return [*values, "\n".join(parts)]


def _miscounted(values: Sequence[str], header: Sequence[str]) -> str:
    return f"{len(values):,} values where the header has {len(header):,} columns"


def dict_of(header: Sequence[str], values: Sequence[str]) -> dict[str, object]:
    """Pair columns with values; of columns of the same name the first with a value counts."""
    if len(set(header)) == len(header):
        return dict(zip(header, values, strict=True))
    row: dict[str, object] = {}
    for name, value in zip(header, values, strict=True):
        if not row.get(name):
            row[name] = value
    return row


def _sniff(line: str, columns: Columns, *, is_tsv: bool) -> _Dialect:
    # max() keeps the first of equals, so that this order decides.
    order = ("\t", *_DELIMITERS[:2], "|") if is_tsv else _DELIMITERS

    def score(delimiter: str) -> tuple[int, int]:
        names = [name.strip() for name in _Dialect(delimiter).parse(line)[0]]
        return len(columns.match(tuple(names))), len(names)

    return _Dialect(max(order, key=score))
