"""The vector cache in SQLite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsnest.nest.sqlite.database import Database
from newsnest.types import Vectors

_LOOKUP = 500  # SQLite's default limit on parameters was 999 for a long time
_ENCODER = "SELECT id FROM encoders WHERE fingerprint = ?"


class KeptVectors(Database):
    """The part of a store that holds vectors, by encoder fingerprint and text hash."""

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Return the vectors of an encoder, float32 (d,), by text hash, as far as they are kept."""
        found: dict[bytes, Vectors] = {}
        encoder = self._first(_ENCODER, (fingerprint,))
        if encoder is None:
            return found
        for start in range(0, len(hashes), _LOOKUP):
            part = list(hashes[start : start + _LOOKUP])
            marks = ",".join("?" * len(part))
            rows = self.connection.execute(
                f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({marks})",
                (encoder, *part),
            )
            found.update((text, np.frombuffer(vector, dtype="<f4")) for text, vector in rows)
        return found

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, float32 (len(hashes), d), in one transaction."""
        with self.transaction() as sql:
            sql.execute(
                "INSERT INTO encoders (fingerprint) VALUES (?) ON CONFLICT DO NOTHING",
                (fingerprint,),
            )
            encoder = self._first(_ENCODER, (fingerprint,))
            sql.executemany(
                "INSERT INTO vectors VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (encoder, text, row.tobytes())
                    for text, row in zip(hashes, vectors.astype("<f4"), strict=True)
                ),
            )
