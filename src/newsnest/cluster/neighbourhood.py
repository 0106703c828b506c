"""Neighbourhoods: rows smoothed by their neighbours, and a cut that keeps them together.

A topic has no density of its own as a story has, so that no one cosine cuts a tree into topics. Two
articles of a topic are rarely alike, but chains of similar articles lead from one to the other.
Moving every row towards its nearest neighbours (`Neighbourhood.smooth`) follows these chains, and
`Neighbourhood.cut` takes the clusters of a tree within which neighbours stay: the more, the larger
clusters are, against what as large ones would hold by chance. Nothing in either depends on the
scale of similarities, which differs between encoders and corpora.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import tree_kernels as trees
from newsnest.cluster.rac_engine import Merges, by_weight
from newsnest.cluster.rows import unit_in_place
from newsnest.cluster.screen import FloatScreen
from newsnest.cluster.threads import Threads
from newsnest.types import Floats, Ints, Labels, Vectors

AMONG_ROWS = 8192
"""Rows among which neighbours are looked for: the sizes of corpora that were measured."""
_ROUNDS = 6
_STRENGTH = np.float32(0.8)  # share of its neighbours in a row after a round
_BLOCK = 1024  # rows
_BELOW_ALL = np.float32(-2.0)
_LEAST = np.float32(1e-6)  # weight of a neighbour that is less alike than chance


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The nearest neighbours of every row; made by `find_neighbours`.

    Parameters
    ----------
    ids
        int32 (n, k), other rows.
    shares
        float32 (n, k): how much each neighbour counts, in proportion to its cosine; 1 a row.
    weights
        float64 (n,) of the rows.
    """

    ids: NDArray[np.int32]
    shares: Vectors
    weights: Floats

    def smooth(self, rows: Vectors, *, n_jobs: int | None = None) -> Vectors:
        """Return unit rows moved towards the mean of their neighbours, six times; float32 (n, d).

        Memory: a second copy of the rows. The same bits for any number of threads.
        """
        if not self.ids.shape[1]:
            return rows
        named, places = np.unique(self.ids, return_inverse=True)
        places = places.reshape(self.ids.shape)
        moved = rows.copy()
        with Threads("Neighbourhood.smooth", n_jobs) as threads:
            for _ in range(_ROUNDS):
                landmarks = moved[named]

                def move(part: slice, landmarks: Vectors = landmarks) -> None:
                    near = np.einsum("ij,ijd->id", self.shares[part], landmarks[places[part]])
                    moved[part] = unit_in_place(
                        (1 - _STRENGTH) * moved[part] + _STRENGTH * near
                    )  # fmt: skip

                list(threads.pool.map(move, _blocks(len(rows))))
        return moved

    def cut(self, merges: Merges, leaves: Labels, resolution: float) -> Merges:
        """Cut a tree where neighbours stay together.

        Of all partitions into clusters of the tree this is the one with the highest modularity: the
        share of neighbours that are in one cluster, less `resolution` times the share that would be
        if neighbours were drawn by weight alone. Large clusters pay for their size, so that one
        which holds most of a mixed corpus is not kept.

        Parameters
        ----------
        merges
            A whole tree over k leaves.
        leaves
            int32 (n,), the leaf of every row; −1 for rows that are not in the tree.
        resolution
            Positive; the higher, the more clusters.

        Returns
        -------
        Merges
            Those of the tree inside the clusters, and the cluster of every leaf.

        Notes
        -----
        Cost: O(k + e·log k), e pairs of neighbours. Deterministic; ties go to the larger cluster.
        Source: Newman and Girvan 2004; resolution as in Reichardt and Bornholdt 2006. Differs from
        the source in that only clusters of a given tree are considered, which makes it exact.
        """
        k = len(merges.labels)
        tree = _Tree.of(merges)
        leaf = leaves.astype(np.int64)
        from_, to = np.repeat(leaf, self.ids.shape[1]), leaf[self.ids.ravel()]
        mass = (self.weights[:, None] * self.shares).ravel().astype(np.float64)
        present = leaf >= 0
        arrives = to >= 0
        weights = np.bincount(leaf[present], self.weights[present], minlength=k).astype(np.float64)
        degree = (weights + np.bincount(to[arrives], mass[arrives], minlength=k)) / 2
        both = arrives & (from_ >= 0)
        meet = tree.lowest_common(from_[both], to[both])
        inner = np.bincount(meet, mass[both], minlength=len(tree.parent))
        total = self.weights.sum()
        inner = trees.accumulated(tree.children, inner / total)
        worth = inner - resolution * trees.sums(tree.children, degree / total) ** 2
        cluster = trees.best_partition(tree.children, worth)
        _, first, inverse = np.unique(cluster[:k], return_index=True, return_inverse=True)
        return merges.kept(cluster[k:] >= 0, by_weight(first[inverse], weights))


