"""Exact average-linkage clustering of unit vectors as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import _check_sample_weight, validate_data

from newsnest.cluster.rac_engine import agglomerate_rows
from newsnest.errors import ParameterError
from newsnest.types import Vectors


class RAC(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Exact average-linkage clustering by cosine, cut at a minimum similarity.

    The tree is that of `scipy.cluster.hierarchy.linkage(…, "average", metric="cosine")`, without
    its n² memory. Every row gets a cluster; there is no noise. For nested levels see
    `LevelwiseRAC`.

    Parameters
    ----------
    min_similarity
        Mean pairwise cosine in [−1, 1] two clusters must reach to be merged; −1 builds the whole
        tree. It is measured on the vectors as given: centre them first if they share a direction.
    exact
        False looks for first neighbours nearby only; None does so above 300,000 rows. What comes
        of it is clustered once more, exactly.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.

    Attributes
    ----------
    labels_ : ndarray of int32, shape (n,)
        0 is the heaviest cluster; equal weights by lowest row.
    linkage_ : ndarray of float64, shape (merges, 4)
        SciPy-style: the two clusters, 1 − similarity, weight; sorted by distance. Only merges at or
        above `min_similarity`.
    n_clusters_ : int
    exact_ : bool
        Whether all pairs were looked at from the start.
    n_features_in_ : int

    Notes
    -----
    Cost: n²·d multiply-adds, memory O(n·d). Rows are scaled to unit length; identical rows are
    folded first. Ties go to the lowest row; the same bits for any number of threads.

    Example
    -------
    >>> import numpy as np
    >>> rows = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> RAC(min_similarity=0.8).fit(rows).labels_.tolist()
    [0, 0, 1]
    """

    def __init__(
        self,
        min_similarity: float = 0.5,
        *,
        exact: bool | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.min_similarity = min_similarity
        self.exact = exact
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Cluster the rows of X, float (n, d); `sample_weight` (n,) counts each row so often.

        Raises
        ------
        ParameterError
            If min_similarity is outside [−1, 1], a weight is not positive, or a row has no length.
        ValueError
            As scikit-learn: NaN, infinity, wrong number of dimensions.
        """
        check_similarity("RAC", self.min_similarity)
        rows = validate_data(self, X, dtype=np.float32, order="C")
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        unit = unit_rows("RAC.fit", rows)
        if not (weights > 0).all():
            raise ParameterError(
                f"RAC.fit: sample_weight must be positive, got {weights.min()}. Drop those rows."
            )
        merges = agglomerate_rows(
            unit,
            weights,
            min_similarity=float(self.min_similarity),
            exact=self.exact,
            n_jobs=self.n_jobs,
        )
        self.exact_ = merges.exact
        self.labels_ = merges.labels
        self.linkage_ = merges.linkage(weights)
        self.n_clusters_ = int(self.labels_.max()) + 1
        return self


def check_similarity(where: str, value: float) -> None:
    """Raise ParameterError unless `value` is a cosine."""
    if not -1.0 <= value <= 1.0:
        raise ParameterError(
            f"{where}: min_similarity must be in [-1, 1], got {value}. It is a cosine."
        )


def unit_rows(where: str, rows: Vectors) -> Vectors:
    """Scale rows to unit length, float32 (n, d).

    Raises
    ------
    ParameterError
        If a row is zero: it has no direction.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    if not lengths.all():
        raise ParameterError(
            f"{where}: X must have no zero rows, got one at row {int(np.argmin(lengths))}. "
            "Drop it: a zero vector has no direction."
        )
    out = np.empty(rows.shape, np.float32)
    # Divided in float64, chunk by chunk: no float64 matrix comes into being.
    np.divide(rows, lengths[:, None], out=out, casting="same_kind")
    return out
