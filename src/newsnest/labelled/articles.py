"""Articles with labels, read as `newsnest.corpus` reads articles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np

from newsnest.corpus import Notice, ReadOptions, Row, read_articles_with_rows, settle_languages
from newsnest.corpus.columns import Columns, find_column
from newsnest.corpus.fields import NO_TEXT
from newsnest.corpus.options import FIELDS
from newsnest.errors import InputError
from newsnest.labelled.pairs import Gold, Side, side_of
from newsnest.labelled.rows import Fields, bad_row, text_of
from newsnest.progress import SILENT, Progress
from newsnest.types import LEVELS, Article, Ints, Rejected

UNKNOWN = -1
"""The code of an article without a label."""

OTHER_SPLIT = "is of another split"
"""Why a row is set aside that was not asked for."""

Codes = Ints
LabelledRow = tuple[Article, Row, Mapping[str, str]]
"""An article, its row, and its labels by name, "" for none."""


def stream_labelled(
    paths: Sequence[str | Path],
    labels: Mapping[str, str],
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    split: str | None = None,
    progress: Progress = SILENT,
) -> Iterator[LabelledRow | Rejected]:
    """Stream articles with their labels out of whatever `newsnest.corpus.read_articles` reads.

    `labels` maps what they are called to their column; a column that is not there has no labels.
    With a `split`, every row whose label "split" is another is set aside as `OTHER_SPLIT`. A label
    column that holds lists or objects is an InputError. What readers notice is noted.
    """

    @lru_cache(maxsize=1024)  # every row of a file has the same few
    def places(names: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        columns = {label: find_column(column, names) for label, column in labels.items()}
        return [(label, [column] if column else []) for label, column in columns.items()]

    def labels_of(row: Row) -> dict[str, str]:
        return {label: text_of(row, columns) for label, columns in places(tuple(row.values))}

    def leave_out(row: Row) -> str:
        return OTHER_SPLIT if labels_of(row)["split"] != split else ""

    for item in read_articles_with_rows(
        paths,
        options=options,
        leave_out=None if split is None else leave_out,
        progress=progress,
    ):
        if isinstance(item, Notice):
            progress.note(f"{item.file}: {item.message}")
        else:
            yield item if isinstance(item, Rejected) else (*item, labels_of(item[1]))


@dataclass(frozen=True, slots=True)
class LabelledArticles:
    """Articles and their labels.

    Parameters
    ----------
    articles
        n of them.
    labels
        By name, n each; "" for none.
    columns
        Every column that a row has, in the order they were met.
    """

    articles: tuple[Article, ...]
    labels: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]

    def codes(self, name: str) -> Codes:
        """Return the labels of a name as numbers, int64 (n,), −1 for none."""
        return codes_of(self.labels[name])

    def take(self, rows: Sequence[int]) -> Self:
        """Return some of the articles."""
        labels = {name: tuple(own[row] for row in rows) for name, own in self.labels.items()}
        return replace(self, articles=tuple(self.articles[row] for row in rows), labels=labels)


def codes_of(labels: Sequence[str]) -> Codes:
    """Number labels from 0 in their order, −1 for none."""
    numbers = {"": UNKNOWN}
    return np.array([numbers.setdefault(own, len(numbers) - 1) for own in labels], np.int64)


def read_labelled(
    files: Sequence[Path],
    labels: Mapping[str, str],
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> LabelledArticles:
    """Read articles by id, languages settled, with their labels; strict where labels are asked for.

    Parameters
    ----------
    files, labels, options
        See `stream_labelled`.
    progress
        Reports how many rows are no articles.

    Raises
    ------
    InputError
        If a file cannot be read; with labels, also if a row cannot be read or a file has an id
        twice, with other content.
    """
    known: dict[str, Mapping[str, str]] = {}
    columns: dict[str, None] = {}

    def articles() -> Iterator[Article | Rejected]:
        for item in stream_labelled(files, labels, options=options, progress=progress):
            if isinstance(item, Rejected):
                if labels and _is_fault(item):
                    raise bad_row(item)
                yield item
                continue
            article, row, known[article.id] = item
            columns.update(dict.fromkeys(row.values))
            yield article

    found: list[Article] = []
    rejected: list[Rejected] = []
    for item in settle_languages(articles()):
        if isinstance(item, Article):
            found.append(item)
        else:
            rejected.append(item)
    if rejected:
        rows = "row" if len(rejected) == 1 else "rows"
        progress.note(
            f"{len(rejected):,} {rows} set aside, the first at "
            f"{rejected[0].file}:{rejected[0].line}: {rejected[0].reason}"
        )
    found.sort(key=lambda article: article.id)
    own = {name: tuple(known[article.id][name] for article in found) for name in labels}
    return LabelledArticles(tuple(found), own, tuple(columns))


def _is_fault(row: Rejected) -> bool:
    """Whether a row is no article for another reason than a missing text, or an id of two files."""
    return not row.reason.startswith(NO_TEXT) and (
        " was used before, at " not in row.reason or f" at {row.file}, line " in row.reason
    )


GOLD_FIELDS = ("id", "title", "text", "lang", "date", "split", *LEVELS)
"""What an article is read from; the file must have a title or a text, and a label."""


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """One article with what people say it belongs to.

    Parameters
    ----------
    id
        Unique; a hash of the content where the file has no ids.
    text
        Title and text as an encoder reads them (`Article.body`); never empty.
    gold
        Theme, topic and story, "" where unknown.
    lang
        "" if unknown.
    date
        Aware; None if unknown.
    split
        "train", "eval", or what the file says; "" if it says nothing.
    """

    id: str
    text: str
    gold: Gold
    lang: str = ""
    date: datetime | None = None
    split: str = ""

    @property
    def side(self) -> Side:
        """What the article is for."""
        return side_of(self.split)


def read_gold(
    path: str | Path,
    *,
    fields: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> tuple[GoldArticle, ...]:
    r"""Read articles with gold labels; those without text or without any label are left out.

    Parameters
    ----------
    path
        See `newsnest.corpus.read_articles`.
    fields
        Names in the file of what has another name there, such as {"story": "label"}.
    progress
        Reports how the file was read.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad, an id has two contents, a date is invalid, or no
        row has a text and a label. It names file, line and field.
    ParameterError
        If a key of `fields` is unknown.

    Notes
    -----
    A summary is read as the text only where there is no title: pairs of headlines stay pairs of
    headlines.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "gold.csv"
    >>> _ = file.write_text("id,title,story,theme\n1,Sea wall breached,s1,weather\n")
    >>> read_gold(file)[0].gold
    ('weather', '', 's1')
    """
    every = Fields(GOLD_FIELDS, fields, caller="read_gold")
    labels = {name: every.column(name) for name in (*LEVELS, "split")}
    mapped = {field: column for field, column in every.fields.items() if field in FIELDS}
    options = ReadOptions(fields=mapped, detect_language=False)
    columns = Columns(mapped)
    articles: list[GoldArticle] = []
    seen: dict[str, None] = {}
    for item in stream_labelled([path], labels, options=options, progress=progress):
        if isinstance(item, Rejected):
            if not item.reason.startswith(NO_TEXT):
                raise bad_row(item)
        else:
            seen.update(dict.fromkeys(item[1].values))
            article = _gold_article(*item, columns)
            if any(article.gold):
                articles.append(article)
    if seen:
        every.require(Path(path), tuple(every.fields), seen)
    if not articles:
        raise InputError(
            f"{path}: no row has a title or a text and one of {', '.join(LEVELS)}; the fields are "
            f"{', '.join(seen) or 'none: the file is empty'}. Name yours, such as story=label."
        )
    return tuple(articles)


def _gold_article(
    article: Article, row: Row, labels: Mapping[str, str], columns: Columns
) -> GoldArticle:
    found = columns.match(tuple(row.values))
    date = text_of(row, found.get("date", ())) if article.date is None else ""
    if date:
        raise InputError(
            f'{row.where}: the field "{found["date"][0]}" holds {date!r}. '
            "Write dates as 2024-03-10T16:52:50Z."
        )
    title, text = (text_of(row, found.get(field, ())) for field in ("title", "text"))
    # A headline stays one, beside a summary: pairs of headlines are what is trained on.
    body = Article("", title, text).body if title or text else article.body
    gold = (labels["theme"], labels["topic"], labels["story"])
    more = (article.lang, article.date, labels["split"])
    return GoldArticle(article.id, body, gold, *more)
