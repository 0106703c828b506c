"""Settings of recipes: a frozen dataclass each, filled from `--set key=value`, checked once.

A recipe's class joins what it trains (`ModelSettings`, `TrainerSettings`) and what it reads
(`GradedSettings`, `ColumnSettings`, `TranslationSettings`, `ArticleSettings`), and adds its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import Field, asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_type_hints

from newsnest.errors import ParameterError, did_you_mean
from newsnest.train import setting_values as values
from newsnest.train.setting_values import setting, split_setting, written
from newsnest.values import parse_value

__all__ = [
    "ArticleSettings", "ColumnSettings", "GradedSettings", "Kind", "ModelSettings",
    "RecipeSettings", "SplitSettings", "TrainerSettings", "TranslationSettings", "check_name",
    "describe_settings", "parse_settings", "setting", "setting_fields", "settings_content",
    "split_setting", "written",
]  # fmt: skip

_GIVEN = ("data", "base", "output")
"""Fields that are options of their own on the command line, not settings."""

Kind = Literal["pairs", "columns", "translations", "articles"]
"""What data files hold: graded pairs (or gold labels to build them from), any two columns of texts,
sentences and their translations, or articles."""


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What every recipe needs; recipes add fields, each made with `setting`.

    Parameters
    ----------
    data
        Files to train on: a path, and optional settings of that file, such as
        "pairs.csv,scale=4:1".
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
    # Libraries take up to 2³² − 1, and some count up from it.
    seed: int = setting(0, "random seed", minimum=0, maximum=2**31)

    READS: ClassVar[Kind] = "pairs"
    """What its data files hold."""

    def __post_init__(self) -> None:
        if not self.data:
            raise ParameterError(
                f"{type(self).__name__}: data must name at least one file, got none. "
                "Give --data FILE."
            )
        kinds = get_type_hints(type(self))
        for one in setting_fields(type(self)):
            value = values.as_annotated(kinds[one.name], getattr(self, one.name))
            object.__setattr__(self, one.name, value)  # frozen from here on
            values.check_value(one, kinds[one.name], value)


S = TypeVar("S", bound=RecipeSettings)


@dataclass(frozen=True, kw_only=True)
class SplitSettings(RecipeSettings):
    """How much is held out to validate on; for recipes trained on pairs of any kind."""

    validation: float = split_setting(0.1)
    validation_pairs: int = setting(2000, "maximum number of validation pairs", minimum=2)


@dataclass(frozen=True, kw_only=True)
class GradedSettings(SplitSettings):
    """How graded pairs are read, or built from gold labels."""

    scale: tuple[float, float] = setting(
        (0.0, 1.0), "scores of unrelated texts and of the most similar ones: 4:1, or 0:5"
    )
    same_is: float = setting(
        0.75, "meaning of the most similar score: .75 same story, 1 same text", above=0, maximum=1
    )
    per_grade: int = setting(2000, "maximum number of pairs per grade of a gold file", minimum=1)
    max_days: float | None = setting(
        None, "maximum days between two articles of a gold story to form a pair", minimum=0
    )
    max_pairs: int | None = setting(None, "maximum number of pairs per file", minimum=2)
    hard_share: float = setting(
        0.5, "share of very dissimilar pairs from neighbouring themes", minimum=0, maximum=1
    )


@dataclass(frozen=True, kw_only=True)
class ColumnSettings(SplitSettings):
    """How pairs are read from two columns of a file."""

    columns: tuple[str, str] | None = setting(
        None,
        "the two columns of a pair; none: query and item, question and answer, title and summary, "
        "title and text, or text1 and text2: the first of these that a file has",
    )
    profile: str | None = setting(
        None, "cleaning profile: generic, fr-regional or a .toml file; none: no cleaning"
    )
    max_pairs: int | None = setting(None, "maximum number of pairs per file", minimum=2)

    READS: ClassVar[Kind] = "columns"


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(SplitSettings):
    """How parallel sentences are read."""

    pivot: str | None = setting(None, "language the base already knows; none: English")
    languages: tuple[str, ...] = setting((), "languages to learn, as in the files; empty: all")
    max_pairs: int | None = setting(None, "maximum sentences per language and file", minimum=2)

    READS: ClassVar[Kind] = "translations"


@dataclass(frozen=True, kw_only=True)
class ArticleSettings(RecipeSettings):
    """Articles are read as `newsnest cluster` reads them, without labels."""

    READS: ClassVar[Kind] = "articles"


@dataclass(frozen=True, kw_only=True)
class ModelSettings(RecipeSettings):
    """What is trained and where; for recipes that train a transformer."""

    prefix: str | None = setting(None, "text put before every input; none: the base's")
    pooling: Literal["mean", "cls", "max"] | None = setting(
        None, "how token vectors are pooled into one; none: the base's"
    )
    max_length: int | None = setting(
        None, "maximum number of tokens per text; none: the base's", minimum=4
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "numeric precision; auto uses bfloat16 where supported"
    )
    device: Literal["auto", "cpu"] = setting("auto", "device to train on; auto: GPU if present")


@dataclass(frozen=True, kw_only=True)
class TrainerSettings(ModelSettings):
    """How weights are trained, by the trainer of sentence-transformers."""

    average: float = setting(
        0.0, "share of the base's weights in the final average (WiSE-FT); 0: off",
        minimum=0, maximum=1,
    )  # fmt: skip
    epochs: float = setting(3.0, "maximum number of passes over the data", above=0)
    batch_size: int = setting(32, "pairs per batch, on each device", minimum=2)
    mini_batch_size: int | None = setting(
        None, "texts encoded at a time, with cached gradients; none: the whole batch", minimum=1
    )
    learning_rate: float | None = setting(
        None, "peak learning rate; none: 2e-5, or 2e-4 with lora", above=0
    )
    warmup: float = setting(
        0.1, "share of the steps over which the learning rate rises", minimum=0, maximum=0.9
    )
    weight_decay: float = setting(0.01, "weight decay of AdamW", minimum=0)
    evaluations: int = setting(2, "validations, each with a checkpoint, per epoch", minimum=1)
    patience: int = setting(2, "validations without improvement before training stops", minimum=1)
    lora: int | None = setting(None, "rank of LoRA adapters; none: train all weights", minimum=1)
    save: Literal["best", "trained"] = setting(
        "best", "what to save where validation did not improve: best: the base; trained: the model"
    )
    report_to: tuple[str, ...] = setting(("none",), "trackers, such as tensorboard:wandb")

    USUAL_RATE: ClassVar[float] = 2e-5

    @property
    def peak_rate(self) -> float:
        """The peak learning rate: the one that is set, or the usual, ten times with LoRA."""
        return self.learning_rate or (10 * self.USUAL_RATE if self.lora else self.USUAL_RATE)


def setting_fields(kind: type[RecipeSettings]) -> list[Field[Any]]:
    """Return the fields of a recipe's settings that `--set` fills, in their order."""
    known = [one for one in fields(kind) if one.name not in _GIVEN]
    return sorted(known, key=lambda field: field.name == "seed")  # all have one; it comes last


