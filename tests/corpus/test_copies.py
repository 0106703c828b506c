from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.corpus import fold_copies
from newsnest.corpus.copies import fold
from newsnest.errors import ParameterError
from newsnest.types import Article

PATH = os.pathsep.join(sys.path)
WORDS = [f"{a}{b}{c}" for a in ("ba", "ko", "ri", "su", "tel") for b in "aeiou" for c in "nrstlm"]


def headlines(*titles: str) -> list[Article]:
    return [Article(f"{number:03}", title) for number, title in enumerate(titles)]


def long_text(seed: int, words: int = 300) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words)) + "."


def texts(*bodies: str) -> list[Article]:
    return [Article(f"{number:03}", text=body) for number, body in enumerate(bodies)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rain in Nantes", "RAIN  in “Nantes”!"),
        ("Ｒａｉｎ in Nantes", "Rain in Nantes"),
        ("Fed says weak data caused by weather", "Fed says weak data caused by weather - Reuters"),
        ("Fed says weak data caused by weather", "BBC News | Fed says weak data caused by weather"),
        ("Fed says weak data caused by weather", "Fed says weak data caused by weather - WFSB 3"),
        ("Justice Department probing GM recall", "US Justice Department probing GM recall"),
        (
            "Grown-ups: put down the smartphones at mealtime, doctors tell parents",
            "Grownups: put down the smartphones at mealtime, doctors tell parents",
        ),
    ],
)
def test_a_reprinted_headline_is_a_copy(one: str, other: str) -> None:
    assert fold_copies(headlines(one, other)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Shares of the bank close up 3 % in Paris", "Shares of the bank close up 4 % in Paris"),
        ("Weather forecast, Friday 10 May: Nantes", "Weather forecast, Friday 10 May: Nancy"),
        ("The first of two debates is held in Miami", "The second of two debates is held in Miami"),
        ("Rain in Nantes", "Sun in Nice"),
        ("की", "का"),
        ("!!!", "???"),
        ("Shares rise - Paris", "Shares rise - London"),
    ],
)  # fmt: skip
def test_a_headline_that_says_another_thing_is_no_copy(one: str, other: str) -> None:
    assert fold_copies(headlines(one, other)).tolist() == [0, 1]


def test_a_dateline_does_not_hide_a_copy() -> None:
    body = "The U.S. economy slowed more sharply than thought."
    assert fold_copies(texts(body, f"WASHINGTON, March 5 (Reuters) - {body}")).tolist() == [0, 0]


