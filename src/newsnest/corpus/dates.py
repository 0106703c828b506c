"""Dates in the usual spellings → moments in UTC. Nothing is guessed, nothing is relative to now.

What order the numbers of a date have, its file may say: 25/04/2024 settles 03/04/2024.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from newsnest.corpus.columns import Columns
from newsnest.corpus.rows import Row
from newsnest.types import DateOrder, Rejected

_FIRST_YEAR, _LAST_YEAR = 1000, 3000
_LONGEST = 80

_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}(?!\d)|\d{8}T")
_RFC822 = re.compile(
    r"(?:[A-Z][a-z]{2},?\s+)?\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{2,4}\s+\d{1,2}:\d{2}(?::\d{2})?"
    r"(?:\s+(?:[+-]\d{4}|UT|UTC|GMT|Z|[ECMP][SD]T))?"
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,12})?")
_THREE = re.compile(r"(\d{1,4})\s*([/.-])\s*(\d{1,2})\s*\2\s*(\d{1,4})(?![\d./-])(.*)", re.DOTALL)
_TIME = re.compile(
    r"[\sT,]*(\d{1,2})[:h.](\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?\s*"
)
_EPOCHS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))
"""Smallest size and units a second: nano-, micro-, milliseconds, seconds since 1970."""

_LONG_YEAR: frozenset[DateOrder] = frozenset(("DMY", "MDY"))
_SHORT_YEAR: frozenset[DateOrder] = frozenset(("DMY", "MDY", "YMD"))

_DIGITS = re.compile(r"\d+")

# The languages whose months and weekdays are read, the more frequent first: the first that
# understands a spelling decides, so the order is part of the result.
LANGUAGES = (
    "en fr es de it pt nl sv da nb fi pl cs sk ro hu hr bg tr ru uk el ar fa he hi bn id vi sw "
    "ca zh ja ko"
)


def parse_date(value: object, order: DateOrder | None = None) -> datetime | None:
    """Return a date as an aware moment in UTC, None if it cannot be read for certain.

    Read are seconds, milli-, micro- and nanoseconds since 1970 (from 100,000,000 on, so that small
    numbers are no dates), YYYYMMDD and YYYYMMDDHHMMSS, ISO 8601, RFC 822, and day, month and year
    in words of some thirty languages, between the years 1000 and 3000. Without a zone a time is
    UTC; without a time it is midnight. `order` says how to read 03/04/2024; None reads only what
    can be read one way. With full stops (03.04.2024) the day comes first, a year of four digits
    says where it stands itself.

    Examples
    --------
    >>> parse_date("Tue, 05 Mar 2024 10:00:00 +0100")
    datetime.datetime(2024, 3, 5, 9, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("5 mars 2024").isoformat(), parse_date("03/04/2024")
    ('2024-03-05T00:00:00+00:00', None)
    """
    # In this order: a datetime is also a date, and True an int.
    if isinstance(value, datetime):
        return _to_utc(value)
    if isinstance(value, date):
        return _to_utc(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        # float() raises where a whole number is too large for it.
        number = float(value) if not isinstance(value, int) or abs(value) < 10**20 else math.inf
        return _from_number(number)
    if isinstance(value, str) and len(value) <= _LONGEST:
        return _from_text(value.strip(), order)
    return None


def could_be_two_days(text: str) -> bool:
    """Whether a date was left unread only because the order of its numbers is unknown."""
    return parse_date(text) is None and any(
        parse_date(text, order) is not None for order in ("DMY", "MDY", "YMD")
    )


class OpenDate(NamedTuple):
    """A date of three numbers that does not say itself where the year stands or what comes first.

    `form` is its separator and the digits of its year ("/4" for 03/04/2024), `all_orders` what such
    a form can have, `orders` those in which this one is a day, at least one, `spelled` its numbers.
    """

    form: str
    all_orders: frozenset[DateOrder]
    orders: frozenset[DateOrder]
    spelled: str


def open_date(text: str) -> OpenDate | None:
    """Return what the numbers of a date leave open, None for every other text.

    Example
    -------
    >>> date = open_date("25/04/2024 10:00")
    >>> date.form, sorted(date.all_orders), sorted(date.orders), date.spelled
    ('/4', ['DMY', 'MDY'], ['DMY'], '25/04/2024')
    """
    three = _THREE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if three is None or len(three[1]) > 2 or (len(three[4]) > 2 and three[2] == "."):
        return None
    all_orders = _SHORT_YEAR if len(three[4]) <= 2 else _LONG_YEAR
    numbers = (three[1], three[3], three[4])
    orders = frozenset(order for order in all_orders if _day(numbers, order) is not None)
    if not orders:
        return None
    spelled = three[0].removesuffix(three[5])
    return OpenDate(f"{three[2]}{len(three[4])}", all_orders, orders, spelled)


@dataclass(slots=True)
class Evidence:
    """Which orders fit every date of one column and form: one, settled; none, the file contradicts.

    `dates` are those that ruled an order out, as written in the file, with their lines.
    """

    orders: frozenset[DateOrder]
    dates: list[str] = field(default_factory=list)

    def add(self, found: OpenDate, line: int) -> None:
        """Take one date into account."""
        if not self.orders <= found.orders:
            self.dates.append(f"{found.spelled!r} in line {line}")
        self.orders &= found.orders


class DateOrders:
    """The orders of dates in one file; `rows` reads it from its beginning when first asked.

    So the rows before a telling date profit as those after it do, and none is held in memory; a
    file without a date that could be two days is read once. Columns, separators and lengths of the
    year are kept apart: 25/04/2024 says nothing of another column, of 03-04-2024, of 03/04/24.
    """

    def __init__(self, rows: Callable[[], Iterable[Row | Rejected]], columns: Columns) -> None:
        self._rows = rows
        self._columns = columns
        self._found: dict[tuple[str, str], Evidence] | None = None

    def find(self, column: str, text: str) -> Evidence | None:
        """Return what the file says of dates such as this one, None if nothing."""
        if self._found is None:
            self._found = self._look()
        date = open_date(text)
        return self._found.get((column, date.form)) if date else None

    def _look(self) -> dict[tuple[str, str], Evidence]:
        found: dict[tuple[str, str], Evidence] = {}
        for row in self._rows():
            if isinstance(row, Rejected):
                continue
            for column in self._columns.match(tuple(row.values)).get("date", ()):
                value = row.values[column]
                date = open_date(value) if isinstance(value, str) else None
                if date:
                    key = (column, date.form)
                    found.setdefault(key, Evidence(date.all_orders)).add(date, row.line)
        return found


def _to_utc(moment: datetime) -> datetime | None:
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return aware if _FIRST_YEAR <= aware.year <= _LAST_YEAR else None


def _from_number(number: float) -> datetime | None:
    if not abs(number) < 1e20:  # neither infinite nor "not a number"
        return None
    whole = str(int(number))
    if len(whole) in (8, 14) and (moment := _from_run_of_digits(whole)):
        return moment
    for smallest, unit in _EPOCHS:
        if abs(number) >= smallest:
            try:
                return _to_utc(datetime.fromtimestamp(number / unit, UTC))
            except (OverflowError, ValueError, OSError):
                return None
    return None


def _from_run_of_digits(digits: str) -> datetime | None:
    form = "%Y%m%d" if len(digits) == 8 else "%Y%m%d%H%M%S"
    try:
        return _to_utc(datetime.strptime(digits, form).replace(tzinfo=UTC))
    except ValueError:
        return None


# Dates come again and again in a corpus, and dateparser is slow.
@lru_cache(maxsize=1 << 16)
def _from_text(text: str, order: DateOrder | None) -> datetime | None:
    if _ISO.match(text):
        try:
            return _to_utc(datetime.fromisoformat(text))
        except ValueError:
            pass
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    if _RFC822.fullmatch(text):
        try:
            return _to_utc(parsedate_to_datetime(text))
        except (ValueError, OverflowError):
            return None
    if three := _THREE.fullmatch(text):
        first, separator, second, third, rest = three.groups()
        return _from_three((first, second, third), separator, rest, order)
    return _from_words(text)


def _from_three(
    numbers: tuple[str, str, str], separator: str, rest: str, order: DateOrder | None
) -> datetime | None:
    """Read three numbers: each order that the numbers allow, if they all mean the same day."""
    if len(numbers[0]) > 2:
        orders = ["YMD"]
    elif len(numbers[2]) > 2:
        orders = ["DMY"] if separator == "." else [order] if order in ("DMY", "MDY") else []
        orders = orders or ["DMY", "MDY"]
    else:
        orders = [order] if order else ["DMY", "MDY", "YMD"]
    days = {day for day in (_day(numbers, one) for one in orders if one) if day is not None}
    if not days and order:
        # Where the order said gives no day (03/25/2024 as DMY) another can still be certain.
        days = {d for d in (_day(numbers, one) for one in ("DMY", "MDY")) if d is not None}
    if len(days) != 1:
        return None
    return _with_time(days.pop(), rest)


def _day(numbers: tuple[str, str, str], order: str) -> date | None:
    parts = dict(zip(order, numbers, strict=True))
    year = int(parts["Y"])
    if len(parts["Y"]) == 2:
        # As POSIX has it, and strptime.
        year += 2000 if year < 69 else 1900
    if len(parts["Y"]) not in (2, 4) or len(parts["D"]) > 2 or len(parts["M"]) > 2:
        return None
    try:
        return date(year, int(parts["M"]), int(parts["D"]))
    except ValueError:
        return None


def _with_time(day: date, rest: str) -> datetime | None:
    if not rest.strip():
        return _to_utc(datetime(day.year, day.month, day.day, tzinfo=UTC))
    time = _TIME.fullmatch(rest)
    if time is None:
        return _from_words(f"{day.isoformat()} {rest}")
    hour, minute, second, half, zone = time.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half[0] in "Pp" else 0)
    clock = f"{hours:02}:{minute}:{second or '00'}"
    shift = "+00:00" if zone in (None, "Z", "UTC", "GMT") else zone
    try:
        return _to_utc(datetime.fromisoformat(f"{day.isoformat()}T{clock}{shift}"))
    except ValueError:
        return None


def _from_words(text: str) -> datetime | None:
    # Day and year are numbers in every spelling that is read; this keeps the slow road clear.
    if len(_DIGITS.findall(text)) < 2:
        return None
    try:
        with without_warnings():
            found = _date_parser().get_date_data(text).date_obj
    except Exception:  # dateparser lets through what its own parsers raise on odd texts
        return None
    return _to_utc(found) if isinstance(found, datetime) else None


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep what other packages' parsers warn of from people: rows that suffer are counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _date_parser() -> Any:
    from dateparser.date import DateDataParser

    settings = {
        "STRICT_PARSING": True,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"],
        "TIMEZONE": "UTC",
        "TO_TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "RELATIVE_BASE": datetime(2000, 1, 1),  # never used: nothing relative is read
    }
    return DateDataParser(
        languages=LANGUAGES.split(),
        use_given_order=True,
        # Or a date would be read by the languages of the dates before it.
        try_previous_locales=False,
        settings=settings,
    )
