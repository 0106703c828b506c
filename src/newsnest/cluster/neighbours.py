"""Nearest neighbours by blocks of matrix products, the same bits for any number of threads.

Every block product is computed by one thread with one BLAS thread (the caller sees to that), so
its value depends on the block alone. Blocks that touch the same rows never run at the same time,
and their order is fixed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import rac_kernels as kernels
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_BLOCK = 1024


def thread_count(n_jobs: int | None) -> int:
    """Return how many threads to use; None means one per processor this process may run on.

    Raises
    ------
    ParameterError
        If n_jobs is below 1.
    """
    if n_jobs is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if n_jobs < 1:
        raise ParameterError(f"RAC: n_jobs must be at least 1 or None, got {n_jobs}. Use None.")
    return n_jobs


def nearest_symmetric(
    rows: Vectors,
    *,
    k: int,
    above: np.float32,
    pool: ThreadPoolExecutor,
    progress: Progress = SILENT,
) -> tuple[Vectors, NDArray[np.int32]]:
    """Find the k nearest other rows of every row, each pair computed once.

    Parameters
    ----------
    rows
        float32 (n, d), C-contiguous.
    k
        How many.
    above
        Only neighbours with a larger dot product.
    pool
        Where blocks are computed; BLAS must be limited to one thread.
    progress
        Told after every block of pairs.

    Returns
    -------
    tuple
        Dot products, float32 (n, k), unordered, `above` where there are fewer; and rows,
        int32 (n, k), −1 there.
    """
    n = len(rows)
    values = np.full((n, k), above, np.float32)
    ids = np.full((n, k), -1, np.int32)
    blocks = -(-n // _BLOCK)

    def fold(pair: tuple[int, int]) -> None:
        i, j = pair[0] * _BLOCK, pair[1] * _BLOCK
        product = rows[i : i + _BLOCK] @ rows[j : j + _BLOCK].T
        kernels.keep_symmetric(product, i, j, values, ids)

    with progress.start("comparing", blocks * (blocks + 1) // 2, "blocks") as task:
        for pairs in tournament(blocks):
            list(pool.map(fold, pairs))
            task.advance(len(pairs))
    return values, ids


def nearest_among(
    means: Vectors,
    queries: NDArray[np.int32],
    targets: NDArray[np.int32],
    *,
    k: int,
    above: np.float32,
    pool: ThreadPoolExecutor,
) -> tuple[Vectors, NDArray[np.int32]]:
    """Find the k nearest of some rows for other rows; shapes as `nearest_symmetric`.

    Parameters
    ----------
    means
        float32 (n, d).
    queries, targets
        int32, rows of `means`; a row is never its own neighbour.
    k, above, pool
        As `nearest_symmetric`.
    """
    values = np.full((len(queries), k), above, np.float32)
    ids = np.full((len(queries), k), -1, np.int32)
    for column in range(0, len(targets), _BLOCK * 8):
        part = targets[column : column + _BLOCK * 8]
        against = means[part].T

        def fold(row: int, part: NDArray[np.int32] = part, against: Vectors = against) -> None:
            product = means[queries[row : row + _BLOCK // 4]] @ against
            kernels.keep_rows(product, queries, part, row, 0, values, ids)

        list(pool.map(fold, range(0, len(queries), _BLOCK // 4)))
    return values, ids


def tournament(teams: int) -> Iterator[list[tuple[int, int]]]:
    """Yield rounds of disjoint pairs until every two teams have met, and each has met itself."""
    yield [(i, i) for i in range(teams)]
    ring = list(range(teams + teams % 2))  # an odd number gets a bye
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        meetings = zip(ring[:half], reversed(ring[half:]), strict=True)
        yield [(min(p), max(p)) for p in meetings if max(p) < teams]
        ring = [ring[0], ring[-1], *ring[1:-1]]
