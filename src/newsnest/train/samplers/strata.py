"""Groups of pairs to draw batches from: small clusters merged, duplicates spread, pairs dealt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsnest.train.samplers.packing import Ids
from newsnest.types import Vectors


@dataclass(frozen=True, slots=True)
class Groups:
    """Which pairs make batches together.

    `of` int64 (n,) is the group of every pair, `centers` are unit vectors (g, d), `sources` int64
    (g,) say where the pairs of a group are from.
    """

    of: Ids
    centers: Vectors
    sources: Ids

    @property
    def sizes(self) -> Ids:
        """Pairs of each group, (g,)."""
        return np.bincount(self.of, minlength=len(self.centers))


def cluster_groups(labels: NDArray[np.integer], centers: Vectors, sources: Ids) -> Groups:
    """Return a group for every cluster of every source; labels and sources (n,), centers (k, d)."""
    kinds = np.stack([sources, labels], axis=1).astype(np.int64)
    found, of = np.unique(kinds, axis=0, return_inverse=True)
    return Groups(of.reshape(-1).astype(np.int64), centers[found[:, 1]], found[:, 0])


def merge_small(groups: Groups, *, min_pairs: int) -> Groups:
    """Merge groups with fewer pairs than `min_pairs` with their nearest neighbours.

    The smallest is merged with the group of its source that has the nearest centre, then the one
    that is the smallest now, until none is left that is too small and not alone in its source.
    g · d multiplications a merge; of equals the lower number counts.
    """
    sizes = groups.sizes.astype(np.float64)
    sums = groups.centers * sizes[:, None]  # (g, d)
    units = _unit(sums)
    sources = groups.sources.copy()
    into = np.arange(len(sizes))
    waiting = sizes.copy()  # of groups that are not to be merged: infinite
    while len(waiting):
        small = int(waiting.argmin())
        if waiting[small] >= min_pairs:
            break
        others = (sources == sources[small]) & (sizes > 0)
        others[small] = False
        if not others.any():
            waiting[small] = np.inf
            continue
        near = int(np.where(others, units @ units[small], -np.inf).argmax())
        into[small] = near
        sums[near] += sums[small]
        sizes[near] += sizes[small]
        waiting[near] = sizes[near]
        units[near] = _unit(sums[near : near + 1])[0]
        sizes[small], waiting[small] = 0.0, np.inf
    while (into[into] != into).any():
        into = into[into]
    kept, of = np.unique(into[groups.of], return_inverse=True)
    return Groups(of.astype(np.int64), units[kept].astype(np.float32), sources[kept])


def spread_connected(groups: Groups, components: Ids, *, batch_size: int) -> tuple[Groups, int]:
    """Move pairs that would be each other's known false negatives to the nearest group with room.

    Pairs of the same component (n,) never share a batch. A group of m full batches has room for m
    of them, one a batch; what a title that comes back every day has beyond that would make many
    batches of next to nothing. Returns the groups, and how many pairs were moved; where no group of
    the source has room, pairs stay.
    """
    room = -(-groups.sizes // batch_size)
    of = groups.of.copy()
    order = np.lexsort((np.arange(len(of)), components, of))
    same = (np.diff(of[order]) == 0) & (np.diff(components[order]) == 0)
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(of) else np.zeros(0, np.int64)
    counts = np.diff(np.concatenate([starts, [len(of)]]))
    held = {
        (int(of[order[s]]), int(components[order[s]])): int(c)
        for s, c in zip(starts, counts, strict=True)
    }
    moved = 0
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        own, component = int(of[order[start]]), int(components[order[start]])
        if count <= room[own]:
            continue
        by_nearness = np.argsort(-(groups.centers @ groups.centers[own]), kind="stable")
        near = by_nearness[groups.sources[by_nearness] == groups.sources[own]].tolist()
        for row in order[start + int(room[own]) : start + count].tolist():
            there = next((g for g in near if held.get((g, component), 0) < room[g]), None)
            if there is None:
                break
            of[row] = there
            held[there, component] = held.get((there, component), 0) + 1
            moved += 1
    return Groups(of, groups.centers, groups.sources), moved


def batch_count(components: Ids, *, batch_size: int) -> int:
    """Return the fewest batches that hold pairs of these components, none twice.

    Example
    -------
    >>> batch_count(np.array([0, 0, 0, 1]), batch_size=4)
    3
    """
    if not len(components):
        return 0
    busiest = int(np.unique(components, return_counts=True)[1].max())
    return max(-(-len(components) // batch_size), busiest)


def deal(rows: Ids, components: Ids, count: int, rng: np.random.Generator) -> list[list[int]]:
    """Deal pairs into `count` batches like cards: nearly equally many each, no component twice.

    `rows` and `components` are (m,): numbers of the pairs, and what they are of. `count` is from
    `batch_count` to m; `rng` orders the components and where dealing begins.
    """
    _, codes, sizes = np.unique(components, return_inverse=True, return_counts=True)
    turn = rng.permutation(len(sizes))
    order = np.lexsort((rng.permutation(len(rows)), turn[codes]))  # a component's one by one
    begin = int(rng.integers(count))
    # Rows of a component take places one after the other, and it has no more rows than there are
    # batches: none gets two of them.
    out: list[list[int]] = [[] for _ in range(count)]
    for place, row in enumerate(rows[order].tolist(), start=begin):
        out[place % count].append(row)
    return out


def tour(centers: Vectors, first: int) -> list[int]:
    """Return all groups, each followed by the nearest one that was not yet visited.

    Example
    -------
    >>> tour(np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]], np.float32), 0)
    [0, 2, 1]
    """
    left = np.ones(len(centers), bool)
    path = [first]
    left[first] = False
    while left.any():
        similar = np.where(left, centers @ centers[path[-1]], -np.inf)
        path.append(int(similar.argmax()))
        left[path[-1]] = False
    return path


def _unit(rows: NDArray[np.floating]) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)
