"""Counting terms and class-based TF-IDF."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from newsnest.describe.keywords import class_tf_idf, keywords
from newsnest.describe.terms import _unique_rows, count_terms
from newsnest.errors import ParameterError


def _count(texts, language="en", **limits):
    return count_terms(texts, [language] * len(texts), **limits)


def _labels(*values):
    return np.array(values, dtype=np.int32)


def test_class_tf_idf_matches_values_computed_by_hand():
    counts = sparse.csr_array([[4.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    scores = class_tf_idf(counts, words=4.0).toarray()
    assert scores[0] == pytest.approx([4 * math.log(1 + 4 / 4), math.log(1 + 4 / 2), 0])
    assert scores[1] == pytest.approx([0, math.log(1 + 4 / 2), 2 * math.log(1 + 4 / 2)])


def test_keywords_are_ranked_by_class_tf_idf():
    # A = (4 + 3) / 2; flood 2 of 2, bank 1 of 3, Valencia 1 of 1 | bank 2 of 3, rates 1 of 1
    terms = _count(["flood", "flood", "bank", "Valencia", "bank", "bank", "rates"])
    labels = _labels(0, 0, 0, 0, 1, 1, 1)
    a = 7 / 2
    assert math.log(1 + a / 1) > 2 * math.log(1 + a / 3) * 0.8
    found = keywords(terms, labels)
    assert found[0][0] == "flood"  # the one that two texts share goes first
    assert set(found[0]) == {"flood", "bank", "Valencia"}
    assert found[1] == ("bank", "rates")


def test_a_phrase_takes_the_place_of_the_words_in_it():
    texts = ["Markets await Federal Reserve", "Today Federal Reserve acts", "Why Federal Reserve?"]
    terms = _count([*texts, "Rain in Spain", "Sun on Crete"])
    best = keywords(terms, _labels(0, 0, 0, 1, 1))[0]
    assert best[0] == "Federal Reserve"
    assert not {"Federal", "federal", "Reserve", "reserve"} & set(best)


def test_phrases_span_a_connecting_word_and_are_shown_with_it():
    terms = _count(["See Game of Thrones", "On Game of Thrones", "Storm, wind, snow, hail, fog"])
    assert "Game of Thrones" in keywords(terms, _labels(0, 0, 1))[0]


def test_phrases_span_neither_marks_nor_stop_words():
    shown = _count(["Obama, Putin and Merkel", "Obama, Putin and Merkel"]).shown
    assert not any(" " in term for term in shown)


def test_no_two_keywords_are_forms_of_one_word():
    terms = _count(["floods flood flooding", "flood floods", "rain", "rain"])
    assert len(keywords(terms, _labels(0, 0, 1, 1))[0]) == 1


def test_words_are_shown_in_their_most_frequent_spelling():
    texts = ["why the federal NASA budget", "In the Federal plan nasa wins", "a federal NASA law"]
    shown = _count(texts).shown
    assert "NASA" in shown
    assert "federal" in shown


def test_title_case_headlines_do_not_decide_on_capitals():
    texts = ["Deadly Floods Strike Southern Regions"] * 3 + ["big floods strike southern regions"]
    assert "floods" in _count(texts).shown


def test_the_acronym_survives_the_stop_word():
    shown = _count(["help us now", "deal with US banks", "the US banks", "the U.S. banks"]).shown
    assert "US" in shown
    assert "us" not in shown


def test_stop_words_follow_the_language_of_each_text():
    counted = count_terms(["war in Ukraine", "das war gut"], ["en", "de"])
    assert counted.shown.count("war") == 1
    column = counted.shown.index("war")
    assert counted.matrix.toarray()[:, column].tolist() == [1, 0]


def test_one_text_marked_with_the_wrong_language_adds_no_stop_words():
    texts = ["the bank of the north"] * 30
    shown = count_terms(texts, ["en"] * 29 + ["sw"]).shown
    assert "the" not in shown
    assert "bank" in shown


def test_languages_without_a_list_learn_theirs_from_frequency():
    texts = [f"og mál{i} er orð{i}" for i in range(200)]
    shown = _count(texts, "is").shown
    assert "og" not in shown and "er" not in shown
    assert "mál7" in shown
    few = _count(texts[:5], "is").shown
    assert "og" in few


def test_pairs_of_han_characters_chain_to_longer_words():
    terms = _count(["联合国大会", "联合国安理会", "联合国秘书长", "足球比赛", "篮球比赛"], "zh")
    assert "联合国" in keywords(terms, _labels(0, 0, 0, 1, 1))[0]


def test_ties_are_broken_alphabetically():
    terms = _count(["delta alpha, charlie; bravo"])
    assert keywords(terms, _labels(0))[0] == ("alpha", "bravo", "charlie", "delta")


def test_weights_count_copies():
    terms = _count(["bank", "flood", "flood"])
    labels = _labels(0, 0, 0)
    weighted = keywords(terms, labels, weights=np.array([1.0, 1.0, 1.0]))
    assert weighted == keywords(terms, labels)
    two = _count(["bank", "flood"])
    heavy = keywords(two, _labels(0, 0), weights=np.array([5.0, 1.0]))
    assert heavy[0][0] == "bank"


def test_the_cap_keeps_the_terms_in_the_most_texts():
    terms = _count(["bank flood", "bank, rates", "bank rates", "opera"], max_terms=2)
    assert terms.shown == ("bank", "rates")


def test_only_the_beginning_of_a_text_is_read():
    assert _count(["bank flood"], max_characters=4).shown == ("bank",)


@pytest.mark.parametrize("texts", [[], [""], ["the of and", "12 3"]])
def test_texts_without_terms_have_no_keywords(texts):
    terms = _count(texts)
    labels = np.zeros(len(texts), dtype=np.int32)
    assert terms.shown == ()
    assert keywords(terms, labels) == [()] * bool(texts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.sampled_from(["", "en", "ja"]))
def test_any_text_can_be_counted(texts, language):
    terms = _count(texts, language)
    found = keywords(terms, np.zeros(len(texts), dtype=np.int32))
    assert terms.matrix.shape == (len(texts), len(terms.shown))
    assert len(found) == 1 and len(found[0]) <= 6 and len(set(found[0])) == len(found[0])


@given(st.lists(st.tuples(*[st.integers(-1, 2)] * 3), max_size=30))
def test_unique_rows_are_those_of_numpy(rows):
    table = np.array(rows, dtype=np.int32).reshape(-1, 3)
    unique, which = _unique_rows(table)
    expected, place = np.unique(table, axis=0, return_inverse=True)
    assert unique.dtype == np.int32
    assert unique.tolist() == expected.tolist()
    assert which.tolist() == place.ravel().tolist()


def test_impossible_limits_are_refused():
    with pytest.raises(ParameterError, match=r"count_terms: languages must hold one code per text"):
        count_terms(["a"], [])
    with pytest.raises(ParameterError, match="count_terms: max_terms must be at least 1, got 0"):
        _count(["a"], max_terms=0)
    with pytest.raises(ParameterError, match="max_characters must be at least 1, got -1"):
        _count(["a"], max_characters=-1)
    with pytest.raises(ParameterError, match="keywords: k must be at least 1, got 0"):
        keywords(_count(["bank"]), _labels(0), k=0)
