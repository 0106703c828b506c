"""The recipe `adapter`: a linear map on frozen vectors whose prefixes are theme, topic, story."""

from __future__ import annotations

from pathlib import Path

from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe
from newsnest.train.recipes.adapter.settings import AdapterSettings

__all__ = ["ADAPTER", "AdapterSettings", "run"]


def run(settings: AdapterSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    The base is read once and stays as it is; a linear map without bias is put behind it (`Dense`,
    then `Normalize`). It starts at the principal axes of the training texts, which change no
    similarity at full d, and learns what the levels ask of d/4, d/2 and d. Prefer it to
    `matryoshka` without an accelerator, and with few pairs.

    What is saved is at no level worse than the principal axes by Pearson on validation pairs, which
    share no article and no story with those trained on: where no epoch is, or the gain is not
    sure, the axes themselves are saved, and newsnest.json and a note say so.

    Parameters
    ----------
    settings
        See `AdapterSettings`.
    progress
        Told what the data holds, every epoch, and what was saved.

    Raises
    ------
    InputError
        If a data file cannot be used, or validation pairs are all of one grade.
    ParameterError
        If a setting cannot be used with this base or these data, or `output` holds something else.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    A step costs O(b·d² + b²·d) for b pairs a batch (and O(d³) for map=orthogonal): seconds in all
    for thousands of pairs, beside the encoding. Deterministic for a seed, on one machine with one
    number of threads.
    """
    from newsnest.train.recipes.adapter.train import train_adapter

    return train_adapter(settings, progress=progress)


ADAPTER = Recipe(
    "a linear map behind a frozen encoder: theme, topic, story in seconds on a CPU",
    AdapterSettings,
    run,
    resumes=False,
)
