"""The rows of files with labels or pairs, whatever their format."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from newsnest.errors import InputError

FORMATS = (".jsonl", ".csv", ".tsv", ".parquet")
_HALF = re.compile("[\ud800-\udfff]")


def read_rows(file: Path, *, what: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the number and the fields of every row of a file; strict about every one.

    Parameters
    ----------
    file
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    what
        What the rows hold, for the message: "labels".

    Yields
    ------
    The physical line (in .parquet the number of the row), from 1, and the row.

    Raises
    ------
    InputError
        If the file cannot be read, is of another kind, or holds a bad row.
    """
    kind = Path(file.name.removesuffix(".gz")).suffix.lower()
    if not file.exists():
        raise InputError(f"{file}: cannot be read (No such file or directory). Check the path.")
    if kind not in FORMATS or (kind == ".parquet" and file.suffix == ".gz"):
        raise InputError(
            f"{file}: {what} are read from {', '.join(FORMATS)} (the text ones also .gz). "
            "Convert the file, or name it after its format."
        )
    try:
        if kind == ".parquet":
            yield from enumerate(_parquet_rows(file), start=1)
            return
        opener = gzip.open if file.suffix == ".gz" else open
        with opener(file, "rb") as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            yield from (
                _json_rows(file, text)
                if kind == ".jsonl"
                else _csv_rows(file, text, "\t" if kind == ".tsv" else ",")
            )
    except UnicodeDecodeError as error:
        raise InputError(f"{file}, {_not_utf8(file, opener)}. Convert it to UTF-8.") from error
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{file}: cannot be read ({why}). Check the path and file.") from error


def _not_utf8(file: Path, opener: Callable[..., Any]) -> str:
    """Say where a file is no UTF-8; reading it in blocks does not tell."""
    with opener(file, "rb") as raw:
        lines = enumerate(raw, start=1)
        line, text = next((n, t) for n, t in lines if t.decode(errors="ignore").encode() != t)
    wide = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return f"line {line}: not UTF-8{' but UTF-16' if wide else ''}"


def _parquet_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches():
            yield from batch.to_pylist()


def _json_rows(file: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, content in enumerate(text, start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content.rstrip())  # a line break in a string that was cut off is none
        except (ValueError, RecursionError) as error:  # also numbers of thousands of digits
            why: object = error
            if isinstance(error, json.JSONDecodeError):
                why = f"{error.msg.removesuffix(' at')} at character {error.pos + 1:,}"
            raise InputError(
                f"{file}, line {line}: not JSON ({why}). Put one JSON object on each line."
            ) from error
        if not isinstance(row, dict):
            raise InputError(
                f"{file}, line {line}: not a JSON object but {type(row).__name__}. "
                "Put one JSON object on each line."
            )
        # Half of a character, which JSON can write, is nothing an encoder can read.
        yield line, {_whole(key): _whole(value) for key, value in row.items()}


def _whole(value: Any) -> Any:
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


def _csv_rows(
    file: Path, text: io.TextIOWrapper, delimiter: str
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    allowed = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a field may be a whole article
    try:
        reader = csv.DictReader(text, delimiter=delimiter)
        for row in reader:
            if None in row:
                raise InputError(
                    f"{file}, line {reader.line_num}: more values than the header has fields. "
                    "Quote the values that hold the delimiter."
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{file}: not readable as CSV ({error}). Save it again as CSV.") from error
    finally:
        csv.field_size_limit(allowed)
