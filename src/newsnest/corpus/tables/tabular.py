"""Comma-separated files and their kin, where one bad quote costs one line and no more."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from newsnest.corpus.columns import known_names
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import LINE_LIMIT, Line, Source
from newsnest.corpus.tables.dialect import BROKEN, CLOSED, OPEN, Dialect
from newsnest.corpus.tables.header import Table, find_table
from newsnest.types import Rejected

_SAMPLE = 200
_SAMPLE_CHARACTERS = 1 << 20
_NAMES_AGAIN = (
    "line repeats the names of the columns and was passed over"
    "|lines repeat the names of the columns and were passed over"
)


def read_csv(source: Source) -> Iterator[Row | Rejected]:
    """Yield the rows of a table whose first line names its columns.

    The delimiter is the one of comma, semicolon, tab and bar under which the header names most
    fields we know. A quoted value may span lines. A quote that never closes, or closes in the
    middle of a value on another line, costs the line it opens on: reading goes on at the next.
    Where the first lines show it, quotes are apostrophes, or are escaped by a backslash.
    """
    return _read(source, is_tsv=False)


def read_tsv(source: Source) -> Iterator[Row | Rejected]:
    """Yield the rows of a table as `read_csv` does, of tabs where several delimiters fit alike."""
    return _read(source, is_tsv=True)


def _read(source: Source, *, is_tsv: bool) -> Iterator[Row | Rejected]:
    buffer, file = _Buffer(source.lines()), source.file
    table: Table | None = None
    is_first = True
    while (line := buffer.pop()) is not None:
        if line.fault:
            yield reject(file, line.number, line.fault, line.text)
            continue
        if not line.text.strip():
            continue
        if table is None:
            ahead = [one for one in buffer.look() if not one.fault and one.text.strip()]
            table = find_table([line, *ahead], source, is_tsv=is_tsv)
        if line.number < table.start:
            continue
        row = _read_record(line, buffer, table, file)
        if isinstance(row, Row) and _names_again(row, source, is_first=is_first):
            source.tally.count(_NAMES_AGAIN, f"at line {row.line}")
            continue
        is_first = False
        yield row


def _names_again(row: Row, source: Source, *, is_first: bool) -> bool:
    """Whether a row is the header again, or a second one, in other words, right below the first."""
    if not source.columns.needs_text or not source.columns.header:
        return False
    name, first = next(iter(row.values.items()))
    if not is_first and str(first).strip() != name:
        return False  # nearly all rows
    values = [str(value).strip() for value in row.values.values()]
    if values == list(row.values):
        return True
    named = set(filter(None, values))
    return is_first and len(named) > 1 and named == known_names([*named], source.columns)


class _Buffer:
    """Lines with a look ahead: how far the lines ahead were searched is never searched again.

    Whether a line that starts inside quotes ends inside them depends on that line alone. So when
    no line up to here ends a quoted value, that holds for every later opening too, and a file of
    opening quotes costs one pass.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._ahead: deque[Line] = deque()
        self._added: deque[int] = deque()  # how many values each of the lines searched begins
        self._sum = 0
        self._held = 0
        self._last = (0, "", 0)

    def pop(self) -> Line | None:
        if not self._ahead:
            return next(self._lines, None)
        line = self._ahead.popleft()
        self._held -= len(line.text)
        if self._added:
            self._sum -= self._added.popleft()
        return line

    def look(self) -> Sequence[Line]:
        """Return some lines ahead, which stay to be popped."""
        while len(self._ahead) < _SAMPLE and self._held < _SAMPLE_CHARACTERS and self._grow():
            pass
        return tuple(self._ahead)

    def _grow(self) -> bool:
        line = next(self._lines, None)
        if line is not None:
            self._ahead.append(line)
            self._held += len(line.text)
        return line is not None

    def find_end(self, dialect: Dialect) -> tuple[int, int, str]:
        """Count the lines ahead up to the one where an open quote ends, and values they begin.

        0 lines, and why, where it does not end.
        """
        while True:
            if len(self._added) == len(self._ahead):
                if self._held > LINE_LIMIT:
                    return 0, 0, f"does not close within {LINE_LIMIT:,} characters"
                if not self._grow():
                    return 0, 0, "never closes"
            found = self._ahead[len(self._added)]
            if self._last[0] != found.number:
                state, added = (BROKEN, 0) if found.fault else dialect.leaves(found.text)
                self._last = (found.number, state, added)
            _, state, added = self._last
            if state == CLOSED:
                return len(self._added) + 1, self._sum + added, ""
            if state == BROKEN:
                return 0, 0, f"is not closed where line {found.number:,} has another quote"
            self._added.append(added)
            self._sum += added

    def take(self, count: int) -> list[str]:
        lines = []
        for _ in range(count):
            line = self.pop()
            assert line is not None
            lines.append(line.text)
        return lines

    def peek(self, count: int) -> Iterator[str]:
        return (line.text for line in islice(self._ahead, count))


def _read_record(line: Line, buffer: _Buffer, table: Table, file: str) -> Row | Rejected:
    names, dialect, _ = table
    values, state = dialect.parse(line.text)
    if state == CLOSED and (row := _fit(values, names)) is not None:
        return Row(file, line.number, row, line.text)
    why = "is followed by another quote that neither closes it nor is doubled"
    if state == OPEN:
        count, added, why = buffer.find_end(dialect)
        total = len(values) + added
        # Counted first: joined values that do not fit would be joined again from the next line.
        if count and total <= len(names) + 1 and not any(names[total:]):
            joined = _parse_joined(values, buffer.peek(count), dialect)
            if (row := _fit(joined, names)) is not None:
                content = "\n".join([line.text, *buffer.take(count)])
                return Row(file, line.number, row, content)
        if count:
            wrong = _miscounted(total, names)
            why = f"closes {count:,} lines on, but then the row has {wrong}"
    if dialect.delimiter == "\t":
        # Many tab-separated files know no quotes at all: a headline may begin with one.
        plain = line.text.split("\t")
        if (row := _fit(plain, names)) is not None:
            return Row(file, line.number, row, line.text)
    if state == CLOSED:
        return reject(file, line.number, f"has {_miscounted(len(values), names)}", line.text)
    return reject(file, line.number, f"a quote opens here and {why}", line.text)


def _parse_joined(first: list[str], following: Iterator[str], dialect: Dialect) -> list[str]:
    """Read an open record on."""
    values = list(first)
    parts = [values.pop()]
    for line in following:
        value, at, state = dialect.quoted(line, 0, strict=True)
        parts.append(value)
        if state == CLOSED and at <= len(line):
            rest, _ = dialect.parse(line[at:])
            values += ["\n".join(parts), *rest[:-1]]
            parts = [rest[-1]]
    return [*values, "\n".join(parts)]


def _miscounted(values: int, names: Sequence[str]) -> str:
    return f"{values:,} values where the header has {len(names):,} columns"


def _fit(values: Sequence[str], names: Sequence[str]) -> dict[str, object] | None:
    """Pair columns with values; None where there are more or fewer.

    Empty values too many, or too few under no name, are delimiters at the end of lines. Of columns
    of the same name the first with a value counts.
    """
    if len(values) != len(names):
        lacking = names[len(values) :]
        if any(map(str.strip, values[len(names) :])) or any(lacking):
            return None
        values = [*values[: len(names)], *lacking]
    row: dict[str, object] = dict(zip(names, values, strict=True))
    if len(row) == len(names):
        return row
    row.clear()
    for name, value in zip(names, values, strict=True):
        if not row.get(name):
            row[name] = value
    return row
