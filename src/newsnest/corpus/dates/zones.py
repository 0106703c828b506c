"""Time zones as dates name them: offsets, letters, IANA names. Letters of several zones stay open.

India, Israel and Ireland write IST, the United States, China and Cuba CST: which is meant, only a
chosen zone can say.
"""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from newsnest.errors import ParameterError

_HOURS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "MET": 1, "MEZ": 1,
    "WAT": 1,
    "CEST": 2, "MEST": 2, "MESZ": 2, "EET": 2, "CAT": 2, "SAST": 2, "EEST": 3, "IDT": 3, "MSK": 3,
    "EAT": 3,
    "TRT": 3, "MSD": 4, "IRST": 3.5, "IRDT": 4.5, "PKT": 5, "NPT": 5.75, "MMT": 6.5, "ICT": 7,
    "WIB": 7, "WITA": 8, "HKT": 8, "SGT": 8, "PHT": 8, "MYT": 8, "AWST": 8, "AWDT": 9, "JST": 9,
    "KST": 9, "WIT": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "BRT": -3, "ART": -3, "UYT": -3, "CLST": -3, "CLT": -4, "VET": -4, "BOT": -4, "COT": -5,
    "PET": -5, "MDT": -6, "PDT": -7, "AKDT": -8, "AKST": -9, "HST": -10,
}  # fmt: skip
_SEVERAL_LETTERS = (
    "ACT ADT AMT AST AT BDT BST CDT CST CT ECT EDT EST ET GST IST MST MT PST PT SST WST"
)
_SEVERAL = frozenset(_SEVERAL_LETTERS.split())
"""Letters of more than one zone in use, and of those that change with the season."""

_OFFSET = re.compile(r"(?:UTC|GMT|UT|Z)?\s?([+\u2212-])(\d{1,2})(?::?(\d{2}))?(?![\d:])", re.I)
_LETTERS = re.compile(r"[A-Z]{1,5}(?![\w/])|(?i:utc|gmt|z)(?![\w/])")
_NAME = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z0-9_+-]+)+")
_IN_WORDS = re.compile(r"(Eastern|Central|Mountain|Pacific)( Standard| Daylight)?( Time)", re.I)
_OPENING = re.compile(r"\s*[,|]?\s*[(\[]?\s*")
_CLOSING = re.compile(r"\s*[)\]]?(?:\s*[(\[][^()\[\]]*[)\]])?")


class Zone(NamedTuple):
    """A zone that a date names: `at` None where its `letters` are of several."""

    at: tzinfo | None
    letters: str


def find_zone(text: str, start: int) -> tuple[Zone | None, int]:
    """Return the zone that stands at this place, and where it ends; None and `start` if none does.

    What follows in brackets is passed over: an offset says more than the name beside it.
    """
    begin = _OPENING.match(text, start)
    at = begin.end() if begin else start
    for form in (_OFFSET, _NAME, _IN_WORDS, _LETTERS):
        found = form.match(text, at)
        zone = _zone(form, found) if found else None
        if found and zone:
            end = _CLOSING.match(text, found.end())
            return zone, end.end() if end else found.end()
    return None, start


def _zone(form: re.Pattern[str], found: re.Match[str]) -> Zone | None:
    if form is _OFFSET:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes >= 24 * 60:
            return None
        return Zone(_fixed(-minutes if found[1] != "+" else minutes), "")
    if form is _NAME:
        named = zone_named(found[0])
        return Zone(named, "") if named else None
    letters = found[0].upper()
    if form is _IN_WORDS:
        letters = "".join(part.strip()[0] for part in found.groups() if part).upper()
    if letters in _HOURS:
        return Zone(_fixed(_HOURS[letters] * 60), "")
    return Zone(None, letters) if letters in _SEVERAL else None


@lru_cache(maxsize=4096)
def _fixed(minutes: float) -> timezone:
    return timezone(timedelta(minutes=minutes))


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name such as Europe/Oslo, None if there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # what zoneinfo raises for odd names and for unknown
        return None


def check_zone(name: str, where: str) -> None:
    """Raise ParameterError unless `name` is the IANA name of a zone."""
    if ("/" not in name and name != "UTC") or zone_named(name) is None:
        raise ParameterError(
            f"{where}: time_zone must be an IANA name such as Europe/Paris, got {name!r}. "
            "See the names at https://en.wikipedia.org/wiki/List_of_tz_database_time_zones."
        )


@lru_cache(maxsize=4096)
def _letters_of(name: str, year: int) -> dict[str, frozenset[tzinfo]]:
    """Return what letters mean in one zone in one year: EST and EDT an offset, ET the zone."""
    zone = zone_named(name)
    found: dict[str, set[tzinfo]] = {}
    for month in range(1, 13) if zone else ():
        moment = datetime(year, month, 1, tzinfo=zone)
        letters, offset = moment.tzname() or "", moment.utcoffset()
        if zone is None or offset is None or not letters.isalpha():
            continue
        fixed = timezone(offset)
        found.setdefault(letters, set()).add(fixed)
        if letters.startswith("AE"):  # of Australia, where AEST is written EST too
            found.setdefault(letters[1:], set()).add(fixed)
        if len(letters) == 3 and letters[1] in "SD":
            found.setdefault(letters[0] + letters[2], set()).add(zone)
    return {letters: frozenset(zones) for letters, zones in found.items()}


@lru_cache(maxsize=1024)
def _country_of(name: str) -> tuple[str, ...]:
    """Return the zones of the country that a zone lies in."""
    from babel.core import get_global

    aliases, territories = get_global("zone_aliases"), get_global("zone_territories")
    country = territories.get(aliases.get(name, name))
    return tuple(sorted(zone for zone, where in territories.items() if where == country))


@lru_cache(maxsize=4096)
def resolve(letters: str, name: str, wall: datetime) -> tzinfo | None:
    """Return what letters mean in the chosen zone, else in its country; None if several things."""
    own = _letters_of(name, wall.year).get(letters)
    zones = own or {
        zone
        for other in _country_of(name)
        for zone in _letters_of(other, wall.year).get(letters, ())
    }
    offsets = {wall.replace(tzinfo=zone).utcoffset() for zone in zones}
    return next(iter(zones)) if len(offsets) == 1 else None
