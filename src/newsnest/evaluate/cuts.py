"""Where to cut a tree by gold labels: the cut with the best B-cubed F1, and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Estimate, estimate, resample_weights
from newsnest.evaluate.gold_scores import GoldScores

CUTS: tuple[float, ...] = tuple(round(cut / 200, 3) for cut in range(190, -41, -1))
"""Every min_similarity that is tried, from .95 down to −.2 in steps of .005."""

_EQUAL = 1e-12


@dataclass(frozen=True, slots=True)
class CutScores:
    """B-cubed precision and recall of every cut of one tree, by gold cluster.

    Parameters
    ----------
    precision, recall
        float64 (cuts, k): summed over the articles of each of the k gold clusters.
    sizes
        float64 (k,): articles of each gold cluster.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    sizes: NDArray[np.float64]

    def f1(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the B-cubed F1 of every cut, float64 (m, cuts).

        Parameters
        ----------
        weights
            float64 (m, k): how often each gold cluster counts; None means once.
        """
        weights = np.ones((1, self.sizes.size)) if weights is None else weights
        articles = (weights @ self.sizes)[:, None]
        precision = weights @ self.precision.T / articles
        recall = weights @ self.recall.T / articles
        f1: NDArray[np.float64] = 2 * precision * recall / (precision + recall)
        return f1


@dataclass(frozen=True, slots=True)
class BestCut:
    """The min_similarity that agrees best with gold labels.

    Parameters
    ----------
    min_similarity
        With the interval that holds 95 % of those that resampled gold clusters would choose.
    f1
        B-cubed F1 at that value; its interval is over the same resamples.
    articles, gold_clusters
        How many were scored.
    """

    min_similarity: Estimate
    f1: Estimate
    articles: int
    gold_clusters: int


def cut_scores(
    pairs: NDArray[np.integer],
    similarity: NDArray[np.floating],
    atoms: NDArray[np.integer],
    gold: NDArray[np.integer],
    *,
    cuts: Sequence[float] = CUTS,
) -> CutScores:
    """Score every cut of a tree against gold labels, from one pass over its merges.

    Parameters
    ----------
    pairs
        (m, 2): the two clusters of each merge, each named by its lowest atom, in a valid order.
    similarity
        (m,): of each merge, never rising.
    atoms
        (n,): the atom each article belongs to.
    gold
        (n,): 0 … k − 1, each at least once; −1 for articles without a label, which are clustered
        and not scored.
    cuts
        Values of min_similarity, from high to low.

    Raises
    ------
    ParameterError
        If fewer than two gold labels are given, or no two articles share one.

    Notes
    -----
    O(merges + cuts · n log n).

    Example
    -------
    >>> merges = np.array([[0, 1], [2, 3], [0, 2]]), np.array([0.9, 0.8, 0.1])
    >>> scores = cut_scores(*merges, np.arange(4), np.array([0, 0, 1, 1]), cuts=[0.85, 0.5, 0.0])
    >>> scores.f1().round(3).tolist()
    [[0.857, 1.0, 0.667]]
    """
    rows = np.flatnonzero(gold >= 0)
    codes = gold[rows].astype(np.int64)
    sizes = np.bincount(codes).astype(np.float64)
    if sizes.size < 2 or sizes.max() < 2:
        raise ParameterError(
            "cut_scores: gold must hold two labels or more, one of them on two articles or more, "
            f"got {sizes.size:,} on {rows.size:,} articles. Label more articles."
        )
    parent = np.arange(int(atoms.max()) + 1)
    precision = np.empty((len(cuts), sizes.size))
    recall = np.empty_like(precision)
    done = 0
    for at, lowest in enumerate(cuts):
        while done < len(pairs) and similarity[done] >= lowest:
            parent[pairs[done, 1]] = pairs[done, 0]
            done += 1
        while (parent != (above := parent[parent])).any():
            parent = above
        own = GoldScores.of(parent[atoms[rows]], codes, sizes.size)
        precision[at], recall[at] = own.precision, own.recall
    return CutScores(precision, recall, sizes)


def join_similarities(
    pairs: NDArray[np.integer],
    similarity: NDArray[np.floating],
    left: NDArray[np.integer],
    right: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Return from which min_similarity down a tree has two atoms in one cluster, float64 (n,).

    Parameters
    ----------
    pairs, similarity
        The merges, as in `cut_scores`.
    left, right
        (n,) atoms; an atom and itself join at 1.

    Returns
    -------
    −1 for atoms that the tree never joins.

    Notes
    -----
    Also called cophenetic similarity. O(merges + n · depth).

    Example
    -------
    >>> merges = np.array([[0, 1], [2, 3], [0, 2]]), np.array([0.9, 0.8, 0.1])
    >>> join_similarities(*merges, np.array([0, 1, 2]), np.array([1, 3, 2])).tolist()
    [0.9, 0.1, 1.0]
    """
    into = {int(child): (step, int(above)) for step, (above, child) in enumerate(pairs.tolist())}
    never = (len(pairs), -1)
    found = np.ones(len(left))
    for row, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        while a != b:
            (one, above_a), (other, above_b) = into.get(a, never), into.get(b, never)
            step = min(one, other)
            if step == len(pairs):
                found[row] = -1.0
                break
            # Whoever is absorbed first goes up; where they meet is the merge that joined them.
            a, b = (above_a, b) if one < other else (a, above_b)
            found[row] = similarity[step]
    return found


def best_cut(
    scores: Sequence[CutScores],
    *,
    cuts: Sequence[float] = CUTS,
    resamples: int = 1000,
    seed: int = 0,
) -> BestCut:
    """Return the min_similarity with the highest B-cubed F1, the mean over one or more corpora.

    Parameters
    ----------
    scores
        One a corpus, over the same cuts; every corpus counts once, whatever its size.
    cuts
        The cuts that were scored.
    resamples
        Of the bootstrap over gold clusters; 0 leaves the intervals out.
    seed
        Of the bootstrap.

    Notes
    -----
    Gold clusters are drawn, not articles: those of one cluster stand or fall together. The tree
    stays as it is, so that an interval shows how much the choice depends on which clusters were
    labelled, not on which articles were there. Of equal neighbours the middle one is taken.
    O(resamples · cuts · gold clusters). Deterministic.

    Example
    -------
    >>> merges = np.array([[0, 1], [2, 3], [0, 2]]), np.array([0.9, 0.8, 0.1])
    >>> found = best_cut([cut_scores(*merges, np.arange(4), np.array([0, 0, 1, 1]))])
    >>> found.min_similarity.value, found.f1.value
    (0.455, 1.0)
    """
    curves = []
    for number, own in enumerate(scores):
        components = np.arange(own.sizes.size)
        curves.append(own.f1(resample_weights(components, resamples=resamples, seed=seed + number)))
    total: NDArray[np.float64] = np.mean(curves, axis=0)
    chosen = [_middle(f1) for f1 in list(total)]
    similarity = estimate(np.asarray(cuts)[chosen])
    reached = estimate(total[:, chosen[0]])
    assert similarity is not None and reached is not None  # a score is a number
    return BestCut(
        min_similarity=similarity,
        f1=reached,
        articles=int(sum(own.sizes.sum() for own in scores)),
        gold_clusters=sum(own.sizes.size for own in scores),
    )


def _middle(f1: NDArray[np.float64]) -> int:
    """Return the place of the highest value, the middle one of equal neighbours."""
    first = int(f1.argmax())
    lower = np.flatnonzero(f1[first:] < f1[first] - _EQUAL)
    last = first + int(lower[0]) - 1 if lower.size else f1.size - 1
    return (first + last) // 2
