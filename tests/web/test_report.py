"""The page of a nest: what it says, what it leaves out, and what cannot break it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from web_nest import HOSTILE, STORIES, build_nest

from newsnest.errors import InputError, NestError, ParameterError
from newsnest.nest import Nest
from newsnest.pipeline import Options, build
from newsnest.types import Article
from newsnest.web import ReportLimits, write_report
from newsnest.web.payload import to_json


class _Tags(HTMLParser):
    """Every tag with its attributes, and the contents of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._script: dict[str, str | None] | None = None
        self._parts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._script = dict(attrs) if tag == "script" else None
        self._parts = []

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            self.scripts.append((self._script, "".join(self._parts)))
            self._script = None


def _data(html: str) -> dict[str, Any]:
    scripts = _Tags(html).scripts
    (text,) = [text for attrs, text in scripts if attrs.get("id") == "data"]
    result: dict[str, Any] = json.loads(text)
    return result


def _page(nest: Nest, tmp_path: Path, **settings: Any) -> str:
    return write_report(nest, tmp_path / "p.html", **settings).path.read_text(encoding="utf-8")


def test_hostile_words_stay_words(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    parsed = _Tags(html)
    assert HOSTILE not in html
    assert not [tag for tag, _ in parsed.tags if tag in ("img", "iframe", "b")]
    assert not [a for _, a in parsed.tags if any(name.startswith("on") for name in a)]
    assert HOSTILE in _data(html)["stories"]["name"]
    assert HOSTILE in unescape(html)  # said, as text, in the list and among the rejected rows


def test_a_theme_shows_its_section_and_hostile_words_stay_words(tmp_path: Path) -> None:
    nest = build_nest(tmp_path / "n.nest")
    with nest.store.transaction() as sql:
        sql.execute("UPDATE clusters SET section = ?, digest = NULL WHERE label = 0", (HOSTILE,))
    with nest:
        html = write_report(nest, tmp_path / "p.html").path.read_text(encoding="utf-8")
    shown = re.findall(r'<span class="section">(.*?)</span>', html)
    assert [unescape(one) for one in shown] == [HOSTILE]
    assert HOSTILE not in html


def test_the_page_says_how_stories_were_cut_and_how_to_cut_them_otherwise(
    nest: Nest, tmp_path: Path
) -> None:
    articles = [Article(str(n), title=f"Sea wall {n % 4} breached in storm") for n in range(12)]
    with Nest(tmp_path / "<b>.nest", create=True) as made:
        build(articles, made, Options(encoder="tfidf"))
        html = _page(made, tmp_path)
    assert re.search(r"About \d+ % of these articles share a story with another\. ", html)
    assert "Run <code>newsnest recut &#39;&lt;b&gt;.nest&#39; --grain finer</code>." in html
    assert str(tmp_path) not in html
    assert "newsnest recut" not in _page(nest, tmp_path)  # it says nothing of how it was cut


def test_only_web_addresses_become_links(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    urls = {item[4] for items in _data(html)["items"] for item in items}
    assert "" in urls
    assert all(url == "" or url.startswith("https://news.example/") for url in urls)
    assert "javascript:alert(document.domain)" not in html


def test_nothing_is_loaded_from_anywhere(page: Path) -> None:
    for tag, attrs in _Tags(page.read_text(encoding="utf-8")).tags:
        assert "src" not in attrs
        assert attrs.get("href", "#").startswith(("#", "data:,")), (tag, attrs)


def test_policy_names_exactly_the_scripts_of_the_page(page: Path) -> None:
    parsed = _Tags(page.read_text(encoding="utf-8"))
    (policy,) = [a["content"] for t, a in parsed.tags if a.get("http-equiv")]
    running = [text for attrs, text in parsed.scripts if "type" not in attrs]
    assert len(running) == 8
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running
    ]
    assert re.findall(r"'sha256-([^']+)'", policy or "") == digests
    assert "default-src 'none'" in (policy or "")


@pytest.mark.parametrize("character", ["<", ">", "&", "\u2028", "\u2029"])
def test_json_holds_no_character_that_could_end_a_script(character: str) -> None:
    text = to_json({"a": f"x{character}y"})
    assert character not in text
    assert json.loads(text) == {"a": f"x{character}y"}


def test_parents_are_the_sums_of_their_children(page: Path) -> None:
    data = _data(page.read_text(encoding="utf-8"))
    nodes, stories = data["nodes"], data["stories"]
    for field in ("articles", "independent"):
        for place in range(len(nodes["name"])):
            below = [
                part[field][i]
                for part in (nodes, stories)
                for i, parent in enumerate(part["parent"])
                if parent == place
            ]
            assert nodes[field][place] == sum(below)
        tops = [nodes[field][i] for i, parent in enumerate(nodes["parent"]) if parent < 0]
        assert sum(tops) == data[field]


def test_cells_count_every_article_once(page: Path) -> None:
    data = _data(page.read_text(encoding="utf-8"))
    assert [sum(cells[3::4]) for cells in data["cells"]] == data["stories"]["articles"]
    assert sum(sum(row[1::2]) for row in data["timeline"]) == data["dated"]
    days = {row[i] for row in data["timeline"] for i in range(0, len(row), 2)}
    assert days == {t for cells in data["cells"] for t in cells[2::4]}


def test_copies_point_at_their_original(page: Path) -> None:
    data = _data(page.read_text(encoding="utf-8"))
    place = data["stories"]["name"].index("Ferry strike enters third week")
    items = data["items"][place]
    assert [item[5] for item in items] == [-1] * 6 + [0] * 3
    assert items[0][6] == 3


def test_a_whole_nest_leaves_nothing_out(nest: Nest, tmp_path: Path) -> None:
    summary = write_report(nest, tmp_path / "p.html")
    assert summary.articles == summary.articles_shown == sum(story[3] for story in STORIES)
    assert summary.stories == summary.stories_shown == len(STORIES)
    assert summary.left_out == ("The map shows 7 of these 8 stories.",)
    assert summary.bytes == (tmp_path / "p.html").stat().st_size


def test_every_limit_that_is_reached_is_stated(nest: Nest, tmp_path: Path) -> None:
    limits = ReportLimits(stories=3, articles_per_story=2, map_points=2, outlets=1, rejected=1)
    summary = write_report(nest, tmp_path / "p.html", limits=limits)
    html = unescape(summary.path.read_text(encoding="utf-8"))
    said = " ".join(summary.left_out)
    for sentence in summary.left_out:
        assert sentence in html
    assert "The largest 3 of 8 stories are shown." in said
    assert "1 smaller story is not listed." in html
    assert "2 of 3 themes hold one of them and are listed." in said
    assert "3 stories have more than 2 articles" in said
    assert "The map shows 2 of these 3 stories." in said
    assert "The filter lists the 1 largest of 4 outlets" in said
    assert "The first 1 of 2 rejected rows are listed." in said


def test_a_page_that_cannot_be_written_is_told(nest, tmp_path):
    with pytest.raises(InputError, match=r"must be a file that can be written, got .* too long"):
        write_report(nest, tmp_path / f"{'p' * 251}.html")


def test_quoted_articles_are_listed_whatever_the_limit(nest: Nest, tmp_path: Path) -> None:
    data = _data(_page(nest, tmp_path, limits=ReportLimits(articles_per_story=1)))
    for summary, items in zip(data["stories"]["summary"], data["items"], strict=True):
        assert {article for _, article in summary} <= {item[7] for item in items}


def test_limited_counts_still_count_everything(nest: Nest, tmp_path: Path) -> None:
    data = _data(_page(nest, tmp_path, limits=ReportLimits(stories=2, outlets=1)))
    assert data["articles"] == sum(story[3] for story in STORIES)
    assert [sum(cells[3::4]) for cells in data["cells"]] == data["stories"]["articles"]
    assert {outlet for cells in data["cells"] for outlet in cells[0::4]} == {-1, 0}


def test_same_run_gives_the_same_bytes(nest: Nest, tmp_path: Path) -> None:
    assert _page(nest, tmp_path) == _page(nest, tmp_path)


def test_list_stands_in_the_page_without_javascript(page: Path) -> None:
    html = unescape(page.read_text(encoding="utf-8").partition('id="data"')[0])
    for _, _, name, *_ in STORIES:
        assert name in html
    assert "9 articles, 6 independent" in html


def test_no_dates_means_no_timeline_and_a_sentence(tmp_path: Path) -> None:
    with build_nest(tmp_path / "n.nest", dated=False) as nest:
        html = _page(nest, tmp_path)
    assert "No article has a date, so there is no timeline." in html
    assert 'id="time"' not in html
    assert 'name="from"' not in html


def test_nest_of_stories_alone_has_a_page(tmp_path: Path) -> None:
    with build_nest(tmp_path / "n.nest", levels=1) as nest:
        html = _page(nest, tmp_path)
    assert html.count('class="story"') == len(STORIES)
    assert _data(html)["nodes"]["name"] == []


def test_empty_run_says_so(tmp_path: Path) -> None:
    from newsnest.nest import Result

    with Nest(tmp_path / "n.nest", create=True) as nest:
        run = nest.store.start_run("k", nest.store.add_batch("d", {}, []), {}, {})
        none = np.zeros(0, dtype=np.int64)
        plane = np.zeros((0, 0), dtype=np.float32)
        nest.store.finish_run(run, Result({}, [], none, none, [], plane, plane))
        html = _page(nest, tmp_path)
    assert "This run holds no stories." in html


def test_title_is_the_name_of_the_nest_or_ones_own(nest: Nest, tmp_path: Path) -> None:
    assert "<title>harbour news · newsnest</title>" in _page(nest, tmp_path)
    assert "<title>A &lt;b&gt; day · newsnest</title>" in _page(nest, tmp_path, title="A <b> day")


def test_dates_before_1970_fall_into_their_own_day(nest: Nest, tmp_path: Path) -> None:
    nest.store.connection.execute("UPDATE articles SET date = -1.0")
    data = _data(_page(nest, tmp_path))
    assert {time for cells in data["cells"] for time in cells[2::4]} == {-1}


def test_no_draft_stays_behind_and_a_failed_write_keeps_the_old_page(
    nest: Nest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _page(nest, tmp_path)
    old = (tmp_path / "p.html").read_bytes()

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk gone")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match="disk gone"):
        write_report(nest, tmp_path / "p.html", title="new")
    assert (tmp_path / "p.html").read_bytes() == old
    assert not list(tmp_path.glob(".*draft"))


def test_unfinished_run_is_refused(nest: Nest, tmp_path: Path) -> None:
    run = nest.store.start_run("another", nest.run().batch, {}, {})
    with pytest.raises(NestError, match="run must be finished, got run 2"):
        write_report(nest, tmp_path / "p.html", run=run)


def test_a_page_that_is_not_named_as_one_is_refused(nest: Nest, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"must end in .html or .htm, got 'p.pdf'. Rename it"):
        write_report(nest, tmp_path / "p.pdf")
    assert write_report(nest, tmp_path / "p.HTM").bytes > 0


def test_one_story_has_more_and_two_have(nest: Nest, tmp_path: Path) -> None:
    def said(articles: int) -> str:
        limits = ReportLimits(articles_per_story=articles)
        return " ".join(write_report(nest, tmp_path / "p.html", limits=limits).left_out)

    assert "1 story has more than 5 articles;" in said(5)
    assert "stories have more than 1 article;" in said(1)


def test_a_day_is_not_called_a_span(tmp_path: Path) -> None:
    news = tmp_path / "day.jsonl"
    news.write_text('{"title": "Rain in Nantes", "date": "2024-03-10"}\n' * 2)
    with Nest(tmp_path / "day.nest", create=True) as nest:
        build([news], nest, Options(encoder="tfidf"))
        page = write_report(nest, tmp_path / "day.html").path.read_text(encoding="utf-8")
    assert "2 articles on 10 March 2024, nested into" in page
    assert _data(page)["stories"]["summary"] == [[]]  # its one sentence is its name


def test_small_page_is_small_and_holds_the_licence_of_its_charts(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert len(html.encode()) < 500_000
    assert re.search("Copyright 2010-20.. Mike Bostock", html)
    assert "Permission to use, copy, modify, and/or distribute this software" in html


def test_d3_is_the_file_that_was_published() -> None:
    """Of npm's d3@7.9.2, dist/d3.min.js."""
    from newsnest import web

    content = Path(web.__file__).with_name("d3.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == (
        "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1"
    )


def test_strays_stand_beside_the_span_of_the_corpus(nest: Nest, tmp_path: Path) -> None:
    with nest.store.transaction() as sql:
        sql.execute("UPDATE articles SET date = 0 WHERE id = 'a010'")
        sql.execute("UPDATE articles SET date = 4102358400 WHERE id = 'a020'")
    html = _page(nest, tmp_path)
    assert "29 articles from 1 May 2031 to 15 May 2031 (2 dated before or after)" in html
    data = _data(html)
    assert data["range"] == [1935360000, 1936656000]
    assert sum(sum(row[1::2]) for row in data["timeline"]) == data["dated"] == 29


def test_strays_do_not_make_the_hours_of_a_day_days(nest: Nest, tmp_path: Path) -> None:
    with nest.store.transaction() as sql:
        sql.execute("UPDATE articles SET date = 1935360000 + key * 60")
        sql.execute("UPDATE articles SET date = 0 WHERE id = 'a010'")
    assert _data(_page(nest, tmp_path))["bin"] == 3600


def test_one_article_has_a_page_without_empty_charts(tmp_path: Path) -> None:
    news = tmp_path / "one.jsonl"
    news.write_text('{"title": "Bees return to Marrow Valley", "date": "2024-03-10"}\n')
    with Nest(tmp_path / "one.nest", create=True) as nest:
        build([news], nest, Options(encoder="tfidf"))
        page = write_report(nest, tmp_path / "one.html").path.read_text(encoding="utf-8")
    assert not {"nest", "map", "time"} & {attrs.get("id") for _, attrs in _Tags(page).tags}
    assert "Bees return to Marrow Valley" in page


def test_blank_title_is_none(nest: Nest, tmp_path: Path) -> None:
    assert "<title>harbour news · newsnest</title>" in _page(nest, tmp_path, title=" ")


def test_missing_directory_is_refused(nest: Nest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="path must be a file in a directory that exists"):
        write_report(nest, tmp_path / "no" / "p.html")
    with pytest.raises(InputError, match="path must be a file"):
        write_report(nest, tmp_path)


@pytest.mark.parametrize("value", [0, -1, True, 1.5])
def test_limits_below_one_are_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="map_points must be a whole number of at least 1"):
        ReportLimits(map_points=value)
