"""The days that nearly all articles are of, and how many are far from them."""

from collections.abc import Mapping
from dataclasses import dataclass

DAY = 86_400
_STRAYS = 0.02  # share of articles that may lie outside


@dataclass(frozen=True, slots=True)
class UsualDays:
    """A range of days since 1970 with nearly all articles, and how many lie outside.

    Parameters
    ----------
    first, last
        The range, both days included.
    outside
        How many dated articles lie before or after it.
    """

    first: int
    last: int
    outside: int


def usual_days(counts: Mapping[int, int], *, widths: int = 1, least: int = 7) -> UsualDays | None:
    """Return the range of days that nearly all articles are of; None without any.

    The shortest range that leaves out at most 2 % of the articles (or two, of at least eight),
    widened both ways by so many of its widths, and by so many days at least.

    Parameters
    ----------
    counts
        Number of articles by day since 1970.
    widths, least
        How far beyond that range an article is no stray: a timeline shows little room, a warning
        is only for what is surely wrong.

    Notes
    -----
    O(d log d) in the number of days.

    Example
    -------
    >>> usual_days({0: 1, 20_000: 40, 20_002: 60, 47_000: 1})
    UsualDays(first=20000, last=20002, outside=2)
    """
    if not counts:
        return None
    days = sorted(counts)
    total = sum(counts.values())
    wanted = total - min(max(2, int(total * _STRAYS)), total // 4)
    best = (days[0], days[-1])
    held = right = 0
    for left, day in enumerate(days):
        while right < len(days) and held < wanted:
            held += counts[days[right]]
            right += 1
        if held < wanted:
            break
        if days[right - 1] - day < best[1] - best[0]:
            best = (day, days[right - 1])
        held -= counts[days[left]]
    room = max(widths * (best[1] - best[0] + 1), least)
    kept = [day for day in days if best[0] - room <= day <= best[1] + room]
    return UsualDays(kept[0], kept[-1], total - sum(counts[day] for day in kept))
