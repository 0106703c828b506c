from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.corpus.dates import could_be_two_days, parse_date

DAY = datetime(2024, 3, 5, tzinfo=UTC)
TEN = DAY + timedelta(hours=10)


@pytest.mark.parametrize(
    "spelled",
    ["2024-03-05", "20240305", 20240305, "2024/03/05", "2024.3.5", "05.03.2024", "5 March 2024",
     "March 5, 2024", "Mar 5th, 2024", "Tuesday, March 5, 2024", "5-Mar-2024", "5 mars 2024",
     "mardi 5 mars 2024", "5 de marzo de 2024", "martes, 5 de marzo de 2024", "5. März 2024",
     "5 marzo 2024", "2024年3月5日", date(2024, 3, 5), 1709596800, "1709596800",
     Decimal(1709596800)],
)  # fmt: skip
def test_a_day_is_read_in_the_usual_spellings(spelled: object) -> None:
    assert parse_date(spelled) == DAY


@pytest.mark.parametrize(
    "spelled",
    ["2024-03-05T10:00:00Z", "2024-03-05 10:00", "2024-03-05T11:00:00+01:00", "20240305T100000",
     "2024-03-05T10:00:00.000Z", "Tue, 05 Mar 2024 10:00:00 GMT", "05 Mar 2024 05:00:00 EST",
     "Tue, 05 Mar 2024 11:00:00 +0100", "Tue, 05 Mar 2024 11:00:00 CET", "20240305100000",
     "5 mars 2024 à 10h00", "March 5, 2024 10:00 AM", "05.03.2024 10:00", "2024/03/05 10:00:00",
     1709632800, 1709632800.0, "1709632800", 1709632800000, "1709632800000", 1709632800000000,
     1709632800000000000, datetime(2024, 3, 5, 10), TEN.astimezone(timezone(timedelta(hours=9)))],
)  # fmt: skip
def test_a_moment_is_read_in_the_usual_spellings(spelled: object) -> None:
    read = parse_date(spelled)
    assert read == TEN
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "spelled",
    ["", "yesterday", "hier", "in 3 days", "March 2024", "2024", "2024-03", "5 March", "10:20",
     "2024-02-30", "31.02.2024", "0", 0, 44927, "44927", 3.5, "n/a", "0999-12-31", "3001-01-01",
     "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", True, None, [2024], float("nan"),
     float("inf"), 1e300, 10**400, "9" * 20, "x" * 200, "2024-W03", "1/2/3/4", "25:61 5/6/2024",
     "5/5/2024 13:00 PM", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))],
)  # fmt: skip
def test_what_is_not_a_whole_date_is_not_guessed(spelled: object) -> None:
    assert parse_date(spelled) is None


def test_three_numbers_are_read_only_where_their_order_is_certain() -> None:
    assert parse_date("03/04/2024") is None
    assert could_be_two_days("03/04/2024")
    assert not could_be_two_days("soon")
    assert parse_date("03/04/2024", "DMY") == datetime(2024, 4, 3, tzinfo=UTC)
    assert parse_date("03/04/2024", "MDY") == datetime(2024, 3, 4, tzinfo=UTC)
    assert parse_date("24/04/03", "YMD") == datetime(2024, 4, 3, tzinfo=UTC)
    assert parse_date("25/03/2024") == parse_date("03/25/2024") == datetime(2024, 3, 25, tzinfo=UTC)
    assert parse_date("03/25/2024", "DMY") == datetime(2024, 3, 25, tzinfo=UTC)
    assert parse_date("05/05/2024 5:06 PM") == datetime(2024, 5, 5, 17, 6, tzinfo=UTC)
    assert parse_date("15/03/24") is None  # 2024-03-15 or 2015-03-24


def test_the_zone_of_the_machine_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        for spelled in ("2024-03-05 10:00:01", "5 mars 2024 10:00:01", 1709632801):
            assert parse_date(spelled) == TEN + timedelta(seconds=1)
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(1000, 1, 3), datetime(2999, 12, 30)), st.integers(-1439, 1439))
def test_iso_dates_are_read_back(clock: datetime, minutes: int) -> None:
    moment = clock.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(moment.isoformat()) == moment


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("0123456789/-.: TZ+Marjno,é"), max_size=30))
def test_no_text_raises_and_every_date_lies_in_bounds(text: str) -> None:
    read = parse_date(text)
    assert read is None or 1000 <= read.year <= 3000
