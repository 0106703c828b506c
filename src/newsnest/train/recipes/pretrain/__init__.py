"""The recipe `pretrain`: pairs whose batches are drawn from one cluster each."""

import math
from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.recipe import Recipe
from newsnest.train.settings import ColumnSettings, TrainerSettings, setting

__all__ = ["PRETRAIN", "PretrainSettings"]


@dataclass(frozen=True, kw_only=True)
class PretrainSettings(TrainerSettings, ColumnSettings):
    """Settings of the recipe `pretrain`; `describe_settings` explains each."""

    # Clusters
    cluster_by: Literal["query", "item", "pair", "none"] = setting(
        "item", "which vectors are clustered; none: random batches"
    )
    k: tuple[int, ...] = setting((10,), "number of clusters; with schedule=growing several, 10:100")
    teacher: str | None = setting(
        None, "frozen encoder that clusters and masks; none: the base before training", encoder=True
    )
    schedule: Literal["always", "from", "alternating", "growing"] = setting(
        "always",
        "which batches are drawn from one cluster: all, those after random_steps, every other one, "
        "or all, with the next k each epoch",
    )
    random_steps: int = setting(0, "with schedule=from: steps of random batches first", minimum=0)
    small_clusters: Literal["merge", "short"] = setting(
        "merge", "clusters smaller than a batch: merge with the nearest, or make short batches"
    )
    batch_order: Literal["random", "tour"] = setting(
        "random", "order of the batches; tour: from each cluster to the nearest one not yet visited"
    )
    sources: Literal["apart", "mixed"] = setting(
        "apart", "whether a batch may mix pairs of several files"
    )
    # Loss
    mask: bool = setting(
        True, "ignore negatives that the teacher finds as similar to the query as its own item"
    )
    mask_margin: float = setting(
        0.0, "also ignore negatives less similar than the item by up to this", minimum=-1, maximum=1
    )
    temperature: float = setting(0.02, "temperature of InfoNCE", above=0)
    # Training
    batch_size: int = setting(256, "pairs per batch, on each device", minimum=2)
    mini_batch_size: int | None = setting(
        32, "texts encoded at a time, with cached gradients; none: the whole batch", minimum=1
    )

    @property
    def needs_teacher(self) -> bool:
        """Whether anything asks it."""
        return self.mask or self.cluster_by != "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        growing = self.schedule == "growing"
        k = ":".join(map(str, self.k)) or "none"
        if not self.k or min(self.k) < 1 or sorted(set(self.k)) != list(self.k):
            raise ParameterError(
                f"PretrainSettings: k must be whole numbers from 1 on, each higher than the one "
                f"before, got {k}. Write k=10, or k=10:100."
            )
        if growing != (len(self.k) > 1):
            raise ParameterError(
                f"PretrainSettings: k must be {'several' if growing else 'one'} with "
                f"schedule={self.schedule}, got {k}. "
                + ("Write k=10:100." if growing else "Set schedule=growing, or give one.")
            )
        if growing and len(self.k) > math.ceil(self.epochs):
            raise ParameterError(
                f"PretrainSettings: k must be no more than the {math.ceil(self.epochs)} epochs "
                f"with schedule=growing, got {k}. Each epoch takes one."
            )
        if self.random_steps and self.schedule != "from":
            raise ParameterError(
                f"PretrainSettings: random_steps must be 0 with schedule={self.schedule}, got "
                f"{self.random_steps}. Set schedule=from."
            )
        if not self.random_steps and self.schedule == "from":
            raise ParameterError(
                "PretrainSettings: random_steps must be at least 1 with schedule=from, got 0. Set "
                "it."
            )
        if self.cluster_by == "none" and self.schedule != "always":
            raise ParameterError(
                f"PretrainSettings: schedule must be always with cluster_by=none, got "
                f"{self.schedule}. There are no clusters; leave it out."
            )
        if self.mask_margin and not self.mask:
            raise ParameterError(
                f"PretrainSettings: mask_margin must be 0 with mask=false, got "
                f"{self.mask_margin:g}. Leave it out."
            )
        if self.teacher is not None and not self.needs_teacher:
            raise ParameterError(
                "PretrainSettings: teacher must be none with cluster_by=none and mask=false, got "
                f"{self.teacher!r}. Leave it out."
            )


PRETRAIN = Recipe(
    name="pretrain",
    summary="queries and their items, in batches of one cluster each",
    settings=PretrainSettings,
    work="newsnest.train.recipes.pretrain.train:train_pretrain",
    about="""Queries and items are clustered and every batch is drawn from one cluster, so that the
negatives of a query are on the same subject. Prefer pairs for a few thousand pairs and small
batches. The teacher encodes every text once; its vectors are kept beside the checkpoints until the
model is complete: 8 · d bytes per pair.

Source: Merrick (2024), arXiv 2407.18887, with batches of 4,096, 3 epochs, temperature 0.02 and
k = 10; mask and merging of small clusters: Morris and Rush (2024), arXiv 2410.02525. Unlike in
the source, pairs that share a text never share a batch.""",
    several_processes=True,
)