def find_neighbours(
    rows: Vectors,
    weights: Floats,
    k: int,
    *,
    among: int = AMONG_ROWS,
    n_jobs: int | None = None,
) -> Neighbourhood:
    """Find the k most similar other rows of every unit row, float32 (n, d), n ≥ 1.

    Of more than `among` rows they are looked for among so many, drawn at random with a fixed seed:
    the larger a corpus, the closer all k neighbours would be, and topics would fall apart.

    Cost: `among`·n·d multiply-adds. The same bits for any number of threads.
    """
    n = len(rows)
    every = np.arange(n, dtype=np.int32)
    some = every
    if n > among:
        some = np.sort(np.random.default_rng(0).choice(every, among, replace=False))
    # Of a row that is among them one candidate is itself.
    k = max(0, min(k, len(some) - 1))
    if k == 0:
        return Neighbourhood(np.empty((n, 0), np.int32), np.empty((n, 0), np.float32), weights)
    with Threads("find_neighbours", n_jobs) as threads:
        cosines, ids = FloatScreen(rows, threads).among(every, some, k, _BELOW_ALL)
    shares = np.maximum(cosines, _LEAST) * weights[ids].astype(np.float32)
    shares /= shares.sum(axis=1, keepdims=True)
    return Neighbourhood(ids, shares, weights)


def _blocks(n: int) -> Iterator[slice]:
    """Yield stretches of rows, the same for any number of threads."""
    for start in range(0, n, _BLOCK):
        yield slice(start, min(n, start + _BLOCK))


@dataclass(frozen=True, slots=True)
class _Tree:
    """A binary tree; leaves are nodes 0 … k − 1, merges k …, and parents come after children."""

    leaves: int
    children: Ints  # (m, 2)
    parent: Ints  # (k + m,), −1 at a root
    head: Ints  # (k + m,): the top of the path of heaviest children that a node is on

    @classmethod
    def of(cls, merges: Merges) -> "_Tree":
        k, m = len(merges.labels), len(merges.pairs)
        children = trees.children_of(merges.pairs, k)
        size = trees.sums(children, np.ones(k))
        parent = np.full(k + m, -1)
        parent[children.ravel()] = np.repeat(np.arange(k, k + m), 2)
        head = np.arange(k + m)
        heavier = np.where(
            size[children[:, 0]] >= size[children[:, 1]], children[:, 0], children[:, 1]
        )
        for step in range(m - 1, -1, -1):
            head[heavier[step]] = head[k + step]
        return cls(k, children, parent, head)

    def lowest_common(self, a: Ints, b: Ints) -> Ints:
        """Return the lowest node above both of every pair of leaves."""
        a, b = a.copy(), b.copy()
        while True:
            apart = self.head[a] != self.head[b]
            if not apart.any():
                return np.maximum(a, b)
            # The lower head is not above the other node: what is above both lies above it.
            left = apart & (self.head[a] < self.head[b])
            right = apart & ~left
            a[left] = self.parent[self.head[a[left]]]
            b[right] = self.parent[self.head[b[right]]]
