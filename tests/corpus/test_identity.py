"""Articles that come again: seen again, updated, or with an id of another article."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.corpus import ReadOptions, read_articles_with_rows, settle_languages
from newsnest.corpus.identity import Seen, Version, hash_of
from newsnest.types import Article, Rejected, Update

from .reading import read, read_bytes

FEED = """<rss version="2.0"><channel><title>Harbour Post</title>
<item><title>Ferry strike ends</title><guid>g1</guid><description>It ended.</description>
<pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate></item>
<item><title>Bank holds rate</title><link>https://harbour.example.org/2</link>
<pubDate>Tue, 05 Mar 2024 11:00:00 GMT</pubDate></item></channel></rss>"""


def lines(*rows: dict[str, object]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def kept(items: Iterable[object]) -> dict[str, Article]:
    return {item.id: item for item in items if isinstance(item, Article)}


def plain(articles: dict[str, Article]) -> set[tuple[object, ...]]:
    return {(a.id, a.title, a.text, a.lang, a.date, a.source, a.url) for a in articles.values()}


def test_the_same_article_twice_is_seen_again_and_no_fault(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": 1, "title": "a"}
    (tmp_path / "a.jsonl").write_bytes(lines(row, {"id": 2, "title": "b"}))
    (tmp_path / "b.jsonl").write_bytes(lines(row))
    got = read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], strict=True)
    assert got.counts == (2, 0)
    assert [notice.message for notice in got.notices] == [
        "1 article was read before, with the same id and text, and is counted once, first '1' at "
        f"line 1, before at {tmp_path / 'a.jsonl'}, line 1"
    ]


def test_a_folder_of_feeds_saved_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "monday").mkdir()
    (tmp_path / "monday" / "feed.xml").write_text(FEED)
    once = read([tmp_path], strict=True).articles
    shutil.copytree(tmp_path / "monday", tmp_path / "tuesday")
    again = read([tmp_path], strict=True)
    assert (again.articles, again.rejected) == (once, [])
    assert "2 articles were read before, with the same id and text" in again.notices[0].message


def test_an_entry_that_a_feed_updated_is_the_newer(tmp_path: Path) -> None:
    entry = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Post</title><entry><id>e1</id>
    <title>Rain</title><summary>{0}</summary><published>2024-03-05T10:00:00Z</published>
    <updated>2024-03-0{1}T10:00:00Z</updated></entry></feed>"""
    for name, words, day in (("a", "Two dead.", 6), ("b", "Three dead.", 7), ("c", "One dead.", 5)):
        (tmp_path / f"{name}.atom").write_text(entry.format(words, day))
    for order in itertools.permutations("abc"):
        got = read([tmp_path / f"{name}.atom" for name in order], strict=True)
        newest = kept(got.articles)["e1"]
        assert (newest.text, str(newest.date)[:10]) == ("Three dead.", "2024-03-05")


def test_of_two_versions_the_newest_is_kept_and_both_are_counted(tmp_path: Path) -> None:
    old = {"id": 1, "title": "a", "text": "old", "date": "2024-03-05", "updated": "2024-03-06"}
    new = {"id": 1, "title": "a", "text": "new", "date": "2024-03-05", "updated": "2024-03-07"}
    got = read_bytes(tmp_path, "a.jsonl", lines(old, new), strict=True)
    first, second = got.articles
    assert (first.text, second.text, isinstance(second, Update)) == ("old", "new", True)
    assert [notice.message.partition(", first")[0] for notice in got.notices] == [
        "1 article was read before with the same id and another text: the newest is kept"
    ]
    got = read_bytes(tmp_path, "a.jsonl", lines(new, old))
    assert [article.text for article in got.articles] == ["new"]
    assert got.notices[0].message.startswith("1 article was read before with the same id")


def test_a_version_with_a_date_is_newer_than_one_without(tmp_path: Path) -> None:
    undated, dated = {"id": 1, "title": "x"}, {"id": 1, "title": "y", "date": "2024-03-05"}
    for rows in ((undated, dated), (dated, undated)):
        got = read_bytes(tmp_path, "a.jsonl", lines(*rows))
        assert kept(got.articles)["1"].title == "y"


def test_ids_that_differ_in_white_space_are_one(tmp_path: Path) -> None:
    got = read_bytes(
        tmp_path, "a.jsonl", lines({"id": "a  1", "title": "t"}, {"id": " a\t1", "title": "t"})
    )
    assert [article.id for article in got.articles] == ["a 1"]


