"""Arbitrary bytes into every format: nothing is raised but InputError, no row is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsnest.errors import InputError

from .reading import Got, read_bytes

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
PIECES = st.sampled_from(
    [b'"', b",", b"\n", b"\r\n", b"{", b"}", b"[", b"]", b'{"title": "a"}', b"title", b"\t", b";",
     b"\0", b"\xff", b"\xe9", b"\xef\xbb\xbf", b"\\", b":", b"<item>", b"<title>a", b"&amp", b"1"]
)  # fmt: skip
HOSTILE = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=60).map(b"".join))


def read_quietly(name: str, content: bytes) -> Got | None:
    with TemporaryDirectory() as folder:
        try:
            return read_bytes(Path(folder), name, content)
        except InputError:
            return None


@pytest.mark.parametrize(
    "name",
    [
        "a.jsonl",
        "a.json",
        "a.csv",
        "a.tsv",
        "a.txt",
        "a.xml",
        "a.html",
        "a.jsonl.gz",
        "a.csv.zst",
        "a.parquet",
        "a.stdin",
    ],
)
@FEW
@given(content=HOSTILE)
def test_arbitrary_bytes_raise_nothing_but_input_error(name: str, content: bytes) -> None:
    read_quietly(name, content)


@FEW
@given(content=HOSTILE)
def test_every_line_of_text_or_json_becomes_one_row(content: bytes) -> None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\n" not in content:
        return
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for name in ("a.txt", "a.jsonl"):
        got = read_quietly(name, content)
        assert got is not None
        rows = sum(got.counts)
        spoken = [line for line in lines if line.decode("cp1252", "replace").strip()]
        assert rows <= len(lines)
        assert rows >= sum(any(33 <= byte < 127 for byte in line) for line in spoken)


@FEW
@given(tail=st.lists(PIECES, max_size=40).map(b"".join))
def test_every_line_of_a_table_belongs_to_exactly_one_row(tail: bytes) -> None:
    got = read_quietly("a.csv", b"id,title,text\n" + tail)
    if got is None or b"\r" in tail or b"\0" in tail:
        return
    lines = [line for line in tail.split(b"\n") if line.decode("cp1252", "replace").strip()]
    assert sum(got.counts) <= len(lines)
    places = [row.line for row in got.rejected]
    assert len(set(places)) == len(places)


@FEW
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
            st.text(st.sampled_from('ab ,;"\n\té日'), max_size=20),
        ),
        max_size=8,
    )
)
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["id", "title", "text"])
    for number, (title, text) in enumerate(rows):
        writer.writerow([f"n{number}", f"t {title}", f"x{text}x"])
    got = read_quietly("a.csv", file.getvalue().encode())
    assert got is not None
    assert [a.text for a in got.articles] == [f"x{text}x" for _, text in rows]
    assert not got.rejected


@FEW
@given(
    rows=st.lists(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)), max_size=8),
    cut=st.integers(0, 400),
)
def test_what_could_be_read_of_a_cut_gzip_is_kept_and_the_break_is_one_rejected_row(
    rows: list[str], cut: int
) -> None:
    content = "".join(json.dumps({"title": row}) + "\n" for row in rows).encode()
    packed = gzip.compress(content)
    whole = packed[: max(0, len(packed) - 1 - cut)]
    got = read_quietly("a.jsonl.gz", whole)
    assert got is not None
    assert len(got.rejected) == (1 if whole else 0)
    assert len(got.articles) <= len(rows)
