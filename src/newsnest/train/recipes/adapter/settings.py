"""Settings of the recipe `adapter`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.train.settings import DataSettings, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class AdapterSettings(DataSettings):
    """Settings of the recipe `adapter`; `describe_settings` says what each means."""

    validation: float = setting(
        0.15, "share split off to validate on, of files without such a split", above=0, most=0.5
    )
    # Map
    map: Literal["full", "low_rank", "diagonal", "orthogonal"] = setting(
        "full", "what may change: all, a few directions, the length of axes, or axes alone"
    )
    start: Literal["rotation", "whitened"] = setting(
        "rotation", "principal axes, or these with what parts two articles of a story shrunk"
    )
    rank: int = setting(16, "directions that map=low_rank may change", least=1)
    shrinkage: float = setting(0.5, "how much of start=whitened is left as it was", above=0, most=1)
    # Loss
    graded_story: bool = setting(True, "the story level ranks by grades, not by alike or not")
    cosine: float = setting(1.0, "weight of the cosine ranking", least=0)
    angle: float = setting(0.0, "weight of the angle ranking", least=0)
    contrastive: float = setting(1.0, "weight of the in-batch contrast", least=0)
    cosine_scale: float = setting(20.0, "inverse temperature of the cosine ranking", above=0)
    angle_scale: float = setting(1.0, "inverse temperature of the angle ranking", above=0)
    temperature: float = setting(0.05, "of the in-batch contrast", above=0)
    anchor: float = setting(
        3.0, "weight of keeping the base's similarities within a batch; 0: off", least=0
    )
    # Training
    epochs: int = setting(20, "times every pair is seen, at most", least=1)
    batch_size: int = setting(128, "pairs a batch", least=2)
    learning_rate: float | None = setting(
        None, "of Adam; none: 3e-4, 1e-3 for low_rank and orthogonal, 1e-2 for diagonal", above=0
    )
    patience: int = setting(3, "epochs without a better one until training ends", least=1)
    confidence: float = setting(
        0.9,
        "share of resamples of the validation pairs that must gain, or the start is saved",
        least=0.5,
        most=1,
    )
    backend: Literal["auto", "torch", "bfloat16", "int8"] = setting(
        "auto", "what computes the base's vectors"
    )
    seed: int = seed_setting("decides splits, pairs and batches")
