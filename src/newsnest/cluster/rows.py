"""What rows of vectors must be, and which of them are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import rac_kernels as kernels
from newsnest.errors import ParameterError
from newsnest.types import Labels, Vectors


def check_finite(what: str, rows: Vectors) -> None:
    """Raise ParameterError for a row with NaN or infinity, naming the first."""
    if not np.isfinite(np.vdot(rows, rows)):
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise ParameterError(
            f"{what} must be finite, got NaN or infinity in row {row}. Drop that row."
        )


def fold_identical(rows: Vectors) -> tuple[Labels, NDArray[np.int64]]:
    """Group rows that are equal to the bit.

    Returns
    -------
    tuple
        Group of every row, int32 (n,), numbered by first row; and the first row of every group.
    """
    hashes = kernels.row_hashes(rows.view(np.uint32))
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    leader = first[inverse]
    # Rows that merely share a hash with their leader stand for themselves.
    copies = np.flatnonzero(leader != np.arange(len(rows)))
    different = copies[(rows[copies] != rows[leader[copies]]).any(axis=1)]
    leader[different] = different
    first, atoms = np.unique(leader, return_inverse=True)
    return atoms.astype(np.int32), first
