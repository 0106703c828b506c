"""The recipe `clusterbert`: adapt an encoder to texts without labels, so that they cluster."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.clusterbert.settings import ClusterbertSettings

__all__ = ["CLUSTERBERT", "ClusterbertSettings", "run"]


def run(settings: ClusterbertSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    Three stages, each from the weights the one before it left: *adaptation* restores texts of which
    words were deleted from their vector alone; *clustering* also teaches a linear head, and the
    encoder behind it, the clusters of the texts, which are clustered anew a few times; *hardening*
    teaches them the head's own surer opinion. No label is used anywhere.

    After each stage an unsupervised test on texts held out compares it with what there was before;
    where it is no better, the earlier weights are kept and that is said. Gold labels
    (`--data FILE,gold=FIELD`) are reported beside it and decide nothing.

    Parameters
    ----------
    settings
        See `ClusterbertSettings`.
    progress
        Told what was chosen, every epoch, and the judgement of every stage.

    Raises
    ------
    InputError
        If a data file cannot be used, or has too few texts.
    ParameterError
        If a setting cannot be used with this base or these texts, or `output` holds something else.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine with one number of threads, also where it was
    interrupted. Source: ClusterBERT, "Multi-Stage Fine-Tuning of Transformers for Deep Text
    Clustering" (anonymous submission). What differs stands in
    `newsnest.train.recipes.clusterbert.train`.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.clusterbert.save import run_clusterbert

    return run_clusterbert(settings, progress=progress)


CLUSTERBERT = Recipe(
    "an encoder that clusters these very texts, learned without labels",
    ClusterbertSettings,
    run,
    reads="articles",
)
