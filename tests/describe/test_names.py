"""Names a desk would use: no outlet, one spelling, what stories share, plain headlines."""

import numpy as np
import pytest

from newsnest.describe import KeywordDescriber
from newsnest.describe.keywords import keywords
from newsnest.describe.outlets import without_outlets
from newsnest.describe.representative import labelled_headlines
from newsnest.describe.terms import count_terms
from newsnest.types import Article


def _terms(texts):
    return count_terms(texts, ["en"] * len(texts))


def _left(articles):
    terms = count_terms([a.body for a in articles], [a.lang for a in articles])
    return set(without_outlets(terms, articles).shown)


def test_the_name_of_an_outlet_is_no_term_where_it_names_itself():
    own = [
        Article(str(n), f"Rivers rise, the Copperfield Times has {word}", source=name, lang="en")
        for n, word in enumerate(("learnt", "heard", "seen", "found"))
        for name in ["Copperfield Times"]
    ]
    left = _left([*own, Article("x", "Rivers fall in Copperfield", source="Gulls", lang="en")])
    assert "Copperfield Times" not in left
    assert "rivers" in {word.casefold() for word in left}


def test_an_outlet_of_which_others_write_remains_a_term():
    others = [
        Article(
            str(n), f"Inquiry finds that Gullwire {verb} bribes", source=f"Paper {n}", lang="en"
        )
        for n, verb in enumerate(("took", "paid", "hid", "sought"))
    ]
    own = Article("own", "Sea wall breaks, Gullwire learns", source="Gullwire", lang="en")
    assert "Gullwire" in _left([*others, own])


def test_a_domain_as_source_is_left_out_without_its_ending():
    own = [
        Article(str(n), f"Sea wall {verb}, as Gullwire found", source="www.gullwire.com", lang="en")
        for n, verb in enumerate(("breaks", "holds", "leaks"))
    ]
    assert "Gullwire" not in _left(own)


def test_a_place_in_the_name_of_an_outlet_remains_a_term():
    own = [
        Article(str(n), f"Trams {verb} in New Harbour", source="New Harbour Courier", lang="en")
        for n, verb in enumerate(("stop", "burn", "crash"))
    ]
    assert "New Harbour" in _left(own) or "Harbour" in _left(own)


def test_spellings_with_and_without_a_hyphen_or_number_count_as_one():
    terms = _terms(["Noxid-19 spreads", "Noxid spreads", "Noxid19 fades", "Noxid fades"])
    assert [word for word in terms.shown if word.startswith("Noxid")] == ["Noxid"]


def test_a_number_that_no_other_spelling_shares_stays_with_its_word():
    assert "Noxid-19" in _terms(["Noxid-19 spreads", "Noxid-19 fades"]).shown


def test_a_country_and_its_people_do_not_both_name_a_cluster():
    terms = _terms(["Korea trades", "Korean trades", "Korea sails", "Korean sails"])
    (words,) = keywords(terms, np.zeros(4, dtype=np.int32))
    assert len({"Korea", "Korean"} & set(words)) == 1


def test_a_theme_is_named_after_what_its_stories_share_not_after_the_largest():
    texts = [f"Ragasa storm, floods in valley {n}" for n in range(6)]
    texts += ["Gulch dam floods mill", "Bridge floods again", "Harbour floods twice"]
    texts += [f"Striker scores {word}" for word in ("once", "twice", "again")]
    stories = np.array([0] * 6 + [1, 2, 3, 4, 5, 6], dtype=np.int32)
    themes = np.array([0] * 9 + [1] * 3, dtype=np.int32)
    words = keywords(_terms(texts), themes, finer=stories)
    assert words[0][0] == "floods"


def test_a_word_as_frequent_everywhere_comes_after_what_tells_clusters_apart():
    texts = [f"blimbo {word}" for word in ("flood", "flood", "strike", "strike")] * 3
    words = keywords(_terms(texts), np.array([0, 0, 1, 1] * 3, dtype=np.int32))
    assert [w[0] for w in words] == ["flood", "strike"]


def test_frequent_words_of_a_language_with_a_short_list_are_no_terms():
    texts = [
        f"blimbo {word}"
        for word in [f"{a}{b}" for a in "bdgklm" for b in ("aro", "eno", "ilu", "osa", "udi")]
    ]
    assert "blimbo" not in count_terms(texts, ["ha"] * 30).shown


def test_a_corpus_of_one_cluster_still_has_keywords():
    assert keywords(_terms(["Flood rises", "Flood falls"]), np.zeros(2, dtype=np.int32)) != [()]


def test_a_name_of_three_words_is_spelt_whole():
    texts = [f"they say the Orlanda Supreme Court {v} it" for v in ("backs", "hears", "drops")]
    texts += ["the strike goes on", "the strike ends"]
    labels = np.array([0, 0, 0, 1, 1], dtype=np.int32)
    words = keywords(_terms(texts), labels, finer=np.arange(5, dtype=np.int32))
    assert "Orlanda Supreme Court" in words[0]


@pytest.mark.parametrize(
    "title",
    [
        "Opinion: the sea wall was never safe",
        "LIVE updates: sea wall breaks",
        "Sea wall breaks – as it happened",
        "Podcast | Sea walls of the north",
        "In pictures: the broken sea wall",
        "Vidéo : la digue cède",
        "EN DIRECT - La digue cède",
        "Kommentar: Die Mauer hält nicht",
        "Opinión: el dique",
        "(EDITORIAL from Gulls on May 28)",
        "Can the sea wall be saved?",
        "5 things to know about the sea wall",
    ],
)
def test_headlines_with_a_label_are_known(title):
    assert labelled_headlines([Article("1", title)]).tolist() == [True]


@pytest.mark.parametrize(
    "title",
    ["Live music returns to harbour", "Video shows wall break", "5 people die as sea wall breaks"],
)
def test_plain_headlines_have_no_label(title):
    assert labelled_headlines([Article("1", title)]).tolist() == [False]


def _story(second):
    articles = [Article("1", "Opinion: the sea wall was never safe"), Article("2", second)]
    vectors = np.array([[1, 0], [0.995, 0.0999], [1, 0]], dtype=np.float32)
    articles.append(Article("3", "Live updates: the sea wall breaks"))
    labels = np.zeros(3, dtype=np.int32)
    return KeywordDescriber().describe(articles, vectors, [labels])[0][0].name


def test_a_plain_headline_nearly_as_central_names_the_story():
    assert _story("The sea wall breaks in a storm") == "The sea wall breaks in a storm"


def test_a_story_of_labelled_headlines_keeps_the_most_typical():
    assert _story("Can the old sea wall be saved?").startswith("Opinion:")
