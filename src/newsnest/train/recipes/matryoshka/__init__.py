"""The recipe `matryoshka`: train an encoder whose prefixes are theme, topic and story."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.matryoshka.settings import MatryoshkaSettings

__all__ = ["MATRYOSHKA", "MatryoshkaSettings", "run"]


def run(settings: MatryoshkaSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    Prefixes of the vectors become levels: theme at d/4, topic at d/2, story at d. After an
    interruption, the same settings go on from the last checkpoint; a model that is there already
    is returned as it is.

    Parameters
    ----------
    settings
        See `MatryoshkaSettings`.
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
    Deterministic for a seed on one machine, also where it was interrupted. Source: arXiv
    2506.00277. Differs from the source in what `LevelwiseMatryoshkaLoss` and
    `ComponentBatchSampler` say, and in `anchor`, `average` and LoRA.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.matryoshka.train import train_matryoshka

    return train_matryoshka(settings, progress=progress)


MATRYOSHKA = Recipe("one encoder, three levels: theme, topic, story", MatryoshkaSettings, run)
