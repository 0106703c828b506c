"""Where a table begins, what its columns are called, and how its lines are cut."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from newsnest.corpus.columns import Columns, check_header, known_names, knows_a_text
from newsnest.corpus.source import Line, Source
from newsnest.corpus.tables.dialect import OPEN, Dialect, sniff, usual_width
from newsnest.corpus.tables.headerless import (
    fields_for,
    is_of_an_article,
    looks_like_article,
    shown,
)
from newsnest.errors import InputError

# Excel's own first line, which names the delimiter.
_SEP_LINE = re.compile(r'"?sep=(.)\1*"?', re.IGNORECASE)
_SEARCHED = 20
_LONGEST = 10_000  # characters of a header below the first line
_ABOVE = (
    "line above the names of the columns was passed over"
    "|lines above the names of the columns were passed over"
)
_TWICE = (
    "column name occurs more than once, and the first column with a value counts"
    "|column names occur more than once, and the first column with a value counts"
)
_NO_NAME = "column has no name, for each row has one value more than there are names"


class Table(NamedTuple):
    """The names of the columns, how lines are cut, and the number of the first line of rows."""

    names: tuple[str, ...]
    dialect: Dialect
    start: int


@dataclass(frozen=True, slots=True)
class _Head:
    """A line that may name the columns, cut under the dialect that fits it best."""

    at: int
    names: tuple[str, ...]
    dialect: Dialect
    end: int  # where the lines after it begin


def find_table(lines: Sequence[Line], source: Source, *, is_tsv: bool) -> Table:
    """Find the header among the first lines of a table, none of which is blank or faulty.

    Raises
    ------
    InputError
        If no column is a title or a text, a mapped column is missing, or the first row looks like
        an article.
    """
    columns, file, first = source.columns, source.file, lines[0]
    named = _SEP_LINE.fullmatch(first.text.strip(" "))  # a tab is a delimiter
    delimiter = named[1] if named else ""
    if named:
        lines = lines[1:]
        if not lines:
            return Table((), Dialect(delimiter), first.number + 1)
    if not columns.header:
        return _without_header(lines, source, delimiter, is_tsv=is_tsv)
    heads = (
        _head(lines, at, columns, delimiter, is_tsv)
        for at in range(min(len(lines), _SEARCHED))
        if not at or len(lines[at].text) < _LONGEST
    )
    head = next(heads)
    if columns.needs_text:
        below = _find_below(head, heads, lines[0].text, columns)
        if below is not None:
            for line in lines[: below.at]:
                source.tally.count(_ABOVE, f"“{line.text.strip()[:60]}”")
            head = below
        elif not _is_header(head, columns):
            _refuse(head, lines, source)
    names = _all_named(head, lines, source)
    check_header(names, columns, file, lines[head.at].number)
    for name, count in Counter(names).items():
        if name and count > 1:
            source.tally.count(_TWICE, f"“{name[:60]}”")
    start = lines[head.end - 1].number + 1
    return Table(names, head.dialect, start)


def looks_like_table(lines: Sequence[str], columns: Columns) -> bool:
    """Whether lines are those of a table, with a header or without one."""
    numbered = [Line(number, text) for number, text in enumerate(lines, 1)]
    if not lines or not columns.header:
        return bool(lines)
    head = _head(numbered, 0, columns, "", is_tsv=False)
    if len(lines[0]) < 10_000 and any(knows_a_text([name], columns) for name in head.names):
        return True
    others = (_head(numbered, at, columns, "", is_tsv=False) for at in range(1, len(lines)))
    if any(_is_sure(one, columns) for one in others):
        return True
    widths = {len(head.dialect.parse(line)[0]) for line in lines}
    return len(lines) > 1 and widths == {len(head.names)} != {1} and is_of_an_article(head.names)


def _head(lines: Sequence[Line], at: int, columns: Columns, delimiter: str, is_tsv: bool) -> _Head:
    after = [line.text for line in lines[at + 1 :]]
    text = lines[at].text
    dialect = sniff(text, after, columns, is_tsv=is_tsv, delimiter=delimiter)
    values, state = dialect.parse(text)
    end = at + 1
    # A name may go on over lines, as Excel wraps it.
    while state == OPEN and end < min(len(lines), at + 10):
        text = f"{text}\n{lines[end].text}"
        longer, state = dialect.parse(text)
        end += 1
        if state != OPEN:
            values = longer
    if state == OPEN:
        end = at + 1
    return _Head(at, tuple(" ".join(name.split()) for name in values), dialect, end)


def _find_below(head: _Head, heads: Iterator[_Head], text: str, columns: Columns) -> _Head | None:
    """Return a header below the first line, if that is a remark, or names of groups of columns."""
    if is_of_an_article(head.names):
        return None
    if not _is_header(head, columns) or text.startswith("#"):
        return next((one for one in heads if _is_sure(one, columns)), None)
    second = next(heads, None)
    if second is None or not _is_sure(second, columns):
        return None
    named, more = known_names(head.names, columns), known_names(second.names, columns)
    return second if len(more) > len(named) else None


def _is_header(head: _Head, columns: Columns) -> bool:
    """Whether a line names a title or a text, and is no article that has such a word."""
    if not knows_a_text(head.names, columns):
        return False
    known = known_names(head.names, columns)
    return bool(columns.fields) or len(known) > 1 or not is_of_an_article(head.names)


def _is_sure(head: _Head, columns: Columns) -> bool:
    """Whether a line below the first is a header beyond doubt."""
    known = known_names(head.names, columns)
    return (
        knows_a_text(head.names, columns)
        and len(known) > 1
        and 2 * len(known) >= sum(map(bool, head.names))
        and not looks_like_article(head.names)
    )


def _all_named(head: _Head, lines: Sequence[Line], source: Source) -> tuple[str, ...]:
    """Return the names, with an empty one first where R wrote the names of rows without one."""
    rows = [head.dialect.parse(line.text)[0] for line in lines[head.end :]]
    if len(rows) < 2 or any(len(row) != len(head.names) + 1 or not row[-1].strip() for row in rows):
        return head.names
    source.tally.count(_NO_NAME)
    return ("", *head.names)


def _without_header(
    lines: Sequence[Line], source: Source, delimiter: str, *, is_tsv: bool
) -> Table:
    columns, texts = source.columns, [line.text for line in lines]
    dialect = sniff(texts[0], texts[1:], None, is_tsv=is_tsv, delimiter=delimiter)
    width = usual_width(texts, dialect)
    names = tuple(f"column{number}" for number in range(1, width + 1))
    columns.check(source.file, names)
    if columns.needs_text and not knows_a_text(names, columns):
        cut = [dialect.parse(text)[0] for text in texts]
        rows = [row for row in cut if len(row) == width] or cut[:1]
        raise InputError(
            f"read_articles: {source.file}: a column must be a title or a text, got "
            f"{shown(rows[0])}. Name them: {fields_for(rows)}."
        )
    return Table(names, dialect, lines[0].number)


def _refuse(head: _Head, lines: Sequence[Line], source: Source) -> None:
    """Raise InputError of a first row that looks like an article; pass any other."""
    dialect = sniff(
        lines[head.at].text,
        [line.text for line in lines[head.at + 1 :]],
        None,
        is_tsv=head.dialect.delimiter == "\t",
    )
    values = dialect.parse(lines[head.at].text)[0]
    if not looks_like_article(values):
        return
    rows = [values, *(dialect.parse(line.text)[0] for line in lines[head.at + 1 :])]
    rows = [row for row in rows if len(row) == len(values)]
    raise InputError(
        f"read_articles: {source.file}, line {lines[head.at].number}: the first row must name the "
        f"columns, got what looks like an article: {shown(values)}. Read that row too: --no-header "
        f"{fields_for(rows)}. If it does name them, say one: --field title=COLUMN."
    )
