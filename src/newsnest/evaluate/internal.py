"""How good clusters are without any gold label: silhouette, Dunn index, stability.

For choosing among runs: what chooses must not have seen the labels that it is judged by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Estimate, mean_estimate
from newsnest.evaluate.clusters import NOISE, noise_apart
from newsnest.types import Vectors

Codes = NDArray[np.int64]

_BLOCK = 1024
# Single precision cannot distinguish a smaller cosine distance from zero.
_NO_DISTANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Labelling:
    """The clusters of a sample of the rows.

    Parameters
    ----------
    rows
        int64 (m,), which rows were clustered, each once.
    labels
        int64 (m,), the cluster of each; −1 is noise.
    """

    rows: Codes
    labels: Codes


def silhouette(
    vectors: Vectors,
    labels: NDArray[np.integer],
    *,
    sample: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return the mean silhouette under cosine distance, and its interval.

    Of a row: how much nearer it is on average to its own cluster than to the next one, in [−1, 1].
    Prefer `dunn` for the worst case, `stability` where clusters may have any shape.

    Parameters
    ----------
    vectors
        (n, d), of any length but zero.
    labels
        (n,). A noise row (−1) and a cluster's only row score 0; noise is nobody's next cluster.
    sample
        How many rows are scored, drawn without replacement; each is still compared with all rows.
        None scores all.
    resamples
        Of the scored rows, for the interval: clusters are taken as they are. 0 leaves it out.
    seed
        Of sample and resamples.

    Returns
    -------
    Estimate
        The mean and the bounds of 95 % of the resamples.

    Raises
    ------
    ParameterError
        If there are fewer than two clusters, the shapes differ, a vector is zero or not finite, or
        `sample` or `resamples` is out of range.

    Notes
    -----
    Exact in O(n · k · d) for k clusters, not O(n² · d): the mean cosine distance to a cluster is
    one minus the product with the cluster's mean.
    Source: Rousseeuw (1987).

    Example
    -------
    >>> vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> silhouette(vectors, np.array([0, 0, 1, 1]), resamples=0).value
    1.0
    """
    unit, codes, k = _checked(vectors, labels, caller="silhouette")
    rows = _sampled(len(unit), sample, seed)
    sizes = np.bincount(codes[codes >= 0], minlength=k)
    sums = np.zeros((k, unit.shape[1]))
    np.add.at(sums, codes[codes >= 0], unit[codes >= 0])
    scores = np.concatenate(
        [
            _row_scores(unit[block], codes[block], sums, sizes)
            for block in np.split(rows, range(_BLOCK, len(rows), _BLOCK))
        ]
    )
    return mean_estimate(scores, resamples=resamples, seed=seed)


def dunn(vectors: Vectors, labels: NDArray[np.integer]) -> float:
    """Return the Dunn index under cosine distance: smallest gap over largest diameter.

    The gap is that of the two nearest rows of different clusters, the diameter that of the two
    farthest rows of one cluster (of the many forms of the index, the first). A single pair of rows
    decides: prefer `silhouette` for a mean.

    Parameters
    ----------
    vectors
        (n, d), of any length but zero.
    labels
        (n,). Noise (−1) is left out.

    Returns
    -------
    At least 0, higher is better; infinite where every cluster is a single point.

    Raises
    ------
    ParameterError
        If there are fewer than two clusters, the shapes differ, or a vector is zero or not finite.

    Notes
    -----
    O(n² · d) in time, 1,024 · n numbers in memory. Single precision: distances below 1e-6 count as
    zero.
    Source: Dunn (1974).

    Example
    -------
    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    >>> round(dunn(vectors, np.array([0, 0, 1])), 3)
    2.0
    """
    unit, codes, _ = _checked(vectors, labels, caller="dunn")
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    unit, codes = unit[order], codes[order]
    nearest_apart, farthest_together = -1.0, 1.0
    for start in range(0, len(unit), _BLOCK):
        block = slice(start, start + _BLOCK)
        cosine = unit[block] @ unit[start:].T  # (block, n − start): each pair once is enough
        # Rows are sorted by cluster, so those of a block's clusters lie next to each other.
        end = int(np.searchsorted(codes, codes[block][-1], side="right")) - start
        together = codes[block][:, None] == codes[start : start + end]
        near = cosine[:, :end]
        farthest_together = min(farthest_together, float(near.min(where=together, initial=1.0)))
        apart = float(near.max(where=~together, initial=-1.0))
        nearest_apart = max(nearest_apart, apart, float(cosine[:, end:].max(initial=-1.0)))
    gap, diameter = (_distance(cosine) for cosine in (nearest_apart, farthest_together))
    return gap / diameter if diameter else float("inf")


