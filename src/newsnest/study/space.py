"""What a study tries: the settings of each stage, when they are used, and what they change."""

import math
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from newsnest.cluster import Reduction, finest_clusterer
from newsnest.errors import ParameterError
from newsnest.pipeline import Options
from newsnest.study import toml
from newsnest.study.toml import Key, TomlTable
from newsnest.train.recipes.pairs import PairsSettings
from newsnest.train.settings import parse_settings, setting_fields, written

if TYPE_CHECKING:
    from optuna.trial import Trial as Drawing

Value = str | int | float | bool
Params = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Choices:
    """One of some values; a single one is fixed."""

    values: tuple[Value, ...]

    @property
    def examples(self) -> tuple[Value, ...]:
        """What to check before anything is tried."""
        return self.values

    def content(self) -> Any:
        """Return it as JSON has it."""
        return list(self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, both included; whole if both are.

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
        """What to check before anything is tried."""
        return (self.low, self.high)

    def content(self) -> Any:
        """Return it as JSON has it."""
        return asdict(self)


Space = Mapping[str, Choices | Range]

PIPELINE: Mapping[str, type] = {
    "clusterer": str,
    "hdbscan_size": int,
    "kmeans_clusters": int,
    "reduce": str,
    "dims": int,
    "order": str,
    "centre": str,
    "min_similarity.theme": float,
    "min_similarity.topic": float,
    "min_similarity.story": float,
    "time_weight": float,
    "time_scale": float,
    "long_texts": str,
    "keep_copies": bool,
    "keep_boilerplate": bool,
}
"""Settings of the stage `pipeline`, in the order in which they are drawn; numbers may be ranges."""

KEYWORDS: Mapping[str, type] = {"keyword_terms": int, "keyword_characters": int}
"""Settings of the stage `keywords`."""

_MEASURED = (*(name for name in PIPELINE if "min_similarity" in name), "time_weight", "time_scale")
_FIRST = ("loss", "negatives")
_DECIDING = ("clusterer", "reduce", *_FIRST)
_SET_ELSEWHERE = ("seed", "report_to")
_SIZES = {"hdbscan": "hdbscan_size", "kmeans": "kmeans_clusters"}
_WORDS = {int: "whole numbers", float: "numbers", str: "texts", bool: "true or false"}


def training_settings() -> dict[str, type | None]:
    """Return the settings of the recipe `pairs`: int and float may be ranges, None is choices."""
    kinds = get_type_hints(PairsSettings)
    names = [
        field.name for field in setting_fields(PairsSettings) if field.name not in _SET_ELSEWHERE
    ]
    ordered = [*_FIRST, *(name for name in names if name not in _FIRST)]
    return {name: _number_kind(kinds[name]) for name in ordered}


def _number_kind(kind: Any) -> type | None:
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return next((own for own in options if own in (int, float)), None)


def read_space(table: TomlTable, stage: str) -> Space:
    """Read the settings of a stage: a value, a list of choices, or {low, high, log, step, default}.

    They are returned in the order in which they are drawn. Raises InputError if a setting is
    unknown or never used, a value is refused, or a range is empty.
    """
    training = stage == "training"
    known: Mapping[str, type | None] = (
        training_settings() if training else PIPELINE if stage == "pipeline" else KEYWORDS
    )
    flat = dict(_flat(table, known))
    TomlTable(table.file, table.text, table.path, flat).check_keys(list(known))
    found: dict[str, Choices | Range] = {}
    for name, kind in known.items():
        if name not in flat:
            continue
        if isinstance(flat[name], dict):
            found[name] = _range(table, name, flat[name], kind)
        else:
            found[name] = _choices(table, name, flat[name], None if training else kind)
        with table.checking(name):
            for value in found[name].examples:
                _check_training(name, value) if training else _check_pipeline(name, value)
    with table.checking(""):
        _check_sizes(found)
    asked = ASKED[stage]
    deciding = [name for name in _DECIDING if name in found]
    every = [dict(zip(deciding, one, strict=True))
             for one in product(*(found[name].examples for name in deciding))]  # fmt: skip
    for name in found:
        if not any(asked(name, own) for own in every):
            raise table.error(
                name, "be used together with the other settings", "no value of them that uses it",
                "Also try the setting it belongs to, or take it out.",
            )  # fmt: skip
    return found


def _flat(table: TomlTable, known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield settings with dotted names: min_similarity = {story = 0.4} is min_similarity.story."""
    for key, value in table.content.items():
        below = [name[len(key) + 1 :] for name in known if name.startswith(f"{key}.")]
        if isinstance(value, dict) and below:
            table.table(key).check_keys(below)
            yield from ((f"{key}.{inner}", content) for inner, content in value.items())
        else:
            yield key, value


def _choices(table: TomlTable, key: str, value: Any, kind: type | None) -> Choices:
    values = tuple(value) if isinstance(value, list) else (value,)
    plain = all(isinstance(one, str | int | float | bool) for one in values)
    if not values or not plain or len({(type(v), v) for v in values}) < len(values):
        must = "be a value, or a list of different ones"
        raise table.error(key, must, repr(value), "Give at least one.")
    if kind is float:
        values = tuple(float(v) if type(v) is int else v for v in values)
    if kind is not None and any(type(one) is not kind for one in values):
        raise table.error(key, f"be {_WORDS[kind]}", repr(value), "Correct it.")
    return Choices(values)


def _range(table: TomlTable, key: str, value: dict[str, Any], kind: type | None) -> Range:
    if kind not in (int, float):
        must = "be a value or a list of choices"
        raise table.error(key, must, repr(value), "Only numbers have ranges.")
    number, flag = _number(kind), toml.flag()
    schema = {"low": number, "high": number, "log": flag, "step": number, "default": flag}
    path = (*table.path, *key.split("."))
    inner = TomlTable(table.file, table.text, path, value).read(schema)
    low, high, log, step, default = (inner[name] for name in schema)
    for name in ("low", "high"):
        if inner[name] is None:
            raise inner.error(name, number.must, None, number.cure)
    if default and key not in _MEASURED:
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


def _number(kind: type) -> Key:
    kinds = (int,) if kind is int else (int, float)

    def read(value: Any) -> float:
        if type(value) not in kinds or not math.isfinite(value):
            raise ValueError
        return int(value) if kind is int else float(value)

    must = "be a whole number" if kind is int else "be a number"
    return Key(None, read, must, "Write a range as in {low = 2, high = 8}.")


def asked_in_pipeline(name: str, chosen: Params) -> bool:
    """Tell whether a setting is used beside those chosen before it."""
    clusterer = str(chosen.get("clusterer", "rac"))
    if name in _SIZES.values():
        return _SIZES.get(clusterer) == name
    if name in ("order", "min_similarity.story"):
        return clusterer == "rac"
    return name != "dims" or chosen.get("reduce", "none") != "none"


def asked_in_training(name: str, chosen: Params) -> bool:
    """Tell whether a setting of the recipe is used beside those chosen before it."""
    loss, negatives = str(chosen.get("loss", "mnr")), chosen.get("negatives", 0)
    needs: Mapping[str, bool] = {
        "negatives": loss != "megabatch",
        "mini_batch_size": loss != "mnr",
        "temperature": loss != "megabatch",
        "guide": loss == "guided" or bool(negatives),
        "guide_margin": loss == "guided",
        "positive_margin": loss == "megabatch",
        "negative_margin": loss == "megabatch",
        "mining_margin": bool(negatives),
        "mining_skip": bool(negatives),
    }
    return needs.get(name, True)


ASKED: Mapping[str, Callable[[str, Params], bool]] = {
    "training": asked_in_training,
    "pipeline": asked_in_pipeline,
    "keywords": lambda name, chosen: True,
}


def _check_pipeline(name: str, value: Value) -> None:
    """Raise ParameterError where a run refuses a value."""
    if name in _SIZES.values():
        kind = next(kind for kind, size in _SIZES.items() if size == name)
        finest_clusterer(f"{kind}:{value}")
    elif name == "reduce":
        Reduction(str(value), None if value == "none" else 2)
    elif name == "dims":
        Reduction("pca", int(value))
    elif name != "clusterer" or value not in _SIZES:
        options_with(Options(), {name: value})


def _check_training(name: str, value: Value) -> None:
    """Raise ParameterError where the recipe refuses a value, whatever the other settings are."""
    others = {"mini_batch_size": "loss=cached-mnr", "guide": "loss=guided"}
    beside = [others[name]] if name in others else []
    parse_settings(
        PairsSettings, [*beside, f"{name}={written(value)}"], data=["-"], base="-", output="-"
    )


def _check_sizes(space: Space) -> None:
    """Raise where a clusterer or a reduction is to be tried without the number it needs."""
    if "kmeans" in examples_of(space, "clusterer") and "kmeans_clusters" not in space:
        raise ParameterError(
            "kmeans_clusters must be given with the clusterer kmeans, got none. "
            "Write kmeans_clusters = {low = 10, high = 100}, or kmeans:50."
        )
    reducing = [own for own in examples_of(space, "reduce") if own != "none"]
    if reducing and "dims" not in space:
        Reduction(str(reducing[0]), None)  # raises: it needs a number


def examples_of(space: Space, name: str) -> tuple[Value, ...]:
    """Return what to check of a setting, () where it is not tried."""
    return space[name].examples if name in space else ()


def suggest(drawing: "Drawing", space: Space, stage: str) -> dict[str, Value]:
    """Return a value of every setting that is used; a single choice is not drawn.

    A setting that is left to newsnest is missing.
    """
    chosen: dict[str, Value] = {}
    for name, tried in space.items():
        if not ASKED[stage](name, chosen):
            continue
        if isinstance(tried, Choices):
            one = tried.values[0]
            chosen[name] = one if len(tried.values) == 1 else _drawn(drawing, name, tried.values)
        elif tried.default and _drawn(drawing, f"{name}=default", (True, False)):
            continue
        elif tried.whole:
            step = 1 if tried.step is None else int(tried.step)
            low, high = int(tried.low), int(tried.high)
            chosen[name] = drawing.suggest_int(name, low, high, step=step, log=tried.log)
        else:
            chosen[name] = drawing.suggest_float(
                name, tried.low, tried.high, step=tried.step, log=tried.log
            )
    return chosen


def _drawn(drawing: "Drawing", name: str, values: tuple[Value, ...]) -> Value:
    value = drawing.suggest_categorical(name, values)
    assert isinstance(value, str | int | float | bool)
    return value


def options_with(options: Options, params: Params) -> Options:
    """Return the options of a run changed by what a stage chose.

    Example
    -------
    >>> options_with(Options(), {"clusterer": "hdbscan", "hdbscan_size": 3}).clusterer
    'hdbscan:3'
    """
    changes: dict[str, Any] = {}
    similar = dict(options.min_similarity)
    for name, value in params.items():
        if name.startswith("min_similarity."):
            similar[name.partition(".")[2]] = float(value)
        elif name not in _SIZES.values():
            changes[name] = value
    size = _SIZES.get(str(params.get("clusterer")))
    if size is not None and size in params:
        changes["clusterer"] = f"{params['clusterer']}:{params[size]}"
    return replace(options, **changes, min_similarity=similar)
