"""Vectors become levels in one place, and a frame that was fitted once serves later texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from newsnest.cluster import Reduction, group_means
from newsnest.embed import ModelRecord
from newsnest.errors import ParameterError
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.nest_texts import (
    NestConfig,
    TextFrame,
    choose_levels,
    nest_texts,
    see_texts,
)
from newsnest.progress import Task
from newsnest.types import Article

DAY = datetime(2026, 1, 5, tzinfo=UTC)


def corpus(n=240, *, dated=True, langs=("en", "fr"), seed=0):
    """Stories of eight articles within a day, in languages that shift all of their vectors."""
    rng = np.random.default_rng(seed)
    story = np.arange(n) // 8
    vectors = rng.normal(size=(n // 8 + 1, 32))[story] + 0.4 * rng.normal(size=(n, 32))
    spoken = rng.integers(0, len(langs), n)
    vectors += rng.normal(size=(len(langs), 32))[spoken]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    articles = [
        Article(
            f"{row:04}",
            text="words",
            lang=langs[spoken[row]],
            date=DAY + timedelta(days=int(story[row]), hours=row % 8) if dated else None,
        )
        for row in range(n)
    ]
    return vectors, articles, rng.integers(1, 4, n).astype(np.float64)


class Notes:
    def __init__(self):
        self.heard = []

    def start(self, what, total, unit):
        return Task()

    def note(self, message):
        self.heard.append(message)


def nested_again(texts, config, first):
    return nest_texts(*texts, config, frame=first.seen.frame, levels=first.hierarchy.levels)


CONFIGS = {
    "usual": NestConfig(),
    "corpus mean": NestConfig(centre="corpus"),
    "without time": NestConfig(time_weight=0.0),
    "trained to nest": NestConfig(model=ModelLevels.of(ModelRecord(rotate=False))),
    "coarse to fine": NestConfig(order="coarse-to-fine"),
    "k-means": NestConfig(clusterer="kmeans:20"),
    "pca": NestConfig(reduction=Reduction("pca", 12)),
    "truncate": NestConfig(reduction=Reduction("truncate", 12)),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_runs_own_frame_and_levels_give_the_same_labels(name):
    texts, config = corpus(), CONFIGS[name]
    first = nest_texts(*texts, config)
    again = nested_again(texts, config, first)
    assert again.facts == first.facts
    assert np.array_equal(again.seen.text, first.seen.text)
    for ours, theirs in zip(first.hierarchy.labels, again.hierarchy.labels, strict=True):
        assert np.array_equal(ours, theirs)
    for ours, theirs in zip(first.hierarchy.linkages, again.hierarchy.linkages, strict=True):
        assert np.array_equal(ours, theirs)


def test_without_a_frame_more_texts_move_everything_and_with_it_nothing():
    vectors, articles, weights = corpus()
    first = nest_texts(vectors[:160], articles[:160], weights[:160])
    fitted = nest_texts(vectors, articles, weights)
    kept = nested_again((vectors, articles, weights), NestConfig(), first)
    assert fitted.seen.frame.time_scale != first.seen.frame.time_scale
    assert fitted.hierarchy.levels != first.hierarchy.levels
    assert kept.seen.frame is first.seen.frame
    for ours, theirs in zip(kept.hierarchy.levels, first.hierarchy.levels, strict=True):
        assert ours == replace(theirs, min_similarity=ours.min_similarity)
    assert np.array_equal(kept.seen.text[:160], first.seen.text)


def test_new_articles_find_their_story_in_a_given_frame():
    vectors, articles, weights = corpus(dated=False)
    new = np.arange(len(articles)) % 8 == 7  # one of every story comes later
    old = np.flatnonzero(~new)
    config = NestConfig(min_similarity={"story": 0.5})
    first = nest_texts(vectors[old], [articles[r] for r in old], weights[old], config)
    late = np.flatnonzero(new)
    seen = see_texts(
        vectors[late], [articles[r] for r in late], weights[late], config, frame=first.seen.frame
    )
    story = first.hierarchy.levels[-1]
    labels = first.hierarchy.labels[-1]
    means, _ = group_means(first.seen.at(story), labels, weights[old])
    found = (seen.at(story) @ means.T).argmax(axis=1)
    own = labels[np.searchsorted(old, late - 1)]  # the article before it tells the same story
    assert (found == own).mean() > 0.95


def test_a_language_the_frame_has_not_seen_is_centred_by_the_mean_of_the_corpus():
    vectors, articles, weights = corpus(langs=("en",))
    frame = nest_texts(vectors, articles, weights).seen.frame
    assert frame.centred == ("en",)
    assert frame.groups([Article("a", lang="en"), Article("b", lang="sw")]).tolist() == [0, 1]
    assert np.allclose(frame.vectors.means[0], frame.vectors.means[1])  # en is the whole corpus
    two = nest_texts(*corpus()).seen.frame
    assert two.groups([Article("a", lang="sw"), Article("b", lang="fr")]).tolist() == [2, 1]
    whole = nest_texts(*corpus(), NestConfig(centre="corpus")).seen.frame
    assert np.allclose(two.vectors.means[2], whole.vectors.means[0], atol=1e-6)
    assert whole.groups([Article("a", lang="sw")]).tolist() == [0]


def test_an_older_frame_centres_unknown_languages_by_the_average_of_those_it_knows():
    frame = nest_texts(*corpus()).seen.frame
    old = TextFrame(frame.centred, replace(frame.vectors, means=frame.vectors.means[:2]), 0.0)
    assert old.groups([Article("a", lang="sw"), Article("b", lang="fr")]).tolist() == [2, 1]
    assert np.array_equal(old.vectors.means[:2], frame.vectors.means[:2])
    assert np.allclose(old.vectors.means[2], frame.vectors.means[:2].mean(axis=0))
    again = TextFrame(old.centred, old.vectors, old.time_scale)
    assert np.array_equal(again.vectors.means, old.vectors.means)  # once is enough
    whole = nest_texts(*corpus(), NestConfig(centre="corpus")).seen.frame
    assert TextFrame(whole.centred, whole.vectors, 0.0).vectors is whole.vectors


def test_dates_that_come_or_go_under_given_levels_are_no_error():
    dated, undated = corpus(), corpus(dated=False)
    first = nest_texts(*dated)
    assert first.hierarchy.levels[-1].time_weight > 0
    again = nested_again(undated, NestConfig(), first)
    assert again.seen.at(first.hierarchy.levels[-1]).shape == (240, 32 + 64)
    plain = nest_texts(*undated)
    assert plain.seen.frame.time_scale == 0.0
    assert nested_again(dated, NestConfig(), plain).hierarchy.levels[-1].time_weight == 0.0
    off = nest_texts(*dated, NestConfig(time_weight=0.0), levels=first.hierarchy.levels)
    assert off.seen.at(first.hierarchy.levels[-1]).shape == (240, 32)
    levels, _ = choose_levels(see_texts(*dated, frame=plain.seen.frame))
    assert levels[-1].time_weight == 0.0  # the frame has no time scale to look at dates by


def test_given_levels_are_taken_as_they_are_and_not_noted():
    texts, notes = corpus(), Notes()
    first = nest_texts(*texts, NestConfig(min_similarity={"topic": 0.3}), progress=notes)
    assert [note.partition(":")[0] for note in notes.heard[-3:-1]] == ["theme", "topic"]
    assert "of these articles share a story with another" in notes.heard[-1]
    assert "topic: min_similarity 0.300 (as given)" in notes.heard
    heard = Notes()
    nest_texts(*texts, levels=first.hierarchy.levels, progress=heard)
    assert not heard.heard


def test_frames_that_do_not_fit_are_refused():
    texts = corpus()
    frame = nest_texts(*texts).seen.frame
    with pytest.raises(ParameterError, match="frame must have 16 dimensions .*, got 32. Give that"):
        nest_texts(texts[0][:, :16].copy(), *texts[1:], frame=frame)
    pca = NestConfig(reduction=Reduction("truncate", 8))
    with pytest.raises(ParameterError, match="frame must have 8 dimensions"):
        nest_texts(*texts, pca, frame=frame)


def test_umap_is_refused_with_a_given_frame(monkeypatch):
    monkeypatch.setattr("newsnest.cluster.reduction.find_spec", lambda name: "installed")
    texts = corpus()
    frame = nest_texts(*texts).seen.frame
    with pytest.raises(ParameterError, match="got umap, which lays out every corpus anew"):
        nest_texts(*texts, NestConfig(reduction=Reduction("umap", 8)), frame=frame)


def test_languages_that_detection_confuses_share_a_mean_and_older_frames_keep_theirs():
    vectors, articles, weights = corpus(langs=("hr", "bs", "en"))
    config = NestConfig("tfidf", ModelLevels.of(ModelRecord()), centre="language")
    frame = see_texts(vectors, articles, weights, config).frame
    assert frame.centred == ("en", "hr")
    codes = [article.lang for article in articles]
    row = dict(zip(codes, frame.groups(articles).tolist(), strict=True))
    assert row == {"en": 0, "hr": 1, "bs": 1}
    means = np.zeros((4, 32), np.float32)
    older = TextFrame(("bs", "en", "hr"), replace(frame.vectors, means=means), 0.0)
    row = dict(zip(codes, older.groups(articles).tolist(), strict=True))
    assert row == {"bs": 0, "en": 1, "hr": 2}
