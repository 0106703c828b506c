"""What people type → values of the kinds that dataclass fields are annotated with."""

import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from newsnest.errors import ParameterError


def parse_value(name: str, kind: Any, typed: str) -> Any:
    """Return the value of an annotated kind that a text stands for; `name` is for the message.

    Kinds are int, float, bool, str, a Literal, a tuple of these (its values joined by colons), or
    any of them or None ("none").

    Example
    -------
    >>> parse_value("scale", tuple[float, float], "4:1"), parse_value("seed", int | None, "none")
    ((4.0, 1.0), None)
    """
    options, optional = without_none(kind)
    bare = typed.strip()
    if optional and bare.lower() == "none":
        return None
    if get_origin(options) is Literal:
        return bare
    if get_origin(options) is tuple:
        parts = bare.split(":") if bare else []
        inner = get_args(options)
        kinds = [inner[0]] * len(parts) if inner[-1] is Ellipsis else list(inner)
        if len(parts) != len(kinds):
            raise _wrong(name, kind, typed)
        return tuple(parse_value(name, k, part) for k, part in zip(kinds, parts, strict=True))
    if options is bool:
        if bare.lower() not in ("true", "false"):
            raise _wrong(name, kind, typed)
        return bare.lower() == "true"
    if options in (int, float):
        try:
            return options(bare)
        except ValueError:
            raise _wrong(name, kind, typed) from None
    return typed


def without_none(kind: Any) -> tuple[Any, bool]:
    """Return a kind without None, and whether None was one of its values."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    rest = [k for k in get_args(kind) if k is not type(None)]
    assert len(rest) == 1, f"a setting is of one kind, got {kind}"
    return rest[0], True


_WORDS: Mapping[Any, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def _wrong(name: str, kind: Any, typed: str) -> ParameterError:
    options, optional = without_none(kind)
    if get_origin(options) is tuple:
        inner = get_args(options)
        wanted = f"{len(inner)} values joined by a colon"
    else:
        wanted = _WORDS.get(options, "a text")
    return ParameterError(
        f"{name} must be {wanted}{' or none' if optional else ''}, got {typed!r}. Correct it."
    )
