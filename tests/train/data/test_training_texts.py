"""Articles to train on without labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.train.data.articles import parse_article_file, read_training_texts

HEADER = "id,headline,body,section\n"


def write(path: Path, n: int, *, section: bool = True) -> Path:
    rows = [f"{path.stem}{i},Title {i},Text {i},{'ab'[i % 2] if section else ''}" for i in range(n)]
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_texts_are_read_as_an_encoder_reads_them_with_gold_beside(tmp_path: Path):
    file = parse_article_file(f"{write(tmp_path / 'a.csv', 24)},text=body,gold=section")
    assert file.reading.gold == "section" and dict(file.fields) == {"text": "body"}
    found = read_training_texts([file])
    assert found.texts[:2] == ("Title 0. Text 0", "Title 1. Text 1")
    assert found.gold is not None and found.gold[:3] == ("a", "b", "a")
    assert found.sources[0]["articles"] == 24 and len(found.sources[0]["digest"]) == 40


def test_any_format_of_the_readers_is_read(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    for i in range(20):
        (tmp_path / "folder" / f"{i}.txt").write_text(f"Text number {i}")
    (tmp_path / "lines.txt").write_text("\n".join(f"Line {i}" for i in range(20)))
    for name in ("folder", "lines.txt"):
        found = read_training_texts([parse_article_file(str(tmp_path / name))])
        assert len(found.texts) == 20 and found.gold is None


def test_labels_of_two_files_are_told_apart(tmp_path: Path):
    files = [write(tmp_path / "a.csv", 20), write(tmp_path / "b.csv", 20)]
    found = read_training_texts([parse_article_file(f"{file},gold=section") for file in files])
    assert found.gold is not None and set(found.gold) == {"0:a", "0:b", "1:a", "1:b"}


def test_rows_that_are_no_article_are_counted(tmp_path: Path, tally):
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": "x"}\n' * 0 + "".join(f'{{"title": "t{i}"}}\n' for i in range(20)))
    path.write_text(path.read_text() + "no json\n")
    found = read_training_texts([parse_article_file(str(path))], progress=tally)
    assert found.sources[0]["rejected"] == 1
    assert any("1 rows are no article" in note for note in tally.notes)


def test_an_unknown_key_is_told(tmp_path: Path):
    with pytest.raises(ParameterError, match="got 'titel'. Did you mean 'title'. Choose one"):
        parse_article_file("a.csv,titel=headline")


def test_too_few_articles_are_refused(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"20 different articles at least are needed to train on, got 3"
    ):
        read_training_texts([parse_article_file(str(write(tmp_path / "a.csv", 3)))])
