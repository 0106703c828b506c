"""How well similarities of vectors agree with graded pairs, by prefix, level and language pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from newsnest.errors import ParameterError
from newsnest.evaluate import bootstrap
from newsnest.labelled import Pair, article_components
from newsnest.types import Floats, Ints, Vectors

LEVEL_SIMILARITIES: Mapping[str, float] = MappingProxyType(
    {"theme": 1 / 6, "topic": 1 / 2, "story": 5 / 6}
)
"""From which graded similarity on two texts belong to one theme, topic, story: half-way between
the four grades very dissimilar 0, somewhat dissimilar 1/3, somewhat similar 2/3, very similar 1."""

ALL = "all"
_CHUNK = 2_000_000  # cells of weights in memory at a time


@dataclass(frozen=True, slots=True)
class PairScores(bootstrap.Scores):
    """Agreement of one prefix of the vectors with the graded pairs of one pair of languages.

    Parameters
    ----------
    languages
        "all", or both languages in the order of the alphabet: "en-es".
    dims
        How many leading dimensions were compared.
    pairs
        How many pairs were scored.
    components
        How many of them are independent: the connected components that share no article.
    largest_component
        Pairs of the largest component. Intervals mean little where it holds most of the pairs.
    pearson, spearman
        Of cosine and graded similarity; None where one of them does not vary.
    auroc
        By level: how often a pair of one theme (topic, story) is more similar than a pair that
        is not; None where all pairs are of one kind.
    """

    languages: str
    dims: int
    pairs: int
    components: int
    largest_component: int
    pearson: bootstrap.Estimate | None
    spearman: bootstrap.Estimate | None
    auroc: Mapping[str, bootstrap.Estimate | None]


def pair_scores(
    pairs: Sequence[Pair],
    left: Vectors,
    right: Vectors,
    *,
    dims: Sequence[int] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[PairScores, ...]:
    """Score the similarities of vectors against graded pairs.

    Parameters
    ----------
    pairs
        n of them; `read_pairs` reads them.
    left, right
        Shape (n, d): the vectors of each `text1` and of each `text2`. Any length.
    dims
        Prefixes to compare; None means d/4, d/2 and d.
    resamples
        Of the bootstrap; 0 leaves the intervals out.
    seed
        Of the bootstrap: the same seed gives the same intervals.

    Returns
    -------
    tuple of PairScores
        All pairs first, at every prefix, short to long; then every pair of languages the same
        way, the one with most pairs first.

    Raises
    ------
    ParameterError
        If there are no pairs, the vectors do not fit, or a prefix is outside of 1 … d.

    Notes
    -----
    A prefix is cut off, then brought to length 1; one of length 0 is similar to nothing (0).
    "all" pools the pairs of all languages: where an encoder finds other languages closer than
    English it is lower than every single language. Resampled are the connected components of
    pairs that share articles, for pairs with a common article are not independent; the components
    are those of all pairs, also within one pair of languages.
    O(resamples · n log n) a prefix. Deterministic.
    Source: SemEval-2022 Task 8 for Pearson; AUROC by level as in arXiv 2506.00277. Differs from
    the latter in that AUROC is given at every prefix for every level, not at the level's own alone.

    Example
    -------
    >>> pairs = [Pair("a", "b", 1.0), Pair("c", "d", 0.0), Pair("e", "f", 0.5)]
    >>> left = np.ones((3, 2), np.float32)
    >>> right = np.array([[1, 1], [1, -1], [1, 0]], np.float32)
    >>> round(pair_scores(pairs, left, right, dims=[2], resamples=0)[0].spearman.value, 3)
    1.0
    """
    _check(pairs, left, right)
    graded = np.array([pair.score for pair in pairs])
    components = article_components(pairs)
    groups = _language_rows(pairs)
    weights = {
        name: bootstrap.resample_weights(components[rows], resamples=resamples, seed=seed)
        for name, rows in groups.items()
    }
    prefixes = prefix_dims(left.shape[1], dims)
    cosines = [paired_cosines(left, right, prefix) for prefix in prefixes]
    found = []
    for name, rows in groups.items():
        sizes = np.unique(components[rows], return_counts=True)[1]
        for prefix, cosine in zip(prefixes, cosines, strict=True):
            x, y = cosine[rows], graded[rows]
            spearman, auroc = weighted_ranking(x, y, weights[name])
            found.append(
                PairScores(
                    languages=name,
                    dims=prefix,
                    pairs=rows.size,
                    components=sizes.size,
                    largest_component=int(sizes.max()),
                    pearson=bootstrap.estimate(weighted_pearson(x, y, weights[name])),
                    spearman=bootstrap.estimate(spearman),
                    auroc={level: bootstrap.estimate(values) for level, values in auroc.items()},
                )
            )
    return tuple(found)


def prefix_dims(d: int, dims: Sequence[int] | None = None) -> tuple[int, ...]:
    """Return the prefixes to look at, short to long: d/4, d/2 and d unless others are asked for.

    Raises
    ------
    ParameterError
        If one is outside of 1 … d, or none is left.

    Example
    -------
    >>> prefix_dims(384), prefix_dims(384, [384, 64])
    ((96, 192, 384), (64, 384))
    """
    wanted = tuple(sorted({max(1, d // 4), max(1, d // 2), d} if dims is None else set(dims)))
    if not wanted or wanted[0] < 1 or wanted[-1] > d:
        raise ParameterError(
            f"prefix_dims: dims must be prefixes between 1 and the {d} dimensions of the vectors, "
            f"got {list(dims or ())}. Leave them out for a quarter, half and all."
        )
    return wanted


def paired_cosines(left: Vectors, right: Vectors, dims: int) -> Floats:
    """Return the cosine of each row of `left` with the same row of `right`, on leading dimensions.

    Parameters
    ----------
    left, right
        Shape (n, d).
    dims
        How many leading dimensions are compared.

    Returns
    -------
    float64 (n,); 0 where a row has no length.

    Example
    -------
    >>> paired_cosines(np.array([[3, 4.0]], np.float32), np.array([[1, 0.0]], np.float32), 2)
    array([0.6])
    """
    a, b = unit_prefix(left, dims), unit_prefix(right, dims)
    products: Floats = np.einsum("nd,nd->n", a, b)
    return products


def unit_prefix(vectors: Vectors, dims: int) -> Floats:
    """Return the leading dimensions of every row, at length 1; a row without length stays 0."""
    prefix = vectors[:, :dims].astype(np.float64)
    length = np.linalg.norm(prefix, axis=1, keepdims=True)
    return prefix / np.where(length == 0.0, 1.0, length)


def weighted_pearson(x: Floats, y: Floats, weights: bootstrap.Weights) -> Floats:
    """Return Pearson's r of x and y (n,) under every row of weights (m, n); NaN if undefined."""
    x, y = x - x.mean(), y - y.mean()  # a shift changes nothing but the rounding
    sums = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    return bootstrap.correlation(sums @ weights.T)


