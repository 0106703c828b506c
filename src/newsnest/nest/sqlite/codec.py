"""How records become rows of a nest, and rows records."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from newsnest.nest.records import Batch, Cluster, KeptTree, Run
from newsnest.types import Article, Sentence, Vectors

ARTICLE_COLUMNS = "id, title, text, lang, date, source, url"
WHOLE_ARTICLE = ", ".join(f"a.{name}" for name in (*ARTICLE_COLUMNS.split(", "), "content"))
CLUSTER_COLUMNS = (
    "c.id, c.level, c.label, c.parent, c.articles, c.independent, c.name, c.keywords, c.summary, "
    "(SELECT id FROM articles WHERE key = c.representative), c.first, c.last, c.x, c.y, "
    "c.section, c.section_id, c.section_score, c.digest"
)

BATCH_COLUMNS = "id, digest, options, inputs"
RUN_COLUMNS = "id, batch, created, options, versions, facts, inputs, stopped, finished"


class Damaged(sqlite3.DatabaseError):
    """What is in the file cannot be what was written."""


@contextmanager
def as_written(what: str) -> Iterator[None]:
    """Raise `Damaged` where what is read in this block makes no sense."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError,
            ValueError) as error:  # fmt: skip
        raise Damaged(f"{what} is not what was written") from error


def to_json(value: Mapping[str, Any]) -> str:
    """Write a mapping as JSON, the same text for equal mappings."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def to_list(names: Sequence[str]) -> str:
    """Write names of files as a JSON list."""
    return json.dumps([to_name(name) for name in names], ensure_ascii=False)


def to_name(file: str) -> str:
    """Return the name of a file as text that can be kept: names need not be UTF-8."""
    return file.encode("utf-8", "replace").decode()


def to_seconds(date: datetime | None) -> float | None:
    """Return seconds since 1970, UTC."""
    return None if date is None else date.timestamp()


def to_date(seconds: float | None) -> datetime | None:
    """Return the moment, UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def from_article(article: Article) -> tuple[str | float | None, ...]:
    """Return the values of ARTICLE_COLUMNS."""
    return (
        article.id,
        article.title,
        article.text,
        article.lang,
        to_seconds(article.date),
        article.source,
        article.url,
    )


def to_article(row: Sequence[Any]) -> Article:
    """Make an article of ARTICLE_COLUMNS and `content`."""
    name, title, text, lang, date, source, url = row[:-1]
    if not is_whole(row):
        raise Damaged(f"the article {name!r} is not what was written")
    return Article(name, title, text, lang, to_date(date), source, url)


def is_whole(row: Sequence[Any]) -> bool:
    """Tell whether an article, ARTICLE_COLUMNS and `content`, is what was written."""
    try:
        return content_of(*row[1:-1]) == row[-1] and isinstance(row[0], str)
    except TypeError:  # bytes where text was
        return False


def vector_digest(text: bytes, vector: bytes) -> bytes:
    """Return the digest of a vector and the hash of the text it is of."""
    return hashlib.blake2b(text + vector, digest_size=8).digest()


def to_vector(text: bytes, vector: bytes, digest: bytes | None) -> Vectors:
    """Make a vector of its columns; `digest` is None of vectors from before there were any."""
    try:
        if digest is None or digest == vector_digest(text, vector):
            return np.frombuffer(vector, "<f4")
    except (TypeError, ValueError):  # neither bytes, nor a number of them that four divides
        pass
    name = text.hex() if isinstance(text, bytes) else repr(text)
    raise Damaged(f"the vector of text {name} is not what was written")


def content_of(*values: str | float | None) -> bytes:
    """Return the digest of an article's columns but its id: equal digests mean the same version.

    Migrations call it too, so what it returns never changes.
    """
    # In ASCII with escapes, so that half a surrogate pair cannot fail here.
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).digest()


