"""Read articles with gold labels, the stuff pairs are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsnest.errors import InputError
from newsnest.evaluate.pair_files import as_text, field_names, require_fields
from newsnest.evaluate.rows import read_rows
from newsnest.train.pairs.pair import Gold
from newsnest.types import LEVELS, Article

FIELDS = ("id", "title", "text", "lang", "date", "split", *LEVELS)
"""What an article is read from; a title or a text, and a label, must stand in the file."""


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """One article with what people say it belongs to.

    Parameters
    ----------
    id
        Unique; the line where the file has no ids.
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


def read_gold(
    path: str | Path, *, fields: Mapping[str, str] | None = None
) -> tuple[GoldArticle, ...]:
    r"""Read articles with gold labels; those without text or without any label are left out.

    Parameters
    ----------
    path
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    fields
        Names in the file of what has another name there, such as {"story": "label"}.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad, an id stands there twice, a date is none, or no
        row has a text and a label. It names file, line and field.
    ParameterError
        If a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "gold.csv"
    >>> _ = file.write_text("id,title,story,theme\n1,Sea wall breached,s1,weather\n")
    >>> read_gold(file)[0].gold
    ('weather', '', 's1')
    """
    file = Path(path)
    names = field_names(fields, FIELDS, caller="read_gold")
    articles: dict[str, GoldArticle] = {}
    seen: dict[str, None] = {}
    for line, row in read_rows(file, what="gold labels"):
        seen.update(dict.fromkeys(row))
        own = {field: as_text(row.get(name)) for field, name in names.items()}
        where = f"{file}, line {line}"
        date = _date(where, names["date"], row.get(names["date"]))
        theme, topic, story = (own[level] for level in LEVELS)
        article = GoldArticle(
            id=own["id"] or f"{file.name}:{line}",
            text=Article("", own["title"], own["text"]).body,
            gold=(theme, topic, story),
            lang=own["lang"],
            date=date,
            split=own["split"],
        )
        if article.id in articles:
            raise InputError(
                f'{where}: the {names["id"]} "{article.id}" stands there twice. '
                "Keep one row per article."
            )
        if article.text and any(article.gold):
            articles[article.id] = article
    require_fields(file, [names[field] for field in fields or {}], seen)
    if not articles:
        raise InputError(
            f"{file}: no row has a title or a text and one of {', '.join(LEVELS)}; the fields are "
            f"{', '.join(seen) or 'none: the file is empty'}. Name yours, such as story=label."
        )
    return tuple(articles.values())


def _date(where: str, field: str, value: Any) -> datetime | None:
    told = value.isoformat() if hasattr(value, "isoformat") else as_text(value)
    if not told:
        return None
    try:
        date = datetime.fromisoformat(told)
    except ValueError as error:
        raise InputError(
            f'{where}: the field "{field}" holds {told!r}. Write dates as 2024-03-10T16:52:50Z.'
        ) from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)
