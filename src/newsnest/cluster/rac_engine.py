"""The engine of reciprocal agglomerative clustering: weighted means in, merges out.

The mean pairwise cosine of two clusters is the dot product of their un-normalised means. So average
linkage needs the means alone, never the n² similarities. All pairs that are each other's nearest
neighbour are merged at once; average linkage is reducible, so the tree is the one that merging the
best pair again and again would build.

  agglomerate        goes on from clusters that exist already
  agglomerate_rows   starts from unit rows, identical ones folded first
  Merges             what came of it, as labels and as a linkage matrix

Above 300,000 rows the first neighbours are looked for nearby only. What comes of that is clustered
once more, exactly: no two clusters are left that should be one, but a few merges may have happened
in another order.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import rac_kernels as kernels
from newsnest.cluster.int8_screen import Int8Screen
from newsnest.cluster.int8_tile import LANES
from newsnest.cluster.rows import check_finite
from newsnest.cluster.screen import FloatScreen, Screen
from newsnest.cluster.threads import Threads
from newsnest.progress import SILENT, Progress
from newsnest.types import Labels, Vectors

_CANDIDATES = 16  # neighbours a row learns from one pass
_WORTH_A_THREAD = 1024  # rows
_LONG_COMPILE = 2.0  # seconds
MAX_EXACT = 300_000  # rows


@dataclass(frozen=True, slots=True)
class Merges:
    """What the engine did.

    Parameters
    ----------
    pairs
        int32 (m, 2): the two clusters, named by their lowest row, in a valid order.
    similarity
        float64 (m,): their mean pairwise cosine, never rising along a path to the root.
    labels
        int32 (n,): 0 is the heaviest cluster; equal weights by lowest row.
    exact
        False where first neighbours were looked for nearby only.
    """

    pairs: NDArray[np.int32]
    similarity: NDArray[np.float64]
    labels: Labels
    exact: bool = True

    def linkage(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a SciPy-style linkage matrix, float64 (m, 4), sorted by distance.

        Columns: the two clusters (rows 0 … n − 1, then n + step), 1 − similarity, and the weight
        of the union. With fewer than n − 1 merges it is the lower part of the tree.
        """
        tree = kernels.linkage(self.pairs, self.similarity, weights.astype(np.float64))
        return np.asarray(tree)

    def kept(self, made: NDArray[np.bool_], labels: Labels) -> "Merges":
        """Return some of the merges, bool (m,), and the clusters they make, int32 (n,)."""
        return Merges(self.pairs[made], self.similarity[made], labels, self.exact)


def agglomerate(
    means: Vectors,
    weights: NDArray[np.float64],
    *,
    min_similarity: float,
    exact: bool | None = None,
    n_jobs: int | None = None,
    progress: Progress = SILENT,
) -> Merges:
    """Merge reciprocal nearest neighbours until no two clusters are similar enough.

    Prefer `RAC` for rows of text vectors. Call this to go on from clusters that exist already:
    their means must be the weighted means of unit vectors, not normalised.

    Parameters
    ----------
    means
        float32 (n, d), C-contiguous, finite; not changed.
    weights
        float64 (n,), positive: how many unit vectors each mean stands for.
    min_similarity
        Cosine in [−1, 1]; −1 builds the whole tree.
    exact
        False looks for first neighbours nearby only; None does so above 300,000 rows.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.
    progress
        Reports the first pass, which takes most of the time.

    Returns
    -------
    Merges
        In an order that is valid for a linkage matrix.

    Raises
    ------
    ParameterError
        If a mean is NaN or infinite, or n_jobs is below 1.

    Notes
    -----
    Cost: one product of all pairs, n²·d multiply-adds, plus queries for what it left open; a copy
    of the means and some 600 bytes a row. Deterministic: ties go to the lowest row.

    Source: Sumengen et al. 2021, arXiv 2105.11653. Differs from the source in keeping cluster means
    and bounded candidate lists in place of a similarity graph, which makes it exact for all pairs.
    """
    check_finite("agglomerate: means", means)
    return _merged(means.copy(), weights, min_similarity, exact, n_jobs, progress)


