"""Nearest neighbours of rows, and rows drawn towards theirs.

Reports of one event scatter around it. A row moved towards its neighbours lies nearer to the middle
of what is told of the event, and average linkage errs less. Where neighbours are far there is
nothing to draw towards: rows that stand alone stay where they are.
"""

import numpy as np

from newsnest.cluster.int8_screen import Int8Screen
from newsnest.cluster.int8_tile import LANES
from newsnest.cluster.rac_engine import MAX_EXACT
from newsnest.cluster.rows import check_finite, unit_in_place
from newsnest.cluster.screen import FloatScreen, Neighbours, Screen
from newsnest.cluster.threads import Threads
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_ROWS = 2048  # smoothed at a time
_LOWEST = np.float32(-2.0)  # below any similarity


def nearest_rows(
    rows: Vectors,
    k: int,
    *,
    exact: bool | None = None,
    n_jobs: int | None = None,
    progress: Progress = SILENT,
) -> Neighbours:
    """Return the k most similar other rows of every row, the most similar first.

    Parameters
    ----------
    rows
        float32 (n, d), C-contiguous, finite, no longer than 1.
    k
        At least 1; of n rows at most n − 1 are found.
    exact
        False looks nearby only; None does so above 300,000 rows.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.
    progress
        Reports the pass over all pairs.

    Returns
    -------
    tuple
        Dot products, float32 (n, min(k, n − 1)), and rows, int32 of the same shape. Where fewer
        were found nearby, −2 and the row itself.

    Raises
    ------
    ParameterError
        If a row is NaN or infinite, or n_jobs is below 1.

    Notes
    -----
    Cost: half a product of all pairs, n²·d / 2 multiply-adds. Equal similarities go to the lower
    row.
    """
    check_finite("nearest_rows: rows", rows)
    n = len(rows)
    k = min(k, n - 1)
    if k < 1:
        return np.empty((n, 0), np.float32), np.empty((n, 0), np.int32)
    nearby = n > MAX_EXACT if exact is None else not exact
    threads = Threads("nearest_rows", n_jobs)
    with threads:
        make = Int8Screen if LANES else FloatScreen
        screen: Screen = make(rows, threads)
        look = screen.nearby_pairs if nearby else screen.all_pairs
        values, ids = look(k, _LOWEST, progress)
    order = np.lexsort((ids, -values), axis=1)
    values, ids = np.take_along_axis(values, order, 1), np.take_along_axis(ids, order, 1)
    return values, np.where(ids < 0, np.arange(n, dtype=np.int32)[:, None], ids)


def smooth_rows(
    rows: Vectors, neighbours: Neighbours, *, strength: float, low: float, high: float
) -> Vectors:
    """Return unit rows drawn towards their neighbours, float32 (n, d).

    A row moves by `strength` towards the mean of its neighbours, weighted by how far each is above
    `low`; by less where the neighbours' mean similarity is below `high`, and not at all at `low`.

    Parameters
    ----------
    rows
        float32 (n, d).
    neighbours
        As `nearest_rows` returns them.
    strength
        In [0, 1).
    low, high
        Cosines.
    """
    values, ids = neighbours
    if not values.shape[1]:
        return unit_in_place(rows.copy())
    out = np.empty_like(rows)
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        above = np.clip(values[part] - np.float32(low), 0, None)
        moved = np.clip((values[part].mean(axis=1) - low) / (high - low), 0, 1) * strength
        share = above / np.maximum(above.sum(axis=1, keepdims=True), np.float32(1e-9))
        towards = np.einsum("ij,ijd->id", share, rows[ids[part]])
        moved = moved.astype(np.float32)[:, None]
        out[part] = (1 - moved) * rows[part] + moved * towards
    return unit_in_place(out)
