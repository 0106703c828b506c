"""Descriptions as a whole: names, representatives, determinism, refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from newsnest.describe import Description, KeywordDescriber
from newsnest.describe.names import headline_name, keyword_name, story_names, upper_names
from newsnest.describe.representative import (
    centrality,
    headline_preference,
    majority_language,
    representatives,
)
from newsnest.errors import ParameterError
from newsnest.types import Article

PLACES = ["Valencia", "Paris", "Oslo", "Quito", "Lima", "Cairo"]
THINGS = ["Floods", "Strike", "Election", "Wildfire", "Trial", "Festival"]


def _corpus(copies=4):
    articles, story = [], []
    for number, (place, thing) in enumerate(zip(PLACES, THINGS, strict=True)):
        for copy in range(copies):
            articles.append(
                Article(
                    f"{number}-{copy}",
                    f"{thing} in {place} enters day {copy} of trouble",
                    f"The {thing.lower()} in {place} went on. Officials counted {copy} new events "
                    f"in {place} on Monday. Residents of {place} asked for help and got some.",
                    "en",
                )
            )
            story.append(number)
    story = np.array(story, dtype=np.int32)
    vectors = np.eye(8, dtype=np.float32)[story]
    vectors[:, 7] = np.tile(np.linspace(0, 0.3, copies, dtype=np.float32), len(PLACES))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return articles, vectors, [story // 3, story]


def test_every_cluster_of_every_level_is_described_in_order():
    articles, vectors, labels = _corpus()
    levels = KeywordDescriber().describe(articles, vectors, labels)
    assert [len(level) for level in levels] == [2, 6]
    for level, described in zip(labels, levels, strict=True):
        for label, description in enumerate(described):
            ids = {articles[row].id: articles[row] for row in np.flatnonzero(level == label)}
            assert isinstance(description, Description)
            assert level[description.representative] == label
            assert 1 <= len(description.keywords) <= 6
            assert 1 <= len(description.summary) <= 3
            for sentence in description.summary:
                assert sentence.text in ids[sentence.article].text


def test_stories_are_called_by_a_headline_and_themes_by_keywords():
    articles, vectors, labels = _corpus()
    themes, stories = KeywordDescriber().describe(articles, vectors, labels)
    assert {story.name for story in stories} <= {article.title for article in articles}
    for theme in themes:
        parts = theme.name.split(" · ")
        assert len(parts) == 3
        assert [part.casefold() for part in parts] == [w.casefold() for w in theme.keywords[:3]]


def test_names_are_unique_within_a_level():
    articles, vectors, labels = _corpus()
    same = [Article(article.id, "News in brief", article.text, "en") for article in articles]
    for level in KeywordDescriber().describe(same, vectors, labels):
        assert len({description.name.casefold() for description in level}) == len(level)


def test_a_cluster_with_one_child_is_called_as_the_child_is():
    articles, vectors, labels = _corpus()
    levels = KeywordDescriber().describe(articles, vectors, [labels[1], labels[1]])
    assert [d.name for d in levels[0]] == [d.name for d in levels[1]]


def test_descriptions_are_the_same_on_any_number_of_threads():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_keyword_describer as t;"
        "print(t.KeywordDescriber().describe(*t._corpus()))"
    )
    here = str(Path(__file__).parent)
    outputs = []
    for threads in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": threads}
        env |= {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        done = subprocess.run(
            [sys.executable, "-c", code, here], capture_output=True, text=True, env=env, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] != ""


def test_no_articles_and_no_levels_are_fine():
    none = np.empty(0, dtype=np.int32)
    vectors = np.empty((0, 3), dtype=np.float32)
    assert KeywordDescriber().describe([], vectors, [none, none]) == [[], []]
    assert KeywordDescriber().describe([], vectors, []) == []


def test_texts_without_a_word_still_get_a_name():
    articles = [Article("a", "", "12"), Article("b", "", "34"), Article("c", "", "!!")]
    labels = np.array([0, 0, 0], dtype=np.int32), np.array([0, 1, 2], dtype=np.int32)
    levels = KeywordDescriber().describe(articles, np.eye(3, dtype=np.float32), labels)
    assert [d.name for d in levels[1]] == ["12", "34", "!!"]
    assert levels[0][0].name == "12"
    assert levels[0][0].keywords == ()


def test_an_only_language_of_no_list_and_mixed_languages_are_described():
    articles = [
        Article("1", "Ríkisstjórnin er fallin", lang="is"),
        Article("2", "政府倒台了吗", lang="zh"),
    ]
    levels = KeywordDescriber().describe(
        articles, np.eye(2, dtype=np.float32), [np.array([0, 0], dtype=np.int32)]
    )
    assert levels[0][0].summary == ()


@pytest.mark.parametrize(
    ("title", "source", "name"),
    [
        ("Fed  waits - Reuters", "Reuters", "Fed waits"),
        ("Fed waits | BBC News", "BBC", "Fed waits"),
        ("Fed waits – The Guardian", "theguardian.com", "Fed waits"),
        ("Fed waits - The Guardian", "Reuters", "Fed waits - The Guardian"),
        ("Fed waits - Reuters", "", "Fed waits - Reuters"),
        ("Paris - Lyon", "Le Monde", "Paris - Lyon"),
        ("Q&amp;A:\n why", "", "Q&A: why"),
    ],
)
def test_headlines_lose_white_space_and_their_own_outlet(title, source, name):
    assert headline_name(Article("1", title, source=source)) == name


def test_an_article_without_title_lends_its_first_sentence_cut_at_a_word():
    assert headline_name(Article("1", "", "Rain fell. Sun rose.", "en")) == "Rain fell."
    long = headline_name(Article("1", "", "word " * 60, "en"))
    assert long.endswith("word…") and len(long) <= 141
    assert headline_name(Article("id", "", " ")) == "id"


def test_keyword_names_keep_spellings_of_their_own():
    assert keyword_name(["floods", "iPhone", "NASA", "rescue"]) == "Floods · iPhone · NASA"
    assert keyword_name(["ßa"]) == "ßa"


def test_shared_names_take_the_next_keyword_then_a_number():
    labels = np.array([0, 0, 1, 1, 2, 2], dtype=np.int32)
    finer = np.arange(6, dtype=np.int32)
    words = [("a1", "b1", "c1", "d1"), ("a1", "b1", "c1", "e1"), ()]
    names = upper_names(labels, finer, list("uvwxyz"), words)
    assert names == ["A1 · B1 · C1 · D1", "A1 · B1 · C1 · E1", "y"]
    assert story_names(["x", "X", "y"], [("k",), ("k",), ()]) == ["x · K", "X · K (2)", "y"]
    assert story_names(["x", "x", "x (2)"], [(), (), ()]) == ["x", "x (3)", "x (2)"]


def test_centrality_matches_the_cosine_with_the_mean():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.arange(30, dtype=np.int32) % 4
    weights = rng.integers(1, 5, 30).astype(np.float64)
    scores = centrality(vectors, labels, weights=weights)
    for label in range(4):
        rows = labels == label
        mean = (vectors[rows] * weights[rows, None]).sum(axis=0)
        assert scores[rows] == pytest.approx(vectors[rows] @ mean / np.linalg.norm(mean), abs=1e-6)
    best = representatives(scores, labels)
    assert all(scores[row] == scores[labels == label].max() for label, row in enumerate(best))


def test_ties_go_to_the_lowest_row_and_vectors_that_cancel_score_zero():
    vectors = np.array([[1, 0], [-1, 0], [1, 0], [1, 0]], dtype=np.float32)
    labels = np.array([0, 0, 1, 1], dtype=np.int32)
    scores = centrality(vectors, labels)
    assert scores[:2].tolist() == [0, 0]
    assert representatives(scores, labels).tolist() == [0, 2]


def test_the_headline_of_a_story_is_in_its_main_language_with_a_sensible_title():
    articles = [
        Article("1", "Flut in Valencia fordert viele Opfer", lang="de"),
        Article("2", "", "Floods in Valencia kill many people", lang="en"),
        Article("3", "Floods", lang="en"),
        Article("4", "FLOODS IN VALENCIA KILL MANY PEOPLE", lang="en"),
        Article("5", "Floods in Valencia kill many more ...", lang="en"),
        Article("6", "Floods in Valencia kill many people", lang="en"),
    ]
    labels = np.zeros(6, dtype=np.int32)
    major = majority_language(articles, labels)
    liked = headline_preference(articles, major)
    assert major.tolist() == [False] + [True] * 5
    assert liked.argmax() == 5
    scores = np.linspace(1, 0, 6).astype(np.float32)
    assert representatives(scores, labels, preference=liked).tolist() == [5]


def test_languages_that_tie_go_to_the_first_code():
    articles = [Article("1", "x", lang="fr"), Article("2", "x", lang="en")]
    assert majority_language(articles, np.zeros(2, np.int32)).tolist() == [False, True]
    heavy = majority_language(articles, np.zeros(2, np.int32), weights=np.array([2.0, 1.0]))
    assert heavy.tolist() == [True, False]


@pytest.mark.parametrize("name", ["max_keywords", "max_terms", "max_characters"])
def test_limits_below_one_are_refused(name):
    with pytest.raises(ParameterError, match=f"KeywordDescriber: {name} must be at least 1, got 0"):
        KeywordDescriber(**{name: 0})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": np.eye(3, dtype=np.float32)}, r"describe: vectors must be of shape \(2, d\)"),
        ({"weights": np.array([1.0, 0.0])}, "describe: weights must be 2 positive numbers"),
        ({"weights": np.ones(3)}, r"weights must be 2 positive numbers, got shape \(3,\)"),
        ({"labels": [np.array([0, 2])]}, r"labels\[0\] must be 2 labels 0 … k − 1 without gaps"),
        ({"labels": [np.array([0, -1])]}, "without gaps"),
        ({"labels": [np.array([0])]}, "without gaps"),
        ({"labels": [np.array([0, 1]), np.array([0, 0])]}, r"labels\[1\] must be nested in labels"),
    ],
)
def test_input_that_does_not_fit_together_is_refused(change, message):
    given = {
        "articles": [Article("1", "Rain"), Article("2", "Sun")],
        "vectors": np.eye(2, dtype=np.float32),
        "labels": [np.array([0, 1])],
        "weights": None,
    } | change
    with pytest.raises(ParameterError, match=message):
        KeywordDescriber().describe(
            given["articles"], given["vectors"], given["labels"], weights=given["weights"]
        )
