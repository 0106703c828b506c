"""Kept: the nest, with articles, vectors, clusters, names and history.

`Nest` reads one, `Store` is what a backend must do; SQLite is the one there is.
"""

from newsnest.nest.checked import Checked, Fault
from newsnest.nest.export import export
from newsnest.nest.nest import Nest
from newsnest.nest.records import (
    Batch,
    Cluster,
    Headline,
    KeptTree,
    Member,
    Result,
    Run,
    Totals,
)  # fmt: skip
from newsnest.nest.store import Store, open_store
from newsnest.types import plural

__all__ = [
    "Batch", "Checked", "Cluster", "Fault", "Headline", "KeptTree", "Member", "Nest", "Result",
    "Run", "Store", "Totals", "export", "open_store", "plural",
]  # fmt: skip
