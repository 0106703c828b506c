"""Settings of the recipe `align`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newsnest.train.settings import TrainerSettings, setting


@dataclass(frozen=True, kw_only=True)
class AlignSettings(TrainerSettings):
    """Settings of the recipe `align`; `describe_settings` says what each means."""

    # Data
    pivot: str | None = setting(None, "the language that the base knows; none: English")
    languages: tuple[str, ...] = setting((), "to be learnt, as the files write them; empty: all")
    most: int | None = setting(None, "most sentences of each language of a file", least=2)
    validation: float = setting(
        0.05, "share split off to validate on, of files without such a split", above=0, most=0.5
    )
    validation_pairs: int = setting(1000, "most sentences to validate on", least=6)
    # Loss
    original: float = setting(
        1.0, "weight of keeping the pivot's vectors where they are; 0: off", least=0
    )
    similarity: float = setting(10.0, "weight of the similarities with other sentences", least=0)
    contrastive: float = setting(0.0, "weight of the in-batch contrast", least=0)
    temperature: float = setting(0.05, "of the in-batch contrast", above=0)
    dropout: bool = setting(False, "of the base while it learns: blurs what is to be met exactly")
    # Training
    batch_size: int = setting(64, "sentences and translations a batch, on each device", least=2)
    learning_rate: float | None = setting(None, "highest; none: 5e-4, with lora 5e-3", above=0)
    evaluations: int = setting(4, "validations, and checkpoints, an epoch", least=1)
    patience: int = setting(4, "validations without a better one until training ends", least=1)

    USUAL_RATE: ClassVar[float] = 5e-4
