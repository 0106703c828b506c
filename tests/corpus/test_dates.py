from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.corpus.dates.moments import (
    AGO,
    BEYOND,
    FILLER,
    NO_DAY,
    RELATIVE,
    RESOLVED,
    TWO_DAYS,
    UNREADABLE,
    ZONE,
    DateChoices,
)
from newsnest.corpus.dates.parse import parse_date, read_date

DAY = datetime(2024, 3, 5, tzinfo=UTC)
TEN = DAY + timedelta(hours=10)


@pytest.mark.parametrize(
    "spelled",
    ["2024-03-05", "20240305", 20240305, "2024/03/05", "2024.3.5", "05.03.2024", "5 March 2024",
     "March 5, 2024", "Mar 5th, 2024", "Tuesday, March 5, 2024", "5-Mar-2024", "5 mars 2024",
     "mardi 5 mars 2024", "5 de marzo de 2024", "martes, 5 de marzo de 2024", "5. März 2024",
     "5 marzo 2024", "2024年3月5日", "2024-065", "2024-W10-2", "05.03.24", "le 5 mars 2024",
     "2024. március 5.", "5 Mart 2024 Salı", "5 марта 2024 г.",
     "Tuesday 05/03/2024", "Di, 05.03.2024", "Di. 5.3.2024", "ma 05/03/2024", "mardi 05/03/2024",
     "Tue 03/05/2024",
     "15 اسفند ۱۴۰۲", "令和6年3月5日",
     date(2024, 3, 5), 1709596800, "1709596800",
     Decimal(1709596800)],
)  # fmt: skip
def test_a_day_is_read_in_the_usual_spellings(spelled: object) -> None:
    assert parse_date(spelled) == DAY


@pytest.mark.parametrize(
    "spelled",
    ["2024-03-05T10:00:00Z", "2024-03-05 10:00", "2024-03-05T11:00:00+01:00", "20240305T100000",
     "2024-03-05T10:00:00.000Z", "Tue, 05 Mar 2024 10:00:00 GMT", "05 Mar 2024 03:00:00 PDT",
     "Tue, 05 Mar 2024 11:00:00 +0100", "Tue, 05 Mar 2024 11:00:00 CET", "20240305100000",
     "5 mars 2024 à 10h00", "March 5, 2024 10:00 AM", "05.03.2024 10:00", "2024/03/05 10:00:00",
     "Tue Mar 05 10:00:00 +0000 2024", "20240305T100000Z", "1709632800.0", "/Date(1709632800000)/",
     "Tue Mar 05 2024 11:00:00 GMT+0100 (Central European Standard Time)", "10:00, 5 March 2024",
     "2024-03-05T11:00:00+01:00[Europe/Paris]", "Tue, 05 Mar 2024 11:00:00 +0100 (CET)",
     "5. März 2024, 10.00 Uhr", "Updated: March 5, 2024 10 a.m.", "2024-03-05 10:00:00 +0000 UTC",
     "2024年3月5日 上午10时00分", "05/03/2024 um 10 Uhr", "1709632800000000000",
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
     "2024-02-30", "31.02.2024", "0", 0, "0000-00-00 00:00:00",
     "1970-01-01T00:00:00Z", "1/1/0001 12:00:00 AM", datetime(1, 1, 1), "1402/12/15", "05/03/2567",
     "5 มี.ค. 67", "31 اسفند 1402", "30 اسفند 1402", "1 Farvardin 1403", "5 March 2024 or 6",
     44927, "44927", 3.5, "n/a", "1599-12-31", "2201-01-01",
     "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", True, None, [2024], float("nan"),
     float("inf"), 1e300, 10**400, "9" * 20, "x" * 200, "2024-W03", "1/2/3/4", "25:61 5/6/2024",
     "5/5/2024 13:00 PM", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))],
)  # fmt: skip
def test_what_is_not_a_whole_date_is_not_guessed(spelled: object) -> None:
    assert parse_date(spelled) is None


def test_three_numbers_are_read_only_where_their_order_is_certain() -> None:
    assert parse_date("03/04/2024") is None
    assert read_date("03/04/2024").kind == TWO_DAYS
    assert read_date("soon").kind == UNREADABLE
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
@given(st.datetimes(datetime(1600, 1, 3), datetime(2200, 12, 30)), st.integers(-1439, 1439))
def test_iso_dates_are_read_back(clock: datetime, minutes: int) -> None:
    moment = clock.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(moment.isoformat()) == (moment if moment.timestamp() else None)


