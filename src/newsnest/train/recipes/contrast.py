"""Settings of recipes that train an encoder to tell the texts at hand apart, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.train.recipes.settings import RecipeSettings, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class ContrastSettings(RecipeSettings):
    """What `sccl` and `vascl` share; `describe_settings` says what each means."""

    # Model
    prefix: str | None = setting(None, "put before every text; none: the base's own")
    pooling: Literal["mean", "cls", "max"] | None = setting(
        None, "how token vectors become one; none: the base's own"
    )
    max_length: int | None = setting(None, "tokens read of a text; none: the base's own", least=4)
    # Training
    steps: int = setting(1000, "batches trained on", least=1)
    batch_size: int = setting(400, "texts a batch, no more than there are", least=2)
    mini_batch_size: int | None = setting(
        64, "texts encoded at a time, with cached gradients; none: the whole batch", least=1
    )
    learning_rate: float = setting(1e-5, "of the encoder, constant, by AdamW", above=0)
    weight_decay: float = setting(0.01, "of AdamW", least=0)
    checkpoints: int = setting(5, "written on the way", least=1)
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "of the computing; auto: bfloat16 where the device is made for it"
    )
    device: Literal["auto", "cpu"] = setting("auto", "where to train")
    seed: int = seed_setting("decides batches, views, k-means and dropout")
