"""Settings of the recipes `sccl` and `vascl`: tell the texts at hand apart, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.settings import ModelSettings, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class ContrastSettings(ModelSettings):
    """What `sccl` and `vascl` share; `describe_settings` says what each means."""

    # Training
    steps: int = setting(1000, "batches trained on", least=1)
    batch_size: int = setting(400, "texts a batch, no more than there are", least=2)
    mini_batch_size: int | None = setting(
        64, "texts encoded at a time, with cached gradients; none: the whole batch", least=1
    )
    learning_rate: float = setting(1e-5, "of the encoder, constant, by AdamW", above=0)
    weight_decay: float = setting(0.01, "of AdamW", least=0)
    checkpoints: int = setting(5, "written on the way", least=1)
    seed: int = seed_setting("decides batches, views, k-means and dropout")


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


@dataclass(frozen=True, kw_only=True)
class VasclSettings(ContrastSettings):
    """Settings of the recipe `vascl`; `describe_settings` says what each means."""

    temperature: float = setting(0.05, "of the contrast", above=0)
    neighbours: int = setting(16, "texts of the batch that a text is told from", least=1)
    radius: float = setting(1.0, "how far a vector is moved, in its own lengths", least=0)
