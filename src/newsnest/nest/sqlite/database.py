"""The file of a nest: transactions, errors, and when a new file is worth keeping."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from newsnest.errors import NewsnestError
from newsnest.nest.sqlite.opening import IN_MEMORY, as_nest_error, connect

_SOUGHT = 500  # at a time: SQLite's default limit on parameters was 999 for a long time


class Database:
    """An open SQLite file with the tables of a nest; each room of the store builds on it."""

    def __init__(self, path: Path, *, create: bool = False, content: bytes | None = None) -> None:
        self.address = str(path)
        self.path = path
        self.connection = connect(path, create=create, content=content)
        self._is_new = create and not self._first("SELECT EXISTS (SELECT 1 FROM batches)")

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Open a nest in memory, of what `to_bytes` returned."""
        return cls(Path(IN_MEMORY), content=content)

    def to_bytes(self) -> bytes:
        with closing(sqlite3.connect(IN_MEMORY)) as copy:
            self.connection.backup(copy)  # with what is still in the write-ahead log
            content = bytearray(copy.serialize())
        content[18:20] = b"\x01\x01"  # no log in memory: a file that says it has one is not opened
        return bytes(content)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._is_new and isinstance(error, NewsnestError):
            self._remove_if_bare()
        self.close()
        ours = as_nest_error(self.path, error)  # a full disk, a damaged file: no traceback
        if ours is not None:
            raise ours from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one transaction: all of it is kept, or nothing.

        Raises NestError if another program is writing, or the file cannot be written.
        """
        try:
            # At once: a transaction that reads first and would write later fails without waiting if
            # another program has written in between.
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite itself rolls back on a full disk
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            ours = as_nest_error(self.path, error)
            if ours is None:
                raise
            raise ours from error

    def _first(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """Return the first value a statement gives, None if it gives no row."""
        row = self.connection.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def _among(
        self, statement: str, values: tuple[Any, ...], sought: Sequence[Any]
    ) -> Iterator[Any]:
        """Yield the rows of a statement that ends in a column, where it is one of those sought."""
        for start in range(0, len(sought), _SOUGHT):
            part = sought[start : start + _SOUGHT]
            marks = ",".join("?" * len(part))
            ask = f"{statement} IN ({marks})"
            # All at once: no statement stays open where the reader stops at a row that is damaged.
            yield from self.connection.execute(ask, (*values, *part)).fetchall()

    def _remove_if_bare(self) -> None:
        """Close the file and remove it if nothing in it took work: no vectors, no rows to look at.

        Rejected rows stay where there is no article: they are why there is none. A file that
        another program has open stays too.
        """
        bare = self._first(
            "SELECT NOT EXISTS (SELECT 1 FROM vectors) AND "
            "(EXISTS (SELECT 1 FROM articles) OR NOT EXISTS (SELECT 1 FROM rejected))"
        )
        alone = bare and self._is_alone()
        self.close()
        if alone:
            self.path.unlink(missing_ok=True)

    def _is_alone(self) -> bool:
        """Whether no other program has the file open: SQLite leaves its log mode only then."""
        # The command is at its end: to wait for the other program would gain nothing.
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            return str(self._first("PRAGMA journal_mode = DELETE")) == "delete"
        except sqlite3.OperationalError:
            return False
