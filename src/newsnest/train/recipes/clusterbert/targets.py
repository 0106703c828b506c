"""What clusters are learned from: k-means or RAC, how many, whose names, and how sure."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy.cluster.hierarchy import fcluster
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from newsnest.cluster import RAC, lasting_similarity
from newsnest.errors import InputError
from newsnest.evaluate import cluster_samples, silhouette, stability
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.clusterbert import ClusterbertSettings
from newsnest.types import Flags, Ints, Labels, Vectors

_STARTS = 5
_TRIES = 3  # starts where only k is tried: one alone misses clear groups
_GRID = 1.35  # step between the k that are tried
_TRIED = 5_000  # rows on which k is tried
_STORY = 2  # texts of the smallest story that is learned
_SAME = 0.01  # of a silhouette
_TENTH = 0.1  # of the best, by which chance moves the others
_MIN_STORIES = 2  # stories to tell apart


@dataclass(frozen=True, slots=True)
class Teacher:
    """What clusters vectors, and how many clusters it makes."""

    kind: Literal["kmeans", "rac"]
    k: int  # of k-means; clusters at which RAC's tree is cut, those of one text included
    texts: int  # of how many texts that is: of a sample RAC makes as many fewer
    chosen: dict[str, Any]  # how this came about, ready for JSON

    def cluster(self, vectors: Vectors, *, seed: int) -> Labels:
        """Return the clusters of unit vectors (n, d), int32 (n,), numbered from 0."""
        n = len(vectors)
        if self.kind == "kmeans":
            return kmeans(vectors, min(self.k, n), seed=seed)
        return cut_rac(vectors, max(2, round(self.k * n / self.texts)))


def kmeans(vectors: Vectors, k: int, *, seed: int, starts: int = _STARTS) -> Labels:
    """Return k-means of unit vectors, int32 (n,): the best of so many starts."""
    return np.asarray(KMeans(k, n_init=starts, random_state=seed).fit_predict(vectors), np.int32)


def cut_rac(vectors: Vectors, k: int) -> Labels:
    """Return the clusters of RAC's tree, cut where k are left, int32 (n,)."""
    tree = RAC(min_similarity=-1.0).fit(vectors).linkage_
    if len(tree) < len(vectors) - 1:  # above 300,000 rows the tree has no top
        raise InputError(
            f"cut_rac: targets=rac needs at most 300,000 texts, got {len(vectors):,}. "
            "Set targets=kmeans."
        )
    return np.asarray(fcluster(tree, k, criterion="maxclust") - 1, np.int32)


def choose_teacher(
    vectors: Vectors, settings: ClusterbertSettings, *, progress: Progress = SILENT
) -> Teacher:
    """Choose k and what makes the clusters, by the frozen vectors alone.

    k of k-means is the middle of those that are most stable beyond chance, of a geometric row
    between k_min and k_max. Where either may teach, both are tried at the k that suits
    k-means, or is asked for. RAC does if its clusters lie as well apart and are more stable: one
    large cluster with a few outliers may look well apart, and outliers alone are always found
    again. It then is cut where its clusters last longest, unless a k is asked for. Compared at k of
    their own, many small clusters would win on any texts.

    `vectors` (n, d) are of unit length. Raises InputError if there are fewer texts than twice the
    smallest k that is tried.
    """
    s, n = settings, len(vectors)
    half = min(n, _TRIED) // 2
    if s.clusters is None and s.targets != "rac" and s.k_min > half:
        raise InputError(
            f"clusterbert: k_min must be at most half the texts that k is tried on, {half:,}, got "
            f"{s.k_min:,}. Lower it, or give k."
        )
    if s.targets == "rac":
        return _measured(_rac_teacher(vectors, s), vectors, s.seed, progress)
    flat = _measured(_kmeans_teacher(vectors, s), vectors, s.seed, progress)
    if s.targets == "kmeans":
        return flat
    tree = Teacher("rac", flat.k, n, {"targets": "rac", "k": flat.k})
    tree = _measured(tree, vectors, s.seed, progress)
    best = tree if _is_surer(tree.chosen, flat.chosen) else flat
    looked_at = {teacher.kind: teacher.chosen for teacher in (flat, tree)}
    if best is tree and s.clusters is None:
        best = _measured(_rac_teacher(vectors, s), vectors, s.seed, progress)
        if best.chosen["stories"] < _MIN_STORIES:
            progress.note("rac, cut where its clusters last longest, has no two stories to learn")
            best = flat
    progress.note(f"{best.kind} teaches: compared at {flat.k:,} clusters")
    return Teacher(best.kind, best.k, n, {**best.chosen, "looked_at": looked_at})


