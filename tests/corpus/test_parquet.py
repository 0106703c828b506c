"""Parquet tables as archives write them, and such as no one should."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from newsnest.corpus import clean_files, load_profile

from .reading import Got, read

FAR = 2**30  # days beyond the years that Python knows


def got(folder: Path, columns: dict[str, Any], **how: Any) -> Got:
    parquet.write_table(pa.table(columns), folder / "a.parquet", **how)
    return read(folder / "a.parquet")


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([FAR, 19_787], pa.date32()),
        pa.array([FAR * 86_400_000, 19_787 * 86_400_000], pa.date64()),
        pa.array([FAR, 19_787], pa.date32()).dictionary_encode(),
        pa.array([2**62, 1_709_596_800_000], pa.timestamp("ms")),
        pa.array([None, Decimal(1_709_596_800)], pa.decimal256(70, 0)),
    ],
    ids=["date32", "date64", "dictionary", "timestamp", "decimal256"],
)
def test_a_date_beyond_pythons_years_costs_only_itself(tmp_path: Path, dates: Any) -> None:
    read = got(tmp_path, {"title": ["a", "b"], "date": dates})
    assert [one.date and one.date.date().isoformat() for one in read.articles] == [
        None,
        "2024-03-05",
    ]


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([2**62, 5], pa.duration("s")),
        pa.array([2**62 + 1, 5], pa.duration("ns")),
        pa.array([123_456_789_012_345, 5], pa.time64("ns")),
        pa.array([5, None], pa.time32("s")),
        pa.nulls(2),
    ],
    ids=["duration", "nanoseconds", "time", "time32", "null"],
)
def test_what_is_no_date_costs_no_article(tmp_path: Path, dates: Any) -> None:
    read = got(tmp_path, {"title": ["a", "b"], "date": dates})
    assert read.counts == (2, 0)
    assert {one.date for one in read.articles} == {None}


def test_a_member_of_a_struct_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path) -> None:
    kind = pa.struct([("name", pa.string()), ("since", pa.date32())])
    outlets = pa.array([{"name": "Harbour Post", "since": FAR}, None], kind)
    read = got(tmp_path, {"title": ["a", "b"], "source": outlets})
    assert [one.source for one in read.articles] == ["Harbour Post", ""]


def test_columns_of_lists_maps_and_bytes_are_read(tmp_path: Path) -> None:
    columns = {
        "title": pa.array(["é".encode(), b"b"], pa.large_binary()),
        "text": pa.array([["only"], None], pa.large_list(pa.large_string())),
        "days": pa.array([[FAR], None], pa.list_(pa.date32())),
        "more": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
        "id": pa.array([Decimal(10) ** 60, None], pa.decimal256(70, 0)),
    }
    read = got(tmp_path, columns)
    assert [(one.title, one.text) for one in read.articles] == [("é", "only"), ("b", "")]
    assert read.articles[0].id == "1" + "0" * 60


def test_clean_reads_such_columns_too(tmp_path: Path) -> None:
    title = ["A title that is long enough", "Another one of that kind"]
    columns = {"title": title, "text": title, "date": pa.array([FAR, 5], pa.date32())}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    report = clean_files(
        [tmp_path / "a.parquet"], load_profile("generic"), output=tmp_path / "out.jsonl"
    )
    assert (report.rows, report.rejected) == (2, 0)


def test_a_small_table_that_unpacks_to_gigabytes_is_left_out_in_time(tmp_path: Path) -> None:
    one = pa.array([0] * 100, pa.int32())
    column = pa.DictionaryArray.from_arrays(one, pa.array(["x" * 1_000_000]))
    read = got(tmp_path, {"title": column}, compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    assert len(read.articles) == 67
    assert read.rejected[-1].line == 68
    assert "it unpacks to more than 1,000 times its size" in read.reasons
    again = {"title": ["y" * 1_000_000] * 70}
    encoding: dict[str, Any] = {
        "use_dictionary": False,
        "column_encoding": {"title": "DELTA_BYTE_ARRAY"},
    }
    assert len(got(tmp_path, again, compression="zstd", **encoding).rejected) == 1


def test_a_table_of_one_value_that_unpacks_to_far_more_is_not_opened(tmp_path: Path) -> None:
    columns = {"title": ["a"], "text": ["y" * 70_000_000]}
    read = got(tmp_path, columns, compression="zstd", use_dictionary=False)
    assert read.counts == (0, 1)
    assert "a column of the table unpacks to 70,000," in read.reasons
