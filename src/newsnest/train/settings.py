"""Settings of recipes: a frozen dataclass each, filled from `--set key=value`, checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from newsnest.errors import ParameterError, did_you_mean
from newsnest.values import parse_value, without_none

_GIVEN = ("data", "base", "output")
"""Fields that are options of their own on the command line, not settings."""


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What every recipe needs; recipes add fields, each made with `setting`.

    Parameters
    ----------
    data
        Files to train on, as given: a path, and what is said of it, such as
        "pairs.csv,scale=4:1" (see `newsnest.train.data.files`).
    base
        The encoder to start from: a name, a path, or a hub id.
    output
        The folder to write.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, or there is no data.
    """

    data: tuple[str, ...]
    base: str
    output: Path

    def __post_init__(self) -> None:
        if not self.data:
            raise ParameterError(
                f"{type(self).__name__}: data must name one file at least, got none. "
                "Give --data FILE."
            )
        kinds = get_type_hints(type(self))
        for own in setting_fields(type(self)):
            value = _as_annotated(kinds[own.name], getattr(self, own.name))
            object.__setattr__(self, own.name, value)  # frozen from here on
            check_value(own, kinds[own.name], value)


S = TypeVar("S", bound=RecipeSettings)


def setting(
    default: Any,
    meaning: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    flag: str | None = None,
) -> Any:
    """Return a dataclass field with a default, its meaning in a line, and its bounds.

    Parameters
    ----------
    default
        Must not be mutable.
    meaning
        Shown by `newsnest train RECIPE --help`.
    least, above, most
        A number must be at least `least`, more than `above` and at most `most`.
    flag
        An option of its own on the command line, such as "-k", beside `--set`; None: none.
    """
    bounds = {"least": least, "above": above, "most": most}
    return field(default=default, metadata={"meaning": meaning, "flag": flag, **bounds})


def seed_setting(meaning: str) -> Any:
    """Return the field of a seed; libraries take up to 2³² − 1, and some count up from it."""
    return setting(0, meaning, least=0, most=2**31)


@dataclass(frozen=True, kw_only=True)
class DataSettings(RecipeSettings):
    """How pairs are read from files, and which of them validate; for recipes trained on pairs."""

    scale: tuple[float, float] = setting(
        (0.0, 1.0), "score of two different texts and of the most similar ones: 4:1, or 0:5"
    )
    same_is: float = setting(
        0.75,
        "what the most similar score means: .75 the same story, 1 the same text",
        above=0,
        most=1,
    )
    per_grade: int = setting(2000, "most pairs of a grade built from each gold file", least=1)
    max_days: float | None = setting(
        None, "most days between two articles of a gold story to be a pair", least=0
    )
    most: int | None = setting(None, "most pairs taken of each file", least=2)
    hard: float = setting(
        0.5, "share of very dissimilar pairs built from neighbouring themes", least=0, most=1
    )
    validation: float = setting(
        0.1, "share split off to validate on, of files without such a split", above=0, most=0.5
    )
    validation_pairs: int = setting(2000, "most pairs to validate on", least=2)


@dataclass(frozen=True, kw_only=True)
class ModelSettings(RecipeSettings):
    """What is trained and where; for recipes that train a transformer."""

    prefix: str | None = setting(None, "put before every text; none: the base's own")
    pooling: Literal["mean", "cls", "max"] | None = setting(
        None, "how token vectors become one; none: the base's own"
    )
    max_length: int | None = setting(None, "tokens read of a text; none: the base's own", least=4)
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "of the computing; auto: bfloat16 where the device is made for it"
    )
    device: Literal["auto", "cpu"] = setting("auto", "where to train")


@dataclass(frozen=True, kw_only=True)
class TrainerSettings(ModelSettings):
    """How weights are trained, by the trainer of sentence-transformers."""

    average: float = setting(0.0, "share of the base in the final weights; 0: off", least=0, most=1)
    epochs: float = setting(3.0, "times every pair is seen, at most", above=0)
    batch_size: int = setting(32, "pairs a batch, on each device", least=2)
    mini_batch_size: int | None = setting(
        None, "texts encoded at a time, with cached gradients; none: the whole batch", least=1
    )
    learning_rate: float | None = setting(None, "highest; none: 2e-5, with lora 2e-4", above=0)
    warmup: float = setting(0.1, "share of the steps until it is reached", least=0, most=0.9)
    weight_decay: float = setting(0.01, "of AdamW", least=0)
    evaluations: int = setting(2, "validations, and checkpoints, an epoch", least=1)
    patience: int = setting(2, "validations without a better one until training ends", least=1)
    lora: int | None = setting(
        None, "rank of LoRA adapters; none: all weights are trained", least=1
    )
    report_to: tuple[str, ...] = setting(
        ("none",), "trackers of the trainer, such as tensorboard:wandb"
    )
    seed: int = seed_setting("decides splits, pairs, batches and dropout")

    USUAL_RATE: ClassVar[float] = 2e-5

    @property
    def highest_rate(self) -> float:
        """The highest learning rate: the one that is set, or the usual, ten times with LoRA."""
        return self.learning_rate or (10 * self.USUAL_RATE if self.lora else self.USUAL_RATE)


