"""What is not seen stays out of all that people look at; names from right to left are isolated."""

from __future__ import annotations

import json

import pytest

import invented

HIDDEN = (
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\u00ad\u061c\u180e"
)
HIDDEN += "\x1b\x9b\x07\U000e0041\ufff9\u200e\u200f"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, newsnest):
    rows = [
        {
            "title": f"\u202eFerry{mark} strike &#8238;ends{mark} \x1b[31mday {n}",
            "text": f"The {mark}ferry strike at the port ends on day {n}. All work{mark} again.",
            "source": f"Harbour{mark} Post",
            "url": f"https://harbour.example/{mark}{n}",
        }
        for n, mark in enumerate(HIDDEN)
    ]
    folder = tmp_path_factory.mktemp("spoilt")
    rejected = {"title": "", "note": f"x{HIDDEN}"}
    path = invented.write(folder / "news.jsonl", [*rows, rejected])
    newsnest("cluster", path, "-o", folder / "news.nest", "--encoder", "tfidf")
    return folder / "news.nest"


def shown(newsnest, nest):
    yield "show", newsnest("show", nest).output
    yield (
        "json",
        json.dumps(json.loads(newsnest("show", nest, "--json").output), ensure_ascii=False),
    )
    yield "level", newsnest("show", nest, "--level", "story").output
    yield "rejected", newsnest("show", nest, "--rejected").output
    for ending in ("csv", "jsonl"):
        file = nest.with_suffix(f".{ending}")
        newsnest("export", nest, "-o", file)
        yield ending, file.read_text(encoding="utf-8-sig")
    newsnest("report", nest, "-o", nest.with_suffix(".html"))
    page = nest.with_suffix(".html").read_text(encoding="utf-8")
    yield "page", page[page.index("<body") :]


def test_no_hidden_character_reaches_a_terminal_a_table_or_a_page(newsnest, spoilt):
    for where, text in shown(newsnest, spoilt):
        # The page carries libraries, in which such characters stand as code.
        assert "\u202e" not in text, where
        text = text.split("<script", 1)[0] if where == "page" else text
        assert not {f"{ord(mark):x}" for mark in HIDDEN if mark in text}, where
        if where != "rejected":
            assert "erry" in text, where


def test_titles_of_emoji_alone_stay_articles(newsnest, tmp_path):
    titles = [
        "🚢🚢🚢",
        "⚽\ufe0f🔥",
        "👨\u200d👩\u200d👧\u200d👦",
        "🚢 Ferry strike ends",
        "Ferry strike ends 🔥",
    ]
    path = invented.write(tmp_path / "emoji.jsonl", [{"title": title} for title in titles])
    nest = tmp_path / "emoji.nest"
    assert "5 articles, 4 independent" in newsnest("cluster", path, "-o", nest,
                                                   "--encoder", "tfidf").output  # fmt: skip
    newsnest("export", nest, "-o", tmp_path / "emoji.jsonl")
    lines = (tmp_path / "emoji.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["title"] for row in rows} == set(titles)
    assert all(row["story_name"].strip() for row in rows)


def test_a_name_from_right_to_left_is_isolated_on_a_terminal_alone(monkeypatch):
    from newsnest.cli import show

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert show._isolated("إضراب في الميناء") == "\u2068إضراب في الميناء\u2069"
    assert show._isolated("Ferry strike") == "Ferry strike"
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert show._isolated("إضراب في الميناء") == "إضراب في الميناء"
