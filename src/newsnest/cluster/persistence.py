"""Where to cut a tree by default: where its clusters last longest.

A cluster lives from the similarity at which it is formed down to the one at which it is merged
into another. A cut through well separated groups crosses long lives; a cut that shatters a group,
or runs two together, crosses short ones. Nothing is fitted, and stretching or shifting all
similarities does not move the cut. Where several cuts last nearly as long, one between them is
taken: the longest alone would jump with the smallest change of the vectors.
"""

import numpy as np

from newsnest.cluster.rac_engine import Merges, agglomerate_rows
from newsnest.types import Vectors

_MAX_ROWS = 20_000  # rows: the cut of a sample is close to that of the whole
_NEARLY = 0.9  # of the longest mean life: cuts below it do not count


def lasting_cut(merges: Merges) -> float:
    """Return the cut of a whole tree, n ≥ 2 rows, whose clusters last longest, in [0, 1].

    A cut's worth is the mean over the rows of how long the row's cluster lives; a row alone counts
    zero. What is returned is the mean of all cuts worth more than nine tenths of the best, weighted
    by how much more. Below 0 two clusters of centred vectors are less alike than chance, so that no
    cut is looked for there. Cost: O(n).

    Source: the lifetime of dendrogram clusters, Fred and Jain 2005; weighted by size as the excess
    of mass of Campello et al. 2013. Differs from the source in one cut for the whole tree, and in
    the mean of good cuts.
    """
    height = merges.similarity
    n, m = len(merges.labels), len(height)
    node = np.arange(n)
    size = np.concatenate([np.zeros(n), np.ones(m)])
    ends = np.concatenate([np.zeros(n), height])  # a root ends where it began
    children = np.empty((m, 2), np.int64)
    for step, (a, b) in enumerate(merges.pairs.tolist()):
        children[step] = node[a], node[b]
        # A row alone has size 0, so that its life is worth nothing, yet it counts in what it joins.
        size[n + step] = max(size[node[a]], 1) + max(size[node[b]], 1)
        ends[children[step]] = height[step]
        node[a] = n + step
    life = size * (np.concatenate([np.zeros(n), height]) - ends)
    total = np.cumsum(life[n:] - life[children].sum(axis=1))  # of a cut just after each merge
    below = np.append(height[1:], height[-1])
    # Between merges at the same height there is no cut.
    possible = (height >= 0.0) & (below < height)
    if not possible.any():
        return max(0.0, float(height[-1]))
    middle, width = (height + below) / 2, height - below
    worth = np.where(possible, total - _NEARLY * total[possible].max(), 0.0).clip(0.0) * width
    return max(0.0, float(worth @ middle / worth.sum()))


def lasting_similarity(rows: Vectors, *, seed: int = 0) -> float:
    """Return `lasting_cut` of the tree of unit rows, float32 (n, d), n ≥ 2; of a sample if many."""
    if len(rows) > _MAX_ROWS:
        kept = np.sort(np.random.default_rng(seed).choice(len(rows), _MAX_ROWS, replace=False))
        rows = np.ascontiguousarray(rows[kept])
    return lasting_cut(agglomerate_rows(rows, np.ones(len(rows)), min_similarity=-1.0))
