"""A nest in one SQLite file. All SQL of newsnest is in here."""

from newsnest.nest.sqlite.batches import Batches, KeptVectors
from newsnest.nest.sqlite.check import Checks
from newsnest.nest.sqlite.overview import Overview

__all__ = ["SqliteStore"]


class SqliteStore(Batches, Checks, KeptVectors, Overview):
    """A `Store` in a file, with a write-ahead log and numbered migrations; see `Database`."""
