"""Cleaning profiles: what a newsroom wants gone from its articles, as data in a TOML file."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import regex

from newsnest.errors import InputError, did_you_mean

Part = Literal["title", "text"]
Otherwise = Literal["drop", "empty"]

PARTS = get_args(Part)
_FOLDER = Path(__file__).with_name("profiles")
_SUFFIX = ".toml"


@dataclass(frozen=True)
class Replace:
    """Put `by`, literally, where a pattern of the package `regex` matches.

    A pattern never matches nothing at all. `parts` are "title", "text" (also a summary), or both.
    """

    rule: str
    pattern: str
    parts: tuple[str, ...] = PARTS
    by: str = " "
    ignore_case: bool = False

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        """The pattern, ready to be used."""
        return regex.compile(self.pattern, regex.IGNORECASE if self.ignore_case else 0)


@dataclass(frozen=True)
class Minimum:
    """How long a part must be after all replacements; a part that was empty before may stay so.

    Words stand between spaces and have a letter or a digit; `characters` are letters and digits,
    for languages that do not space their words. `otherwise` is to "drop" the article, or to "empty"
    the part and keep the article for what else it has.
    """

    rule: str
    part: str
    words: int = 0
    characters: int = 0
    otherwise: str = "drop"


@dataclass(frozen=True)
class Filter:
    """Drop articles by the value of a column of their file; `keep` keeps them and drops all others.

    The first of `columns` that a row has and that is not empty counts; a row without is kept. Case,
    accents, spaces and punctuation of names do not count; values are compared without case and
    outer spaces.
    """

    rule: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    keep: bool


@dataclass(frozen=True)
class Profile:
    """What is cleaned: filters first, then replacements in order, then the minimum lengths.

    Parameters
    ----------
    name
        Of a built-in profile, or of the file without its ending.
    about
        What it is for, in a line.
    filters, replace, minimum
        The rules; each has a name of its own.

    Example
    -------
    >>> load_profile("generic").name
    'generic'
    """

    name: str
    about: str = ""
    filters: tuple[Filter, ...] = ()
    replace: tuple[Replace, ...] = ()
    minimum: tuple[Minimum, ...] = ()

    @property
    def digest(self) -> str:
        """Hex digest of the rules: equal digests clean alike."""
        kinds = (self.filters, self.replace, self.minimum)
        rules = [[asdict(rule) for rule in kind] for kind in kinds]
        return hashlib.blake2b(json.dumps(rules).encode(), digest_size=16).hexdigest()


def profile_names() -> tuple[str, ...]:
    """Return the names of the built-in profiles."""
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}")))


def load_profile(name: str | Path) -> Profile:
    """Read a cleaning profile.

    Parameters
    ----------
    name
        Of a built-in profile (`profile_names`), or the path of a .toml file.

    Raises
    ------
    InputError
        If there is no such profile, or a rule in it cannot be used; the message names file, rule,
        key and cure.
    """
    known = profile_names()
    path = _FOLDER / f"{name}{_SUFFIX}" if str(name) in known else Path(name)
    with suppress(RuntimeError):  # "~nobody" of no user: the path as it stands is not there
        path = path.expanduser()
    if path.suffix != _SUFFIX:
        raise InputError(
            f"load_profile: profile must be one of {', '.join(known)} or the path of a .toml "
            f"file, got {str(name)!r}.{did_you_mean(str(name), known)} Check the spelling."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{path}: not TOML: {error}. Write patterns between ''' so that \\ stays as it is."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: must be readable, got {error.strerror or error}. Check the path."
        ) from error
    return _Reading(str(path)).profile(path.stem, content)


class _Reading:
    """Makes a profile of what TOML holds; says where it cannot."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.where = file
        self.rules: set[str] = set()

    def profile(self, name: str, content: Mapping[str, Any]) -> Profile:
        """Return the profile."""
        self.check_keys(content, ("about", "drop", "only", "replace", "minimum"))
        filters = [self.filter(t, keep=False) for t in self.tables(content, "drop")]
        filters += [self.filter(t, keep=True) for t in self.tables(content, "only")]
        replace = [self.replace(t) for t in self.tables(content, "replace")]
        minimum = [self.minimum(t) for t in self.tables(content, "minimum")]
        self.where = self.file
        about = self.text(content, "about", default="")
        if not (filters or replace or minimum):
            self.fail(
                "a profile", "hold a rule at least", "none", "Add a table such as [[replace]]"
            )
        return Profile(name, about, tuple(filters), tuple(replace), tuple(minimum))

    def tables(self, content: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
        """Return the tables of a kind, after looking whether each has a name of its own."""
        self.where = self.file
        tables = content.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            self.fail(kind, "be tables", repr(tables)[:60], f"Begin each rule with [[{kind}]]")
        return tables

    def begin(self, table: Mapping[str, Any], kind: str, keys: tuple[str, ...]) -> str:
        """Return the name of a rule; what fails from here on names it."""
        self.where = f"{self.file}, [[{kind}]]"
        rule = self.text(table, "rule")
        self.where = f"{self.file}, [[{kind}]] {rule!r}"
        if rule in self.rules:
            self.fail("rule", "be a name of its own", "it twice", "Rename one of the two")
        self.rules.add(rule)
        self.check_keys(table, ("rule", *keys))
        return rule

    def filter(self, table: Mapping[str, Any], *, keep: bool) -> Filter:
        """Return a rule of [[drop]] or [[only]]."""
        rule = self.begin(table, "only" if keep else "drop", ("column", "values"))
        return Filter(rule, self.texts(table, "column"), self.texts(table, "values"), keep)

    def replace(self, table: Mapping[str, Any]) -> Replace:
        """Return a rule of [[replace]]."""
        rule = self.begin(table, "replace", ("in", "pattern", "by", "ignore_case"))
        parts = self.texts(table, "in") if "in" in table else PARTS
        for part in parts:
            self.choose("in", part, PARTS)
        ignore_case = table.get("ignore_case", False)
        if not isinstance(ignore_case, bool):
            self.fail("ignore_case", "be true or false", repr(ignore_case), "Correct it")
        by = self.text(table, "by", default=" ", empty=True)
        own = Replace(rule, self.text(table, "pattern"), parts, by, ignore_case)
        try:
            matches_nothing = own.compiled.search("") is not None
        except regex.error as error:
            self.fail("pattern", "be a regular expression", f"one that is not: {error}", "Mend it")
        if matches_nothing:
            self.fail(
                "pattern", "match something", "one that matches nothing at all", "Replace * by +"
            )
        return own

    def minimum(self, table: Mapping[str, Any]) -> Minimum:
        """Return a rule of [[minimum]]."""
        rule = self.begin(table, "minimum", ("in", "words", "characters", "otherwise"))
        part = self.choose("in", self.text(table, "in"), PARTS)
        counts = {}
        for key in ("words", "characters"):
            counts[key] = table.get(key, 0)
            if not isinstance(counts[key], int) or isinstance(counts[key], bool) or counts[key] < 0:
                self.fail(key, "be a whole number from 0 on", repr(counts[key]), "Correct it")
        if not any(counts.values()):
            self.fail("words", "be 1 or more", "neither words nor characters", "Give one of them")
        otherwise = self.text(table, "otherwise", default="drop")
        self.choose("otherwise", otherwise, get_args(Otherwise))
        return Minimum(rule, part, counts["words"], counts["characters"], otherwise)

    def check_keys(self, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        """Fail at the first key that means nothing."""
        for key in table:
            if key not in known:
                cure = f"{did_you_mean(key, known)} Correct or delete it".strip()
                self.fail("a key", f"be one of {', '.join(known)}", repr(key), cure)

    def choose(self, key: str, value: str, known: tuple[str, ...]) -> str:
        """Return a value if it is a known one."""
        if value not in known:
            cure = f"{did_you_mean(value, known)} Choose one".strip()
            self.fail(key, f"be one of {', '.join(known)}", repr(value), cure)
        return value

    def text(
        self, table: Mapping[str, Any], key: str, *, default: str | None = None, empty: bool = False
    ) -> str:
        """Return a text; one that has a default may be left out."""
        value = table.get(key, default)
        if not isinstance(value, str) or not (value or empty or default is not None):
            self.fail(key, "be a text", "none" if value is None else repr(value), "Give one")
        return value

    def texts(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """Return a text or a list of them as a tuple."""
        value = table.get(key)
        values = [value] if isinstance(value, str) else value
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(v, str) for v in values)
        ):
            got = "none" if value is None else repr(value)
            self.fail(key, "be a text or a list of them", got, "Put texts between quotes")
        return tuple(values)

    def fail(self, key: str, constraint: str, got: str, cure: str) -> NoReturn:
        raise InputError(f"{self.where}: {key} must {constraint}, got {got}. {cure}.")
