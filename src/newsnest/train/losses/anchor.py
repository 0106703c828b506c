"""Keep the base model's similarities within a batch while training on new pairs."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from newsnest.train.losses.levelwise import LevelwiseMatryoshkaLoss, TrainingLevel
from newsnest.train.losses.pair_loss import FrozenReader, unit


def anchor_loss(embeddings: Tensor, base: Tensor, *, scale: float) -> Tensor:
    """Return how far the similarities of 2n texts moved from those of the base, a scalar.

    The mean over all pairs of texts of (scale · (cosine − the base's cosine))², without those of
    a text with itself, and without the n labelled pairs: of these, the labels know better.

    Parameters
    ----------
    embeddings, base
        Shape (2n, d) and (2n, e): the first texts of all pairs, then the second ones.
    scale
        Puts a difference of cosines on the scale of the loss beside it.

    Example
    -------
    >>> same = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [1.0, 1.0]])
    >>> round(anchor_loss(same, 3 * same, scale=20.0).item(), 6)
    0.0
    """
    now, then = unit(embeddings), unit(base)
    with torch.autocast(now.device.type, enabled=False):
        moved = scale * (now @ now.T - then @ then.T)  # (2n, 2n)
    own = torch.eye(len(now), dtype=torch.bool, device=now.device)
    kept = ~(own | own.roll(len(now) // 2, dims=0))
    return torch.where(kept, moved.square(), 0.0).sum() / kept.sum().clamp(min=1)


class AnchoredMatryoshkaLoss(LevelwiseMatryoshkaLoss):
    """Train levels as `LevelwiseMatryoshkaLoss` does, and hold on to the base's similarities.

    Plain fine-tuning on news pairs makes stories of other data sets worse: the base's knowledge of
    texts that form no pair is lost. This term keeps it, at all dimensions.

    Parameters
    ----------
    model, levels, options
        As `LevelwiseMatryoshkaLoss` takes them.
    base
        The model as it was; frozen, never saved, never trained.
    anchor
        Weight of the term.
    scale
        See `anchor_loss`.

    Expects
    -------
    As `LevelwiseMatryoshkaLoss`.

    Notes
    -----
    The base reads every batch once, without gradients: about a sixth of the time of a step more.
    Source: relational knowledge distillation (arXiv 1904.05068), the distance-wise loss. Differs
    from the source in that cosines are compared, and labelled pairs left out.
    """

    def __init__(
        self,
        model: nn.Module,
        levels: Sequence[TrainingLevel],
        *,
        base: nn.Module,
        anchor: float,
        scale: float = 20.0,
        **options: Any,
    ) -> None:
        super().__init__(model, levels, **options)
        self.anchor = anchor
        self.scale = scale
        self._base = FrozenReader(base)
        self._base_embeddings: Tensor | None = None

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> Tensor:
        """Encode both columns, also by the base, and return the loss, a scalar."""
        columns = list(sentence_features)
        self._base_embeddings = self._base.read(columns, self.mini_batch_size)  # (2n, d)
        return super().forward(columns, labels)

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [a, a′, b, b′], or of [a, b], whose texts `forward` was given."""
        loss = super().compute_loss_from_embeddings(embeddings, labels)
        assert self._base_embeddings is not None  # set by forward
        first, second = embeddings[0], embeddings[2 if self.views else 1]
        both = torch.cat([first, second])
        return loss + self.anchor * anchor_loss(both, self._base_embeddings, scale=self.scale)

    def get_config_dict(self) -> dict[str, Any]:
        return {**super().get_config_dict(), "anchor": self.anchor, "anchor_scale": self.scale}
