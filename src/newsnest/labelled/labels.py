"""Labels by article id, read from a file, and two such tables joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError
from newsnest.labelled.rows import Fields, columns_of, read_records
from newsnest.progress import SILENT, Progress
from newsnest.types import LEVELS

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


def read_labels(
    path: str | Path, fields: Sequence[str], *, id_field: str = "id", progress: Progress = SILENT
) -> LabelTable:
    r"""Read the labels of every article in a file.

    Parameters
    ----------
    path
        A file that `newsnest.corpus.read_articles` reads and that has columns; it needs no texts.
    fields
        Which columns to read. A row may lack a label (missing, null or empty: None), but every
        column must stand somewhere in the file.
    id_field
        The column of the article's id; "id" is also found by its usual names.
    progress
        Reports how the file was read.

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
    given = {} if id_field == "id" else {"id": id_field}
    columns = Fields(("id", *fields), given, caller="read_labels")
    table: LabelTable = {}
    wanted = ("id", *fields)
    for record in read_records(path, columns, wanted, what="labels", progress=progress):
        identity = record["id"]
        if not identity:
            raise InputError(f'{record.where}: the row has no "{id_field}". Give every row one.')
        if identity in table:
            raise InputError(
                f'{record.where}: the {id_field} "{identity}" occurs twice. '
                "Keep one row per article."
            )
        table[identity] = tuple(record[field] or None for field in fields)
    return table


def read_levels(path: str | Path, *, progress: Progress = SILENT) -> tuple[str, ...]:
    r"""Find the levels that a file has labels of: columns called theme, topic or story.

    Parameters
    ----------
    path
        A file as `read_labels` takes it.
    progress
        Reports how the file was read.

    Returns
    -------
    tuple of str
        Coarse to fine. A column without any label does not count.

    Raises
    ------
    InputError
        As `read_labels`, and if there is no such column; the message names those there are.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "gold.csv"
    >>> _ = file.write_text("id,story,Theme,topic\n1,floods,weather,\n")
    >>> read_levels(file)
    ('theme', 'story')
    """
    columns = Fields(("id", *LEVELS), caller="read_levels")
    records = read_records(path, columns, ("id",), what="labels", progress=progress)
    found = tuple(level for level in LEVELS if any(record[level] for record in records))
    if not found:
        raise InputError(
            f"{path}: no row has a label in a column {', '.join(LEVELS[:-1])} or {LEVELS[-1]}. "
            f"Its columns are {', '.join(columns_of(records))}: name one with "
            "--level LEVEL=COLUMN."
        )
    return found


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
