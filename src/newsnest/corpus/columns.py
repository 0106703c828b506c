"""Which column of a file stands for which field: by the usual names, in many languages."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from newsnest.corpus.column_names import CODES, LAST_RESORT, USUAL
from newsnest.corpus.json.values import plain_value
from newsnest.errors import InputError, did_you_mean

_CODES_TOGETHER = 3
_PAGE_TITLE = re.compile(r"<PAGE_TITLE>(.*?)</PAGE_TITLE>", re.DOTALL)
_PICTURE = re.compile(r"://|\.(?:jpe?g|png|gif|webp)\b", re.IGNORECASE)


@lru_cache(maxsize=4096)  # every row of a file has the same few
def fold_name(name: str) -> str:
    """Fold a column name: no case, accents, spaces or punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in plain if char.isalnum())


def _ranks(names_of: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    return {
        fold_name(name): (field, rank)
        # Backwards, so that a name of two fields stays with the one that stands first.
        for field, names in reversed(list(names_of.items()))
        for rank, name in enumerate(names.split())
    }


_RANK = _ranks(USUAL)
_LAST_RESORT = {
    field: {fold_name(name) for name in names.split()} for field, names in LAST_RESORT.items()
}


class Columns:
    """Which column stands for which field.

    `fields` maps our name to their column; what is not named is found by its usual names. With
    `whole_rows` every column of a Parquet table is read, not only those that are fields. Without a
    `header` the columns of a table are column1, column2 …, and "2" means column2.
    """

    needs_text = True
    """Whether a table without a title and a text is refused."""

    def __init__(
        self, fields: Mapping[str, str], *, whole_rows: bool = False, header: bool = True
    ) -> None:
        self.fields = dict(fields)
        self.whole_rows = whole_rows
        self.header = header
        self.match = lru_cache(maxsize=1024)(self._match)
        self.stands_in = lru_cache(maxsize=1024)(self._stands_in)

    def _match(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Return our name → the columns that may hold it, the more telling first."""
        found: dict[str, tuple[str, ...]] = {}
        for field, wanted in self.fields.items():
            if (column := find_column(wanted, names)) is not None:
                found[field] = (column,)
        taken = {column for columns in found.values() for column in columns}
        free = {name: fold_name(name[:100]) for name in dict.fromkeys(names) if name not in taken}
        coded = sum(folded in CODES for folded in free.values()) >= _CODES_TOGETHER
        usual: dict[str, list[tuple[int, str]]] = {}
        for name, folded in free.items():
            field, rank = _RANK.get(folded, ("", 0))
            field = field or (CODES.get(folded, "") if coded else "")
            if field and field not in self.fields:
                usual.setdefault(field, []).append((rank, name))
        for field, ranked in usual.items():
            found[field] = tuple(name for _, name in sorted(ranked))
        for field, last in _LAST_RESORT.items():
            stand_ins = tuple(name for name, folded in free.items() if folded in last)
            if stand_ins and field not in found and field not in self.fields:
                found[field] = stand_ins
        # A text before the summary, which may then be left out.
        return {field: found[field] for field in (*USUAL, *found) if field in found}

    def _stands_in(self, field: str, column: str) -> bool:
        """Whether a column is only the last resort for a field."""
        return field not in self.fields and fold_name(column) in _LAST_RESORT.get(field, ())

    def value(self, field: str, column: str, value: object) -> object:
        """Return the plain value of a field; None where a last resort says something else."""
        value = plain_value(value)
        if field == "source" and isinstance(value, dict):
            # News interfaces give an outlet as {"id": …, "name": …}.
            value = plain_value(value.get("name") or value.get("title") or value.get("id"))
        if not self.stands_in(field, column):
            return value
        if not isinstance(value, str) and field != "date":
            return None
        return _of_last_resort(field, value)

    def check(self, file: str, names: Iterable[str]) -> None:
        """Raise InputError if a mapped column is not among the names."""
        have = tuple(names)
        for field, wanted in self.fields.items():
            if find_column(wanted, have) is None:
                shown = ", ".join(have[:30])[:500] or "no columns"
                raise InputError(
                    f"read_articles: {file}: the column for {field} must exist, got {wanted!r} "
                    f"where there are {shown}.{did_you_mean(wanted, have)} "
                    f"Name one of these: --field {field}=COLUMN."
                )


def _of_last_resort(field: str, value: object) -> object:
    text = str(value)
    if field == "title":
        titled = _PAGE_TITLE.search(text)
        return titled[1] if titled else None
    if field == "url":
        return value if "://" in text else None
    if field == "source":
        return None if _PICTURE.search(text) else value
    return value


def find_column(wanted: str, names: Sequence[str]) -> str | None:
    """Return the column of that name, or of one that is the same but for case and punctuation.

    Where columns are numbered, "2" is column2.
    """
    if wanted in names:
        return wanted
    alike = {fold_name(wanted), f"column{wanted}" if wanted.isdigit() else ""} - {""}
    return next((name for name in names if fold_name(name) in alike), None)


def is_lead(column: str) -> bool:
    """Whether a column holds the first paragraph of a text, which the text then leaves out."""
    return fold_name(column) == "lp"


def knows_a_text(names: Sequence[str], columns: Columns) -> bool:
    """Whether these columns can make an article."""
    return bool({"title", "text", "summary"} & columns.match(tuple(names)).keys())


def known_names(names: Sequence[str], columns: Columns) -> set[str]:
    """Return the names that stand for some field."""
    return {name for found in columns.match(tuple(names)).values() for name in found}


def check_header(names: Sequence[str], columns: Columns, file: str, line: int) -> None:
    """Raise InputError if a mapped column is missing or no column is a title or a text."""
    columns.check(file, names)
    if columns.needs_text and not knows_a_text(names, columns):
        shown = ", ".join(names[:30])[:500]
        where = f"{file}, line {line}" if line else file
        raise InputError(
            f"read_articles: {where}: a column must be a title or a text, got columns {shown}. "
            "Name one of them: --field text=COLUMN."
            + " If that line is an article, read it too: --no-header."
            * bool(line)
        )
