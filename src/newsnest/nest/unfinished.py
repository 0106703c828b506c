"""What a run that did not finish leaves behind, and how to go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from newsnest.errors import NestError
from newsnest.nest.records import Run


def unfinished(path: Path, runs: Sequence[Run]) -> NestError:
    """Return the error that says why the newest of these runs has no result, and what to do."""
    what = f"{path} holds no finished run."
    if runs:
        newest = runs[-1]
        why = f": {newest.stopped.rstrip('.')}" if newest.stopped else ""
        what = f"Run {newest.id} of {path} is not finished{why}."
    return NestError(
        f"{what} Run the same newsnest cluster command again: it goes on where it stopped."
    )


def remove_if_bare(path: Path, connection: sqlite3.Connection) -> None:
    """Close a nest and remove its file if nothing in it took work: no vectors, no rows to look at.

    Rows that were set aside stay where there is no article: they are why there is none. A file that
    another program has open stays too.
    """
    bare = connection.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM vectors) AND "
        "(EXISTS (SELECT 1 FROM articles) OR NOT EXISTS (SELECT 1 FROM rejected))"
    ).fetchone()[0]
    alone = bare and _is_alone(connection)
    connection.close()
    if alone:
        path.unlink(missing_ok=True)


def _is_alone(connection: sqlite3.Connection) -> bool:
    """Whether no other program has the file open: SQLite leaves its log mode only then."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return str(mode) == "delete"
