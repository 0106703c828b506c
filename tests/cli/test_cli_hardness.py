"""`newsnest hardness`, from files to numbers and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from newsnest.cli.main import main
from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import QueryItemVectors
from newsnest.labelled import ColumnReading, parse_data
from newsnest.pipeline.hardness import Draw, cluster_hardness, read_pair_texts
from newsnest.pipeline.hardness_picture import draw_hardness, hardness_page

SUBJECTS = ("storm coast sea wall town", "bank rates loan euro price", "cup final team goal coach")


def call(*arguments: str):
    return CliRunner().invoke(main, ["hardness", "--encoder", "tfidf", "--quiet", *arguments])


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(90):
        words = SUBJECTS[i % 3].split()
        title, text = (" ".join(rng.permutation(words)[:4].tolist()) for _ in range(2))
        rows.append({"headline": f"{title} {i}", "body": f"{text} at {i}", "split": "ab"[i % 2]})
    path = tmp_path / "pairs <i>&.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_negatives_of_a_subject_are_harder_than_random_ones(pairs):
    done = call("--pairs", str(pairs), "--by", "query", "-k", "3,6", "-k", "3", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["pairs"] == 90 and told["by"] == "query"
    assert [one["k"] for one in told["by_k"]] == [3, 6]
    assert told["in_cluster"] == told["by_k"][0]["in_cluster"]
    assert told["random"] == told["by_k"][1]["random"]
    for kind in ("in_cluster", "random"):
        assert {"positive_mean", "negative_mean", "quantiles", "likely_false_negatives"} <= set(
            told[kind]
        )
    assert told["in_cluster"]["negative_mean"] > told["random"]["negative_mean"]
    assert told["by_k"][0]["clusters"] == 3
    assert told["by_k"][0]["smallest"] + told["by_k"][0]["largest"] <= 90


@pytest.mark.parametrize("by", ["query", "item", "pair"])
def test_people_are_told_a_row_a_number(pairs, by):
    done = call("--pairs", str(pairs), "--by", by, "-k", "2,4")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"90 pairs, clustered by {by}, encoder tfidf"
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "random",
        "of 2 clusters",
        "of 4 clusters",
    ]


@pytest.mark.parametrize("name", ["found.svg", "found.html"])
def test_the_picture_loads_nothing_and_escapes_everything(pairs, tmp_path, name):
    done = call("--pairs", str(pairs), "-k", "3,6", "-o", str(tmp_path / name))
    assert done.exit_code == 0, done.output
    page = (tmp_path / name).read_text(encoding="utf-8")
    assert "<i>" not in page and "pairs &lt;i&gt;&amp;.jsonl" in page
    plain = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "http" not in plain and "src=" not in plain and "<script" not in plain
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    drawn = ElementTree.fromstring(svg)
    assert len([p for p in drawn.iter() if p.get("fill") == "none"]) == 6  # three curves a panel


def test_pictures_hold_where_there_are_no_negatives():
    eye = np.eye(2, dtype=np.float32)
    seen = QueryItemVectors(eye, eye, np.zeros(2, np.int64))
    found = cluster_hardness(seen, by="pair", k=[2], draw=Draw(queries=1))
    for draw in (draw_hardness, hardness_page):
        assert "—" in draw(found, title="a", note="b")


def test_the_same_seed_says_the_same(pairs):
    first, again, other = (
        call("--pairs", str(pairs), "--json", "-k", "5", "--seed", seed).stdout for seed in "001"
    )
    assert first == again != other


def test_a_split_and_a_sample_are_counted(pairs):
    read = read_pair_texts([f"{pairs},max_pairs=20"], split="a")
    assert len(read.queries) == 20
    assert read.left_out == {"not drawn": 25, "of other splits": 45}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("question", "answer"), "question:answer"),
        (("title", "text", "summary"), "title:summary"),
        (("Headline", "Body"), "title:text"),
        (("text1", "text2", "score"), "text1:text2"),
        (("query", "item", "title", "text"), "query:item"),
    ],
)
def test_columns_are_found_by_usual_names(tmp_path, columns, found):
    path = tmp_path / "pairs.csv"
    path.write_text(",".join(columns) + "\n" + ",".join("abcd"[: len(columns)]) + "\n")
    (file,) = parse_data([f"{path},max_pairs=9"], ColumnReading(columns=None))
    assert file.reading.max_pairs == 9 and ":".join(file.reading.columns or ()) == found
    (named,) = parse_data([f"{path},columns=a:b"], ColumnReading(columns=None))
    assert named.reading.columns == ("a", "b")


def test_what_cannot_be_read_is_said(pairs, tmp_path):
    with pytest.raises(InputError, match="must be a file to train on, got none"):
        parse_data([str(tmp_path / "none.csv")], ColumnReading(columns=None))
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(
        InputError, match="two columns of texts, such as title and summary, got a, b"
    ):
        parse_data([str(other)], ColumnReading(columns=None))
    other.write_text("title,text\n")
    with pytest.raises(InputError, match="must hold rows of two texts, got none"):
        parse_data([str(other)], ColumnReading(columns=None))
    with pytest.raises(InputError, match="there must be at least two pairs, got 0"):
        read_pair_texts([str(pairs)], split="none")
    eye = np.eye(2, dtype=np.float32)
    with pytest.raises(ParameterError, match="k must hold at least one number, got none"):
        cluster_hardness(QueryItemVectors(eye, eye, np.arange(2)), by="item", k=[], draw=Draw())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-k", "0"), "'0' is not a whole number of at least 1"),
        (("-k", "3,x"), "'x' is not a whole number of at least 1"),
        (("-o", "a.png"), "-o must end in .html or .svg, got 'a.png'"),
    ],
)
def test_usage_errors_exit_with_2(pairs, arguments, said):
    done = call("--pairs", str(pairs), *arguments)
    assert done.exit_code == 2 and said in done.output


def test_more_clusters_than_pairs_end_with_one_line(pairs):
    done = call("--pairs", str(pairs), "-k", "91")
    assert done.exit_code == 1
    assert "k must be at most the number of pairs, 90, got 91. Ask for fewer" in done.output


def test_a_picture_that_cannot_be_written_is_told_at_once(pairs):
    done = call("--pairs", "none.csv", "-o", str(pairs / "x.svg"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "-o must lie in a folder that exists, got" in done.stderr
    done = call("--pairs", str(pairs), "-k", "2", "-o", str(pairs.parent / f"{'x' * 300}.svg"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "-o must be a file that can be written, got" in done.stderr
