"""The recipe `clusterbert`: adapt an encoder to texts without labels, so that they cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsnest.embed.patience import patient_threads
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.denoising import DenoisingSettings
from newsnest.train.recipes.recipe import Recipe, require_training
from newsnest.train.recipes.settings import setting


@dataclass(frozen=True, kw_only=True)
class ClusterbertSettings(DenoisingSettings):
    """Settings of the recipe `clusterbert`; `describe_settings` says what each means.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, `k` is no number and not "auto", or `k_min` is
        above `k_max`.
    """

    # Targets
    k: str = setting("auto", "how many clusters; auto: chosen between k_min and k_max", flag="-k")
    k_min: int = setting(2, "least clusters that k=auto chooses", least=2)
    k_max: int = setting(200, "most clusters that k=auto chooses", least=2)
    targets: Literal["auto", "kmeans", "rac"] = setting(
        "auto", "what clusters are learned from; auto: the better separated", flag="--targets"
    )
    # Stages
    adaptation_epochs: int = setting(2, "of domain adaptation; 0: none", least=0)
    clusterings: int = setting(2, "times the texts are clustered anew", least=1)
    clustering_epochs: int = setting(2, "of each clustering", least=1)
    hardening_epochs: int = setting(2, "of hardening; 0: none", least=0)
    clustering_weight: float = setting(
        0.8, "of the clusters against the reconstruction", least=0, most=1
    )
    hardening_weight: float = setting(0.75, "the same, in hardening", least=0, most=1)

    def __post_init__(self) -> None:
        """Check what no single field can tell."""
        super().__post_init__()
        told = str(self.k).strip().lower()
        object.__setattr__(self, "k", told)
        if told != "auto" and not (told.isdecimal() and int(told) >= 2):
            raise ParameterError(
                f"k must be a whole number of at least 2 or auto, got {self.k!r}. Correct it."
            )
        if self.k_min > self.k_max:
            raise ParameterError(
                f"k_min must be at most k_max, {self.k_max}, got {self.k_min}. Lower it."
            )

    @property
    def clusters(self) -> int | None:
        """How many clusters are asked for; None: they are chosen."""
        return None if self.k == "auto" else int(self.k)


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
    `newsnest.train.recipes.clusterbert_run`.
    """
    require_training()
    with patient_threads():
        from newsnest.train.recipes.clusterbert_save import run_clusterbert

    return run_clusterbert(settings, progress=progress)


CLUSTERBERT = Recipe(
    "an encoder that clusters these very texts, learned without labels",
    ClusterbertSettings,
    run,
    reads="articles",
)
