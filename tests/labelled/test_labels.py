"""Label files in every format, and every way they can be wrong."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsnest.errors import InputError
from newsnest.labelled import join_labels, read_labels

ROWS = [
    {"id": "1", "story": "a", "theme": 3},
    {"id": "2", "story": None, "theme": 4},
    {"id": "é", "story": "b, c", "theme": 3},
]
WANTED = {"1": ("a", "3"), "2": (None, "4"), "é": ("b, c", "3")}


def _text(kind):
    if kind == ".jsonl":
        return "\n".join(json.dumps(row) for row in ROWS) + "\n\n"
    mark = "," if kind == ".csv" else "\t"
    return f'id{mark}story{mark}theme\n1{mark}a{mark}3\n2{mark}{mark}4\né{mark}"b, c"{mark}3\n'


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".tsv"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_formats_read_alike_packed_or_not(tmp_path, kind, packed, mark):
    content = (mark + _text(kind)).encode()
    file = tmp_path / f"gold{kind}{'.gz' if packed else ''}"
    file.write_bytes(gzip.compress(content) if packed else content)
    assert read_labels(file, ["story", "theme"]) == WANTED


def test_parquet_reads_like_the_others_with_whole_numbers_in_floats(tmp_path):
    table = pa.table(
        {
            "id": ["1", "2", "é"],
            "story": ["a", None, "b, c"],
            "theme": pa.array([3.0, 4.0, 3.0], pa.float64()),
        }
    )
    pq.write_table(table, tmp_path / "gold.parquet")
    assert read_labels(str(tmp_path / "gold.parquet"), ["story", "theme"]) == WANTED


def test_fields_that_only_some_rows_have_are_none_elsewhere(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"key": 7, "theme": "t"}\n{"key": 8}\n{"key": 9, "theme": NaN}\n')
    assert read_labels(file, ["theme"], id_field="key") == {
        "7": ("t",),
        "8": (None,),
        "9": (None,),
    }


def test_a_field_may_be_longer_than_the_csv_module_allows_by_default(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(f"id,text,story\n1,{'x' * 200_000},a\n")
    assert read_labels(file, ["story"]) == {"1": ("a",)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", "", r"labels are read from \.jsonl, \.csv, \.tsv, \.parquet"),
        ("a.parquet.gz", "", "labels are read from"),
        ("a.parquet", "no parquet", "cannot be read"),
        ("a.jsonl.gz", "not packed", "cannot be read"),
        ("a.jsonl", '{"id": 1}\n{"id"', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", '{"id": "x\n', r"line 1: not JSON \(Unterminated string starting at charact"),
        ("a.jsonl", f'{{"id": {"9" * 5000}}}', "line 1: not JSON"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("a.jsonl", "[1]", "line 1: not a JSON object but list"),
        ("a.jsonl", '{"story": "a"}', 'line 1: the row has no "id".*its fields are story'),
        ("a.jsonl", '{"id": 1}\n{"id": "1"}', 'line 2: the id "1" stands there twice'),
        (
            "a.jsonl",
            '{"id": 1, "topic": 2}',
            'no row has the field "story". Choose among id, topic',
        ),
        ("a.jsonl", "", 'no row has the field "story". The file has no rows'),
        ("a.jsonl", '{"id": 1, "story": ["a"]}', 'line 1: the field "story" holds a list'),
        ("a.csv", "id,story\n1,a,b\n", "line 2: more values than the header has fields"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line_and_cure(
    tmp_path, name, content, message
):
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        read_labels(file, ["story"])


def test_files_that_cannot_be_opened_or_decoded_are_named(tmp_path):
    for name in ("gone.csv", "gone.nest"):
        with pytest.raises(InputError, match=rf"{name}: cannot be read \(No such file"):
            read_labels(tmp_path / name, ["story"])
    (tmp_path / "latin.csv").write_bytes("id,story\n1,é\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.csv, line 2: not UTF-8\. Convert it to UTF-8"):
        read_labels(tmp_path / "latin.csv", ["story"])
    (tmp_path / "wide.csv").write_bytes("id,story\n1,é\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"wide\.csv, line 1: not UTF-8 but UTF-16"):
        read_labels(tmp_path / "wide.csv", ["story"])
    packed = bytearray(gzip.compress(b"id,story\n1,a\n" * 99))
    packed[12:16] = b"\xff" * 4
    (tmp_path / "broken.csv.gz").write_bytes(packed)
    with pytest.raises(InputError, match=r"broken\.csv\.gz: cannot be read \(Error -3"):
        read_labels(tmp_path / "broken.csv.gz", ["story"])


def test_csv_that_the_reader_refuses_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("newsnest.evaluate.rows.sys.maxsize", 10)
    (tmp_path / "x.csv").write_text("id,story\n1,a very long label\n")
    with pytest.raises(InputError, match="not readable as CSV"):
        read_labels(tmp_path / "x.csv", ["story"])


def test_joining_keeps_shared_ids_in_order_and_counts_the_rest():
    joined = join_labels(
        {"3": ("c",), "1": ("a",), "9": ("z",)}, {"1": ("A",), "3": ("C",), "4": ("D",)}
    )
    assert joined.ids == ("3", "1")
    assert joined.left == (("c",), ("a",))
    assert joined.right == (("C",), ("A",))
    assert (joined.only_left, joined.only_right) == (1, 1)
