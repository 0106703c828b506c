"""What a file's own dates say of each other: the order of their numbers, and counts of days.

What order the numbers of a date have, its file may say: 25/04/2024 settles 03/04/2024.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from newsnest.corpus.columns import Columns
from newsnest.corpus.dates.numbers import NUMBER, as_number, day_in_order, find_three, is_serial
from newsnest.corpus.dates.parts import plain
from newsnest.corpus.json.values import plain_value
from newsnest.corpus.rows import Row
from newsnest.types import DateOrder, Rejected

_LONGEST = 80
_LONG_YEAR: frozenset[DateOrder] = frozenset(("DMY", "MDY"))
_SHORT_YEAR: frozenset[DateOrder] = frozenset(("DMY", "MDY", "YMD"))


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
    if len(text) > _LONGEST:
        return None
    text = plain(text.strip())
    three = find_three(text)
    if three is None or len(three.numbers[0]) > 2 or three.separator == ".":
        return None
    numbers = three.numbers
    all_orders = _SHORT_YEAR if len(numbers[2]) <= 2 else _LONG_YEAR
    orders = frozenset(order for order in all_orders if day_in_order(numbers, order) is not None)
    if not orders:
        return None
    form = f"{three.separator}{len(numbers[2])}"
    return OpenDate(form, all_orders, orders, text[three.start : three.end])


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
    """What the dates of one file say; `rows` reads it from its beginning when first asked.

    So the rows before a telling date profit as those after it do, and none is held in memory; a
    file without a date that could be two days is read once. Columns, separators and lengths of the
    year are kept apart: 25/04/2024 says nothing of another column, of 03-04-2024, of 03/04/24.
    """

    def __init__(self, rows: Callable[[], Iterable[Row | Rejected]], columns: Columns) -> None:
        self._rows = rows
        self._columns = columns
        self._found: dict[tuple[str, str], Evidence] | None = None
        self._counts_days: dict[str, bool] = {}

    def find(self, column: str, text: str) -> Evidence | None:
        """Return what the file says of dates such as this one, None if nothing."""
        date = open_date(text)
        return self._look().get((column, date.form)) if date else None

    def counts_days(self, column: str) -> bool:
        """Whether every number of a column can be a day as spreadsheets count them."""
        self._look()
        return self._counts_days.get(column, False)

    def _look(self) -> dict[tuple[str, str], Evidence]:
        if self._found is not None:
            return self._found
        found: dict[tuple[str, str], Evidence] = {}
        self._found = found
        for row in self._rows():
            if isinstance(row, Rejected):
                continue
            for column in self._columns.match(tuple(row.values)).get("date", ()):
                value = plain_value(row.values[column])
                number = number_in(value)
                if number is not None:
                    so_far = self._counts_days.get(column, True)
                    self._counts_days[column] = so_far and is_serial(number)
                date = open_date(value) if isinstance(value, str) else None
                if date:
                    key = (column, date.form)
                    found.setdefault(key, Evidence(date.all_orders)).add(date, row.line)
        return found


def number_in(value: object) -> float | None:
    """Return the number that a value is or spells out, None if it is none."""
    if isinstance(value, str) and len(value) <= _LONGEST:
        text = value.strip()
        return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return None if value != value else as_number(value)
    return None
