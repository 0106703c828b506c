"""Cells that say nothing ("nan", "N/A") are empty, counted, and never cost a row in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsnest.corpus import clean_files, load_profile
from newsnest.corpus.rows import says_nothing

from .reading import read_bytes

SPELLED = "nan NaN None NULL N/A n/a #N/A null undefined - -- [] (blank) \\N NA NaT <NA> #REF! —"
WORDS = SPELLED.split()


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_says_nothing_is_empty_in_every_column(tmp_path: Path, word: str) -> None:
    row = {"id": word, "title": "Rain", "text": word, "lang": word, "date": word, "source": word}
    content = b"\n".join(json.dumps(row | {"title": title}).encode() for title in ("a", "b"))
    got = read_bytes(tmp_path, "a.jsonl", content)
    assert got.counts == (2, 0)  # two rows of one id "None" are two articles
    article = got.articles[0]
    assert (article.text, article.lang, article.date, article.source) == ("", "", None, "")
    (notice,) = got.notices
    assert notice.message.startswith("10 placeholders were read as empty: ")
    assert f"“{word}” in id (2, first at line 1)" in notice.message


@pytest.mark.parametrize("word", ["na", "no", "Nan Madol", "Nobody", "0", "None of the above", "N"])
def test_other_words_are_kept(word: str) -> None:
    assert not says_nothing(word)


def test_a_title_none_among_real_ones_is_told_with_its_line(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.csv", b"title,text\nRain,x\nNone,Wind blows\n")
    assert [(a.title, a.text) for a in got.articles] == [("Rain", "x"), ("", "Wind blows")]
    assert [notice.message for notice in got.notices] == [
        "1 placeholder was read as empty: “None” in title (1, first at line 3)"
    ]


def test_a_row_of_nothing_else_is_rejected_with_its_words(tmp_path: Path) -> None:
    got = read_bytes(tmp_path, "a.csv", b"title,text\nNone,nan\nRain,x\n")
    assert got.counts == (1, 1)
    assert got.reasons == "has no title and no text, but for what says nothing: “None”, “nan”"


def test_only_the_most_frequent_words_are_listed(tmp_path: Path) -> None:
    rows = [f"Rain {word},{word},nan" for word in WORDS[:8]]
    got = read_bytes(tmp_path, "a.csv", ("title,text,source\n" + "\n".join(rows)).encode())
    message = got.notices[0].message
    assert message.startswith("16 placeholders were read as empty: “nan” in source (8,")
    assert message.endswith(" and others")


def test_cleaning_sets_the_same_rows_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("title,text\nNone,nan\nRain in Nantes,None\n")
    report = clean_files([path], load_profile("generic"))
    assert (report.kept, report.rejected) == (1, 1)
