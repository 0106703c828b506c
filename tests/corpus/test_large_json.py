"""JSON that is long, deep, crowded or packed to burst: bounds, and what is kept within them."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsnest.corpus import ReadOptions, read_articles
from newsnest.corpus.json.text import Cursor
from newsnest.errors import InputError
from newsnest.types import Article, Notice

from .reading import read_bytes

LONG = "x" * 5_000
LIMIT = 200_000
GOOD = '{"title": "good"}'


@contextmanager
def within(megabytes: int) -> Iterator[None]:
    """Fail if more memory is taken at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes << 20
    finally:
        tracemalloc.stop()


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the bound of what is held in memory, so that small files are beyond it."""
    monkeypatch.setattr(Cursor, "limit", LIMIT)


def rows(count: int) -> Iterator[str]:
    return (json.dumps({"title": f"Ferry {n}", "text": LONG}) for n in range(count))


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("indent", ["", "\n"])
def test_a_list_beyond_any_line_is_streamed_with_what_is_said_after_it(
    tmp_path: Path, indent: str
) -> None:
    path = tmp_path / "a.json"
    with path.open("w") as file:
        file.write(f'{{"status": "ok",{indent}"items": [{indent}')
        file.write(f",{indent}".join(rows(400)))
        file.write('], "version": "https://jsonfeed.org/version/1.1", "title": "Harbour Post"}')
    assert path.stat().st_size > 9 * LIMIT
    with within(5):
        count, notices = 0, []
        for one in read_articles([path], options=ReadOptions(detect_language=False)):
            if isinstance(one, Notice):
                notices.append(one.message)
            else:
                assert isinstance(one, Article)
                assert one.source == "Harbour Post"
                count += 1
    assert count == 400
    assert "400 rows were read from the list 'items'" in notices


@pytest.mark.usefixtures("low")
def test_articles_by_id_beyond_any_line_are_streamed(tmp_path: Path) -> None:
    content = ", ".join(f'"n{n}x": {row}' for n, row in enumerate(rows(400)))
    got = read_bytes(tmp_path, "a.json", b"{%s}" % content.encode())
    assert len(got.articles) == 400
    assert got.articles[7].id == "n7x"


@pytest.mark.usefixtures("low")
def test_an_array_on_one_line_beyond_any_line_is_streamed(tmp_path: Path) -> None:
    content = f"[{', '.join(rows(400))}]"
    assert read_bytes(tmp_path, "a.json", content.encode()).counts == (400, 0)


@pytest.mark.parametrize("name", ["a.json.gz", "a.jsonl.gz"])
def test_millions_of_blank_lines_cost_neither_time_nor_memory(tmp_path: Path, name: str) -> None:
    content = gzip.compress(b"\n" * 20_000_000 + GOOD.encode() + b"\noh\n", 1)
    with within(60):
        got = read_bytes(tmp_path, name, content)
    assert got.counts == (1, 1)
    assert got.rejected[0].line == 20_000_002


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize(
    ("content", "articles", "reason"),
    [
        (
            '[{"title": "a", "text": "' + "y" * 400_000 + f'"}}, {GOOD}]',
            1,
            "has more than 200,000 characters",
        ),
        ('{"title": "a", "text": "' + "y" * 400_000 + '"}', 0, "has more than 200,000 characters"),
        (f'[{{"title": "a", "x": [{"[]," * 150_000}1]}}, {GOOD}]', 1, "200,000 characters"),
        ('{"data": [' + "[]," * 150_000 + "1]}", 0, "has more than 200,000 characters"),
        ("{" + ",".join(f'"k{n}": {n}' for n in range(30_000)) + "}", 0, "200,000 characters"),
        ("[" * 100_000, 0, "nested too deeply"),
        ('{"articles":' * 100_000, 0, "nested too deeply"),
        (f"[{GOOD},\n{'[' * 100_000}", 1, "nested too deeply"),
        ('{"data": [' * 300 + "1" + "]}" * 300, 0, "has no title and no text"),
        (f'{{"x": {"9" * 5000}, "articles": [{GOOD}]}}', 0, "4300 digits"),
    ],
    ids=[
        "long text",
        "long article",
        "crowded row",
        "crowded",
        "keys",
        "deep",
        "deep objects",
        "deep later",
        "deep container",
        "long number",
    ],
)
def test_what_is_beyond_a_bound_is_set_aside_with_the_bound(
    tmp_path: Path, content: str, articles: int, reason: str
) -> None:
    got = read_bytes(tmp_path, "a.json", content.encode())
    assert len(got.articles) == articles
    assert reason in got.reasons


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_crowded_value_is_set_aside_before_it_fills_the_memory(tmp_path: Path, name: str) -> None:
    crowded = '{"title": "a", "x": [' + "[]," * 1_100_000 + "1]}"
    content = f"[{crowded}, {GOOD}]" if name == "a.json" else f"{GOOD}\n{crowded}\n"
    got = read_bytes(tmp_path, name, content.encode())
    assert got.counts == (1, 1)
    assert "has more than 1,000,000 lists and objects" in got.reasons
    keys = "{" + ",".join(f'"k{n}": {n}' for n in range(30_000)) + "}"
    assert "has 30,000 keys, more than 20,000" in read_bytes(tmp_path, name, keys.encode()).reasons


def test_lines_beyond_a_bound_do_not_cost_the_next(tmp_path: Path) -> None:
    content = GOOD + '\n{"title": "b", "text": "' + "y" * 34_000_000 + '"}\n' + GOOD
    got = read_bytes(tmp_path, "a.jsonl", content.encode())
    assert got.counts == (2, 1)
    assert got.rejected[0].line == 2
    assert got.reasons == "the line is 34,000,026 characters long, more than 33,554,432"


@pytest.mark.usefixtures("low")
def test_a_frame_column_by_column_beyond_memory_is_refused_with_a_cure(tmp_path: Path) -> None:
    column = ", ".join(f'"{n}": "{LONG}"' for n in range(400))
    with pytest.raises(
        InputError, match=r"column by column must have at most .*orient=\"records\""
    ):
        read_bytes(tmp_path, "a.json", f'{{"title": {{{column}}}}}'.encode())


def test_bytes_that_are_no_utf8_cost_only_their_line(tmp_path: Path) -> None:
    content = '[{"title": "Nîmes"},\n'.encode("latin-1") + '{"title": "Orléans"}]'.encode()
    got = read_bytes(tmp_path, "a.json", content)
    assert [one.title for one in got.articles] == ["Nîmes", "Orléans"]
    assert "1 line is not UTF-8 and was read as Windows-1252" in got.notices[0].message


def test_a_character_between_two_pieces_of_a_line_is_whole(tmp_path: Path) -> None:
    text = "é€😀" * 400_000
    for lead in range(4):
        content = "[" + " " * lead + json.dumps({"title": "a", "text": text}, ensure_ascii=False)
        got = read_bytes(tmp_path, "a.json", (content + "]").encode())
        assert got.articles[0].text == text
        assert not got.notices
