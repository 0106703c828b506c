"""Rank pairs by cosine as their labels rank them (CoSENT)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from newsnest.train.losses.pair_loss import PairLoss, full_precision, read_targets


def ranking_loss(similarities: Tensor, targets: Tensor, *, scale: float) -> Tensor:
    """Return log(1 + Σ exp(scale · (s_i − s_j))) over all i, j with target_i < target_j.

    Parameters
    ----------
    similarities, targets
        Shape (n,) each. Pairs of the same target are not compared; if all are the same, the loss
        is 0.
    scale
        The inverse temperature.

    Notes
    -----
    O(n log n) in time and O(n) in memory: for every i the sum over j is a tail of a running sum
    over the pairs in the order of their targets.

    Example
    -------
    >>> loss = ranking_loss(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]), scale=20.0)
    >>> round(loss.item(), 4)  # log 2
    0.6931
    """
    ordered, order = targets.sort()
    scores = full_precision(similarities)[order] * scale  # (n,)
    tails = torch.logcumsumexp(-scores.flip(0), dim=0).flip(0)  # log Σ over j from here on
    # Of the highest target, above which there is nothing.
    tails = torch.cat([tails, tails.new_full((1,), -torch.inf)])
    above = torch.searchsorted(ordered, ordered, right=True)  # first j of a higher target
    terms = scores + tails[above]
    # The zero is the 1 of log(1 + Σ); by logsumexp no term overflows at any scale.
    return torch.logsumexp(torch.cat([terms.new_zeros(1), terms]), dim=0)


class CosineRankingLoss(PairLoss):
    """Rank pairs by the cosine of their embeddings as their labels rank them.

    The loss uses the order of the labels alone, so any scale serves. Prefer
    `LevelwiseMatryoshkaLoss` to train prefixes of the embedding as levels.

    Parameters
    ----------
    model
        A SentenceTransformer.
    scale
        The inverse temperature, 20 in the source.
    mini_batch_size
        See `PairLoss`.

    Expects
    -------
    Two columns of text, and a label: the similarity (higher is more similar).

    Source: CoSENT (https://doi.org/10.1109/TASLP.2024.3402087), equation 4.
    """

    cites = "huang2024cosent"
    settings = ("scale",)

    def __init__(
        self, model: nn.Module, *, scale: float = 20.0, mini_batch_size: int | None = None
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self.scale = scale

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [a, b], shape (n, d) each."""
        first, second = (full_precision(e) for e in embeddings)
        scores = read_targets(labels, len(first)).scores
        return ranking_loss(functional.cosine_similarity(first, second), scores, scale=self.scale)
