"""Compiled inner loops of reciprocal agglomerative clustering.

Entry points, in the order `newsnest.cluster.rac` calls them:

  keep_symmetric / keep_rows   fold one block of float products into the rows' candidate lists
  settle                       candidates of a pass, nearest neighbour, state
  refresh                      the same again after merges: similarities of listed candidates
  scan_exactly                 nearest neighbour of rows whose list cannot decide
  reciprocal_pairs             all pairs that are each other's nearest neighbour
  merge                        weighted means, bounds and candidate lists of the pairs
  touched                      which clusters have to be refreshed after a merge
  monotone, linkage            the merges as a tree
  link                         components of the graph of similar pairs

Shapes: n clusters, d dimensions, k candidates from one pass, at most 2k in a list.
Kernels over `rows` or `pairs` release the interpreter lock and write to those rows alone, so that
several threads may work on disjoint parts. Every similarity that decides anything is
`similarity(means, i, j)`: a float32 dot product summed in a fixed order. Products made otherwise
(by BLAS, or in int8) only say which pairs to look at; they come within `slack` of it.

Most kernels go over a block in strides of _STRIDE entries: first a loop without branches, which the
compiler turns into wide instructions, asks whether any entry matters; only then is each looked at.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bounds = NDArray[np.float64]
Ints = NDArray[np.int32]
States = NDArray[np.int8]
Flags = NDArray[np.bool_]

READY, UNPROVEN, FINISHED, ABSORBED = 0, 1, 2, 3
"""Row states: neighbour proven; must be queried again; no partner left; merged into another."""

_STRIDE = 64
_LOWER = np.float32(-9.0)  # than any cosine


class Clusters(NamedTuple):
    """State of a run; row i of each array is cluster i until that is absorbed by a lower row.

    A list keeps at most 2k candidates, and a merge appends one to the other: hence 4k. Lists reach
    a little lower than clusters merge, as far down as rounding leaves a similarity in doubt.
    """

    means: Floats  # (n, d): written over as clusters merge
    weights: Bounds  # (n,): how many unit vectors each mean stands for
    parent: Ints  # (n,): what a row was merged into, itself before; chains end at a live row
    state: States  # (n,): READY, UNPROVEN, FINISHED or ABSORBED
    listed: Ints  # (n, 4k): the candidates of each cluster
    counts: Ints  # (n,): how many there are
    bound: Bounds  # (n,): no live cluster outside the list is more similar than this
    nearest: Ints  # (n,): the best candidate, −1 where there is none
    nearest_similarity: Floats
    lowest: np.float32  # clusters merge only at or above this
    floor: np.float32  # the lowest similarity in a list


@njit(cache=True, inline="always")
def find(parent: Ints, i: int) -> int:
    """Return the surviving cluster that row i has been merged into."""
    # Paths are not shortened on the way: threads may write to rows of their own alone.
    while parent[i] != i:
        i = parent[i]
    return i


# fastmath presumes that there is no NaN: whoever calls has checked that rows are finite.
@njit(cache=True, fastmath=True)
def similarity(means: Floats, i: int, j: int) -> np.float32:
    """Return the mean pairwise cosine of clusters i and j.

    fastmath lets the compiler sum in several lanes at once; which ones is settled when it is
    compiled, so that the same two rows always give the same bits, and (i, j) those of (j, i).
    """
    total = np.float32(0.0)
    for t in range(means.shape[1]):
        total += means[i, t] * means[j, t]
    return total


@njit(cache=True, inline="always")
def push(values: Floats, ids: Ints, value: np.float32, new: int) -> None:
    """Replace the smallest entry of a min-heap by (value, new)."""
    k = values.shape[0]
    p = 0
    while True:
        c = 2 * p + 1
        if c >= k:
            break
        if c + 1 < k and values[c + 1] < values[c]:
            c += 1
        if values[c] < value:
            values[p] = values[c]
            ids[p] = ids[c]
            p = c
        else:
            break
    values[p] = value
    ids[p] = new


@njit(cache=True, nogil=True)
def keep_rows(
    block: Floats, rows: Ints, columns: Ints, row0: int, means: Floats, slack: np.float32,
    values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Fold a block of products into the heaps of its rows.

    block (m, w) float32; rows, columns: cluster of every query and target; values, ids (q, k).
    """
    m, w = block.shape
    for r in range(m):
        q = row0 + r
        me = rows[q]
        heap = values[q]
        for start in range(0, w, _STRIDE):
            stop = min(w, start + _STRIDE)
            highest = _LOWER
            for c in range(start, stop):
                highest = max(highest, block[r, c])
            if highest + slack > heap[0]:
                for c in range(start, stop):
                    j = columns[c]
                    # The product may be short by `slack`: whoever might belong is computed again.
                    if block[r, c] + slack > heap[0] and j != me:
                        v = similarity(means, me, j)
                        if v > heap[0]:
                            push(heap, ids[q], v, j)


