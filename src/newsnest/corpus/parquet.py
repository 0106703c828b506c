"""Parquet tables, and tables in memory as they come from Arrow → rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsnest.corpus.columns import check_header
from newsnest.corpus.origin import BrokenStreamError, compression_of, read_chunks, spool
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import Source, decode
from newsnest.drafts import discard
from newsnest.types import Rejected

_BATCH = 1024


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
        fields = columns.match(tuple(names))
        wanted = [name for found in fields.values() for name in found]
        if columns.whole_rows:
            wanted = names
        else:
            source.tally.meet(tuple(names), fields)
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
