"""The recipe `align`: teach an encoder other languages by its own vectors of one that it knows."""

from dataclasses import dataclass
from typing import ClassVar

from newsnest.train.recipe import Recipe
from newsnest.train.settings import TrainerSettings, TranslationSettings, setting, split_setting

__all__ = ["ALIGN", "AlignSettings"]


@dataclass(frozen=True, kw_only=True)
class AlignSettings(TrainerSettings, TranslationSettings):
    """Settings of the recipe `align`; `describe_settings` explains each."""

    # Data
    validation: float = split_setting(0.05)
    validation_pairs: int = setting(1000, "maximum number of validation sentences", minimum=6)
    # Loss
    original: float = setting(
        1.0, "weight of keeping the vectors of the known language; 0: off", minimum=0
    )
    similarity: float = setting(
        10.0, "weight of matching the base's similarities between sentences", minimum=0
    )
    contrastive: float = setting(0.0, "weight of the in-batch contrastive loss", minimum=0)
    temperature: float = setting(0.05, "temperature of the in-batch contrastive loss", above=0)
    dropout: bool = setting(
        False, "train with dropout, which blurs vectors that must match exactly"
    )
    # Training
    batch_size: int = setting(64, "sentence pairs per batch, on each device", minimum=2)
    learning_rate: float | None = setting(
        None, "peak learning rate; none: 5e-4, or 5e-3 with lora", above=0
    )
    evaluations: int = setting(4, "validations, each with a checkpoint, per epoch", minimum=1)
    patience: int = setting(4, "validations without improvement before training stops", minimum=1)

    USUAL_RATE: ClassVar[float] = 5e-4


ALIGN = Recipe(
    name="align",
    summary="other languages, learned from translations",
    settings=AlignSettings,
    work="newsnest.train.recipes.align.train:train_align",
    about="""Moves the vector of a translation towards the base's vector of the original, and keeps
the vectors of originals unchanged. Run it before matryoshka, with this model as its base. A new
language is tokenized with the base's vocabulary: an English vocabulary only suits languages in
Latin script.

Source: see TranslationLoss.""",
    several_processes=True,
)
