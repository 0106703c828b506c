"""The tables of a nest, and how an older file is brought up to date.

A nest is one SQLite file: `application_id` says that it is one, `user_version` counts the
migrations it has seen. A migration is never edited once released; a change is a new one.
"""

import functools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from newsnest.errors import NestError
from newsnest.nest.sqlite.codec import content_of

APPLICATION_ID = 0x4E455354  # "NEST"

# Tables of small rows that are found by their key are WITHOUT ROWID: the key's tree is the table,
# and nothing is stored twice. Rows as large as vectors would make such a tree slow to search.
_FIRST = """
CREATE TABLE corpora (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,               -- of the input's bytes
    options TEXT NOT NULL,              -- JSON: how it was read
    UNIQUE (digest, options)
);
CREATE TABLE articles (
    key INTEGER PRIMARY KEY,
    corpus INTEGER NOT NULL REFERENCES corpora (id),
    id TEXT NOT NULL,                   -- the canonical order
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    lang TEXT NOT NULL,
    date REAL,                          -- seconds since 1970, UTC
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    UNIQUE (corpus, id)
);
CREATE TABLE rejected (
    corpus INTEGER NOT NULL REFERENCES corpora (id),
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE TABLE notices (
    corpus INTEGER NOT NULL REFERENCES corpora (id),
    file TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE TABLE encoders (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE
);
CREATE TABLE vectors (
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    text BLOB NOT NULL,                 -- hash of the encoded text
    vector BLOB NOT NULL,               -- float32, little-endian
    UNIQUE (encoder, text)
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- digest of corpus, options and versions
    corpus INTEGER NOT NULL REFERENCES corpora (id),
    created REAL NOT NULL,
    options TEXT NOT NULL,
    versions TEXT NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}',
    means BLOB,                         -- float32: the frame of the vectors
    rotation BLOB,
    finished INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE clusters (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id),
    depth INTEGER NOT NULL,             -- 0 is the coarsest level
    level TEXT NOT NULL,
    label INTEGER NOT NULL,
    parent INTEGER REFERENCES clusters (id),
    articles INTEGER NOT NULL,
    independent INTEGER NOT NULL,
    name TEXT NOT NULL,
    keywords TEXT NOT NULL,             -- JSON list
    summary TEXT NOT NULL,              -- JSON list of [sentence, article id]
    representative INTEGER NOT NULL REFERENCES articles (key),
    first REAL,
    last REAL,
    x REAL,
    y REAL,
    UNIQUE (run, depth, label)
);
CREATE INDEX clusters_by_parent ON clusters (parent);
CREATE TABLE memberships (
    run INTEGER NOT NULL REFERENCES runs (id),
    article INTEGER NOT NULL REFERENCES articles (key),
    cluster INTEGER NOT NULL REFERENCES clusters (id),   -- of the finest level
    copy_of INTEGER REFERENCES articles (key),
    PRIMARY KEY (run, article)
) WITHOUT ROWID;
CREATE INDEX memberships_by_cluster ON memberships (cluster);
CREATE TABLE merges (
    run INTEGER NOT NULL REFERENCES runs (id),
    depth INTEGER NOT NULL,
    step INTEGER NOT NULL,
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    distance REAL NOT NULL,             -- 1 - similarity
    weight REAL NOT NULL,
    PRIMARY KEY (run, depth, step)
) WITHOUT ROWID;
"""

_RUNS_TELL = """
ALTER TABLE runs ADD COLUMN inputs TEXT NOT NULL DEFAULT '[]';   -- JSON list of paths as given
ALTER TABLE runs ADD COLUMN stopped TEXT NOT NULL DEFAULT '';    -- why it is not finished
"""

