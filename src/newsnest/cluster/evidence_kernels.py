"""Compiled loops over pairs of texts, and which pairs of texts speak for a merge."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from newsnest.cluster.tree_kernels import sums
from newsnest.types import Ints, Vectors

PAIRS = 8
"""How many pairs of texts speak for a merge."""

_Rows = NDArray[np.int32]
_Starts = NDArray[np.int64]


@njit(cache=True)
def sampled_pairs(children: Ints, n: int) -> tuple[_Rows, _Rows, _Starts]:
    """Return up to eight pairs of rows from the two sides of every merge.

    Rows of one side, of the other, and where the pairs of each merge start, int64 (m + 1,). All
    pairs where there are no more; else drawn by a hash of the merge, the same on every machine.
    """
    m = len(children)
    count = sums(children, np.ones(n))
    start = np.full(n + m, -1, np.int64)
    order = np.empty(n, np.int32)
    free = 0
    for node in range(n + m - 1, -1, -1):
        if start[node] < 0:
            start[node] = free
            free += int(count[node])
        if node >= n:
            i, j = children[node - n]
            start[i] = start[node]
            start[j] = start[node] + int(count[i])
        else:
            order[start[node]] = node
    starts = np.zeros(m + 1, np.int64)
    for step in range(m):
        i, j = children[step]
        starts[step + 1] = starts[step] + min(PAIRS, int(count[i] * count[j]))
    left, right = np.empty(starts[m], np.int32), np.empty(starts[m], np.int32)
    for step in range(m):
        i, j = children[step]
        a, b = int(count[i]), int(count[j])
        for place in range(starts[step], starts[step + 1]):
            turn = place - starts[step]
            if a * b > PAIRS:
                turn = np.int64(_mixed(np.uint64(step * PAIRS + turn)) % np.uint64(a * b))
            left[place] = order[start[i] + turn % a]
            right[place] = order[start[j] + turn // a]
    return left, right, starts


@njit(cache=True, inline="always")
def _mixed(x: np.uint64) -> np.uint64:
    """Return a well mixed hash (splitmix64)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def text_cosines(text: Vectors, left: _Rows, right: _Rows) -> Vectors:
    """Return the dot product of every pair of rows, float32 (p,)."""
    out = np.empty(len(left), np.float32)
    for pair in range(len(left)):
        total = np.float32(0.0)
        for column in range(text.shape[1]):
            total += text[left[pair], column] * text[right[pair], column]
        out[pair] = total
    return out


@njit(cache=True, nogil=True)
def word_cosines(
    starts: _Rows,
    columns: _Rows,
    values: Vectors,
    numeric: NDArray[np.bool_],
    left: _Rows,
    right: _Rows,
) -> tuple[Vectors, NDArray[np.int32]]:
    """Return of every pair the dot product of its sparse rows, and how many numbers it shares.

    The rows are those of a CSR matrix with sorted columns; `numeric` says which are numbers.
    """
    cosine = np.zeros(len(left), np.float32)
    shared = np.zeros(len(left), np.int32)
    for pair in range(len(left)):
        i, i_end = starts[left[pair]], starts[left[pair] + 1]
        j, j_end = starts[right[pair]], starts[right[pair] + 1]
        while i < i_end and j < j_end:
            if columns[i] == columns[j]:
                cosine[pair] += values[i] * values[j]
                shared[pair] += numeric[columns[i]]
                i += 1
                j += 1
            elif columns[i] < columns[j]:
                i += 1
            else:
                j += 1
    return cosine, shared
