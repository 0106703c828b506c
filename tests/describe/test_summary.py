"""Sentences, and summaries made of them."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.describe.sentences import is_quotable, split_sentences, word_count
from newsnest.describe.summary import central_rows, collect_quotables, summaries
from newsnest.types import Article


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        (
            "en",
            "Dr. J. R. Smith of the U.S. Fed said 3.5 percent. He paid $1.2 bn. The end.",
            ["Dr. J. R. Smith of the U.S. Fed said 3.5 percent.", "He paid $1.2 bn.", "The end."],
        ),
        ("en", "“Really?” she asked. No!", ["“Really?” she asked.", "No!"]),
        (
            "fr",
            "M. Macron a dit « Non. Jamais. » à Mme. Le Pen. L'État paie 3,5 Mds. Voilà !",
            [
                "M. Macron a dit « Non. Jamais. » à Mme. Le Pen.",
                "L'État paie 3,5 Mds.",
                "Voilà !",
            ],
        ),
        (
            "es",
            "El Sr. García dijo: «No lo sé.» ¡Vamos! Fin.",
            ["El Sr. García dijo: «No lo sé.»", "¡Vamos!", "Fin."],
        ),
        ("zh", "今天下雨。明天呢？好！", ["今天下雨。", "明天呢？", "好！"]),
        ("hi", "यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
        ("ar", "هل هذا سؤال؟ نعم هذا جواب.", ["هل هذا سؤال؟", "نعم هذا جواب."]),
        ("", "One here. Two there.", ["One here.", "Two there."]),
        ("en", "", []),
    ],
)
def test_sentences_end_where_a_reader_says_they_do(language, text, sentences):
    assert split_sentences(text, language) == sentences


def test_a_heading_is_a_sentence_and_wrapped_prose_is_not_cut():
    heading = "Floods hit Valencia\nThe river Turia broke its banks on Monday night, police said."
    assert split_sentences(heading, "en")[0] == "Floods hit Valencia"
    wrapped = "The river Turia broke its\nBanks on the Monday night."
    assert split_sentences(wrapped, "en") == [wrapped]


def test_sentences_are_verbatim_pieces():
    text = "A first.  Then\n\n a second one… And “this”? yes."
    assert all(piece in text for piece in split_sentences(text, "en"))


def test_words_are_counted_with_or_without_spaces():
    assert word_count("The Fed's rate") == 4
    assert word_count("北京大学的") == 3


@pytest.mark.parametrize(
    "sentence",
    [
        "Too short a one",
        " ".join(["word"] * 61),
        "Read more about this story on our page",
        "Lire aussi notre article sur les retraites en France",
        "This site uses cookies to serve you better advertising",
        "Sets of five words only",
        "September 17, 2021 4:00 AM GMT",
        "Updated Tuesday 17 September 2021, 10:45 GMT",
        "2021年9月17日 10時45分",
        "北京大学的校长",
        "• Rates are held by the central bank",
        "• • • • • • •",
        "© 2024 Reuters and its many partners worldwide",
    ],
)
def test_fragments_lists_and_boilerplate_are_not_quoted(sentence):
    assert not is_quotable(sentence)


def test_plain_sentences_are_quoted():
    assert is_quotable("The river Turia broke its banks on Monday")
    assert is_quotable("In 2021 some 3,000 people lost their homes there")
    assert is_quotable("2人が3日に死亡しました、警察が発表")
    assert is_quotable("美国总统乔治·沃克·布什对这一公告表示支持")


def _summaries(articles, labels):
    labels = np.array(labels, dtype=np.int32)
    scores = np.linspace(1, 0.9, labels.size).astype(np.float32)
    rows = central_rows(scores, labels, np.ones(labels.size, dtype=bool))
    quotables = collect_quotables(articles, rows)
    return summaries(articles, quotables, rows, labels, scores)


def test_titles_are_quoted_where_there_is_no_text_and_never_twice_the_same():
    articles = [
        Article("1", "Floods kill dozens in Valencia region", lang="en"),
        Article("2", "Floods kill dozens in Valencia region", lang="en"),
        Article("3", "Spain sends army after deadly floods", lang="en"),
        Article("4", "King visits flooded town and is booed", lang="en"),
        Article("5", "A lonely story of quite another matter", lang="en"),
    ]
    found = _summaries(articles, [0, 0, 0, 0, 1])
    assert len(found[0]) == 3
    assert len({sentence.text for sentence in found[0]}) == 3
    assert found[1] == ()


def test_quoted_sentences_stand_in_their_article():
    bodies = [
        "The Turia broke its banks on Monday. Ten people died in the town of Paiporta.",
        "Ten people died in Paiporta on Monday. The army was sent to help the town. Ok.",
    ]
    articles = [Article(str(i), "Title", body, "en") for i, body in enumerate(bodies)]
    (summary,) = _summaries(articles, [0, 0])
    texts = {article.id: article.text for article in articles}
    assert summary
    assert all(sentence.text in texts[sentence.article] for sentence in summary)


def test_a_sentence_cut_by_the_reading_limit_is_not_quoted():
    long = " ".join(f"Sentence number {i} says what word{i} says." for i in range(400))
    quotables = collect_quotables([Article("1", "", long, "en")], np.array([0]))
    assert len(quotables.sentences) == 10
    one = "The " + "very " * 1000 + "end is here. Yes"
    assert collect_quotables([Article("1", "", one, "en")], np.array([0])).sentences == ()


def test_the_most_central_thirty_are_read_and_no_lonely_article():
    labels = np.array([0] * 40 + [1], dtype=np.int32)
    scores = np.arange(41, dtype=np.float32)
    rows = central_rows(scores, labels, np.ones(41, dtype=bool))
    assert rows.tolist() == list(range(39, 9, -1))


def test_nothing_gives_nothing():
    none = np.empty(0, dtype=np.int32)
    assert central_rows(np.empty(0, np.float32), none, np.empty(0, bool)).size == 0
    assert _summaries([], []) == []
