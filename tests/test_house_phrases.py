"""What outlets repeat is out of what a run compares, and stays in what it keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

import invented
from newsnest import Nest, Nester, Options, build
from newsnest.corpus.in_memory import articles_in_memory
from newsnest.pipeline.house_phrases import boilerplate_in_words, boilerplate_of
from newsnest.progress import Task
from newsnest.types import Article

TFIDF = Options(encoder="tfidf")
LEFT, RIGHT = "GULLTOWN, May 3 (Gull) -- ", " Read gullwise on..."


class Notes:
    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, what: str, total: int | None, unit: str) -> Task:
        return Task()

    def note(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(scope="module")
def plain() -> list[Article]:
    return [
        Article(row["id"], row["title"], row["text"], "en", source=row["source"])
        for row in invented.articles(24, copies=0)
    ]


@pytest.fixture(scope="module")
def dressed(plain: list[Article]) -> list[Article]:
    """The same articles, those of one outlet with a dateline and a last line."""
    return [
        replace(a, text=f"{LEFT}{a.text}{RIGHT}") if a.source == "Outlet 0" else a for a in plain
    ]


@pytest.fixture(scope="module")
def nests(plain: list[Article], dressed: list[Article]) -> dict[str, Nest]:
    made = {"plain": Nest(":memory:", create=True), "dressed": Nest(":memory:", create=True)}
    build(plain, made["plain"], TFIDF)
    build(dressed, made["dressed"], TFIDF)
    return made


def test_house_phrases_change_no_cluster_name_or_summary(nests: dict[str, Nest]):
    found = [
        [
            (c.name, c.keywords, c.summary, c.articles)
            for level in ("theme", "topic", "story")
            for c in nest.clusters(level)
        ]
        for nest in nests.values()
    ]
    assert found[0] == found[1]


def test_the_nest_keeps_whole_texts(nests: dict[str, Nest], dressed: list[Article]):
    kept = {member.article.id: member.article.text for member in nests["dressed"].members()}
    assert kept == {article.id: article.text for article in dressed}


def test_a_run_tells_what_it_took_out(dressed: list[Article], nests: dict[str, Nest]):
    facts = nests["dressed"].run().facts
    count = sum(article.source == "Outlet 0" for article in dressed)
    assert facts["boilerplate"]["texts"] == count
    assert {row["text"] for row in facts["boilerplate"]["patterns"]} == {
        "GULLTOWN, # (Gull) --",
        "Read gullwise on...",
    }
    words = boilerplate_in_words(facts)
    assert words.startswith(f"house phrases were taken out of {count} of {len(dressed)} articles: ")
    assert f"“GULLTOWN, # (Gull) --” of Outlet 0 ({count})" in words
    notes = Notes()
    build(dressed, Nest(":memory:", create=True), TFIDF, progress=notes)
    assert words in notes.said


def test_a_run_that_took_out_nothing_says_nothing(nests: dict[str, Nest]):
    facts = nests["plain"].run().facts
    assert facts["boilerplate"] == {"texts": 0, "patterns": []}
    assert boilerplate_in_words(facts) == boilerplate_in_words({}) == ""
    assert boilerplate_of({}).patterns == ()


def test_boilerplate_is_kept_on_request(dressed: list[Article]):
    run = build(
        dressed, Nest(":memory:", create=True), Options(encoder="tfidf", keep_boilerplate=True)
    ).run
    assert "boilerplate" not in run.facts
    assert "boilerplate" not in run.facts["seconds"]


def test_later_texts_are_compared_without_it_too(plain: list[Article], dressed: list[Article]):
    nester = Nester("tfidf").fit(dressed)
    own = [article for article in plain if article.source == "Outlet 0"]
    phrased = [replace(a, text=f"{LEFT}{a.text}{RIGHT}") for a in own]
    assert nester.predict(phrased).tolist() == nester.predict(own).tolist()
    best = nester.search(own[0].title)[0].article
    assert best in dressed  # whole, as it was given


def test_copies_that_differ_in_house_phrases_are_folded(dressed: list[Article], plain):
    copies = [replace(a, id=f"z{a.id}", source="Reprint") for a in plain if a.source == "Outlet 0"]
    nest = Nest(":memory:", create=True)
    run = build(articles_in_memory(dressed + copies), nest, TFIDF).run
    assert run.facts["independent"] == len(dressed)
