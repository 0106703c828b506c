"""Files of graded pairs in every format, what connects pairs, and every way files can be wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import Pair, article_components, read_pairs

ROWS = [
    {"id1": 1, "id2": 2, "text1": "Rates held", "text2": "Bank holds", "score": 1.0,
     "lang1": "es", "lang2": "en", "split": "eval"},
    {"id1": 3, "id2": 4, "text1": "Flood, again", "text2": "Cup final", "score": 4,
     "lang1": "en", "lang2": "en", "split": "eval"},
    {"id1": 5, "id2": 6, "text1": "", "text2": "Strike", "score": 2.5, "lang1": "en",
     "lang2": "fr", "split": "eval"},
    {"id1": 7, "id2": 8, "text1": "Vote", "text2": "Poll", "score": None, "lang1": "en",
     "lang2": "fr", "split": "eval"},
    {"id1": 9, "id2": 0, "text1": "Raid", "text2": "Arrests", "score": 2, "lang1": "en",
     "lang2": "en", "split": "train"},
]  # fmt: skip


def write(folder, ending):
    path = folder / f"pairs{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return path
    if ".jsonl" in ending:
        content = "".join(json.dumps(row) + "\n" for row in ROWS)
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, ROWS[0], delimiter="\t" if "tsv" in ending else ",")
        writer.writeheader()
        writer.writerows(ROWS)
        content = out.getvalue()
    raw = content.encode()
    path.write_bytes(gzip.compress(raw) if ending.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv", ".parquet"])
def test_every_format_reads_alike_and_says_what_was_left_out(tmp_path, ending):
    read = read_pairs(write(tmp_path, ending), scale=(4, 1), split="eval")
    first, second = read.pairs
    assert (first.text1, first.text2, first.score) == ("Rates held", "Bank holds", 1.0)
    assert (first.id1, first.id2, first.split, first.languages) == ("1", "2", "eval", "en-es")
    assert (second.text1, second.score) == ("Flood, again", 0.0)
    assert (read.without_text, read.without_score, read.other_splits) == (1, 1, 1)


def test_all_splits_are_read_unless_one_is_asked_for(tmp_path):
    read = read_pairs(write(tmp_path, ".csv"), scale=(4, 1))
    assert [pair.split for pair in read.pairs] == ["eval", "eval", "train"]
    assert read.other_splits == 0


@pytest.mark.parametrize(
    ("scale", "score", "similarity"),
    [((4, 1), 2.5, 0.5), ((0, 5), 5, 1.0), ((0, 5), 0, 0.0), ((-1, 1), 0, 0.5), ((4, 1), 4, 0.0)],
)
def test_scores_become_similarities_in_which_one_is_the_same(tmp_path, scale, score, similarity):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text1": "a", "text2": "b", "score": score}))
    (pair,) = read_pairs(path, scale=scale).pairs
    assert pair.score == similarity
    assert str(pair.score) != "-0.0"


def test_fields_have_other_names_and_titles_are_read_with_the_text(tmp_path):
    path = tmp_path / "x.jsonl"
    row = {"a": "Town flooded.", "title1": "Flood", "text2": "", "title2": "Rates", "overall": 1}
    path.write_text(json.dumps(row | {"story": 12.0}))
    fields = {"text1": "a", "score": "overall", "group": "story"}
    (pair,) = read_pairs(path, fields=fields).pairs
    assert (pair.text1, pair.text2, pair.group) == ("Flood. Town flooded.", "Rates", "12")
    assert pair.languages == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", r"pairs are read from files with columns, \.jsonl, .*\.csv, .*got txt"),
        ("a.csv", "text1,text2,score\na,b,very\n", r"a\.csv, line 2: the field \"score\" holds"),
        (
            "a.jsonl",
            '{"text1":"a","text2":"b","score":true}',
            "line 1.*holds 'True'.*Give a number",
        ),
        ("a.csv", "text1,text2,score\na,b,4\n", r"holds 4, which is outside.*from 0 \(different"),
        ("a.csv", "text1,text2,score\na,b,inf\n", "outside of the scale"),
        (
            "a.csv",
            "text,text2,score\na,b,1\n",
            "no row has the field \"text1\".*Did you mean 'text'",
        ),
        ("a.csv", "text1,text2,grade\na,b,1\n", 'no row has the field "score"'),
        ("a.csv", "", 'no row has the field "text1".*The file has no rows'),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_pairs(tmp_path / name)


def test_an_unknown_split_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match='no row has the split "test". Choose among eval, train'):
        read_pairs(write(tmp_path, ".csv"), scale=(4, 1), split="test")


@pytest.mark.parametrize("scale", [(1, 1), (0, float("nan")), (float("inf"), 0)])
def test_a_scale_without_extent_is_refused(tmp_path, scale):
    with pytest.raises(ParameterError, match="scale must be two different scores"):
        read_pairs(tmp_path / "any.csv", scale=scale)


def test_an_unknown_field_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match="fields must name some of.*Did you mean 'score'"):
        read_pairs("any.csv", fields={"scores": "x"})


def test_pairs_connect_by_id_by_text_and_by_group_however_indirectly():
    pairs = [
        Pair("a", "b", 1.0, id1="1", id2="2"),
        Pair("c", "d", 1.0, id1="3", id2="4"),
        Pair("x", "y", 1.0, id1="4", id2="9"),  # the id of d
        Pair("b", "e", 1.0, id1="5", id2="6"),  # the text of 2
        Pair("p", "q", 1.0, group="g"),
        Pair("r", "s", 1.0, group="g"),
        Pair("1", "g", 1.0),  # texts that look like an id and a group
    ]
    assert article_components(pairs).tolist() == [0, 1, 1, 0, 2, 2, 3]
    assert article_components([]).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=15))
def test_components_agree_with_merging_sets_by_hand(edges):
    pairs = [Pair(f"t{a}", f"t{b}", 0.0) for a, b in edges]
    sets = [{a, b} for a, b in edges]
    for _ in edges:
        for i, one in enumerate(sets):
            for other in sets[:i]:
                if one & other:
                    one |= other
                    other |= one
    labels = article_components(pairs)
    for i, one in enumerate(sets):
        for j, other in enumerate(sets):
            assert (labels[i] == labels[j]) == bool(one & other)
    assert labels.dtype == np.int64


def test_half_a_character_becomes_the_sign_for_what_cannot_be_read(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"text1": "Rates \\ud800held", "text2": "\\ud83d\\ude00", "score": 1}\n')
    (pair,) = read_pairs(path).pairs
    assert (pair.text1, pair.text2) == ("Rates \ufffdheld", "\U0001f600")
