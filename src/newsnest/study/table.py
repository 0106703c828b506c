"""Tables of a TOML file, read strictly: every error names file, line, key and cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.embed.weights import expanded
from newsnest.errors import InputError, did_you_mean

_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")


@dataclass(slots=True)
class Table:
    """One table, and where it stands.

    Parameters
    ----------
    file
        For messages.
    text
        Of the whole file; lines are looked up in it.
    path
        Names of the tables down to this one.
    content
        What it holds.
    """

    file: Path
    text: str
    path: tuple[str, ...]
    content: Mapping[str, Any]

    def at(self, *names: str) -> str:
        """Return file, line and name of a key, or of the table itself, for messages."""
        path = (*self.path, *names)
        line = line_of(self.text, path)
        return f"{self.file}{f', line {line}' if line else ''}: {shown(path)}"

    def error(self, key: str, must: str, got: object, cure: str) -> InputError:
        """Return the error that a key's value must be something else; "" is the table's own."""
        return InputError(f"{self.at(*filter(None, [key]))} must {must}, got {got}. {cure}")

    def has(self, key: str) -> bool:
        """Tell whether a key is there."""
        return key in self.content

    def table(self, key: str) -> Table | None:
        """Return the table below, None where there is none."""
        if key not in self.content:
            return None
        found = self.content[key]
        if not isinstance(found, dict):
            raise self.error(
                key, "be a table", repr(found), f"Write [{'.'.join((*self.path, key))}]."
            )
        return Table(self.file, self.text, (*self.path, key), found)

    def rest(self, known: Sequence[str]) -> None:
        """Raise if a key is left that is not known."""
        for key in self.content:
            if key not in known:
                near = did_you_mean(key, known)
                raise self.error(
                    key, "not stand there", "an unknown key",
                    f"{near.strip() + ' ' if near else ''}Known there: {', '.join(known)}.",
                )  # fmt: skip

    def string(self, key: str, default: str | None = None) -> str | None:
        """Return a text."""
        value = self.content.get(key, default)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise self.error(key, "be a text", repr(value), f'Write it as in {key} = "…".')
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """Return texts, one or a list of them; () where there is none."""
        value = self.content.get(key, ())
        told = [value] if isinstance(value, str) else list(value) if _listed(value) else [value]
        if not all(isinstance(one, str) and one.strip() for one in told) or (
            key in self.content and not told
        ):
            raise self.error(key, "be a text or a list of texts", repr(value), "Name one at least.")
        return tuple(told)

    def whole(self, key: str, default: int, *, least: int) -> int:
        """Return a whole number."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            must = f"be a whole number from {least} on"
            raise self.error(key, must, repr(value), f"The default is {default}.")
        return value

    def share(self, key: str, default: float, *, most: float = 1.0) -> float:
        """Return a number above 0, at most `most`."""
        value = self.content.get(key, default)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 < value <= most:
            must = f"be a number above 0 and at most {most:g}"
            raise self.error(key, must, repr(value), f"The default is {default:g}.")
        return float(value)

    def seeds(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return different seeds."""
        value = self.content.get(key, default)
        told = list(value) if _listed(value) else [value]
        whole = all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in told)
        if not told or not whole or len(set(told)) < len(told):
            must = "be different whole numbers from 0 on"
            raise self.error(key, must, repr(value), "Write it as in seeds = [0, 1, 2].")
        return tuple(told)

    def choice(self, key: str, default: str, known: Sequence[str]) -> str:
        """Return one of some words."""
        value = self.content.get(key, default)
        if value not in known:
            near = did_you_mean(str(value), known)
            cure = f"{near.strip()}{' ' * bool(near)}Choose one."
            raise self.error(key, f"be one of {', '.join(known)}", repr(value), cure)
        return str(value)

    def path_to(self, key: str, told: str) -> Path:
        """Return a path that stands in the file: it is meant from the file's own folder on."""
        path = self.file.parent / expanded(told)
        if not path.exists():
            raise self.error(
                key, "name a file that exists", repr(told),
                f"Check the path; it is meant from {self.file.parent.absolute()} on.",
            )  # fmt: skip
        return path


def _listed(value: object) -> bool:
    return isinstance(value, list | tuple)


def read_table(file: Path) -> Table:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is no TOML.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return Table(file, text, (), tomllib.loads(text))
    except OSError as error:
        raise InputError(
            f"{file}: must be a study's .toml file, got {error.strerror or error}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: must be UTF-8, got {error.reason}. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: must be TOML, got: {error}. Correct it there.") from error


def shown(path: Sequence[str]) -> str:
    """Return the name of a key as people write it.

    Example
    -------
    >>> shown(["training", "settings", "loss"])
    '[training.settings] loss'
    """
    if len(path) == 1:
        return f"[{path[0]}]"
    return f"[{'.'.join(path[:-1])}] {path[-1]}"


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
            table = _names(header[1])
            here = table
        elif key is not None:
            here = table + _names(key[1])
        else:
            continue
        if here == wanted[: len(here)] and len(here) > best[0]:
            best = (len(here), number)
    return best[1]


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
