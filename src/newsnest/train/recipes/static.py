"""The recipe `static`: token vectors that say what a transformer says of your texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.recipe import Recipe
from newsnest.train.recipes.settings import RecipeSettings, seed_setting, setting


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


def run(settings: StaticSettings, *, progress: Progress = SILENT) -> Path:
    """Fit, and return the folder of the model, which plain sentence-transformers loads.

    The base reads a sample of the texts; vectors of its tokens are fitted such that their mean
    over a text comes near to what the base says of it. Prefer it to the encoder `static`, which
    has seen no text of yours, where the articles are too many for a transformer and there are some
    thousands to learn from.

    Parameters
    ----------
    settings
        See `StaticSettings`.
    progress
        Told how near held-out texts come to the base, before and after.

    Raises
    ------
    InputError
        If a data file cannot be used, or has fewer than 20 distinct texts.
    ParameterError
        If `output` holds something else, the base is no transformer, or several processes were
        started.
    EncoderError
        If the base cannot be found, loaded or distilled.

    Notes
    -----
    Deterministic for a seed on one machine. After an interruption it starts anew: reading 20,000
    headlines is the longest part. See `newsnest.train.static_fit.fit_tokens`.
    """
    from newsnest.train.recipes.static_run import train_static

    return train_static(settings, progress=progress)


STATIC = Recipe(
    "token vectors fitted to a transformer on your texts: its stories at a fraction of the time",
    StaticSettings,
    run,
    reads="articles",
    resumes=False,
)
