"""What a screen is: a way to nearest neighbours from all pairs; and the one for every processor.

A screen says which pairs can be more similar than a threshold; each of those is computed exactly.
Where not all pairs are to be met, `Cells` of similar rows say which rows are near.
`FloatScreen` multiplies float32 blocks by BLAS, `Int8Screen` rounded ones; both give the same
neighbours, the same bits for any number of threads: blocks that touch the same rows never run at
the same time, and their order is fixed.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import rac_kernels as kernels
from newsnest.cluster.threads import Threads
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

Neighbours = tuple[Vectors, NDArray[np.int32]]
_BLOCK = 1024  # rows
_WIDENED = 2  # rounds
_WIDENED_ROWS = 4096  # at a time
_PROBED = 16  # cells a cell looks at, itself among them


class Screen(Protocol):
    """Finds neighbours among the rows of one array of means, which may change between calls."""

    def all_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        """Find the k nearest other rows of every row, each pair looked at once.

        Returns similarities, float32 (n, k), a heap in each row, `above` where there are fewer; and
        rows, int32 (n, k), −1 there.
        """

    def nearby_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        """Do as `all_pairs` does among the rows of nearby cells alone: not all are found."""

    def among(
        self, rows: NDArray[np.int32], live: NDArray[np.int32], k: int, above: np.float32
    ) -> Neighbours:
        """Find the k nearest live rows of some live rows; shapes as `all_pairs`."""

    def changed(self, rows: NDArray[np.int32]) -> None:
        """Take note that the means of these rows have changed."""


class FloatScreen(Screen):
    """Products of float32 blocks."""

    def __init__(self, means: Vectors, threads: Threads) -> None:
        self._means, self._pool = means, threads.pool
        self._slack = np.float32(2.0 * means.shape[1] * 2.0**-24 + 1e-6)

    def all_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        rows = self._means
        values, ids = empty_heaps(len(rows), k, above)
        blocks = -(-len(rows) // _BLOCK)

        def fold(pair: tuple[int, int]) -> None:
            i, j = pair[0] * _BLOCK, pair[1] * _BLOCK
            product = rows[i : i + _BLOCK] @ rows[j : j + _BLOCK].T
            kernels.keep_symmetric(product, i, j, rows, self._slack, values, ids)

        with progress.start("comparing", blocks * (blocks + 1) // 2, "blocks") as task:
            for pairs in tournament(blocks):
                list(self._pool.map(fold, pairs))
                task.advance(len(pairs))
        return values, ids

    def nearby_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        n = len(self._means)
        values, ids = empty_heaps(n, k, above)
        cells = Cells.of(self._means)
        with progress.start("comparing nearby", n, "rows") as task:
            for near in cells.near():
                rows = cells.rows(near[:1])
                others = np.sort(cells.rows(near))
                values[rows], ids[rows] = self.among(rows, others, k, above)
                task.advance(len(rows))
        return widened(self._means, values, ids, self._pool, progress)

    def among(
        self, rows: NDArray[np.int32], live: NDArray[np.int32], k: int, above: np.float32
    ) -> Neighbours:
        values, ids = empty_heaps(len(rows), k, above)
        for column in range(0, len(live), _BLOCK * 8):
            part = live[column : column + _BLOCK * 8]
            against = self._means[part].T

            def fold(row: int, part: NDArray[np.int32] = part, against: Vectors = against) -> None:
                product = self._means[rows[row : row + _BLOCK // 4]] @ against
                kernels.keep_rows(
                    product, rows, part, row, self._means, self._slack, values, ids
                )  # fmt: skip

            list(self._pool.map(fold, range(0, len(rows), _BLOCK // 4)))
        return values, ids

    def changed(self, rows: NDArray[np.int32]) -> None:
        pass


def widened(
    means: Vectors,
    values: Vectors,
    ids: NDArray[np.int32],
    pool: ThreadPoolExecutor,
    progress: Progress,
) -> Neighbours:
    """Look among the neighbours of neighbours, which finds most of those that cells missed."""
    with progress.start("looking at neighbours' neighbours", _WIDENED * len(ids), "rows") as task:
        for _ in range(_WIDENED):
            known = ids.copy()

            def fold(first: int, known: NDArray[np.int32] = known) -> int:
                last = min(first + _WIDENED_ROWS, len(ids))
                kernels.widen(first, last, means, known, values, ids)
                return last - first

            for done in pool.map(fold, range(0, len(ids), _WIDENED_ROWS)):
                task.advance(done)
    return values, ids


def empty_heaps(n: int, k: int, above: np.float32) -> Neighbours:
    """Return heaps of n rows without one neighbour."""
    return np.full((n, k), above, np.float32), np.full((n, k), -1, np.int32)


def tournament(teams: int) -> Iterator[list[tuple[int, int]]]:
    """Yield rounds of disjoint pairs until every two teams have met, and each has met itself."""
    yield [(i, i) for i in range(teams)]
    ring = list(range(teams + teams % 2))  # an odd number gets a bye
    for _ in range(len(ring) - 1):
        # The circle method: one stays where it is and the others move on by a place.
        half = len(ring) // 2
        meetings = zip(ring[:half], reversed(ring[half:]), strict=True)
        yield [(min(p), max(p)) for p in meetings if max(p) < teams]
        ring = [ring[0], ring[-1], *ring[1:-1]]


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
        pivots = cls.pivots(rows)
        cell = np.empty(len(rows), np.int32)
        for start in range(0, len(rows), 4096):
            cell[start : start + 4096] = (rows[start : start + 4096] @ pivots.T).argmax(axis=1)
        return cls.sorted_by(cell, pivots)

    @staticmethod
    def pivots(rows: Vectors) -> Vectors:
        """Return √n of the rows, from all over them, each next to one that is similar."""
        n = len(rows)
        sampled = np.unique(np.linspace(0, n - 1, max(1, int(n**0.5))).astype(np.int64))
        pivots = rows[sampled]
        return np.ascontiguousarray(pivots[_tour(pivots @ pivots.T)])

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
        # By rounding, or for pivots that are equal, another cell could seem nearer than itself.
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


def _tour(similar: NDArray[np.float32]) -> list[int]:
    """Go from each to the most similar one not yet visited."""
    # Quadratic in the pivots, of which there are √n: linear in the rows.
    left = np.ones(len(similar), np.bool_)
    tour = [0]
    while len(tour) < len(similar):
        left[tour[-1]] = False
        tour.append(int(np.argmax(np.where(left, similar[tour[-1]], -np.inf))))
    return tour
