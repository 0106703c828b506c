"""Where bytes come from: files, directories, compressed streams, standard input."""

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

from newsnest.errors import InputError
from newsnest.progress import Task

CHUNK = 1 << 20
"""Bytes read at a time."""

STDIN_SUFFIX = ".stdin"
"""Marks a file that `spool_stdin` wrote: named "-" to the reader, its format sniffed."""

COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
"""Suffix → how a file is packed."""


class BrokenStreamError(Exception):
    """A compressed stream that cannot be read on; what came before it was handed out."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One file to read: where it lies and what it is called in every message.

    `format` is the name of a `Reader`, or "" to go by how it begins; `folder` the directory it was
    found in, "" if the file was named itself.
    """

    path: Path
    name: str
    format: str
    folder: str = ""


def name_of(path: str | Path) -> str:
    """Return what an input is called in every message: "-" for standard input."""
    return "-" if Path(path).suffix == STDIN_SUFFIX else str(path)


def walk(folder: Path) -> Iterator[Path]:
    """Every regular file below a directory, sorted; links to directories are not followed."""
    for parent, folders, names in os.walk(folder):
        # In place, for os.walk goes on with this very list.
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file():
                yield path


def check_file(path: Path, who: str) -> None:
    """Raise InputError unless a path is a regular file."""
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

    A file that cannot be opened raises InputError; where it cannot be read on, BrokenStreamError.
    """
    try:
        raw = Counted(path, task)
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        try:
            stream = _decompressed(path, raw)
            # read1 hands out what it has before a stream breaks off; read raises, and loses it.
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
    return COMPRESSED.get(path.suffix.lower(), "")


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
            for file in walk(path):
                # With its length, so that the end of a name cannot pass for content.
                name = file.relative_to(path).as_posix().encode("utf-8", "surrogateescape")
                whole.update(len(name).to_bytes(8, "big") + name + _digest_file(file))
        else:
            check_file(path, "digest")
            whole.update(b"file\0" + _digest_file(path))
    return whole.hexdigest()


def _digest_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        raise _unreadable(path, error) from error
