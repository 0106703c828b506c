"""Spherical k-means: unit vectors, unit centres, similarity the cosine."""

from __future__ import annotations

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
_BLOCK_ROWS, _BLOCK_CELLS = 4096, 1 << 22
_SAME = 1e-6  # a row so near to its centre is no better centre


class SphericalKMeans(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Put rows into k clusters such that cosines with the centre of one's own are high.

    Prefer it to `RAC` where a number of clusters of some size is wanted, not stories, and to
    `sklearn.cluster.KMeans` where length means nothing: its centres are means, shorter than rows,
    so that the nearest one is not the one of the highest cosine.

    Parameters
    ----------
    n_clusters
        How many, k.
    max_iter
        Most passes over all rows.
    tol
        Ends where the mean cosine with one's own centre rises by no more than this in a pass.
    start_rows
        Rows, drawn at random, on which the clustering is begun: by k-means++, then by passes over
        them alone. None: 32 a cluster, and 20,000 at least.
    seed
        Draws these rows and the first centres.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.

    Attributes
    ----------
    labels_ : ndarray of int32, shape (n,)
    cluster_centers_ : ndarray of float32, shape (k, d)
        Unit vectors: the weighted mean of a cluster's rows, scaled.
    inertia_ : float
        Sum of weight · (1 − cosine with one's own centre).
    n_iter_ : int
        Passes over all rows.
    n_features_in_ : int

    Raises
    ------
    ParameterError
        From `fit`.

    Notes
    -----
    A pass takes n·k·d multiply-adds; memory is O(n·d), beside a block of similarities a thread.
    The same bits for any number of threads: rows are multiplied in blocks of a fixed size by one
    BLAS thread each, and summed in their order. Among equal cosines the lower cluster counts. A
    cluster that gets empty begins anew at the row that is farthest from its centre; it stays empty
    only where there are fewer different rows than clusters.

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
            walk = _Walk(rows, weights, threads)
            self.n_iter_ = walk.run(centers, max_iter=self.max_iter, tol=self.tol)
        self.cluster_centers_ = walk.centers
        self.labels_ = walk.labels
        self.inertia_ = float(weights @ (1.0 - walk.similar.astype(np.float64)))
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the cluster of the highest cosine of each row, int32 (n,).

        Raises
        ------
        ParameterError
            If a row has no length.
        """
        check_is_fitted(self)
        told = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        rows = directions("SphericalKMeans.predict", told)
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
        walk = _Walk(rows, weights, threads)
        walk.run(np.asarray(centers, np.float32), max_iter=self.max_iter, tol=self.tol)
        return walk.centers

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
    """Return one unit vector a pair: both put side by side, each with half of the say.

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
        If there are not as many of the one as of the other.

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


class _Walk:
    """Passes over rows: assign each to its nearest centre, move the centres, and again."""

    def __init__(self, rows: Vectors, weights: NDArray[np.float64], threads: Threads) -> None:
        self.rows, self.weights, self.threads = rows, weights, threads

    def run(self, centers: Vectors, *, max_iter: int, tol: float) -> int:
        """Walk until the mean cosine no longer rises; return how many passes it took."""
        total = self.weights.sum()
        self.centers = centers
        self.labels, self.similar = _assign(self.rows, centers, self.threads)
        height = float(self.weights @ self.similar) / total
        for number in range(1, max_iter + 1):
            self.centers, begun_anew = self._moved()
            self.labels, self.similar = _assign(self.rows, self.centers, self.threads)
            before, height = height, float(self.weights @ self.similar) / total
            if height - before <= tol and not begun_anew:
                return number
        return max_iter

    def _moved(self) -> tuple[Vectors, bool]:
        """Return the centres of the clusters as they are, and whether one begins anew."""
        k, d = self.centers.shape
        sums = np.zeros((k, d))
        for rows in _blocks(len(self.rows), 1):
            size = rows.stop - rows.start
            members = sparse.csr_array(
                (self.weights[rows], (self.labels[rows], np.arange(size))), shape=(k, size)
            )
            sums += members @ self.rows[rows].astype(np.float64)
        lengths = np.linalg.norm(sums, axis=1)
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