@njit(cache=True, nogil=True)
def keep_symmetric(
    block: Floats, row0: int, column0: int, means: Floats, slack: np.float32, values: Floats,
    ids: Ints,
) -> None:  # fmt: skip
    """Fold the block of rows row0 … × rows column0 … into the heaps of both sides."""
    m, w = block.shape
    diagonal = row0 == column0
    for r in range(m):
        i = row0 + r
        for start in range(0, w, _STRIDE):
            stop = min(w, start + _STRIDE)
            hit = False
            for c in range(start, stop):
                v = block[r, c] + slack
                hit |= (v > values[i, 0]) | (v > values[column0 + c, 0])
            if hit:
                for c in range(start, stop):
                    j = column0 + c
                    if diagonal and j <= i:  # each pair once
                        continue
                    highest = block[r, c] + slack
                    if highest > values[i, 0] or highest > values[j, 0]:
                        v = similarity(means, i, j)
                        if v > values[i, 0]:
                            push(values[i], ids[i], v, j)
                        if v > values[j, 0]:
                            push(values[j], ids[j], v, i)


@njit(cache=True, nogil=True)
def widen(first: int, last: int, means: Floats, known: Ints, values: Floats, ids: Ints) -> None:
    """Fold the neighbours of neighbours into the heaps of rows first … last − 1.

    known (n, k) int32: the lists as they were, so that the order of rows does not matter.
    """
    k = known.shape[1]
    seen = np.full(1 << 12, -1, np.int32)  # 1 + k + k² rows at most: never full
    for i in range(first, last):
        seen[:] = -1
        for t in range(k):
            if known[i, t] >= 0:
                _note(seen, known[i, t])
        _note(seen, np.int32(i))
        for t in range(k):
            j = known[i, t]
            if j < 0:
                continue
            for u in range(k):
                m = known[j, u]
                if m >= 0 and _note(seen, m):
                    v = similarity(means, i, m)
                    if v > values[i, 0]:
                        push(values[i], ids[i], v, m)


@njit(cache=True)
def _note(seen: Ints, row: np.int32) -> bool:
    """Add a row to a small hash set with room to spare; False if it was there."""
    mask = seen.shape[0] - 1  # the size is a power of two
    # Knuth's multiplier, 2³² / golden ratio, spreads neighbouring row numbers apart.
    place = (np.int64(row) * 2654435761) & mask
    while seen[place] != -1:
        if seen[place] == row:
            return False
        place = (place + 1) & mask
    seen[place] = row
    return True


@njit(cache=True)
def _live_candidates(i: int, s: Clusters) -> int:
    """Rewrite a list as the distinct live clusters its entries now belong to; return how many.

    A candidate that another thread finishes meanwhile may stay or go: it is below `lowest` for
    everybody, so that nothing depends on it.
    """
    listed = s.listed[i]
    m = 0
    for t in range(s.counts[i]):
        j = find(s.parent, listed[t])
        if j == i or s.state[j] == FINISHED:
            continue
        seen = False
        for u in range(m):
            if listed[u] == j:
                seen = True
                break
        if not seen:
            listed[m] = j
            m += 1
    return m