CASES = [
    ("Tue, 05 Mar 2024 10:00:00 IST", TEN, ZONE),
    ("Fri, 05 Jul 2024 10:00:00 BST", datetime(2024, 7, 5, 10, tzinfo=UTC), ZONE),
    ("2024-03-05 10:00:00 CST", TEN, ZONE),
    ("2024-03-05 10:00:00 AWST", TEN - timedelta(hours=8), ""),
    ("Tue, 05 Mar 2024 10:00:00 AEST", DAY, ""),
    ("2024-03-05 10:00 PKT", TEN - timedelta(hours=5), ""),
    ("2024-03-05 10:00 WAT", TEN - timedelta(hours=1), ""),
    ("Tue, 05 Mar 2024 10:00:00 CET", TEN - timedelta(hours=1), ""),
    ("Tue, 05 Mar 2024 10:00:00 EET", TEN - timedelta(hours=2), ""),
    ("Tue, 05 Mar 2024 10:00:00 PST", TEN, ZONE),
    ("2024-03-05T10:00:00[Europe/Oslo]", TEN - timedelta(hours=1), ""),
    ("2024-07-05 10:00:00 Europe/Oslo", datetime(2024, 7, 5, 8, tzinfo=UTC), ""),
    ("2024-03-05 10:00:00 JST", TEN - timedelta(hours=9), ""),
    ("March 5, 2024 at 10:00 a.m. PT", TEN, ZONE),
    ("March 5, 2024 at 10:00 a.m. Eastern Time", TEN, ZONE),
    ("05/03/2024 às 10h00", TEN, ""),
    ("Publié le 05/03/2024 à 10h00", TEN, ""),
    ("mis à jour le 5 mars 2024 à 10h00", TEN, ""),
    ("Thứ ba, 5/3/2024, 10:00 (GMT+7)", TEN - timedelta(hours=7), ""),
    ("٥ مارس ٢٠٢٤", DAY, ""),
    ("5 มีนาคม 2567", DAY, ""),
    ("15 اسفند 1402", DAY, ""),
    ("2024.03.05. 오전 10:00", TEN, ""),
    ("Di., 5. März 2024, 10:00 Uhr MEZ", TEN - timedelta(hours=1), ""),
    ("5 mars 2024 CST", DAY, ""),
    ("5 mars 2024 at noon CST", None, UNREADABLE),
    ("2024.03.05. 오후 10:00", TEN + timedelta(hours=12), ""),
    ("民國113年3月5日", DAY, ""),
    ("2 hours ago", None, RELATIVE),
    ("3024-03-05", None, BEYOND),
    ("5-Mar-24", DAY, ""),
    ("25.03.24", datetime(2024, 3, 25, tzinfo=UTC), ""),
    ("March 2024", None, NO_DAY),
    ("2024-03", None, NO_DAY),
    (2024, None, NO_DAY),
    ("0000-00-00", None, FILLER),
    (0, None, FILLER),
    ("soon", None, UNREADABLE),
    ("03/04/2024", None, TWO_DAYS),
]


@pytest.mark.parametrize(("spelled", "moment", "kind"), CASES)
def test_a_date_says_how_it_was_read(spelled: object, moment: datetime | None, kind: str) -> None:
    assert read_date(spelled) == (moment, kind)


@pytest.mark.parametrize(
    ("spelled", "zone", "hour", "kind"),
    [("2024-03-05 10:00 IST", "Asia/Kolkata", 4.5, RESOLVED),
     ("2024-03-05 10:00 IST", "Asia/Jerusalem", 8, RESOLVED),
     ("2024-07-05 10:00 IST", "Europe/Dublin", 9, RESOLVED),
     ("2024-03-05 10:00 CST", "Asia/Shanghai", 2, RESOLVED),
     ("2024-03-05 10:00 CST", "America/New_York", 16, RESOLVED),
     ("2024-03-05 10:00 PT", "America/New_York", 18, RESOLVED),
     ("2024-07-05 10:00 ET", "America/New_York", 14, RESOLVED),
     ("2024-07-05 10:00 BST", "Europe/London", 9, RESOLVED),
     ("2024-03-05 12:00 EDT", "Australia/Sydney", 1, RESOLVED),
     ("2024-07-05 10:00 MT", "America/New_York", 14, ZONE),  # Arizona keeps its time
     ("2024-03-05 10:00 IST", "Europe/Paris", 9, ZONE),
     ("2024-03-05 10:00", "Europe/Paris", 9, ""),
     ("2024-07-05T10:00:00", "Europe/Paris", 8, ""),
     ("2024-03-05T10:00:00Z", "Europe/Paris", 10, ""),
     (datetime(2024, 3, 5, 10), "Europe/Paris", 9, ""),
     (1709632800, "Europe/Paris", 10, ""),
     ("2024-03-05", "Asia/Tokyo", 0, ""),
     ("5 March 2024", "America/New_York", 0, "")],
)  # fmt: skip
def test_a_chosen_zone_reads_times_without_one_and_the_letters_of_its_country(
    spelled: object, zone: str, hour: float, kind: str
) -> None:
    read = read_date(spelled, DateChoices(zone=zone))
    assert read.moment is not None
    midnight = read.moment.replace(hour=0, minute=0)
    assert (read.moment - midnight, read.kind) == (timedelta(hours=hour), kind)
    assert read.moment.day == 5


