"""Rows sorted into cells of similar ones, so that near rows can be found near."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from newsnest.types import Vectors

_PROBED = 16  # cells a cell looks at, itself among them


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows by the nearest of √n pivots, similar pivots one after another.

    Lists fill with near rows first when cells meet in this order, and few others are worth a look.
    """

    order: NDArray[np.int32]  # (n,): rows, cell by cell
    starts: NDArray[np.int64]  # (cells + 1,): where each cell begins in `order`
    similar: Vectors  # (cells, cells): dot products of pivots

    @classmethod
    def of(cls, rows: Vectors) -> Self:
        """Sort rows, float32 (n, d), into cells."""
        pivots = pivots_of(rows)
        cell = np.empty(len(rows), np.int32)
        for start in range(0, len(rows), 4096):
            cell[start : start + 4096] = (rows[start : start + 4096] @ pivots.T).argmax(axis=1)
        return cls.sorted_by(cell, pivots)

    @classmethod
    def sorted_by(
        cls, cell: NDArray[np.int32], pivots: Vectors, apart: NDArray[np.bool_] | None = None
    ) -> Self:
        """Sort rows into cells that are known, int32 (n,), with a pivot each, float32 (cells, d).

        Rows that are to be kept `apart`, bool (n,), come after all others, in as many cells more.
        """
        cells = len(pivots)
        if apart is not None:
            cell, cells = cell + np.int32(cells) * apart, 2 * cells
        counts = np.bincount(cell, minlength=cells)
        order = np.argsort(cell, kind="stable").astype(np.int32)
        return cls(order, np.concatenate([[0], np.cumsum(counts)]), pivots @ pivots.T)

    def near(self) -> list[NDArray[np.int64]]:
        """Return for every cell itself, and then the cells that are near to it, or it to them."""
        similar = self.similar.copy()
        np.fill_diagonal(similar, np.inf)
        meet = np.zeros(similar.shape, np.bool_)
        closest = np.argsort(-similar, axis=1, kind="stable")[:, :_PROBED]
        np.put_along_axis(meet, closest, True, axis=1)
        meet |= meet.T
        twice = (len(self.starts) - 1) // len(meet)
        meet = np.tile(meet, (twice, twice))
        np.fill_diagonal(meet, False)
        return [np.concatenate([[c], np.flatnonzero(meet[c])]) for c in range(len(meet))]

    def rows(self, cells: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the rows of some cells."""
        return np.concatenate([self.order[self.starts[c] : self.starts[c + 1]] for c in cells])


def pivots_of(rows: Vectors) -> Vectors:
    """Return √n of the rows, from all over them, each next to one that is similar."""
    n = len(rows)
    sampled = np.unique(np.linspace(0, n - 1, max(1, int(n**0.5))).astype(np.int64))
    pivots = rows[sampled]
    return np.ascontiguousarray(pivots[_tour(pivots @ pivots.T)])


def _tour(similar: NDArray[np.float32]) -> list[int]:
    """Go from each to the most similar one not yet visited."""
    left = np.ones(len(similar), np.bool_)
    tour = [0]
    while len(tour) < len(similar):
        left[tour[-1]] = False
        tour.append(int(np.argmax(np.where(left, similar[tour[-1]], -np.inf))))
    return tour
