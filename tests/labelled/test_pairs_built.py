"""Graded pairs: read, built from gold labels, made a data set."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import (
    GRADES,
    BuildOptions,
    GoldArticle,
    Pair,
    build_pairs,
    read_gold,
    read_pairs,
)
from newsnest.train.pairs import label_rows, pair_dataset

ROWS = [
    {"text1": "rates held", "text2": "bank holds rates", "score": 1, "split": "train", "id1": 7},
    {"text1": "rates held", "text2": "sea wall breached", "score": 4, "split": "eval"},
    {"text1": "", "text2": "sea wall breached", "score": 2, "split": "eval"},
    {"text1": "cup final", "text2": "team wins", "score": None, "split": "eval"},
]


def write(folder: Path, kind: str, rows: list[dict]) -> Path:
    path = folder / f"pairs{kind}"
    fields = list(dict.fromkeys(field for row in rows for field in row))
    if kind == ".parquet":
        pq.write_table(pa.Table.from_pylist([{f: r.get(f) for f in fields} for r in rows]), path)
        return path
    if kind.startswith(".csv"):
        lines = [[r.get(f) for f in fields] for r in rows]
        told = [",".join("" if v is None else str(v) for v in line) for line in [fields, *lines]]
    else:
        told = [json.dumps(row) for row in rows]
    content = ("\n".join(told) + "\n").encode()
    path.write_bytes(gzip.compress(content) if kind.endswith(".gz") else content)
    return path


def corpus(themes: int = 3, topics: int = 2, stories: int = 3, each: int = 4) -> list[GoldArticle]:
    return [
        GoldArticle(
            id=f"{t}-{p}-{s}-{i}",
            text=f"text {t} {p} {s} {i}",
            gold=(f"t{t}", f"t{t}p{p}", f"t{t}p{p}s{s}"),
            date=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i),
        )
        for t in range(themes)
        for p in range(topics)
        for s in range(stories)
        for i in range(each)
    ]


@pytest.mark.parametrize("kind", [".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".parquet"])
def test_pairs_are_read_alike_from_every_format(tmp_path: Path, kind: str):
    found = read_pairs(write(tmp_path, kind, ROWS), scale=(4, 1), same_is=0.75)
    assert [(p.text2, p.score, p.split, p.id1) for p in found.pairs] == [
        ("bank holds rates", 0.75, "train", "7"),
        ("sea wall breached", 0.0, "eval", ""),
    ]
    assert (found.without_text, found.without_score, found.other_splits) == (1, 1, 0)


def test_the_four_grades_of_a_scale_from_one_to_four_are_our_four_grades(tmp_path: Path):
    rows = [{"text1": "a", "text2": "b", "score": score} for score in (1, 2, 3, 4)]
    found = read_pairs(write(tmp_path, ".jsonl", rows), scale=(4, 1), same_is=0.75)
    assert [p.score for p in found.pairs] == pytest.approx(list(GRADES.values()))


def test_the_same_text_is_one_where_that_is_what_the_scale_says(tmp_path: Path):
    rows = [{"text1": "a", "text2": "b", "score": score} for score in (0, 2.5, 5)]
    found = read_pairs(write(tmp_path, ".jsonl", rows), scale=(0, 5), same_is=1.0)
    assert [p.score for p in found.pairs] == [0.0, 0.5, 1.0]


def test_a_split_and_fields_of_other_names_are_read(tmp_path: Path):
    rows = [{"a": "x", "b": "y", "grade": 1, "part": "train"}] * 2
    rows.append({"a": "x", "b": "z", "grade": 0, "part": "eval"})
    fields = {"text1": "a", "text2": "b", "score": "grade", "split": "part"}
    path = write(tmp_path, ".jsonl", rows)
    found = read_pairs(path, scale=(0, 1), split="eval", fields=fields)
    assert [p.text2 for p in found.pairs] == ["z"] and found.other_splits == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**ROWS[0], "score": 5}], r'line 1: the field "score" holds 5.* outside of the scale'),
        ([ROWS[0], {**ROWS[0], "score": "much"}], r'line 2: the field "score" holds \'much\''),
        ([{"text1": "a", "score": 1}], 'no row has the field "text2"'),
    ],
)
def test_what_is_wrong_with_a_file_names_line_and_field(tmp_path: Path, rows, message):
    with pytest.raises(InputError, match=message):
        read_pairs(write(tmp_path, ".jsonl", rows), scale=(4, 1))


def test_the_similarity_of_the_same_must_be_one():
    with pytest.raises(ParameterError, match=r"same_is must be in \(0, 1\], got 2"):
        read_pairs("x.jsonl", scale=(4, 1), same_is=2)


def test_gold_articles_are_read_with_title_date_and_labels(tmp_path: Path):
    rows = [
        {"id": 1, "title": "Rates held", "text": "Rates held. By all.", "label": "s", "date": ""},
        {"id": 2, "title": "Sea wall", "label": "s", "date": "2024-03-10T16:52:50Z"},
        {"id": 3, "title": "No label", "date": "2024-03-10"},
        {"id": 4, "title": "", "label": "s"},
    ]
    found = read_gold(write(tmp_path, ".jsonl", rows), fields={"story": "label"})
    assert [(a.id, a.text, a.gold) for a in found] == [
        ("1", "Rates held. By all.", ("", "", "s")),
        ("2", "Sea wall", ("", "", "s")),
    ]
    assert found[1].date == datetime(2024, 3, 10, 16, 52, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        (
            [{"title": "a", "story": "s", "date": "today"}],
            {},
            "line 1: the field \"date\" holds 'today'",
        ),
        (
            [{"id": 1, "title": "a", "story": story} for story in "st"],
            {},
            r"line 2: id '1' was used before, at .*line 1",
        ),
        ([{"title": "a"}], {}, "no row has a title or a text and one of theme, topic, story"),
        (
            [{"title": "a", "story": "s"}],
            {"topic": "event"},
            'no row has the field "event"',
        ),
    ],
)
def test_what_is_wrong_with_gold_names_line_and_field(tmp_path: Path, rows, fields, message):
    with pytest.raises(InputError, match=message):
        read_gold(write(tmp_path, ".jsonl", rows), fields=fields)


def test_every_built_pair_has_the_grade_of_the_finest_label_both_share():
    built = build_pairs(corpus(), BuildOptions(per_grade=100))
    for pair in built.pairs:
        shared = [a == b for a, b in zip(pair.gold1, pair.gold2, strict=True)]
        assert pair.score == sum(shared) / 4 and pair.text1 != pair.text2
    assert built.found == {"VS": 100, "SS": 100, "SD": 100, "VD": 100}
    assert len({frozenset((p.id1, p.id2)) for p in built.pairs}) == len(built.pairs) == 400


def test_grades_are_balanced_to_the_scarcest_unless_told_otherwise():
    articles = corpus(each=2)  # 18 stories of two: 18 pairs of one story
    scores = Counter(p.score for p in build_pairs(articles, BuildOptions(per_grade=50)).pairs)
    assert scores == dict.fromkeys(GRADES.values(), 18)
    free = build_pairs(articles, BuildOptions(per_grade=50, balanced=False))
    assert Counter(p.score for p in free.pairs) == {0.75: 18, 0.5: 50, 0.25: 50, 0.0: 50}


def test_every_story_gives_as_many_pairs_as_it_can_up_to_an_even_share():
    big = [GoldArticle(f"b{i}", f"big {i}", ("", "", "big")) for i in range(200)]
    small = [GoldArticle(f"s{i}", f"small {i}", ("", "", f"s{i // 3}")) for i in range(30)]
    built = build_pairs([*big, *small], BuildOptions(per_grade=33))
    stories = Counter(p.gold1[2] for p in built.pairs if p.score == GRADES["VS"])
    assert len(stories) == 11 and set(stories.values()) == {3}


def test_a_label_that_is_missing_makes_no_pair_but_by_a_finer_one():
    articles = [
        GoldArticle("1", "a", ("t", "", "s")),
        GoldArticle("2", "b", ("", "", "s")),
        GoldArticle("3", "c", ("", "", "other")),
        GoldArticle("4", "d", ("u", "", "")),
    ]
    built = build_pairs(articles)
    assert [{p.id1, p.id2} for p in built.pairs] == [{"1", "2"}]


def test_articles_of_two_splits_or_of_the_same_text_make_no_pair():
    gold = ("", "", "s")
    articles = [
        GoldArticle("1", "a", gold, split="train"),
        GoldArticle("2", "b", gold, split="eval"),
        GoldArticle("3", "a", gold, split="train"),
        GoldArticle("4", "c", gold, split="train"),
    ]
    built = build_pairs(articles)
    assert {frozenset((p.id1, p.id2)) for p in built.pairs} == {
        frozenset("14"),
        frozenset("34"),
    }
    assert {p.split for p in built.pairs} == {"train"}


def test_articles_of_a_story_far_apart_in_time_or_without_dates_make_no_pair():
    articles = [*corpus(), GoldArticle("x", "undated", ("t0", "t0p0", "t0p0s0"))]
    near = build_pairs(articles, BuildOptions(per_grade=1000, max_days=1, balanced=False))
    for pair in near.pairs:
        if pair.score == GRADES["VS"]:
            assert abs(int(pair.id1[-1]) - int(pair.id2[-1])) == 1
    assert near.found["VS"] == 18 * 3


def test_hard_pairs_come_from_neighbouring_themes_and_are_alike():
    articles = corpus(themes=8, topics=1, stories=1, each=40)
    rng = np.random.default_rng(0)
    angles = np.repeat(np.arange(8) / 8 * np.pi, 40) + rng.normal(0, 0.05, 320)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    at = {article.id: i for i, article in enumerate(articles)}

    def cosines(hard: float) -> list[float]:
        options = BuildOptions(per_grade=100, hard=hard)
        built = build_pairs(articles, options, vectors=vectors)
        assert built.hard == round(100 * hard)
        return [float(vectors[at[p.id1]] @ vectors[at[p.id2]]) for p in built.pairs if p.score == 0]

    assert np.mean(cosines(1.0)) > np.mean(cosines(0.0)) + 0.3


def test_no_pair_is_built_twice_where_hard_pairs_are_drawn_first():
    articles = [
        GoldArticle(f"{i}", f"text {i}", (f"theme {i % 2}", f"topic {i % 4}", f"story {i // 2}"))
        for i in range(24)
    ]
    vectors = np.random.default_rng(0).normal(size=(24, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    built = build_pairs(articles, BuildOptions(per_grade=200, balanced=False), vectors=vectors)
    keys = [frozenset((pair.text1, pair.text2)) for pair in built.pairs]
    assert len(keys) == len(set(keys))


def test_building_is_deterministic_for_a_seed():
    one, same = (build_pairs(corpus(), BuildOptions(per_grade=20, seed=3)) for _ in range(2))
    assert one == same != build_pairs(corpus(), BuildOptions(per_grade=20, seed=4))


@pytest.mark.parametrize(
    ("articles", "options", "vectors", "message"),
    [
        ([GoldArticle("1", "a", ("", "", ""))], {}, None, "articles must have labels, got 1"),
        ([GoldArticle("1", "a", ("", "", "s"))], {}, None, "must hold two that a label joins"),
        (corpus(), {"per_grade": 0}, None, "per_grade must be at least 1, got 0"),
        (corpus(), {"hard": 2}, None, r"hard must be in \[0, 1\], got 2"),
        (corpus(), {"max_days": -1}, None, "max_days must be at least 0 or None, got -1"),
        (corpus(), {}, np.ones((3, 2), np.float32), "vectors must be one for each of 72"),
    ],
)
def test_what_cannot_be_built_is_said(articles, options, vectors, message):
    with pytest.raises(ParameterError, match=message):
        build_pairs(articles, BuildOptions(**options), vectors=vectors)


def test_labels_carry_group_ids_where_articles_have_gold_labels():
    plain = pair_dataset([Pair("a", "b", 0.5)])
    assert plain.column_names == ["text1", "text2", "label"] and plain["label"][:] == [0.5]
    pairs = [
        Pair("a", "b", 0.75, gold1=("w", "", "s"), gold2=("w", "", "s")),
        Pair("c", "d", 0.0, gold1=("w", "", "x"), gold2=("m", "", "y")),
    ]
    rows = pair_dataset(pairs)["label"][:]
    assert rows == label_rows(pairs)
    assert rows[0][1] == rows[0][2] == rows[1][1] != rows[1][2]  # themes
    assert rows[0][3:5] == rows[0][5:] and rows[1][3:5] == rows[1][5:]  # topics as stories
    assert rows[0][5] == rows[0][6] and len({*rows[0][5:], *rows[1][5:]}) == 3  # stories


def test_an_unknown_coarser_label_is_that_of_the_finer_one():
    golds = [
        ("", "", "s"),
        ("", "t", "s"),
        ("w", "t", ""),
        ("", "", ""),
        ("", "", "z"),
        ("v", "", ""),
    ]
    pairs = [Pair("a", "b", 0.5, gold1=gold, gold2=gold) for gold in golds]
    themes, topics, stories = ([row[at] for row in label_rows(pairs)] for at in (1, 3, 5))
    assert themes[0] == themes[1] == themes[2] != -1  # by the story's topic, and the topic's theme
    assert topics[0] == topics[1] == topics[2] and stories[0] == stories[1]
    assert themes[4] == topics[4] == stories[4] not in (-1, stories[0], topics[0], themes[0])
    assert themes[3] == topics[3] == stories[3] == stories[2] == topics[5] == stories[5] == -1


def test_more_groups_than_labels_can_count_are_refused(monkeypatch):
    monkeypatch.setattr("newsnest.train.pairs._LARGEST_ID", 1)
    with pytest.raises(ParameterError, match="label_rows: pairs must have at most 1 themes"):
        label_rows([Pair("a", "b", 0.5, gold1=("w", "", "s"))])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "pairs must hold one at least, got none"),
        ([Pair("a", "b", 0), Pair("", "b", 0)], "row 1, column text1 must hold a text"),
        ([Pair("a", "b", 4.0)], r"row 0, column score must be in \[0, 1\], got 4.0"),
    ],
)
def test_what_is_no_data_set_is_said_with_row_and_column(pairs, message):
    with pytest.raises(ParameterError, match=message):
        pair_dataset(pairs)


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(ParameterError, match=r'pip install "newsnest\[train\]"'):
        pair_dataset([Pair("a", "b", 0.5)])
