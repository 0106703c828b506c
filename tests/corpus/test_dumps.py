"""Five kinds of dumps that people have, each read without an option; all content is invented."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .reading import Got, read

PAGE = (
    "<!DOCTYPE html><html lang='en'><head><title>{title} | Gull</title>"
    "<meta property='og:site_name' content='Gull'>"
    "<meta property='article:published_time' content='2024-03-05'></head><body><nav>Home</nav>"
    "<article><h1>{title}</h1><p>{text}</p></article></body></html>"
)
TEXT = "The council met for two hours on Tuesday and agreed on most points of the new plan. " * 4


def messages(got: Got) -> list[str]:
    return [notice.message for notice in got.notices]


def test_a_scrapers_table_is_read_with_indexes_html_placeholders_and_mixed_dates(
    tmp_path: Path,
) -> None:
    rows = (
        "Unnamed: 0,Headline,Article Text,Published Date,Source,URL,Source\n"
        '0,Ferry &amp; rail,"<p>Crews <b>rest</b>.</p><script>x()</script>",2024-03-05,,u/1,Gull\n'
        '1,Bank holds rate,nan,"Tue, 05 Mar 2024 10:00:00 GMT",Owl,u/2,Owl\n'
        "2,Dam is full,None,1709632800,Owl,u/3,Owl\n"
        "2,Dam is full,None,1709632800,Owl,u/3,Owl\n"
    )
    path = tmp_path / "scraper.csv"
    path.write_text(rows)
    got = read(path)
    assert [(a.title, a.text, a.source) for a in got.articles] == [
        ("Ferry & rail", "Crews rest.", "Gull"),
        ("Bank holds rate", "", "Owl"),
        ("Dam is full", "", "Owl"),
    ]
    assert [f"{a.date:%d %H}" for a in got.articles] == ["05 00", "05 10", "05 10"]
    assert not got.rejected
    said = "\n".join(messages(got))
    assert "2 titles or texts held HTML, which was removed, first at line 2" in said
    assert "1 article was read before, with the same id and text, and is counted once" in said
    assert "3 placeholders were read as empty" in said
    assert str(tmp_path) not in said  # the notice names its file already


def _feed(outlet: str, built: str, *entries: tuple[str, str]) -> str:
    items = "".join(
        f"<item><guid isPermaLink='false'>{outlet}{id_}</guid><title>{title}</title>"
        "<pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate></item>"
        for id_, title in entries
    )
    return (
        f"<rss version='2.0'><channel><title>{outlet} - RSS Channel</title>"
        f"<link>https://www.{outlet.lower()}.example/</link>"
        f"<lastBuildDate>{built}</lastBuildDate>{items}</channel></rss>"
    )


def test_feeds_saved_twice_are_told_of_once_and_the_later_headline_is_kept(tmp_path: Path) -> None:
    days = ("Tue, 05 Mar 2024 12:00:00 GMT", "Wed, 06 Mar 2024 12:00:00 GMT")
    for day, built in enumerate(days):
        (tmp_path / f"day{day}").mkdir()
        for outlet in ("Gull", "Owl", "Heron"):
            entries = [(str(n), f"{outlet} story {n}") for n in range(day, day + 4)]
            if day:
                entries[0] = ("1", f"{outlet} story 1, ended")
            text = _feed(outlet, built, *entries)
            (tmp_path / f"day{day}" / f"{outlet}.xml").write_text(text)
    got = read(tmp_path)
    kept = {article.id: article for article in got.articles}
    assert len(kept) == 15 and {a.source for a in kept.values()} == {"Gull", "Owl", "Heron"}
    assert [kept[f"{o}1"].title for o in ("Gull", "Owl")] == [
        "Gull story 1, ended",
        "Owl story 1, ended",
    ]
    first, *others = messages(got)
    assert first.startswith("24 articles' outlets were shortened to match their addresses")
    assert [message.partition(",")[0].partition(":")[0] for message in others] == [
        "3 articles were read before with the same id and another text",
        "6 articles were read before",
    ]


def test_pages_of_a_news_service_are_told_of_once(tmp_path: Path) -> None:
    for page in range(12):
        articles = [
            {"source": {"name": "Gull"}, "title": f"Story {page}-{n}", "url": f"https://g.example/{n}",
             "publishedAt": "2024-03-05T10:00:00Z", "description": None, "content": None}
            for n in range(3)
        ]  # fmt: skip
        whole = {"status": "ok", "totalResults": 36, "articles": articles}
        (tmp_path / f"page{page}.json").write_text(json.dumps(whole))
    (tmp_path / "none.json").write_text("")
    got = read(tmp_path)
    assert got.counts == (36, 0)
    assert messages(got)[:2] == [
        f"1 file holds no rows, first {tmp_path}/none.json",
        f"36 rows were read from the list 'articles', first in {tmp_path}/page0.json",
    ]


def test_saved_pages_are_read_and_what_was_saved_with_them_is_passed_over(tmp_path: Path) -> None:
    for title, folder in (("Dam is full", "_files"), ("Bank holds", "-Dateien")):
        (tmp_path / f"{title}.html").write_text(PAGE.format(title=title, text=TEXT))
        (tmp_path / f"{title}{folder}").mkdir()
        (tmp_path / f"{title}{folder}" / "ad.html").write_text(f"<html><body><p>{TEXT}</p></html>")
        (tmp_path / f"{title}{folder}" / "style.css").write_text("a{}")
    (tmp_path / "desktop.ini").write_text("x")
    (tmp_path / "Dam is full-more").mkdir()  # named alike, but by hand
    (tmp_path / "Dam is full-more" / "own.html").write_text(PAGE.format(title="Own", text=TEXT))
    got = read(tmp_path)
    assert got.counts == (3, 0)
    assert {(a.title, a.source, f"{a.date:%d}") for a in got.articles} == {
        (title, "Gull", "05") for title in ("Dam is full", "Bank holds", "Own")
    }
    assert sorted(messages(got)) == [
        f"1 file of another kind was passed over, first {tmp_path}/desktop.ini",
        f"2 folders saved with a web page were passed over, first {tmp_path}/Bank holds-Dateien",
    ]


def test_an_archive_in_parquet_is_read_and_its_pandas_index_is_no_column(tmp_path: Path) -> None:
    table = pa.table(
        {
            "__index_level_0__": [0, 1],
            "headline": ["Dam is full", "Bank holds rate"],
            "short_description": ["It rained.", None],
            "category": ["WEATHER", "BUSINESS"],
            "date": pa.array([1709596800 * 10**9] * 2, pa.timestamp("ns")),
        }
    )
    pq.write_table(table, tmp_path / "archive.parquet")
    got = read(tmp_path / "archive.parquet")
    assert [(a.title, a.text, f"{a.date:%Y-%m-%d}") for a in got.articles] == [
        ("Dam is full", "It rained.", "2024-03-05"),
        ("Bank holds rate", "", "2024-03-05"),
    ]
    assert messages(got) == ["no article has an outlet; columns not used: category"]


def test_a_feeds_time_of_building_dates_no_entry_and_a_bare_guid_is_no_address(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.xml").write_text(
        "<rss version='2.0'><channel><title>Gull</title>"
        "<lastBuildDate>Tue, 05 Mar 2024 10:00:00 GMT</lastBuildDate>"
        "<item><title>Dam is full</title><guid>17</guid></item>"
        "<item><title>Bank holds</title><guid>https://gull.example/18</guid></item>"
        "</channel></rss>"
    )
    got = read(tmp_path / "a.xml")
    assert [(a.date, a.url) for a in got.articles] == [
        (None, ""),
        (None, "https://gull.example/18"),
    ]
    assert "retrieved" not in "".join(messages(got))
