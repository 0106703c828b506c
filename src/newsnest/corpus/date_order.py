"""What the dates of a file say of the order of their numbers: 25/04/2024 settles 03/04/2024."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from newsnest.corpus.columns import Columns
from newsnest.corpus.dates import OpenDate, open_date
from newsnest.corpus.options import DateOrder
from newsnest.corpus.rows import Row
from newsnest.types import Rejected


@dataclass(slots=True)
class Evidence:
    """Which orders fit every date of one column and form: one, settled; none, the file contradicts.

    `dates` are those that ruled an order out, as they stand in the file, with their lines.
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
