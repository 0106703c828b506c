"""Settings of the recipe `pairs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.settings import TrainerSettings, setting

CACHED_SIZE = 32
"""Texts encoded at a time with cached-mnr, where nothing is said."""


@dataclass(frozen=True, kw_only=True)
class PairsSettings(TrainerSettings):
    """Settings of the recipe `pairs`; `describe_settings` says what each means."""

    # Data
    columns: tuple[str, str] = setting(
        ("title", "summary"), "the two columns of a pair; title, text and summary by usual names"
    )
    profile: str | None = setting(
        None, "cleaning profile, generic, fr-regional or a .toml file; none: as they are"
    )
    most: int | None = setting(None, "most pairs taken of each file", least=2)
    validation: float = setting(
        0.1, "share split off to validate on, of files without such a split", above=0, most=0.5
    )
    validation_pairs: int = setting(2000, "most pairs to validate on", least=2)
    # Loss
    loss: Literal["mnr", "cached-mnr", "megabatch", "guided"] = setting("mnr", "what is trained by")
    scale: float | None = setting(
        None, "inverse temperature of a ranking; none: 20, with guided 100", above=0
    )
    guide: str | None = setting(
        None, "frozen encoder that guides and mines; none: the base as it was"
    )
    guide_margin: float = setting(
        0.0, "guided: how much less similar than the pair a negative must be", least=0, most=1
    )
    positive_margin: float = setting(0.8, "megabatch: cosine that pairs reach", least=-1, most=1)
    negative_margin: float = setting(
        0.3, "megabatch: cosine that negatives stay under", least=-1, most=1
    )
    # Hard negatives
    negatives: int = setting(
        0, "hard negatives mined for every pair; 0: those of its batch", least=0
    )
    mining_margin: float = setting(
        0.05, "share by which a mined negative is less similar than the pair", least=0, most=1
    )
    mining_skip: int = setting(0, "nearest texts that are never mined", least=0)
    # Training
    epochs: float = setting(6.0, "times every pair is seen, at most", above=0)
    batch_size: int = setting(16, "pairs a batch, on each device", least=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "mnr" and self.mini_batch_size is not None:
            raise ParameterError(
                f"PairsSettings: mini_batch_size must be none with loss=mnr, got "
                f"{self.mini_batch_size}. Set loss=cached-mnr."
            )
        if self.loss == "megabatch" and self.negatives:
            raise ParameterError(
                f"PairsSettings: negatives must be 0 with loss=megabatch, which finds its own, got "
                f"{self.negatives}. Leave it out."
            )
        if self.loss == "guided" and self.mini_batch_size is None and self.negatives > 1:
            raise ParameterError(
                "PairsSettings: negatives must be 0 or 1 with loss=guided and without "
                f"mini_batch_size, got {self.negatives}. Set mini_batch_size={CACHED_SIZE} too."
            )
