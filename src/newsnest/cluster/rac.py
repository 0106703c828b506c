"""Exact average linkage as scikit-learn estimators.

  RAC           one flat partition
  LevelwiseRAC  nested levels

Of scikit-learn's checks of estimators two are not passed, on purpose: one has a row of zeros, which
has no direction and so no cosine; the other has weights of 0, that is rows which are not there and
yet want a label. A row of weight 2 counts exactly as two equal rows do.
"""

from collections.abc import Sequence
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from newsnest.cluster.calibration import auto_levels
from newsnest.cluster.levels import nest_levels
from newsnest.cluster.rac_engine import agglomerate_rows
from newsnest.cluster.rows import check_similarity, check_weights, directions, group_means
from newsnest.cluster.views import Frame, fit_frame, level_vectors
from newsnest.errors import ParameterError
from newsnest.types import Floats, Labels, Level, Order


class RAC(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Exact average-linkage clustering by cosine, cut at a minimum similarity.

    The tree is that of `scipy.cluster.hierarchy.linkage(…, "average", metric="cosine")`, without
    its n² memory. Every row gets a cluster; there is no noise. For nested levels see
    `LevelwiseRAC`; to let new rows change the clusters, `IncrementalRAC`.

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
    means_ : ndarray of float32, shape (n_clusters_, d)
        Mean of the unit rows of every cluster.
    exact_ : bool
        Whether all pairs were looked at from the start.
    n_features_in_ : int

    Notes
    -----
    Cost: n²·d multiply-adds, memory O(n·d). Rows are scaled to unit length; identical rows are
    folded first. The same bits for any number of threads. Ties go to the lowest row: where pairs
    are exactly equally similar, other orders of the rows may give another partition, as good. A
    nest has articles in the order of their ids, so there the order of an input changes nothing.

    Example
    -------
    >>> import numpy as np
    >>> rows = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> model = RAC(min_similarity=0.8).fit(rows)
    >>> model.labels_.tolist(), model.predict([[1.0, 0.1], [0.1, 1.0], [-1.0, 0.0]]).tolist()
    ([0, 0, 1], [0, 1, -1])
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
        unit = directions("RAC.fit", rows)
        check_weights("RAC.fit", weights)
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
        self.means_, _ = group_means(unit, self.labels_, weights)
        self.n_clusters_ = len(self.means_)
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the cluster of every row, int32 (n,), by the highest mean cosine.

        −1 where that is below `min_similarity`. The clusters stay as they were fitted.

        Raises
        ------
        ParameterError
            If a row is zero.
        ValueError
            As scikit-learn: not fitted, another number of columns, NaN.
        """
        check_is_fitted(self)
        rows = directions("RAC.predict", validate_data(self, X, dtype=np.float32, reset=False))
        similar = rows @ self.means_.T  # (n, k): the mean cosine with the rows of each cluster
        nearest = similar.argmax(axis=1)
        near = similar[np.arange(len(rows)), nearest] >= self.min_similarity
        return np.where(near, nearest, -1).astype(np.int32)


class LevelwiseRAC(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Nest text vectors into themes, topics and stories.

    Rows are centred on the corpus mean, turned to principal axes and clustered by exact average
    linkage once per level. Prefer `RAC` for a single flat partition of vectors taken as they are.

    Parameters
    ----------
    levels
        Coarse to fine, each with dims and min_similarity. None: theme, topic and story with the
        measured defaults, relative to the spread of these vectors.
    order
        "fine-to-coarse" or "coarse-to-fine".
    time_scale
        Seconds; see `level_vectors`. Only levels with a time_weight use it.
    rotate
        False for encoders trained to nest: their leading dimensions mean something already.
    exact
        False looks for first neighbours nearby only; None does so above 300,000 rows.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.

    Attributes
    ----------
    hierarchy_ : Hierarchy
    labels_ : ndarray of int32, shape (n,)
        Of the finest level; 0 is the heaviest cluster.
    level_labels_ : ndarray of int32, shape (n, len(levels))
        Coarse to fine.
    linkages_ : tuple of ndarray
        One SciPy-style linkage per level, coarse to fine.
    frame_ : Frame
    n_features_in_ : int

    Example
    -------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(40, 16))
    >>> LevelwiseRAC().fit(rows).level_labels_.shape
    (40, 3)
    """

    def __init__(
        self,
        levels: Sequence[Level] | None = None,
        *,
        order: Order = "fine-to-coarse",
        time_scale: float = 86_400.0,
        rotate: bool = True,
        exact: bool | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.levels = levels
        self.order = order
        self.time_scale = time_scale
        self.rotate = rotate
        self.exact = exact
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        sample_weight: ArrayLike | None = None,
        times: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Cluster rows.

        Parameters
        ----------
        X
            float (n, d); scaled to unit length.
        y
            Ignored.
        sample_weight
            (n,), positive: how many articles a row stands for.
        times
            (n,), seconds, NaN where unknown; used by levels with a time_weight.
        groups
            (n,), any labels, such as languages: rows that are centred together; see `fit_frame`.

        Raises
        ------
        ParameterError
            If order is unknown, a level's numbers are outside their domain, a weight is not
            positive, a row is zero, or times are not a number a row, at least one of them known.
        """
        if self.order not in get_args(Order):
            raise ParameterError(
                f"LevelwiseRAC: order must be one of {', '.join(get_args(Order))}, "
                f"got {self.order!r}."
            )
        rows = directions("LevelwiseRAC.fit", validate_data(self, X, dtype=np.float32, order="C"))
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        check_weights("LevelwiseRAC.fit", weights)
        seconds = _seconds(times, len(rows))
        centred = None
        if groups is not None:
            centred = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int32)
        self.frame_: Frame = fit_frame(rows, weights, groups=centred, rotate=self.rotate)
        text = self.frame_.apply(rows, centred)
        levels = tuple(self.levels) if self.levels is not None else auto_levels(text)
        for level in levels:
            check_similarity(f"Level {level.name}", level.min_similarity)
        self.hierarchy_ = nest_levels(
            lambda level: level_vectors(text, level, times=seconds, time_scale=self.time_scale),
            levels,
            weights,
            order=self.order,
            exact=self.exact,
            n_jobs=self.n_jobs,
        )
        self.labels_ = self.hierarchy_.labels[-1]
        self.level_labels_ = np.stack(self.hierarchy_.labels, axis=1)
        self.linkages_ = self.hierarchy_.linkages
        return self


def _seconds(times: ArrayLike | None, count: int) -> Floats | None:
    """Return times as float64; raise ParameterError where they cannot be those of the rows."""
    if times is None:
        return None
    seconds = np.asarray(times, dtype=np.float64)
    if seconds.shape != (count,) or np.isinf(seconds).any() or np.isnan(seconds).all():
        known = int(np.isfinite(seconds).sum())
        raise ParameterError(
            f"LevelwiseRAC.fit: times must be the seconds of all {count:,} rows, NaN where "
            f"unknown, got shape {seconds.shape} with {known:,} finite. Leave times out if none is "
            "known."
        )
    return seconds
