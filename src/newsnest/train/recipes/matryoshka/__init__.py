"""The recipe `matryoshka`: train an encoder whose prefixes are theme, topic and story."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from newsnest.errors import ParameterError, did_you_mean
from newsnest.train.recipe import Recipe
from newsnest.train.settings import GradedSettings, TrainerSettings, setting
from newsnest.types import LEVELS

__all__ = ["MATRYOSHKA", "LevelLossSettings", "MatryoshkaSettings"]


@dataclass(frozen=True, kw_only=True)
class LevelLossSettings(GradedSettings):
    """How levels are trained, in `matryoshka` and `adapter`; `describe_settings` explains each."""

    graded_story: bool = setting(
        True, "at the story level, rank by grades rather than by same or different"
    )
    cosine: float = setting(1.0, "weight of the cosine ranking loss", minimum=0)
    angle: float = setting(1.0, "weight of the angle ranking loss", minimum=0)
    contrastive: float = setting(1.0, "weight of the in-batch contrastive loss", minimum=0)
    cosine_scale: float = setting(20.0, "inverse temperature of the cosine ranking loss", above=0)
    angle_scale: float = setting(1.0, "inverse temperature of the angle ranking loss", above=0)
    temperature: float = setting(0.05, "temperature of the in-batch contrastive loss", above=0)
    anchor: float = setting(
        1.0, "weight of staying close to the base's similarities within a batch; 0: off", minimum=0
    )

    @property
    def terms(self) -> dict[str, Any]:
        """What `LevelwiseTerms` takes of these settings, by its names."""
        names = (
            "cosine", "angle", "contrastive", "cosine_scale", "angle_scale", "temperature",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class MatryoshkaSettings(TrainerSettings, LevelLossSettings):
    """Settings of the recipe `matryoshka`; `describe_settings` explains each."""

    levels: tuple[str, ...] = setting(
        ("theme", "topic", "story"), "levels to train, coarse to fine"
    )
    variant: Literal["clean", "paper"] = setting(
        "clean", "the loss; paper: as published; clean: without its false negatives"
    )
    dropout_views: bool = setting(True, "encode every text twice, with different dropout")
    unlike: Literal["masked", "negative"] = setting(
        "masked", "how the contrastive loss treats a pair that is dissimilar at a level"
    )
    connect_from: float | None = setting(
        None, "score from which a pair connects its texts; connected pairs never share a batch; "
        "none: the lowest that still fills batches", above=0, maximum=1,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check settings against each other."""
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


MATRYOSHKA = Recipe(
    name="matryoshka",
    summary="one encoder, three levels: theme, topic, story",
    settings=MatryoshkaSettings,
    work="newsnest.train.recipes.matryoshka.train:train_matryoshka",
    about="""Prefixes of the vectors become levels: theme at d/4, topic at d/2, story at d.

Source: arXiv 2506.00277. Differences: see LevelwiseMatryoshkaLoss and ComponentBatchSampler;
anchor, average and LoRA are additions.""",
    several_processes=True,
)
