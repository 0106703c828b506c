"""Scores and their intervals: how much a score depends on which texts happened to be judged."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from newsnest.errors import ParameterError
from newsnest.types import Floats, Ints

Weights = Floats
"""float64 (resamples + 1, n): how often each row is drawn; the first row is 1 throughout."""

CONFIDENCE = 0.95
_MIN_DEFINED = 0.95
_ROUNDING = 1e-12


class Scores:
    """Base of the dataclasses of scores."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the scores by name, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]  # every subclass is one


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score and the interval that holds 95 % of its resamples.

    Parameters
    ----------
    value
        On the data as they are.
    low, high
        None where there is no interval: no resamples were asked for, there is one component only,
        or the score is undefined in more than 5 % of the resamples.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """Return it for people: three decimals, and the interval where there is one."""
        if self.low is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def resample_weights(components: Ints, *, resamples: int, seed: int) -> Weights:
    """Draw whole components with replacement; return how often each row was drawn.

    Parameters
    ----------
    components
        (n,) the component of each row: rows of one component are not independent of each other
        and are drawn together.
    resamples
        How many; 0 gives the data as they are alone.
    seed
        Of the draw.

    Returns
    -------
    float64 (resamples + 1, n), the data as they are first. With a single component there is
    nothing to resample, and that first row is all.

    Raises
    ------
    ParameterError
        If `resamples` is negative.

    Example
    -------
    >>> weights = resample_weights(np.array([0, 0, 1]), resamples=100, seed=0)
    >>> weights.shape, weights[0].tolist(), bool((weights[:, 0] == weights[:, 1]).all())
    ((101, 3), [1.0, 1.0, 1.0], True)
    """
    _check_resamples("resample_weights", resamples)
    codes = np.unique(components, return_inverse=True)[1]
    k = int(codes.max(initial=-1)) + 1
    if k < 2:
        return np.ones((1, codes.size))
    drawn = np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=resamples)
    return np.concatenate([np.ones((1, codes.size)), drawn[:, codes].astype(np.float64)])


def estimate(values: Floats) -> Estimate | None:
    """Turn a score on every row of weights into the score and its interval.

    Parameters
    ----------
    values
        (resamples + 1,), the data as they are first; NaN where the score is undefined.

    Returns
    -------
    Estimate, or None if the score is undefined on the data as they are.

    Example
    -------
    >>> estimate(np.array([0.5, 0.4, 0.6])).value, estimate(np.array([np.nan]))
    (0.5, None)
    """
    value, drawn = float(values[0]), values[1:]
    if np.isnan(value):
        return None
    defined = drawn[~np.isnan(drawn)]
    if not drawn.size or defined.size < _MIN_DEFINED * drawn.size:
        return Estimate(value)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return Estimate(value, float(low), float(high))


def mean_estimate(values: Floats, *, resamples: int, seed: int) -> Estimate:
    """Return a mean of independent rows, and the interval of the means of resamples.

    The rows are drawn one by one: a resample needs no more memory than the values.

    Parameters
    ----------
    values
        (n,), at least one.
    resamples
        How many; 0 gives no interval.
    seed
        Of the draw.

    Raises
    ------
    ParameterError
        If `resamples` is negative.

    Example
    -------
    >>> found = mean_estimate(np.array([0.0, 1.0]), resamples=100, seed=0)
    >>> found.value, found.low, found.high
    (0.5, 0.0, 1.0)
    """
    _check_resamples("mean_estimate", resamples)
    rng = np.random.default_rng(seed)
    drawn = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    found = estimate(np.array([values.mean(), *drawn]))
    assert found is not None  # a mean of numbers is a number
    return found


def correlation(moments: Floats) -> Floats:
    """Return Pearson's r, (m,), NaN where x or y does not vary.

    `moments` are (6, m): sums of weight, x, y, x², y², xy.
    """
    n, x, y, xx, yy, xy = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        vary = (xx / n - (x / n) ** 2, yy / n - (y / n) ** 2)
        # Rounding can take r a hair beyond 1.
        value = np.clip((xy / n - x * y / n**2) / np.sqrt(vary[0] * vary[1]), -1, 1)
        # What rounding leaves of a variance where nothing varies is none.
        flat = (vary[0] <= _ROUNDING * xx / n) | (vary[1] <= _ROUNDING * yy / n)
    out: Floats = np.where(flat, np.nan, value)
    return out


def _check_resamples(function: str, resamples: int) -> None:
    if resamples < 0:
        raise ParameterError(
            f"{function}: resamples must be at least 0, got {resamples}. "
            "Give 1000, or 0 for no interval."
        )
