"""Spherical k-means: unit vectors, unit centres, similarity the cosine."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import kmeans_plusplus
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from newsnest.cluster.rows import check_weights, directions
from newsnest.cluster.threads import Threads
from newsnest.errors import ParameterError
from newsnest.types import Labels, Vectors

_START_ROWS, _START_ROWS_A_CLUSTER = 20_000, 32
# 16 MiB of cosines a thread, up to 65,536 clusters.
_BLOCK_ROWS, _BLOCK_CELLS = 4096, 1 << 22
_SAME = 1e-6  # a row so near to its centre is no better centre


class SphericalKMeans(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Cluster rows into k groups by the cosine with each group's centre.

    Prefer it to `RAC` to get a given number of clusters rather than stories, and to
    `sklearn.cluster.KMeans` where only directions matter: the centres of that one are means,
    shorter than rows, so that the nearest one need not have the highest cosine.

    Parameters
    ----------
    n_clusters
        How many, k.
    max_iter
        Maximum number of passes over all rows.
    tol
        Stop when a pass raises the mean cosine with the assigned centre by no more than this.
    start_rows
        Size of the random sample the clustering starts on: k-means++, then passes over the sample
        alone. None: 32 rows per cluster, at least 20,000.
    seed
        Of that sample and of the first centres.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.

    Attributes
    ----------
    labels_ : ndarray of int32, shape (n,)
    cluster_centers_ : ndarray of float32, shape (k, d)
        Unit vectors: the weighted mean of a cluster's rows, scaled.
    inertia_ : float
        Sum of weight · (1 − cosine with the assigned centre).
    n_iter_ : int
        Passes over all rows.
    n_features_in_ : int

    Notes
    -----
    A pass takes n·k·d multiply-adds; memory is O(n·d), beside a block of similarities a thread.
    The same bits for any number of threads: rows are multiplied in blocks of a fixed size by one
    BLAS thread each, and summed in their order. Ties go to the lower cluster. An empty cluster is
    restarted at the row farthest from its centre; it stays empty only if there are fewer distinct
    rows than clusters.

    Source: Dhillon and Modha (2001), Concept decompositions for large sparse text data; start:
    Arthur and Vassilvitskii (2007), by scikit-learn, on 1 − cosine.

    Example
    -------
    >>> rows = np.array([[1.0, 0.0], [9.0, 1.0], [0.0, 1.0], [0.1, 2.0]])
    >>> labels = SphericalKMeans(2).fit(rows).labels_
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        max_iter: int = 50,
        tol: float = 1e-4,
        start_rows: int | None = None,
        seed: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.tol = tol
        self.start_rows = start_rows
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Cluster the rows of X, float (n, d); `sample_weight` (n,) counts each row so often.

        Raises
        ------
        ParameterError
            If there are fewer rows than clusters, a parameter is out of its domain, a weight is not
            positive, or a row has no length.
        ValueError
            As scikit-learn: NaN, infinity, wrong number of dimensions.
        """
        rows = directions(
            "SphericalKMeans.fit", validate_data(self, X, dtype=np.float32, order="C")
        )
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        self._check(len(rows), weights)
        with Threads("SphericalKMeans", self.n_jobs) as threads:
            centers = self._start(rows, weights, threads)
            lloyd = _Lloyd(rows, weights, threads)
            self.n_iter_ = lloyd.run(centers, max_iter=self.max_iter, tol=self.tol)
        self.cluster_centers_ = lloyd.centers
        self.labels_ = lloyd.labels
        self.inertia_ = float(weights @ (1.0 - lloyd.similar.astype(np.float64)))
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the cluster of the highest cosine of each row, int32 (n,).

        Raises
        ------
        ParameterError
            If a row has no length.
        """
        check_is_fitted(self)
        given = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        rows = directions("SphericalKMeans.predict", given)
        with Threads("SphericalKMeans", self.n_jobs) as threads:
            return _assign(rows, self.cluster_centers_, threads)[0]

    def _start(self, rows: Vectors, weights: NDArray[np.float64], threads: Threads) -> Vectors:
        """Return the centres to begin with."""
        n, k = len(rows), self.n_clusters
        enough = max(_START_ROWS, _START_ROWS_A_CLUSTER * k)
        count = max(k, enough if self.start_rows is None else self.start_rows)
        if count < n:
            drawn = np.sort(np.random.default_rng([23, self.seed]).choice(n, count, replace=False))
            rows, weights = rows[drawn], weights[drawn]
        centers, _ = kmeans_plusplus(rows, k, sample_weight=weights, random_state=self.seed)
        if count >= n:
            return np.asarray(centers, np.float32)
        lloyd = _Lloyd(rows, weights, threads)
        lloyd.run(np.asarray(centers, np.float32), max_iter=self.max_iter, tol=self.tol)
        return lloyd.centers

    def _check(self, n: int, weights: NDArray[np.float64]) -> None:
        k: Any = self.n_clusters  # whatever was given
        if not isinstance(k, Integral) or not 1 <= int(k) <= n:
            raise ParameterError(
                f"SphericalKMeans: n_clusters must be a whole number from 1 to n_samples={n}, got "
                f"{self.n_clusters}. Give more rows, or ask for fewer clusters."
            )
        if self.max_iter < 1:
            raise ParameterError(
                f"SphericalKMeans: max_iter must be at least 1, got {self.max_iter}. Give 50."
            )
        if not self.tol >= 0:
            raise ParameterError(
                f"SphericalKMeans: tol must be at least 0, got {self.tol}. Give 1e-4."
            )
        if self.start_rows is not None and self.start_rows < 1:
            raise ParameterError(
                f"SphericalKMeans: start_rows must be at least 1 or None, got {self.start_rows}. "
                "Leave it out."
            )
        check_weights("SphericalKMeans.fit", weights)


def pair_vectors(first: Vectors, second: Vectors) -> Vectors:
    """Return one unit vector per pair: both vectors concatenated with equal weight.

    The cosine of two pairs is the mean of the cosines of their first and of their second parts.

    Parameters
    ----------
    first, second
        Unit vectors, (n, d) and (n, e).

    Returns
    -------
    float32 (n, d + e)

    Raises
    ------
    ParameterError
        If their lengths differ.

    Example
    -------
    >>> queries = np.array([[1, 0], [0, 1]], np.float32)
    >>> pairs = pair_vectors(queries, queries[[0, 0]])  # two queries for one item
    >>> (pairs @ pairs.T).round(2).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    if len(first) != len(second):
        raise ParameterError(
            f"pair_vectors: second must have as many rows as first ({len(first)}), got "
            f"{len(second)}. Give both vectors of every pair."
        )
    joined = np.concatenate([first, second], axis=1, dtype=np.float32)
    joined *= np.float32(np.sqrt(0.5))
    return joined