def test_content_without_an_id_is_one_article_only_where_it_has_an_address(tmp_path: Path) -> None:
    row: dict[str, object] = {"title": "a", "date": "2024-03-05"}
    got = read_bytes(tmp_path, "a.jsonl", lines(row, row))
    assert [article.id[-2:] == "-2" for article in got.articles] == [False, True]
    row["url"] = "https://harbour.example.org/1"
    got = read_bytes(tmp_path, "a.jsonl", lines(row, row))
    assert got.counts == (1, 0)


VERSIONS: list[dict[str, object]] = [
    {"id": 1, "title": "a", "text": "one", "date": "2024-03-05"},
    {"id": 1, "title": "a", "text": "two", "date": "2024-03-05"},
    {"id": 1, "title": "a", "text": "two", "date": "2024-03-05", "source": "Harbour Post"},
    {"id": 1, "title": "a", "text": "three", "date": "2024-03-04"},
    {"id": 1, "title": "a", "text": "four"},
]


def test_the_order_of_versions_does_not_change_which_is_kept(tmp_path: Path) -> None:
    found = set()
    for rows in itertools.permutations(VERSIONS):
        got = read_bytes(tmp_path, "a.jsonl", lines(*rows, {"id": 2, "title": "b"}))
        found.add(frozenset(plain(kept(got.articles))))
    assert len(found) == 1


ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 3)},
        optional={
            "title": st.sampled_from(["Rain in the valley", "Pluie dans la vallée", "Gaza talks"]),
            "lang": st.sampled_from(["en", "fr", ""]),
            "date": st.sampled_from(["2024-03-05", "2024-03-06", "soon"]),
            "modified": st.sampled_from(["2024-03-07", "2024-03-06T10:00"]),
            "source": st.sampled_from(["Harbour Post", "Coast Wire"]),
        },
    ),
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.randoms())
def test_what_is_kept_and_its_languages_depend_on_no_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], random: object
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (
        plain(kept(settle_languages(read_bytes(folder, "a.jsonl", lines(*own)).articles)))
        for own in (rows, shuffled)
    )
    assert one == other


def test_a_version_that_a_profile_drops_hides_no_other(tmp_path: Path) -> None:
    from newsnest.corpus import load_profile

    rule = '[[minimum]]\nrule = "short"\nin = "text"\ncharacters = 4\notherwise = "drop"\n'
    (tmp_path / "own.toml").write_text(rule)
    profile = load_profile(tmp_path / "own.toml")
    rows: list[dict[str, object]] = [
        {"id": 1, "title": "a", "text": "long enough", "date": "2024-03-05"},
        {"id": 1, "title": "a", "text": "no", "date": "2024-03-06"},
    ]
    for own in (rows, rows[::-1]):
        got = read_bytes(tmp_path, "a.jsonl", lines(*own), profile=profile)
        assert [article.text for article in got.articles] == ["long enough"]


def test_with_rows_the_first_is_kept_and_another_set_aside(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": 1, "title": "a", "story": "s"}
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(row, row, row | {"story": "t"}))
    options = ReadOptions(detect_language=False)
    first, other, seen = list(read_articles_with_rows([path], options=options))
    assert isinstance(first, tuple)
    assert isinstance(other, Rejected)
    assert other.reason == f"id '1' was used before, at {path}, line 1"
    assert getattr(seen, "message", "").startswith("1 article was read before, with the same id")


def test_ids_are_remembered_beyond_what_is_kept_at_hand() -> None:
    seen, keys = Seen(keep=10), [hash_of(f"id {number}") for number in range(1001)]
    for number in range(1000):
        assert seen.find(keys[number]) is None
        place = seen.place(f"file {number // 300}", number)
        seen.add(keys[number], Version(place, 2**64 - 1, number, float(number), 3, 7))
    oldest, newest = seen.find(keys[0]), seen.find(keys[999])
    assert oldest is not None
    assert newest is not None
    assert (seen.where(oldest), oldest.lang, oldest.text) == ("file 0, line 0", 3, 2**64 - 1)
    assert seen.where(newest) == "file 3, line 999"
    assert seen.find(keys[1000]) is None
    for key, version in ((keys[0], oldest), (keys[999], newest)):
        seen.replace(key, version._replace(when=5.0))
        assert seen.find(key) == version._replace(when=5.0)