def parse_settings(
    kind: type[S],
    assignments: Sequence[str],
    *,
    data: Iterable[str],
    base: str,
    output: str | Path,
) -> S:
    """Return the settings of a recipe from the command line.

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
    given: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ParameterError(
                f"parse_settings: --set must be key=value, got {assignment!r}. "
                "Write it as in --set seed=1."
            )
        check_name(kind, key, "--set must name")
        if key in given:
            raise ParameterError(
                f"parse_settings: --set {key} must be given once, got it twice. Keep one."
            )
        given[key] = parse_value(f"--set {key}", kinds[key], value)
    return kind(data=tuple(data), base=base, output=Path(output), **given)


def check_name(kind: type[RecipeSettings], name: str, what: str) -> None:
    """Raise ParameterError unless a recipe has a setting of a name."""
    known = [one.name for one in setting_fields(kind)]
    if name not in known:
        raise ParameterError(
            f"parse_settings: {what} a setting of the recipe, got {name!r}."
            f"{did_you_mean(name, known)} Choose one of {', '.join(known)}."
        )


def settings_content(settings: RecipeSettings) -> dict[str, Any]:
    """Return settings as JSON has them, without the place they are written to."""
    content = asdict(settings)
    del content["output"]
    return {key: list(v) if isinstance(v, tuple) else v for key, v in content.items()}


def describe_settings(kind: type[RecipeSettings]) -> list[tuple[str, str, str]]:
    """Return name, default and meaning of every setting, as people write them."""
    kinds = get_type_hints(kind)
    return [
        (one.name, written(one.default), one.metadata["meaning"] + values.choices(kinds[one.name]))
        for one in setting_fields(kind)
    ]
