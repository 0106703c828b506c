"""Settings that are tried: choices, and ranges of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from newsnest.errors import InputError, NewsnestError
from newsnest.study.table import Table

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = str | int | float | bool
_WORDS = {int: "whole numbers", float: "numbers", str: "texts", bool: "true or false"}
_RANGE = ("low", "high", "log", "step", "default")


@dataclass(frozen=True, slots=True)
class Choices:
    """One of some values; a single one is fixed."""

    values: tuple[Value, ...]

    @property
    def examples(self) -> tuple[Value, ...]:
        """What is worth checking before anything is tried."""
        return self.values

    def content(self) -> Any:
        """Return it as JSON has it."""
        return list(self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, both included; whole where both are.

    With `default` there is one more choice: to leave it to newsnest, which measures it.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    default: bool = False

    @property
    def whole(self) -> bool:
        """Whether numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def examples(self) -> tuple[Value, ...]:
        """What is worth checking before anything is tried."""
        return (self.low, self.high)

    def content(self) -> Any:
        """Return it as JSON has it."""
        told: dict[str, Any] = {"low": self.low, "high": self.high, "log": self.log}
        return {**told, "step": self.step, "default": self.default}


_EITHER = (True, False)
Space = Mapping[str, Choices | Range]
Asked = Callable[[str, Mapping[str, Value]], bool]
"""Whether a setting means something beside those chosen before it."""


def examples_of(space: Space, name: str) -> tuple[Value, ...]:
    """Return what is worth checking of a setting, () where it is not tried."""
    return space[name].examples if name in space else ()


def read_space(
    table: Table,
    known: Mapping[str, type | None],
    *,
    strict: bool = True,
    measured: Collection[str] = (),
) -> dict[str, Choices | Range]:
    """Read settings: a value, a list of choices, or {low, high, log, step}.

    Parameters
    ----------
    table
        Its keys are settings; a dotted one is a table of tables.
    known
        Every setting in the order in which they are asked for, and its kind; an int or a float may
        be a range.
    strict
        Choices must be of that kind, too; else somebody checks them afterwards.
    measured
        Those that newsnest measures where nobody says them: their ranges may have `default`.

    Returns
    -------
    dict
        In the order of `known`.

    Raises
    ------
    InputError
        If a key is unknown, a range is empty or of a wrong kind, or there is no choice.
    """
    found: dict[str, Choices | Range] = {}
    flat: dict[str, tuple[Table, str]] = {}
    for key, value in table.content.items():
        if any(name.startswith(f"{key}.") for name in known) and isinstance(value, dict):
            below = table.table(key)
            assert below is not None
            below.rest([name[len(key) + 1 :] for name in known if name.startswith(f"{key}.")])
            flat |= {f"{key}.{inner}": (below, inner) for inner in value}
        else:
            flat[key] = (table, key)
    Table(table.file, table.text, table.path, dict.fromkeys(flat)).rest(list(known))
    for name, kind in known.items():
        if name in flat:
            own, key = flat[name]
            value = own.content[key]
            if isinstance(value, dict):
                found[name] = _range(own, key, kind, may_default=name in measured)
            else:
                found[name] = _choices(own, key, kind if strict else None)
    return found


def _choices(table: Table, key: str, kind: type | None) -> Choices:
    value = table.content[key]
    values = tuple(value) if isinstance(value, list) else (value,)
    plain = all(isinstance(one, str | int | float | bool) for one in values)
    if not values or not plain or len({(type(v), v) for v in values}) < len(values):
        raise table.error(
            key, "be a value, or a list of different ones", repr(value), "Give one at least."
        )
    if kind is float:
        values = tuple(float(v) if type(v) is int else v for v in values)
    if kind is not None and any(type(one) is not kind for one in values):
        raise table.error(key, f"be {_WORDS[kind]}", repr(value), "Correct it.")
    return Choices(values)


def _range(table: Table, key: str, kind: type | None, *, may_default: bool) -> Range:
    inner = table.table(key)
    assert inner is not None
    if kind not in (int, float):
        raise table.error(
            key, "be a value or a list of choices", repr(dict(inner.content)),
            "Only numbers have ranges.",
        )  # fmt: skip
    inner.rest(_RANGE)
    low, high = (_checked(inner, name, kind) for name in ("low", "high"))
    step = _checked(inner, "step", kind) if inner.has("step") else None
    log, default = (_flag(inner, name) for name in ("log", "default"))
    if default and not may_default:
        must = "stand with what newsnest measures: min_similarity, time_weight or time_scale"
        raise inner.error("default", must, key, "Leave it out.")
    if low >= high:
        raise inner.error("high", f"be more than low, {low:g}", f"{high:g}", "Swap or widen them.")
    if step is not None:
        steps = (high - low) / step if step > 0 else 0.0
        if steps < 1 or not math.isclose(steps, round(steps), abs_tol=1e-9):
            raise inner.error("step", "be above 0 and divide the range", f"{step:g}", "Change it.")
    if log and (low <= 0 or step is not None):
        got = f"low {low:g}" + (f" and step {step:g}" if step is not None else "")
        raise inner.error("log", "stand with a low above 0 and without step", got, "Leave log out.")
    return Range(low, high, log, step, default)


def _flag(table: Table, name: str) -> bool:
    value = table.content.get(name, False)
    if not isinstance(value, bool):
        raise table.error(name, "be true or false", repr(value), "Leave it out for false.")
    return value


def _checked(table: Table, name: str, kind: type) -> float:
    """Return a number of a range: an int where it must be whole, else a float."""
    value = table.content.get(name)
    kinds = (int,) if kind is int else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value):
        return value if kind is int else float(value)
    must = "be a whole number" if kind is int else "be a number"
    raise table.error(name, must, repr(value), "Write a range as in {low = 2, high = 8}.")


def suggest(trial: Trial, space: Space, asked: Asked) -> dict[str, Value]:
    """Return a value of every setting that means something; a single choice is not drawn.

    A setting that is left to newsnest is not there.
    """
    chosen: dict[str, Value] = {}
    for name, own in space.items():
        if not asked(name, chosen):
            continue
        if isinstance(own, Range) and own.default and _drawn(trial, f"{name}=default", _EITHER):
            continue
        if isinstance(own, Choices):
            one = own.values[0]
            chosen[name] = one if len(own.values) == 1 else _drawn(trial, name, own.values)
        elif own.whole:
            step = 1 if own.step is None else int(own.step)
            chosen[name] = trial.suggest_int(
                name, int(own.low), int(own.high), step=step, log=own.log
            )
        else:
            chosen[name] = trial.suggest_float(name, own.low, own.high, step=own.step, log=own.log)
    return chosen


def _drawn(trial: Trial, name: str, values: tuple[Value, ...]) -> Value:
    value = trial.suggest_categorical(name, values)
    assert isinstance(value, str | int | float | bool)
    return value


def check_space(table: Table, space: Space, check: Callable[[str, Value], None]) -> None:
    """Raise InputError with file and line where `check` refuses an example of a setting."""
    for name, own in space.items():
        for value in own.examples:
            try:
                check(name, value)
            except NewsnestError as error:
                at = table.at(*name.split("."))
                raise InputError(f"{at}: {error.for_people}") from error
