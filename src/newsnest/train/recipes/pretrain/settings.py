"""Settings of the recipe `pretrain`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.settings import TrainerSettings, setting


@dataclass(frozen=True, kw_only=True)
class PretrainSettings(TrainerSettings):
    """Settings of the recipe `pretrain`; `describe_settings` says what each means."""

    # Data
    columns: tuple[str, str] | None = setting(
        None,
        "query and item of a pair; none: query and item, question and answer, title and summary, "
        "title and text, or text1 and text2, the first two that a file has",
    )
    profile: str | None = setting(
        None, "cleaning profile, generic, fr-regional or a .toml file; none: as they are"
    )
    most: int | None = setting(None, "most pairs taken of each file", least=2)
    validation: float = setting(
        0.1, "share split off to validate on, of files without such a split", above=0, most=0.5
    )
    validation_pairs: int = setting(2000, "most pairs to validate on", least=2)
    # Clusters
    cluster_by: Literal["query", "item", "pair", "none"] = setting(
        "item", "what of a pair is clustered; none: batches are random"
    )
    k: tuple[int, ...] = setting((10,), "how many clusters; with schedule=growing several, 10:100")
    teacher: str | None = setting(
        None, "frozen encoder that clusters and masks; none: the base as it was"
    )
    schedule: Literal["always", "from", "alternating", "growing"] = setting(
        "always",
        "which batches are of one cluster: all, those from step `start` on, every other one, or "
        "all, by the next k each epoch",
    )
    start: int = setting(0, "with schedule=from: steps of random batches before", least=0)
    small: Literal["merge", "short"] = setting(
        "merge", "clusters smaller than a batch: merged with their nearest, or short batches"
    )
    order: Literal["random", "tour"] = setting(
        "random", "of the batches; tour: from each cluster to the nearest not yet visited"
    )
    sources: Literal["apart", "mixed"] = setting(
        "apart", "whether a batch may hold pairs of several files"
    )
    # Loss
    mask: bool = setting(
        True, "leave out of the negatives what the teacher finds as fitting as the own item"
    )
    mask_margin: float = setting(
        0.0, "leave out what is less similar by up to this, too", least=-1, most=1
    )
    temperature: float = setting(0.02, "of InfoNCE", above=0)
    # Training
    batch_size: int = setting(256, "pairs a batch, on each device", least=2)
    mini_batch_size: int | None = setting(
        32, "texts encoded at a time, with cached gradients; none: the whole batch", least=1
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
        if self.start and self.schedule != "from":
            raise ParameterError(
                f"PretrainSettings: start must be 0 with schedule={self.schedule}, got "
                f"{self.start}. Set schedule=from."
            )
        if not self.start and self.schedule == "from":
            raise ParameterError(
                "PretrainSettings: start must be 1 at least with schedule=from, got 0. Set the "
                "steps of random batches before."
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
