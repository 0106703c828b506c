"""Words and outlets of articles as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.pipeline.shared_words import outlets, shared_words, spoken
from newsnest.types import Article


def test_words_are_counted_without_stop_words_of_any_language_of_the_corpus():
    articles = [
        Article("1", "The Flood of 2026 hit Valencia", lang="en"),
        Article("2", "La crue de 2026 à Valence", lang="fr"),
    ]
    words = shared_words(articles)
    assert words.weights.shape == (2, 6)  # flood, 2026, hit, valencia; crue, 2026, valence
    assert words.numeric.sum() == 1
    np.testing.assert_allclose(
        np.sqrt(words.weights.multiply(words.weights).sum(axis=1)), 1.0, atol=1e-6
    )
    assert (words.weights[[0]] @ words.weights[[1]].T).toarray()[0, 0] > 0  # the year


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("渡轮工人在港口罢工", "港口渡轮停运两天"),
        ("フェリーの乗組員が港でストライキ", "港のフェリー運休"),
        ("부두에서 페리가 멈췄다", "페리는 부두를 떠나지 않았다"),
        ("เรือเฟอร์รี่หยุดที่ท่าเรือ", "ท่าเรือปิดเรือเฟอร์รี่"),
        ("बंदरगाह पर नौका रुकी", "नौका बंदरगाह से नहीं चली"),
        ("বন্দরে ফেরি বন্ধ", "ফেরি ছাড়েনি বন্দরে"),
    ],
)
def test_texts_share_words_in_scripts_without_spaces_and_with_marks(first, second):
    words = shared_words([Article("1", first), Article("2", second), Article("3", "天气晴朗")])
    both = (words.weights @ words.weights.T).toarray()
    assert both[0, 1] > 0.1
    assert both[0, 2] == 0


def test_a_word_with_marks_is_one_word_and_an_english_text_is_split_as_before():
    hindi = shared_words([Article("1", "हिन्दी"), Article("2", "Storm's eye-wall 'hits' l'été")])
    assert np.diff(hindi.weights.indptr).tolist() == [1, 4]


def test_languages_that_detection_confuses_are_one():
    langs = ["hr"] * 60 + ["bs"] * 40
    assert spoken([Article(str(n), "text", lang=lang) for n, lang in enumerate(langs)]) is None


def test_texts_of_stop_words_alone_have_no_words():
    words = shared_words([Article("1", "The and of", lang="en"), Article("2", "...", lang="en")])
    assert words.weights.shape == (2, 0)
    assert words.sketch().shape == (2, 256)


def test_words_that_very_many_texts_hold_say_nothing():
    articles = [Article(str(n), f"Storm number{n} again{n % 3}") for n in range(300)]
    words = shared_words(articles)
    assert words.weights.shape[1] == 300


def test_outlets_are_numbered_and_unknown_ones_are_not():
    sources = ["Gull", "", "Heron", "Gull"]
    articles = [Article(str(n), "text", source=name) for n, name in enumerate(sources)]
    assert outlets(articles).tolist() == [0, -1, 1, 0]


def test_languages_of_a_few_texts_are_not_told_apart():
    langs = ["en"] * 60 + ["fr"] * 39 + ["ext"]
    articles = [Article(str(n), "text", lang=lang) for n, lang in enumerate(langs)]
    assert spoken(articles).tolist() == [0] * 60 + [1] * 39 + [0]
    assert spoken(articles[:60]) is None
