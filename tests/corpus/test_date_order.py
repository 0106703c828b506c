"""A file's own dates say in which order its numbers stand; what they do not say is not guessed."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.corpus.dates.orders import Evidence, open_date

from .reading import Got, read, read_bytes

ROWS = ["03/04/2024", "25/04/2024", "05/04/2024 10:30", "2024-03-05"]
READ = ["2024-04-03", "2024-04-25", "2024-04-05", "2024-03-05"]


def read_dates(folder: Path, *spelled: str, **options: object) -> Got:
    """Read a table with these dates, a row each, from line 2 on."""
    rows = "".join(f'title {n},"{date}"\n' for n, date in enumerate(spelled))
    return read_bytes(folder, "a.csv", f"title,date\n{rows}".encode(), **options)


def days(got: Got) -> list[str]:
    return [str(article.date)[:10] for article in got.articles]


def test_one_date_that_can_be_read_one_way_settles_all_before_and_after(tmp_path: Path) -> None:
    got = read_dates(tmp_path, *ROWS)
    assert days(got) == READ
    (notice,) = got.notices
    assert notice.message == (
        "2 ambiguous dates were read as DMY, because the file has '25/04/2024' in "
        "line 3, first '03/04/2024' at line 2"
    )
    american = read_dates(tmp_path, "03/04/2024", "04/25/2024")
    assert days(american) == ["2024-03-04", "2024-04-25"]
    assert "1 ambiguous date was read as MDY, because" in american.notices[0].message


def test_a_file_with_both_orders_leaves_them_out_and_says_why(tmp_path: Path) -> None:
    got = read_dates(tmp_path, "03/04/2024", "25/04/2024", "04/26/2024")
    assert days(got) == ["None", "2024-04-25", "2024-04-26"]
    (notice,) = got.notices
    assert notice.message == (
        "1 date is ambiguous and was left out: the file has '25/04/2024' in line 3 and "
        "'04/26/2024' in line 4 (set --date-order), "
        "first '03/04/2024' at line 2"
    )


@pytest.mark.parametrize(
    "other",
    ["25-04-2024", "25.04.2024", "25/04/24", "5/5/2024", "45/99/2024", "25 April 2024", "soon"],
)
def test_what_is_written_otherwise_settles_nothing(tmp_path: Path, other: str) -> None:
    got = read_dates(tmp_path, "03/04/2024", other)
    assert got.articles[0].date is None
    assert any(" left out (set" in notice.message for notice in got.notices)


def test_another_column_or_file_settles_nothing(tmp_path: Path) -> None:
    two = b"title,published,updated\na,03/04/2024,25/04/2024\nb,,25/04/2024\n"
    assert days(read_bytes(tmp_path, "two.csv", two)) == ["None", "2024-04-25"]
    (tmp_path / "one.csv").write_text("title,date\na,03/04/2024\n")
    (tmp_path / "other.csv").write_text("title,date\nb,25/04/2024\n")
    got = read([tmp_path / "one.csv", tmp_path / "other.csv"])
    assert days(got) == ["None", "2024-04-25"]


def test_a_short_year_is_settled_only_when_one_order_of_three_is_left(tmp_path: Path) -> None:
    assert days(read_dates(tmp_path, "03/04/24", "25/04/24"))[0] == "None"  # or 2025-04-24
    got = read_dates(tmp_path, "03/04/24", "25/04/24", "5/04/24")  # no year is written "5"
    assert days(got) == ["2024-04-03", "2024-04-25", "2024-04-05"]
    assert "has '25/04/24' in line 3 and '5/04/24' in line 4" in got.notices[0].message


def test_an_order_that_is_said_wins(tmp_path: Path) -> None:
    got = read_dates(tmp_path, *ROWS, date_order="MDY")
    assert days(got) == ["2024-03-04", "2024-04-25", "2024-05-04", "2024-03-05"]
    assert got.notices == []


def test_a_row_set_aside_still_says_how_dates_are_written(tmp_path: Path) -> None:
    content = b'{"title": "a", "date": "03/04/2024"}\n{"date": "25/04/2024"}\n{"da\n'
    got = read_bytes(tmp_path, "a.jsonl", content)
    assert (days(got), len(got.rejected)) == (["2024-04-03"], 2)


@pytest.mark.parametrize("kind", ["csv.gz", "json", "jsonl", "parquet"])
def test_every_format_with_columns_is_looked_through(tmp_path: Path, kind: str) -> None:
    rows = [{"title": f"title {n}", "date": text} for n, text in enumerate(ROWS)]
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "csv.gz":
        with gzip.open(path, "wt", newline="") as file:
            writer = csv.DictWriter(file, ["title", "date"])
            writer.writeheader()
            writer.writerows(rows)
    else:
        objects = ",\n".join(str(row).replace("'", '"') for row in rows)
        path.write_text(f"[{objects}]" if kind == "json" else objects.replace(",\n", "\n"))
    assert days(read(path)) == READ


def test_a_date_tells_what_it_leaves_open() -> None:
    for text in ("2024/03/05", "03.04.2024", "5 March 2024", "31/31/2024", "x" * 200, ""):
        assert open_date(text) is None
    date = open_date(" 03/04/2024 | 10:00")
    assert date is not None
    assert (date.spelled, date.form, date.orders) == ("03/04/2024", "/4", date.all_orders)
    evidence = Evidence(date.all_orders)
    evidence.add(date, 7)
    assert (len(evidence.orders), evidence.dates) == (2, [])


DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))


@settings(max_examples=40, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]))
def test_a_file_in_one_order_is_never_read_wrongly(
    tmp_path_factory: pytest.TempPathFactory, written: list[date], form: str
) -> None:
    folder = tmp_path_factory.mktemp("dates")
    got = read_dates(folder, *(day.strftime(form) for day in written))
    settled = any(day.day > 12 for day in written)
    for article, day in zip(got.articles, written, strict=True):
        meant = datetime(day.year, day.month, day.day, tzinfo=UTC)
        assert article.date in ((meant,) if settled else (meant, None))
        assert article.date is None or article.date - meant == timedelta()
