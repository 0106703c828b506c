"""The similarity above which two texts belong together, judged by pairs.

precise_cut    keeps a precision
agreeing_cut   has the best F1
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Estimate, estimate, resample_weights

Floats = NDArray[np.float64]

_CLOSE = 1e-9
_FEWEST = 10  # pairs of a kind


@dataclass(frozen=True, slots=True)
class PreciseCut:
    """A similarity above which judged pairs are alike, and how often that is so.

    Parameters
    ----------
    min_similarity
        With the interval that holds 95 % of what resampled pairs would give; without one where
        more than 5 % of the resamples never reach the precision.
    precision, recall
        At that value: of the pairs above it, the share that is alike; of the alike, the share
        above it.
    pairs, alike, above
        How many were judged, are alike, and lie above the value.
    components
        How many of the pairs are independent of each other.
    """

    min_similarity: Estimate
    precision: Estimate
    recall: float
    pairs: int
    alike: int
    above: int
    components: int


def alike_needed(precision: float) -> int:
    """Return how many alike pairs a precision needs: 20 for .9, 40 for .95.

    Half as many lie above the value at least, so that a single pair that is not alike does not
    take the precision below what was asked for.
    """
    # Rounded first: 2 / (1 − .9) is a hair above 20 in floating point, and would be 21.
    return math.ceil(round(2 / (1 - precision), 6))


def precise_cut(
    similarities: NDArray[np.floating],
    alike: NDArray[np.bool_],
    components: NDArray[np.int64],
    *,
    precision: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> PreciseCut:
    """Return the lowest similarity above which a share of the judged pairs is alike.

    Parameters
    ----------
    similarities
        (n,) of the pairs: cosines, or from which min_similarity down a tree joins them; see
        `newsnest.evaluate.cuts.join_similarities`.
    alike
        (n,) whether people judged that they belong together.
    components
        (n,) pairs of one component are not independent and are drawn together; see
        `newsnest.labelled.article_components`.
    precision
        The share to be reached, in (0, 1).
    resamples
        Of the bootstrap; 0 leaves the intervals out.
    seed
        Of the bootstrap.

    Raises
    ------
    ParameterError
        If precision is outside of (0, 1), too few pairs are alike, all of them together are
        precise enough already, or the precision is reached nowhere. The message gives how many
        pairs would do, or which precision.

    Notes
    -----
    The result lies half-way to the next lower pair, and has at least `alike_needed` / 2 pairs above
    it. It is a precision among pairs like those judged: where people judged only pairs that are
    hard to tell apart, it is higher in the corpus.
    O(resamples · n log n). Deterministic.

    Example
    -------
    >>> cosines = np.linspace(0, 1, 101)
    >>> found = precise_cut(cosines, cosines > 0.595, np.arange(101), precision=0.8)
    >>> round(found.min_similarity.value, 3), found.above
    (0.495, 51)
    """
    if not 0.0 < precision < 1.0:
        raise ParameterError(
            f"precise_cut: precision must be in (0, 1), got {precision}. Give 0.9 for nine in ten."
        )
    _check_counts(len(alike), int(np.count_nonzero(alike)), precision)
    judged = _Judged(similarities, alike, components)
    weights = resample_weights(components, resamples=resamples, seed=seed)
    found = np.array([judged.lowest(own, precision) for own in weights])
    if found[0] < 0:
        raise judged.unreached(precision)
    return judged.cut(found, weights)


def agreeing_cut(
    similarities: NDArray[np.floating],
    alike: NDArray[np.bool_],
    components: NDArray[np.int64],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> PreciseCut:
    """Return the similarity above which judged pairs are alike with the best F1.

    Parameters
    ----------
    similarities, alike, components, resamples, seed
        As in `precise_cut`.

    Raises
    ------
    ParameterError
        If fewer than ten pairs are alike, or fewer than ten are not, or the best guess is that all
        are alike.

    Notes
    -----
    F1 is that of "above the value" as a guess of "alike", over the pairs as they were judged.
    O(resamples · n log n). Deterministic.

    Example
    -------
    >>> cosines = np.linspace(0, 1, 101)
    >>> found = agreeing_cut(cosines, cosines > 0.595, np.arange(101))
    >>> round(found.min_similarity.value, 3), found.precision.value
    (0.595, 1.0)
    """
    n, yes = len(alike), int(np.count_nonzero(alike))
    if min(yes, n - yes) < _FEWEST:
        fewer = min(yes, n - yes)
        more = f"About {_round_up(n * _FEWEST / fewer):,} pairs like these would do" if fewer else (
            "Judge pairs of both kinds"
        )  # fmt: skip
        raise ParameterError(
            f"agreeing_cut: the pairs must hold at least {_FEWEST} that are alike and {_FEWEST} "
            f"that are not, got {yes:,} and {n - yes:,}. {more}."
        )
    judged = _Judged(similarities, alike, components)
    weights = resample_weights(components, resamples=resamples, seed=seed)
    found = np.empty(len(weights), np.int64)
    for row, own in enumerate(weights):
        above, right = judged.tails(own)
        with np.errstate(invalid="ignore"):
            found[row] = np.argmax(np.nan_to_num(2 * right / (above + right[0])))
    if np.count_nonzero(judged.place < found[0]) < _FEWEST:
        raise ParameterError(
            f"agreeing_cut: the pairs must hold more that are not alike, got {n - yes:,} of "
            f"{n:,}: to put all together is the best guess of them. Judge pairs that are further "
            "from each other."
        )
    return judged.cut(found, weights)


class _Judged:
    """Judged pairs by their place among the different similarities, the lowest first."""

    def __init__(
        self,
        similarities: NDArray[np.floating],
        alike: NDArray[np.bool_],
        components: NDArray[np.int64],
    ) -> None:
        self.values, self.place = np.unique(similarities.astype(np.float64), return_inverse=True)
        self.alike, self.components = alike, components

    def tails(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return, for every place, how many pairs lie there or above, and how many are alike."""
        counts = (np.bincount(self.place, w) for w in (weight, weight * self.alike))
        tail, yes = (np.cumsum(count[::-1])[::-1].astype(np.float64) for count in counts)
        return tail, yes

    def shares(self, weight: Floats, precision: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return `tails`' first, the share of alike pairs, and whether enough pairs are above."""
        tail, yes = self.tails(weight)
        # A resample may have no pair from some place on: 0 / 0 there.
        with np.errstate(invalid="ignore"):
            return tail, np.nan_to_num(yes / tail), tail >= alike_needed(precision) / 2

    def lowest(self, weight: Floats, precision: float) -> int:
        """Return the lowest place from which on pairs are precise enough, −1 if there is none."""
        _, share, many = self.shares(weight, precision)
        # Weights make a share of exactly the precision fall short by rounding.
        enough = (share >= precision - _CLOSE) & many
        return int(np.argmax(enough)) if enough.any() else -1

    def cut(self, found: NDArray[np.int64], weights: Floats) -> PreciseCut:
        """Return the cut at the first place found (−1: none), with intervals of the resamples."""
        borders = np.concatenate([self.values[:1], (self.values[:-1] + self.values[1:]) / 2])
        cuts = np.where(found < 0, np.nan, borders[found])
        above = self.place >= found[0]
        kept = weights[:, above]
        total = kept.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            reached = np.where(total > 0, kept @ self.alike[above] / total, np.nan)
        similarity, share = estimate(cuts), estimate(reached)
        assert similarity is not None and share is not None  # both are defined on the data as is
        alike = int(np.count_nonzero(self.alike))
        return PreciseCut(
            min_similarity=similarity,
            precision=share,
            recall=int(np.count_nonzero(self.alike & above)) / alike,
            pairs=len(self.alike),
            alike=alike,
            above=int(np.count_nonzero(above)),
            components=int(np.unique(self.components).size),
        )

    def unreached(self, precision: float) -> ParameterError:
        """Return the error of a precision that no pairs reach."""
        tail, share, many = self.shares(np.ones(len(self.alike)), precision)
        at = int(np.argmax(np.where(many, share, -1.0)))
        return ParameterError(
            f"precise_cut: precision must be reached by some pairs, got {share[at]:.2f} at best, "
            f"among the {int(tail[at]):,} pairs of a similarity of {self.values[at]:.2f} or more; "
            f"{precision:g} was asked for. Ask for less, or judge more pairs that are close to "
            "each other."
        )


def _check_counts(n: int, yes: int, precision: float) -> None:
    needed = alike_needed(precision)
    if yes < needed:
        more = f"About {_round_up(n * needed / yes):,} pairs like these would do" if yes else (
            "Judge pairs that are closer to each other"
        )  # fmt: skip
        raise ParameterError(
            f"precise_cut: the pairs must hold at least {needed} alike ones for a precision of "
            f"{precision:g}, got {yes} of {n:,}. {more}."
        )
    if yes >= precision * n:
        raise ParameterError(
            f"precise_cut: the pairs must hold more that are not alike, got {n - yes:,} of "
            f"{n:,}: together they are as precise as {precision:g} already. Judge pairs that are "
            "further from each other."
        )


def _round_up(count: float) -> int:
    return math.ceil(count / 10) * 10
