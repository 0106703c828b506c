"""Compiled loops over a tree of merges.

A tree of n rows and m merges has nodes 0 … n − 1, the rows, and n … n + m − 1, the merges in order:
children come before their parents.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from newsnest.types import Floats, Ints


@njit(cache=True)
def children_of(pairs: NDArray[np.int32], n: int) -> Ints:
    """Return the two nodes that every merge joins, int64 (m, 2)."""
    children = np.empty((len(pairs), 2), np.int64)
    node = np.arange(n)
    for step in range(len(pairs)):
        a, b = pairs[step]
        children[step, 0], children[step, 1] = node[a], node[b]
        node[a] = n + step
        node[b] = n + step
    return children


@njit(cache=True)
def accumulated(children: Ints, own: Floats) -> Floats:
    """Return of every node the sum of what it and all nodes below it have, float64 (n + m,)."""
    total = own.copy()
    n = len(own) - len(children)
    for step in range(len(children)):
        total[n + step] += total[children[step, 0]] + total[children[step, 1]]
    return total


@njit(cache=True)
def sums(children: Ints, leaves: Floats) -> Floats:
    """Return the sum of the leaves below every node, float64 (n + m,); they are float64 (n,)."""
    total: Floats = accumulated(children, np.concatenate((leaves, np.zeros(len(children)))))
    return total


@njit(cache=True)
def sizes_of_merges(children: Ints, leaves: Floats) -> Floats:
    """Return how much every merge decides, a·b / (a + b) of its sides' sums, float64 (m,)."""
    total = sums(children, leaves)
    a, b = total[children[:, 0]], total[children[:, 1]]
    size: Floats = a * b / (a + b)
    return size


@njit(cache=True)
def self_similarity(children: Ints, weight: Floats, across: Floats, n: int) -> Floats:
    """Return the mean similarity within every node, its texts with themselves included, (n + m,).

    `across` has the mean similarity between the two sides of every merge.
    """
    inner = np.ones(n + len(children))
    for step in range(len(children)):
        i, j = children[step]
        a, b = weight[i], weight[j]
        inner[n + step] = (a * a * inner[i] + b * b * inner[j] + 2 * a * b * across[step]) / (
            (a + b) * (a + b)
        )
    return inner


@njit(cache=True)
def best_partition(children: Ints, worth: Floats) -> Ints:
    """Return the cluster, a node, that every node lies in, −1 above clusters; int64 (n + m,).

    Of all partitions whose clusters are nodes it is the one whose worth, float64 (n + m,), sums to
    the most; of equals the one with larger clusters. One pass up, one down.
    """
    m = len(children)
    n = len(worth) - m
    best = worth.copy()
    whole = np.ones(n + m, np.bool_)
    for step in range(m):
        i, j = children[step]
        apart = best[i] + best[j]
        whole[n + step] = worth[n + step] >= apart
        best[n + step] = max(worth[n + step], apart)
    cluster = np.full(n + m, -1)
    for node in range(n + m - 1, -1, -1):
        if cluster[node] < 0 and whole[node]:
            cluster[node] = node
        if node >= n and cluster[node] >= 0:
            cluster[children[node - n, 0]] = cluster[node]
            cluster[children[node - n, 1]] = cluster[node]
    return cluster
