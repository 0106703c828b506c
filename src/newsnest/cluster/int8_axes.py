"""Axes on which rounding to int8 loses little, and on which most products end early.

Blocks of BLOCK dimensions, those with most energy first: principal axes where finding them pays,
else the axes as they are, reordered. Inside a block a Hadamard matrix spreads energy evenly, so
that one step of rounding fits all of its coordinates.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster.int8_tile import BLOCK
from newsnest.types import Vectors

_SAMPLED = 2048  # rows
_TURNED_FROM = 8  # rows a dimension, from where principal axes are worth finding
_OUTSIDE = 2e-5  # share of the coordinates that is cut off


@dataclass(frozen=True, slots=True)
class Axes:
    """Where rows are rounded."""

    turn: Vectors
    """(d, blocks · BLOCK): rows times this are the coordinates; dot products stay."""
    steps: Vectors
    """(blocks,): what a unit of a block's codes is worth, falling."""
    factors: NDArray[np.int32]
    """(2, blocks): steps[b]² / steps[b + 1]², whole numbers; and steps[b]² / steps[−1]²."""
    rounding: float
    """How much the dot product of two rows of length 1 can change by float32 arithmetic, on the
    way to coordinates and in the product itself."""

    @classmethod
    def of(cls, rows: Vectors) -> Self:
        """Choose axes for rows, float32 (n, d), by a sample; BLAS must be limited to one thread."""
        n, d = rows.shape
        blocks = -(-d // BLOCK)
        sample = rows[np.unique(np.linspace(0, n - 1, min(n, _SAMPLED)).astype(np.int64))]
        basis = np.zeros((d, blocks * BLOCK))
        if blocks > 1 and n >= _TURNED_FROM * d:
            energy = (sample.T @ sample).astype(np.float64)
            basis[:, :d] = np.linalg.eigh(energy)[1][:, ::-1]
        else:
            by_energy = np.argsort(-np.einsum("ij,ij->j", sample, sample), kind="stable")
            basis[by_energy, np.arange(d)] = 1.0
        # Without random signs a row of equal entries would come to lie on a single coordinate.
        signs = np.where(np.random.default_rng(0).random(blocks * BLOCK) < 0.5, -1.0, 1.0)
        spread = (basis * signs).reshape(d, blocks, BLOCK) @ _hadamard(BLOCK)
        turn = spread.reshape(d, blocks * BLOCK).astype(np.float32)
        largest = np.quantile(
            np.abs((sample @ turn).reshape(-1, blocks, BLOCK)), 1 - _OUTSIDE, axis=(0, 2)
        )
        steps, factors = _steps(np.maximum(largest, 1e-6) / 127.0)
        # A sum of d products may be off by d roundings: a coordinate of either row, their product.
        rounding = (d + 1) * 2.0**-24 * (2.0 * (blocks * BLOCK) ** 0.5 + 1.0)
        return cls(turn, steps, factors, rounding)


def _hadamard(size: int) -> NDArray[np.float64]:
    out = np.ones((1, 1))
    while len(out) < size:
        out = np.block([[out, out], [out, -out]])
    return np.asarray(out / size**0.5)


def _steps(fitting: NDArray[np.float64]) -> tuple[Vectors, NDArray[np.int32]]:
    """Return steps at least so large whose squares are whole multiples of the next, and factors."""
    blocks = len(fitting)
    fitting = np.maximum.accumulate(fitting[::-1])[::-1]
    left = 2**30 // (127**2 * BLOCK * blocks)  # or sums would not fit into int32
    factors = np.ones((2, blocks), np.int32)
    squares = np.full(blocks, fitting[0] ** 2)
    for b in range(blocks - 1):
        factors[0, b] = max(1, min(left, int(squares[b] / fitting[b + 1] ** 2)))
        left //= int(factors[0, b])
        squares[b + 1] = squares[b] / factors[0, b]
    factors[1] = np.cumprod(factors[0][::-1])[::-1]
    return np.sqrt(squares).astype(np.float32), factors
