"""The recipe `vascl`: tell texts from their nearest neighbours without labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsnest.embed.patience import patient_threads
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.contrast import ContrastSettings
from newsnest.train.recipes.recipe import Recipe, require_training
from newsnest.train.recipes.settings import setting


@dataclass(frozen=True, kw_only=True)
class VasclSettings(ContrastSettings):
    """Settings of the recipe `vascl`; `describe_settings` says what each means."""

    temperature: float = setting(0.05, "of the contrast", above=0)
    neighbours: int = setting(16, "texts of the batch that a text is told from", least=1)
    radius: float = setting(1.0, "how far a vector is moved, in its own lengths", least=0)


def run(settings: VasclSettings, *, progress: Progress = SILENT) -> Path:
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
        from newsnest.train.recipes.contrast_run import run_contrast

    return run_contrast(settings, progress=progress)


VASCL = Recipe(
    "a baseline without labels: texts told from hard neighbours",
    VasclSettings,
    run,
    reads="articles",
)
