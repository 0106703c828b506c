"""Settings of the recipe `static`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.train.settings import RecipeSettings, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class StaticSettings(RecipeSettings):
    """Settings of the recipe `static`; `describe_settings` says what each means."""

    most: int = setting(20_000, "most texts the base reads, drawn at random", least=100)
    held_out: float = setting(
        0.1, "share of the texts that say how far the vectors may leave their start", above=0,
        most=0.5,
    )  # fmt: skip
    backend: Literal["auto", "torch", "bfloat16", "int8"] = setting(
        "auto", "what computes the base's vectors"
    )
    seed: int = seed_setting("decides which texts are read and held out")