def _merged(
    left: Vectors,
    weights: NDArray[np.float64],
    min_similarity: float,
    exact: bool | None,
    n_jobs: int | None,
    progress: Progress,
) -> Merges:
    """Do as `agglomerate` does, writing over the means."""
    threads = Threads("RAC", n_jobs)
    compile_kernels(progress)
    roots = np.arange(len(left), dtype=np.int32)
    pairs, heights = [np.empty((0, 2), np.int32)], [np.empty(0, np.float32)]
    heavy = weights
    exact = len(left) <= MAX_EXACT if exact is None else exact
    nearby = not exact
    with threads:
        while True:
            engine = _Engine(left, heavy, min_similarity, threads, nearby=nearby)
            engine.run(progress)
            pairs += [roots[found] for found in engine.pairs]
            heights += engine.heights
            if not nearby:
                break
            kept = np.flatnonzero(engine.clusters.state != kernels.ABSORBED)
            # Again nearby while that still halves them; at last exactly, whatever is left.
            nearby = len(kept) > MAX_EXACT and 2 * len(kept) <= len(roots)
            roots, left, heavy = roots[kept], left[kept], engine.clusters.weights[kept]
            del engine  # or it would be held while the next one is built
    merged = np.concatenate(pairs)
    # Rounding can lift a parent a hair above its child, and twins above 1: bring them down, then
    # sort stably.
    lowered = np.minimum(np.concatenate(heights), np.float32(1.0)).astype(np.float64)
    similarity = kernels.monotone(merged, lowered, len(weights))
    order = np.argsort(-similarity, kind="stable")
    parent = np.arange(len(weights))
    parent[merged[:, 1]] = merged[:, 0]
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return Merges(merged[order], similarity[order], by_weight(parent, weights), exact)


_compiled: list[float] = []  # seconds, once


