"""What a caller chooses when reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from newsnest.corpus.clean_profile import Profile
from newsnest.corpus.dates.zones import check_zone
from newsnest.corpus.encodings import check_encoding
from newsnest.errors import ParameterError, did_you_mean
from newsnest.types import DateOrder

FIELDS = ("id", "title", "text", "summary", "lang", "date", "source", "url")
"""What a column can be mapped to."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read.

    Parameters
    ----------
    fields
        Our name → their column, for instance ``{"text": "body"}``; what is not named is found by
        its usual names. Plain texts, pages and feeds have no columns and are not affected.
    encoding
        Read everything in this encoding; None looks for a byte order mark, then reads each line
        as UTF-8 and, where that fails, as Windows-1252.
    format
        Read every input in this format, the name of a `Reader`; None goes by the file name, and for
        standard input by how it begins.
    strict
        Raise at the first row that is no article instead of setting it aside.
    date_order
        How to read 03/04/2024; None goes by the other dates of the column, and leaves such a date
        out where they do not settle it.
    follow_links
        Follow links of a directory to files and folders outside it, and to folders inside. They are
        counted in a notice otherwise.
    time_zone
        IANA name, such as "Europe/Paris", of the zone of times that have none, and of whose country
        the letters are that mean several zones (IST, CST); None reads such times as UTC.
    reference_date
        When "2 hours ago" was said; None goes by a column that says when the row was read, such as
        crawled_at, and leaves the date out where there is none.
    detect_language
        Detect the language of articles that do not say it; "" where that is uncertain (see
        `newsnest.corpus.settle_languages`).
    records
        Which list in a JSON object is its articles, as a dotted path: "response.results"; a * in it
        stands for any name, and "." says that each object is an article. None takes the only list
        of objects with titles.
    header
        Whether the first line of a .csv or .tsv file names its columns. Without, they are column1,
        column2 …; ``{"title": "3"}`` then maps column3.
    profile
        Clean every article by it (see `newsnest.corpus.load_profile`); what it drops is set aside,
        with the rule. None cleans nothing.

    Raises
    ------
    ParameterError
        If a field, the format, the encoding, the date order or the time zone is unknown, `records`
        is empty, or the reference date has no zone.

    Examples
    --------
    >>> ReadOptions(fields={"text": "body"}, date_order="DMY").strict
    False
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    format: str | None = None
    strict: bool = False
    date_order: DateOrder | None = None
    follow_links: bool = False
    time_zone: str | None = None
    reference_date: datetime | None = None
    detect_language: bool = True
    records: str | None = None
    header: bool = True
    profile: Profile | None = None

    def __post_init__(self) -> None:
        for name in self.fields:
            _check("a field", name, FIELDS)
        if self.format is not None:
            from newsnest.corpus.readers import READERS

            READERS.choose(self.format, function="ReadOptions")
        if self.records is not None and not self.records.strip():
            raise ParameterError(
                f"ReadOptions: records must be the name of a list, got {self.records!r}. "
                "Name it, or leave it out."
            )
        if self.date_order is not None:
            _check("date_order", self.date_order, get_args(DateOrder))
        if self.time_zone is not None:
            check_zone(self.time_zone, "ReadOptions")
        if self.reference_date is not None and self.reference_date.tzinfo is None:
            raise ParameterError(
                "ReadOptions: reference_date must have a time zone, got "
                f"{self.reference_date.isoformat()}. Add tzinfo=datetime.UTC."
            )
        if self.encoding is not None:
            check_encoding(self.encoding)


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ParameterError(
            f"ReadOptions: {what} must be one of {', '.join(known)}, got {value!r}."
            f"{did_you_mean(value, known)} Choose one of these."
        )
