from __future__ import annotations

import codecs
import csv
import json
import stat
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import begin, keep, result

from newsnest.errors import InputError, NestError, ParameterError
from newsnest.nest import Cluster, Nest, Result, export
from newsnest.nest.export import _plain
from newsnest.types import Article

COLUMNS = [
    "id", "theme", "topic", "story", "theme_name", "topic_name", "story_name", "title", "date",
    "lang", "source", "url", "copy_of",
]  # fmt: skip


@pytest.fixture
def nest(tmp_path: Path):
    with keep(tmp_path / "n.nest") as opened:
        yield opened


def from_jsonl(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def from_csv(path: Path) -> list[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def as_csv_says(row: dict) -> dict:
    def say(value):
        if value is None:
            return ""
        risky = isinstance(value, str) and value[:1] in set("=+-@\t\r")
        return f"'{value}" if risky and value not in ("-7", "+33") else str(value)

    return {name: say(value) for name, value in row.items()}


def test_the_three_formats_hold_the_same(nest: Nest, tmp_path: Path):
    for ending in ("jsonl", "csv", "parquet"):
        assert export(nest, tmp_path / f"out.{ending}") == 6
    rows = from_jsonl(tmp_path / "out.jsonl")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows
    assert from_csv(tmp_path / "out.csv") == [as_csv_says(row) for row in rows]
    assert [list(row) for row in rows] == [COLUMNS] * 6
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_a_csv_says_its_encoding_to_spreadsheets_and_is_read_back(nest: Nest, tmp_path: Path):
    path = tmp_path / "out.csv"
    export(nest, path)
    assert path.read_bytes().startswith(codecs.BOM_UTF8 + b"id,theme,")
    assert pc.read_csv(path).column_names == COLUMNS


def test_a_row_says_where_its_article_belongs(nest: Nest, tmp_path: Path):
    export(nest, tmp_path / "out.jsonl")
    rows = {row["id"]: row for row in from_jsonl(tmp_path / "out.jsonl")}
    assert rows["d"] == {
        "id": "d", "theme": 0, "topic": 1, "story": 1, "theme_name": "theme 0",
        "topic_name": "topic 1", "story_name": "=HYPERLINK(1)", "title": "إغلاق الميناء",
        "date": "2031-05-02T08:00:00+00:00", "lang": "ar", "source": "صحيفة", "url": "",
        "copy_of": None,
    }  # fmt: skip
    assert rows["a"]["copy_of"] == "-7"
    assert rows["c"]["title"] == '"Quoted", with a comma\r'.strip("\n")


def test_labels_are_integers_everywhere(nest: Nest, tmp_path: Path):
    for ending in ("jsonl", "csv", "parquet"):
        export(nest, tmp_path / f"out.{ending}")
    schema = pq.read_schema(tmp_path / "out.parquet")
    for level in ("theme", "topic", "story"):
        assert str(schema.field(level).type) == "int32"
        assert {type(row[level]) for row in from_jsonl(tmp_path / "out.jsonl")} == {int}
        assert {row[level] for row in from_csv(tmp_path / "out.csv")} <= set("012")


def test_no_cell_of_the_csv_is_a_formula(nest: Nest, tmp_path: Path):
    export(nest, tmp_path / "out.csv")
    rows = {row["id"]: row for row in from_csv(tmp_path / "out.csv")}
    assert rows["a"]["title"] == "'=1+1"
    assert rows["b"]["title"] == "'-5 degrees"
    assert rows["é"]["title"] == "'@home 🦆"
    assert rows["é"]["source"] == "+33"  # a number, not a formula
    assert rows["d"]["story_name"] == "'=HYPERLINK(1)"
    assert "-7" in rows  # an id that is a number stays one, to be joined by


@pytest.mark.parametrize("sign", "=+-@＝＋－＠\t\r")
def test_no_sign_that_begins_a_formula_is_left_bare(sign: str):
    assert _plain(f"{sign}SUM(A1)") == f"'{sign}SUM(A1)"
    assert _plain(f"a{sign}b") == f"a{sign}b"


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_an_export_that_fails_leaves_the_old_file(
    nest: Nest, tmp_path: Path, monkeypatch, ending: str
):
    path = tmp_path / f"out.{ending}"
    path.write_text("old")
    members = list(nest.members())

    def broken(**_):
        yield members[0]
        raise RuntimeError("lost")

    monkeypatch.setattr(nest, "members", broken)
    with pytest.raises(RuntimeError, match="lost"):
        export(nest, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_an_export_can_be_read_by_those_who_may_read_other_files(nest: Nest, tmp_path: Path):
    (tmp_path / "plain").touch()
    export(nest, tmp_path / "out.csv")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "out.csv")]
    assert modes[0] == modes[1]


def test_an_export_says_what_is_wrong_with_its_path(nest: Nest, tmp_path: Path):
    with pytest.raises(ParameterError, match=r"must end in .jsonl, .csv, .parquet, got 'out.xlsx'"):
        export(nest, tmp_path / "out.xlsx")
    with pytest.raises(InputError, match=r"must be a file that can be written, got .*No such file"):
        export(nest, tmp_path / "nowhere" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder.csv \(Is a directory\). Check the directory"):
        export(nest, tmp_path / "folder.csv")


def test_an_export_does_not_overwrite_its_nest(tmp_path: Path):
    path = tmp_path / "news.csv"
    with keep(path) as nest, pytest.raises(InputError, match="must not be the nest itself"):
        export(nest, path)
    with Nest(path) as nest:
        assert nest.run().finished


def test_an_export_needs_a_finished_run(tmp_path: Path):
    with Nest(tmp_path / "n", create=True) as nest:
        with pytest.raises(NestError, match="holds no finished run"):
            export(nest, tmp_path / "out.csv")
        corpus = nest.store.add_batch("d", {}, [Article("a", "A")])
        run = nest.store.start_run("k", corpus, {}, {})
        with pytest.raises(NestError, match=r"Run 1 of .* is not finished"):
            export(nest, tmp_path / "out.csv", run=run)
    assert not (tmp_path / "out.csv").exists()


def test_a_run_with_sections_has_columns_of_them_at_the_levels_that_have_any(tmp_path: Path):
    found = result()
    named = [
        replace(c, section="sport", section_id="medtop:15000000", section_score=0.75)
        if c.level == "theme"
        else c
        for c in found.clusters
    ]
    with Nest(tmp_path / "n", create=True) as nest:
        nest.store.finish_run(begin(nest), replace(found, clusters=named))
        export(nest, tmp_path / "out.jsonl")
        (theme,) = nest.clusters("theme")
        topics = nest.clusters("topic")
    rows = from_jsonl(tmp_path / "out.jsonl")
    assert list(rows[0]) == [*COLUMNS[:7], "theme_section", *COLUMNS[7:]]
    assert {row["theme_section"] for row in rows} == {"sport"}
    assert (theme.section_id, theme.section_score) == ("medtop:15000000", 0.75)
    assert {(c.section, c.section_id, c.section_score) for c in topics} == {("", "", None)}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def keep_flat(nest: Nest, titles: list[str]) -> None:
    n = len(titles)
    corpus = nest.store.add_batch(
        "d", {}, [Article(f"{i:03d}", t, "x") for i, t in enumerate(titles)]
    )
    story = Cluster(0, "story", 0, None, n, n, titles[0] or "-", (), (), "000", None, None, None,
                    None)  # fmt: skip
    flat = Result(
        facts={},
        clusters=[story],
        membership=np.zeros(n, np.int64),
        copy_of=np.full(n, -1),
        linkages=[np.empty((0, 4))],
        means=np.zeros((1, 1), np.float32),
        rotation=np.eye(1, dtype=np.float32),
    )
    nest.store.finish_run(nest.store.start_run("k", corpus, {}, {}), flat)


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_any_text_survives_every_format(titles: list[str]):
    with tempfile.TemporaryDirectory() as folder, Nest(Path(folder, "n"), create=True) as nest:
        keep_flat(nest, titles)
        said = [member.article.headline for member in nest.members()]
        for ending in ("jsonl", "csv", "parquet"):
            assert export(nest, Path(folder, f"o.{ending}")) == len(titles)
        assert [row["title"] for row in from_jsonl(Path(folder, "o.jsonl"))] == said
        table = pq.read_table(Path(folder, "o.parquet"))
        assert table["title"].to_pylist() == said
        cells = [row["title"] for row in from_csv(Path(folder, "o.csv"))]
        assert [c.removeprefix("'") for c in cells] == [s.removeprefix("'") for s in said]


def test_parquet_writes_more_than_one_chunk(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys.modules["newsnest.nest.export"], "_CHUNK", 7)
    with Nest(tmp_path / "n", create=True) as nest:
        keep_flat(nest, [f"title {i}" for i in range(50)])
        assert export(nest, tmp_path / "o.parquet") == 50
    assert pq.read_table(tmp_path / "o.parquet")["title"].to_pylist()[49] == "title 49"
