"""Data files as they are named on the command line: a path, and what is said of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_type_hints

from newsnest.embed.weights import expanded
from newsnest.errors import ParameterError, did_you_mean
from newsnest.evaluate import pair_files
from newsnest.evaluate.rows import read_rows
from newsnest.train.pairs import gold
from newsnest.train.setting_values import parse_value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    R = TypeVar("R", bound=DataclassInstance)

_SAID = re.compile(r",(?=\s*\w+=)")
_ENDS = ("text1", "text2", "title1", "title2")
"""Where one of these is a field, a file holds pairs, else articles with gold labels."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, where nothing is said of it alone.

    Parameters
    ----------
    scale
        Of graded pairs: the score of two texts that have nothing in common, and that of the most
        similar ones.
    same_is
        What the most similar score means: .75 the same story, 1 the same text.
    per_grade
        Most pairs of a grade that are built from gold labels.
    max_days
        Most days between two articles of a story to be a pair; None: any.
    most
        Most pairs that are taken of a file, drawn at random, so that a large one does not drown a
        small one; None: all.
    """

    scale: tuple[float, float] = (0.0, 1.0)
    same_is: float = 0.75
    per_grade: int = 2000
    max_days: float | None = None
    most: int | None = None


_FIELDS = tuple(dict.fromkeys((*pair_files.FIELDS, *gold.FIELDS)))


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to train on.

    Parameters
    ----------
    path
        Of the file.
    kind
        "pairs": graded pairs; "gold": articles with gold labels.
    reading
        How it is read.
    fields
        Names in the file of what has another name there.
    """

    path: Path
    kind: Literal["pairs", "gold"]
    reading: Reading
    fields: Mapping[str, str]


def parse_file(told: str, reading: Reading) -> DataFile:
    """Return the file that is meant by "PATH" or "PATH,key=value,…".

    Parameters
    ----------
    told
        Keys are those of `Reading`, and fields of pairs (text1, score, split, …) and of articles
        (text, story, split, …) with their name in the file: "a.csv,scale=4:1,score=overall".
    reading
        Holds where the file says nothing of its own.

    Raises
    ------
    InputError
        If the file cannot be read.
    ParameterError
        If a key is unknown, or a value is of another kind.
    """
    path, chosen, names = parse_told(told, reading, _FIELDS)
    return DataFile(path, _kind(path, names), chosen, names)


def parse_told(told: str, reading: R, known: Sequence[str]) -> tuple[Path, R, dict[str, str]]:
    """Return the path, how it is read, and the names of fields that "PATH,key=value,…" says.

    Parameters
    ----------
    told
        As given on the command line.
    reading
        A frozen dataclass; holds where the file says nothing of its own.
    known
        The fields that may have another name in the file.

    Raises
    ------
    ParameterError
        If a key is unknown, or a value is of another kind or outside of its domain.
    """
    place, *said = _SAID.split(told)
    kinds = get_type_hints(type(reading))
    changes: dict[str, Any] = {}
    names: dict[str, str] = {}
    for part in said:
        key, _, value = (word.strip() for word in part.partition("="))
        if key in changes or key in names:
            raise ParameterError(f"{place}: {key} must be said once, got it twice. Leave one out.")
        if key in kinds:
            changes[key] = parse_value(f"{place}: {key}", kinds[key], value)
            _check_number(f"{place}: {key}", changes[key])
        elif key in known:
            names[key] = value
        else:
            every = (*kinds, *known)
            raise ParameterError(
                f"{place}: what is said of a file must have a known name, got {key!r}."
                f"{did_you_mean(key, every)} Choose one of {', '.join(every)}."
            )
    return expanded(place), replace(reading, **changes), names


def _check_number(name: str, value: object) -> None:
    """Raise unless a number is one that counts or measures something."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    least = 1 if isinstance(value, int) else 0
    if not value >= least:
        raise ParameterError(f"{name} must be at least {least}, got {value}. Raise it.")
    if math.isinf(value):
        raise ParameterError(f"{name} must be finite, got {value}. Leave it out.")


def _kind(path: Path, names: Mapping[str, str]) -> Literal["pairs", "gold"]:
    """Tell by the first row, and by what was named, what a file holds."""
    if any(end in names for end in _ENDS):
        return "pairs"
    _, first = next(iter(read_rows(path, what="training data")), (0, {}))
    return "pairs" if any(end in first for end in _ENDS) else "gold"
