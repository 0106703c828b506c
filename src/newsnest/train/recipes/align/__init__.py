"""The recipe `align`: teach an encoder other languages by its own vectors of one that it knows."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.align.settings import AlignSettings

__all__ = ["ALIGN", "AlignSettings", "run"]


def run(settings: AlignSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    The vector of a translation becomes that which the base has for the original, and originals
    stay where they are. Prefer it before `matryoshka`, which then starts from the model. After an
    interruption, the same settings go on from the last checkpoint; a model that is there already
    is returned as it is.

    Parameters
    ----------
    settings
        See `AlignSettings`. A data file holds parallel sentences, as `read_parallel` reads them.
    progress
        Told what the data holds, what was chosen, and every validation.

    Raises
    ------
    InputError
        If a data file cannot be used.
    ParameterError
        If a setting cannot be used with this base or these data, `output` holds something else, or
        the extra `train` is not installed.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine, also where it was interrupted. Words of a new language
    must be spelt by pieces that the base has: a vocabulary of English pieces serves languages in
    Latin letters alone. Source: see `TranslationLoss`.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.align.train import train_align

    return train_align(settings, progress=progress)


ALIGN = Recipe("other languages, learnt from translations", AlignSettings, run, "translations")