def setting_fields(kind: type[RecipeSettings]) -> list[Field[Any]]:
    """Return the fields of a recipe's settings that `--set` fills, in their order."""
    return [own for own in fields(kind) if own.name not in _GIVEN]


def parse_settings(
    kind: type[S],
    assignments: Sequence[str],
    *,
    data: Iterable[str],
    base: str,
    output: str | Path,
) -> S:
    """Return the settings of a recipe from what stands on the command line.

    Parameters
    ----------
    kind
        The recipe's dataclass.
    assignments
        "key=value" each. Numbers as usual, true and false, none where a setting may be None,
        several values joined by a colon (scale=4:1). Spaces of a value are kept.
    data, base, output
        See `RecipeSettings`.

    Raises
    ------
    ParameterError
        If an assignment has no "=", its key is unknown or given twice, or the value is of another
        kind or outside of its domain.

    Example
    -------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Mine(RecipeSettings):
    ...     rate: float = setting(0.1, "learning rate", above=0)
    >>> parse_settings(Mine, ["rate=2e-5"], data=["a.csv"], base="minilm", output="m").rate
    2e-05
    """
    kinds = get_type_hints(kind)
    known = [own.name for own in setting_fields(kind)]
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, told = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ParameterError(
                f"parse_settings: --set must be key=value, got {assignment!r}. "
                "Write it as in --set seed=1."
            )
        if key not in known:
            raise ParameterError(
                f"parse_settings: --set must name a setting of the recipe, got {key!r}."
                f"{did_you_mean(key, known)} Choose one of {', '.join(known)}."
            )
        if key in values:
            raise ParameterError(
                f"parse_settings: --set {key} must be given once, got it twice. Keep one."
            )
        values[key] = parse_value(f"--set {key}", kinds[key], told)
    return kind(data=tuple(data), base=base, output=Path(output), **values)


def settings_content(settings: RecipeSettings) -> dict[str, Any]:
    """Return settings as JSON has them, without the place they are written to."""
    content = asdict(settings)
    del content["output"]
    return {key: list(v) if isinstance(v, tuple) else v for key, v in content.items()}


def describe_settings(kind: type[RecipeSettings]) -> list[tuple[str, str, str]]:
    """Return name, default and meaning of every setting, as people write them."""
    kinds = get_type_hints(kind)
    return [
        (own.name, written(own.default), own.metadata["meaning"] + _choices(kinds[own.name]))
        for own in setting_fields(kind)
    ]


def written(value: Any) -> str:
    """Return a value as `--set` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ":".join(map(written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def check_value(own: Field[Any], kind: Any, value: Any) -> None:
    """Raise ParameterError unless a value is in the domain of its field."""
    options, optional = without_none(kind)
    if optional and value is None:
        return
    if get_origin(options) is Literal:
        if value not in get_args(options):
            known = list(map(str, get_args(options)))
            raise ParameterError(
                f"{own.name} must be one of {', '.join(known)}, got {value!r}."
                f"{did_you_mean(str(value), known)} Choose one."
            )
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    least, above, most = (own.metadata.get(key) for key in ("least", "above", "most"))
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", least), ("more than", above), ("at most", most))
        if bound is not None
    ]
    fits = (
        math.isfinite(value)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
    )
    if not fits:
        raise ParameterError(
            f"{own.name} must be {' and '.join(bounds) or 'finite'}, got {value:g}. "
            f"The default is {written(own.default)}."
        )


def _as_annotated(kind: Any, value: Any) -> Any:
    """Return 3 as 3.0 where a number need not be whole: equal settings are written alike."""
    options, _ = without_none(kind)
    if get_origin(options) is tuple and isinstance(value, list | tuple):
        inner = get_args(options)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return tuple(_as_annotated(k, part) for k, part in zip(kinds, value, strict=True))
    if options is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _choices(kind: Any) -> str:
    options = without_none(kind)[0]
    return f" ({', '.join(get_args(options))})" if get_origin(options) is Literal else ""
