"""Dates of several parts: a day in one of its forms, a time, a zone, and words around them."""

import re
from datetime import date, datetime, time, tzinfo
from typing import NamedTuple

from newsnest.corpus.dates.moments import (
    RESOLVED,
    TWO_DAYS,
    UNREADABLE,
    ZONE,
    DateChoices,
    Read,
    day_read,
    moment_read,
)
from newsnest.corpus.dates.numbers import Three, days_of, find_three
from newsnest.corpus.dates.words import (
    SOLAR_HIJRI,
    day_of,
    era_of,
    may_hold_a_month,
    month_in,
    our_year,
    read_around,
    read_slowly,
)
from newsnest.corpus.dates.zones import Zone, find_zone, resolve

_CLOCK = re.compile(
    r"(?:(?P<before>오전|오후|上午|下午|午前|午後|凌晨|晚上)\s*)?"
    r"(?<![\d./])(?:[Tt](?=\d))?(?P<h>\d{1,2})(?:"
    r"\s?[:h時时点點시]\s?(?P<m>\d{2})(?:\s?[분分])?(?:[:.]?(?P<s>(?<=[:.])\d{2})(?:[.,]\d+)?)?(?!\d)"
    r"|\.(?P<dm>\d{2})(?![.\d/-])|\s?(?:h|uhr|heures?|時|时|点|點|시)(?![^\W\d_])"
    r"|(?=\s?[ap]\.?m\b))"
    r"(?:\s?(?P<after>[ap]\.?\s?m\b\.?|[صم](?!\w)))?(?:\s?(?:uhr|uur|hrs?|h)\b)?",
    re.I,
)
_ZONE_AT_END = re.compile(r"\s\(?[A-Z]{2,5}\)?\s*$")
_LATE = frozenset(("오후", "下午", "午後", "晚上", "م"))
DIGITS = re.compile(r"\d+")
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff"))


def plain(text: str) -> str:
    """Return a text with the digits of every script as ours, and plain spaces, without marks."""
    if text.isascii():
        return text
    text = text.translate(_MARKS).replace("،", ",").replace("\u2212", "-")
    digits = "".join(str(int(c)) if c.isdecimal() and not c.isascii() else c for c in text)
    return " ".join(digits.split())


class _Clock(NamedTuple):
    """The time of a date and its zone, and the text without both."""

    time: time | None
    zone: Zone | None
    rest: str


def _find_clock(text: str) -> _Clock | None:
    """Return the time that a text names, None if it names one that no clock shows."""
    found = _CLOCK.search(text)
    if found is None:
        letters = _ZONE_AT_END.search(text)  # say nothing of a day without a time
        at_end = letters is not None and find_zone(text, letters.start())[0]
        return _Clock(None, None, text[: letters.start()] if letters and at_end else text)
    zone, end = find_zone(text, found.end())
    rest = f"{text[: found.start()]} {text[end:]}"
    hour, half = int(found["h"]), (found["before"] or found["after"] or "").casefold()
    if half:
        if hour > 12 and half[0] in "apص":
            return None
        late = half in _LATE or half[0] == "p"
        hour = hour % 12 + 12 if late else hour % 12 if hour == 12 else hour
    try:
        clock = time(hour, int(found["m"] or found["dm"] or 0), int(found["s"] or 0))
    except ValueError:
        return None
    return _Clock(clock, zone, rest)


def read_parts(text: str, choices: DateChoices) -> Read:
    """Read a date of several parts: the day in one of its forms, then the time, then the words."""
    three = find_three(text)
    era = None if three else era_of(text)
    if three or era:
        start, end = (three.start, three.end) if three else era[1:]  # type: ignore[index]
        clock = _find_clock(f"{text[:start]} {text[end:]}")
    else:
        clock = _find_clock(text)
    if clock is None:
        return Read(None, UNREADABLE)
    if three:
        return _from_three(three, clock, choices)
    if era:
        known = era[0] is not None and not DIGITS.search(clock.rest)
        return _at(era[0], clock, choices) if known else Read(None, UNREADABLE)
    day = _day_in_words(clock.rest)
    if day is None and may_hold_a_month(clock.rest):
        day = read_slowly(clock.rest)
    return _at(day, clock, choices)


def _from_three(three: Three, clock: _Clock, choices: DateChoices) -> Read:
    known, day_first, weekday = read_around(clock.rest)
    if not known or DIGITS.search(clock.rest):
        return Read(None, UNREADABLE)
    days = days_of(three, choices.order or ("DMY" if day_first else None))
    if len(days) > 1 and weekday is not None:
        days = {day for day in days if day.weekday() == weekday} or days
    if len(days) > 1:
        return Read(None, TWO_DAYS)
    return _at(days.pop() if days else None, clock, choices)


def _day_in_words(text: str) -> date | None:
    """Return the day of a month in words, a day and a year; None if there is anything else."""
    found = month_in(text)
    if found is None:
        return None
    month, start, end = found
    numbers = list(DIGITS.finditer(text))
    if len(numbers) != 2:
        return None
    long = [number for number in numbers if len(number[0]) == 4]
    year = long[0] if len(long) == 1 else numbers[1]
    day = numbers[0] if year is numbers[1] else numbers[1]
    if len(day[0]) > 2 or len(year[0]) not in (2, 4) or (year[0] == day[0] and len(year[0]) == 4):
        return None
    around = DIGITS.sub(" ", f"{text[:start]} {text[end:]}")
    known, _, _ = read_around(around)
    counted = our_year(year[0], text)
    if not known or counted is None or (len(year[0]) == 2 and month > SOLAR_HIJRI):
        return None
    return day_of(counted, month, int(day[0]))


def _at(day: date | None, clock: _Clock, choices: DateChoices) -> Read:
    """Return the moment of a day and a time in the zone that is meant."""
    if day is None:
        return Read(None, UNREADABLE)
    if clock.time is None:
        return day_read(day)
    wall = datetime.combine(day, clock.time)
    zone: tzinfo | None = clock.zone.at if clock.zone else None
    letters = clock.zone.letters if clock.zone else ""
    if letters and choices.zone:
        zone = resolve(letters, choices.zone, wall)
    read = moment_read(wall.replace(tzinfo=zone), choices)
    if not letters or read.moment is None:
        return read
    return Read(read.moment, RESOLVED if zone else ZONE)
