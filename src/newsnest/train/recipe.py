"""What a recipe is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from newsnest.errors import ParameterError
from newsnest.progress import Progress
from newsnest.train.settings import RecipeSettings


class Run(Protocol):
    """Trains, and returns the folder written, which plain sentence-transformers loads."""

    # Any: every recipe takes settings of its own class.
    def __call__(self, settings: Any, *, progress: Progress) -> Path:
        """Train by settings."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to train an encoder.

    Parameters
    ----------
    summary
        One line.
    settings
        The dataclass of its settings; `parse_settings` fills it.
    run
        Takes settings of that class, and progress. Its module must not load torch when it is
        imported.
    reads
        What its data files hold: "pairs" (or gold labels to build pairs from), "articles",
        "translations", or "columns": any two columns of texts.
    resumes
        Whether it goes on after an interruption; False: it is quick, and starts anew.
    """

    summary: str
    settings: type[RecipeSettings]
    run: Run
    reads: Literal["pairs", "articles", "translations", "columns"] = "pairs"
    resumes: bool = True


def require_training() -> None:
    """Raise ParameterError unless what the trainer needs is installed."""
    missing = [name for name in ("accelerate", "datasets") if find_spec(name) is None]
    if missing:
        raise ParameterError(
            f"train: the packages accelerate and datasets must be installed, got no "
            f'{" and no ".join(missing)}. Run pip install "newsnest[train]".'
        )


def require_one_process(recipe: str) -> None:
    """Raise ParameterError where several were started: each would train and write for itself."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1:
        raise ParameterError(
            f"train {recipe}: processes must be 1, got {processes}. Start it without accelerate."
        )
