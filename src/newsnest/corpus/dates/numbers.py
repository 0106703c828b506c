"""Dates of numbers alone: three in some order, runs of digits, counts of seconds or of days."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from newsnest.types import DateOrder

FIRST_YEAR, LAST_YEAR = 1600, 2200
"""Newspapers begin in 1605; other calendars count their years below or above."""

THREE = re.compile(
    r"(?<![\d./-])(\d{1,4})\s*([/.-])\s*(\d{1,2})\s*\2\s*(\d{1,4})(?!\d|[/-]\d|\.\d)\.?"
)
NUMBER = re.compile(r"[+-]?\d{1,20}(?:[.,]\d{1,12})?")
_EPOCHS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))
"""Smallest size and units a second: nano-, micro-, milliseconds, seconds since 1970."""

_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
"""Days of spreadsheets from 1954 to 2119."""


class Three(NamedTuple):
    """Three numbers of a date, the separator between them, and where they stand in the text."""

    numbers: tuple[str, str, str]
    separator: str
    start: int
    end: int


def find_three(text: str) -> Three | None:
    """Return the first three numbers with one separator, None if there are none."""
    found = THREE.search(text)
    return found and Three((found[1], found[3], found[4]), found[2], *found.span())


def days_of(three: Three, order: DateOrder | None) -> set[date]:
    """Return the days that these numbers can be; where a chosen order gives none, those of others.

    With full stops the day comes first, if it can.
    """
    first, _, last = map(len, three.numbers)
    dotted = three.separator == "."
    known: tuple[DateOrder, ...] = ("DMY", "MDY", "YMD")
    if first > 2:
        known = ("YMD",)
    elif last > 2:
        known = ("DMY",) if dotted else ("DMY", "MDY")
    preferred = order or ("DMY" if dotted else None)
    if preferred in known and (day := day_in_order(three.numbers, preferred)):
        return {day}
    return {day for one in known if (day := day_in_order(three.numbers, one))}


def day_in_order(numbers: tuple[str, str, str], order: DateOrder) -> date | None:
    """Return the day of three numbers in an order, None if there is none."""
    first, second, third = numbers
    day, month, year = first, second, third
    if order == "MDY":
        day, month = second, first
    elif order == "YMD":
        day, year = third, first
    if len(year) not in (2, 4) or len(day) > 2 or len(month) > 2:
        return None
    # Of two digits as POSIX has it, and strptime.
    century = 0 if len(year) == 4 else 2000 if int(year) < 69 else 1900
    try:
        return date(century + int(year), int(month), int(day))
    except ValueError:
        return None


def as_number(value: float | int | Decimal) -> float:
    """Return a number as a float, infinite where it is too large for one of ours."""
    # float() raises where a whole number is too large for it.
    return float(value) if not isinstance(value, int) or abs(value) < 10**20 else math.inf


def moment_of(number: float) -> datetime | None:
    """Return the moment that a number counts, or whose digits it has; None if it is too small."""
    if not abs(number) < 1e20:  # neither infinite nor "not a number"
        return None
    whole = str(int(number))
    if len(whole) in (8, 14) and (moment := _run_of_digits(whole)):
        return moment
    for smallest, unit in _EPOCHS:
        if abs(number) >= smallest:
            try:
                return datetime.fromtimestamp(number / unit, UTC)
            except (OverflowError, ValueError, OSError):
                return None
    return None


def _run_of_digits(digits: str) -> datetime | None:
    form = "%Y%m%d" if len(digits) == 8 else "%Y%m%d%H%M%S"
    try:
        moment = datetime.strptime(digits, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def is_serial(number: float) -> bool:
    """Whether a number can be a day as spreadsheets count them."""
    return _FIRST_SERIAL <= number < _LAST_SERIAL


def day_of_serial(number: float) -> datetime:
    """Return the moment of a day as spreadsheets count them: 1 is the last of 1899."""
    return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(number * 86_400))
