"""What is read of a date: a moment in UTC, or why there is none."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from newsnest.corpus.dates.numbers import FIRST_YEAR, LAST_YEAR
from newsnest.corpus.dates.zones import zone_named
from newsnest.types import DateOrder

UNREADABLE = "unreadable"
TWO_DAYS = "two days"
NO_DAY = "no day"
FILLER = "filler"
BEYOND = "beyond"
RELATIVE = "relative"
"""Why a date is not read."""
ZONE = "zone"
RESOLVED = "resolved"
AGO = "ago"
"""What was done to read it: letters of a zone left out or resolved, counted from a moment."""


@dataclass(frozen=True, slots=True)
class DateChoices:
    """What a caller knows of dates.

    Parameters
    ----------
    order
        How to read 03/04/2024; None reads only what can be read one way.
    zone
        IANA name of the zone of times without one; None: UTC.
    reference
        When "2 hours ago" was said, aware; None does not read it.
    """

    order: DateOrder | None = None
    zone: str | None = None
    reference: datetime | None = None


class Read(NamedTuple):
    """A moment in UTC, None if it cannot be read for certain, and what is to be said of it."""

    moment: datetime | None
    kind: str = ""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_read(day: date) -> Read:
    """Return midnight of a day, in UTC whatever zone is chosen: it stays that day."""
    return moment_or_beyond(datetime(day.year, day.month, day.day, tzinfo=UTC), DateChoices())


def moment_or_beyond(moment: datetime, choices: DateChoices) -> Read:
    """Return a moment in UTC; one without a zone is of the chosen one."""
    if moment.tzinfo is None:
        zone = zone_named(choices.zone) if choices.zone else None
        moment = moment.replace(tzinfo=zone or UTC)
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return Read(None, FILLER if moment.year == 1 else BEYOND)
    if FIRST_YEAR <= moment.year <= LAST_YEAR:
        return Read(moment)
    return Read(None, FILLER if (moment.year, moment.month, moment.day) == (1, 1, 1) else BEYOND)


def moment_read(moment: datetime, choices: DateChoices) -> Read:
    """Return a moment in UTC; programs write the first of 1970 where they know none."""
    read = moment_or_beyond(moment, choices)
    return Read(None, FILLER) if read.moment == _EPOCH else read
