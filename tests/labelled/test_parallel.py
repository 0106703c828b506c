"""Parallel sentences, one or two a row, and every way their files can be wrong."""

from __future__ import annotations

import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import ParallelTexts, read_parallel

ONE_A_ROW = """pid,lang,text,split
1,fra,Oui,test
1,eng_Latn,Yes,test
2,eng_Latn,No,test
2,fra,Non,test
2,deu,Nein,test
3,deu,Nie,test
3,fra,,test
4,eng_Latn,Never,train
5,ita,Mai,test
"""
TWO_A_ROW = """text1,text2,lang1,lang2
Oui,Yes,fra,eng
No,Non,eng,fra
Nein,No,deu,eng
Nein,Non,deu,fra
,Never,deu,eng
Yes,Aye,eng,eng
"""


def test_sentences_of_one_key_are_joined_with_english(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(ONE_A_ROW)
    read = read_parallel(path, split="test", fields={"key": "pid"})
    assert read.pivot == "eng_Latn"
    assert read.languages == (
        ParallelTexts("fra", "eng_Latn", ("Oui", "Non"), ("Yes", "No")),
        ParallelTexts("deu", "eng_Latn", ("Nein",), ("No",)),
    )
    assert (read.without_text, read.without_counterpart, read.other_splits) == (1, 2, 1)


def test_another_language_may_be_the_pivot(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(ONE_A_ROW)
    read = read_parallel(path, pivot="deu", fields={"key": "pid"})
    assert {p.language: p.texts for p in read.languages} == {"fra": ("Non",), "eng_Latn": ("No",)}


def test_two_a_row_are_read_whichever_side_english_stands_on(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(TWO_A_ROW)
    read = read_parallel(path)
    assert read.languages == (
        ParallelTexts("fra", "eng", ("Oui", "Non"), ("Yes", "No")),
        ParallelTexts("deu", "eng", ("Nein",), ("No",)),
    )
    assert (read.without_text, read.without_counterpart, read.other_splits) == (1, 2, 0)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("key,lang,text\n1,fr,Oui\n1,fr,Si\n1,en,Yes\n", {}, 'line 3: the key "1" stands twice in'),
        ("key,lang,text\n1,fr,Oui\n,en,Yes\n", {}, 'line 3: the row has no "key"'),
        ("text1,text2,lang1,lang2\nOui,Yes,fr,\n", {}, 'line 2: the row has no "lang2"'),
        ("pid,lang,text\n1,fr,Oui\n", {}, 'no row has the field "key". Choose among pid, lang'),
        ("key,lang,text\n1,fr,Oui\n", {}, "no sentence is in en, eng, eng_Latn. Name the.*of fr"),
        ("key,lang,text\n1,fr,Oui\n", {"pivot": "fra"}, "in \"fra\". Did you mean 'fr'"),
        ("key,lang,text\n1,fr,Oui\n2,en,Yes\n", {}, "no sentence has a counterpart in en"),
        ("key,lang,text,split\n1,fr,Oui,a\n", {"split": "b"}, 'no row has the split "b". Choose a'),
        ("", {}, "The file has no rows"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, content, options, message):
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_parallel(path, **options)


def test_many_languages_are_listed_in_part(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("key,lang,text\n" + "".join(f"1,l{i:02},x\n" for i in range(25)))
    with pytest.raises(InputError, match="l18, l19 and 5 more"):
        read_parallel(path)


def test_an_unknown_field_is_refused():
    with pytest.raises(ParameterError, match="read_parallel: fields must name some of key"):
        read_parallel("any.csv", fields={"keys": "pid"})