@njit(cache=True, nogil=True)
def refresh(rows: Ints, s: Clusters, capacity: int) -> None:
    """Recompute candidates, nearest neighbour and state of the given clusters."""
    for q in range(rows.shape[0]):
        i = rows[q]
        candidates = s.listed[i]
        m = _live_candidates(i, s)
        scores = np.empty(m, np.float32)
        kept = 0
        for t in range(m):
            score = similarity(s.means, i, candidates[t])
            if score >= s.floor:
                candidates[kept] = candidates[t]
                scores[kept] = score
                kept += 1
        if kept > capacity:
            # Which of equal scores leaves does not matter: the bound is then as high as they are.
            order = np.argsort(-scores[:kept])
            ordered = candidates[:kept][order]
            # The best of those that leave the list is now the most similar outside it.
            s.bound[i] = max(s.bound[i], np.float64(scores[order[capacity]]))
            for t in range(capacity):
                candidates[t] = ordered[t]
            scores = scores[order]
            kept = capacity
        s.counts[i] = kept
        _decide(i, candidates, scores, kept, s)


@njit(cache=True, inline="always")
def _decide(i: int, candidates: Ints, scores: Floats, kept: int, s: Clusters) -> None:
    """Set the nearest neighbour and the state of a cluster whose candidates are known."""
    best = _LOWER
    partner = np.int32(-1)
    for t in range(kept):
        j = candidates[t]
        # Lists come in any order: ties go to the lowest row, or threads would decide them.
        if scores[t] > best or (scores[t] == best and j < partner):
            best = scores[t]
            partner = j
    s.nearest[i] = partner
    s.nearest_similarity[i] = best
    if best >= s.lowest and best > s.bound[i]:
        s.state[i] = READY  # nobody outside the list can be as similar
    elif best < s.lowest and s.bound[i] <= s.floor:
        s.state[i] = FINISHED  # nobody reaches `lowest`, and no merge brings anybody nearer
    else:
        s.state[i] = UNPROVEN


@njit(cache=True, nogil=True)
def settle(
    rows: Ints, places: Ints, values: Floats, ids: Ints, slack: float, short: float, s: Clusters
) -> None:
    """Take over the heaps of a pass, and decide as `refresh` does.

    places: where each row's heap is in values and ids, (q, k). short: the bound of a row whose heap
    is not full; that of others is their lowest value, and slack.
    """
    k = ids.shape[1]
    scores = np.empty(k, np.float32)
    for q in range(rows.shape[0]):
        i = rows[q]
        heap = values[places[q]]
        found = ids[places[q]]
        full = True
        kept = 0
        for t in range(k):
            if found[t] < 0:
                full = False
            elif heap[t] >= s.floor:
                s.listed[i, kept] = found[t]
                scores[kept] = heap[t]
                kept += 1
        s.counts[i] = kept
        # A list with room left has lost nobody; a full one may have pushed out somebody as near.
        s.bound[i] = np.float64(heap[0]) + slack if full else short
        _decide(i, s.listed[i], scores, kept, s)


@njit(cache=True, nogil=True)
def scan_exactly(rows: Ints, live: Ints, s: Clusters) -> None:
    """Find the nearest neighbour of each row among all live clusters, without a list.

    Ties go to the lowest row. Cost: len(rows) · len(live) · d; only for rows with more than k
    candidates within rounding of the best.
    """
    for q in range(rows.shape[0]):
        i = rows[q]
        best = _LOWER
        partner = np.int32(-1)
        for t in range(live.shape[0]):
            j = live[t]
            if j == i:
                continue
            score = similarity(s.means, i, j)
            if score > best:  # live rows ascend: the first of equals stays
                best = score
                partner = j
        s.nearest[i] = partner
        s.nearest_similarity[i] = best
        s.state[i] = READY if best >= s.lowest else FINISHED


