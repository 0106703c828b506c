"""Files as `--data` names them: "PATH" or "PATH,key=value,…" with settings for that file alone."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, get_type_hints

from newsnest.corpus import Profile, load_profile
from newsnest.corpus.origin import refuse_address
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.values import parse_value


@dataclass(frozen=True, slots=True)
class Reading:
    """How a kind of file is read; every kind adds its settings as fields."""

    FIELDS: ClassVar[tuple[str, ...]] = ()
    """Fields of its rows, which may have another name in a file."""
    FOLDERS: ClassVar[bool] = False
    """Whether folders are read as well as files."""

    def completed(self, path: Path) -> Self:
        """Return it with what only the file can tell."""
        return self


R = TypeVar("R", bound=Reading)

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


def parse_data(data: Sequence[str], usual: R) -> list[DataFile[R]]:
    """Return the files that `--data` names, each "PATH" or "PATH,key=value,…".

    Parameters
    ----------
    data
        Keys are the settings of the reading, and its fields with their column in this file:
        "a.csv,scale=4:1,score=overall".
    usual
        Settings of a file that has none.

    Raises
    ------
    InputError
        If there is no such file, or its cleaning profile cannot be used.
    ParameterError
        If a key is unknown or given twice, or a value is of another kind or outside of its domain.

    Example
    -------
    >>> from newsnest.labelled import TextReading
    >>> (file,) = parse_data(["news.csv,text=body,gold=topic"], TextReading())
    >>> file.path.name, file.reading.gold, dict(file.fields)
    ('news.csv', 'topic', {'text': 'body'})
    """
    return [_parsed(one, usual) for one in data]


def _parsed(data: str, usual: R) -> DataFile[R]:
    place, *parts = _KEY.split(data)
    kinds = {key: kind for key, kind in get_type_hints(type(usual)).items() if key.islower()}
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
    refuse_address(place, "data")
    path = Path(place)
    with suppress(RuntimeError):  # "~nobody" of no user stays as it is
        path = path.expanduser()
    if not usual.FOLDERS and not path.is_file():
        raise InputError(f"{path}: must be a file to train on, got none. Check the path.")
    reading = replace(usual, **settings).completed(path)
    name = getattr(reading, "profile", None)
    if name is None:
        return DataFile(path, reading, fields)
    profile = load_profile(name)
    named = {"profile": f"{profile.name} {profile.digest}"}
    return DataFile(path, replace(reading, **named), fields, profile)


def _check_number(name: str, value: object) -> None:
    """Raise unless a number is one that counts or measures something."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    minimum = 1 if isinstance(value, int) else 0
    if not value >= minimum:
        raise ParameterError(f"{name} must be at least {minimum}, got {value}. Raise it.")
    if math.isinf(value):
        raise ParameterError(f"{name} must be finite, got {value}. Leave it out.")