def stability(labellings: Sequence[Labelling]) -> float:
    """Return how alike clusterings are: the mean adjusted Rand index over all pairs of them.

    Parameters
    ----------
    labellings
        At least two, of the same rows or of samples of them (`cluster_samples`); two are compared
        on the rows that both have. Every noise row (−1) is a cluster of its own.

    Returns
    -------
    In [−1, 1]; 1 where all agree, 0 by chance.

    Raises
    ------
    ParameterError
        If there are fewer than two, one names a row twice or has no label for it, or two share
        fewer than two rows.

    Notes
    -----
    Two clusterings that put everything together, or everything apart, agree perfectly: read it
    beside the number of clusters.

    Example
    -------
    >>> first = Labelling(np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1]))
    >>> second = Labelling(np.array([3, 2, 1]), np.array([5, 5, 4]))
    >>> stability([first, second])
    1.0
    """
    if len(labellings) < 2:
        raise ParameterError(
            f"stability: labellings must hold at least two, got {len(labellings)}. "
            "Cluster with several seeds or samples."
        )
    for place, one in enumerate(labellings):
        if one.rows.shape != one.labels.shape or np.unique(one.rows).size != one.rows.size:
            raise ParameterError(
                f"stability: labellings[{place}] must name each row once with one label, got "
                f"{one.rows.size} rows ({np.unique(one.rows).size} different) and "
                f"{one.labels.size} labels. Give rows and labels of the same run."
            )
    return float(np.mean([_agreement(one, other) for one, other in combinations(labellings, 2)]))


def cluster_samples(
    cluster: Callable[[Codes], NDArray[np.integer]],
    n: int,
    *,
    samples: int = 5,
    share: float = 0.8,
    seed: int = 0,
) -> list[Labelling]:
    """Cluster several samples of the rows, for `stability`.

    Parameters
    ----------
    cluster
        Takes int64 (m,) rows in ascending order and returns their labels in that order.
    n
        How many rows there are.
    samples
        How many times, at least 2.
    share
        Of the rows in each sample, drawn without replacement, in (0, 1].
    seed
        Of the draw.

    Raises
    ------
    ParameterError
        If `samples` or `share` is out of range.

    Example
    -------
    >>> parity = cluster_samples(lambda rows: rows % 2, 10, samples=3)
    >>> len(parity), parity[0].rows.size, stability(parity)
    (3, 8, 1.0)
    """
    if samples < 2:
        raise ParameterError(
            f"cluster_samples: samples must be at least 2, got {samples}. Give 5 or more."
        )
    if not 0 < share <= 1:
        raise ParameterError(
            f"cluster_samples: share must be in (0, 1], got {share}. Give 0.8 for four fifths."
        )
    rng = np.random.default_rng(seed)
    size = max(1, round(share * n))
    drawn = [np.sort(rng.choice(n, size, replace=False)) for _ in range(samples)]
    return [Labelling(rows, np.asarray(cluster(rows), np.int64)) for rows in drawn]


def _checked(
    vectors: Vectors, labels: NDArray[np.integer], *, caller: str
) -> tuple[Vectors, Codes, int]:
    """Return unit vectors, codes 0 … k − 1 (noise stays −1), and k."""
    if vectors.ndim != 2 or labels.shape != vectors.shape[:1]:
        raise ParameterError(
            f"{caller}: labels must hold one label per vector, got shapes {labels.shape} and "
            f"{vectors.shape}. Give the labels in the order of the vectors."
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ParameterError(
            f"{caller}: vectors must be finite and not zero, got "
            f"{int((~np.isfinite(lengths) | (lengths == 0)).sum())} that are not. "
            "Check the encoder."
        )
    codes = np.full(len(labels), NOISE, np.int64)
    kept = labels != NOISE
    known, codes[kept] = np.unique(labels[kept], return_inverse=True)
    if known.size < 2:
        raise ParameterError(
            f"{caller}: labels must name at least two clusters, got {known.size}. "
            "Cluster more finely."
        )
    return np.asarray(vectors / lengths, np.float32), codes, known.size


def _sampled(n: int, sample: int | None, seed: int) -> Codes:
    if sample is None:
        return np.arange(n)
    if not 1 <= sample <= n:
        raise ParameterError(
            f"silhouette: sample must be from 1 to the number of rows ({n}), got {sample}. "
            "Leave it out to score all rows."
        )
    return np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))


def _row_scores(
    unit: Vectors, labels: Codes, sums: NDArray[np.float64], sizes: Codes
) -> NDArray[np.float64]:
    # In float64: what counts below is the small difference of a size and a product.
    products = unit.astype(np.float64) @ sums.T  # (block, k)
    rows = np.arange(len(labels))
    inside = np.maximum(sizes[labels] - 1, 1)
    # A row's distance to itself is 0 and is not counted.
    within = (sizes[labels] - products[rows, labels]) / inside
    away = 1 - products / sizes
    away[rows, labels] = np.inf
    nearest = away.min(axis=1)
    within, nearest = (np.where(one > _NO_DISTANCE, one, 0.0) for one in (within, nearest))
    widest = np.maximum(within, nearest)
    scores = np.divide(nearest - within, widest, out=np.zeros(len(labels)), where=widest > 0)
    return np.where((labels == NOISE) | (sizes[labels] < 2), 0.0, scores)


def _distance(cosine: float) -> float:
    distance = 1 - cosine
    return distance if distance > _NO_DISTANCE else 0.0


def _agreement(one: Labelling, other: Labelling) -> float:
    from sklearn.metrics import adjusted_rand_score

    shared, left, right = np.intersect1d(
        one.rows, other.rows, assume_unique=True, return_indices=True
    )
    if shared.size < 2:
        raise ParameterError(
            f"stability: labellings must share at least two rows, got {shared.size}. "
            "Draw larger samples."
        )
    return float(
        adjusted_rand_score(noise_apart(one.labels[left]), noise_apart(other.labels[right]))
    )
