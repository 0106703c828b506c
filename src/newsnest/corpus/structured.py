"""JSON lines, JSON documents and Parquet tables → rows."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from newsnest.corpus.columns import Columns, check_header
from newsnest.corpus.origin import BrokenStreamError, compression_of, read_chunks, spool
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import LINE_LIMIT, Line, Source, decode
from newsnest.drafts import discard
from newsnest.types import Rejected

_BATCH = 1024
_COLUMNS_KEPT = 1000
_BETWEEN = re.compile(r"[\s,]*")


class Met:
    """Which columns a file without a header turned out to have, to check mapped ones at its end."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._last: tuple[str, ...] = ()

    def note(self, names: tuple[str, ...]) -> None:
        """Remember the columns of one row."""
        # A file in which every row has keys of its own must not fill the memory.
        if names != self._last and len(self.names) < _COLUMNS_KEPT:
            self._last = names
            self.names.update(dict.fromkeys(names))

    def check(self, columns: Columns, file: str) -> None:
        """Raise InputError if rows were met and none had a mapped column."""
        if self.names:
            columns.check(file, self.names)


def read_json_lines(source: Source) -> Iterator[Row | Rejected]:
    """Yield one row a line; InputError at the end if a mapped column was in no row."""
    return _read_objects(source.lines(), source)


def _read_objects(lines: Iterator[Line], source: Source) -> Iterator[Row | Rejected]:
    met, file = Met(), source.file
    for line in lines:
        if line.fault:
            yield reject(file, line.number, line.fault, line.text)
        elif line.text.strip():
            try:
                value = json.loads(line.text)
            except (ValueError, RecursionError) as error:
                reason = f"is not valid JSON: {_reason(error)}"
                yield reject(file, line.number, reason, line.text)
                continue
            yield _to_row(file, line.number, value, line.text, met)
    met.check(source.columns, file)


