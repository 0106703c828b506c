"""The recipe `tsdae`: adapt an encoder to a domain by restoring texts from their vectors."""

from dataclasses import dataclass

from newsnest.train.recipe import Recipe
from newsnest.train.settings import ArticleSettings, ModelSettings, setting

__all__ = ["TSDAE", "DenoisingSettings", "TsdaeSettings"]


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(ModelSettings, ArticleSettings):
    """What `tsdae` and `clusterbert` share; `describe_settings` explains each."""

    # Reconstruction
    noise: float = setting(0.6, "share of the words deleted from a text", minimum=0, maximum=0.99)
    restored_tokens: int = setting(64, "leading tokens of the clean text to restore", minimum=2)
    held_out: float = setting(
        0.1, "share of the texts held out of training to judge every stage", above=0, maximum=0.5
    )
    # Training
    batch_size: int = setting(16, "texts per batch", minimum=2)
    learning_rate: float = setting(2e-5, "peak learning rate of the encoder", above=0)
    head_learning_rate: float = setting(
        1e-3, "peak learning rate of the parts trained from scratch: decoder and head", above=0
    )
    warmup: float = setting(
        0.1, "share of a stage's steps over which the rates rise", minimum=0, maximum=0.9
    )
    weight_decay: float = setting(0.01, "weight decay of AdamW", minimum=0)


@dataclass(frozen=True, kw_only=True)
class TsdaeSettings(DenoisingSettings):
    """Settings of the recipe `tsdae`; `describe_settings` explains each."""

    epochs: int = setting(2, "number of passes over the texts", minimum=1)


TSDAE = Recipe(
    name="tsdae",
    summary="domain adaptation without labels: restore texts from which words were deleted",
    settings=TsdaeSettings,
    work="newsnest.train.recipes.tsdae.train:run_tsdae",
    about="""Words of a text are deleted, and a decoder restores the text from the vector of the
remaining words. Prefer clusterbert to cluster the texts at hand; use this one to adapt an encoder
to the vocabulary of a domain before another training.

Source: TSDAE, arXiv 2104.06979. Differences: the decoder (newsnest.train.losses.reconstruction)
and the splitting into words (newsnest.train.unlabelled).""",
)
