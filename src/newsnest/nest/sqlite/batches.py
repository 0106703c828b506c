"""What runs are made of, in SQLite: batches of articles, and the vectors of their texts."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from newsnest.errors import NestError
from newsnest.nest.records import Batch
from newsnest.nest.sqlite import codec
from newsnest.nest.sqlite.database import Database
from newsnest.types import Article, Rejected, Update, Vectors

_CHUNK = 10_000
_ENCODER = "SELECT id FROM encoders WHERE fingerprint = ?"
_ADD_ARTICLE = (
    f"INSERT INTO articles ({codec.ARTICLE_COLUMNS}, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id, content) DO NOTHING"
)
_ADD_TO_BATCH = (
    "INSERT INTO batch_articles SELECT ?, id, key FROM articles WHERE id = ? AND content = ?"
)
_REPLACE_IN_BATCH = (
    f"{_ADD_TO_BATCH} ON CONFLICT (batch, id) DO UPDATE SET article = excluded.article"
)


class Batches(Database):
    """The part of a store that holds articles."""

    def find_batch(self, digest: str, options: Mapping[str, Any]) -> int | None:
        ask = "SELECT id FROM batches WHERE digest = ? AND options = ?"
        number: int | None = self._first(ask, (digest, codec.to_json(options)))
        return number

    def add_batch(
        self,
        digest: str,
        options: Mapping[str, Any],
        items: Iterable[Article | Rejected | tuple[str, str]],
        *,
        inputs: Sequence[str] = (),
    ) -> int:
        with self.transaction() as sql:
            # Asked under the lock: another program may have read the same input. All of it is one
            # transaction, or by its digest a batch that a kill cut short would pass for the whole.
            known = self.find_batch(digest, options)
            if known is not None:
                return known
            batch = int(
                sql.execute(
                    "INSERT INTO batches (digest, options, inputs) VALUES (?, ?, ?) RETURNING id",
                    (digest, codec.to_json(options), codec.to_list(inputs)),
                ).fetchone()[0]
            )
            stream = iter(items)
            while chunk := list(islice(stream, _CHUNK)):
                _add_articles(sql, batch, [item for item in chunk if isinstance(item, Article)])
                sql.executemany(
                    "INSERT INTO rejected VALUES (?, ?, ?, ?, ?)",
                    (
                        (batch, codec.to_name(item.file), item.line, item.reason, item.content)
                        for item in chunk
                        if isinstance(item, Rejected)
                    ),
                )
                sql.executemany(
                    "INSERT INTO notices VALUES (?, ?, ?)",
                    (
                        (batch, *map(codec.to_name, item))
                        for item in chunk
                        if isinstance(item, tuple)
                    ),
                )
        return batch

    def batches(self) -> list[Batch]:
        rows = self.connection.execute(f"SELECT {codec.BATCH_COLUMNS} FROM batches ORDER BY id")
        return [codec.to_batch(row) for row in rows]

    def articles(self, batch: int) -> list[Article]:
        rows = self.connection.execute(
            f"SELECT {codec.WHOLE_ARTICLE} FROM batch_articles b "
            "JOIN articles a ON a.key = b.article WHERE b.batch = ? ORDER BY b.id",
            (batch,),
        )
        return [codec.to_article(row) for row in rows]

    def rejected(self, batch: int, *, limit: int | None = None) -> list[Rejected]:
        rows = self.connection.execute(
            "SELECT file, line, reason, content FROM rejected WHERE batch = ? ORDER BY rowid "
            "LIMIT ?",
            (batch, -1 if limit is None else limit),
        )
        return [Rejected(*row) for row in rows]

    def count_rejected(self, batch: int) -> int:
        return int(self._first("SELECT count(*) FROM rejected WHERE batch = ?", (batch,)))

    def count_languages(self, batch: int) -> dict[str, int]:
        rows = self.connection.execute(
            "SELECT coalesce(a.lang, ''), count(*) FROM batch_articles b "
            "JOIN articles a ON a.key = b.article WHERE b.batch = ? GROUP BY 1",
            (batch,),
        )
        return {str(lang): int(count) for lang, count in rows}

    def notices(self, batch: int) -> list[tuple[str, str]]:
        rows = self.connection.execute(
            "SELECT file, message FROM notices WHERE batch = ? ORDER BY rowid", (batch,)
        )
        return [(str(file), str(message)) for file, message in rows]


def _add_articles(sql: sqlite3.Connection, batch: int, articles: Sequence[Article]) -> None:
    """Keep the versions that are new, and list all of them in the batch."""
    rows = [
        (*values, codec.content_of(*values[1:])) for values in map(codec.from_article, articles)
    ]
    sql.executemany(_ADD_ARTICLE, rows)
    try:
        for row, article in zip(rows, articles, strict=True):
            put = _REPLACE_IN_BATCH if isinstance(article, Update) else _ADD_TO_BATCH
            sql.execute(put, (batch, row[0], row[-1]))
    except sqlite3.IntegrityError as error:
        raise NestError(
            "add_batch: articles must have different ids, got one twice in a batch "
            f"({error}). Give each its own."
        ) from error


class KeptVectors(Database):
    """The part of a store that holds vectors, by encoder fingerprint and text hash."""

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> dict[bytes, Vectors]:
        encoder = self._first(_ENCODER, (fingerprint,))
        ask = "SELECT text, vector, digest FROM vectors WHERE encoder = ? AND text"
        rows = self._among(ask, (encoder,), hashes)
        return {row[0]: codec.to_vector(*row) for row in rows}

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        with self.transaction() as sql:
            sql.execute(
                "INSERT INTO encoders (fingerprint) VALUES (?) ON CONFLICT DO NOTHING",
                (fingerprint,),
            )
            encoder = self._first(_ENCODER, (fingerprint,))
            rows = (row.tobytes() for row in vectors.astype("<f4"))
            sql.executemany(
                # Another program may have encoded the same text meanwhile: the first vector stays.
                "INSERT INTO vectors VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (encoder, text, vector, codec.vector_digest(text, vector))
                    for text, vector in zip(hashes, rows, strict=True)
                ),
            )
