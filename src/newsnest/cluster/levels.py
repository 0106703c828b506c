"""Nested levels: average linkage again and again, from stories up or from themes down.

fine-to-coarse   stories on all rows; topics over stories as weighted atoms; themes over topics
coarse-to-fine   themes on all rows; topics inside each theme; stories inside each topic

Either way each level compares its own vectors (`level_vectors`), and labels are nested. A level
with `neighbours` moves its vectors towards their nearest neighbours first; one with a `resolution`
is not cut at one similarity but where neighbours stay together (`Neighbourhood.cut`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from newsnest.cluster.neighbourhood import AMONG_ROWS, Neighbourhood, find_neighbours
from newsnest.cluster.rac_engine import Merges, agglomerate, agglomerate_rows, by_weight
from newsnest.cluster.rows import group_means, unit_in_place
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Hierarchy, Ints, Labels, Level, Order, Vectors

Finest = Callable[[Vectors, Floats], Ints]
Stories = Callable[[Ints], Merges]
_STEP = 1.1  # by which a resolution is raised
_AMONG_CLUSTERS = 1024  # clusters of the level below are looked at: themes are few


def nest_levels(  # noqa: PLR0913
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
    *,
    order: Order = "fine-to-coarse",
    exact: bool | None = None,
    n_jobs: int | None = None,
    finest: Finest | None = None,
    stories: Stories | None = None,
    progress: Progress = SILENT,
) -> Hierarchy:
    """Cluster rows into nested levels.

    Parameters
    ----------
    view
        Returns the unit rows a level compares, float32 (n, d_level); asked once per level, so that
        never two views of many rows are held.
    levels
        Coarse to fine; cut at min_similarity, or by resolution where there is one.
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
    stories
        Merges the rows of the finest level in place of a cut at min_similarity: takes which rows
        are to be merged among each other, returns merges within clusters, and these.
    progress
        Reports every level.

    Returns
    -------
    Hierarchy
        Its levels have, where resolution decided, the min_similarity that gives as many clusters.

    Raises
    ------
    ParameterError
        If `finest` is given from coarse to fine, or a level has a resolution without neighbours.

    Notes
    -----
    Cost: the first level costs as `RAC` does; the others far less.
    """
    for level in levels:
        _check(level)
    settings = {"exact": exact, "n_jobs": n_jobs, "progress": progress}
    if order == "fine-to-coarse":
        return _fine_to_coarse(view, levels, weights, finest, stories, settings)
    if finest is not None:
        raise ParameterError(
            f"nest_levels: order must be fine-to-coarse with a clusterer of the finest level, got "
            f"{order}. Leave one of the two out."
        )
    return _coarse_to_fine(view, levels, weights, stories, settings)


def _check(level: Level) -> None:
    if level.neighbours < 0:
        raise ParameterError(
            f"Level {level.name}: neighbours must be at least 0, got {level.neighbours}. Leave it "
            "out."
        )
    if level.resolution is not None and not (level.neighbours and level.resolution > 0.0):
        raise ParameterError(
            f"Level {level.name}: resolution must be positive and go with neighbours, got "
            f"{level.resolution} with {level.neighbours}. Leave it out, or give 15 neighbours."
        )


def _fine_to_coarse(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
    finest: Finest | None,
    stories: Stories | None,
    settings: Mapping[str, Any],
) -> Hierarchy:
    labels: list[Labels] = []
    linkages: list[Floats] = []
    below: Labels | None = None
    atoms: list[Labels | None] = []
    cut: list[Level] = []
    every_exact = True
    for level in reversed(levels):
        if not labels and finest is not None:
            found = finest(view(level), weights)
            _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
            below = by_weight(first[inverse], weights)
            labels.append(below)
            linkages.append(np.empty((0, 4)))
            atoms.append(below)
            cut.append(level)
            continue
        # What the level below merged: of clusters from elsewhere, rows.
        units = None if finest is not None and len(labels) == 1 else (atoms or [None])[-1]
        if not labels and stories is not None:
            linked = Linked(level, stories(np.arange(len(weights))), weights)
        else:
            linked = link_level(view(level), weights, level, below=below, units=units, **settings)
        atoms.append(below)
        below = linked.merges.labels if below is None else linked.merges.labels[below]
        labels.append(below)
        linkages.append(linked.merges.linkage(linked.weights))
        cut.append(linked.level)
        every_exact &= linked.merges.exact
    rows = np.arange(len(weights), dtype=np.int32)
    return Hierarchy(
        tuple(cut[::-1]),
        tuple(labels[::-1]),
        tuple(linkages[::-1]),
        tuple(rows if own is None else own for own in atoms[::-1]),
        every_exact,
    )


@dataclass(frozen=True, slots=True)
class Linked:
    """A level that was clustered.

    Parameters
    ----------
    level
        With the min_similarity that would give as many clusters, where `resolution` decided.
    merges
        Over the clusters of the level below, those of the level alone.
    weights
        float64: of those clusters.
    """

    level: Level
    merges: Merges
    weights: Floats


def link_level(  # noqa: PLR0913
    rows: Vectors,
    weights: Floats,
    level: Level,
    *,
    below: Labels | None = None,
    units: Labels | None = None,
    exact: bool | None = None,
    n_jobs: int | None = None,
    progress: Progress = SILENT,
) -> Linked:
    """Cluster one level by average linkage over the clusters of the level below.

    Parameters
    ----------
    rows
        float32 (n, d), unit rows as the level compares them.
    weights
        float64 (n,), positive.
    level
        Says how vectors are smoothed, and where the tree is cut.
    below, units
        int32 (n,): the clusters that are merged, and those within them that are smoothed, each
        by the nearest others: what the level below merged. None: the rows themselves.
    exact, n_jobs, progress
        As in `agglomerate`.
    """
    settings: dict[str, Any] = {"exact": exact, "n_jobs": n_jobs, "progress": progress}
    if not level.neighbours:
        lowest = level.min_similarity
        if below is None:
            merges = agglomerate_rows(rows, weights, min_similarity=lowest, **settings)
            return Linked(level, merges, weights)
        # Means are not scaled to length 1: so their product is the mean cosine of members.
        means, total = group_means(rows, below, weights)
        return Linked(level, agglomerate(means, total, min_similarity=lowest, **settings), total)
    lowest = level.min_similarity if level.resolution is None else -1.0
    neighbours = level.neighbours
    return grow_level(rows, weights, neighbours, below, units, lowest, **settings).cut(level)


@dataclass(frozen=True, slots=True)
class Grown:
    """The tree of a level, not yet cut by neighbours.

    Parameters
    ----------
    merges
        Over the clusters of the level below, down to the lowest similarity asked for.
    near
        The neighbours of the units.
    leaf
        int32: the cluster of every unit.
    weights
        float64: of those clusters.
    """

    merges: Merges
    near: Neighbourhood
    leaf: Labels
    weights: Floats

    def cut(self, level: Level) -> Linked:
        """Cut by the level's resolution, if it has one.

        While one cluster holds more than half of everything, the resolution is raised, to 1 at
        most: what neighbours hold together beyond chance is one cluster even then.
        """
        if level.resolution is None:
            return Linked(level, self.merges, self.weights)
        resolution = level.resolution
        kept = self.near.cut(self.merges, self.leaf, resolution)
        while resolution < 1.0 and _largest(kept.labels, self.weights) > 0.5:
            resolution = min(1.0, resolution * _STEP)
            kept = self.near.cut(self.merges, self.leaf, resolution)
        value = _as_many(self.merges.similarity, len(kept.pairs))
        found = replace(level, min_similarity=value, resolution=resolution)
        return Linked(found, kept, self.weights)


def grow_level(
    rows: Vectors,
    weights: Floats,
    neighbours: int,
    below: Labels | None = None,
    units: Labels | None = None,
    lowest: float = -1.0,
    **settings: Any,
) -> Grown:
    """Smooth vectors by neighbours, and build the tree; parameters are those of `link_level`."""
    n_jobs = settings.get("n_jobs")
    leaf, among = below, AMONG_ROWS
    if units is not None:
        rows, weights, leaf = _of_units(rows, weights, units, below)
        among = _AMONG_CLUSTERS
    near = find_neighbours(rows, weights, neighbours, among=among, n_jobs=n_jobs)
    moved = near.smooth(rows, n_jobs=n_jobs)
    if leaf is None:
        merges = agglomerate_rows(moved, weights, min_similarity=lowest, **settings)
        return Grown(merges, near, np.arange(len(rows), dtype=np.int32), weights)
    means, total = group_means(moved, leaf, weights)
    merges = agglomerate(means, total, min_similarity=lowest, **settings)
    return Grown(merges, near, leaf, total)


def _of_units(
    rows: Vectors, weights: Floats, units: Labels, below: Labels | None
) -> tuple[Vectors, Floats, Labels]:
    """Return direction and weight of every unit, and the cluster below that it is in."""
    means, total = group_means(rows, units, weights)
    _, first = np.unique(units, return_index=True)
    return unit_in_place(means), total, (units if below is None else below)[first]


def _largest(labels: Labels, weights: Floats) -> float:
    """Return the share of the heaviest cluster."""
    sizes = np.bincount(labels, weights)
    return float(sizes.max() / sizes.sum())


def _as_many(similarity: Floats, count: int) -> float:
    """Return the similarity of the last of so many merges, best first; 1 of none."""
    return float(np.sort(similarity)[-count]) if count else 1.0


def _coarse_to_fine(
    view: Callable[[Level], Vectors],
    levels: Sequence[Level],
    weights: Floats,
    stories: Stories | None,
    settings: Mapping[str, Any],
) -> Hierarchy:
    n = len(weights)
    rows = np.arange(n, dtype=np.int32)
    labels: list[Labels] = []
    linkages: list[Floats] = []
    cut: list[Level] = []
    above = np.zeros(n, np.int32)
    every_exact = True
    for level in levels:
        if stories is not None and len(labels) == len(levels) - 1:
            parts = [(members, stories(members)) for members in _members(above)]
            whole, found = _join(parts, weights), level
        elif not labels:
            linked = link_level(view(level), weights, level, **settings)
            whole, found = linked.merges, linked.level
        else:
            parts, found = _split_level(view(level), weights, level, above, settings)
            whole = _join(parts, weights)
        every_exact &= whole.exact
        above = whole.labels
        labels.append(above)
        linkages.append(whole.linkage(weights))
        cut.append(found)
    return Hierarchy(tuple(cut), tuple(labels), tuple(linkages), (rows,) * len(levels), every_exact)


def _split_level(
    rows: Vectors, weights: Floats, level: Level, above: Labels, settings: Mapping[str, Any]
) -> tuple[list[tuple[Ints, Merges]], Level]:
    """Cluster the rows of every cluster above, neighbours looked for among all rows."""
    n = len(rows)
    near = None
    if level.neighbours:
        near = find_neighbours(rows, weights, level.neighbours, n_jobs=settings["n_jobs"])
        rows = near.smooth(rows, n_jobs=settings["n_jobs"])
    by_neighbours = near is not None and level.resolution is not None
    lowest = -1.0 if by_neighbours else level.min_similarity
    parts: list[tuple[Ints, Merges]] = []
    similarity, count = [np.empty(0)], 0
    for members in _members(above):
        merges = agglomerate_rows(
            np.ascontiguousarray(rows[members]),
            weights[members],
            min_similarity=lowest,
            **{**settings, "progress": SILENT},
        )
        if near is not None and level.resolution is not None:
            leaf = np.full(n, -1, np.int32)
            leaf[members] = np.arange(len(members), dtype=np.int32)
            similarity.append(merges.similarity)
            merges = near.cut(merges, leaf, level.resolution)
            count += len(merges.pairs)
        parts.append((members, merges))
    if by_neighbours:
        level = replace(level, min_similarity=_as_many(np.concatenate(similarity), count))
    return parts, level


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
