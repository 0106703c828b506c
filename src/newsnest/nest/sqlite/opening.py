"""Opening the file of a nest: what is not one is left as it is, and a reader need not write."""

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from newsnest.errors import NestError
from newsnest.nest.sqlite import schema
from newsnest.nest.sqlite.codec import Damaged

IN_MEMORY = ":memory:"
"""The address of a nest without a file."""
_PATIENCE = 30  # seconds to wait for another program
_CACHE = 65_536  # KiB: room for the index over a million hashes, which is met in random order

_BUSY = "Another program is writing to this nest: wait for it, then run the command again."
_DENIED = "Check that the file and its directory can be written, and that it stays in place."
_DAMAGED = "The file is damaged: make the nest again from its articles."
_DISK = "Check the disk and the room left on it, then run the command again."
_CURES = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_FULL: _DISK,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
# Errors without a number of their own, by how they begin: a text that is not UTF-8, and a function
# of ours that a migration calls on what is not text.
_ON_DAMAGE = {"Could not decode": "a text is not UTF-8", "user-defined function": "no text"}


def as_nest_error(path: Path, error: BaseException | None) -> NestError | None:
    """Return what SQLite says about the file in our words; None for errors of another kind."""
    if not isinstance(error, sqlite3.Error):
        return None
    what = str(error)
    for beginning, problem in _ON_DAMAGE.items():
        if what.startswith(beginning):
            error = Damaged(problem)
    if isinstance(error, Damaged):
        more = f" See all that is: newsnest check {path}"
        return NestError(f"{path}: {error}. {_DAMAGED}{more}")
    cure = _CURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # the rest is detail
    return None if cure is None else NestError(f"{path}: {error}. {cure}")


def connect(
    path: Path, *, create: bool = False, content: bytes | None = None
) -> sqlite3.Connection:
    """Open a nest, bring its tables up to date, and return the connection.

    `content` is that of a nest in memory. Where its directory cannot be written, a nest is opened
    for reading alone. Raises NestError, and leaves the file untouched, if there is no such file and
    `create` is False, if it is not a nest, or if it was written by a newer newsnest.
    """
    try:
        there = str(path) != IN_MEMORY and _check_path(path, create=create)
    except OSError as error:
        raise NestError(
            f"{path}: cannot be opened ({error.strerror}). Check the path and its permissions."
        ) from error
    connection = None
    try:
        if there:
            _look(path, create=create)
        if there and not os.access(path.resolve().parent, os.W_OK):
            connection = _reader(path)
        else:
            # isolation_level=None: no BEGIN of Python's own, which would come between ours.
            connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
            if content is not None:
                connection.deserialize(content)
            _check_identity(connection, path, create=create)  # again: it may have been filled since
            _use_log(connection)
        # With the log this is safe from damage: a power cut may lose the last commits, a killed
        # program nothing. A sync for every chunk of vectors is saved.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = {-_CACHE}")
        schema.migrate(connection, path)
        # Only now: a migration may drop a table that others refer to, and put another in its place.
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, UnicodeDecodeError):  # SQLite quotes a name of a table that is damaged
            error = Damaged("a text is not UTF-8")
        ours = as_nest_error(path, error)
        if ours is None:
            raise
        raise ours from error
    return connection


def _look(path: Path, *, create: bool) -> None:
    """Check what a file is by a connection that changes nothing in it or beside it."""
    # What only a writer can read, for it must be put right first, is checked by that writer.
    with suppress(sqlite3.OperationalError), closing(_reader(path)) as connection:
        _check_identity(connection, path, create=create)


def _reader(path: Path) -> sqlite3.Connection:
    """Open a file for reading alone.

    Where nothing lies beside it, it is taken to stay as it is: SQLite then needs neither a lock nor
    a file of its own, which a read-only disk could not give.
    """
    file = path.resolve()
    log, index, journal = (Path(f"{file}{end}") for end in ("-wal", "-shm", "-journal"))
    unfinished = any(one.exists() and one.stat().st_size for one in (log, journal))
    alone = not (unfinished or index.exists())
    uri = f"{file.as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
    try:
        schema.version_of(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if not unfinished or os.access(file.parent, os.W_OK):
            raise
        beside = log if log.exists() else journal
        raise NestError(
            f"{path}: what was written last is still in {beside.name} beside it, and cannot be "
            "read where nothing can be written. Copy both to another directory."
        ) from error
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite itself does not wait where two programs do so."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _check_path(path: Path, *, create: bool) -> bool:
    """Tell whether there is a file; raise NestError where there cannot be a nest."""
    if path.is_dir():
        raise NestError(f"{path} is a directory. Give the nest a file name, such as news.nest")
    if not path.exists():
        if not create:
            raise NestError(f"{path}: no such nest. Make one: newsnest cluster FILE -o {path}")
        if not path.parent.is_dir():
            raise NestError(f"{path.parent}: no such directory. Create it first.")
        return False
    if not path.is_file():
        raise NestError(f"{path} is not a regular file. Choose another name.")
    if Path(f"{path.resolve()}-shm").exists():
        # It may be open in this program, whose locks are lost when a file is closed a second time.
        return True
    with path.open("rb") as file:
        head = file.read(16)
    if head and head != b"SQLite format 3\x00":
        cure = "Choose another name."
        if not create:
            cure = f"Make one of it: newsnest cluster {path} -o {path.with_suffix('.nest').name}"
        raise NestError(f"{path} is not a nest, and is left as it is. {cure}")
    return True


def _check_identity(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    """Accept our own files and, to be filled, empty ones: a creation that was cut short."""
    connection.execute("BEGIN")  # one moment: another program may be filling the file right now
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    version = schema.version_of(connection)
    tables = schema.columns(connection)
    connection.execute("COMMIT")
    empty = not (identity or version or tables)
    if empty and not create:
        raise NestError(f"{path} is empty. Fill it: newsnest cluster FILE -o {path}")
    ours = identity == schema.APPLICATION_ID
    if ours and version > len(schema.MIGRATIONS):
        raise NestError(
            f"{path} was written by a newer newsnest (tables {version}, this one knows "
            f"{len(schema.MIGRATIONS)}). Run: pip install -U newsnest"
        )
    expected = schema.columns_of(version)
    if not empty and not (ours and expected.keys() & tables.keys()):
        raise NestError(f"{path} is not a nest, and is left as it is. Choose another name.")
    lacking = [
        f"the column {column} of {table}" if table in tables else f"the table {table}"
        for table, columns in expected.items()
        for column in sorted(columns - tables.get(table, frozenset()))
    ]
    if lacking:
        raise NestError(
            f"{path} is damaged, and is left as it is: it lacks {lacking[0]}. Make the nest again "
            "from its articles."
        )
