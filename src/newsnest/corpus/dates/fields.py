"""The date of a row: in which columns it stands, and what is counted of how it was read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from newsnest.corpus.column_names import WHEN_CHANGED, WHEN_READ
from newsnest.corpus.columns import fold_name
from newsnest.corpus.dates import moments
from newsnest.corpus.dates.moments import DateChoices, Read
from newsnest.corpus.dates.numbers import FIRST_YEAR, LAST_YEAR, day_of_serial, is_serial
from newsnest.corpus.dates.orders import DateOrders, Evidence, number_in
from newsnest.corpus.dates.parse import read_date
from newsnest.corpus.json.values import plain_value
from newsnest.corpus.rows import Row, Tally

_LEFT_OUT = "{0} and was left out{1}|{2} and were left out{1}"
_SAY_ORDER = " (set --date-order)"
_TWO_DAYS = "date is ambiguous and was left out{0}|dates are ambiguous and were left out{0}"
_SETTLED = (
    "ambiguous date was read as {order}, because the file has {dates}"
    "|ambiguous dates were read as {order}, because the file has {dates}"
)
_YEARS = f"not between {FIRST_YEAR} and {LAST_YEAR}"
_SUCH = "such as 0000-00-00 or the first second of 1970,"
_SAY_REFERENCE = " (set --reference-date)"
_OTHERS = {
    kind: _LEFT_OUT.format(one, cure, several)
    for kind, one, several, cure in (
        (moments.UNREADABLE, "date could not be read", "dates could not be read", ""),
        (moments.NO_DAY, "date names no day", "dates name no day", ""),
        (moments.FILLER, f"date is a filler, {_SUCH}", f"dates are fillers, {_SUCH}", ""),
        (moments.BEYOND, f"date is {_YEARS}", f"dates are {_YEARS}", ""),
        (moments.RELATIVE, "date is relative", "dates are relative", _SAY_REFERENCE),
    )
}
"""Kind → what is counted of dates that are left out."""
_ZONE = (
    "time with an ambiguous time zone was read as {0} (set --time-zone)"
    "|times with an ambiguous time zone were read as {0} (set --time-zone)"
)
_RESOLVED = (
    "time with an ambiguous time zone was read as in the country of {0}"
    "|times with an ambiguous time zone were read as in the country of {0}"
)
_AGO = "relative date was counted from {0}|relative dates were counted from {0}"
_SERIAL = "number was read as a day of a spreadsheet|numbers were read as days of a spreadsheet"

_WHEN_READ, _WHEN_CHANGED = frozenset(WHEN_READ.split()), frozenset(WHEN_CHANGED.split())


@lru_cache(maxsize=1024)  # every row of a file has the same few
def columns_beside(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that say when a row was changed, and when it was read."""
    folded = [(name, fold_name(name[:100])) for name in names]
    return (
        tuple(name for name, own in folded if own in _WHEN_CHANGED),
        tuple(name for name, own in folded if own in _WHEN_READ),
    )


class DateReader:
    """Reads the dates of rows as a caller chose."""

    def __init__(self, choices: DateChoices) -> None:
        self._choices = choices

    def read(
        self, row: Row, column: str, given: object, orders: DateOrders, tally: Tally
    ) -> datetime | None:
        """Return the date that a column gives, and count what is to be said of it."""
        choices, since, text = self._choices, "--reference-date", str(given)
        read = read_date(given, choices)
        if read.kind == moments.RELATIVE:
            name, moment = self._when_read(row, column)
            if moment is not None:
                since, choices = f"the column {name}", replace(choices, reference=moment)
                read = read_date(given, choices)
        if not read.kind:
            return read.moment
        what = self._said(read, since)
        if read.kind == moments.TWO_DAYS:
            read, what = self._settle(text, orders.find(column, text))
        elif read.kind == moments.UNREADABLE:
            number = number_in(given)
            # In this order: what the column holds is known only after the file is read once more.
            if number is not None and is_serial(number) and orders.counts_days(column):
                read, what = Read(day_of_serial(number)), _SERIAL
        tally.count(what, f"{text[:60]!r} at {row.file}, line {row.line}")
        return read.moment

    def latest(
        self, row: Row, date: datetime | None, columns: Sequence[str], orders: DateOrders
    ) -> datetime | None:
        """Return the latest moment of a row: of its dates, of when it was changed or read."""
        changed, when_read = columns_beside(tuple(row.values))
        if len(columns) <= 1 and not changed and not when_read:
            return date
        others = {*changed, *when_read, *(columns if len(columns) > 1 else ())}
        found = [date] if date else []
        for name in others:
            value = plain_value(row.values[name])
            read = read_date(value, self._choices)
            if read.kind == moments.TWO_DAYS:
                read, _ = self._settle(str(value), orders.find(name, str(value)))
            if read.moment is not None:
                found.append(read.moment)
        return max(found, default=None)

    def _said(self, read: Read, since: str) -> str:
        where = self._choices.zone or "UTC"
        if read.kind == moments.ZONE:
            return _ZONE.format(where)
        if read.kind == moments.RESOLVED:
            return _RESOLVED.format(where)
        return _AGO.format(since) if read.kind == moments.AGO else _OTHERS.get(read.kind, "")

    def _settle(self, text: str, evidence: Evidence | None) -> tuple[Read, str]:
        """Read a date that could be two days as the file's other dates say; say what to count."""
        said = " and ".join(evidence.dates) if evidence else ""
        if evidence and len(evidence.orders) == 1:
            (order,) = evidence.orders
            read = read_date(text, replace(self._choices, order=order))
            return read, _SETTLED.format(order=order, dates=said)
        contradicted = evidence is not None and not evidence.orders
        why = f": the file has {said}" if contradicted else ""
        return Read(None), _TWO_DAYS.format(why + _SAY_ORDER)

    def _when_read(self, row: Row, column: str) -> tuple[str, datetime | None]:
        """Return the column that says when a row was read, and the moment."""
        for name in columns_beside(tuple(row.values))[1]:
            moment = read_date(plain_value(row.values[name]), self._choices).moment
            if moment is not None and name != column:
                return name, moment
        return "", None
