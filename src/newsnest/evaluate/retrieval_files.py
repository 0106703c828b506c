"""Read what retrieval is measured on: documents, queries and judgements, or held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.errors import InputError
from newsnest.evaluate.pair_files import as_text, field_names, require_fields, require_split
from newsnest.evaluate.rows import read_rows
from newsnest.types import Article

FIELDS = ("id", "title", "text", "query_id", "doc_id", "score", "query", "item", "split")
"""What is read from the files; `--field doc_id=passage` says another name."""

_ALSO = {
    "id": ("_id",),
    "query_id": ("query-id", "qid"),
    "doc_id": ("corpus-id", "corpus_id", "docid"),
}  # as BEIR and others have them


_UNGRADED = ' Or say that each judgement is worth 1: grades={"": 1}, --grades none.'


@dataclass(frozen=True, slots=True)
class RetrievalTask:
    """Documents, queries and which documents answer which query.

    Parameters
    ----------
    documents, queries
        Text by id, in the order of the files; never empty.
    qrels
        Gain by query and document, all of them known.
    never
        By query the documents that are not looked for, because they are the query's own text.
    without_text
        Documents and queries left out for want of a text.
    unknown_documents, unknown_queries
        Judgements left out because the files have no such document, or else no such query.
    dropped
        Judgements left out because their grade has no gain.
    other_splits
        Judgements or pairs of other splits than the one asked for.
    """

    documents: Mapping[str, str]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, float]]
    never: Mapping[str, tuple[str, ...]]
    without_text: int = 0
    unknown_documents: int = 0
    unknown_queries: int = 0
    dropped: int = 0
    other_splits: int = 0


def read_retrieval(
    corpus: str | Path,
    queries: str | Path,
    qrels: str | Path,
    *,
    grades: Mapping[str, float] | None = None,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> RetrievalTask:
    r"""Read a corpus, queries and judgements, as BEIR and TREC collections have them.

    Parameters
    ----------
    corpus, queries
        Files with id, text and, where there is one, title. An id may also be called _id.
    qrels
        A file with query_id, doc_id and score; also as query-id, corpus-id. Where only some rows
        have a score, the others have gain 1.
    grades
        Gain of every score as it is written, for files where a score is no gain:
        {"1": 4, "2": 3, "3": 2, "4": 1} where 1 is best. Other scores are left out and counted.
        {"": 1} is for files without any, in which each judgement is worth 1. None takes a score
        for the gain.
    split
        Read only judgements of this split; None reads all.
    fields
        Names in the files of what has another name there.

    Returns
    -------
    RetrievalTask
        Judgements on unknown documents or queries are left out and counted: nobody could find
        these documents.

    Raises
    ------
    InputError
        If a file cannot be read, lacks a field, has an id twice or a row without one, judges a
        pair twice and differently, a score is no number or negative, or none has the split.
    ParameterError
        If a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "c.csv").write_text("id,text\n1,Rates held\n2,Flood\n")
    >>> _ = (folder / "q.csv").write_text("id,text\na,Interest rates\n")
    >>> _ = (folder / "r.csv").write_text("query_id,doc_id\na,1\na,9\n")
    >>> files = [folder / name for name in ("c.csv", "q.csv", "r.csv")]
    >>> task = read_retrieval(*files, grades={"": 1.0})
    >>> task.qrels, task.unknown_documents
    ({'a': {'1': 1.0}}, 1)
    """
    names = field_names(fields, FIELDS, caller="read_retrieval")
    documents, no_text = _read_texts(Path(corpus), names, fields or {})
    asked, no_query = _read_texts(Path(queries), names, fields or {})
    found: dict[str, dict[str, float]] = {}
    unknown = {"documents": 0, "queries": 0}
    splits: dict[str, int] = {}
    dropped = 0
    # That judgements have no grades is said by the user: a column of another name looks the same.
    wanted = ("query_id", "doc_id") if "" in (grades or {}) else ("query_id", "doc_id", "score")
    for where, own in _rows(Path(qrels), names, fields or {}, what="judgements", wanted=wanted):
        said = as_text(own["split"])
        splits[said] = splits.get(said, 0) + 1
        if split is not None and said != split:
            continue
        query, document = (_identity(where, names[f], own[f]) for f in ("query_id", "doc_id"))
        gain = _gain(where, names["score"], own["score"], grades)
        if gain is None:
            dropped += 1
        elif document not in documents:
            unknown["documents"] += 1
        elif query not in asked:
            unknown["queries"] += 1
        elif found.setdefault(query, {}).setdefault(document, gain) != gain:
            raise InputError(
                f"{where}: document {document!r} was judged for query {query!r} before, with "
                "another score. Keep one."
            )
    return RetrievalTask(
        documents, asked, found, {}, no_text + no_query,
        unknown["documents"], unknown["queries"], dropped, _of_others(Path(qrels), split, splits),
    )  # fmt: skip


def read_query_items(
    path: str | Path,
    *,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> RetrievalTask:
    r"""Read held-out pairs of a query and an item that answers it; all items are the corpus.

    Parameters
    ----------
    path
        A file with the columns query and item, both texts, and, where there is one, score: the
        gain of the item. Without a score every pair has gain 1; a pair of gain 0 adds its item to
        the corpus, and answers nothing.
    split
        Read only pairs of this split; None reads all.
    fields
        Names in the file of what has another name there: {"query": "text1", "item": "text2"}.

    Returns
    -------
    RetrievalTask
        Equal texts are one query, and one item. An item that is word for word the query is not
        looked for. Pairs without one of the texts are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, a score is no number or negative, or none has
        the split.
    ParameterError
        If a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = file.write_text("query,item\nRates?,Rates held\nFlood?,Sea wall breached\n")
    >>> read_query_items(file).qrels
    {'q0': {'d0': 1.0}, 'q1': {'d1': 1.0}}
    """
    file = Path(path)
    names = field_names(fields, FIELDS, caller="read_query_items")
    queries: dict[str, str] = {}
    items: dict[str, str] = {}
    qrels: dict[str, dict[str, float]] = {}
    splits: dict[str, int] = {}
    textless = 0
    for where, own in _rows(file, names, fields or {}, what="pairs", wanted=("query", "item")):
        said = as_text(own["split"])
        splits[said] = splits.get(said, 0) + 1
        if split is not None and said != split:
            continue
        query, item = as_text(own["query"]), as_text(own["item"])
        if not (query and item):
            textless += 1
            continue
        gain = _gain(where, names["score"], own["score"], None) or 0.0
        q = queries.setdefault(query, f"q{len(queries)}")
        d = items.setdefault(item, f"d{len(items)}")
        if query != item:
            row = qrels.setdefault(q, {})
            row[d] = max(gain, row.get(d, 0.0))
    return RetrievalTask(
        {identity: text for text, identity in items.items()},
        {identity: text for text, identity in queries.items()},
        qrels,
        {q: (items[text],) for text, q in queries.items() if text in items},
        textless,
        other_splits=_of_others(file, split, splits),
    )


def _rows(
    file: Path,
    names: Mapping[str, str],
    given: Mapping[str, str],
    *,
    what: str,
    wanted: Sequence[str],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where a row stands and its fields under our names; raise if a wanted one never was."""
    # All at once: that a column is nowhere is the better message than that one row lacks it.
    rows = list(read_rows(file, what=what))
    seen = dict.fromkeys(field for _, row in rows for field in row)
    for field in wanted:
        cure = _UNGRADED if field == "score" else ""
        require_fields(file, [_name(field, names, given, seen)], seen, cure=cure)
    for line, row in rows:
        yield (
            f"{file}, line {line}",
            {field: row.get(_name(field, names, given, row)) for field in names},
        )


