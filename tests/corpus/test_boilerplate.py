"""What outlets repeat is found by counting, and taken out without taking content."""

from __future__ import annotations

import random

import pytest

from newsnest.corpus import Boilerplate, Pattern, find_boilerplate
from newsnest.corpus.tokens import tokens, words, written
from newsnest.types import Article

TOWNS = ["Brest", "Calais", "Dieppe", "Nantes", "Rouen", "Vannes", "Lorient", "Quimper"]
SYLLABLES = ["ba", "do", "fe", "gi", "ka", "lu", "me", "no", "pi", "ra", "su", "te", "vo", "wi"]


def prose(seed: int, size: int = 14) -> str:
    """Words that no other seed has."""
    draw = random.Random(seed)
    made = ["".join(draw.choices(SYLLABLES, k=4)) for _ in range(size)]
    return " ".join(made).capitalize()


def outlet(name: str, count: int, *, title: str = "{}", text: str = "{}.") -> list[Article]:
    """Articles of an outlet, each in words of its own; {} stands for them, {town} for a town."""
    seed = sum(map(ord, name)) * 1_000
    return [
        Article(
            f"{name}-{i:03}",
            title.format(prose(seed + 2 * i, 6), town=TOWNS[i % len(TOWNS)]),
            text.format(prose(seed + 2 * i + 1), town=TOWNS[i % len(TOWNS)].upper(), day=i + 1),
            source=name,
        )
        for i in range(count)
    ]


OTHERS = outlet("Owl", 40)


def taken(articles: list[Article]) -> dict[str, int]:
    return {pattern.text: pattern.articles for pattern in find_boilerplate(articles).patterns}


@pytest.mark.parametrize(
    ("title", "text", "pattern"),
    [
        ("{}", "{town}, May {day} (Gull) -- {}.", "… (Gull) --"),
        ("{}", "{town}, {day} mai /GULL/. {}.", "… /GULL/."),
        ("{}", "({town}=연합뉴스) {}.", "… =연합뉴스)"),
        ("Gull | {}", "{}.", "Gull |"),
        ("{} - The Gull", "{}.", "- The Gull"),
        ("{}", "{}. Read on...", "Read on..."),
        ("{}", "{}. Lire la suite", "Lire la suite"),
        ("{}", "{} Read it all at gull.example", "Read it all at gull.example"),
        ("{}", "{}. {day} min read", "# min read"),
        ("{}", "{}.\nSign our weekly letter here!\nMore of it.", "Sign our weekly letter here!"),
        ("{}", "{}。続きを 読む", "続きを 読む"),
        ("(LEAD) {}", "{}.", "(LEAD)"),
    ],
)
def test_what_an_outlet_repeats_is_found_and_taken_out(title: str, text: str, pattern: str):
    gull = outlet("Gull", 20, title=title, text=text)
    found = find_boilerplate(gull + OTHERS)
    assert pattern in [p.text for p in found.patterns if p.outlet == "Gull"]
    for article, bare in zip(gull, outlet("Gull", 20), strict=True):
        kept = found.strip(article)
        assert kept.title == bare.title
        assert kept.text.startswith(bare.text[:-1])
        assert len(kept.text) <= len(bare.text) + len("More of it.") + 1
        assert (kept.id, kept.source) == (article.id, article.source)
    assert all(found.strip(article) is article for article in OTHERS)


def test_the_headline_within_a_template_goes_with_it():
    gull = [
        Article(a.id, a.title, f"{a.text} The post {a.title} appeared first on Gull News.",
                source="Gull")
        for a in outlet("Gull", 20)
    ]  # fmt: skip
    found = find_boilerplate(gull + OTHERS)
    assert found.patterns[0].text == "The post … appeared first on Gull News."
    assert [found.strip(a).text for a in gull] == [a.text for a in outlet("Gull", 20)]


def test_several_phrases_at_one_end_all_go():
    text = "{town} (Gull) -- {}. Read on... Sign our letter here!"
    found = find_boilerplate(outlet("Gull", 20, text=text) + OTHERS)
    bare = outlet("Gull", 20)
    assert [found.strip(a).text for a in outlet("Gull", 20, text=text)] == [a.text for a in bare]


def test_an_outlet_keeps_the_subject_that_others_cover():
    gull = outlet("Gull", 20, title="Dukovany reactor: {}")
    covered = [
        Article(f"Owl-d{i}", f"{prose(9_000 + i, 3)} Dukovany reactor {prose(9_500 + i, 3)}",
                source="Owl")
        for i in range(10)
    ]  # fmt: skip
    assert taken(gull + OTHERS + covered) == {}


def test_an_outlet_keeps_what_it_says_elsewhere_too():
    gull = outlet("Gull", 20, title="Dukovany reactor: {}")
    more = outlet("Gull", 30, title="{} Dukovany reactor again")[20:]
    assert taken(gull + more + OTHERS) == {}