def _reason(error: Exception, start: int = 0) -> str:
    """Say what is wrong, and where in the row: a line number here would be taken for the file's."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.pos - start + 1:,} of the row"
    return str(error)


def _to_row(file: str, number: int, value: object, text: str, met: Met) -> Row | Rejected:
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number")
        if isinstance(value, bool):
            kind = "true or false"
        return reject(file, number, f"is {kind}, expected an object with a title or a text", text)
    met.note(tuple(value))
    return Row(file, number, value, text)


def read_json(source: Source) -> Iterator[Row | Rejected]:
    """Yield the objects of a JSON document: an array, one object, or one after the other.

    A file that turns out to hold an object a line is read as JSON lines. Where the document is
    broken, what came before is kept and the rest is one rejected row: no line tells where the next
    object begins. A mapped column that is in no row is an InputError.
    """
    lines = source.lines()
    first: list[Line] = []
    for line in lines:
        first.append(line)
        if line.text.strip() or line.fault:
            break
    start = first[-1].text.strip() if first else ""
    if start.startswith("{") and _is_object(start):
        yield from _read_objects(chain(first, lines), source)
        return
    met = Met()
    yield from _Document(chain(first, lines), source.file).rows(met)
    met.check(source.columns, source.file)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


class _Document:
    """Objects of a document, decoded one at a time from a text that grows as needed."""

    def __init__(self, lines: Iterator[Line], file: str) -> None:
        self._lines = lines
        self._file = file
        self._text = ""
        self._at = 0
        self._number = 1
        self._fault = ""
        self._ended = False

    def rows(self, met: Met) -> Iterator[Row | Rejected]:
        decoder = json.JSONDecoder()
        in_array = self._skip() and self._text[self._at] == "["
        if in_array:
            self._at += 1
        while self._skip():
            if in_array and self._text[self._at] == "]":
                self._at += 1
                if self._skip():
                    yield self._rest("the array ends here and more follows")
                return
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._grow():
                    continue
                why = self._fault or _reason(error, self._at)
                yield self._rest(f"is not valid JSON from here on: {why}")
                return
            if end == len(self._text) and self._grow():
                continue  # a number may go on
            found = self._text[self._at : end]
            yield _to_row(self._file, self._number, value, found, met)
            self._move(end)
        if self._fault:
            yield self._rest(self._fault)
        elif in_array:
            yield self._rest("the array is not closed")

    def _skip(self) -> bool:
        """Go to the next character that counts; False at the end."""
        while True:
            match = _BETWEEN.match(self._text, self._at)
            self._move(match.end() if match else self._at)
            if self._at < len(self._text):
                return True
            if not self._grow():
                return False

    def _move(self, end: int) -> None:
        self._number += self._text.count("\n", self._at, end)
        self._at = end

    def _grow(self) -> bool:
        """Read on until there is twice as much, so that the cost stays linear."""
        if self._ended or len(self._text) - self._at > LINE_LIMIT:
            return False
        kept = self._text[self._at :]
        pieces, size = [kept], 0
        while size <= max(len(kept), 1 << 16):
            line = next(self._lines, None)
            if line is None or line.fault:
                self._fault = line.fault if line else ""
                pieces.append(line.text if line else "")
                self._ended = True
                break
            pieces.append(line.text + "\n")
            size += len(line.text) + 1
        self._text, self._at = "".join(pieces), 0
        return len(self._text) > len(kept)

    def _rest(self, reason: str) -> Rejected:
        return reject(self._file, self._number, reason, self._text[self._at :])


def read_parquet(source: Source) -> Iterator[Row | Rejected]:
    """Yield one row for each of a Parquet table, of the columns that are fields or of all."""
    origin = source.origin
    if not compression_of(origin.path):
        yield from _read_table(origin.path, source)
        return
    # A copy, for Parquet has its directory at the end and cannot be read as a stream.
    try:
        copy = spool(read_chunks(origin.path, source.task), ".parquet", origin.name)
    except BrokenStreamError as error:
        yield reject(origin.name, 0, f"the file breaks off: {error}", "")
        return
    try:
        yield from _read_table(copy, source)
    finally:
        discard(copy)


def _read_table(path: Path, source: Source) -> Iterator[Row | Rejected]:
    import pyarrow as pa
    from pyarrow import parquet

    file, columns = source.file, source.columns
    broken = (pa.ArrowException, OSError, ValueError, MemoryError)
    try:
        table = parquet.ParquetFile(path)
        names = list(table.schema_arrow.names)
    except broken as error:
        yield reject(file, 0, f"is not a readable Parquet file: {_short(error)}", "")
        return
    with table:
        check_header(names, columns, file, 0)
        wanted = [name for found in columns.match(tuple(names)).values() for name in found]
        if columns.whole_rows:
            wanted = names
        number = 0
        batches = table.iter_batches(batch_size=_BATCH, columns=wanted, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                rows = [] if batch is None else rows_of(batch)
            except broken as error:
                reason = f"the table cannot be read from this row on: {_short(error)}"
                yield reject(file, number + 1, reason, "")
                return
            if batch is None:
                return
            for row in rows:
                number += 1
                yield Row(file, number, row, None)
            source.task.advance(len(rows))


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]


def rows_of(batch: Any) -> list[dict[str, object]]:
    """Return the rows of an Arrow table or batch, values by column."""
    names = batch.schema.names
    columns = [_values_of(column) for column in batch.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values_of(column: Any) -> list[object]:
    """Python values of a column; times finer than Python's are cut to microseconds."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        # Only nanoseconds are cut: an unsafe cast of the others could wrap around.
        unit = "us" if kind.unit == "ns" else kind.unit
        column = column.cast(pa.timestamp(unit, tz=kind.tz and "UTC"), safe=unit == kind.unit)
        return [_moment(value) for value in column]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # As bytes: Arrow does not check strings, and to_pylist raises where one is not UTF-8.
        raw = column.cast(pa.large_binary())
        return [None if value is None else decode(value)[0] for value in raw.to_pylist()]
    return list(column.to_pylist())


def _moment(value: Any) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        # Beyond the years Python knows: unreadable, not fatal, and not a bare number, which would
        # be read as one of another unit.
        return f"timestamp {value.value}"
