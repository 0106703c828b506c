"""The recipe `static`: token vectors that say what a transformer says of your texts."""

from __future__ import annotations

from pathlib import Path

from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe
from newsnest.train.recipes.static.settings import StaticSettings

__all__ = ["STATIC", "StaticSettings", "run"]


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
    headlines is the longest part. See `newsnest.train.recipes.static.fit.fit_tokens`.
    """
    from newsnest.train.recipes.static.train import train_static

    return train_static(settings, progress=progress)


STATIC = Recipe(
    "token vectors fitted to a transformer on your texts: its stories at a fraction of the time",
    StaticSettings,
    run,
    reads="articles",
    resumes=False,
)
