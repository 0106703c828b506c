"""Which two columns of a file are query and item, where nobody has said so."""

from __future__ import annotations

from newsnest.corpus.columns import Columns
from newsnest.errors import InputError
from newsnest.train.data.columns import ColumnReading, first_names
from newsnest.train.data.files import parse_told

USUAL = (
    ("query", "item"),
    ("question", "answer"),
    ("title", "summary"),
    ("title", "text"),
    ("text1", "text2"),
)
"""The first two that a file has are meant; title, text and summary also by their usual names."""


def with_usual_columns(told: str) -> str:
    """Return a file as it was named, and its two columns if they were not.

    Parameters
    ----------
    told
        "PATH" or "PATH,columns=headline:lead,most=1000".

    Raises
    ------
    InputError
        If the file cannot be read, or has no two columns that are usual.
    """
    path, chosen, _ = parse_told(told, ColumnReading(columns=("", "")), ("split", "story"))
    if any(chosen.columns):
        return told
    if not path.is_file():
        raise InputError(f"{path}: must be a file of pairs, got none. Check the path.")
    names = first_names(path)
    if not names:
        raise InputError(f"{path}: must hold rows of two texts, got none. Check the file.")
    found = {*names, *Columns({}).match(names)}
    for first, second in USUAL:
        if first in found and second in found:
            return f"{told},columns={first}:{second}"
    raise InputError(
        f"{path}: must have two columns of texts, such as title and summary, got "
        f"{', '.join(names[:30])}. Name them: {path.name},columns=headline:lead."
    )
