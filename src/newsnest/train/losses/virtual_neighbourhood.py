"""Contrast a text with its neighbours, moved to where they are hardest to separate (VaSCL)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from newsnest.train.losses.contrastive import view_contrast
from newsnest.train.losses.pair_loss import PairLoss, check_temperature, full_precision


def worst_neighbours(
    one: Tensor, other: Tensor, *, neighbours: int, radius: float, temperature: float
) -> Tensor:
    """Return the InfoNCE loss of every row moved against its neighbours alone, a scalar.

    Each row is moved one step of length `radius` along the gradient of its own loss: the direction
    in which it looks most like its neighbours and least like its own other view. The loss then asks
    it to find that view among its neighbours.

    Parameters
    ----------
    one, other
        (n, d) each: two views of n texts.
    neighbours
        How many rows of `one` serve as negatives: those most similar to it, itself not counted.
        n − 1 where there are no more.
    radius
        How far a row is moved, in lengths of the row.
    temperature
        Divides the cosines.

    Notes
    -----
    O(n² d). In float32 at least. Source: VaSCL (arXiv 2110.08552), equations 4 to 6.

    Example
    -------
    >>> rows = torch.eye(3)
    >>> loss = worst_neighbours(rows, rows, neighbours=2, radius=0.0, temperature=1.0)
    >>> round(loss.item(), 4)  # log(1 + 2 / e)
    0.5514
    """
    with torch.autocast(one.device.type, enabled=False):
        one, other = full_precision(one), full_precision(other)
        unit = functional.normalize(one, dim=1)
        count = min(neighbours, len(one) - 1)
        with torch.no_grad():
            similar = unit @ unit.T
            similar.fill_diagonal_(-torch.inf)
            near = similar.topk(count, dim=1).indices  # (n, count)
        # Also where the caller wants no gradients, as in validation: the step is a gradient itself.
        with torch.enable_grad():
            start = one.detach().requires_grad_()
            apart = _surprise(start, other.detach(), unit.detach()[near], temperature)
            (worst,) = torch.autograd.grad(apart.sum(), start)
        step = radius * one.detach().norm(dim=1, keepdim=True) * functional.normalize(worst, dim=1)
        return _surprise(one + step, other, unit[near], temperature).mean()


def _surprise(moved: Tensor, other: Tensor, near: Tensor, temperature: float) -> Tensor:
    """Return −log of how surely each row finds its other view among its neighbours, (n,)."""
    moved, other = functional.normalize(moved, dim=1), functional.normalize(other, dim=1)
    own = (moved * other).sum(dim=1, keepdim=True)  # (n, 1)
    others = torch.einsum("nd,ncd->nc", moved, near)
    logits = torch.cat([own, others], dim=1) / temperature
    return logits.logsumexp(dim=1) - logits[:, 0]


class VirtualNeighbourhoodLoss(PairLoss):
    """Pull two dropout views of a text together, away from the batch and from hard neighbours.

    Prefer it over plain dropout contrast where batches are large enough to hold several texts of
    the same kind, the hard negatives of each other.

    Parameters
    ----------
    model
        A SentenceTransformer whose dropout is on while it trains.
    neighbours, radius
        See `worst_neighbours`.
    temperature
        Divides the cosines.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If there are no neighbours, the radius is negative or the temperature is not positive.

    Expects
    -------
    One column of text, or several, of which the first is read; no label.

    Notes
    -----
    Source: VaSCL (arXiv 2110.08552). Differs from the source in that a step is measured in lengths
    of the vector (the source has 15, about one length of its own vectors) and that nothing stands
    between the vectors and the contrast.
    """

    cites = "zhang2022vascl"
    texts = 1
    expects = "one text"
    settings = ("neighbours", "radius", "temperature")

    def __init__(
        self,
        model: nn.Module,
        *,
        neighbours: int = 16,
        radius: float = 1.0,
        temperature: float = 0.05,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, views=True, mini_batch_size=mini_batch_size)
        self._require(
            neighbours >= 1, f"neighbours must be at least 1, got {neighbours}. The source has 16."
        )
        self._require(radius >= 0, f"radius must be at least 0, got {radius}. Give 1.")
        check_temperature("VirtualNeighbourhoodLoss", temperature)
        self.neighbours = neighbours
        self.radius = radius
        self.temperature = temperature

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> Tensor:
        """Encode the first column twice and return the loss, a scalar."""
        return super().forward([next(iter(sentence_features))], labels)

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [view, other view], shape (n, d) each; labels are not read."""
        one, other = embeddings
        # The contrast first: gradients are added up in the order of the graph.
        contrast = view_contrast(one, other, temperature=self.temperature)
        chosen = {name: getattr(self, name) for name in self.settings}
        return contrast + worst_neighbours(one, other, **chosen)