def test_long_wire_copy_is_found_when_cut_led_anew_or_dated_anew() -> None:
    body = long_text(1)
    cut = body[: len(body) * 6 // 10]
    led = long_text(2, 25) + " " + body[150:]
    dated = "Updated 5 March 2024, 17:05. " + body.replace("ban", "ban 12", 1)
    other = long_text(3)
    copies = fold_copies(texts(body, cut, led, dated, other))
    assert copies.tolist() == [0, 0, 0, 0, 4]


def test_a_long_text_cut_to_a_third_stands_for_itself() -> None:
    body = long_text(1, 600)
    assert fold_copies(texts(body, body[: len(body) // 3])).tolist() == [0, 1]


def test_texts_on_both_sides_of_long_are_compared() -> None:
    body = long_text(5)[:610]
    assert fold_copies(texts(body, body[:590])).tolist() == [0, 0]


def test_copies_do_not_drift_along_a_chain() -> None:
    base = long_text(4, 200).split()
    chain = [" ".join(base[20 * step : 20 * step + 120]) for step in range(5)]
    copies = fold_copies(texts(*chain), min_overlap=0.9)
    assert (copies[copies] == copies).all()
    assert copies[4] != 0


def test_an_exact_copy_of_a_near_copy_copies_the_original() -> None:
    near = "US Justice Department probing GM recall"
    copies = fold_copies(headlines("Justice Department probing GM recall", near, near.upper()))
    assert copies.tolist() == [0, 0, 0]


def test_min_overlap_of_one_folds_only_what_is_the_same() -> None:
    body = long_text(1)
    assert fold_copies(texts(body, body + " more", body.upper()), min_overlap=1).tolist() == [
        0,
        1,
        0,
    ]


def test_no_articles_give_no_copies() -> None:
    copies = fold_copies([])
    assert copies.shape == (0,)
    assert copies.dtype == np.int64


@pytest.mark.parametrize("value", [0, -0.1, 1.01, float("nan")])
def test_min_overlap_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(ParameterError, match=r"fold_copies: min_overlap must be in \(0, 1\], got"):
        fold_copies([], min_overlap=value)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("abc 1é日'-"), max_size=30), max_size=15),
    st.sampled_from([0.3, 0.6, 0.85]),
)
def test_leaders_lead_and_come_first_and_near_pairs_overlap(
    titles: list[str], min_overlap: float
) -> None:
    articles = headlines(*titles)
    copies = fold_copies(articles, min_overlap=min_overlap)
    assert (copies <= np.arange(len(copies))).all()
    assert (copies[copies] == copies).all()
    np.testing.assert_array_equal(copies, fold_copies(articles, min_overlap=min_overlap))


def test_lsh_finds_what_comparing_every_pair_finds() -> None:
    dice = random.Random(0)
    titles = []
    for _ in range(120):
        words = dice.sample(WORDS, 12)
        titles += [
            " ".join(words),
            " ".join(["video", *words]),
            " ".join(words[: dice.choice((9, 11))]),
        ]
    copies = fold_copies(headlines(*titles))

    grams = [{fold(t)[at : at + 5] for at in range(len(fold(t)) - 4)} for t in titles]
    expected = list(range(len(titles)))
    for index, mine in enumerate(grams):
        overlaps = [
            (len(mine & grams[other]) / len(mine | grams[other]), -other)
            for other in range(index)
            if expected[other] == other
        ]
        best, minus = max(overlaps, default=(0.0, 0))
        if best >= 0.85:
            expected[index] = -minus
    assert copies.tolist() == expected


def test_what_is_kept_for_the_next_comparison_changes_no_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dice = random.Random(2)
    corpus = headlines(*(" ".join(dice.choices(WORDS[:9], k=6)) for _ in range(150)))
    kept = fold_copies(corpus, min_overlap=0.6)
    monkeypatch.setattr("newsnest.corpus.copies._KEPT_SETS", 1)
    np.testing.assert_array_equal(fold_copies(corpus, min_overlap=0.6), kept)
    assert (kept != np.arange(150)).any()


def test_copies_are_the_same_in_another_process_with_one_thread() -> None:
    program = (
        "import random\nfrom newsnest.corpus import fold_copies\n"
        "from newsnest.types import Article\n"
        "d = random.Random(1)\nw = 'rain sun wind snow in over near Nantes Nice Lyon'.split()\n"
        "a = [Article(str(i), ' '.join(d.choices(w, k=5))) for i in range(400)]\n"
        "print(fold_copies(a, min_overlap=0.6).tolist())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "PYTHONPATH": PATH},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed, threads in (("1", "1"), ("2", "2"))
    }  # fmt: skip
    assert len(runs) == 1
    assert len(runs.pop()) > 400


def test_emoji_zero_width_full_width_and_capitals_make_no_other_text():
    wide = "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in "Ferry strike ends")
    shown = ["🚢 Ferry strike ends", "Ferry strike ends 🚢\ufe0f🔥", wide, "FERRY STRIKE ENDS"]
    shown += ["Ferry\xa0strike\xa0ends", "1\ufe0f\u20e3 Ferry strike ends"]
    articles = [Article(str(n), title) for n, title in enumerate(shown)]
    assert fold_copies(articles).tolist() == [0, 0, 0, 0, 0, 5]


def test_texts_of_other_emoji_are_not_copies():
    shown = ["⚽\ufe0f🔥", "❤\ufe0f🔥", "🚢🚢🚢", "👨\u200d👩\u200d👧", "⚽\ufe0f🔥"]
    articles = [Article(str(n), title) for n, title in enumerate(shown)]
    assert fold_copies(articles).tolist() == [0, 1, 2, 3, 0]