@njit(cache=True)
def reciprocal_pairs(live: Ints, s: Clusters) -> Ints:
    """Return the proven pairs a < b that are each other's nearest neighbour, int32 (m, 2)."""
    pairs = np.empty((live.shape[0] // 2, 2), np.int32)
    m = 0
    for i in live:
        if s.state[i] == READY:
            j = s.nearest[i]
            if j > i and s.state[j] == READY and s.nearest[j] == i:
                pairs[m, 0] = i
                pairs[m, 1] = j
                m += 1
    return pairs[:m].copy()


@njit(cache=True, nogil=True)
def merge(pairs: Ints, s: Clusters) -> None:
    """Merge each pair into its lower row: weighted mean, weighted bound, both lists."""
    for q in range(pairs.shape[0]):
        i = pairs[q, 0]
        j = pairs[q, 1]
        # No row is in two pairs, for it has one nearest neighbour: threads need no lock.
        total = s.weights[i] + s.weights[j]
        # In float64, so that each entry of the mean is rounded once.
        share_i = s.weights[i] / total
        share_j = s.weights[j] / total
        for t in range(s.means.shape[1]):
            s.means[i, t] = np.float32(share_i * s.means[i, t] + share_j * s.means[j, t])
        s.weights[i] = total
        # Similarity to a mean is the mean of similarities, and so is its bound. Written as a step
        # from one to the other, so that equal ones stay what they are to the bit.
        s.bound[i] = s.bound[j] + share_i * (s.bound[i] - s.bound[j])
        c = s.counts[i]
        for t in range(s.counts[j]):
            s.listed[i, c + t] = s.listed[j, t]
        s.counts[i] = c + s.counts[j]
        s.parent[j] = i
        s.state[j] = ABSORBED


@njit(cache=True)
def touched(live: Ints, merged: Flags, s: Clusters) -> Ints:
    """Return the clusters that were merged, or whose nearest neighbour was.

    No other can have a new nearest neighbour: average linkage is reducible, so that a union is no
    more similar to a third cluster than the nearer of its parts was.
    """
    out = np.empty(live.shape[0], np.int32)
    m = 0
    for i in live:
        if s.state[i] == ABSORBED:
            continue
        j = s.nearest[i]
        lost = s.state[i] == READY and (merged[j] or s.state[j] == ABSORBED)
        if merged[i] or lost:
            out[m] = i
            m += 1
    return out[:m].copy()


@njit(cache=True)
def row_hashes(words: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one 64-bit FNV-1a hash per row; words (n, d) uint32: the bits of float32 rows."""
    out = np.empty(words.shape[0], np.uint64)
    for i in range(words.shape[0]):
        # Over words, not bytes: a quarter of the steps. Callers compare rows of equal hash.
        h = np.uint64(14695981039346656037)
        for t in range(words.shape[1]):
            h = (h ^ np.uint64(words[i, t])) * np.uint64(1099511628211)
        out[i] = h
    return out


@njit(cache=True)
def monotone(pairs: Ints, similarity: Bounds, n: int) -> Bounds:
    """Lower every merge (pairs in order, int32 (m, 2)) to the lowest of those below it.

    In exact arithmetic nothing moves; in float32 a parent can lie a hair above its child.
    """
    reached = np.full(n, np.inf)
    out = np.empty_like(similarity)
    for step in range(pairs.shape[0]):
        a = pairs[step, 0]
        out[step] = min(similarity[step], reached[a], reached[pairs[step, 1]])
        reached[a] = out[step]
    return out


@njit(cache=True)
def linkage(pairs: Ints, similarity: Bounds, weights: Bounds) -> Bounds:
    """Return SciPy's linkage matrix, float64 (m, 4), of merges sorted by similarity."""
    n = weights.shape[0]
    out = np.empty((pairs.shape[0], 4))
    node = np.arange(n)
    total = weights.copy()
    for step in range(pairs.shape[0]):
        a, b = pairs[step, 0], pairs[step, 1]
        total[a] += total[b]
        # The lower number first, as in SciPy's own linkage matrices.
        out[step, 0] = min(node[a], node[b])
        out[step, 1] = max(node[a], node[b])
        out[step, 2] = 1.0 - similarity[step]
        out[step, 3] = total[a]
        node[a] = n + step
    return out


@njit(cache=True, nogil=True)
def link(block: Floats, floor: np.float32, row0: int, column0: int, parent: Ints) -> None:
    """Union the components of all pairs of a block of products at or above `floor`.

    parent (n,) int32: a forest whose roots are the lowest rows of their components.
    """
    m, w = block.shape
    for r in range(m):
        for start in range(0, w, _STRIDE):
            stop = min(w, start + _STRIDE)
            hit = False
            for c in range(start, stop):
                hit |= block[r, c] >= floor
            if hit:
                for c in range(start, stop):
                    if block[r, c] >= floor:
                        a = find(parent, row0 + r)
                        b = find(parent, column0 + c)
                        parent[max(a, b)] = min(a, b)
