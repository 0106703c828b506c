"""Average linkage that takes new rows and clusters again only what they touch."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array
from threadpoolctl import threadpool_limits

from newsnest.cluster import rac_kernels as kernels
from newsnest.cluster.rac_engine import agglomerate_rows, by_weight
from newsnest.cluster.rows import check_similarity, directions
from newsnest.cluster.threads import Threads
from newsnest.errors import ParameterError
from newsnest.types import Labels, Vectors

_BLOCK = 4096


class IncrementalRAC:
    """Exact average-linkage clustering of a growing set of rows.

    Two clusters merge only if some pair of their rows is at least as similar as the mean. So no
    cluster crosses a component of the graph of pairs at or above `min_similarity`, and new rows
    change the components they join and no other. Prefer `RAC` for rows that are all there.

    Parameters
    ----------
    min_similarity
        As for `RAC`. The lower it is, the larger the components: where one holds nearly all rows,
        every update is a run from the start.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.

    Attributes
    ----------
    labels_ : ndarray of int32, shape (n,)
        Those of `RAC` fitted on all rows so far, in the order they came.
    components_ : ndarray of int32, shape (n,)
        The lowest row of every row's component.
    rerun_ : int
        How many rows the last update clustered again, the new ones among them.

    Notes
    -----
    Cost of an update by m rows: m·n·d multiply-adds, and a run over the touched components. All
    rows are kept. Vectors must share a frame: centre by a mean that is kept, not by a new one.

    Example
    -------
    >>> import numpy as np
    >>> stories = IncrementalRAC(min_similarity=0.8)
    >>> stories.update(np.array([[1.0, 0.0], [0.0, 1.0]])).labels_.tolist()
    [0, 1]
    >>> stories.update(np.array([[0.9, 0.1]])).labels_.tolist()
    [0, 1, 0]
    >>> stories.rerun_
    2
    """

    def __init__(self, min_similarity: float = 0.5, *, n_jobs: int | None = None) -> None:
        check_similarity("IncrementalRAC", min_similarity)
        self.min_similarity = min_similarity
        self.n_jobs = n_jobs
        self.labels_: Labels = np.empty(0, np.int32)
        self.components_: NDArray[np.int32] = np.empty(0, np.int32)
        self.rerun_ = 0
        self._rows: Vectors = np.empty((0, 0), np.float32)
        self._weights: NDArray[np.float64] = np.empty(0)
        self._roots: NDArray[np.int64] = np.empty(0, np.int64)

    def update(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Add the rows of X, float (m, d); `sample_weight` (m,) counts each row so often.

        Raises
        ------
        ParameterError
            If a row has no length, d differs from before, or a weight is not positive.
        ValueError
            As scikit-learn: NaN, infinity, wrong number of dimensions.
        """
        new = directions("IncrementalRAC.update", check_array(X, dtype=np.float32))
        weights = (
            np.ones(len(new)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        )
        self._check(new, weights)
        before = len(self._rows)
        self._rows = np.concatenate([self._rows.reshape(-1, new.shape[1]), new])
        self._weights = np.concatenate([self._weights, weights])
        self._join_components(before)
        touched = np.isin(self.components_, np.unique(self.components_[before:]))
        rows = np.flatnonzero(touched)
        merges = agglomerate_rows(
            np.ascontiguousarray(self._rows[rows]),
            self._weights[rows],
            min_similarity=self.min_similarity,
            exact=True,
            n_jobs=self.n_jobs,
        )
        _, first = np.unique(merges.labels, return_index=True)
        self._roots = np.concatenate([self._roots, np.zeros(len(new), np.int64)])
        self._roots[rows] = rows[first][merges.labels]
        self.labels_ = by_weight(self._roots, self._weights)
        self.rerun_ = len(rows)
        return self

    def _check(self, new: Vectors, weights: NDArray[np.float64]) -> None:
        if len(self._rows) and new.shape[1] != self._rows.shape[1]:
            raise ParameterError(
                f"IncrementalRAC.update: X must have {self._rows.shape[1]} columns as before, "
                f"got {new.shape[1]}. Encode with the same encoder."
            )
        if weights.shape != (len(new),) or not (weights > 0).all():
            raise ParameterError(
                f"IncrementalRAC.update: sample_weight must be {len(new)} positive numbers, "
                f"got {weights.shape} with minimum {weights.min(initial=np.inf)}. Drop those rows."
            )

    def _join_components(self, before: int) -> None:
        """Union the components of every pair with a new row that may reach min_similarity."""
        rows, n = self._rows, len(self._rows)
        parent = np.concatenate([self.components_, np.arange(before, n, dtype=np.int32)])
        # Products of blocks may fall short by rounding: a joint too many costs time alone.
        floor = np.float32(self.min_similarity - 2.0 * rows.shape[1] * 2.0**-24 - 1e-6)
        # BLAS in several threads sums in another order: that may add a joint, and changes no label.
        with threadpool_limits(Threads("IncrementalRAC", self.n_jobs).count, "blas"):
            for i in range(before, n, _BLOCK):
                part = rows[i : i + _BLOCK]
                for j in range(0, min(n, i + _BLOCK), _BLOCK):
                    kernels.link(part @ rows[j : j + _BLOCK].T, floor, i, j, parent)
        while (parent != parent[parent]).any():
            parent = parent[parent]
        self.components_ = parent
