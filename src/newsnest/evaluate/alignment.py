"""How well the spaces of two languages match, from sentences and their translations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsnest.errors import ParameterError
from newsnest.evaluate import bootstrap
from newsnest.evaluate.pairs import prefix_dims, unit_prefix
from newsnest.labelled import ParallelTexts
from newsnest.types import Floats, Vectors

MIN_SENTENCES = 3
"""Fewer have at most one similarity between them, and nothing to correlate."""
_BLOCK = 512  # rows of the similarity matrix held at a time


@dataclass(frozen=True, slots=True)
class AlignmentScores(bootstrap.Scores):
    """How one prefix of one language's vectors lies to that of the pivot's.

    Parameters
    ----------
    language, pivot
        As they were given.
    dims
        How many leading dimensions were compared.
    sentences
        How many were compared.
    relational
        Relational similarity, in [−1, 1]; None where all similarities of a language are equal.
    found
        Share of sentences whose translation is the nearest sentence of the other language, both
        directions averaged.
    """

    language: str
    pivot: str
    dims: int
    sentences: int
    relational: bootstrap.Estimate | None
    found: bootstrap.Estimate | None


def alignment_scores(
    parallel: ParallelTexts,
    vectors: Vectors,
    pivot_vectors: Vectors,
    *,
    dims: Sequence[int] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[AlignmentScores, ...]:
    """Score how alike a language and a pivot lie in the space of an encoder.

    Parameters
    ----------
    parallel
        n sentences in two languages; `read_parallel` reads them.
    vectors, pivot_vectors
        Shape (n, d): those of `parallel.texts` and of `parallel.pivot_texts`. Any length.
    dims
        Prefixes to compare; None means d/4, d/2 and d.
    resamples
        Of the bootstrap over sentences; 0 leaves the intervals out.
    seed
        Of the bootstrap.

    Returns
    -------
    tuple of AlignmentScores
        One a prefix, short to long.

    Raises
    ------
    ParameterError
        If the shapes differ, there are fewer than three sentences, a number is not finite, or a
        prefix is outside of 1 … d.

    Notes
    -----
    Relational similarity: take the n(n − 1)/2 cosines between the sentences of each language;
    it is Pearson's r of the two lists. It asks whether both languages arrange the same sentences
    in the same way, not whether they do so in the same place: turn all vectors of one language
    and it stays what it was, while the languages no longer meet. `found` tells the two apart.
    A resample draws sentences, and leaves out the similarity of a sentence drawn twice to itself.
    O(n² (d + resamples)) time, O(n · 512) memory a prefix. Deterministic.
    Source: arXiv 2506.00277, which reports relational similarity with English; it gives no
    formula for ties or intervals.

    Example
    -------
    >>> parallel = ParallelTexts("fr", "en", ("un", "deux", "trois"), ("one", "two", "three"))
    >>> english = np.array([[3, 0], [2, 1], [0, 1]], np.float32)
    >>> scores = alignment_scores(parallel, english[:, ::-1], english, dims=[2], resamples=0)[0]
    >>> round(scores.relational.value, 3), scores.found.value
    (1.0, 0.0)
    """
    _check(vectors, pivot_vectors, rows=len(parallel.texts))
    n, d = vectors.shape
    weights = bootstrap.resample_weights(np.arange(n), resamples=resamples, seed=seed)
    found = []
    for prefix in prefix_dims(d, dims):
        a, b = unit_prefix(vectors, prefix), unit_prefix(pivot_vectors, prefix)
        found.append(
            AlignmentScores(
                language=parallel.language,
                pivot=parallel.pivot,
                dims=prefix,
                sentences=n,
                relational=bootstrap.estimate(_relational(a, b, weights)),
                found=bootstrap.estimate(weights @ _hits(a, b) / n),
            )
        )
    return tuple(found)


def relational_similarity(left: Vectors, right: Vectors) -> float:
    """Return the relational similarity of two lists of vectors of the same texts.

    The two may come from two languages or from two encoders: the widths may differ.

    Parameters
    ----------
    left, right
        Shape (n, d) and (n, e); row i of both is the same text.

    Returns
    -------
    Pearson's r of the cosines within `left` and those within `right`, over all i < j; NaN where
    one of them does not vary.

    Raises
    ------
    ParameterError
        If the lengths differ, there are fewer than three rows or a number is not finite.

    Example
    -------
    >>> rows = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    >>> round(relational_similarity(rows, rows[:, ::-1]), 3)
    1.0
    """
    _check(left, right, rows=len(left), widths=False)
    a, b = unit_prefix(left, left.shape[1]), unit_prefix(right, right.shape[1])
    return float(_relational(a, b, np.ones((1, len(a))))[0])


def _relational(a: Floats, b: Floats, weights: bootstrap.Weights) -> Floats:
    """Return Pearson's r over i ≠ j under weights w_i · w_j, for every row of weights."""
    sums = np.zeros((6, len(weights)))
    for start in range(0, len(a), _BLOCK):
        rows = slice(start, start + _BLOCK)
        x, y = a[rows] @ a.T, b[rows] @ b.T
        others = np.ones_like(x)
        others[np.arange(len(x)), start + np.arange(len(x))] = 0.0
        for term, cells in enumerate((others, x, y, x * x, y * y, x * y)):
            sums[term] += ((weights[:, rows] @ (cells * others)) * weights).sum(axis=1)
    return bootstrap.correlation(sums)


def _hits(a: Floats, b: Floats) -> Floats:
    """Return for every row how often its counterpart is nearest: 0, ½ or 1; a tie is no hit."""
    hits = np.zeros(len(a))
    for one, other in ((a, b), (b, a)):
        for start in range(0, len(one), _BLOCK):
            cosines = one[start : start + _BLOCK] @ other.T
            row = np.arange(len(cosines))
            own = cosines[row, start + row]
            cosines[row, start + row] = -np.inf
            hits[start : start + _BLOCK] += (own > cosines.max(axis=1)) / 2
    return hits


def _check(left: Vectors, right: Vectors, *, rows: int, widths: bool = True) -> None:
    shapes = (left.shape, right.shape)
    fit = left.ndim == right.ndim == 2 and len(left) == len(right) == rows
    if not fit or (widths and shapes[0] != shapes[1]):
        raise ParameterError(
            "alignment: vectors must be two arrays with one row per sentence and language "
            f"({rows}), got shapes {shapes[0]} and {shapes[1]}. Encode the sentences in order."
        )
    if rows < MIN_SENTENCES:
        raise ParameterError(
            f"alignment: vectors must hold at least {MIN_SENTENCES} sentences, got {rows}. "
            "Leave the language out."
        )
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ParameterError(
            "alignment: vectors must be finite numbers, got NaN or infinity. Check the encoder."
        )