def to_batch(row: Sequence[Any]) -> Batch:
    """Make a batch of BATCH_COLUMNS."""
    number, digest, options, inputs = row
    with as_written(f"batch {number}"):
        return Batch(number, digest, json.loads(options), tuple(json.loads(inputs)))


def from_cluster(
    cluster: Cluster, run: int, depth: int, first: int, representative: int
) -> tuple[Any, ...]:
    """Return the values of a row of clusters; ids are counted from `first`."""
    known = (cluster.level, cluster.label)
    parent = None if cluster.parent is None else first + cluster.parent
    said = (
        cluster.articles,
        cluster.independent,
        cluster.name,
        json.dumps(cluster.keywords, ensure_ascii=False),
        json.dumps([[s.text, s.article] for s in cluster.summary], ensure_ascii=False),
    )
    rest = (
        to_seconds(cluster.first),
        to_seconds(cluster.last),
        cluster.x,
        cluster.y,
        cluster.section,
        cluster.section_id,
        cluster.section_score,
    )
    digest = content_of(*known, *said, *rest)
    return (first + cluster.id, run, depth, *known, parent, *said, representative, *rest, digest)


def to_cluster(row: Sequence[Any]) -> Cluster:
    """Make a cluster of CLUSTER_COLUMNS, which are in the order of its fields."""
    as_they_are, rest, digest = row[:7], row[12:-1], row[-1]
    keywords, summary, representative, first, last = row[7:12]
    with as_written(f"cluster {row[0]}"):
        said = (*as_they_are[1:3], *as_they_are[4:], keywords, summary, first, last, *rest)
        if digest is not None and digest != content_of(*said):
            raise ValueError("another digest")
        words = tuple(json.loads(keywords))
        sentences = tuple(Sentence(text, article) for text, article in json.loads(summary))
        dates = to_date(first), to_date(last)
    fields: tuple[Any, ...] = (*as_they_are, words, sentences, representative, *dates, *rest)
    return Cluster(*fields)


def run_digest(texts: Sequence[str], means: bytes, rotation: bytes) -> bytes:
    """Return the digest of a finished run: options, versions and facts, and its frame."""
    return content_of(*texts, means.hex(), rotation.hex())


TREE_COLUMNS = "pairs, similarity, log_odds, likeness, sections, texts, exact"


def from_tree(tree: KeptTree) -> tuple[Any, ...]:
    """Return a digest and the values of TREE_COLUMNS."""
    numbers = (tree.similarity, tree.log_odds, tree.likeness, tree.sections)
    parts = [tree.pairs.astype("<i4").tobytes(), *(n.astype("<f4").tobytes() for n in numbers)]
    texts = len(tree.sections)
    digest = hashlib.blake2b(json.dumps([texts, tree.exact]).encode(), digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.digest(), *parts, texts, tree.exact


def to_tree(row: Sequence[Any]) -> KeptTree:
    """Make a tree of its digest and TREE_COLUMNS."""
    digest, pairs, *values, texts, exact = row
    with as_written("the tree of a run"):
        similarity, log_odds, likeness, sections = (np.frombuffer(part, "<f4") for part in values)
        named = np.frombuffer(pairs, "<i4").reshape(-1, 2)
        probable = sections.reshape(texts, -1)
        tree = KeptTree(named, similarity, log_odds, likeness, probable, bool(exact))
        if from_tree(tree)[0] != digest:
            raise ValueError("another digest")
    return tree


def to_run(row: Sequence[Any]) -> Run:
    """Make a run of RUN_COLUMNS."""
    number, batch, created, options, versions, facts, inputs, stopped, finished = row
    with as_written(f"run {number}"):
        return Run(
            id=number,
            batch=batch,
            created=datetime.fromtimestamp(created, UTC),
            options=json.loads(options),
            versions=json.loads(versions),
            facts=json.loads(facts),
            finished=bool(finished),
            inputs=tuple(json.loads(inputs)),
            stopped=stopped,
        )
