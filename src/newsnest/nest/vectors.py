"""The vector cache of a nest: what was encoded once is never encoded again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from newsnest.types import Vectors

_LOOKUP = 500  # SQLite's default limit on parameters was 999 for a long time


class NestVectors:
    """Vectors by encoder fingerprint and text hash, in the tables of a nest.

    Parameters
    ----------
    connection
        Of an open nest, in autocommit mode.
    transaction
        Runs a block as one transaction of that connection.

    Notes
    -----
    `put_many` is one transaction: a killed run keeps every chunk that was put.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._sql = connection
        self._transaction = transaction

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Return the vectors that are kept, float32 of shape (d,), by text hash."""
        found: dict[bytes, Vectors] = {}
        encoder = self._sql.execute(
            "SELECT id FROM encoders WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        if encoder is None:
            return found
        for start in range(0, len(hashes), _LOOKUP):
            part = list(hashes[start : start + _LOOKUP])
            marks = ",".join("?" * len(part))
            rows = self._sql.execute(
                f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({marks})",
                (encoder[0], *part),
            )
            found.update((text, np.frombuffer(vector, dtype="<f4")) for text, vector in rows)
        return found

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, float32 (len(hashes), d); those kept before stay as they are."""
        with self._transaction() as sql:
            sql.execute(
                "INSERT INTO encoders (fingerprint) VALUES (?) ON CONFLICT DO NOTHING",
                (fingerprint,),
            )
            encoder = sql.execute(
                "SELECT id FROM encoders WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()[0]
            sql.executemany(
                "INSERT INTO vectors VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (encoder, text, row.tobytes())
                    for text, row in zip(hashes, vectors.astype("<f4"), strict=True)
                ),
            )
