"""Parquet tables, and tables in memory as they come from Arrow → rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsnest.corpus.columns import check_header
from newsnest.corpus.dates.fields import columns_beside
from newsnest.corpus.origin import BrokenStreamError, compression_of, read_chunks, spool
from newsnest.corpus.rows import Row, reject
from newsnest.corpus.source import Source, decode
from newsnest.drafts import discard
from newsnest.types import Rejected

_BATCH = 32  # rows in memory at once; few, for one may hold a text of many MiB
_RATIO = 1000  # times its size that a file may unpack to; texts take up a tenth of theirs
_SUSPECT = 16 << 20
_UNPACKED = 64 << 20  # bytes that a file may always unpack to
_PACKED = f"more than {_RATIO:,} times its size"


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
        found = (*fields.values(), *columns_beside(tuple(names)))
        wanted = [*dict.fromkeys(name for some in found for name in some)]
        if columns.whole_rows:
            wanted = names
        else:
            source.tally.meet(tuple(names), fields)
        largest = _most_packed(table.metadata, wanted)
        if largest > _UNPACKED:
            why = f"a column of the table unpacks to {largest:,} bytes, {_PACKED}"
            yield reject(file, 0, why, "")
            return
        size = 1 if largest else _BATCH
        batches = table.iter_batches(batch_size=size, columns=wanted, use_threads=False)
        number, limit = 0, max(_UNPACKED, path.stat().st_size * _RATIO)
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
                # Not the bytes of the batch: one value may stand for many cells of it.
                limit -= sum(len(cell) for cell in row.values() if isinstance(cell, str | bytes))
                if limit < 0:
                    why = f"from here on the table is left out: it unpacks to {_PACKED}"
                    yield reject(file, number, why, "")
                    return
                yield Row(file, number, row, None)
            source.task.advance(len(rows))


def _most_packed(metadata: Any, wanted: list[str]) -> int:
    """Return the unpacked bytes of the largest column chunk that is packed as no text is, or 0."""
    largest = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            size = int(chunk.total_uncompressed_size)
            if size > _SUSPECT and size > _RATIO * chunk.total_compressed_size:
                name = chunk.path_in_schema.partition(".")[0]
                largest = max(largest, size if name in wanted else 0)
    return largest


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
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Only nanoseconds are cut: an unsafe cast of the others could wrap around.
        column = column.cast(pa.timestamp("us", tz=kind.tz and "UTC"), safe=False)
    elif pa.types.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit, tz="UTC"))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # As bytes: Arrow does not check strings, and to_pylist raises where one is not UTF-8.
        raw = column.cast(pa.large_binary())
        return [None if value is None else decode(value)[0] for value in raw.to_pylist()]
    elif pa.types.is_struct(kind) and isinstance(column, pa.StructArray):
        # Member by member, so that one that cannot be read does not cost the others.
        members = [_values_of(member) for member in column.flatten()]
        names = [member.name for member in kind]
        there = column.is_valid().to_pylist()
        rows = zip(*members, strict=True) if members else ((),) * len(column)
        return [
            dict(zip(names, row, strict=True)) if valid else None
            for row, valid in zip(rows, there, strict=True)
        ]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, pa.ArrowException):
        return [_value(value) for value in column]


def _value(cell: Any) -> object:
    import pyarrow as pa

    try:
        return cell.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        # Beyond the years Python knows: unreadable, not fatal, and not a bare number, which would
        # be read as one of another unit.
        return f"{cell.type} {getattr(cell, 'value', 'that cannot be read')}"
