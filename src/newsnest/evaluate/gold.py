"""Read labels by article id from a file, and join two such tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError
from newsnest.evaluate.rows import read_rows

LabelTable = dict[str, tuple[str | None, ...]]
"""One tuple of labels per article id, in the order of the fields asked for."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Two label tables side by side, on the ids they share.

    Parameters
    ----------
    ids
        The shared ids, in the order of the left table.
    left, right
        The labels of each, in the order of `ids`.
    only_left, only_right
        How many ids stood in one table alone.
    """

    ids: tuple[str, ...]
    left: tuple[tuple[str | None, ...], ...]
    right: tuple[tuple[str | None, ...], ...]
    only_left: int
    only_right: int


def read_labels(path: str | Path, fields: Sequence[str], *, id_field: str = "id") -> LabelTable:
    r"""Read the labels of every article in a file.

    Parameters
    ----------
    path
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    fields
        Which fields to read. A row may lack a label (missing, null or empty: None), but every
        field must stand somewhere in the file.
    id_field
        The field that holds the article's id.

    Returns
    -------
    dict of str to tuple of str or None
        In the order of the file. Whole numbers read as such: 3 and 3.0 are both "3".

    Raises
    ------
    InputError
        If the file cannot be read, is of another kind, or holds a bad row, a row without id, the
        same id twice, or nowhere one of the fields. The message names file, line and cure.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "gold.csv"
    >>> _ = file.write_text("id,story\n1,floods\n2,\n")
    >>> read_labels(file, ["story"])
    {'1': ('floods',), '2': (None,)}
    """
    file = Path(path)
    table: LabelTable = {}
    seen: dict[str, None] = {}
    for line, row in read_rows(file, what="labels"):
        seen.update(dict.fromkeys(row))
        identity = _label(file, line, id_field, row.get(id_field))
        if identity is None:
            raise InputError(
                f'{file}, line {line}: the row has no "{id_field}". '
                f"Give every row one; its fields are {', '.join(map(str, row)) or 'none'}."
            )
        if identity in table:
            raise InputError(
                f'{file}, line {line}: the {id_field} "{identity}" stands there twice. '
                "Keep one row per article."
            )
        table[identity] = tuple(_label(file, line, field, row.get(field)) for field in fields)
    missing = [field for field in fields if field not in seen]
    if missing:
        choice = f"Choose among {', '.join(map(str, seen))}." if seen else "The file has no rows."
        raise InputError(f'{file}: no row has the field "{missing[0]}". {choice}')
    return table


def join_labels(left: LabelTable, right: LabelTable) -> Joined:
    """Put two label tables side by side on their shared ids.

    Example
    -------
    >>> joined = join_labels({"1": ("a",), "2": ("b",)}, {"2": ("c",), "3": ("d",)})
    >>> joined.ids, joined.only_left, joined.only_right
    (('2',), 1, 1)
    """
    ids = tuple(identity for identity in left if identity in right)
    return Joined(
        ids=ids,
        left=tuple(left[identity] for identity in ids),
        right=tuple(right[identity] for identity in ids),
        only_left=len(left) - len(ids),
        only_right=len(right) - len(ids),
    )


def _label(file: Path, line: int, field: str, value: object) -> str | None:
    if value is None or value == "" or value != value:  # NaN is how tables write a missing label
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        raise InputError(
            f'{file}, line {line}: the field "{field}" holds a {type(value).__name__}. '
            "Give one label, a text or a number."
        )
    return str(value)
