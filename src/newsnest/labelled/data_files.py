"""Files as `--data` names them: "PATH" or "PATH,key=value,…" with settings for that file alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_type_hints

from newsnest.corpus import Profile
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.values import parse_value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Reading(DataclassInstance, Protocol):
        """How a kind of file is read: a frozen dataclass that names the fields of its rows."""

        FIELDS: ClassVar[tuple[str, ...]]


R = TypeVar("R", bound="Reading")

_KEY = re.compile(r",(?=\s*\w+=)")


@dataclass(frozen=True, slots=True)
class DataFile(Generic[R]):
    """A file or folder to read, and how.

    Parameters
    ----------
    path
        Where it is.
    reading
        Per-file settings over the usual ones.
    fields
        Our name → their column, of what has another name there.
    profile
        The cleaning profile that the reading names, loaded.
    """

    path: Path
    reading: R
    fields: Mapping[str, str]
    profile: Profile | None = None


def parse_data(data: str, usual: R, *, folders: bool = False) -> DataFile[R]:
    """Return the file that "PATH,key=value,…" names.

    Parameters
    ----------
    data
        Keys are those of the reading, and its fields with their column in this file:
        "a.csv,scale=4:1,score=overall".
    usual
        Settings of a file that has none.
    folders
        Whether it may be a folder; nothing is checked then.

    Raises
    ------
    InputError
        If there is no such file.
    ParameterError
        If a key is unknown or given twice, or a value is of another kind or outside of its domain.
    """
    place, *parts = _KEY.split(data)
    kinds = {key: kind for key, kind in get_type_hints(type(usual)).items() if key != "FIELDS"}
    settings: dict[str, Any] = {}
    fields: dict[str, str] = {}
    for part in parts:
        key, _, value = (word.strip() for word in part.partition("="))
        if key in settings or key in fields:
            raise ParameterError(f"{place}: {key} must be given once, got it twice. Leave one out.")
        if key in kinds:
            settings[key] = parse_value(f"{place}: {key}", kinds[key], value)
            _check_number(f"{place}: {key}", settings[key])
        elif key in usual.FIELDS:
            fields[key] = value
        else:
            every = (*kinds, *usual.FIELDS)
            raise ParameterError(
                f"{place}: a per-file setting must be a known one, got {key!r}."
                f"{did_you_mean(key, every)} Choose one of {', '.join(every)}."
            )
    path = Path(place)
    with suppress(RuntimeError):  # "~nobody" of no user stays as it is
        path = path.expanduser()
    if not folders and not path.is_file():
        raise InputError(f"{path}: must be a file to train on, got none. Check the path.")
    return DataFile(path, replace(usual, **settings), fields)


def _check_number(name: str, value: object) -> None:
    """Raise unless a number is one that counts or measures something."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    minimum = 1 if isinstance(value, int) else 0
    if not value >= minimum:
        raise ParameterError(f"{name} must be at least {minimum}, got {value}. Raise it.")
    if math.isinf(value):
        raise ParameterError(f"{name} must be finite, got {value}. Leave it out.")
