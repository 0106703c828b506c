"""The recipe `sccl`: cluster texts without labels, and tell two views of each from the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsnest.embed.patience import patient_threads
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.contrast import ContrastSettings
from newsnest.train.recipes.recipe import Recipe, require_training
from newsnest.train.recipes.settings import setting


@dataclass(frozen=True, kw_only=True)
class ScclSettings(ContrastSettings):
    """Settings of the recipe `sccl`; `describe_settings` says what each means.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, or `k` is not given.
    """

    k: int | None = setting(None, "how many clusters; must be given", least=2, flag="-k")
    views: Literal["deletion", "dropout"] = setting(
        "deletion", "what makes two views of a text: words deleted from it, or dropout alone"
    )
    noise: float = setting(
        0.2, "share of the words that are deleted from a view", above=0, most=0.99
    )
    own_rate: float = setting(
        100.0, "learning rate of centres and projection, in rates of the encoder", above=0
    )
    contrast: float = setting(10.0, "weight of the contrast against the clusters", least=0)
    temperature: float = setting(0.5, "of the contrast", above=0)
    alpha: float = setting(1.0, "degrees of freedom of Student's t", above=0)
    length: float | None = setting(
        None, "of unit vectors when distances are taken; none: the root of their width", above=0
    )

    def __post_init__(self) -> None:
        """Check what no single field can tell."""
        super().__post_init__()
        if self.k is None:
            raise ParameterError(
                "k must be the number of clusters, at least 2, got none. Give it, as in -k 8."
            )


def run(settings: ScclSettings, *, progress: Progress = SILENT) -> Path:
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
        from newsnest.train.recipes.contrast_run import run_contrast

    return run_contrast(settings, progress=progress)


SCCL = Recipe(
    "a baseline without labels: clusters and contrast at once",
    ScclSettings,
    run,
    reads="articles",
)
