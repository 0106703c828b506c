"""Settings of the recipe `matryoshka`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError, did_you_mean
from newsnest.train.settings import DataSettings, TrainerSettings, setting
from newsnest.types import LEVELS


@dataclass(frozen=True, kw_only=True)
class MatryoshkaSettings(TrainerSettings, DataSettings):
    """Settings of the recipe `matryoshka`; `describe_settings` says what each means."""

    levels: tuple[str, ...] = setting(
        ("theme", "topic", "story"), "which levels are trained, coarse to fine"
    )
    # Loss
    variant: Literal["clean", "paper"] = setting("clean", "of the loss")
    graded_story: bool = setting(True, "the story level ranks by grades, not by alike or not")
    cosine: float = setting(1.0, "weight of the cosine ranking", least=0)
    angle: float = setting(1.0, "weight of the angle ranking", least=0)
    contrastive: float = setting(1.0, "weight of the in-batch contrast", least=0)
    dropout_views: bool = setting(True, "encode every text twice")
    cosine_scale: float = setting(20.0, "inverse temperature of the cosine ranking", above=0)
    angle_scale: float = setting(1.0, "inverse temperature of the angle ranking", above=0)
    temperature: float = setting(0.05, "of the in-batch contrast", above=0)
    unlike: Literal["masked", "negative"] = setting(
        "masked", "what the contrast takes a partner for that is not alike at a level"
    )
    anchor: float = setting(
        1.0, "weight of keeping the base's similarities within a batch; 0: off", least=0
    )
    connect_from: float | None = setting(
        None,
        "score from which a pair's articles stay out of each other's batch; none: chosen",
        above=0,
        most=1,
    )

    def __post_init__(self) -> None:
        """Check what no single field can tell."""
        super().__post_init__()
        check_levels(self.levels)


def check_levels(names: Sequence[str]) -> None:
    """Raise ParameterError unless names are levels, coarse to fine."""
    for name in names:
        if name not in LEVELS:
            raise ParameterError(
                f"train: levels must be some of {', '.join(LEVELS)}, got {name!r}."
                f"{did_you_mean(name, LEVELS)} Join them by a colon."
            )
    if not names or list(names) != [level for level in LEVELS if level in names]:
        raise ParameterError(
            f"train: levels must go from coarse to fine, each once, got {':'.join(names)!r}. "
            f"Write {':'.join(level for level in LEVELS if level in names) or ':'.join(LEVELS)}."
        )
