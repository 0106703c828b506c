"""Where bytes come from: files, directories, compressed streams, standard input."""

import gzip
import hashlib
import re
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from newsnest.drafts import discard, is_temporary, temporary
from newsnest.errors import InputError
from newsnest.printable import printable
from newsnest.progress import Task

CHUNK = 1 << 20
"""Bytes read at a time."""

STDIN_SUFFIX = ".stdin"
"""Marks a file that `spool_stdin` wrote: named "-" to the reader, its format sniffed."""

COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
"""Suffix → how a file is packed."""


_ADDRESS = re.compile(r"(feed:/*)?(https?|ftp|feed):/+(.+)", re.IGNORECASE)


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
    return "-" if is_stdin(Path(path)) else printable(str(path))


def is_stdin(path: Path) -> bool:
    """Tell whether a file is standard input, written by `spool_stdin`."""
    return is_temporary(path, STDIN_SUFFIX)


def refuse_address(given: str | Path, who: str) -> None:
    """Raise InputError if a path is an address on a network."""
    match = _ADDRESS.match(str(given))
    if match is None:
        return
    feed, scheme, rest = match.groups()
    # Path makes one slash of two.
    address, fetched = f"{feed or ''}{scheme}://{rest}", f"{scheme}://{rest}"
    if scheme.lower() == "feed":
        fetched = f"https://{rest}"
    raise InputError(
        f"{who}: {printable(address)} must be a file, got an address: newsnest never fetches. Save "
        f"it first (curl -L -o feed.xml '{printable(fetched)}'), then name the file."
    )


def check_file(given: str | Path, who: str) -> None:
    """Raise InputError unless a path is a regular file."""
    refuse_address(given, who)
    path = Path(given)
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
    """Tell "gzip", "zstd" or "": by the first bytes, where these say nothing by the name."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise _unreadable(path, error) from error
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start == b"\x28\xb5\x2f\xfd":
        return "zstd"
    return "" if is_stdin(path) else COMPRESSED.get(path.suffix.lower(), "")


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

    `read_articles` calls such a file "-" and sniffs its format. The caller deletes it; after a kill
    the next call does.

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
    source = stream or getattr(sys.stdin, "buffer", None)
    if source is None:
        raise InputError("spool_stdin: standard input must be open, got none. Pipe a file into it.")
    return spool(_read(source), STDIN_SUFFIX, "-")


def _read(source: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            chunk = source.read(CHUNK)
        except OSError as error:
            raise InputError(
                f"spool_stdin: standard input must be readable, got {error.strerror or error}. "
                "Pipe a file into it."
            ) from error
        if not chunk:
            return
        yield chunk


def spool(chunks: Iterable[bytes], suffix: str, name: str) -> Path:
    """Write chunks to a new temporary file, which the caller discards; `name` is for messages.

    Where it cannot be written whole, nothing stays.
    """
    copy: Path | None = None
    try:
        copy = temporary(suffix)
        with copy.open("wb") as file:
            file.writelines(chunks)
    except BaseException as error:
        if copy is not None:
            discard(copy)
        if not isinstance(error, OSError):
            raise
        folder = tempfile.gettempdir()
        raise InputError(
            f"read_articles: {name} must fit into the temporary folder, {folder}, got: "
            f"{error.strerror or error}. Free space there, or set TMPDIR to another folder."
        ) from error
    return copy


def digest_file(path: Path) -> bytes:
    """Return the digest of what a file holds; raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        raise _unreadable(path, error) from error