def compile_kernels(progress: Progress) -> None:
    """Compile the kernels for this processor, or load what was compiled before; say if it took."""
    if _compiled:
        return
    _compiled.append(0.0)  # the run below comes here too
    start = time.perf_counter()
    rows = np.random.default_rng(0).normal(size=(96, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    # Either way runs kernels that the other does not.
    for exact in (True, False):
        agglomerate(rows, np.ones(len(rows)), min_similarity=-1.0, exact=exact, n_jobs=1)
    _compiled[0] = time.perf_counter() - start
    if _compiled[0] > _LONG_COMPILE:
        progress.note(f"compiled for this processor in {_compiled[0]:.0f} s; kept for next time")


def agglomerate_rows(
    rows: Vectors,
    weights: NDArray[np.float64],
    *,
    min_similarity: float,
    exact: bool | None = None,
    n_jobs: int | None = None,
    progress: Progress = SILENT,
) -> Merges:
    """Do as `agglomerate` does for unit rows, with identical rows folded into one first.

    Parameters
    ----------
    rows
        float32 (n, d), unit length.
    weights, min_similarity, exact, n_jobs, progress
        As in `agglomerate`.

    Raises
    ------
    ParameterError
        If a row is NaN or infinite, or n_jobs is below 1.
    """
    check_finite("agglomerate_rows: rows", rows)
    atoms, first = fold_identical(rows)
    if len(first) == len(rows):
        # The engine writes over its means; `rows[first]` below is a copy already.
        return _merged(rows.copy(), weights, min_similarity, exact, n_jobs, progress)
    own = np.bincount(atoms, weights).astype(np.float64)
    merges = _merged(rows[first], own, min_similarity, exact, n_jobs, progress)
    return _unfold(merges, atoms, first)


class _Engine:
    """One run; the rows of `means` are clusters until absorbed, and are written over."""

    def __init__(
        self,
        means: Vectors,
        weights: NDArray[np.float64],
        min_similarity: float,
        threads: Threads,
        *,
        nearby: bool,
    ) -> None:
        n, d = means.shape
        self.threads = threads
        self.nearby = nearby
        screen = Int8Screen if LANES else FloatScreen  # the faster one this processor can run
        self.screen: Screen = screen(means, threads)
        # Two float32 sums of d products of vectors no longer than 1, added in different orders,
        # each err by at most d · 2⁻²⁴; the rest is for rounding in means and bounds.
        self.slack = 2.0 * d * 2.0**-24 + 1e-6
        floor = np.float32(min_similarity - self.slack)
        # Where lists start: what a list with room left lacks is below this and, with the slack
        # that every bound has, below the floor.
        self.below_floor = np.float32(floor - self.slack)
        self.clusters = kernels.Clusters(
            means=means,
            weights=weights.astype(np.float64).copy(),
            parent=np.arange(n, dtype=np.int32),
            state=np.zeros(n, np.int8),
            listed=np.full((n, 4 * _CANDIDATES), -1, np.int32),
            counts=np.zeros(n, np.int32),
            bound=np.zeros(n, np.float64),
            nearest=np.full(n, -1, np.int32),
            nearest_similarity=np.zeros(n, np.float32),
            lowest=np.float32(min_similarity),
            floor=floor,
        )
        self.merged = np.zeros(n, np.bool_)
        self.live = np.arange(n, dtype=np.int32)
        self.pairs: list[NDArray[np.int32]] = []
        self.heights: list[NDArray[np.float32]] = []

    def run(self, progress: Progress) -> None:
        """Nominate the candidates of every row, from all pairs or from those nearby; then merge."""
        look = self.screen.nearby_pairs if self.nearby else self.screen.all_pairs
        self._set_candidates(self.live, *look(_CANDIDATES, self.below_floor, progress))
        with progress.start("merging", None, "merges") as task:
            while merged := self.merge_round() or self.look_again():
                task.advance(merged)

    def look_again(self) -> int:
        """Find out why nothing merges, and merge; 0 if nothing is left to do."""
        if (merged := self.merge_proven()) or not len(self.live):
            return merged
        # Rounding: a mean of twins can be a hair closer to a third than either was. Who has chosen
        # before does not know, and choices run in circles until all of them are made anew.
        self._refresh(self.live)
        self._drop_settled()
        merged = self.merge_round() or self.merge_proven()
        if not self.nearby and not merged and len(self.live):
            raise RuntimeError(
                f"RAC: {len(self.live):,} clusters are left of which no two are each other's "
                "nearest, which cannot be. Please report it, with the vectors if you can."
            )
        return merged

    def merge_proven(self) -> int:
        """Look up unproven rows until some merge; 0 if none is unproven."""
        while not self.nearby and self.query_again():
            if merged := self.merge_round():
                return merged
        return 0

    def merge_round(self) -> int:
        """Merge all proven reciprocal pairs; return how many."""
        state = self.clusters
        pairs = kernels.reciprocal_pairs(self.live, state)
        if not len(pairs):
            return 0
        survivors = pairs[:, 0]
        self.pairs.append(pairs)
        self.heights.append(state.nearest_similarity[survivors])
        self._spread(kernels.merge, pairs, state)
        self.screen.changed(survivors)
        self.merged[survivors] = True
        rows = kernels.touched(self.live, self.merged, state)
        self.merged[survivors] = False
        self._refresh(rows)
        self._drop_settled()
        return len(pairs)

    def query_again(self) -> bool:
        """Look up all unproven rows among the live clusters; False if there is none."""
        state = self.clusters.state
        rows = self.live[state[self.live] == kernels.UNPROVEN]
        if not len(rows):
            return False
        values, ids = self.screen.among(rows, self.live, _CANDIDATES, self.below_floor)
        self._set_candidates(rows, values, ids)
        tied = rows[state[rows] == kernels.UNPROVEN]
        if len(tied):
            self._spread(kernels.scan_exactly, tied, self.live, self.clusters)
        self._drop_settled()
        return True

    def _set_candidates(
        self, rows: NDArray[np.int32], values: Vectors, ids: NDArray[np.int32]
    ) -> None:
        """Take over the heaps of a pass, values and ids of shape (len(rows), k)."""
        floor = np.float64(self.clusters.floor)
        # A short list of nearby rows does not say that there are no others: a bound above the floor
        # leaves the row unproven.
        short = np.nextafter(floor, 2.0) if self.nearby else floor
        self._spread(
            lambda places: kernels.settle(
                rows[places], places, values, ids, self.slack, short, self.clusters
            ),
            np.arange(len(rows), dtype=np.int32),
        )

    def _refresh(self, rows: NDArray[np.int32]) -> None:
        self._spread(kernels.refresh, rows, self.clusters, 2 * _CANDIDATES)

    def _spread(self, kernel: Callable[..., None], rows: NDArray[np.int32], *state: Any) -> None:
        """Run a kernel over rows, in several threads if there are enough of them."""
        if self.threads.count == 1 or len(rows) < _WORTH_A_THREAD:
            kernel(rows, *state)
            return
        parts = np.array_split(rows, self.threads.count)
        # list() waits for all threads, and raises what one of them raised.
        list(self.threads.pool.map(lambda part: kernel(part, *state), parts))

    def _drop_settled(self) -> None:
        self.live = self.live[self.clusters.state[self.live] < kernels.FINISHED]


def by_weight(roots: NDArray[np.int64], weights: NDArray[np.float64]) -> Labels:
    """Number clusters 0, 1, … from the heaviest to the lightest; ties by lowest root."""
    _, inverse = np.unique(roots, return_inverse=True)
    order = np.argsort(-np.bincount(inverse, weights), kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[inverse]


def fold_identical(rows: Vectors) -> tuple[Labels, NDArray[np.int64]]:
    """Group rows that are equal to the bit.

    Returns the group of every row, int32 (n,), numbered by first row, and the first row of every
    group.
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


def _unfold(merges: Merges, atoms: Labels, first: NDArray[np.int64]) -> Merges:
    """Put identical rows back: merged at similarity 1 before everything else."""
    copies = np.flatnonzero(first[atoms] != np.arange(len(atoms)))
    same = np.stack([first[atoms[copies]], copies], axis=1).astype(np.int32)
    return Merges(
        pairs=np.concatenate([same, first[merges.pairs].astype(np.int32)]),
        similarity=np.concatenate([np.ones(len(copies)), merges.similarity]),
        labels=merges.labels[atoms],
        exact=merges.exact,
    )
