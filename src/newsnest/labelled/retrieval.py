"""Read what retrieval is measured on: documents, queries and judgements, or held-out pairs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError
from newsnest.labelled.rows import Fields, Record, check_split, columns_of, read_records
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

RETRIEVAL_FIELDS = ("id", "title", "text", "query_id", "doc_id", "score", "query", "item", "split")
"""What is read from the files; `--field doc_id=passage` says another name."""

_ALSO = {"query_id": ("qid",), "doc_id": ("corpus_id",)}
"""As BEIR and others have them, however they are spelled: corpus-id."""

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
    files: Sequence[str | Path],
    *,
    grades: Mapping[str, float] | None = None,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> RetrievalTask:
    r"""Read a corpus, queries and judgements, as BEIR and TREC collections have them.

    Parameters
    ----------
    files
        The corpus, the queries and the judgements. The first two have id, text (or summary) and,
        where there is one, title, also by their usual names. Judgements have query_id, doc_id and
        score, also as query-id, corpus-id; where only some have a score, the others have gain 1.
    grades
        Gain of every score as it is written, for files where a score is no gain:
        {"1": 4, "2": 3, "3": 2, "4": 1} where 1 is best. Other scores are left out and counted.
        {"": 1} is for files without any, in which each judgement is worth 1. None takes a score
        for the gain.
    split
        Read only judgements of this split; None reads all.
    fields
        Names in the files of what has another name there.
    progress
        Reports how the files were read.

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
    >>> task = read_retrieval(files, grades={"": 1.0})
    >>> task.qrels, task.unknown_documents
    ({'a': {'1': 1.0}}, 1)
    """
    names = Fields(RETRIEVAL_FIELDS, fields, caller="read_retrieval", also=_ALSO)
    corpus, queries, qrels = map(Path, files)
    documents, no_text = _read_texts(corpus, names, progress)
    asked, no_query = _read_texts(queries, names, progress)
    found: dict[str, dict[str, float]] = {}
    unknown = {"documents": 0, "queries": 0}
    dropped = 0
    # Only the user can say that judgements have no grades: a column of another name looks the same.
    wanted = ("query_id", "doc_id") if "" in (grades or {}) else ("query_id", "doc_id", "score")
    judgements = read_records(
        qrels, names, wanted, what="judgements", cures={"score": _UNGRADED}, progress=progress
    )
    others = check_split(qrels, split, (row["split"] for row in judgements))
    for row in judgements:
        if split is not None and row["split"] != split:
            continue
        query, document = (_identity(row, field, names) for field in ("query_id", "doc_id"))
        gain = _gain(row, names, grades)
        if gain is None:
            dropped += 1
        elif document not in documents:
            unknown["documents"] += 1
        elif query not in asked:
            unknown["queries"] += 1
        elif found.setdefault(query, {}).setdefault(document, gain) != gain:
            raise InputError(
                f"{row.where}: document {document!r} was judged for query {query!r} before, with "
                "another score. Keep one."
            )
    return RetrievalTask(
        documents, asked, found, {}, no_text + no_query,
        unknown["documents"], unknown["queries"], dropped, others,
    )  # fmt: skip


def read_query_items(
    path: str | Path,
    *,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
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
    progress
        Reports how the file was read.

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
    names = Fields(RETRIEVAL_FIELDS, fields, caller="read_query_items")
    rows = read_records(path, names, ("query", "item"), what="pairs", progress=progress)
    others = check_split(Path(path), split, (row["split"] for row in rows))
    queries: dict[str, str] = {}
    items: dict[str, str] = {}
    qrels: dict[str, dict[str, float]] = {}
    textless = 0
    for row in rows:
        if split is not None and row["split"] != split:
            continue
        query, item = row["query"], row["item"]
        if not (query and item):
            textless += 1
            continue
        gain = _gain(row, names, None) or 0.0
        q = queries.setdefault(query, f"q{len(queries)}")
        d = items.setdefault(item, f"d{len(items)}")
        if query != item:
            gains = qrels.setdefault(q, {})
            gains[d] = max(gain, gains.get(d, 0.0))
    return RetrievalTask(
        {identity: text for text, identity in items.items()},
        {identity: text for text, identity in queries.items()},
        qrels,
        {q: (items[text],) for text, q in queries.items() if text in items},
        textless,
        other_splits=others,
    )


def _read_texts(file: Path, names: Fields, progress: Progress) -> tuple[dict[str, str], int]:
    """Return the texts by id, and how many rows have none."""
    texts: dict[str, str] = {}
    empty = 0
    fields = Fields(
        ("id", "title", "text", "summary"),
        {field: names.fields[field] for field in ("id", "title", "text") if field in names.fields},
        caller="read_retrieval",
    )
    rows = read_records(file, fields, ("id",), what="texts", progress=progress)
    if not any(row["text"] or row["summary"] for row in rows):
        fields.require(file, ("text",), columns_of(rows))
    for row in rows:
        identity = _identity(row, "id", fields)
        if identity in texts:
            raise InputError(f"{row.where}: the id {identity!r} stood before. Give each its own.")
        body = Article("", row["title"], row["text"] or row["summary"]).body
        if body:
            texts[identity] = body
        else:
            empty += 1
    return texts, empty


def _identity(row: Record, field: str, names: Fields) -> str:
    if not row[field]:
        raise InputError(
            f'{row.where}: the row has no "{names.column(field)}". Give every row one.'
        )
    return row[field]


def _gain(row: Record, names: Fields, grades: Mapping[str, float] | None) -> float | None:
    """Return the gain of a score; 1 where none is written, None where grades leave it out."""
    score = row["score"]
    if grades is not None:
        return grades.get(score)
    if not score:
        return 1.0
    try:
        gain = float(score)
    except ValueError:
        gain = math.nan
    if not (math.isfinite(gain) and gain >= 0):
        raise InputError(
            f'{row.where}: the field "{names.column("score")}" holds {score!r}. Give gains of at '
            "least 0, or say what the grades of this file are worth: 1=4,2=3,3=2,4=1 where 1 is "
            "best."
        )
    return gain