def _is_surer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether clusters lie as well apart as others, and are more stable."""
    as_apart = one["silhouette"] >= other["silhouette"] - _SAME
    return bool(as_apart and one["stability"] > other["stability"])


def _measured(teacher: Teacher, vectors: Vectors, seed: int, progress: Progress) -> Teacher:
    """Measure what a teacher makes of the frozen vectors, and report it."""
    labels = teacher.cluster(vectors, seed=seed)
    stable = _stability(teacher.cluster, _tried_on(vectors, seed), seed)
    measured = {
        "silhouette": round(_silhouette(vectors, labels, seed), 4),
        "stability": round(stable, 4),
        "skew": round(size_skew(labels), 3),
    }
    progress.note(
        f"{teacher.kind}: {teacher.k:,} clusters, silhouette {measured['silhouette']:.3f}, "
        f"stability {measured['stability']:.2f}, skew of sizes {measured['skew']:.2f}"
    )
    chosen = {"targets": teacher.kind, **teacher.chosen, **measured}
    return Teacher(teacher.kind, teacher.k, teacher.texts, chosen)


def size_skew(labels: Labels) -> float:
    """Return the coefficient of variation of cluster sizes: 0 where all are equally large."""
    sizes = np.unique(labels, return_counts=True)[1]
    return float(sizes.std() / sizes.mean())


def _kmeans_teacher(vectors: Vectors, s: ClusterbertSettings) -> Teacher:
    if s.clusters is not None:
        return Teacher("kmeans", s.clusters, len(vectors), {"k": s.clusters})
    tried = try_k(_tried_on(vectors, s.seed), s.k_min, s.k_max, seed=s.seed)
    k = middle_of_best(tried)
    scores = {str(one): round(value, 4) for one, value in tried.items()}
    return Teacher("kmeans", k, len(vectors), {"k": k, "tried": scores})


def _tried_on(vectors: Vectors, seed: int) -> Vectors:
    """Return the vectors, or a sample of them where they are many."""
    if len(vectors) <= _TRIED:
        return vectors
    kept = np.random.default_rng(seed).choice(len(vectors), _TRIED, replace=False)
    return vectors[np.sort(kept)]


def try_k(vectors: Vectors, minimum: int, maximum: int, *, seed: int) -> dict[int, float]:
    """Return how stable k-means is beyond chance, for k in geometric steps from `minimum` on.

    By k: the stability of clusterings of samples, less that of as many rows without any groups: a
    normal distribution of the same mean and covariance, on the unit sphere. A k of fewer than five
    texts a cluster is not tried, but `minimum` always is.

    Alone, the stability is highest for very few clusters, and the silhouette for those or for pairs
    of twins, in rows without groups as well. Source of the comparison: Dudoit and Fridlyand (2002),
    A prediction-based resampling method for estimating the number of clusters.
    """
    maximum = max(minimum, min(maximum, len(vectors) // 5))
    without = _without_groups(vectors, seed)
    ks = {minimum, maximum}
    at = float(minimum)
    while at < maximum:
        ks.add(round(at))
        at = max(at * _GRID, at + 1)

    def worth(k: int) -> float:
        cluster = partial(kmeans, k=k, starts=_TRIES)
        return _stability(cluster, vectors, seed) - _stability(cluster, without, seed)

    return {k: worth(k) for k in sorted(ks)}


def middle_of_best(tried: Mapping[int, float]) -> int:
    """Return the geometric mean of the k around the best that are within a tenth of its value.

    Where many k are about as good, chance decides which is the best of them.

    Example
    -------
    >>> middle_of_best({2: 0.1, 4: 0.5, 8: 0.52, 16: 0.48, 32: 0.2, 64: 0.49})
    8
    """
    ks = sorted(tried)
    best = max(ks, key=lambda k: tried[k])
    good = [tried[k] >= (1 - _TENTH) * tried[best] for k in ks]
    low = high = ks.index(best)
    while low > 0 and good[low - 1]:
        low -= 1
    while high + 1 < len(ks) and good[high + 1]:
        high += 1
    return round(float(np.exp(np.mean(np.log(ks[low : high + 1])))))


def _stability(cluster: Callable[..., Labels], vectors: Vectors, seed: int) -> float:
    """Return how alike clusterings of samples are, each from a seed of its own."""
    seeds = itertools.count(seed)
    labellings = cluster_samples(
        lambda rows: cluster(vectors[rows], seed=next(seeds)), len(vectors), seed=seed
    )
    return stability(labellings)


def _without_groups(vectors: Vectors, seed: int) -> Vectors:
    """Return as many normal unit vectors of the same mean and covariance."""
    heights, axes = np.linalg.eigh(np.cov(vectors, rowvar=False))
    drawn = np.random.default_rng([13, seed]).standard_normal(vectors.shape)
    # Rounding makes eigenvalues of 0 slightly negative.
    rows = drawn * np.sqrt(np.maximum(heights, 0.0)) @ axes.T + vectors.mean(axis=0)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _rac_teacher(vectors: Vectors, s: ClusterbertSettings) -> Teacher:
    if s.clusters is not None:
        return Teacher("rac", s.clusters, len(vectors), {"k": s.clusters})
    cut = lasting_similarity(vectors, seed=s.seed)
    labels = RAC(min_similarity=cut).fit(vectors).labels_
    k = int(labels.max()) + 1
    stories = int((np.bincount(labels) >= _STORY).sum())
    chosen = {"k": k, "min_similarity": round(cut, 4), "stories": stories}
    return Teacher("rac", k, len(vectors), chosen)


def _silhouette(vectors: Vectors, labels: Labels, seed: int) -> float:
    if len(np.unique(labels)) < 2:
        return -1.0
    return float(silhouette(vectors, labels, resamples=0, seed=seed).value)


def align_labels(before: Labels, after: Labels) -> Labels:
    """Rename clusters after those before them that hold most of the same texts, one to one.

    From int32 (n,) each, −1 for texts of no cluster, labels like `after`: the names of `before`
    where the Hungarian matching of the two by shared texts gives one that shares any, new names
    from there on.

    Example
    -------
    >>> align_labels(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 2])).tolist()
    [0, 0, 1, 2]
    """
    old, new = int(before.max(initial=-1)) + 1, int(after.max(initial=-1)) + 1
    shared = np.zeros((new, old), np.int64)
    both = (before >= 0) & (after >= 0)
    np.add.at(shared, (after[both], before[both]), 1)
    names = np.full(new, -1, np.int32)
    for one, other in zip(*linear_sum_assignment(-shared), strict=True):
        if shared[one, other]:
            names[one] = other
    free = names < 0
    names[free] = old + np.arange(int(free.sum()))
    return np.where(after >= 0, names[after], -1).astype(np.int32)


def sharpen(shares: Vectors, *, rows: Ints | None = None) -> Vectors:
    """Return sharpened targets: q_ij ∝ p_ij² / f_j with f_j = Σ_i p_ij, rows sum to 1.

    `shares`, float32 (n, k), are the head's prediction for the clean texts; f_j sums over `rows`,
    or all. Source: ClusterBERT, equation 5.
    """
    # In float64: the square of a small share underflows in float32.
    p = shares.astype(np.float64)
    f = (p if rows is None else p[rows]).sum(axis=0)
    q = p**2 / np.maximum(f, 1e-12)
    return np.asarray(q / q.sum(axis=1, keepdims=True), np.float32)


def core_members(vectors: Vectors, labels: Labels) -> Flags:
    """Tell which rows lie well within their cluster: nearer to it than to any other.

    Near is the mean cosine of unit vectors (n, d) to a cluster's rows, a row itself left out; a row
    alone in its cluster is no core of anything. O(n · k · d).
    """
    k = int(labels.max()) + 1
    sums = np.zeros((k, vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    sizes = np.bincount(labels, minlength=k)
    rows = np.arange(len(labels))
    core = np.zeros(len(labels), bool)
    for block in np.array_split(rows, max(1, len(rows) // 1024)):
        own = labels[block]
        products = vectors[block] @ sums.T  # (block, k)
        # Less 1, the product of a unit row with itself.
        inside = (products[np.arange(len(block)), own] - 1) / np.maximum(sizes[own] - 1, 1)
        away = products / np.maximum(sizes, 1)
        away[:, sizes < _STORY] = -np.inf
        away[np.arange(len(block)), own] = -np.inf
        core[block] = (sizes[own] >= _STORY) & (inside > away.max(axis=1))
    return core
