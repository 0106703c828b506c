"""The tables of a nest, and how an older file is brought up to date.

A nest is one SQLite file: `application_id` says that it is one, `user_version` counts the
migrations it has seen. A migration is never edited once released; a change is a new one.
"""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from newsnest.errors import NestError
from newsnest.nest.sqlite.codec import content_of

APPLICATION_ID = 0x4E455354  # "NEST"
IN_MEMORY = ":memory:"
"""The address of a nest without a file."""
_PATIENCE = 30  # seconds to wait for another program
_CACHE = 65_536  # KiB: room for the index over a million hashes, which is met in random order

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

MIGRATIONS: tuple[str, ...] = (_FIRST, _RUNS_TELL, _ARTICLES_OF_THE_NEST, _SECTIONS, _TREES)

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


def as_nest_error(path: Path, error: BaseException | None) -> NestError | None:
    """Return what SQLite says about the file in our words; None for errors of another kind."""
    if not isinstance(error, sqlite3.Error):
        return None
    cure = _CURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # the rest is detail
    return None if cure is None else NestError(f"{path}: {error}. {cure}")


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open a nest, bring its tables up to date, and return the connection.

    Raises NestError, and leaves the file untouched, if there is no such file and `create` is False,
    if it is not a nest, or if it was written by a newer newsnest.
    """
    try:
        if str(path) != IN_MEMORY:
            _check_path(path, create=create)
    except OSError as error:
        raise NestError(
            f"{path}: cannot be opened ({error.strerror}). Check the path and its permissions."
        ) from error
    connection = None
    try:
        # isolation_level=None: no BEGIN of Python's own, which would come between ours.
        connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
        _check_identity(connection, path, create=create)
        _use_log(connection)
        # With the log this is safe from damage: a power cut may lose the last commits, a killed
        # program nothing. A sync for every chunk of vectors is saved.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = {-_CACHE}")
        _migrate(connection, path)
        # Only now: a migration may drop a table that others refer to, and put another in its place.
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException as error:
        if connection is not None:
            connection.close()
        ours = as_nest_error(path, error)
        if ours is None:
            raise
        raise ours from error
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


def _check_path(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise NestError(f"{path} is a directory. Give the nest a file name, such as news.nest")
    if not path.exists():
        if not create:
            raise NestError(f"{path}: no such nest. Make one: newsnest cluster FILE -o {path}")
        if not path.parent.is_dir():
            raise NestError(f"{path.parent}: no such directory. Create it first.")
        return
    if not path.is_file():
        raise NestError(f"{path} is not a regular file. Choose another name.")
    with path.open("rb") as file:
        head = file.read(16)
    if head and head != b"SQLite format 3\x00":
        cure = "Choose another name."
        if not create:
            cure = f"Make one of it: newsnest cluster {path} -o {path.with_suffix('.nest').name}"
        raise NestError(f"{path} is not a nest, and is left as it is. {cure}")


def _check_identity(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    """Accept our own files and, to be filled, empty ones: a creation that was cut short."""
    connection.execute("BEGIN")  # one moment: another program may be filling the file right now
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    empty = not (identity or version or tables)
    if empty and not create:
        raise NestError(f"{path} is empty. Fill it: newsnest cluster FILE -o {path}")
    if not empty and identity != APPLICATION_ID:
        raise NestError(f"{path} is not a nest, and is left as it is. Choose another name.")
    if version > len(MIGRATIONS):
        raise NestError(
            f"{path} was written by a newer newsnest (tables {version}, this one knows "
            f"{len(MIGRATIONS)}). Run: pip install -U newsnest"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date; after a kill all of it is there or nothing."""
    if _version(connection) == len(MIGRATIONS):
        return
    connection.create_function("content_of", 6, content_of, deterministic=True)
    # No ROLLBACK below: `connect` closes the connection after an error, and that undoes all.
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another program may have been faster.
        for migration in MIGRATIONS[_version(connection) :]:
            for statement in _statements(migration):
                connection.execute(statement)
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


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements; `executescript` would commit between them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
