"""A feed's title becomes the outlet people know; honest names stay."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsnest.corpus.outlets import outlet_name

from .reading import read, read_bytes


@pytest.mark.parametrize(
    ("title", "host", "outlet"),
    [
        ("CNN.com - RSS Channel - App International Edition", "www.cnn.com", "CNN.com"),
        ("CNN.com - RSS Channel - App Tech Section", "edition.cnn.com", "CNN.com"),
        ("BBC News - World", "www.bbc.co.uk", "BBC News"),
        ("BBC News | World | UK Edition", "news.bbc.co.uk:80", "BBC News"),
        ("World news | The Guardian", "www.theguardian.com", "The Guardian"),
        ("NYT > World News", "www.nytimes.com", "NYT"),
        ("The New York Times > World", "nytimes.com", "The New York Times"),
        ("WSJ.com: World News", "www.wsj.com", "WSJ.com"),
        ("Sydney Morning Herald - Latest News", "www.smh.com.au", "Sydney Morning Herald"),
        ("New Zealand Herald - Top Stories", "www.nzherald.co.nz", "New Zealand Herald"),
        ("Articles | Mail Online", "www.dailymail.co.uk", "Mail Online"),
        ("Ouest-France - Rennes", "www.ouest-france.fr", "Ouest-France"),
        ("EL PAÍS: el periódico global", "elpais.com", "EL PAÍS"),
        ("Süddeutsche.de - Politik", "www.sueddeutsche.de", "Süddeutsche.de"),
        ("Breaking News - NDTV", "www.ndtvnews.com", "NDTV"),
        ("All Breaking Coverage - ABC", "www.abc.net.au", "ABC"),
        ("www.bbc.co.uk", "www.bbc.co.uk", "bbc.co.uk"),
        ("https://www.CNN.com/", "www.cnn.com", "cnn.com"),
    ],
)
def test_the_part_of_a_title_that_the_address_spells_is_the_outlet(
    title: str, host: str, outlet: str
) -> None:
    assert outlet_name(title, f"https://{host}/2024/03/05/ferry") == outlet


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("The Times - Tribune", "www.thetimes-tribune.com"),
        ("The Times - Tribune", "news.example.com"),
        ("Star - Tribune", "www.startribune.com"),
        ("Tribune - Star", "tribstar.com"),
        ("Post - Courier", "www.postandcourier.com"),
        ("Pittsburgh Post - Gazette", "www.post-gazette.com"),
        ("The Birmingham News - al.com", "www.al.com"),
        ("Ouest-France", "www.ouest-france.fr"),
        ("Examiner.com", "www.examiner.com"),
        ("FOX News", "www.foxnews.com"),
        ("California", "www.latimes.com"),
        ("Harbour Post - World", "x.example"),
        ("- | -", "www.bbc.co.uk"),
        ("BBC - " + "x" * 300, "www.bbc.co.uk"),
    ],
)
def test_an_honest_name_stays_whole(name: str, host: str) -> None:
    assert outlet_name(name, f"https://{host}/x") == name
    assert outlet_name(name, "") == name


@given(st.text("aAbn .-|:>/w", max_size=40), st.text("abn.-:/w", max_size=20))
def test_naming_an_outlet_twice_is_naming_it_once(name: str, host: str) -> None:
    once = outlet_name(name.strip(), f"https://{host}")
    assert outlet_name(once, f"https://{host}") == once
    assert once.casefold() in name.casefold()


def feed(title: str, link: str, item: str = "") -> bytes:
    return (
        f"<rss version='2.0'><channel><title>{title}</title><link>{link}</link>"
        f"<item><title>Rain in Nantes</title>{item}</item></channel></rss>"
    ).encode()


def test_feeds_and_tables_of_one_outlet_share_its_name(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.xml", "b.xml", "c.jsonl")]
    paths[0].write_bytes(feed("CNN.com - RSS Channel - World", "https://www.cnn.com/world"))
    paths[1].write_bytes(feed("CNN.com - RSS Channel - App Tech Section", "http://cnn.com/tech"))
    row = {"title": "Rain in Brest", "source": "CNN.com - RSS Channel", "url": "https://cnn.com/1"}
    paths[2].write_text(json.dumps(row))
    got = read(paths)
    assert {article.source for article in got.articles} == {"CNN.com"}


def test_an_entry_taken_from_elsewhere_has_the_outlet_it_was_taken_from(tmp_path: Path) -> None:
    source = "<source url='https://www.bbc.co.uk/rss'>BBC News - World</source>"
    content = feed("Ferries - Reader", "https://reader.example.org", source)
    got = read_bytes(tmp_path, "a.xml", content)
    assert [article.source for article in got.articles] == ["BBC News"]
    assert got.notices[0].message == (
        "1 article's outlet was shortened to match its address, "
        "first 'BBC News' of 'BBC News - World'"
    )