# An article had been a row per corpus, so that one new article copied all. Now each version of an
# article is one row of the nest, and a batch lists the versions it holds.
# `WHERE true` keeps SQLite from reading ON CONFLICT as a join's ON. Rows go in by key, so that of
# equal versions the oldest keeps its key, and nothing that refers to it has to change.
_ARTICLES_OF_THE_NEST = """
ALTER TABLE corpora RENAME TO batches;
ALTER TABLE batches ADD COLUMN inputs TEXT NOT NULL DEFAULT '[]';   -- JSON list of paths as given
ALTER TABLE rejected RENAME COLUMN corpus TO batch;
ALTER TABLE notices RENAME COLUMN corpus TO batch;
ALTER TABLE runs RENAME COLUMN corpus TO batch;
CREATE INDEX rejected_by_batch ON rejected (batch);
CREATE INDEX notices_by_batch ON notices (batch);
UPDATE batches SET inputs = coalesce(
    (SELECT inputs FROM runs WHERE batch = batches.id ORDER BY runs.id LIMIT 1), '[]');
CREATE TABLE versions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,                   -- the canonical order
    content BLOB NOT NULL,              -- digest of all that follows
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    lang TEXT NOT NULL,
    date REAL,                          -- seconds since 1970, UTC
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    UNIQUE (id, content)
);
INSERT INTO versions
SELECT key, id, content_of(title, text, lang, date, source, url),
    title, text, lang, date, source, url
FROM articles WHERE true ORDER BY key ON CONFLICT (id, content) DO NOTHING;
CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER NOT NULL);
INSERT INTO moved
SELECT a.key, v.key FROM articles a JOIN versions v
ON v.id = a.id AND v.content = content_of(a.title, a.text, a.lang, a.date, a.source, a.url);
CREATE TABLE batch_articles (
    batch INTEGER NOT NULL REFERENCES batches (id),
    id TEXT NOT NULL,                   -- as in articles: a batch holds one version of an article
    article INTEGER NOT NULL REFERENCES versions (key),
    PRIMARY KEY (batch, id)
) WITHOUT ROWID;
INSERT INTO batch_articles
SELECT a.corpus, a.id, m.new FROM articles a JOIN moved m ON m.old = a.key ORDER BY 1, 2;
DELETE FROM moved WHERE new = old;
UPDATE clusters SET representative = (SELECT new FROM moved WHERE old = representative)
WHERE representative IN (SELECT old FROM moved);
UPDATE memberships SET article = (SELECT new FROM moved WHERE old = article)
WHERE article IN (SELECT old FROM moved);
UPDATE memberships SET copy_of = (SELECT new FROM moved WHERE old = copy_of)
WHERE copy_of IN (SELECT old FROM moved);
DROP TABLE moved;
DROP TABLE articles;
ALTER TABLE versions RENAME TO articles;
"""

_SECTIONS = """
ALTER TABLE clusters ADD COLUMN section TEXT NOT NULL DEFAULT '';      -- of themes and topics
ALTER TABLE clusters ADD COLUMN section_id TEXT NOT NULL DEFAULT '';   -- as IPTC has it: medtop:…
ALTER TABLE clusters ADD COLUMN section_score REAL;                    -- its share, in [0, 1]
"""

# Runs that differ in grain alone share a tree.
_TREES = """
CREATE TABLE trees (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,        -- of all that follows
    pairs BLOB NOT NULL,                -- int32, little-endian, two numbers a merge
    similarity BLOB NOT NULL,           -- float32, little-endian, a number a merge; so the others
    log_odds BLOB NOT NULL,
    likeness BLOB NOT NULL,
    sections BLOB NOT NULL,             -- float32: rows of texts, in the order of their ids
    texts INTEGER NOT NULL,
    exact INTEGER NOT NULL
);
ALTER TABLE runs ADD COLUMN tree INTEGER REFERENCES trees (id);   -- that stories were cut from
"""

# An article has its digest as `content`. What is older than digests has none: one made now would
# call whole what was damaged long ago.
_DIGESTS = """
ALTER TABLE vectors ADD COLUMN digest BLOB;    -- of text and vector
ALTER TABLE clusters ADD COLUMN digest BLOB;   -- of what is said of it, without its place
ALTER TABLE runs ADD COLUMN digest BLOB;       -- of options, versions, facts, means and rotation
"""

MIGRATIONS: tuple[str, ...] = (
    _FIRST,
    _RUNS_TELL,
    _ARTICLES_OF_THE_NEST,
    _SECTIONS,
    _TREES,
    _DIGESTS,
)


def columns_of(version: int) -> Mapping[str, frozenset[str]]:
    """Return the columns that every table has after so many migrations, by its name."""
    return _columns_after(MIGRATIONS[:version])


@functools.lru_cache(maxsize=8)
def _columns_after(migrations: Sequence[str]) -> Mapping[str, frozenset[str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _apply(connection, migrations)
        return columns(connection)


def columns(connection: sqlite3.Connection) -> Mapping[str, frozenset[str]]:
    """Return the columns of every table there is, by its name."""
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table'"
    ):
        found.setdefault(table, set()).add(column)
    return {table: frozenset(names) for table, names in found.items()}


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many migrations a file has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date; after a kill all of it is there or nothing."""
    if version_of(connection) == len(MIGRATIONS):
        return
    # No ROLLBACK below: `connect` closes the connection after an error, and that undoes all.
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Asked again under the lock: another program may have been faster.
        _apply(connection, MIGRATIONS[version_of(connection) :])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        raise NestError(
            f"{path} was written by an older newsnest and cannot be written now. Open it once "
            f"where it can be, so that its tables are brought up to date: newsnest show {path}"
        ) from error
    # Both numbers are in the file's header, and so in the same transaction as the tables.
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    connection.create_function("content_of", 6, content_of, deterministic=True)
    for migration in migrations:
        for statement in _statements(migration):
            connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements; `executescript` would commit between them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
