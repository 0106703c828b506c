"""The range of a timeline: where nearly all articles are."""

from __future__ import annotations

import pytest

from newsnest.days import UsualDays, usual_days


def test_no_dates_make_no_range() -> None:
    assert usual_days({}) is None


@pytest.mark.parametrize(
    ("counts", "first", "last", "outside"),
    [
        ({20_000: 1}, 20_000, 20_000, 0),
        ({0: 1, 20_000: 1, 47_000: 1}, 0, 47_000, 0),  # of three, none is a stray
        ({0: 1, 20_000: 5, 20_003: 5, 47_000: 1}, 20_000, 20_003, 2),
        ({0: 30, 20_000: 50, 20_003: 50}, 0, 20_003, 0),  # thirty are no strays
        ({19_994: 1, 20_000: 500}, 19_994, 20_000, 0),  # within a week
        ({19_900: 1, 20_000: 500}, 20_000, 20_000, 1),
        ({-2_000_000: 2, 20_000: 98}, 20_000, 20_000, 2),
        (dict.fromkeys(range(0, 4_000, 7), 3), 0, 3_997, 0),  # an even archive
    ],
)
def test_range_holds_nearly_all_articles(
    counts: dict[int, int], first: int, last: int, outside: int
) -> None:
    assert usual_days(counts) == UsualDays(first, last, outside)


def test_at_most_two_per_cent_are_left_out() -> None:
    counts = {day: 1 + (day * 7919) % 13 for day in range(0, 9_000, 11)}
    counts |= {day + 40_000: 1 for day in range(60)}
    found = usual_days(counts)
    assert found is not None
    total = sum(counts.values())
    assert 0 < found.outside <= 0.02 * total
    inside = sum(n for day, n in counts.items() if found.first <= day <= found.last)
    assert inside + found.outside == total
