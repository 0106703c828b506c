"""Nested levels: average linkage again and again, from stories up or from themes down.

fine-to-coarse   stories on all rows; topics over stories as weighted atoms; themes over topics
coarse-to-fine   themes on all rows; topics inside each theme; stories inside each topic

Either way each level compares its own vectors (`level_vectors`), and labels are nested.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from newsnest.cluster.rac_engine import Merges, agglomerate, agglomerate_rows, by_weight
from newsnest.cluster.rows import group_means
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Hierarchy, Ints, Labels, Level, Order, Vectors

Finest = Callable[[Vectors, Floats], Ints]


def nest_levels(  # noqa: PLR0913
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
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
        Reports every level.

    Raises
    ------
    ParameterError
        If `finest` is given from coarse to fine.

    Notes
    -----
    Cost: the first level costs as `RAC` does; the others far less.
    """
    settings = {"exact": exact, "n_jobs": n_jobs, "progress": progress}
    if order == "fine-to-coarse":
        return _fine_to_coarse(view, levels, weights, finest, settings)
    if finest is not None:
        raise ParameterError(
            f"nest_levels: order must be fine-to-coarse with a clusterer of the finest level, got "
            f"{order}. Leave one of the two out."
        )
    return _coarse_to_fine(view, levels, weights, settings)


def _fine_to_coarse(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
    finest: Finest | None,
    settings: Mapping[str, Any],
) -> Hierarchy:
    labels: list[Labels] = []
    linkages: list[Floats] = []
    atoms = [np.arange(len(weights), dtype=np.int32)]
    every_exact = True
    for level in reversed(levels):
        if not labels and finest is not None:
            found = finest(view(level), weights)
            _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
            labels.append(by_weight(first[inverse], weights))
            linkages.append(np.empty((0, 4)))
            atoms = [labels[0]]
            continue
        if not labels:
            total = weights
            merges = agglomerate_rows(
                view(level), weights, min_similarity=level.min_similarity, **settings
            )
        else:
            atoms.append(labels[-1])
            means, total = group_means(view(level), labels[-1], weights)
            # Means are not scaled to length 1: so their product is the mean cosine of members.
            merges = agglomerate(means, total, min_similarity=level.min_similarity, **settings)
        labels.append(merges.labels[atoms[-1]])
        linkages.append(merges.linkage(total))
        every_exact &= merges.exact
    return Hierarchy(
        tuple(levels), tuple(labels[::-1]), tuple(linkages[::-1]), tuple(atoms[::-1]), every_exact
    )


def _coarse_to_fine(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
    settings: Mapping[str, Any],
) -> Hierarchy:
    n = len(weights)
    rows = np.arange(n, dtype=np.int32)
    labels: list[Labels] = []
    linkages: list[Floats] = []
    above = np.zeros(n, np.int32)
    every_exact = True
    for level in levels:
        rows_of_level = view(level)
        parts: list[tuple[Ints, Merges]] = []
        for members in _members(above):
            merges = agglomerate_rows(
                np.ascontiguousarray(rows_of_level[members]),
                weights[members],
                min_similarity=level.min_similarity,
                **(settings if len(members) == n else {**settings, "progress": SILENT}),
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


def _members(labels: Labels) -> list[Ints]:
    """Return the rows of every label, ascending."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def _join(parts: Sequence[tuple[Ints, Merges]], weights: Floats) -> Merges:
    """Put the merges of disjoint parts together, in an order valid for one linkage."""
    pairs = np.concatenate(
        [members[m.pairs].astype(np.int32).reshape(-1, 2) for members, m in parts]
    )
    similarity = np.concatenate([m.similarity for _, m in parts])
    # Stable: of equal merges of a part, the one that comes first may be the child of the next.
    order = np.argsort(-similarity, kind="stable")
    roots = np.empty(len(weights), np.int64)
    for members, merges in parts:
        _, first = np.unique(merges.labels, return_index=True)
        roots[members] = members[first][merges.labels]
    exact = all(merges.exact for _, merges in parts)
    return Merges(pairs[order], similarity[order], by_weight(roots, weights), exact)
