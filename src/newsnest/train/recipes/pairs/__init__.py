"""The recipe `pairs`: an encoder that finds an article's summary by its title, or any two texts."""

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.recipe import Recipe
from newsnest.train.settings import ColumnSettings, TrainerSettings, setting

__all__ = ["PAIRS", "PairsSettings"]

CACHED_SIZE = 32
"""Default number of texts encoded at a time with loss=cached-mnr."""


@dataclass(frozen=True, kw_only=True)
class PairsSettings(TrainerSettings, ColumnSettings):
    """Settings of the recipe `pairs`; `describe_settings` explains each."""

    # Data
    columns: tuple[str, str] | None = setting(
        ("title", "summary"),
        "the two columns of a pair; title, text and summary also by their usual names",
    )
    # Loss
    loss: Literal["mnr", "cached-mnr", "megabatch", "guided"] = setting("mnr", "training loss")
    temperature: float | None = setting(
        None, "temperature of the ranking; none: 0.05, with guided 0.01", above=0
    )
    guide: str | None = setting(
        None, "frozen encoder that guides and mines; none: the base before training", encoder=True
    )
    guide_margin: float = setting(
        0.0, "guided: how much less similar than the pair a negative must be", minimum=0, maximum=1
    )
    positive_margin: float = setting(
        0.8, "megabatch: cosine that pairs should reach", minimum=-1, maximum=1
    )
    negative_margin: float = setting(
        0.3, "megabatch: cosine that negatives should stay below", minimum=-1, maximum=1
    )
    # Hard negatives
    negatives: int = setting(0, "hard negatives mined per pair; 0: in-batch only", minimum=0)
    mining_margin: float = setting(
        0.05, "relative margin below the pair for a mined negative", minimum=0, maximum=1
    )
    mining_skip: int = setting(0, "number of nearest texts that are never mined", minimum=0)
    # Training
    epochs: float = setting(6.0, "maximum number of passes over the data", above=0)
    batch_size: int = setting(16, "pairs per batch, on each device", minimum=2)

    @property
    def needs_guide(self) -> bool:
        """Whether an encoder guides or mines."""
        return self.loss == "guided" or self.negatives > 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "mnr" and self.mini_batch_size is not None:
            raise ParameterError(
                f"PairsSettings: mini_batch_size must be none with loss=mnr, got "
                f"{self.mini_batch_size}. Set loss=cached-mnr."
            )
        if self.loss == "megabatch" and self.negatives:
            raise ParameterError(
                f"PairsSettings: negatives must be 0 with loss=megabatch, which finds its own, got "
                f"{self.negatives}. Leave it out."
            )
        if self.loss == "guided" and self.mini_batch_size is None and self.negatives > 1:
            raise ParameterError(
                "PairsSettings: negatives must be 0 or 1 with loss=guided and without "
                f"mini_batch_size, got {self.negatives}. Set mini_batch_size={CACHED_SIZE} too."
            )
        if self.guide is not None and not self.needs_guide:
            raise ParameterError(
                f"PairsSettings: guide must be none with loss={self.loss} and no negatives, got "
                f"{self.guide!r}. Set loss=guided, or negatives=1."
            )


PAIRS = Recipe(
    name="pairs",
    summary="titles and their summaries, or any two columns",
    settings=PairsSettings,
    work="newsnest.train.recipes.pairs.train:train_pairs",
    about="""Training pulls the first text of each pair closer to the second one than to the others
of the batch. Prefer matryoshka where pairs are graded or articles have gold labels: here all other
articles are negatives, even those of the same story, unless loss=guided leaves them out. No text is
in both training and validation pairs; texts that differ only in case, width and spaces count as the
same.

Source: Multiple Negatives Ranking, arXiv 1705.00652, section 4.4; guided: GISTEmbed, arXiv
2402.16829; mined negatives: NV-Retriever, arXiv 2407.15831, TopK-PercPos; megabatch: see
MegaBatchLoss.""",
    several_processes=True,
)