def _name(
    field: str, names: Mapping[str, str], given: Mapping[str, str], row: Mapping[str, Any]
) -> str:
    if field in given or field in row:
        return names[field]
    return next((other for other in _ALSO.get(field, ()) if other in row), field)


def _read_texts(
    file: Path, names: Mapping[str, str], given: Mapping[str, str]
) -> tuple[dict[str, str], int]:
    """Return the texts by id, and how many rows have none."""
    texts: dict[str, str] = {}
    empty = 0
    for where, own in _rows(file, names, given, what="texts", wanted=("id", "text")):
        identity = _identity(where, names["id"], own["id"])
        if identity in texts:
            raise InputError(f"{where}: the id {identity!r} stood before. Give each row its own.")
        body = Article("", as_text(own["title"]), as_text(own["text"])).body
        if body:
            texts[identity] = body
        else:
            empty += 1
    return texts, empty


def _of_others(file: Path, split: str | None, splits: Mapping[str, int]) -> int:
    """Count the rows of other splits; raise if none is of the one asked for."""
    if split is None:
        return 0
    require_split(file, split, splits)
    return sum(splits.values()) - splits[split]


def _identity(where: str, field: str, value: object) -> str:
    identity = as_text(value)
    if not identity:
        raise InputError(f'{where}: the row has no "{field}". Give every row one.')
    return identity


def _gain(
    where: str, field: str, value: object, grades: Mapping[str, float] | None
) -> float | None:
    """Return the gain of a score; 1 where none is written, None where grades leave it out."""
    told = as_text(value)
    if grades is not None:
        return grades.get(told)
    if not told:
        return 1.0
    try:
        gain = float(told)
    except ValueError:
        gain = math.nan
    if not (math.isfinite(gain) and gain >= 0):
        raise InputError(
            f'{where}: the field "{field}" holds {told!r}. Give gains of at least 0, or say what '
            "the grades of this file are worth: 1=4,2=3,3=2,4=1 where 1 is best."
        )
    return gain
