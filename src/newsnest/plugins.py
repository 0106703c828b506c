"""Registries: the parts that come with newsnest, and those that other packages add.

A package adds a part by an entry point, without a change here. In its pyproject.toml:

    [project.entry-points."newsnest.encoders"]
    shout = "loud_news.encoders:SHOUT"

Groups: `newsnest.encoders`, `newsnest.describers`, `newsnest.losses`, `newsnest.recipes` and
`newsnest.readers`. What an entry point names is of the same class as the built-in parts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from newsnest.errors import NewsnestError, ParameterError, did_you_mean

if TYPE_CHECKING:  # at run time the first miss imports it, so that start-up stays light
    from importlib.metadata import EntryPoint


T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Parts by name: the built-in ones first, then those of entry points, by name.

    A built-in name is looked up without a look at other packages. Any other name, and listing all
    names, reads the metadata of installed packages; a package's code is imported only when its own
    part is asked for. So a broken package breaks none but its own names.

    Parameters
    ----------
    noun
        What one part is called in messages: "encoder".
    group
        The group of the entry points: "newsnest.encoders".
    kind
        The class of the parts; one that has a `name` has that of its entry point.
    built_in
        The parts of newsnest itself, in the order they are listed in.
    error
        Raised for names that cannot be used.

    Raises
    ------
    NewsnestError
        Of the class `error`: by `[name]` if the part of that name cannot be loaded or two packages
        offer it; by listing the names if a package offers a name that is built in.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Bell:
    ...     summary: str
    >>> bells = Registry("bell", "a.bells", Bell, {"small": Bell("rings"), "big": Bell("booms")})
    >>> list(bells), bells["big"].summary, "huge" in bells
    (['small', 'big'], 'booms', False)
    """

    def __init__(
        self,
        noun: str,
        group: str,
        kind: type[T],
        built_in: Mapping[str, T],
        *,
        error: type[NewsnestError] = ParameterError,
    ) -> None:
        self.noun = noun
        self.group = group
        self.built_in = dict(built_in)
        self._kind = kind
        self._error = error
        self._found: tuple[tuple[str, ...], dict[str, list[EntryPoint]]] = ((), {})
        self._loaded: dict[EntryPoint, T] = {}

    def __getitem__(self, name: str) -> T:
        if name in self.built_in:
            return self.built_in[name]
        return self._load(name, self._entry_points()[name])

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._entry_points()

    def __iter__(self) -> Iterator[str]:
        found = self._entry_points()
        for name in self.built_in:
            if name in found:
                raise self._error(
                    f"{self.group}: {name!r} must be a new name, got one that is built in, from "
                    f"package {_packages(found[name])}. Rename it there, or uninstall the package."
                )
        yield from self.built_in
        yield from sorted(found)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def names(self) -> list[str]:
        """Return every name that can be asked for, also of parts that cannot be loaded."""
        return [*self.built_in, *sorted(self._entry_points().keys() - self.built_in.keys())]

    def choose(self, name: str, *, function: str) -> T:
        """Return the part of a name; `function` begins the message if there is none.

        Raises
        ------
        NewsnestError
            Of the registry's class: no such name (the message lists those there are).
        """
        if name in self:
            return self[name]
        raise self._error(
            f"{function}: {self.noun} must be one of {', '.join(self)}, got {name!r}."
            f"{did_you_mean(name, self)} Check the spelling."
        )

    def summaries(self) -> dict[str, str]:
        """Return the `summary` of every part, or why it cannot be used. Never raises.

        The parts of other packages are imported for it.
        """
        lines = {name: _summary(part) for name, part in self.built_in.items()}
        for name, points in sorted(self._entry_points().items()):
            if name in self.built_in:
                lines[f"{name} of {_packages(points)}"] = "cannot be used: the name is built in"
                continue
            try:
                lines[name] = _summary(self[name])
            except NewsnestError as error:
                lines[name] = f"cannot be used: {error.for_people}"
        return lines

    def _entry_points(self) -> dict[str, list[EntryPoint]]:
        path = tuple(sys.path)
        if self._found[0] != path:
            from importlib.metadata import entry_points

            found: dict[str, list[EntryPoint]] = {}
            for point in entry_points(group=self.group):
                found.setdefault(point.name, []).append(point)
            self._found = path, found
        return self._found[1]

    def _load(self, name: str, points: list[EntryPoint]) -> T:
        if len(points) > 1:
            raise self._error(
                f"{self.group}: {name!r} must come from one package, got {_packages(points)}. "
                "Uninstall all but one."
            )
        point = points[0]
        if point not in self._loaded:
            package = _packages(points)
            try:
                part = point.load()
            except Exception as error:  # whatever the import of other people's code raises
                reason = f"{type(error).__name__}: {error}"
                raise self._error(
                    f"{self.group}: {name!r} of package {package} must load, got {reason}. "
                    f"Mend, update or uninstall {package}."
                ) from error
            fault = ""
            if not isinstance(part, self._kind):
                fault = f"be a {self._kind.__name__}, got {type(part).__name__}"
            elif (own := getattr(part, "name", name)) != name:
                fault = f"have that name itself, got {own!r}"
            if fault:
                raise self._error(
                    f"{self.group}: {name!r} of package {package} must {fault}. "
                    f"Mend, update or uninstall {package}."
                )
            self._loaded[point] = part
        return self._loaded[point]


def _summary(part: object) -> str:
    return str(getattr(part, "summary", ""))


def _packages(points: list[EntryPoint]) -> str:
    return " and ".join(sorted({p.dist.name if p.dist else p.value for p in points}))
