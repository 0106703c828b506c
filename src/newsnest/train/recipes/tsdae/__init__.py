"""The recipe `tsdae`: adapt an encoder to a domain by restoring texts from their vectors."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.tsdae.settings import TsdaeSettings

__all__ = ["TSDAE", "TsdaeSettings", "run"]


def run(settings: TsdaeSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    Words of a text are deleted, and a decoder restores the text from the vector of what is left.
    Prefer `clusterbert` where the texts at hand are to be clustered; this one where an encoder
    that knows the words of a domain is the start of another training.

    Parameters
    ----------
    settings
        See `TsdaeSettings`.
    progress
        Told every epoch and its held-out reconstruction loss.

    Raises
    ------
    InputError
        If a data file cannot be used, or has too few texts.
    ParameterError
        If a setting cannot be used with this base, or `output` holds something else.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine with one number of threads, also where it was
    interrupted. Source: TSDAE (arXiv 2104.06979). Differs from the source in the decoder
    (`newsnest.train.losses.reconstruction`) and in what a word is (`newsnest.train.deletion`).
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.tsdae.train import run_tsdae

    return run_tsdae(settings, progress=progress)


TSDAE = Recipe(
    "domain adaptation without labels: restore texts of which words were deleted",
    TsdaeSettings,
    run,
    reads="articles",
)
