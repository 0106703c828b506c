"""The recipes `sccl` and `vascl`: baselines that tell texts apart, without labels."""

from __future__ import annotations

from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe, require_training
from newsnest.train.recipes.contrast.settings import ScclSettings, VasclSettings

__all__ = ["SCCL", "VASCL", "ScclSettings", "VasclSettings", "run_sccl", "run_vascl"]


def run_sccl(settings: ScclSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    k-means on the base's vectors gives the centres to start from. A baseline: prefer `clusterbert`,
    which judges its own stages and goes back where they do harm.

    Parameters
    ----------
    settings
        See `ScclSettings`.
    progress
        Told what was chosen, and every step.

    Raises
    ------
    InputError
        If a data file cannot be used, or has too few texts.
    ParameterError
        If a setting cannot be used with this base or these texts, `output` holds something else, or
        several processes were started.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine with one number of threads, also where it was
    interrupted. Source: SCCL (arXiv 2103.12953). Differs from the source in the views, which there
    come from replacing words by a language model, and in what `ClusteringContrastLoss` says.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.contrast.train import run_contrast

    return run_contrast(settings, progress=progress)


SCCL = Recipe(
    "a baseline without labels: clusters and contrast at once",
    ScclSettings,
    run_sccl,
    reads="articles",
)


def run_vascl(settings: VasclSettings, *, progress: Progress = SILENT) -> Path:
    """Train, and return the folder of the model, which plain sentence-transformers loads.

    A baseline: prefer `clusterbert` where texts are to be clustered. This one knows of no clusters
    and pushes apart what is nearest, texts of one story too.

    Parameters
    ----------
    settings
        See `VasclSettings`.
    progress
        Told what was chosen, and every step.

    Raises
    ------
    InputError
        If a data file cannot be used, or has too few texts.
    ParameterError
        If a setting cannot be used with this base, `output` holds something else, or several
        processes were started.
    EncoderError
        If the base cannot be found or loaded.

    Notes
    -----
    Deterministic for a seed on one machine with one number of threads, also where it was
    interrupted. Source: VaSCL (arXiv 2110.08552). Differs from the source in being trained on the
    texts at hand, and in what `VirtualNeighbourhoodLoss` says.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.contrast.train import run_contrast

    return run_contrast(settings, progress=progress)


VASCL = Recipe(
    "a baseline without labels: texts told from hard neighbours",
    VasclSettings,
    run_vascl,
    reads="articles",
)
