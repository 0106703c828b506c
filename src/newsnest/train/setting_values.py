"""One setting: its field, and its value read from text, checked and written."""

import math
from dataclasses import Field, field
from typing import Any, Literal, get_args, get_origin

from newsnest.errors import ParameterError, did_you_mean
from newsnest.values import without_none


def setting(  # noqa: PLR0913 (a field has so many sides)
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    flag: str | None = None,
    encoder: bool = False,
) -> Any:
    """Return a dataclass field with a default, a one-line meaning, and bounds.

    Parameters
    ----------
    default
        Must not be mutable.
    meaning
        Shown by `newsnest train RECIPE --help`.
    minimum, above, maximum
        A number must be at least `minimum`, more than `above` and at most `maximum`.
    flag
        A command-line option of its own, such as "-k", beside `--set`; None: none.
    encoder
        Whether the value names a second encoder: a folder that has changed makes another training.
    """
    bounds = {"minimum": minimum, "above": above, "maximum": maximum}
    return field(
        default=default,
        metadata={"meaning": meaning, "flag": flag, "encoder": encoder, **bounds},
    )


def split_setting(default: float) -> Any:
    """Return the field of the share of pairs that validate."""
    meaning = "share held out for validation from files without a validation split"
    return setting(default, meaning, above=0, maximum=0.5)


def written(value: Any) -> str:
    """Return a value as `--set` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ":".join(map(written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def check_value(checked: Field[Any], kind: Any, value: Any) -> None:
    """Raise ParameterError unless a value is in the domain of its field."""
    options, optional = without_none(kind)
    if optional and value is None:
        return
    if get_origin(options) is Literal:
        if value not in get_args(options):
            known = list(map(str, get_args(options)))
            raise ParameterError(
                f"{checked.name} must be one of {', '.join(known)}, got {value!r}."
                f"{did_you_mean(str(value), known)} Choose one."
            )
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    minimum, above, maximum = (checked.metadata.get(key) for key in ("minimum", "above", "maximum"))
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", minimum), ("more than", above), ("at most", maximum))
        if bound is not None
    ]
    fits = (
        math.isfinite(value)
        and (minimum is None or value >= minimum)
        and (above is None or value > above)
        and (maximum is None or value <= maximum)
    )
    if not fits:
        raise ParameterError(
            f"{checked.name} must be {' and '.join(bounds) or 'finite'}, got {value:g}. "
            f"The default is {written(checked.default)}."
        )


def as_annotated(kind: Any, value: Any) -> Any:
    """Return 3 as 3.0 where a number need not be whole: equal settings are written alike."""
    options, _ = without_none(kind)
    if get_origin(options) is tuple and isinstance(value, list | tuple):
        inner = get_args(options)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return tuple(as_annotated(k, part) for k, part in zip(kinds, value, strict=True))
    if options is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def choices(kind: Any) -> str:
    """Return the values that a field allows, in brackets; "" where they are not a few."""
    options = without_none(kind)[0]
    return f" ({', '.join(get_args(options))})" if get_origin(options) is Literal else ""
