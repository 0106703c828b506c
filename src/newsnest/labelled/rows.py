"""The rows of tables with labels, pairs or judgements, strict about every one of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from newsnest.corpus import READERS, Row, find_origins, read_rows
from newsnest.corpus.columns import Columns, find_column
from newsnest.corpus.rows import plain_text
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.invisible import clean_surrogates
from newsnest.progress import SILENT, Progress
from newsnest.types import Rejected

_USUAL = Columns({})


class Fields(Columns):
    """Which column of a table stands for which field.

    A field that is mapped is in that column alone. Others are in the column of their name, in one
    of its usual names as articles have them (text, lang, …; text1 and text2 likewise), or in one
    of `also`. `given` maps fields to their columns; a key that is not `known` is a ParameterError.
    """

    needs_text = False

    def __init__(
        self,
        known: Sequence[str],
        given: Mapping[str, str] | None = None,
        *,
        caller: str,
        also: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(given or {}, whole_rows=True)
        self.known, self.also = tuple(known), also or {}
        for field in self.fields:
            if field not in known:
                raise ParameterError(
                    f"{caller}: fields must name some of {', '.join(known)}, got {field!r}."
                    f"{did_you_mean(field, known)} Write field=COLUMN."
                )

    def check(self, file: str, names: Iterable[str]) -> None:
        """Leave it to `require`, which knows the fields that a file must have."""

    def column(self, field: str) -> str:
        """Return the name of a field in messages."""
        return self.fields.get(field, field)

    def require(
        self,
        file: Path,
        wanted: Sequence[str],
        seen: Iterable[str],
        *,
        cures: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Raise unless every wanted field has a column; its cure is added to the message."""
        names = tuple(seen)
        found = self.match(names)
        for field in wanted:
            if field not in found:
                raise no_column(file, self.column(field), names, cure=cures.get(field, ""))

    def _match(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        usual = super()._match(names)
        found: dict[str, tuple[str, ...]] = {}
        for field in self.known:
            if field in usual or field in self.fields:
                columns = usual.get(field, ())
            else:
                spelled = (find_column(name, names) for name in (field, *self.also.get(field, ())))
                columns = tuple(filter(None, spelled)) or _numbered(field, names)
            if columns:
                found[field] = columns
        return found


def no_column(file: object, column: str, seen: Collection[str], *, cure: str = "") -> InputError:
    """Return the error of a column that no row of a file has."""
    choice = f"Choose among {', '.join(seen)}.{cure}" if seen else "The file has no rows."
    return InputError(
        f'{file}: no row has the field "{column}".{did_you_mean(column, seen)} {choice}'
    )


def _numbered(field: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the usual columns of one end of a pair: headline1 is title1."""
    if field[-1] not in "12":
        return ()
    ends = {name[:-1]: name for name in names if name.endswith(field[-1])}
    return tuple(ends[name] for name in _USUAL.match(tuple(ends)).get(field[:-1], ()))


@dataclass(frozen=True, slots=True)
class Record:
    """One row: by field its clean text, and the columns it has in its file.

    `line` counts from 1, in Parquet the rows; `where` is file and line, for messages.
    """

    where: str
    line: int
    values: Mapping[str, str]
    columns: tuple[str, ...]

    def __getitem__(self, field: str) -> str:
        """Return the text of a field, "" where there is none."""
        return self.values.get(field, "")


def read_records(
    path: str | Path,
    fields: Fields,
    wanted: Sequence[str],
    *,
    what: str,
    cures: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = SILENT,
) -> list[Record]:
    """Read all rows of a table; one that cannot be read, or holds no text in a field, is an error.

    Every `wanted` field must stand somewhere in the file; its cure is added to the message. `what`
    says what the rows hold: "labels". Errors are InputError and name file, line and cure.
    """
    file = Path(path)
    check_table(file, what)

    records: list[Record] = []
    for row in read_rows([file], fields, progress=progress):
        if isinstance(row, Rejected):
            raise bad_row(row)
        names = tuple(row.values)
        values = {field: text_of(row, cols) for field, cols in fields.match(names).items()}
        records.append(Record(row.where, row.line, values, names))
    fields.require(file, wanted, columns_of(records), cures=cures)
    return records


def columns_of(records: Sequence[Record]) -> list[str]:
    """Return every column that some row has, in the order they were met."""
    rows = dict.fromkeys(record.columns for record in records)
    return list(dict.fromkeys(name for names in rows for name in names))


def text_of(row: Row, columns: Sequence[str]) -> str:
    """Return the first text that one of some columns holds, as it is written; "" if none does.

    Only lone surrogates and space at the ends go: what is measured and trained on must not depend
    on how articles are cleaned.
    """
    for column in columns:
        try:
            if text := clean_surrogates(plain_text(row.values[column])).strip():
                return text
        except TypeError as error:
            raise InputError(
                f'{row.where}: the field "{column}" holds {error}. '
                "Give one value, a text or a number."
            ) from None
    return ""


def bad_row(row: Rejected) -> InputError:
    """Return the error of a row that cannot be read, where every one counts."""
    where = f"{row.file}, line {row.line}" if row.line else row.file
    return InputError(f"{where}: {row.reason}. Correct the row, or take it out.")


def check_table(file: Path, what: str) -> None:
    """Raise InputError unless a file is there and of a format with columns."""
    kind = "a directory" if file.is_dir() else find_origins([file])[0].format  # type: ignore[union-attr]
    reader = READERS.get(kind)
    if kind and (reader is None or not reader.has_columns):
        known = (suffix for one in READERS.values() if one.has_columns for suffix in one.suffixes)
        raise InputError(
            f"{file}: {what} are read from files with columns, {', '.join(known)} (also with .gz "
            f"or .zst), got {kind}. Convert it, or name another file."
        )


def check_split(file: Path, split: str | None, found: Iterable[str]) -> int:
    """Return how many rows are of other splits; raise unless some row has the split."""
    rows = list(found)
    if split is None:
        return 0
    if split not in rows:
        names = ", ".join(name or "none" for name in dict.fromkeys(rows))
        raise InputError(
            f'{file}: no row has the split "{split}". Choose among {names}, or leave the split out.'
        )
    return sum(one != split for one in rows)


def first_columns(path: Path) -> tuple[str, ...]:
    """Return the columns of the first row of a file that can be read, () if there is none."""
    rows = read_rows([path], Fields((), caller="first_columns"))
    return next((tuple(row.values) for row in rows if isinstance(row, Row)), ())
