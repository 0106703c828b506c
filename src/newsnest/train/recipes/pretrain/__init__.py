"""The recipe `pretrain`: pairs whose batches are drawn from one cluster each."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.pretrain.settings import PretrainSettings

__all__ = ["PRETRAIN", "PretrainSettings", "run"]


def run(settings: PretrainSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    Queries and items are clustered, and every batch is drawn from one cluster: the other items that
    a query is told apart from are then of its own subject. Prefer `pairs` for a few thousand pairs
    and small batches. After an interruption, the same settings go on from the last checkpoint; a
    model that is there already is returned as it is.

    Parameters
    ----------
    settings
        See `PretrainSettings`.
    progress
        Told what the data holds, the clusters, and every validation.

    Raises
    ------
    InputError
        If a data file or a profile cannot be used.
    ParameterError
        If a setting cannot be used with this base or these data, there are more clusters than
        pairs, `output` holds something else, or the extra `train` is not installed.
    EncoderError
        If the base or the teacher cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine, also where it was interrupted. No text is both trained
    and validated on. The teacher reads every text once; its vectors are kept beside the checkpoints
    until the model is complete: 8 · d bytes a pair.

    Source: Merrick (2024), arXiv 2407.18887, with batches of 4,096, 3 epochs, temperature 0.02 and
    k = 10; mask and merging of small clusters: Morris and Rush (2024), arXiv 2410.02525. Differs
    from the source in that pairs that share a text never share a batch.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.pretrain.train import train_pretrain

    return train_pretrain(settings, progress=progress)


PRETRAIN = Recipe(
    "queries and their items, in batches of one cluster each", PretrainSettings, run, "columns"
)
