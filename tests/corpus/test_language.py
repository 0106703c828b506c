from __future__ import annotations

import random

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from newsnest.corpus import Notice, settle_languages
from newsnest.corpus.language import _identifier, detect_language
from newsnest.types import Article, Rejected

SURE = "The government presented its new budget to the parliament on Tuesday afternoon"
UNSURE = "Bernanke taper"


def articles(codes):
    return [Article(f"{i:03}", SURE, lang=code) for i, code in enumerate(codes)]


def test_a_plain_sentence_is_certain_and_a_name_is_not():
    assert detect_language(SURE) == "en"
    assert detect_language(UNSURE) == ""
    assert detect_language("7!") == ""


def test_the_table_in_rows_gives_the_probabilities_of_the_library():
    plain = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    plain.set_languages([code for code in plain.labels if code != "pcm"])
    for text in (SURE, UNSURE, "Le Pen, Macron, la dette", "北京大学", "7!"):
        assert _identifier().rank(text) == plain.rank(text)


def test_an_uncertain_text_gets_a_language_the_corpus_speaks():
    for code in ("en", "fr", "sw"):
        settled = list(settle_languages([Article("x", UNSURE), *articles([code] * 5)]))
        assert settled[-1] == Article("x", UNSURE, lang=code)


def test_a_language_of_one_article_in_two_hundred_is_not_spoken():
    for rare, expected in ((1, "en"), (150, "fr")):
        corpus = articles(["en"] * 200 + ["fr"] * rare)
        settled = list(settle_languages([*corpus, Article("x", "Le Pen, Macron, la dette")]))
        assert settled[-1].lang == expected


def test_without_any_certain_article_the_likeliest_language_is_taken():
    assert next(iter(settle_languages([Article("x", "Le Pen, Macron, la dette")]))).lang == "fr"


def test_everything_else_passes_through_and_nothing_is_lost():
    items = [Rejected("a", 1, "bad", "x"), Article("x", UNSURE), Notice("a", "said"),
             Article("n", "42"), *articles(["en"] * 3)]  # fmt: skip
    settled = list(settle_languages(items))
    assert len(settled) == len(items)
    assert settled[0] == items[0]
    assert {a.id: a.lang for a in settled if isinstance(a, Article)}["n"] == ""


def test_progress_hears_of_the_uncertain_articles(tally):
    list(settle_languages([Article("x", UNSURE), *articles(["en"] * 3)], progress=tally))
    assert tally.tasks == [("settle languages", 1, "articles")]
    assert tally.done == 1


def test_the_order_of_the_articles_leaves_no_trace():
    corpus = [*articles(["en"] * 20 + ["fr"] * 9), Article("x", UNSURE), Article("y", "Le Pen")]
    plain = {a.id: a.lang for a in settle_languages(corpus)}
    random.Random(0).shuffle(corpus)
    assert {a.id: a.lang for a in settle_languages(corpus)} == plain
