"""Nested levels: average linkage again and again, from stories up or from themes down.

fine-to-coarse   stories on all rows; topics over stories as weighted atoms; themes over topics
coarse-to-fine   themes on all rows; topics inside each theme; stories inside each topic

Either way each level compares its own vectors (`level_vectors`), and labels are nested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import _check_sample_weight, validate_data

from newsnest.cluster.calibration import auto_levels
from newsnest.cluster.rac import check_similarity, unit_rows
from newsnest.cluster.rac_engine import Merges, agglomerate, agglomerate_rows, by_weight
from newsnest.cluster.views import Frame, fit_frame, level_vectors
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Hierarchy, Labels, Level, Order, Vectors

Finest = Callable[[Vectors, NDArray[np.float64]], NDArray[np.int64]]


def nest_levels(  # noqa: PLR0913
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: NDArray[np.float64],
    *,
    order: Order = "fine-to-coarse",
    exact: bool | None = None,
    n_jobs: int | None = None,
    finest: Finest | None = None,
    progress: Progress = SILENT,
) -> Hierarchy:
    """Cluster rows into nested levels.

    Parameters
    ----------
    view
        Returns the unit rows a level compares, float32 (n, d_level); asked once per level, so that
        never two views of many rows are held.
    levels
        Coarse to fine; their min_similarity is used.
    weights
        float64 (n,), positive.
    order
        Which level comes first; see the module's header.
    exact
        False looks for first neighbours nearby only; None does so above 300,000 rows.
    n_jobs
        Threads; None means one per processor. The result does not depend on it.
    finest
        Clusters the finest level in place of average linkage: takes its unit rows and their
        weights, returns a label a row. That level then has no merges and is its own atoms. Only
        from fine to coarse.
    progress
        Told about every level.

    Raises
    ------
    ParameterError
        If `finest` is given from coarse to fine.

    Notes
    -----
    Cost: the first level costs as `RAC` does; the others far less.
    """
    settings = {"exact": exact, "n_jobs": n_jobs}
    if order == "fine-to-coarse":
        return _fine_to_coarse(view, levels, weights, settings, finest, progress)
    if finest is not None:
        raise ParameterError(
            f"nest_levels: order must be fine-to-coarse with a clusterer of the finest level, got "
            f"{order}. Leave one of the two out."
        )
    return _coarse_to_fine(view, levels, weights, settings, progress)


def _fine_to_coarse(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: NDArray[np.float64],
    settings: Mapping[str, Any],
    finest: Finest | None,
    progress: Progress,
) -> Hierarchy:
    n = len(weights)
    labels: list[Labels] = []
    linkages: list[NDArray[np.float64]] = []
    atoms = [np.arange(n, dtype=np.int32)]
    every_exact = True
    for level in reversed(levels):
        if not labels and finest is not None:
            found = finest(view(level), weights)
            _, first, own = np.unique(found, return_index=True, return_inverse=True)
            labels.append(by_weight(first[own], weights))
            linkages.append(np.empty((0, 4)))
            atoms = [labels[0]]
        elif not labels:
            merges = agglomerate_rows(
                view(level),
                weights,
                min_similarity=level.min_similarity,
                progress=progress,
                **settings,
            )
            every_exact &= merges.exact
            labels.append(merges.labels)
            linkages.append(merges.linkage(weights))
        else:
            below = labels[-1]
            means, total = group_means(view(level), below, weights)
            merges = agglomerate(
                means, total, min_similarity=level.min_similarity, progress=progress, **settings
            )
            every_exact &= merges.exact
            atoms.append(below)
            labels.append(merges.labels[below])
            linkages.append(merges.linkage(total))
    return Hierarchy(
        tuple(levels), tuple(labels[::-1]), tuple(linkages[::-1]), tuple(atoms[::-1]), every_exact
    )


def _coarse_to_fine(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: NDArray[np.float64],
    settings: Mapping[str, Any],
    progress: Progress,
) -> Hierarchy:
    n = len(weights)
    rows = np.arange(n, dtype=np.int32)
    labels: list[Labels] = []
    linkages: list[NDArray[np.float64]] = []
    above = np.zeros(n, np.int32)
    every_exact = True
    for level in levels:
        rows_of_level = view(level)
        parts: list[tuple[NDArray[np.int64], Merges]] = []
        for members in _members(above):
            merges = agglomerate_rows(
                np.ascontiguousarray(rows_of_level[members]),
                weights[members],
                min_similarity=level.min_similarity,
                progress=progress if len(members) == n else SILENT,
                **settings,
            )
            parts.append((members, merges))
        whole = _join(parts, weights)
        every_exact &= whole.exact
        above = whole.labels
        labels.append(above)
        linkages.append(whole.linkage(weights))
    return Hierarchy(
        tuple(levels), tuple(labels), tuple(linkages), (rows,) * len(levels), every_exact
    )


def _members(labels: Labels) -> list[NDArray[np.int64]]:
    """Return the rows of every label, ascending."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def _join(
    parts: Sequence[tuple[NDArray[np.int64], Merges]], weights: NDArray[np.float64]
) -> Merges:
    """Put the merges of disjoint parts together, in an order valid for one linkage."""
    pairs = np.concatenate(
        [members[m.pairs].astype(np.int32).reshape(-1, 2) for members, m in parts]
    )
    similarity = np.concatenate([m.similarity for _, m in parts])
    order = np.argsort(-similarity, kind="stable")
    roots = np.empty(len(weights), np.int64)
    for members, merges in parts:
        _, first = np.unique(merges.labels, return_index=True)
        roots[members] = members[first][merges.labels]
    exact = all(merges.exact for _, merges in parts)
    return Merges(pairs[order], similarity[order], by_weight(roots, weights), exact)


def group_means(
    rows: Vectors, labels: Labels, weights: NDArray[np.float64]
) -> tuple[Vectors, NDArray[np.float64]]:
    """Return the weighted mean of every label's rows, not normalised, and its weight.

    Parameters
    ----------
    rows
        float32 (n, d), unit rows.
    labels
        int32 (n,), 0 … k − 1.
    weights
        float64 (n,).

    Returns
    -------
    tuple
        float32 (k, d) and float64 (k,).
    """
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    total = np.add.reduceat(weights[order], starts)
    means = np.empty((len(starts), rows.shape[1]), np.float32)
    for column in range(0, rows.shape[1], 32):  # a float64 copy of all columns would be large
        part = rows[order, column : column + 32] * weights[order, None]
        means[:, column : column + 32] = np.add.reduceat(part, starts) / total[:, None]
    return means, total


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
            If order is unknown, a level's numbers are outside their domain, or a row is zero.
        """
        if self.order not in get_args(Order):
            raise ParameterError(
                f"LevelwiseRAC: order must be one of {', '.join(get_args(Order))}, "
                f"got {self.order!r}."
            )
        rows = unit_rows("LevelwiseRAC.fit", validate_data(self, X, dtype=np.float32, order="C"))
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        seconds = None if times is None else np.asarray(times, dtype=np.float64)
        own = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        centred = None if own is None else own.astype(np.int32)
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