def test_a_story_told_again_and_again_is_no_boilerplate():
    body = prose(77, 40)
    told = [
        Article(f"Gull-t{i}", f"Sea wall live: {prose(700 + i, 2)}",
                f"{body}. The wall fell at noon. {prose(800 + i, 3)}.", source="Gull")
        for i in range(12)
    ]  # fmt: skip
    assert taken(outlet("Gull", 20) + told + OTHERS) == {}


def test_copies_of_a_text_are_no_boilerplate():
    copies = [
        Article(f"Gull-c{i}", "The sea wall is breached", f"{prose(5, 30)}. It fell at noon.",
                source="Gull")
        for i in range(10)
    ]  # fmt: skip
    assert taken(outlet("Gull", 20) + copies + OTHERS) == {}
    unnamed = [Article(a.id, a.title, a.text) for a in copies * 2]
    assert taken(unnamed + [Article(a.id, a.title, a.text) for a in OTHERS]) == {}


def test_copies_of_one_text_in_every_outlet_are_no_boilerplate():
    text = " ".join(f"{prose(i)}." for i in range(30))
    assert (
        taken([Article(str(i), prose(i, 1), text, source=f"Gull {i % 4}") for i in range(60)]) == {}
    )


def test_patterns_of_large_outlets_are_counted_in_all_articles():
    gull = [
        Article(f"{i}", prose(i, 3), f"{prose(9_000 + i, 5)}. Read on...", source="Gull")
        for i in range(2_100)
    ]
    assert taken(gull + OTHERS) == {"Read on...": 2_100}


def test_without_outlets_only_what_many_unlike_articles_share_goes():
    agency = outlet("", 20, text="{town} (Gull) -- {}.")
    plain = [Article(a.id, a.title, a.text) for a in OTHERS]
    assert taken(agency + plain) == {"… (Gull) --": 20}
    assert taken(agency[:8] + plain) == {}


def test_few_articles_share_nothing():
    assert taken(outlet("Gull", 4, text="{}. Read on...") + OTHERS) == {}
    assert taken([Article("1", "Sea wall")]) == {}
    assert taken([Article("1", text="."), Article("2", "…")]) == {}


def test_a_title_and_an_article_never_become_empty():
    phrases = Boilerplate(
        [
            Pattern("Gull", "text sentence: read on...", "Read on...", 9),
            Pattern("Gull", "title head: gull |", "Gull |", 9),
        ]
    )
    alone = Article("1", text="Read on...", source="Gull")
    assert phrases.strip(alone) is alone
    assert phrases.strip(Article("2", "Gull | …", "Read on...", source="Gull")).title == "Gull | …"
    titled = phrases.strip(Article("3", "Gull | Sea wall", "Read on...", source="Gull"))
    assert (titled.title, titled.text) == ("Sea wall", "")
    assert phrases.strip(Article("4", text="Read on...", source="Owl")).text == "Read on..."


def test_line_breaks_stay_where_a_sentence_goes():
    phrases = Boilerplate([Pattern("Gull", "text sentence: read on !", "Read on !", 9)])
    for text, left in [
        ("One.\nRead on !\nTwo.", "One.\nTwo."),
        ("One. Read on ! Two.", "One. Two."),
        ("OneRead on ! Two.", "OneRead on ! Two."),
        ("Read on !\nTwo.", "Two."),
    ]:
        assert phrases.strip(Article("1", text=text, source="Gull")).text == left


def test_no_separator_is_left_behind():
    gull = (
        outlet("Gull", 12, title="{} | The Gull") + outlet("Gull", 24, title="{} – The Gull")[12:]
    )
    found = find_boilerplate(gull + OTHERS)
    assert [found.strip(a).title for a in gull] == [a.title for a in outlet("Gull", 24)]


def test_patterns_survive_being_written():
    found = find_boilerplate(outlet("Gull", 20, text="{}. Read on...") + OTHERS)
    again = Boilerplate.of(found.as_rows())
    assert again.patterns == found.patterns
    assert again.as_rows()[0] == {
        "outlet": "Gull",
        "name": "text sentence: read on...",
        "text": "Read on...",
        "articles": 20,
    }


def test_the_order_of_articles_changes_nothing():
    articles = outlet("Gull", 20, text="{town} (Gull) -- {}. Read on...") + OTHERS
    turned = articles[::-1]
    assert [p.name for p in find_boilerplate(articles).patterns] == [
        p.name for p in find_boilerplate(turned).patterns
    ]
    assert find_boilerplate(articles).patterns == find_boilerplate(articles).patterns


def test_tokens_make_numbers_and_dates_alike():
    assert [t.key for t in tokens("Paris, le 3 mars 2024 -")] == ["paris", ",", "le", "#", "-"]
    assert words("On 3 May, at RT.com's 24h desk") == ["on", "#", "at", "rt.com's", "#h", "desk"]
    assert words("") == []
    dated = "\u0130stanbul, 3 May 2024 – Stra\u00dfe 12"
    assert [dated[t.start : t.end] for t in tokens(dated)] == [
        "İstanbul", ",", "3 May 2024", "–", "Straße", "12",
    ]  # fmt: skip
    assert written("News24 | May 3", "news# | #") == "News24 | #"
