"""Settings of the recipe `tsdae`, and of all that restore texts from what is left of them."""

from __future__ import annotations

from dataclasses import dataclass

from newsnest.train.settings import ModelSettings, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(ModelSettings):
    """What `tsdae` and `clusterbert` share; `describe_settings` says what each means."""

    # Reconstruction
    noise: float = setting(0.6, "share of the words of a text that are deleted", least=0, most=0.99)
    restored: int = setting(
        64, "tokens of the clean text that are restored, from its start", least=2
    )
    held_out: float = setting(
        0.1, "share of the texts never trained on, which judge every stage", above=0, most=0.5
    )
    # Training
    batch_size: int = setting(16, "texts a batch", least=2)
    learning_rate: float = setting(2e-5, "of the encoder, by AdamW", above=0)
    own_rate: float = setting(1e-3, "of what starts anew: the decoder and the head", above=0)
    warmup: float = setting(
        0.1, "share of a round's steps until the rates are reached", least=0, most=0.9
    )
    weight_decay: float = setting(0.01, "of AdamW", least=0)
    seed: int = seed_setting("decides what is held out, deleted words, batches and dropout")


@dataclass(frozen=True, kw_only=True)
class TsdaeSettings(DenoisingSettings):
    """Settings of the recipe `tsdae`; `describe_settings` says what each means."""

    epochs: int = setting(2, "times every text is seen", least=1)
