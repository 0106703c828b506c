"""Articles to train on without labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import TextReading, parse_data, read_training_texts

HEADER = "id,headline,body,section\n"


def write(path: Path, n: int, *, section: bool = True) -> Path:
    rows = [f"{path.stem}{i},Title {i},Text {i},{'ab'[i % 2] if section else ''}" for i in range(n)]
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_texts_are_read_as_an_encoder_reads_them_with_gold_beside(tmp_path: Path):
    (file,) = parse_data([f"{write(tmp_path / 'a.csv', 24)},text=body,gold=section"], TextReading())
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
        found = read_training_texts(parse_data([str(tmp_path / name)], TextReading()))
        assert len(found.texts) == 20 and found.gold is None


def test_labels_of_two_files_are_told_apart(tmp_path: Path):
    files = [write(tmp_path / "a.csv", 20), write(tmp_path / "b.csv", 20)]
    found = read_training_texts(
        parse_data([f"{file},gold=section" for file in files], TextReading())
    )
    assert found.gold is not None and set(found.gold) == {"0:a", "0:b", "1:a", "1:b"}


def test_rows_that_are_no_article_are_counted(tmp_path: Path, tally):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"title": "t{i}"}}\n' for i in range(20)))
    path.write_text(path.read_text() + "no json\n")
    found = read_training_texts(parse_data([str(path)], TextReading()), progress=tally)
    assert found.sources[0]["rejected"] == 1
    assert f"{path}: 1 row is no article and left out" in tally.notes
    assert any(note.startswith(f"{path}, line 21: ") for note in tally.notes)


def test_gold_labels_need_no_ids(tmp_path: Path, tally):
    path = tmp_path / "a.json"
    rows = [{"title": f"t{i}", "topic": [3, 3.0, None, ""][i % 4]} for i in range(20)]
    path.write_text(json.dumps(rows))
    found = read_training_texts(parse_data([f"{path},gold=topic"], TextReading()), progress=tally)
    assert found.gold is not None and found.gold[:4] == ("3", "3", None, None)
    path.write_text(json.dumps([row | {"topic": None} for row in rows]))
    found = read_training_texts(parse_data([f"{path},gold=topic"], TextReading()), progress=tally)
    assert f"{path}: no row has a label in topic: nothing is scored" in tally.notes


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ("topics", "gold=topics must name a column, got none of that name. Did you mean 'topic'"),
        ("tags", 'line 1: the field "tags" holds a list. Give one value'),
    ],
)
def test_a_gold_column_that_cannot_be_one_is_told(tmp_path: Path, gold: str, said: str):
    path = tmp_path / "a.jsonl"
    row = {"title": "t", "topic": "x", "tags": ["y"]}
    path.write_text("".join(json.dumps(row | {"title": f"t{i}"}) + "\n" for i in range(20)))
    with pytest.raises(InputError, match=said):
        read_training_texts(parse_data([f"{path},gold={gold}"], TextReading()))


def test_an_unknown_key_is_told(tmp_path: Path):
    with pytest.raises(ParameterError, match="got 'titel'. Did you mean 'title'. Choose one"):
        parse_data(["a.csv,titel=headline"], TextReading())


def test_too_few_articles_are_refused(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"at least 20 different articles are needed to train on, got 3"
    ):
        read_training_texts(parse_data([str(write(tmp_path / "a.csv", 3))], TextReading()))
