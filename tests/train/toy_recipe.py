"""A recipe of one loss, as a package of somebody else has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from newsnest.train import ColumnSettings, PairRun, Publication, Recipe, TrainerSettings, setting


@dataclass(frozen=True, kw_only=True)
class ToySettings(TrainerSettings, ColumnSettings):
    """Settings of the recipe `toy`."""

    margin: float = setting(0.2, "how much closer a pair must be than a wrong one", minimum=0)


class MarginLoss(nn.Module):
    """Each text must be closer to its partner than to the partner of the next pair."""

    def __init__(self, model: nn.Module, margin: float) -> None:
        super().__init__()
        self.model, self.margin = model, margin

    def forward(self, features: list[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """Return a mean over the batch."""
        one, other = (self.model(part)["sentence_embedding"] for part in features)
        near, far = cosine_similarity(one, other), cosine_similarity(one, other.roll(1, 0))
        return (self.margin - near + far).clamp(min=0).mean()

    def get_config_dict(self) -> dict[str, Any]:
        """Return what newsnest.json says of the loss."""
        return {"margin": self.margin}


def train_toy(context: Any) -> None:
    """Train on the pairs of the data files, and publish the best weights."""
    loss = partial(MarginLoss, margin=context.settings.margin)
    run = PairRun(context=context, make_loss=loss, data=context.read_pairs())
    run.train()
    run.publish(Publication(title="A toy", text="Trained with a margin."))


TOY = Recipe(name="toy", summary="a margin", settings=ToySettings, work=train_toy)
