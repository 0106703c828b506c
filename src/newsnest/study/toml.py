"""TOML files read strictly by a schema: every error names file, line, key and cure."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsnest.errors import InputError, NewsnestError, did_you_mean

_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: its default, how it is read, and the `must` and `cure` of its error.

    `read` returns the value, or raises ValueError with a cure of its own, or without one.
    """

    default: Any
    read: Callable[[Any], Any]
    must: str
    cure: str


@dataclass(frozen=True, slots=True)
class TomlTable:
    """One table, and where it stands: `path` names the tables down to it.

    `text` is that of the whole file, in which lines are looked up; `content` is the table as TOML
    has it, `values` as the schema has it, defaults included.
    """

    file: Path
    text: str
    path: tuple[str, ...]
    content: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def at(self, key: str) -> str:
        """Return file, line and name of a key, "" of the table itself, for messages."""
        path = (*self.path, *filter(None, key.split(".")))
        line = line_of(self.text, path)
        name = f"[{'.'.join(path[:-1])}] {path[-1]}" if len(path) > 1 else f"[{path[0]}]"
        return f"{self.file}{f', line {line}' if line else ''}: {name}"

    def error(self, key: str, must: str, got: object, cure: str) -> InputError:
        """Return the error that the value of a key, or the table itself, must be another."""
        return InputError(f"{self.at(key)} must {must}, got {got}. {cure}")

    @contextmanager
    def checking(self, key: str) -> Iterator[None]:
        """Add file, line and key to an error that a value raises."""
        try:
            yield
        except NewsnestError as error:
            raise InputError(f"{self.at(key)}: {error.for_people}") from error

    def table(self, key: str) -> "TomlTable":
        """Return the table under a key."""
        found = self.content[key]
        if not isinstance(found, dict):
            name = ".".join((*self.path, key))
            raise self.error(key, "be a table", repr(found), f"Write [{name}].")
        return TomlTable(self.file, self.text, (*self.path, key), found)

    def check_keys(self, known: Sequence[str]) -> None:
        """Raise if there is a key that is not known."""
        for key in self.content:
            if key not in known:
                near = did_you_mean(key, known)
                cure = f"{near.strip() + ' ' if near else ''}Known there: {', '.join(known)}."
                raise self.error(key, "be a known key", "an unknown one", cure)

    def read(self, schema: Mapping[str, Key]) -> "TomlTable":
        """Return the table with its values, each checked."""
        self.check_keys(list(schema))
        values = {name: self._value(name, key) for name, key in schema.items()}
        return TomlTable(self.file, self.text, self.path, self.content, values)

    def _value(self, name: str, key: Key) -> Any:
        if name not in self.content:
            return key.default
        value = self.content[name]
        try:
            return key.read(value)
        except ValueError as error:
            raise self.error(name, key.must, repr(value), str(error) or key.cure) from None


def read_tables(
    file: Path, schema: Mapping[str, Mapping[str, Key]]
) -> tuple[TomlTable, dict[str, TomlTable]]:
    """Read a TOML file; return its top, and every table of the schema that is there.

    Raises InputError if it cannot be read, is no TOML, or has a key or a value against the schema.
    """
    try:
        text = file.read_text(encoding="utf-8")
        top = TomlTable(file, text, (), tomllib.loads(text))
    except OSError as error:
        raise InputError(
            f"{file}: must be a study's .toml file, got {error.strerror or error}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: must be UTF-8, got {error.reason}. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: must be TOML, got: {error}. Correct it there.") from error
    top.check_keys(list(schema))
    return top, {key: top.table(key).read(schema[key]) for key in schema if key in top}


def text(default: str | None = None) -> Key:
    """Return the key of a text."""
    return Key(default, _checked(_is_text), "be a text", "Write it in quotes.")


def texts() -> Key:
    """Return the key of one text or a list of them; () where there is none."""
    return Key((), _several(_is_text), "be a text or a list of texts", "Name at least one.")


def whole(default: int, *, minimum: int) -> Key:
    """Return the key of a whole number."""
    read = _checked(lambda value: type(value) is int and value >= minimum)
    must = f"be a whole number of at least {minimum}"
    return Key(default, read, must, f"The default is {default}.")


def share(default: float, *, maximum: float = 1.0) -> Key:
    """Return the key of a number above 0, and up to `maximum`."""
    read = _checked(lambda value: type(value) in (int, float) and 0 < value <= maximum)
    must = f"be a number above 0 and at most {maximum:g}"
    return Key(default, lambda value: float(read(value)), must, f"The default is {default:g}.")


def flag() -> Key:
    """Return the key of true or false."""
    read = _checked(lambda value: isinstance(value, bool))
    return Key(False, read, "be true or false", "Leave it out for false.")


def seeds(*default: int) -> Key:
    """Return the key of different seeds."""
    read = _several(lambda value: type(value) is int and value >= 0, different=True)
    return Key(default, read, "be different whole numbers", "Write it as in seeds = [0, 1, 2].")


def choice(default: str | None, known: Sequence[str]) -> Key:
    """Return the key of one of some words."""

    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"{did_you_mean(str(value), known)} Choose one.".strip())
        return str(value)

    return Key(default, read, f"be one of {', '.join(known)}", "")


def mapping() -> Key:
    """Return the key of a table of texts."""
    read = _checked(lambda v: isinstance(v, dict) and all(map(_is_text, v.values())))
    return Key({}, read, "be a table of texts", 'Write it as in fields = {text = "body"}.')


def anything() -> Key:
    """Return the key of what is read later."""
    return Key(None, lambda value: value, "", "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _checked(fits: Callable[[Any], bool]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not fits(value):
            raise ValueError
        return value

    return read


def _several(fits: Callable[[Any], bool], *, different: bool = False) -> Callable[[Any], Any]:
    def read(value: Any) -> tuple[Any, ...]:
        values = tuple(value) if isinstance(value, list) else (value,)
        if not values or not all(map(fits, values)):
            raise ValueError
        if different and len(set(values)) < len(values):
            raise ValueError
        return values

    return read


def line_of(text: str, path: Sequence[str]) -> int | None:
    r"""Return the line on which a key stands, or the nearest table above it; None if neither.

    Example
    -------
    >>> line_of("[a]\nb = 1\n[a.c]\nd.e = 2\n", ["a", "c", "d", "e"])
    4
    """
    wanted = list(path)
    table: list[str] = []
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            here = table = _names(header[1])
        elif key is not None:
            here = table + _names(key[1])
        else:
            continue
        if here == wanted[: len(here)] and len(here) > best[0]:
            best = (len(here), number)
    return best[1]


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
