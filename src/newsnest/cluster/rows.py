"""What rows of vectors must be, and means of groups of them."""

import numpy as np

from newsnest.errors import ParameterError
from newsnest.types import Floats, Labels, Vectors


def check_similarity(where: str, value: float) -> None:
    """Raise ParameterError unless `value` is a cosine."""
    if not -1.0 <= value <= 1.0:
        raise ParameterError(
            f"{where}: min_similarity must be in [-1, 1], got {value}. It is a cosine."
        )


def check_weights(where: str, weights: Floats) -> None:
    """Raise ParameterError unless every weight is positive."""
    if not (weights > 0).all():
        raise ParameterError(
            f"{where}: sample_weight must be positive, got {weights.min()}. Drop those rows."
        )


def check_finite(what: str, rows: Vectors) -> None:
    """Raise ParameterError for a row with NaN or infinity, naming the first."""
    # One number instead of a flag for each of n · d: a NaN or infinity always reaches the sum.
    if not np.isfinite(np.vdot(rows, rows)):
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise ParameterError(
            f"{what} must be finite, got NaN or infinity in row {row}. Drop that row."
        )


def directions(where: str, rows: Vectors) -> Vectors:
    """Scale rows to unit length, float32 (n, d); raise ParameterError for a row of zeros."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    if not lengths.all():
        raise ParameterError(
            f"{where}: X must have no zero rows, got one at row {int(np.argmin(lengths))}. "
            "Drop it: a zero vector has no direction."
        )
    out = np.empty(rows.shape, np.float32)
    # Divided in float64, chunk by chunk: no float64 matrix comes into being.
    np.divide(rows, lengths[:, None], out=out, casting="same_kind")
    return out


def unit_in_place(rows: Vectors) -> Vectors:
    """Scale to unit length in place; a row without length points along the first axis.

    For vectors on their way through a run, which must not stop at one odd text.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows[lengths == 0, 0] = 1.0
    rows /= np.where(lengths == 0, 1.0, lengths)[:, None].astype(np.float32)
    return rows


def group_means(rows: Vectors, labels: Labels, weights: Floats) -> tuple[Vectors, Floats]:
    """Return the weighted mean of every label's rows, not normalised, and its weight.

    Parameters
    ----------
    rows
        float32 (n, d), unit rows.
    labels
        int32 (n,), 0 … k − 1.
    weights
        float64 (n,).

    Returns
    -------
    tuple
        float32 (k, d) and float64 (k,).
    """
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    total = np.add.reduceat(weights[order], starts)
    means = np.empty((len(starts), rows.shape[1]), np.float32)
    for column in range(0, rows.shape[1], 32):  # a float64 copy of all columns would be large
        part = rows[order, column : column + 32] * weights[order, None]
        means[:, column : column + 32] = np.add.reduceat(part, starts) / total[:, None]
    return means, total
