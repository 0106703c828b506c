"""Noise for texts in any script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsnest.train.unlabelled import delete_words


def noised(text: str, share: float = 0.6, seed: int = 0) -> str:
    return delete_words(text, share, np.random.default_rng(seed))


@pytest.mark.parametrize(("n", "left"), [(1, 1), (2, 1), (3, 1), (5, 2), (10, 4), (100, 40)])
def test_an_exact_share_is_deleted_and_one_word_stays(n: int, left: int):
    words = [f"w{i}" for i in range(n)]
    kept = noised(" ".join(words)).split(" ")
    assert len(kept) == left
    assert [word for word in words if word in set(kept)] == kept  # in their order


@pytest.mark.parametrize("text", ["海堤決口市長辭職", "ธนาคารขึ้นดอกเบี้ย", "かぜがふく", "ທະນາຄານ"])
def test_scripts_without_spaces_lose_characters_too(text: str):
    kept = noised(text)
    assert 0 < len(kept) < len(text) and " " not in kept


def test_marks_stay_with_their_letter():
    for seed in range(20):
        assert noised("กี่ขึ้น", seed=seed)[0] in "กขน"


def test_mixed_scripts_stand_apart_where_they_stood_apart():
    kept = {noised("NASA 探测 Mars", 0.5, seed) for seed in range(50)}
    assert "NASA Mars" in kept and "探测" in kept and "NASA 探" in kept


def test_the_same_draw_gives_the_same_text_and_the_next_another():
    text = " ".join(map(str, range(50)))
    rng = np.random.default_rng(3)
    first, second = delete_words(text, 0.6, rng), delete_words(text, 0.6, rng)
    assert first == noised(text, seed=3) and first != second


@pytest.mark.parametrize("text", ["", "   ", "one", "字"])
def test_nothing_to_spare_is_left_as_it_is(text: str):
    assert noised(text, 0.99) == text


def test_no_noise_changes_nothing():
    assert noised("a  b\tc", 0.0) == "a  b\tc"


@example("0\r\x1f", 0.5)
@given(st.text(max_size=60), st.floats(0, 0.99))
def test_any_text_keeps_its_characters_in_order(text: str, share: float):
    left = iter(text)
    kept = "".join(delete_words(text, share, np.random.default_rng(0)).split())
    assert all(character in left for character in kept)
    assert bool(kept) == bool(text.split())
