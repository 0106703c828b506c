"""Linear maps of frozen vectors: where they start, and how much of them may change."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor, nn

from newsnest.errors import ParameterError
from newsnest.types import Floats, Vectors


def principal_axes(vectors: Vectors) -> Vectors:
    """Return the rotation whose leading dimensions keep most of the similarities.

    From vectors (n, d): float32 (d, d), orthogonal, to be multiplied from the right, as in
    `vectors @ rotation`. Dot products at full d stay as they are; those of a prefix are the best
    that so many dimensions can do. O(n·d² + d³). Differs from principal components in that the mean
    is not taken off: a stock `Normalize` compares directions from the origin.

    Example
    -------
    >>> principal_axes(np.array([[0.0, 2.0], [1.0, 0.0]], np.float32)).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    wide = vectors.astype(np.float64)
    return _signed(eigh(wide.T @ wide)[1][:, ::-1])


def whitened_axes(left: Vectors, right: Vectors, vectors: Vectors, *, shrinkage: float) -> Vectors:
    """Return principal axes after shrinking the directions in which articles of a story differ.

    `left` and `right`, (m, d) each, are pairs of the same story, one at least; the axes are fitted
    on `vectors` (n, d). `shrinkage`, in (0, 1], is the share of the mean scatter that is given to
    every direction; 1 leaves the similarities as they are. float32 (d, d), as `principal_axes`
    returns it, but not orthogonal.

    Source: within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006).
    """
    if not len(left):
        raise ParameterError(
            "whitened_axes: left must hold pairs of one story, got none. Use init=rotation."
        )
    apart = (left - right).astype(np.float64)
    scatter = apart.T @ apart / len(apart)  # (d, d)
    d = len(scatter)
    values, axes = eigh((1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / d * np.eye(d))
    shrink = (axes * np.sqrt(values.mean() / values)) @ axes.T
    turned: Vectors = (shrink @ principal_axes((vectors @ shrink).astype(np.float32))).astype(
        np.float32
    )
    return turned


class LinearMap(nn.Module):
    """A map that is trained; only its start (d, d) until then."""

    start: Tensor

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.register_buffer("start", start)

    def weight(self) -> Tensor:
        """Return the map (d, d), to be multiplied from the right."""
        raise NotImplementedError


class FullMap(LinearMap):
    """Every entry may change: d² numbers."""

    def __init__(self, start: Tensor) -> None:
        super().__init__(start)
        self.matrix = nn.Parameter(start.clone())

    def weight(self) -> Tensor:
        return self.matrix


class LowRankMap(LinearMap):
    """A few directions of the start may be moved elsewhere: 2·d·rank numbers."""

    def __init__(self, start: Tensor, rank: int, seed: int) -> None:
        super().__init__(start)
        d = len(start)
        dice = torch.Generator().manual_seed(seed)
        self.down = nn.Parameter(torch.randn(d, rank, generator=dice) / d**0.5)
        # Only one side is 0 at the start: with both at 0 neither would get a gradient.
        self.up = nn.Parameter(torch.zeros(rank, d))

    def weight(self) -> Tensor:
        return self.start + self.start @ self.down @ self.up


class DiagonalMap(LinearMap):
    """Every axis of the start may be stretched: d numbers."""

    def __init__(self, start: Tensor) -> None:
        super().__init__(start)
        self.logarithm = nn.Parameter(torch.zeros(len(start)))

    def weight(self) -> Tensor:
        return self.start * self.logarithm.exp()


class OrthogonalMap(LinearMap):
    """The axes of the start may be turned: similarities at full d stay what they are.

    The turn is the Cayley transform of a skew-symmetric matrix, d·(d − 1) / 2 numbers.
    """

    def __init__(self, start: Tensor) -> None:
        super().__init__(start)
        self.turn = nn.Parameter(torch.zeros_like(start))

    def weight(self) -> Tensor:
        upper = self.turn.triu(1)
        skew = upper - upper.T
        one = torch.eye(len(skew))
        # Never singular: the eigenvalues of a skew-symmetric matrix are imaginary, so none is −1.
        turned: Tensor = torch.linalg.solve(one + skew, one - skew)
        return self.start @ turned


def make_map(kind: str, start: Vectors, *, rank: int = 16, seed: int = 0) -> LinearMap:
    """Return a map of a kind that is still its start (d, d), float32.

    `rank`, at most d, and `seed` are of a map of low rank: how many directions, and which they are.
    """
    matrix = torch.from_numpy(np.ascontiguousarray(start, np.float32))
    if kind == "low_rank":
        if rank > len(start):
            raise ParameterError(
                f"make_map: rank must be at most {len(start)}, the dimensions of the base, "
                f"got {rank}. Lower it, or use map=full."
            )
        return LowRankMap(matrix, rank, seed)
    makers: dict[str, Callable[[Tensor], LinearMap]] = {
        "full": FullMap,
        "diagonal": DiagonalMap,
        "orthogonal": OrthogonalMap,
    }
    if kind not in makers:
        raise ParameterError(
            f"make_map: kind must be one of low_rank, {', '.join(makers)}, got {kind!r}. "
            "Choose one."
        )
    return makers[kind](matrix)


def _signed(axes: Floats) -> Vectors:
    """Return axes with their largest entry positive: an axis and its opposite are equally good."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    signed: Vectors = np.ascontiguousarray(axes * np.sign(largest) + 0.0, np.float32)  # no −0
    return signed
