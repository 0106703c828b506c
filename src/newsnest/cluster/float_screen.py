"""The screen for every processor: products of float32 blocks by BLAS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import rac_kernels as kernels
from newsnest.cluster.cells import Cells
from newsnest.cluster.screen import Neighbours, Screen, empty_heaps, tournament, widened
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_BLOCK = 1024  # rows


class FloatScreen(Screen):
    """Products of float32 blocks."""

    def __init__(self, means: Vectors, pool: ThreadPoolExecutor) -> None:
        self._means = means
        self._pool = pool
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
