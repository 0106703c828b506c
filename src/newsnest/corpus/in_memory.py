"""Texts, data frames and articles in memory → articles."""

from collections.abc import Iterable
from typing import Any

from newsnest.corpus.columns import Columns, check_header
from newsnest.corpus.dates.moments import DateChoices
from newsnest.corpus.dates.orders import DateOrders
from newsnest.corpus.dates.parse import read_date
from newsnest.corpus.fields import ArticleMaker
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.parquet import rows_of
from newsnest.corpus.rows import Row, Tally
from newsnest.errors import InputError, ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Rejected

_NAMES = {"date": "times", "source": "sources", "lang": "langs"}


def articles_in_memory(
    data: Any,
    *,
    times: Iterable[Any] | None = None,
    sources: Iterable[Any] | None = None,
    langs: Iterable[Any] | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    progress: Progress = SILENT,
) -> list[Article]:
    """Make an article of every row, in the order of the rows.

    `data` are n texts; a data frame of any library Narwhals knows, whose columns are found by their
    usual names as those of a file are; or articles, kept as they are. `times`, `sources` and
    `langs` are n values each, None where unknown, and replace such columns of a data frame.
    Languages that a short text leaves open are settled by `newsnest.build`, over all articles.

    Rows go the way of the rows of a Parquet file, so that the same data become the same articles,
    ids included, from a file or from memory.

    Example
    -------
    >>> articles_in_memory(["Rain in Nantes"], times=["2024-03-05"])[0].date.isoformat()
    '2024-03-05T00:00:00+00:00'
    """
    given = {
        field: _values(_NAMES[field], values)
        for field, values in (("date", times), ("source", sources), ("lang", langs))
        if values is not None
    }
    name, rows = _rows(data)
    if rows and isinstance(rows[0], Article):
        if given or not all(isinstance(row, Article) for row in rows):
            raise ParameterError(
                "Nester: articles must come alone, got times, sources, langs or other rows beside "
                "them. Set date, source and lang of the articles."
            )
        return rows
    if not rows:
        raise InputError("Nester: there must be at least one row, got none. Give some texts.")
    columns = Columns(options.fields)
    found = columns.match(tuple(rows[0]))
    for field, values in given.items():
        if len(values) != len(rows):
            raise ParameterError(
                f"Nester: {_NAMES[field]} must hold one value per row, {len(rows):,}, got "
                f"{len(values):,}. Use None where a value is unknown."
            )
        for column in found.get(field, ()):
            rows = [{k: v for k, v in row.items() if k != column} for row in rows]
        rows = [row | {field: value} for row, value in zip(rows, values, strict=True)]
    if name != "texts":
        check_header(list(rows[0]), columns, name, 0)
    _check_times(given.get("date", []), options)
    return _made(name, rows, columns, options, progress)


def library_and_index(data: Any) -> tuple[str | None, Any]:
    """Return the library of a data frame or series and its index; None for what has none."""
    import narwhals as nw

    frame = nw.from_native(data, allow_series=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.Series):
        return None, None
    return str(frame.implementation), nw.maybe_get_index(frame)


def _rows(data: Any) -> tuple[str, list[Any]]:
    """Return what the rows are called in messages, and the rows: articles or values by column."""
    import narwhals as nw

    if isinstance(data, str | bytes | dict):
        raise ParameterError(
            f"Nester: data must be texts, a data frame or articles, got one {type(data).__name__}. "
            "Put a text into a list; to nest files, call newsnest.build."
        )
    frame = nw.from_native(data, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return "data frame", rows_of(frame.to_arrow())
    if isinstance(frame, nw.Series):
        data = frame.to_list()
    if not isinstance(data, Iterable):
        raise ParameterError(
            f"Nester: data must be texts, a data frame or articles, got {type(data).__name__}. "
            "Give a list of texts."
        )
    rows = list(data)
    if rows and isinstance(rows[0], Article):
        return "articles", rows
    return "texts", [{"text": text} for text in rows]


def _values(name: str, values: Iterable[Any]) -> list[Any]:
    """Return values as Python's own, None for NaN and NaT."""
    import pyarrow as pa

    plain = values if hasattr(values, "dtype") else list(values)
    try:
        return list(pa.array(plain, from_pandas=True).to_pylist())
    except pa.ArrowException as error:
        raise ParameterError(
            f"Nester: {name} must hold values of one kind, got a mix ({error}). Convert them first."
        ) from None


def _check_times(times: list[Any], options: ReadOptions) -> None:
    """Raise unless all times given beside the texts can be read; in a file they may be missing."""
    choices = DateChoices(options.date_order, options.time_zone, options.reference_date)
    for row, value in enumerate(times):
        if value not in (None, "") and read_date(value, choices).moment is None:
            raise InputError(
                f"Nester: times must hold dates, got {value!r} at position {row}. Use None where a "
                "date is unknown, and ReadOptions(date_order=…) where day and month are unclear."
            )


def _made(
    name: str,
    rows: list[Any],
    columns: Columns,
    options: ReadOptions,
    progress: Progress,
) -> list[Article]:
    found = [Row(name, number, values, None) for number, values in enumerate(rows)]
    maker = ArticleMaker(options, columns, repeats="none")
    tally = Tally(name, rows=len(rows))
    orders = DateOrders(lambda: found, columns)
    articles = []
    for row in found:
        one = maker.make(row, tally, orders)
        made = one if isinstance(one, Rejected) else maker.identities.settle(one, row, tally)
        if isinstance(made, Rejected):
            raise InputError(
                f"Nester: every row must be an article, got one at position {row.line} that "
                f"{made.reason}. Drop or mend it: each row gets a label."
            )
        if made is not None:  # always so where repeats are "none"
            articles.append(made)
    for notice in tally.notices():
        progress.note(f"{notice.file}: {notice.message}")
    return articles
