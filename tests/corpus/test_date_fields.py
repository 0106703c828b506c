"""What is said of the dates of a file: left out, resolved, counted from a moment, far away."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsnest.corpus import Notice, ReadOptions, tell_strays
from newsnest.corpus.columns import Columns
from newsnest.corpus.dates.fields import DateReader
from newsnest.corpus.dates.moments import DateChoices
from newsnest.corpus.dates.orders import DateOrders
from newsnest.corpus.rows import Row, Tally
from newsnest.errors import ParameterError
from newsnest.types import Article

from .reading import Got, read, read_bytes

DAY = datetime(2024, 3, 5, tzinfo=UTC)


def read_dates(folder: Path, *spelled: object, **options: object) -> Got:
    rows = [{"title": f"title {n}", "date": date} for n, date in enumerate(spelled)]
    return read_rows(folder, *rows, **options)


def read_rows(folder: Path, *rows: dict[str, object], **options: object) -> Got:
    content = "\n".join(json.dumps(row) for row in rows)
    return read_bytes(folder, "a.jsonl", content.encode(), **options)


def said(got: Got) -> list[str]:
    return [notice.message for notice in got.notices]


def test_letters_of_several_zones_are_counted_and_the_time_is_kept(tmp_path: Path) -> None:
    spelled = ("Tue, 05 Mar 2024 10:00:00 IST", "2024-03-05 10:00 CST", "2024-03-05 10:00 CET")
    got = read_dates(tmp_path, *spelled)
    assert [article.date and article.date.hour for article in got.articles] == [10, 10, 9]
    assert said(got) == [
        "2 times with an ambiguous time zone were read as UTC (set --time-zone), "
        "first 'Tue, 05 Mar 2024 10:00:00 IST' at line 1"
    ]
    got = read_dates(tmp_path, *spelled, time_zone="Asia/Kolkata")
    assert [article.date and article.date.hour for article in got.articles] == [4, 4, 9]
    first, second = said(got)
    assert first.startswith(
        "1 time with an ambiguous time zone was read as in the country of Asia/Kolkata"
    )
    assert second.startswith("1 time with an ambiguous time zone was read as Asia/Kolkata (")


def test_a_zone_must_be_known_and_a_reference_have_one() -> None:
    for name in ("Paris", "IST", "Europe/Nowhere", "/etc/passwd", "Europe/../../etc/passwd"):
        with pytest.raises(ParameterError, match="time_zone must be an IANA name .*, got "):
            ReadOptions(time_zone=name)
    assert ReadOptions(time_zone="UTC").time_zone == "UTC"
    with pytest.raises(ParameterError, match="reference_date must have a time zone, got 2024"):
        ReadOptions(reference_date=datetime(2024, 3, 5))


def test_relative_dates_are_counted_from_when_a_row_was_read(tmp_path: Path) -> None:
    row: dict[str, object] = {"title": "a", "date": "2 hours ago"}
    got = read_rows(tmp_path, row)
    assert said(got)[0].startswith(
        "1 date is relative and was left out (set --reference-date), first '2 hours"
    )
    got = read_rows(tmp_path, row, reference_date=DAY)
    assert got.articles[0].date == DAY - timedelta(hours=2)
    assert said(got)[0].startswith("1 relative date was counted from --reference-date, first")
    row |= {"crawled_at": "2024-03-04T12:00"}
    assert read_rows(tmp_path, row, reference_date=DAY).articles[0].date == got.articles[0].date
    got = read_rows(tmp_path, row)
    assert got.articles[0].date == DAY - timedelta(hours=14)
    assert said(got)[0].startswith("1 relative date was counted from the column crawled_at, first")
    assert read_rows(tmp_path, row | {"crawled_at": "soon"}).articles[0].date is None


def test_a_parquet_table_says_when_a_row_was_read(tmp_path: Path) -> None:
    row = {"title": "a", "date": "2 hours ago", "Crawled At": datetime(2024, 3, 5, 12)}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").articles[0].date == DAY + timedelta(hours=10)


def test_days_of_a_spreadsheet_are_read_where_all_numbers_are_such(tmp_path: Path) -> None:
    got = read_dates(tmp_path, 45356, "45356.5", "2024-03-05", 45000.25)
    hours = [
        (article.date - DAY).total_seconds() / 3600 for article in got.articles if article.date
    ]
    assert hours == [0, 12, 0, -356 * 24 + 6]
    assert said(got)[0].startswith("3 numbers were read as days of a spreadsheet, first '45356'")
    got = read_dates(tmp_path, 45356, 12)
    assert [article.date for article in got.articles] == [None, None]
    assert said(got)[0].startswith("2 dates could not be read and were left out")
    got = read_rows(
        tmp_path, {"title": "a", "date": "", "created": 45356}, {"title": "b", "date": 7}
    )
    assert got.articles[0].date == DAY  # another column


@pytest.mark.parametrize("date", ["soon", "12", "45356 days", 80_000, "1 hour ago", "2024-03-05"])
def test_a_file_is_not_read_again_for_what_it_cannot_settle(date: object) -> None:
    def unread() -> list[Row]:
        raise AssertionError("read again")

    row, orders = Row("a.csv", 1, {"date": date}, None), DateOrders(unread, Columns({}))
    DateReader(DateChoices()).read(row, "date", date, orders, Tally("a.csv"))


def test_each_reason_to_leave_a_date_out_is_counted_apart(tmp_path: Path) -> None:
    got = read_dates(
        tmp_path, "0000-00-00", "1970-01-01T00:00:00Z", "2024", "March 2024", "3024-03-05", "soon",
        "1970-01-01",
    )  # fmt: skip
    assert [article.date is None for article in got.articles] == [True] * 6 + [False]
    counts = [message.partition(", first")[0] for message in said(got)]
    assert counts == [
        "2 dates are fillers, such as 0000-00-00 or the first second of 1970, and were left out",
        "2 dates name no day and were left out",
        "1 date is not between 1600 and 2200 and was left out",
        "1 date could not be read and was left out",
    ]


def strays(*days: float) -> list[str]:
    articles = [Article(f"{n}", "a", date=DAY + timedelta(days=d)) for n, d in enumerate(days)]
    told = list(tell_strays([*articles, Article("x", "undated")], "a.csv"))
    assert told[: len(articles)] == articles
    notices = [item for item in told if isinstance(item, Notice)]
    assert all(notice.file == "a.csv" for notice in notices)
    return [notice.message for notice in notices]


def test_dates_far_from_all_others_are_told() -> None:
    week = [n / 4 for n in range(28)]
    assert strays(*week) == strays(*week, -300, 300) == strays(0, 9999) == strays() == []
    assert strays(*week, -19700) == [
        "1 of 29 dates lies far from the others, which are from 2024-03-05 to 2024-03-11, first "
        "1970-03-29 of '28'"
    ]
    assert strays(*week, 27000, -19700)[0].startswith("2 of 30 dates lie far from the others")
    (told,) = strays(*week * 10, 27000, 27001)
    assert "2 of 282 dates lie far" in told
    assert "2098-02-06 of '281'" in told


def test_an_archive_of_many_years_has_no_strays_of_a_few_years() -> None:
    years = [n * 30.0 for n in range(120)]
    assert strays(*years, -365 * 20) == []
    assert strays(*years, -365 * 60)[0].startswith("1 of 121 dates lies far")


def test_the_order_of_rows_does_not_change_what_is_told() -> None:
    days = (0.0, 1.0, 2.0, 3.0, 4.0, -9999.0)
    told = {strays(*order)[0].partition(", first")[0] for order in itertools.permutations(days)}
    assert len(told) == 1
