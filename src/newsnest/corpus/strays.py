"""Dates far from those of all other articles: what a slip of a program or a hand leaves behind."""

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np

from newsnest.types import Article, Floats, Notice, Rejected

Item = TypeVar("Item", bound=Article | Rejected | Notice)

_FEWEST = 5
_YEAR = 365 * 86_400.0
_WIDTHS = 3.0


def tell_strays(items: Iterable[Item], name: str) -> Iterator[Item | Notice]:
    """Yield items as they come, and a notice at the end if some dates lie far from the others.

    Far is more than a year, and more than three times their width, from the middle 98 % of dates,
    in small corpora from all but the outermost two on each side. Such articles keep their dates:
    the time scale of clustering is that of the middle 95 %.

    Parameters
    ----------
    items
        What `read_articles` yields; eight bytes a date are held.
    name
        What was read, for the notice.
    """
    times = array("d")
    ends: dict[int, tuple[float, str]] = {}  # −1, 1 → earliest and latest, and whose it is
    for item in items:
        if isinstance(item, Article) and item.date is not None:
            time = item.date.timestamp()
            times.append(time)
            for side in (-1, 1):
                ends[side] = max(ends.get(side, (-np.inf, "")), (side * time, item.id))
        yield item
    early, late, low, high = _strays(np.sort(np.array(times)))
    if early or late:
        side = -1 if early else 1
        moment, whose = ends[side]
        yield Notice(
            name,
            f"{early + late:,} of {len(times):,} dates {'lies' if early + late == 1 else 'lie'} "
            f"far from the others, which are from {_day(low)} to {_day(high)}, first "
            f"{_day(side * moment)} of {whose[:60]!r}",
        )


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _strays(times: Floats) -> tuple[int, int, float, float]:
    """Return how many lie far below and above, and the first and last of the others."""
    if len(times) < _FEWEST:
        return 0, 0, 0.0, 0.0
    cut = max(len(times) // 100, min(2, len(times) // _FEWEST))
    low, high = times[cut], times[-1 - cut]
    far = max(_YEAR, _WIDTHS * (high - low))
    early = int(np.searchsorted(times, low - far))
    late = len(times) - int(np.searchsorted(times, high + far, side="right"))
    return early, late, float(times[early]), float(times[-1 - late])
