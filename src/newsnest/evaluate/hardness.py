"""How hard in-batch negatives are: those from one cluster, and random ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from newsnest.errors import ParameterError
from newsnest.types import Ints, Labels, Vectors

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 80
"""Of the histograms, over cosines from −1 to 1."""
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class QueryItemVectors:
    """Pairs of a query and its item.

    Parameters
    ----------
    queries, items
        Unit vectors, (n, d) each.
    components
        (n,): pairs of one component have a text in common, and are no negatives of each other.

    Raises
    ------
    ParameterError
        If there are no pairs, or their numbers differ.
    """

    queries: Vectors
    items: Vectors
    components: Ints

    def __post_init__(self) -> None:
        n = len(self.queries)
        if not n or not len(self.items) == len(self.components) == n:
            raise ParameterError(
                "QueryItemVectors: items and components must be as many as queries, at least one, "
                f"got {len(self.items)} and {len(self.components)} for {n}. Give all of every pair."
            )


@dataclass(frozen=True, slots=True)
class Hardness:
    """Cosines of queries with their own item and with negatives.

    Parameters
    ----------
    queries, negatives
        How many queries have a negative, and how many negatives were drawn.
    positive_mean, negative_mean
        Mean cosine of these queries with their item, and with a negative. None where there is no
        negative.
    quantiles
        Of the negatives, by share: half of them are below `quantiles["0.5"]`.
    likely_false_negatives
        Share of the negatives that are at least as similar to the query as its own item is.
    positive_counts, negative_counts
        Histograms of `BINS` bins from −1 to 1.
    """

    queries: int
    negatives: int
    positive_mean: float | None
    negative_mean: float | None
    quantiles: Mapping[str, float]
    likely_false_negatives: float | None
    positive_counts: tuple[int, ...]
    negative_counts: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON, without the histograms."""
        numbers = asdict(self)
        del numbers["positive_counts"], numbers["negative_counts"]
        return numbers


def negative_hardness(
    pairs: QueryItemVectors,
    labels: Labels,
    *,
    negatives: int = 64,
    rows: Ints | None = None,
    seed: int = 0,
) -> Hardness:
    """Measure how similar queries are to items of other pairs of their cluster.

    Parameters
    ----------
    pairs
        See `QueryItemVectors`.
    labels
        (n,): the cluster of every pair; all 0 measures random negatives.
    negatives
        Drawn for each query, with replacement.
    rows
        Pairs whose queries are measured; None: all.
    seed
        Of the draw.

    Raises
    ------
    ParameterError
        If there is not one label a pair, or `negatives` is below 1.

    Notes
    -----
    Deterministic. O(rows · negatives · d). A false negative is only likely: the vectors judge
    themselves.

    Example
    -------
    >>> eye = np.eye(3, dtype=np.float32)
    >>> pairs = QueryItemVectors(eye, eye, np.arange(3))
    >>> found = negative_hardness(pairs, np.zeros(3, np.int32))
    >>> found.positive_mean, found.negative_mean, found.likely_false_negatives
    (1.0, 0.0, 0.0)
    """
    queries, items, components = pairs.queries, pairs.items, pairs.components
    n = len(queries)
    if len(labels) != n:
        raise ParameterError(
            f"negative_hardness: labels must be as many as pairs ({n}), got {len(labels)}. "
            "Give the cluster of every pair."
        )
    if negatives < 1:
        raise ParameterError(
            f"negative_hardness: negatives must be at least 1, got {negatives}. Give 64."
        )
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    begin = np.cumsum(sizes) - sizes
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    rng = np.random.default_rng([29, seed])
    asked = np.arange(n) if rows is None else rows
    positives, negative_parts, wrong = [], [], 0
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        size, first = sizes[labels[block]][:, None], begin[labels[block]][:, None]
        drawn = rng.random((len(block), negatives)) * (size - 1)
        at = first + np.minimum(drawn.astype(np.int64), np.maximum(size - 2, 0))
        at += at >= place[block][:, None]  # not the pair itself
        others = order[np.minimum(at, n - 1)]  # (block, negatives)
        counts = (size > 1) & (components[others] != components[block][:, None])
        cosines = np.einsum("bd,bmd->bm", queries[block], items[others])
        positive = np.einsum("bd,bd->b", queries[block], items[block])
        wrong += int((counts & (cosines >= positive[:, None])).sum())
        positives.append(positive[counts.any(axis=1)])
        negative_parts.append(cosines[counts])
    return _hardness(np.concatenate(positives), np.concatenate(negative_parts), wrong)


def _hardness(positive: Vectors, others: Vectors, wrong: int) -> Hardness:
    some = len(others) > 0
    at = np.quantile(others, QUANTILES) if some else ()
    return Hardness(
        queries=len(positive),
        negatives=len(others),
        positive_mean=float(positive.mean(dtype=np.float64)) if some else None,
        negative_mean=float(others.mean(dtype=np.float64)) if some else None,
        quantiles={str(q): float(x) for q, x in zip(QUANTILES, at, strict=False)},
        likely_false_negatives=wrong / len(others) if some else None,
        positive_counts=_counts(positive),
        negative_counts=_counts(others),
    )


def _counts(cosines: Vectors) -> tuple[int, ...]:
    counts = np.histogram(np.clip(cosines, -1, 1), bins=BINS, range=(-1, 1))[0]
    return tuple(counts.tolist())
