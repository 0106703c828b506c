"""Label files in every format, and every way they can be wrong."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsnest.errors import InputError
from newsnest.labelled import join_labels, read_labels, read_levels

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
        ("a.xml", "", r"labels are read from files with columns, \.jsonl, .*\.parquet, .*got xml"),
        ("a.parquet.gz", "", r"a\.parquet\.gz: is not a readable Parquet file"),
        ("a.parquet", "no parquet", r"a\.parquet: is not a readable Parquet file"),
        (
            "a.jsonl.gz",
            "not packed",
            "line 1: the file breaks off after 0 readable bytes: Not a gz",
        ),
        ("a.jsonl", '{"id": 1}\n{"id"', r"a\.jsonl, line 2: is not valid JSON"),
        (
            "a.jsonl",
            '{"id": "x\n',
            r"line 1: is not valid JSON: Unterminated string starting at charact",
        ),
        ("a.jsonl", f'{{"id": {"9" * 5000}}}', "line 1: is not valid JSON"),
        ("a.jsonl", "[" * 100_000, "line 1: is not valid JSON: nested too deeply. Correct the row"),
        ("a.jsonl", "[1]", "line 1: is a number, expected an object"),
        ("a.jsonl", '{"story": "a"}', 'no row has the field "id". Choose among story'),
        ("a.jsonl", '{"id": 1, "story": 2}\n{"id": "1"}', 'line 2: the id "1" occurs twice'),
        (
            "a.jsonl",
            '{"id": 1, "topic": 2}',
            'no row has the field "story". Choose among id, topic',
        ),
        ("a.jsonl", "", 'no row has the field "id". The file has no rows'),
        (
            "a.jsonl",
            '{"id": 1, "story": ["a"]}',
            'line 1: the field "story" holds a list. Give one value',
        ),
        (
            "a.csv",
            "id,story\n1,a,b\n",
            "line 2: has 3 values where the header has 2 columns. Correct",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line_and_cure(
    tmp_path, name, content, message
):
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        read_labels(file, ["story"])


def test_files_that_cannot_be_opened_are_named(tmp_path):
    for name in ("gone.csv", "gone.nest"):
        with pytest.raises(InputError, match=rf"{name} must exist, got no such file"):
            read_labels(tmp_path / name, ["story"])
    with pytest.raises(InputError, match="labels are read from files .*got a directory"):
        read_labels(tmp_path, ["story"])
    packed = bytearray(gzip.compress(b"id,story\n1,a\n" * 99))
    packed[12:16] = b"\xff" * 4
    (tmp_path / "broken.csv.gz").write_bytes(packed)
    with pytest.raises(
        InputError, match=r"broken\.csv\.gz, line 1: the file breaks off .*Error -3"
    ):
        read_labels(tmp_path / "broken.csv.gz", ["story"])


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_other_encodings_are_read_and_a_guess_is_reported(tmp_path, encoding, tally):
    (tmp_path / "x.csv").write_bytes("id,story\n1,é\n".encode(encoding))
    assert read_labels(tmp_path / "x.csv", ["story"], progress=tally) == {"1": ("é",)}
    guessed = any("1 line is not UTF-8 and was read as Windows-1252" in n for n in tally.notes)
    assert guessed == (encoding == "latin-1")


def test_a_row_without_an_id_is_named(tmp_path):
    (tmp_path / "x.csv").write_text("id,story\n1,a\n,b\n")
    with pytest.raises(InputError, match='line 3: the row has no "id". Give every row one'):
        read_labels(tmp_path / "x.csv", ["story"])


def test_joining_keeps_shared_ids_in_order_and_counts_the_rest():
    joined = join_labels(
        {"3": ("c",), "1": ("a",), "9": ("z",)}, {"1": ("A",), "3": ("C",), "4": ("D",)}
    )
    assert joined.ids == ("3", "1")
    assert joined.left == (("c",), ("a",))
    assert joined.right == (("C",), ("A",))
    assert (joined.only_left, joined.only_right) == (1, 1)


def test_levels_are_the_usual_columns_with_a_label(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": 1, "story": "a", "event": "x"}\n{"id": 2, "Theme": "b", "topic": null}\n'
    )
    assert read_levels(tmp_path / "a.jsonl") == ("theme", "story")


def test_file_without_levels_says_what_columns_there_are(tmp_path):
    (tmp_path / "a.csv").write_text("id,event,topic\n1,a,\n")
    with pytest.raises(
        InputError,
        match=r"no row has a label in a column theme, topic or story. Its columns are id, event, "
        r"topic: name one with --level LEVEL=COLUMN",
    ):
        read_levels(tmp_path / "a.csv")
