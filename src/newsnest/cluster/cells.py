"""Rows sorted into cells of similar ones, so that near rows can be found near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsnest.types import Vectors

_PROBED = 16  # cells a cell looks at, itself among them


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows by the nearest of √n pivots, similar pivots one after another.

    Lists fill with near rows first when cells meet in this order, and few others are worth a look.

    Parameters
    ----------
    order
        int32 (n,): rows, cell by cell.
    starts
        int64 (cells + 1,): where each cell begins in `order`.
    near
        For every cell, itself and then the cells that are near to it, or it to them.
    """

    order: NDArray[np.int32]
    starts: NDArray[np.int64]
    near: list[NDArray[np.int64]]

    @classmethod
    def of(cls, rows: Vectors) -> Cells:
        """Sort rows, float32 (n, d), into cells."""
        n = len(rows)
        sampled = np.unique(np.linspace(0, n - 1, max(1, int(n**0.5))).astype(np.int64))
        pivots = rows[sampled]
        pivots = pivots[_tour(pivots @ pivots.T)]
        cell = np.empty(n, np.int32)
        for start in range(0, n, 4096):
            cell[start : start + 4096] = (rows[start : start + 4096] @ pivots.T).argmax(axis=1)
        counts = np.bincount(cell, minlength=len(pivots))
        similar = pivots @ pivots.T
        np.fill_diagonal(similar, np.inf)
        meet = np.zeros(similar.shape, np.bool_)
        closest = np.argsort(-similar, axis=1, kind="stable")[:, :_PROBED]
        np.put_along_axis(meet, closest, True, axis=1)
        meet |= meet.T
        np.fill_diagonal(meet, False)
        return cls(
            np.argsort(cell, kind="stable").astype(np.int32),
            np.concatenate([[0], np.cumsum(counts)]),
            [np.concatenate([[c], np.flatnonzero(meet[c])]) for c in range(len(pivots))],
        )

    def rows(self, cells: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the rows of some cells."""
        return np.concatenate([self.order[self.starts[c] : self.starts[c + 1]] for c in cells])

    def panels(self, first: int, last: int, columns: int) -> NDArray[np.int32]:
        """Return the panels of so many columns that hold what slots first … last − 1 may meet."""
        begin = np.searchsorted(self.starts, first, "right") - 1
        end = np.searchsorted(self.starts, min(last, len(self.order)) - 1, "right")
        cells = np.unique(np.concatenate(self.near[begin:end]))
        ranges = zip(self.starts[cells], self.starts[cells + 1], strict=True)
        return np.unique(
            np.concatenate(
                [np.arange(a // columns, -(-b // columns), dtype=np.int32) for a, b in ranges]
            )
        )


def _tour(similar: NDArray[np.float32]) -> list[int]:
    """Go from each to the most similar one not yet visited."""
    left = np.ones(len(similar), np.bool_)
    tour = [0]
    while len(tour) < len(similar):
        left[tour[-1]] = False
        tour.append(int(np.argmax(np.where(left, similar[tour[-1]], -np.inf))))
    return tour
