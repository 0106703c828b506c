"""The recipe `pairs`: an encoder that finds an article's summary by its title, or any two texts."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.pairs.settings import PairsSettings

__all__ = ["PAIRS", "PairsSettings", "run"]


def run(settings: PairsSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    The first text of a pair shall be nearer to the second than to any other of the batch. Prefer
    `matryoshka` where pairs are graded or articles have gold labels: here all other articles are
    negatives, those of the same story too, unless `guided` leaves them out. After an interruption,
    the same settings go on from the last checkpoint; a model that is there already is returned as
    it is.

    Parameters
    ----------
    settings
        See `PairsSettings`.
    progress
        Told what the data holds, what was chosen, and every validation.

    Raises
    ------
    InputError
        If a data file or a profile cannot be used.
    ParameterError
        If a setting cannot be used with this base or these data, `output` holds something else, or
        the extra `train` is not installed.
    EncoderError
        If the base or the guide cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine, also where it was interrupted. No text is both trained
    and validated on; texts that are equal but for case, width and spaces are one.

    Source: Multiple Negatives Ranking, arXiv 1705.00652, section 4.4; guided: GISTEmbed,
    arXiv 2402.16829; mined negatives: NV-Retriever, arXiv 2407.15831, TopK-PercPos; megabatch: see
    `MegaBatchLoss`.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.pairs.train import train_pairs

    return train_pairs(settings, progress=progress)


PAIRS = Recipe("titles and their summaries, or any two columns", PairsSettings, run, "columns")