@pytest.mark.parametrize(
    ("spelled", "hours"),
    [("2 hours ago", 2), ("2h ago", 2), ("il y a 2 heures", 2), ("vor 3 Stunden", 3), ("now", 0),
     ("hace 5 minutos", 5 / 60), ("2 giorni fa", 60), ("yesterday", 36), ("hier", 36),
     ("gestern", 36), ("3 часа назад", 3), ("2小时前", 2), ("٢ hours ago", 2), ("3日前", 84)],
)  # fmt: skip
def test_relative_dates_are_counted_from_a_moment(spelled: str, hours: float) -> None:
    noon = DAY + timedelta(hours=12)
    read = read_date(spelled, DateChoices(reference=noon))
    assert read == (noon - timedelta(hours=hours), AGO)
    assert read_date(spelled) == (None, RELATIVE)


@pytest.mark.parametrize("spelled", ["in 3 days", "tomorrow", "ago", "x" * 41 + " ago"])
def test_what_is_yet_to_come_is_no_date(spelled: str) -> None:
    assert read_date(spelled, DateChoices(reference=TEN)).moment is None


def test_persian_years_begin_when_they_do() -> None:
    # From the calendar of Iran: the first of Farvardin, which ends a year of 365 or 366 days.
    for year, day in ((1375, 20), (1376, 21), (1399, 20), (1400, 21), (1403, 20), (1404, 21)):
        first = datetime(year + 621, 3, day, tzinfo=UTC)
        assert parse_date(f"1 فروردین {year}") == first
        last = "30" if year in (1376, 1400, 1404) else "29"
        assert parse_date(f"{last} اسفند {year - 1}") == first - timedelta(days=1)


FORMS = st.sampled_from(
    ["%d %B %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT", "%B %d, %Y, %I:%M:%S %p",
     "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%a %b %d %H:%M:%S +0000 %Y", "%Y%m%d%H%M%S",
     "%d-%b-%Y %H:%M:%S UTC",
     "%Y-%m-%d %H:%M:%S Z", "%A %d %B %Y at %H:%M:%S", "%Y年%m月%d日 %H:%M:%S"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2068, 12, 30)), FORMS)
def test_every_form_is_read_back(clock: datetime, form: str) -> None:
    moment = clock.replace(microsecond=0, tzinfo=UTC)
    assert parse_date(moment.strftime(form)) == moment


PARTS = (
    "5 03 2024 1402 Mar mars มีนาคม اسفند 年 月 民國 10:00 10h pm 오전 IST GMT+7 +0100 "
    "[Europe/Oslo] (CET) / . - , ago hier le at ٥ ² Ⅳ 99 T Z"
)
MIXTURES = st.lists(st.sampled_from(PARTS.split()), max_size=9).map(" ".join)
ZONES = st.sampled_from([None, "Europe/Paris", "America/New_York"])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=40), MIXTURES), ZONES)
def test_no_mixture_of_parts_raises(text: str, zone: str | None) -> None:
    read = read_date(text, DateChoices(zone=zone, reference=TEN))
    assert read.moment is None or 1600 <= read.moment.year <= 2200
    assert read == read_date(text, DateChoices(zone=zone, reference=TEN))


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("0123456789/-.: TZ+Marjno,é"), max_size=30))
def test_no_text_raises_and_every_date_lies_in_bounds(text: str) -> None:
    read = parse_date(text)
    assert read is None or 1600 <= read.year <= 2200
