"""Text or a value → a moment in UTC; nothing is guessed in silence."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from newsnest.corpus.dates.moments import (
    AGO,
    FILLER,
    NO_DAY,
    RELATIVE,
    UNREADABLE,
    DateChoices,
    Read,
    day_read,
    moment_or_beyond,
    moment_read,
)
from newsnest.corpus.dates.numbers import FIRST_YEAR, LAST_YEAR, NUMBER, as_number, moment_of
from newsnest.corpus.dates.parts import DIGITS, plain, read_parts
from newsnest.corpus.dates.words import month_in, relative_age
from newsnest.types import DateOrder

_LONGEST = 80

_NOTHING_KNOWN = DateChoices()
_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}(?!\d)|\d{8}T|\d{4}-W\d{2}-\d")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")
_DOT_NET = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/")
_RFC822 = re.compile(
    r"(?:[A-Z][a-z]{2},?\s+)?(\d{1,2})[ -]([A-Z][a-z]{2})[ -](\d{4})\s+"
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s+(?:([+-])(\d{2})(\d{2})|UT|UTC|GMT|Z))?"
)
_MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES.split(), 1)}
_NO_DAY = re.compile(r"\d{4}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{4}")
_FILLER = re.compile(r"0000-00-00.*|(?:0001-01-01|0?1/0?1/0001)(?:[T ].*)?|-?0(?:\.0+)?")


def parse_date(value: object, order: DateOrder | None = None) -> datetime | None:
    """Return a date as an aware moment in UTC, None if it cannot be read for certain.

    Read are seconds, milli-, micro- and nanoseconds since 1970 (from 100,000,000 on, so that small
    numbers are no dates), YYYYMMDD and YYYYMMDDHHMMSS, ISO 8601, RFC 822, and day, month and year
    in words of some thirty languages, between the years 1600 and 2200. Without a zone a time is
    UTC, and so it is where the letters of its zone mean several (IST, CST); without a time it is
    midnight. `order` says how to read 03/04/2024; None reads only what can be read one way. With
    full stops (03.04.2024) the day comes first, a year of four digits says where it stands itself.

    Examples
    --------
    >>> parse_date("Tue, 05 Mar 2024 10:00:00 +0100")
    datetime.datetime(2024, 3, 5, 9, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("5 mars 2024").isoformat(), parse_date("03/04/2024")
    ('2024-03-05T00:00:00+00:00', None)
    """
    return read_date(value, DateChoices(order)).moment


def read_date(value: object, choices: DateChoices = _NOTHING_KNOWN) -> Read:
    """Return the moment of a date, and what is to be said of it."""
    if isinstance(value, str):
        return _from_spelling(value, choices)
    # In this order: a datetime is also a date, and True an int.
    if isinstance(value, datetime):
        return moment_read(value, choices)
    if isinstance(value, date):
        return day_read(value)
    if isinstance(value, bool):
        return Read(None, UNREADABLE)
    if isinstance(value, int | float | Decimal):
        return _from_number(as_number(value))
    return Read(None, UNREADABLE)


def _from_spelling(text: str, choices: DateChoices) -> Read:
    if len(text) > _LONGEST:
        return Read(None, UNREADABLE)
    text = text.strip()
    read = _from_text(text, choices.order, choices.zone)
    if read.kind == RELATIVE and choices.reference is not None:
        return _before(text, choices.reference)
    return read


def _before(text: str, reference: datetime) -> Read:
    found = relative_age(plain(text))
    if found is None:
        return Read(None, RELATIVE)
    age, whole_days = found
    moment = reference.astimezone(UTC) - age
    if whole_days:
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Read(moment, AGO)


def _from_number(number: float) -> Read:
    if number == 0:
        return Read(None, FILLER)
    moment = moment_of(number)
    if moment is None:
        whole = number == number // 1 and FIRST_YEAR <= number <= LAST_YEAR
        return Read(None, NO_DAY if whole else UNREADABLE)
    return moment_or_beyond(moment, _NOTHING_KNOWN)


# Dates come again and again in a corpus, and dateparser is slow.
@lru_cache(maxsize=1 << 16)
def _from_text(text: str, order: DateOrder | None, zone: str | None) -> Read:
    choices = DateChoices(order, zone)
    read = _from_iso(text, choices)
    if read is None and (found := _RFC822.fullmatch(text)):
        read = _from_rfc822(found, choices)
    if read is not None:
        return read
    text = plain(text)
    read = _from_code(text)
    if read is not None:
        return read
    if len(DIGITS.findall(text)) >= 2:
        return read_parts(text, choices)
    if relative_age(text) is not None:
        return Read(None, RELATIVE)
    return Read(None, NO_DAY if _names_a_month(text) else UNREADABLE)


def _from_iso(text: str, choices: DateChoices) -> Read | None:
    if not _ISO.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return day_read(moment) if len(text) <= 10 else moment_read(moment, choices)


def _from_code(text: str) -> Read | None:
    """Read what is one number, or one word of a program; None if the text is neither."""
    if _FILLER.fullmatch(text):
        return Read(None, FILLER)
    if _NO_DAY.fullmatch(text):
        return Read(None, NO_DAY)
    if NUMBER.fullmatch(text):
        return _from_number(float(text.replace(",", ".")))
    if found := _DOT_NET.fullmatch(text):
        return _from_number(float(found[1]))
    if found := _ORDINAL.fullmatch(text):
        try:
            return day_read(datetime.strptime(f"{found[1]} {found[2]}", "%Y %j"))
        except ValueError:
            return Read(None, UNREADABLE)
    return None


def _names_a_month(text: str) -> bool:
    return month_in(text) is not None and re.search(r"\b\d{4}\b", text) is not None


def _from_rfc822(found: re.Match[str], choices: DateChoices) -> Read:
    month = _MONTHS.get(found[2])
    if month is None:
        return read_parts(found[0], choices)
    day, hour, minute = int(found[1]), int(found[4]), int(found[5])
    shift = f"{found[7]}{found[8]}:{found[9]}" if found[7] else "+00:00"
    named = found[7] or found[0][-1].isalpha()
    try:
        moment = datetime.fromisoformat(
            f"{found[3]}-{month:02}-{day:02}T{hour:02}:{minute:02}:{found[6] or '00'}"
            f"{shift if named else ''}"
        )
    except ValueError:
        return Read(None, UNREADABLE)
    return moment_read(moment, choices)
