"""Where bytes come from: files, directories, compressed streams, standard input."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from newsnest.corpus.options import FORMATS
from newsnest.errors import InputError
from newsnest.progress import Task

CHUNK = 1 << 20
"""Bytes read at a time."""

STDIN_SUFFIX = ".stdin"
"""Marks a file that `spool_stdin` wrote: named "-" to the reader, its format sniffed."""

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "txt",
    ".text": "txt",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


class BrokenStreamError(Exception):
    """A compressed stream that cannot be read on; what came before it was handed out."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One file to read.

    Parameters
    ----------
    path
        Where it lies.
    name
        What it is called in every message.
    format
        One of `FORMATS`, or "" to go by how it begins.
    folder
        The directory it was found in, as it was named; "" if it was named itself.
    """

    path: Path
    name: str
    format: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory: what can be read in it and what cannot."""

    name: str
    files: tuple[Origin, ...]
    passed_over: tuple[str, ...]


def find_origins(
    paths: Sequence[str | Path], *, forced: str | None = None
) -> list[Origin | Folder]:
    """List what stands behind the paths, in their order, directories sorted by name.

    Files take the forced format; in a directory each goes by its name.

    Raises
    ------
    InputError
        If a path does not exist, is of an unknown kind, or is a directory with nothing to read.
    """
    found: list[Origin | Folder] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found.append(_find_in_folder(path))
            continue
        _check_file(path, "read_articles")
        if path.suffix == STDIN_SUFFIX:
            found.append(Origin(path, "-", forced or ""))
            continue
        kind = forced or format_of(path)
        if kind is None:
            raise InputError(
                f"read_articles: {path} must end in one of {', '.join(_SUFFIXES)} (also with .gz "
                f"or .zst), got {path.suffix or 'no suffix'}. Rename it, or say its format: "
                f"{', '.join(FORMATS)}."
            )
        found.append(Origin(path, str(given), kind))
    return found


def name_of(path: str | Path) -> str:
    """Return what an input is called in every message: "-" for standard input."""
    return "-" if Path(path).suffix == STDIN_SUFFIX else str(path)


def format_of(path: Path) -> str | None:
    """Tell the format of a file by its name, None if unknown."""
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return _SUFFIXES.get(Path(name).suffix)


def _find_in_folder(folder: Path) -> Folder:
    files: list[Origin] = []
    passed_over: list[str] = []
    for path in _walk(folder):
        kind = format_of(path)
        if kind is None:
            passed_over.append(str(path))
        else:
            files.append(Origin(path, str(path), kind, str(folder)))
    if not files:
        raise InputError(
            f"read_articles: {folder} must hold at least one file to read, got "
            f"{len(passed_over)} of other kinds. Put files there that end in one of "
            f"{', '.join(_SUFFIXES)}."
        )
    return Folder(str(folder), tuple(files), tuple(passed_over))


def _walk(folder: Path) -> Iterator[Path]:
    """Every regular file below a directory, sorted; links to directories are not followed."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file():
                yield path


def _check_file(path: Path, who: str) -> None:
    if str(path) == "-":
        raise InputError(
            f"{who}: - must be named alone or spooled, got it among files. "
            "Spool it with spool_stdin and name the file."
        )
    if not path.exists():
        raise InputError(f"{who}: {path} must exist, got no such file. Check the path.")
    if not path.is_file():
        raise InputError(
            f"{who}: {path} must be a regular file or a directory, got neither. "
            "Copy it to a file first, or pipe it into -."
        )


class Counted(RawIOBase):
    """A binary file that tells a task how far it was read."""

    def __init__(self, path: Path, task: Task) -> None:
        self._file = path.open("rb", buffering=0)
        self._task = task

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer and report the bytes."""
        count = self._file.readinto(buffer) or 0
        self._task.advance(count)
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def read_chunks(path: Path, task: Task) -> Iterator[bytes]:
    """Yield the bytes of a file, decompressed by its first bytes, a chunk at a time.

    Raises
    ------
    InputError
        If the file cannot be opened.
    BrokenStreamError
        Where it cannot be read on.
    """
    try:
        raw = Counted(path, task)
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        try:
            stream = _decompressed(path, raw)
            while chunk := stream.read1(CHUNK) if hasattr(stream, "read1") else stream.read(65536):
                yield chunk
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenStreamError(str(error) or type(error).__name__) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"read_articles: {path} must be readable, got {error.strerror or error}. "
        "Check its permissions."
    )


def compression_of(path: Path) -> str:
    """Tell "gzip", "zstd" or "": by the name, for standard input by the first bytes."""
    if path.suffix == STDIN_SUFFIX:
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(b"\x1f\x8b"):
            return "gzip"
        return "zstd" if start == b"\x28\xb5\x2f\xfd" else ""
    return _COMPRESSED.get(path.suffix.lower(), "")


def _decompressed(path: Path, raw: RawIOBase) -> Any:
    kind = compression_of(path)
    if kind == "gzip":
        return gzip.GzipFile(fileobj=cast(BinaryIO, raw), mode="rb")
    if kind == "zstd":
        import pyarrow

        return pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd")
    return raw


def spool_stdin(stream: BinaryIO | None = None) -> Path:
    """Copy standard input to a temporary file, so that it can be digested and then read.

    `read_articles` calls such a file "-" and sniffs its format. The caller deletes it.

    Parameters
    ----------
    stream
        A binary stream; None is standard input.

    Returns
    -------
    Path
        A new file in the temporary directory.

    Examples
    --------
    >>> import io
    >>> path = spool_stdin(io.BytesIO(b'{"title": "Rain in Nantes"}'))
    >>> path.read_bytes()
    b'{"title": "Rain in Nantes"}'
    >>> path.unlink()
    """
    source = sys.stdin.buffer if stream is None else stream
    with tempfile.NamedTemporaryFile(
        prefix="newsnest-", suffix=STDIN_SUFFIX, delete=False
    ) as spool:
        while chunk := source.read(CHUNK):
            spool.write(chunk)
    return Path(spool.name)


def digest(paths: Sequence[str | Path]) -> str:
    """Recognise the same input again: a hex digest of what the paths hold.

    The contents count, and inside a directory the relative names; where a file lies and when it
    was written do not. Compressed files count as they are.

    Parameters
    ----------
    paths
        Files and directories; spool standard input with `spool_stdin` first.

    Returns
    -------
    str
        40 hexadecimal digits.

    Raises
    ------
    InputError
        If a path does not exist or cannot be read.
    """
    whole = hashlib.blake2b(digest_size=20)
    for given in paths:
        path = Path(given)
        if path.is_dir():
            whole.update(b"directory\0")
            for file in _walk(path):
                name = file.relative_to(path).as_posix().encode("utf-8", "surrogateescape")
                whole.update(len(name).to_bytes(8, "big") + name + _digest_file(file))
        else:
            _check_file(path, "digest")
            whole.update(b"file\0" + _digest_file(path))
    return whole.hexdigest()


def _digest_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        raise _unreadable(path, error) from error
