"""Sections: the taxonomy, the scores of texts, and what a cluster is said to be."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import numpy as np
import pytest

from newsnest.describe.sections import (
    MIXED,
    cluster_sections,
    media_topics,
    media_topics_digest,
    section_scores,
)
from newsnest.errors import ParameterError

TOPICS = media_topics()
SPORT, WEATHER = TOPICS.labels.index("sport"), TOPICS.labels.index("weather")
PROTOTYPES = np.eye(len(TOPICS.lines), dtype=np.float32)
BLANK = "Zyx"  # no word of any section


def like(section: int) -> np.ndarray:
    """Return a vector that lies among the lines of a section."""
    vector = (TOPICS.section == section).astype(np.float32)
    return vector / np.linalg.norm(vector)


def test_the_taxonomy_has_17_sections_and_every_id_once():
    content = json.loads(files("newsnest.describe").joinpath("media_topics.json").read_bytes())
    assert "CC BY 4.0" in content["licence"]
    assert TOPICS.ids == tuple(f"medtop:{number:02}000000" for number in range(1, 18))
    terms = [term for section in content["sections"] for term in section["terms"]]
    ids = [term["id"] for term in terms]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"medtop:2000\d{4}", one) for one in ids)
    assert all(term["examples"] for term in terms)
    assert len(set(TOPICS.lines)) == len(TOPICS.lines)
    assert len(media_topics_digest()) == 16
    assert set(TOPICS.section.tolist()) == set(range(17))


def test_a_text_has_the_section_whose_lines_are_near():
    scores = section_scores([BLANK] * 2, np.stack([like(SPORT), like(WEATHER)]), PROTOTYPES)
    assert scores.argmax(axis=1).tolist() == [SPORT, WEATHER]
    assert np.allclose(scores.sum(axis=1), 1.0)


def test_where_vectors_say_nothing_words_decide():
    nothing = np.full((2, len(TOPICS.lines)), len(TOPICS.lines) ** -0.5, np.float32)
    texts = ["Striker scores in cup final", "Thunderstorms and showers forecast"]
    scores = section_scores(texts, nothing, PROTOTYPES)
    assert scores.argmax(axis=1).tolist() == [SPORT, WEATHER]


def test_a_corpus_of_one_section_keeps_it():
    vectors = np.tile(like(SPORT), (200, 1))
    scores = section_scores([BLANK] * 200, vectors, PROTOTYPES)
    assert set(scores.argmax(axis=1).tolist()) == {SPORT}


def test_the_same_texts_get_the_same_bits():
    vectors = np.random.default_rng(0).normal(size=(30, len(TOPICS.lines))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"Council {number} and the rain" for number in range(30)]
    once, again = (section_scores(texts, vectors, PROTOTYPES) for _ in range(2))
    assert once.tobytes() == again.tobytes()


@pytest.mark.parametrize(
    ("vectors", "prototypes", "name"),
    [(PROTOTYPES[:2], PROTOTYPES, "vectors"), (PROTOTYPES[:1], PROTOTYPES[:-1], "prototypes")],
)
def test_rows_that_do_not_fit_are_errors(vectors, prototypes, name):
    with pytest.raises(ParameterError, match=f"section_scores: {name} must have"):
        section_scores(["a"], vectors, prototypes)


def shares(**given: float) -> np.ndarray:
    row = np.full(17, (1.0 - sum(given.values())) / (17 - len(given)))
    for label, share in given.items():
        row[TOPICS.labels.index(label)] = share
    return row


def test_a_cluster_has_the_section_that_most_of_its_articles_have():
    scores = np.stack([shares(sport=0.9), shares(sport=0.8), shares(health=0.9)])
    first, second = cluster_sections(scores, np.array([0, 0, 1], np.int32), np.ones(3))
    assert (first.id, first.label) == ("medtop:15000000", "sport")
    assert first.score == pytest.approx(0.85)
    assert second.label == "health"


def test_a_cluster_of_two_sections_is_mixed():
    scores = np.stack([shares(sport=0.9), shares(health=0.9)])
    (one,) = cluster_sections(scores, np.zeros(2, np.int32), np.ones(2))
    assert (one.id, one.label) == ("", MIXED)


def test_a_text_that_stands_for_many_articles_counts_as_many():
    scores = np.stack([shares(sport=0.9), shares(health=0.9)])
    (one,) = cluster_sections(scores, np.zeros(2, np.int32), np.array([9.0, 1.0]))
    assert one.label == "sport"
