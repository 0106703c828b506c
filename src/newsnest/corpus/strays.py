"""Dates far from those of all other articles: what a slip of a program or a hand leaves behind."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from newsnest.days import DAY, usual_days
from newsnest.types import Article, Notice, Rejected

Item = TypeVar("Item", bound=Article | Rejected | Notice)

_WIDTHS, _YEAR = 3, 365


def tell_strays(items: Iterable[Item], name: str) -> Iterator[Item | Notice]:
    """Yield items as they come, and a notice at the end if some dates lie far from the others.

    Far is more than a year, and more than three times their width, from the days of nearly all
    articles (see `usual_days`). Such articles keep their dates: the time scale of clustering is
    that of the middle 95 %.

    Parameters
    ----------
    items
        What `read_articles` yields; a number a day is held.
    name
        What was read, for the notice.
    """
    counts: Counter[int] = Counter()
    ends: dict[int, tuple[float, str]] = {}  # −1, 1 → earliest and latest, and whose it is
    for item in items:
        if isinstance(item, Article) and item.date is not None:
            time = item.date.timestamp()
            counts[int(time // DAY)] += 1
            for side in (-1, 1):
                here = (side * time, item.id)
                ends[side] = max(ends.get(side, here), here)
        yield item
    usual = usual_days(counts, widths=_WIDTHS, least=_YEAR)
    if usual is not None and usual.outside:
        side = -1 if min(counts) < usual.first else 1
        time, whose = ends[side]
        yield Notice(
            name,
            f"{usual.outside:,} of {counts.total():,} dates "
            f"{'lies' if usual.outside == 1 else 'lie'} far from the others, which are from "
            f"{_spelled(usual.first)} to {_spelled(usual.last)}, first "
            f"{_spelled(int(side * time // DAY))} of {whose[:60]!r}",
        )


def _spelled(day: int) -> str:
    return f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}"
