"""The recipes `sccl` and `vascl`: contrastive baselines without labels."""

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.recipe import Recipe
from newsnest.train.settings import ArticleSettings, ModelSettings, setting

__all__ = ["SCCL", "VASCL", "ContrastSettings", "ScclSettings", "VasclSettings"]


@dataclass(frozen=True, kw_only=True)
class ContrastSettings(ModelSettings, ArticleSettings):
    """What `sccl` and `vascl` share; `describe_settings` explains each."""

    # Training
    steps: int = setting(1000, "number of batches to train on", minimum=1)
    batch_size: int = setting(400, "texts per batch, at most the number of texts", minimum=2)
    mini_batch_size: int | None = setting(
        64, "texts encoded at a time, with cached gradients; none: the whole batch", minimum=1
    )
    learning_rate: float = setting(1e-5, "constant learning rate of the encoder", above=0)
    weight_decay: float = setting(0.01, "weight decay of AdamW", minimum=0)
    checkpoints: int = setting(5, "number of checkpoints", minimum=1)


@dataclass(frozen=True, kw_only=True)
class ScclSettings(ContrastSettings):
    """Settings of the recipe `sccl`; `describe_settings` explains each.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, or `k` is not given.
    """

    k: int | None = setting(None, "number of clusters; required", minimum=2, flag="-k")
    views: Literal["deletion", "dropout"] = setting(
        "deletion", "how two views of a text differ: by deleted words, or only by dropout"
    )
    noise: float = setting(0.2, "share of the words deleted from a view", above=0, maximum=0.99)
    head_lr_factor: float = setting(
        100.0, "learning rate of centres and projection, as a multiple of learning_rate", above=0
    )
    contrastive: float = setting(
        10.0, "weight of the contrastive loss against the clustering loss", minimum=0
    )
    temperature: float = setting(0.5, "temperature of the contrastive loss", above=0)
    alpha: float = setting(1.0, "degrees of freedom of Student's t-distribution", above=0)
    vector_length: float | None = setting(
        None, "length to which vectors are scaled for distances; none: √d", above=0
    )

    def __post_init__(self) -> None:
        """Check settings against each other."""
        super().__post_init__()
        if self.k is None:
            raise ParameterError(
                "k must be the number of clusters, at least 2, got none. Give it, as in -k 8."
            )


@dataclass(frozen=True, kw_only=True)
class VasclSettings(ContrastSettings):
    """Settings of the recipe `vascl`; `describe_settings` explains each."""

    temperature: float = setting(0.05, "temperature of the contrastive loss", above=0)
    neighbours: int = setting(16, "nearest texts of the batch used as hard negatives", minimum=1)
    radius: float = setting(
        1.0, "how far a virtual view moves a vector, relative to its length", minimum=0
    )


SCCL = Recipe(
    name="sccl",
    summary="a baseline without labels: clustering and contrastive learning at once",
    settings=ScclSettings,
    work="newsnest.train.recipes.contrast.train:run_contrast",
    about="""The clusters start at the centres of k-means on the base's vectors. A baseline: prefer
clusterbert, which tests each of its stages and undoes those that make clusters worse.

Source: SCCL, arXiv 2103.12953. Differences: the views, which there come from replacing words
with a language model, and those that ClusteringContrastLoss lists.""",
)

VASCL = Recipe(
    name="vascl",
    summary="a baseline without labels: push each text away from its nearest neighbours",
    settings=VasclSettings,
    work="newsnest.train.recipes.contrast.train:run_contrast",
    about="""A baseline: prefer clusterbert to cluster texts. This one uses no clusters and pushes
the nearest texts apart, even those of one story.

Source: VaSCL, arXiv 2110.08552. Differences: training on the texts at hand, and those that
VirtualNeighbourhoodLoss lists.""",
)
