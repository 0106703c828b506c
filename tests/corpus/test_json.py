"""JSON as news services, databases and data frames write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from newsnest.corpus import Profile, clean_files
from newsnest.corpus.json.values import plain_value
from newsnest.errors import InputError, ParameterError

from .reading import Got, read_bytes


def article(number: int, **more: Any) -> dict[str, Any]:
    return {"title": f"Ferry {number}", "text": f"Crews {number}", "date": "2024-03-05", **more}


ONE, TWO, THREE = article(1), article(2), article(3)


def got(folder: Path, content: Any, name: str = "a.json", **options: object) -> Got:
    text = content if isinstance(content, str) else json.dumps(content)
    return read_bytes(folder, name, text.encode(), **options)


def titles(read: Got) -> list[str]:
    return [one.title for one in read.articles]


def noticed(read: Got) -> str:
    return " | ".join(one.message for one in read.notices)


def test_a_json_feed_gives_its_items_with_outlet_language_and_dates(tmp_path: Path) -> None:
    items = [
        {
            "id": "1",
            "url": "https://harbour.example/1",
            "title": "Ferry strike ends",
            "summary": "Crews return",
            "date_published": "2021-04-01T12:07:01Z",
            "authors": [{"name": "A. Reporter"}],
        },
        {"id": "2", "title": "Bank holds rate", "date_published": "2021-04-01T13:07:01+02:00"},
    ]
    head = {"title": "Harbour Post", "description": "News", "language": "en"}
    feed = {"items": items, "version": "https://jsonfeed.org/version/1.1", **head}
    read = got(tmp_path, feed)
    assert [(one.id, one.title, one.source, one.lang) for one in read.articles] == [
        ("1", "Ferry strike ends", "Harbour Post", "en"),
        ("2", "Bank holds rate", "Harbour Post", "en"),
    ]
    assert [str(one.date)[:19] for one in read.articles] == [
        "2021-04-01 12:07:01",
        "2021-04-01 11:07:01",
    ]
    assert read.articles[0].text == "Crews return"
    assert "2 rows were read from the list 'items'" in noticed(read)


def test_newsapi_gives_its_articles_without_the_mark_of_a_cut_and_what_was_taken_back(
    tmp_path: Path,
) -> None:
    taken_back = {"source": {"name": "Coast"}, "title": "[Removed]", "content": "[Removed]"}
    cut = {
        "source": {"id": None, "name": "Harbour Post"},
        "title": "Ferry strike ends",
        "publishedAt": "2021-04-01T12:07:01Z",
        "content": "Crews go back… [+6746 chars]",
    }
    rows = [cut, taken_back, {"source": {"name": "Coast"}, "title": "Bank holds rate"}]
    read = got(tmp_path, {"status": "ok", "totalResults": 3, "articles": rows})
    assert titles(read) == ["Ferry strike ends", "[Removed]", "Bank holds rate"]
    assert read.articles[0].text == "Crews go back…"
    assert read.articles[0].source == "Harbour Post"
    assert "1 article was withdrawn by its outlet, and NewsAPI gives [Removed]" in noticed(read)
    assert "3 rows were read from the list 'articles'" in noticed(read)


def test_the_extended_json_of_mongodb_is_read(tmp_path: Path) -> None:
    rows = [
        {"_id": {"$oid": "5f1a"}, "title": "a", "date": {"$date": "2024-03-05T10:00:00Z"}},
        {
            "_id": {"$oid": "5f1b"},
            "title": "b",
            "date": {"$date": {"$numberLong": "1709636400000"}},
        },
        {"_id": {"$numberInt": "7"}, "title": {"$symbol": "c"}, "date": {"$timestamp": {"t": 1}}},
    ]
    for name, content in (
        ("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)),
        ("a.json", json.dumps(rows, indent=1)),
    ):
        read = got(tmp_path, content, name)
        assert [(one.id, str(one.date)[:19]) for one in read.articles] == [
            ("5f1a", "2024-03-05 10:00:00"),
            ("5f1b", "2024-03-05 11:00:00"),
            ("7", "1970-01-01 00:00:01"),
        ]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"$numberDouble": "1.5"}, 1.5),
        ({"$numberDecimal": "2"}, 2),
        ({"$uuid": "u"}, "u"),
        ({"$undefined": True}, None),
        ({"$date": 0}, plain_value({"$timestamp": {"t": 0}})),
        ({"$numberInt": "x"}, {"$numberInt": "x"}),
        ({"#text": "a", "@type": "html"}, "a"),
        ({"rendered": "a", "protected": False}, "a"),
        (["a"], "a"),
        (["a", "b"], ["a", "b"]),
        ({"en": "a"}, {"en": "a"}),
        ({}, {}),
    ],
)
def test_objects_that_stand_for_a_value_give_it_and_others_stay(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain


SOURCED = {"_index": "news", "_id": "a1", "_source": ONE}
CONTAINERS: dict[str, tuple[Any, str]] = {
    "elasticsearch": ({"took": 3, "hits": {"total": 1, "hits": [SOURCED]}}, "hits.hits"),
    "solr": (
        {"response": {"numFound": 1, "docs": [{"title": ["Ferry 1"], "body": ["x"]}]}},
        "response.docs",
    ),
    "event registry": (
        {"articles": {"results": [article(1, source={"title": "Harbour"})], "page": 1}},
        "articles.results",
    ),
    "reddit": ({"kind": "Listing", "data": {"children": [{"data": ONE}]}}, "data.children"),
    "twitter": (
        {"data": [{"id": "1", "title": "Ferry 1"}], "includes": {"users": [{"name": "A"}]}},
        "data",
    ),
    "feed from xml": (
        {"rss": {"channel": {"title": "Harbour", "item": [ONE]}}},
        "rss.channel.item",
    ),
    "gdata": (
        {"feed": {"title": {"$t": "H"}, "entry": [{"title": {"$t": "Ferry 1"}}]}},
        "feed.entry",
    ),
    "json api": ({"data": [{"id": "1", "attributes": ONE}], "included": []}, "data"),
    "graphql": ({"data": {"posts": {"edges": [{"node": ONE}]}}}, "data.posts.edges"),
    "any name": ({"a": {"b": {"mine": [ONE]}}, "tags": ["x", "y"]}, "a.b.mine"),
    "with a message": ({"message": "ok", "items": [ONE]}, "items"),
    "with a title": ({"title": "My export", "mine": [ONE]}, "mine"),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_only_list_of_articles_in_an_object_is_taken_and_named(
    tmp_path: Path, name: str, indent: int | None
) -> None:
    content, path = CONTAINERS[name]
    read = got(tmp_path, json.dumps(content, indent=indent))
    assert titles(read) == ["Ferry 1"]
    assert f"1 row was read from the list {path!r}" in noticed(read)
    assert not read.rejected


def test_a_wrapper_keeps_what_only_it_says(tmp_path: Path) -> None:
    rows = json.dumps(SOURCED) + "\n" + json.dumps({"document": TWO, "lang": "en"}) + "\n"
    rows += json.dumps({"Item": {"title": {"S": "Ferry 3"}, "id": {"S": "a3"}}})
    read = got(tmp_path, rows, "a.jsonl")
    assert titles(read) == ["Ferry 1", "Ferry 2", "Ferry 3"]
    assert [one.id for one in read.articles][::2] == ["a1", "a3"]
    assert read.articles[1].lang == "en"


def test_articles_by_id_are_rows_and_running_numbers_are_no_ids(tmp_path: Path) -> None:
    read = got(tmp_path, {"n123": ONE, "n124": TWO})
    assert [(one.id, one.title) for one in read.articles] == [
        ("n123", "Ferry 1"),
        ("n124", "Ferry 2"),
    ]
    assert "2 rows were read from one object" in noticed(read)
    assert got(tmp_path, {"n1": ONE}).articles[0].id == "n1"
    assert got(tmp_path, {"0": ONE, "1": TWO}).articles[0].id not in ("0", "1")


@pytest.mark.parametrize(
    "content",
    [
        {"title": {"0": "a", "1": "b"}, "id": {"0": "x", "1": "y"}},
        {"title": ["a", "b"], "id": ["x", "y"]},
        {"columns": ["id", "title"], "index": [0, 1], "data": [["x", "a"], ["y", "b"]]},
        {
            "schema": {"fields": [{"name": "id"}]},
            "data": [{"id": "x", "title": "a"}, {"id": "y", "title": "b"}],
        },
        {"0": {"id": "x", "title": "a"}, "1": {"id": "y", "title": "b"}},
    ],
    ids=["columns", "lists", "split", "table", "index"],
)  # fmt: skip
def test_every_way_pandas_writes_a_frame_is_read(tmp_path: Path, content: Any) -> None:
    read = got(tmp_path, content)
    assert [(one.id, one.title) for one in read.articles] == [("x", "a"), ("y", "b")]


def test_a_row_of_other_length_than_the_columns_is_set_aside(tmp_path: Path) -> None:
    read = got(tmp_path, {"columns": ["id", "title"], "data": [["x", "a"], ["y"], ["z", "b", 1]]})
    assert titles(read) == ["a"]
    assert read.reasons == "has 1 values for 2 columns | has 3 values for 2 columns"


def test_pages_of_an_interface_are_read_one_a_line_in_arrays_and_one_after_the_other(
    tmp_path: Path,
) -> None:
    pages = [{"status": "ok", "articles": [ONE, TWO]}, {"status": "ok", "articles": [THREE]}]
    empty = {"status": "ok", "articles": []}
    for name, content in {
        "lines.jsonl": "".join(json.dumps(page) + "\n" for page in [*pages, empty]),
        "array.json": json.dumps([*pages, empty], indent=2),
        "concatenated.json": "\n".join(json.dumps(page, indent=2) for page in [*pages, empty]),
        "joined.jsonl": "".join(json.dumps(page) for page in [*pages, empty]),
    }.items():
        read = got(tmp_path, content, name)
        assert titles(read) == ["Ferry 1", "Ferry 2", "Ferry 3"], name
        assert "3 rows were read from the list 'articles'" in noticed(read)
        assert "1 object holds no articles, first 'articles'" in noticed(read)
    assert titles(got(tmp_path, "".join(json.dumps([one]) + "\n" for one in (ONE, TWO)))) == [
        "Ferry 1",
        "Ferry 2",
    ]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_the_name_of_a_json_file_does_not_decide_how_it_is_laid_out(
    tmp_path: Path, name: str
) -> None:
    for content in (
        f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
        json.dumps([ONE, TWO]),
        json.dumps([ONE, TWO], indent=1),
        f"{json.dumps(ONE, indent=1)}\n\n{json.dumps(TWO, indent=1)}",
        f"\n\n\x1e{json.dumps(ONE)}\n\x1e{json.dumps(TWO)}\n",
        f"{json.dumps(ONE)}{json.dumps(TWO)}",
        f"[\n{json.dumps(ONE)},\n{json.dumps(TWO)},\n]",
    ):
        assert titles(got(tmp_path, content, name)) == ["Ferry 1", "Ferry 2"], content[:30]


TWO_LISTS = {"articles": [ONE], "related": {"more": [TWO, THREE]}}


def test_of_several_lists_one_must_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"a\.json, line 1: the lists of articles must be one, got 2: 'articles' \(1\), "
        r"'related.more' \(2\)\. Choose with --records articles",
    ):
        got(tmp_path, TWO_LISTS)
    assert titles(got(tmp_path, TWO_LISTS, records="related.more")) == ["Ferry 2", "Ferry 3"]
    assert titles(got(tmp_path, TWO_LISTS, records="articles")) == ["Ferry 1"]
    outlets = {"papers": {"cnn": {"articles": [ONE]}, "bbc": {"articles": [TWO]}}}
    assert titles(got(tmp_path, outlets, records="papers.*.articles")) == ["Ferry 1", "Ferry 2"]
    with pytest.raises(
        InputError, match=r"records must name a list in the file, got 'x' where the lists are 'arti"
    ):
        got(tmp_path, TWO_LISTS, records="x")
    with pytest.raises(ParameterError, match="records must be the name of a list, got ' '"):
        got(tmp_path, TWO_LISTS, records=" ")


def test_a_line_without_the_chosen_list_is_set_aside(tmp_path: Path) -> None:
    lines = json.dumps({"mine": [ONE]}) + "\n" + json.dumps({"status": "limit reached"})
    read = got(tmp_path, lines, "a.jsonl", records="mine")
    assert read.counts == (1, 1)
    assert read.reasons == "has no list 'mine'"


def test_lists_with_titles_that_are_left_unread_are_told(tmp_path: Path) -> None:
    facets = {"results": [ONE], "facets": [{"title": "Politics", "count": 3}]}
    read = got(tmp_path, facets)
    assert titles(read) == ["Ferry 1"]
    assert "1 list with titles was left unread, first 'facets' at" in noticed(read)
    blog = {**ONE, "posts": [TWO, THREE], "entities": [{"text": "EU"}]}
    read = got(tmp_path, blog, "a.jsonl")
    assert titles(read) == ["Ferry 1"]
    assert "first 'posts' at" in noticed(read)
    assert "(read it with --records posts)" in noticed(read)
    assert titles(got(tmp_path, blog, "a.jsonl", records="posts")) == ["Ferry 2", "Ferry 3"]
    assert "unread" not in noticed(got(tmp_path, blog, "a.jsonl", records="."))


def test_a_container_without_known_titles_is_set_aside_with_its_lists(tmp_path: Path) -> None:
    content = {"response": {"rows": [{"kopfzeile": "Ferry 1"}, {"kopfzeile": "Ferry 2"}]}}
    read = got(tmp_path, content)
    assert read.counts == (0, 1)
    assert "has no title and no text, and its lists have none: 'response.rows' (2)" in read.reasons
    assert titles(got(tmp_path, content, fields={"title": "kopfzeile"})) == ["Ferry 1", "Ferry 2"]


def test_rows_of_a_container_keep_their_lines_and_their_text(tmp_path: Path) -> None:
    content = '{"status": "ok",\n "articles": [\n  {"title": "a"},\n  {"id": "none"},\n  3\n ]}'
    read = got(tmp_path, content)
    assert titles(read) == ["a"]
    assert [(row.line, row.content) for row in read.rejected] == [(4, '{"id": "none"}'), (5, "3")]


@pytest.mark.parametrize("end", ["", "}", ', {"title": "b'])
def test_of_a_broken_container_what_came_before_is_read(tmp_path: Path, end: str) -> None:
    content = '{"status": "ok",\n"articles": [\n{"title": "a"},\n{"title": "c"}' + end
    read = got(tmp_path, content)
    assert titles(read) == ["a", "c"]
    assert len(read.rejected) == 1
    assert "is not valid JSON from here on" in read.reasons


def test_clean_counts_what_was_taken_back_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"articles": [ONE, {"title": "[Removed]", "text": "[Removed]"}]}))
    report = clean_files([path], Profile("none"), output=tmp_path / "b.jsonl")
    assert (report.kept, report.rejected) == (2, 0)
    assert any("1 article was withdrawn by its outlet" in n.message for n in report.notices)
