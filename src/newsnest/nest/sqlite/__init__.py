"""A nest in one SQLite file. All SQL of newsnest is in here."""

from newsnest.nest.sqlite.batches import Batches, KeptVectors
from newsnest.nest.sqlite.overview import Overview
from newsnest.nest.sqlite.runs import Runs

__all__ = ["SqliteStore"]


class SqliteStore(Batches, Runs, KeptVectors, Overview):
    """A `Store` in a file, with a write-ahead log and numbered migrations; see `Database`."""
