from __future__ import annotations

import random

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from newsnest.corpus import Notice, settle_languages
from newsnest.corpus.language import _FOREIGN, _codes, _identifier, _probabilities, detect_language
from newsnest.corpus.language_codes import language_group, normalise_language
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
    plain.set_languages([code for code in plain.labels if code not in _FOREIGN])
    for text in (SURE, UNSURE, "Le Pen, Macron, la dette", "北京大学", "7!"):
        assert _identifier().rank(text) == plain.rank(text)


def test_settling_goes_by_the_probabilities_of_the_library():
    for text in (SURE, "北京大学", "Le Pen, Macron, la dette"):
        own = dict(zip(_codes(), _probabilities(text).tolist(), strict=True))
        ranked = {}
        for label, share in _identifier().rank(text):
            code = normalise_language(label)
            ranked[code] = ranked.get(code, 0) + share
        kept = {code: ranked[code] for code, share in own.items() if share}
        for code, share in kept.items():
            assert own[code] == pytest.approx(share / sum(kept.values()), abs=1e-3)


def test_an_uncertain_text_gets_a_language_the_corpus_speaks():
    for code in ("en", "fr", "sw"):
        settled = list(settle_languages([Article("x", UNSURE), *articles([code] * 5)]))
        assert settled[-1] == Article("x", UNSURE, lang=code)


def test_a_language_of_one_article_in_two_hundred_is_not_taken_for_a_name():
    for rare, expected in ((1, "en"), (400, "fr")):
        corpus = articles(["en"] * 200 + ["fr"] * rare)
        settled = list(settle_languages([*corpus, Article("x", "Le Pen, Macron")]))
        assert settled[-1].lang == expected


def test_the_outlet_of_an_article_counts_more_than_the_corpus():
    danish, norwegian = (
        [Article(f"{code}{n}", SURE, lang=code, source=outlet) for n in range(count)]
        for code, outlet, count in (("da", "Kysten", 30), ("no", "Fjorden", 300))
    )
    text = "Færgen er ikke i drift i dag"
    found = {
        source: list(settle_languages([Article("x", text, source=source), *danish, *norwegian]))[-1]
        for source in ("Kysten", "Fjorden", "")
    }
    assert {source: article.lang for source, article in found.items()} == {
        "Kysten": "da", "Fjorden": "no", "": "no"
    }  # fmt: skip


def test_a_small_minority_in_another_script_stays_what_it_is():
    rare = ["إضراب العبارات", "渡轮罢工", "Паром стоит", "フェリーのスト", "파업 종료"]
    corpus = articles(["en"] * 3000) + [Article(f"x{n}", title) for n, title in enumerate(rare)]
    settled = {a.id: a.lang for a in settle_languages(corpus)}
    assert [settled[f"x{n}"] for n in range(5)] == ["ar", "zh", "ru", "ja", "ko"]


def test_a_plain_sentence_in_another_language_is_not_taken_for_the_usual_one():
    corpus = [*articles(["fr"] * 500), Article("x", "Storm warning for the north coast tonight")]
    assert list(settle_languages(corpus))[-1].lang == "en"


def test_full_width_letters_are_read_as_the_letters_they_are():
    wide = "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in SURE)
    assert detect_language(wide) == "en"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *((code, "zh") for code in ("zh", "yue", "wuu", "zh-Hans", "zh-TW", "zh_cn", "cmn", "chi")),
        *((code, "no") for code in ("no", "nb", "nn-NO", "nob", "nno", "nor")),
        *((code, "ar") for code in ("ar-EG", "arz", "ary", "arb")),
        ("fil", "tl"), ("tgl", "tl"), ("iw", "he"), ("in", "id"), ("ji", "yi"), ("mo", "ro"),
        ("sh", "hr"), ("sr-Latn", "sr"), ("bs", "bs"), ("zsm", "ms"), ("prs", "fa"), ("ckb", "ckb"),
    ],
)  # fmt: skip
def test_one_written_language_has_one_code(given, code):
    assert normalise_language(given) == code


def test_languages_that_detection_confuses_are_centred_together():
    together = [language_group(code) for code in ("hr", "bs", "cnr", "sr", "id", "ms", "fr")]
    assert together == ["hr", "hr", "hr", "sr", "id", "id", "fr"]


def test_no_language_is_detected_that_has_a_second_code():
    labels = {label for label in _identifier().labels if label not in _FOREIGN}
    assert {normalise_language(normalise_language(x)) for x in labels} == {
        normalise_language(x) for x in labels
    }
    assert detect_language("昨日，上海市的地铁二号线因为信号故障停运了三个小时。") == "zh"


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
