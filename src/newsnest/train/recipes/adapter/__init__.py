"""The recipe `adapter`: a linear map on frozen vectors whose prefixes are theme, topic, story."""

from dataclasses import dataclass
from typing import Literal

from newsnest.train.recipe import Recipe
from newsnest.train.recipes.matryoshka import LevelLossSettings
from newsnest.train.settings import setting, split_setting

__all__ = ["ADAPTER", "AdapterSettings"]


@dataclass(frozen=True, kw_only=True)
class AdapterSettings(LevelLossSettings):
    """Settings of the recipe `adapter`; `describe_settings` explains each."""

    validation: float = split_setting(0.15)
    # Map
    map: Literal["full", "low_rank", "diagonal", "orthogonal"] = setting(
        "full",
        "changes that may be learned: any, of low rank, a scaling of axes, or a rotation",
    )
    init: Literal["rotation", "whitened"] = setting(
        "rotation", "initial map: principal axes, or these with within-story variation shrunk"
    )
    rank: int = setting(16, "rank of the changes with map=low_rank", minimum=1)
    shrinkage: float = setting(
        0.5, "with init=whitened: share of the variation to keep", above=0, maximum=1
    )
    # Loss
    angle: float = setting(0.0, "weight of the angle ranking loss", minimum=0)
    anchor: float = setting(
        3.0, "weight of staying close to the base's similarities within a batch; 0: off", minimum=0
    )
    # Training
    epochs: int = setting(20, "maximum number of passes over the data", minimum=1)
    batch_size: int = setting(128, "pairs per batch", minimum=2)
    learning_rate: float | None = setting(
        None,
        "learning rate of Adam; none: 3e-4 (full), 1e-3 (low_rank, orthogonal) or 1e-2 (diagonal)",
        above=0,
    )
    patience: int = setting(3, "epochs without improvement before training stops", minimum=1)
    confidence: float = setting(
        0.9, "share of resamples in which validation must improve, else the start is saved",
        minimum=0.5, maximum=1,
    )  # fmt: skip
    backend: Literal["auto", "torch", "bfloat16", "int8"] = setting(
        "auto", "how the base's vectors are computed"
    )


ADAPTER = Recipe(
    name="adapter",
    summary="a linear map behind a frozen encoder: theme, topic, story in seconds on a CPU",
    settings=AdapterSettings,
    work="newsnest.train.recipes.adapter.train:run_adapter",
    about="""The base stays frozen and encodes every text once; a linear map without bias follows it
(Dense, then Normalize). The map starts as the rotation to the principal axes of the training texts,
which changes no similarity at full d, and learns what each level needs at d/4, d/2 and d. Prefer it
to matryoshka without a GPU, and with few pairs.

The model is saved with the learned map only if validation pairs improve with confidence and no
level gets worse by Pearson; otherwise the principal axes are saved, or the base as it is where its
own prefixes are better, and newsnest.json and a note say so. Validation pairs share no article and
no story with training pairs.

A step costs O(b·d² + b²·d) for b pairs per batch (and O(d³) for map=orthogonal): seconds in all
for thousands of pairs, besides the encoding.""",
    needs=(),
    resumes=False,
)
