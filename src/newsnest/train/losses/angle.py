"""Rank pairs by the AnglE score of their embeddings, read as complex numbers."""

from collections.abc import Sequence

from torch import Tensor, nn

from newsnest.errors import ParameterError
from newsnest.train.losses.cosine_ranking import ranking_loss
from newsnest.train.losses.pair_loss import PairLoss, read_targets, unit


def angle_similarity(x: Tensor, y: Tensor, *, symmetric: bool = True) -> Tensor:
    """Return the AnglE score of every pair, shape (n,).

    The halves of a vector are the real and the imaginary parts of a complex one. The score is
    |ΣRe + ΣIm| of x / y, divided by the quotient of their lengths. ΣRe is the cosine c; ΣIm changes
    its sign with the order. So |c + i| is the score of (x, y), |c − i| that of (y, x).

    Parameters
    ----------
    x, y
        Shape (n, d) each, d even.
    symmetric
        Average the scores of both orders; False takes (x, y) alone, as the source does.

    Raises
    ------
    ParameterError
        If d is odd.

    Example
    -------
    >>> import torch
    >>> x, y = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.6, 0.8]])  # c = .8, i = .6
    >>> [round(angle_similarity(x, y, symmetric=s).item(), 4) for s in (False, True)]
    [1.4, 0.8]
    """
    if x.shape[-1] % 2:
        raise ParameterError(
            f"angle_similarity: x must have an even number of dimensions, got {x.shape[-1]}. "
            "Choose another prefix."
        )
    (p, q), (r, s) = unit(x).chunk(2, dim=-1), unit(y).chunk(2, dim=-1)  # (n, d / 2) each
    real = (p * r + q * s).sum(-1)
    imaginary = (q * r - p * s).sum(-1)
    if not symmetric:
        return (real + imaginary).abs()
    return ((real + imaginary).abs() + (real - imaginary).abs()) / 2


class SymmetricAngleLoss(PairLoss):
    """Rank pairs by the AnglE score of their embeddings as their labels rank them.

    Its gradient does not vanish where the cosine's does, near 1 and −1. Combine it with a cosine
    loss: the score of x and −x is that of x and x.

    Parameters
    ----------
    model
        A SentenceTransformer with an even number of dimensions.
    scale
        The inverse temperature: 20 in releases of AnglE since April 2024, 1 in the Matryoshka
        source.
    symmetric
        Average the scores of both orders.
    mini_batch_size
        See `PairLoss`.

    Expects
    -------
    Two columns of text, and a label: the similarity (higher is more similar).

    Source: AnglE (arXiv 2309.12871), equations 4 to 8. Differs from the source in that the score
    does not depend on which text comes first; `symmetric=False` is the source.
    """

    cites = "li2024angle"
    settings = ("scale", "symmetric")

    def __init__(
        self,
        model: nn.Module,
        *,
        scale: float = 20.0,
        symmetric: bool = True,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self.scale = scale
        self.symmetric = symmetric

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [a, b], shape (n, d) each."""
        first, second = embeddings
        scores = read_targets(labels, len(first)).scores
        similarities = angle_similarity(first, second, symmetric=self.symmetric)
        return ranking_loss(similarities, scores, scale=self.scale)
