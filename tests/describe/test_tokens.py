"""Words in many scripts, and what they are counted under."""

from __future__ import annotations

import pytest

from newsnest.describe import stopwords
from newsnest.describe.tokens import (
    BREAK,
    bare,
    is_connector,
    is_ending,
    is_pair,
    spellings,
    unseparated,
    word_key,
)


def _words(text):
    return [word for word in spellings(text) if word != BREAK]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fed's Yellen: rates, up!", ["Fed's", "Yellen", "rates", "up"]),
        ("Saint-Étienne’s co-pilot", ["Saint-Étienne’s", "co-pilot"]),
        ("the U.S. and AT&amp;T's R&D", ["the", "U.S.", "and", "AT&T", "s", "R&D"]),
        ("Mt. Gox lost 1.8B", ["Mt.", "Gox", "lost", "1.8B"]),
        ("see https://a.b/c?d=e or me@x.org now", ["see", "or", "now"]),
        ("北京大学", ["北京", "京大", "大学"]),
        ("在 北京", ["北京"]),
        ("東京オリンピックで日本", ["東京", "オリンピック", "日本"]),
        ("대한민국 대통령", ["대한민국", "대통령"]),
        ("भारत में चुनाव", ["भारत", "में", "चुनाव"]),
        ("مصر والسعودية؟", ["مصر", "والسعودية"]),
        ("ไทย", ["ไท", "ทย"]),
        ("እንግሊዝ ሊግ።", ["እንግሊዝ", "ሊግ"]),
        ("", []),
    ],
)
def test_words_are_found_in_any_script(text, words):
    assert _words(text) == words


def test_marks_and_ends_of_runs_break_phrases():
    assert spellings("Obama, Putin") == ["Obama", BREAK, "Putin"]
    assert spellings("北京 大学") == ["北京", BREAK, "大学", BREAK]


@pytest.mark.parametrize(
    ("spelling", "language", "word"),
    [
        ("l'état", "fr", "état"),
        ("d’Emmanuel", "fr", "Emmanuel"),
        ("jusqu'ici", "fr", "ici"),
        ("dell'Italia", "it", "Italia"),
        ("aujourd'hui", "fr", "aujourd'hui"),
        ("d'état", "en", "d'état"),
        ("O'Brien", "", "O'Brien"),
        ("Ukraine's", "en", "Ukraine"),
        ("Ukraine’S", "en", "Ukraine"),
    ],
)
def test_elided_articles_and_possessives_are_stripped(spelling, language, word):
    assert bare(spelling, language) == word


@pytest.mark.parametrize(
    "number", ["3", "2024", "10th", "4bn", "1.8B", "25,000", "7-year-old", "٣"]
)
def test_numbers_with_or_without_units_are_no_keywords(number):
    assert word_key(number) == ""


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("Reserve", "reserve"),
        ("U.S.", "us"),
        ("5G", "5g"),
        ("G20", "g20"),
        ("3D", "3d"),
        ("Straße", "strasse"),
        ("aujourd’hui", "aujourd'hui"),
        ("x", ""),
        (BREAK, ""),
    ],
)
def test_words_are_counted_casefolded(word, key):
    assert word_key(word) == key


def test_overlapping_pairs_join_without_repeating_what_they_share():
    assert unseparated("北京", "京大") == "北京大"
    assert is_pair("北京") and not is_pair("Peking")
    assert is_ending("して") and not is_ending("日本")
    assert is_connector("of") and not is_connector("Of")


def test_at_least_fifty_languages_have_stop_words():
    assert len(stopwords.languages()) >= 50
    assert all(len(stopwords.stop_words(code)) > 20 for code in stopwords.languages())


def test_codes_are_read_with_region_case_and_alias():
    assert stopwords.base_language("PT_br") == "pt"
    assert stopwords.base_language("nb") == "no"
    assert stopwords.base_language("am") == stopwords.base_language("") == ""
    assert stopwords.stop_words("") == stopwords.stop_words("en")


def test_newsroom_words_are_let_through_and_fillers_added():
    english = stopwords.stop_words("en")
    assert not {"fire", "microsoft", "bill"} & english
    assert {"the", "says", "video"} <= english
    assert stopwords.is_acronym("US", "en") and stopwords.is_acronym("U.S.", "en")
    assert not stopwords.is_acronym("us", "en")