def weighted_ranking(
    x: Floats, y: Floats, weights: bootstrap.Weights
) -> tuple[Floats, dict[str, Floats]]:
    """Return Spearman's rho and by level the AUROC of x and y (n,) under weights (m, n); (m,) each.

    Rho is Pearson's r of the ranks within the resample, NaN if undefined. The AUROC is how often a
    pair of the level has a higher x than another, ties as half; NaN where there is one kind alone.
    """
    spearman = np.empty(len(weights))
    auroc = {level: np.empty(len(weights)) for level in LEVEL_SIMILARITIES}
    step = max(1, _CHUNK // x.size)
    for start in range(0, len(weights), step):
        chunk = weights[start : start + step]
        rows = slice(start, start + step)
        total = chunk.sum(axis=1)
        a, b = _midranks(x, chunk), _midranks(y, chunk)
        for level, lowest in LEVEL_SIMILARITIES.items():
            yes = y >= lowest
            positive = chunk[:, yes].sum(axis=1)
            # Mann and Whitney: of the ranks of the positives, what they owe to each other is known.
            wins = (chunk[:, yes] * a[:, yes]).sum(axis=1) - positive**2 / 2
            possible = positive * (total - positive)
            with np.errstate(invalid="ignore", divide="ignore"):
                auroc[level][rows] = np.where(possible > 0, wins / possible, np.nan)
        a -= total[:, None] / 2
        b -= total[:, None] / 2
        wa, wb = chunk * a, chunk * b
        sums = [total, wa.sum(1), wb.sum(1)]
        sums += [np.einsum("mn,mn->m", p, q) for p, q in ((wa, a), (wb, b), (wa, b))]
        spearman[rows] = bootstrap.correlation(np.stack(sums))
    return spearman, auroc


def _midranks(values: Floats, weights: bootstrap.Weights) -> Floats:
    """Return for every value the weight of lower ones and half of that of equal ones; (m, n)."""
    code = np.unique(values, return_inverse=True)[1]
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    tied = np.add.reduceat(weights[:, order], starts, axis=1)  # (m, distinct values)
    middle: Floats = (np.cumsum(tied, axis=1) - tied / 2)[:, code]
    return middle


def _language_rows(pairs: Sequence[Pair]) -> dict[str, Ints]:
    """Return the rows of all pairs, then of each pair of languages, the largest first."""
    names = np.array([pair.languages for pair in pairs])
    known, counts = np.unique(names[names != ""], return_counts=True)
    groups = {ALL: np.arange(len(pairs))}
    for place in np.argsort(-counts, kind="stable"):
        groups[str(known[place])] = np.flatnonzero(names == known[place])
    return groups


def _check(pairs: Sequence[Pair], left: Vectors, right: Vectors) -> None:
    if not pairs:
        raise ParameterError(
            "pair_scores: pairs must hold at least one pair, got none. "
            "See how many rows were left out because a text or a score is missing."
        )
    for name, vectors in (("left", left), ("right", right)):
        if vectors.ndim != 2 or len(vectors) != len(pairs) or vectors.shape != left.shape:
            raise ParameterError(
                f"pair_scores: {name} must hold one vector per pair ({len(pairs)}) and be as wide "
                f"as the other side, got shape {vectors.shape}. Encode the texts in order."
            )
        if not np.isfinite(vectors).all():
            raise ParameterError(
                f"pair_scores: {name} must hold finite numbers, got NaN or infinity. "
                "Check the encoder."
            )
