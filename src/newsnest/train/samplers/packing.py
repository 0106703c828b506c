"""Put pairs into batches so that no batch holds two pairs of one component."""

from collections.abc import Hashable, Iterable

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from newsnest.types import Ints

Ids = Ints


def text_components(
    pairs: Iterable[tuple[Hashable, Hashable, float]], *, min_score: float
) -> tuple[Ids, int]:
    """Number the connected components of the articles of scored pairs.

    Articles are nodes; a pair is an edge where its score is `min_score` or more.

    Parameters
    ----------
    pairs
        First article, second article, score; an article is whatever equals itself.
    min_score
        Smallest score of an edge.

    Returns
    -------
    int64 (n, 2), the component of both ends of every pair; and how many components there are.

    Example
    -------
    >>> text_components([("a", "b", 1.0), ("b", "c", 0.0), ("c", "c", 0.0)], min_score=0.25)
    (array([[0, 0],
           [0, 1],
           [1, 1]]), 2)
    """
    nodes: dict[Hashable, int] = {}
    ends: list[tuple[int, int]] = []
    scores: list[float] = []
    for first, second, score in pairs:
        ends.append((nodes.setdefault(first, len(nodes)), nodes.setdefault(second, len(nodes))))
        scores.append(score)
    if not ends:
        return np.zeros((0, 2), np.int64), 0
    rows = np.array(ends, np.int64)
    edges = rows[np.array(scores) >= min_score]
    graph = sparse.coo_array(
        (np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(len(nodes), len(nodes))
    )
    count, component = connected_components(graph, directed=False)
    return component.astype(np.int64)[rows], int(count)


def pack_pairs(components: Ids, *, batch_size: int, rng: np.random.Generator) -> list[list[int]]:
    """Return batches that hold every pair exactly once and no component twice.

    A pair within one component holds that component once. Pairs of the busiest components are
    placed first, each into a batch of its own, because the busiest one needs as many batches as it
    has pairs; the others fill what is left.

    Parameters
    ----------
    components
        Component of both ends of every pair, (n, 2).
    batch_size
        Maximum number of pairs in a batch.
    rng
        Orders pairs of equally busy components, and the batches.

    Returns
    -------
    Lists of row numbers, in random order. At least max(⌈n / batch_size⌉, pairs of the busiest
    component) lists; rarely more than that.

    Notes
    -----
    O(n log n) plus the batches that are tried in vain, few unless most pairs share components.
    """
    n = len(components)
    if not n:
        return []
    busy = np.zeros(int(components.max()) + 1, np.int64)
    np.add.at(busy, components[:, 0], 1)
    crossing = components[:, 0] != components[:, 1]
    np.add.at(busy, components[crossing, 1], 1)
    load = busy[components]  # (n, 2)
    lead = np.where(load[:, 0] >= load[:, 1], components[:, 0], components[:, 1])
    tie = rng.permutation(len(busy))[lead]  # pairs of one leading component stay together
    order = np.lexsort((rng.permutation(n), tie, -load.max(axis=1)))
    packer = _Packer(max(-(-n // batch_size), int(busy.max())), batch_size)
    last, at = -1, 0
    for row in order.tolist():
        if lead[row] != last:
            last, at = lead[row], int(rng.integers(1 << 31))
        at = packer.place(row, int(components[row, 0]), int(components[row, 1]), at)
    batches = [batch for batch in packer.batches if batch]
    return [batches[i] for i in rng.permutation(len(batches)).tolist()]


class _Packer:
    """Batches that fill up; the open ones are kept in a list that is walked round and round."""

    def __init__(self, count: int, batch_size: int) -> None:
        self.batch_size = batch_size
        self.batches: list[list[int]] = [[] for _ in range(count)]
        self.held: list[set[int]] = [set() for _ in range(count)]
        self.open = list(range(count))

    def place(self, row: int, first: int, second: int, at: int) -> int:
        """Put a pair into the next open batch from `at` on that fits; return where to go on."""
        for step in range(len(self.open)):
            spot = (at + step) % len(self.open)
            batch = self.open[spot]
            if first not in self.held[batch] and second not in self.held[batch]:
                break
        else:
            batch, spot = len(self.batches), len(self.open)
            self.batches.append([])
            self.held.append(set())
            self.open.append(batch)
        self.batches[batch].append(row)
        self.held[batch] |= {first, second}
        if len(self.batches[batch]) < self.batch_size:
            return spot + 1
        self.open[spot] = self.open[-1]
        self.open.pop()
        return spot


def split_to(batches: list[list[int]], count: int) -> list[list[int]]:
    """Halve the largest batches until there are `count`, or every batch holds one pair."""
    batches = sorted(batches, key=len)
    while len(batches) < count and batches and len(batches[-1]) > 1:
        largest = batches.pop()
        half = len(largest) // 2
        batches = sorted([*batches, largest[:half], largest[half:]], key=len)
    return batches