class _Lloyd:
    """Lloyd's iteration: assign each row to its nearest centre, move the centres, and again."""

    def __init__(self, rows: Vectors, weights: NDArray[np.float64], threads: Threads) -> None:
        self.rows, self.weights, self.threads = rows, weights, threads

    def run(self, centers: Vectors, *, max_iter: int, tol: float) -> int:
        """Iterate until the mean cosine no longer rises; return the number of passes."""
        total = self.weights.sum()
        self.centers = centers
        self.labels, self.similar = _assign(self.rows, centers, self.threads)
        height = float(self.weights @ self.similar) / total
        for number in range(1, max_iter + 1):
            self.centers, restarted = self._moved()
            self.labels, self.similar = _assign(self.rows, self.centers, self.threads)
            before, height = height, float(self.weights @ self.similar) / total
            # A restart may lower the mean at first: its worth shows only after the next pass.
            if height - before <= tol and not restarted:
                return number
        return max_iter

    def _moved(self) -> tuple[Vectors, bool]:
        """Return the centres of the current clusters, and whether an empty one was restarted."""
        k, d = self.centers.shape
        # In float64: a cluster may have millions of rows, and float32 sums would drift.
        sums = np.zeros((k, d))
        for rows in _blocks(len(self.rows), 1):  # a sparse product adds rows in their order
            size = rows.stop - rows.start
            members = sparse.csr_array(
                (self.weights[rows], (self.labels[rows], np.arange(size))), shape=(k, size)
            )
            sums += members @ self.rows[rows].astype(np.float64)
        lengths = np.linalg.norm(sums, axis=1)
        # Rows that cancel out leave no direction either, and are treated as an empty cluster.
        empty = np.flatnonzero(lengths < _SAME)
        lengths[empty] = 1.0
        centers = (sums / lengths[:, None]).astype(np.float32)
        centers[empty] = self.centers[empty]
        farthest = np.argsort(self.similar, kind="stable")[: len(empty)]
        farthest = farthest[self.similar[farthest] < 1 - _SAME]
        centers[empty[: len(farthest)]] = self.rows[farthest]
        return centers, bool(len(farthest))


def _assign(rows: Vectors, centers: Vectors, threads: Threads) -> tuple[Labels, Vectors]:
    """Return the nearest centre of each row, and the cosine with it."""
    labels = np.empty(len(rows), np.int32)
    similar = np.empty(len(rows), np.float32)
    turned = np.ascontiguousarray(centers.T)  # (d, k)

    def place(block: slice) -> None:
        cosines = rows[block] @ turned  # (block, k)
        nearest = cosines.argmax(axis=1)
        labels[block] = nearest
        similar[block] = cosines[np.arange(len(nearest)), nearest]

    for _ in threads.pool.map(place, _blocks(len(rows), len(centers))):
        pass
    return labels, similar


def _blocks(n: int, k: int) -> Iterator[slice]:
    """Yield stretches of rows, the same for any number of threads."""
    size = max(64, min(_BLOCK_ROWS, _BLOCK_CELLS // k))
    for start in range(0, n, size):
        yield slice(start, min(n, start + size))
