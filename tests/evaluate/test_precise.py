from __future__ import annotations

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate.precise import agreeing_cut, alike_needed, precise_cut


def judged(n: int = 400, seed: int = 0, slope: float = 12.0):
    """Pairs that are alike the likelier the higher their cosine; half of them at .5."""
    rng = np.random.default_rng(seed)
    cosines = rng.random(n)
    alike = rng.random(n) < 1 / (1 + np.exp(-slope * (cosines - 0.5)))
    return cosines, alike, np.arange(n)


@pytest.mark.parametrize("precision", [0.7, 0.8, 0.9])
def test_the_pairs_above_are_as_precise_as_was_asked_and_all_below_are_not(precision):
    cosines, alike, alone = judged()
    found = precise_cut(cosines, alike, alone, precision=precision, resamples=200)
    above = cosines >= found.min_similarity.value
    assert alike[above].mean() == pytest.approx(found.precision.value)
    assert found.precision.value >= precision
    assert (found.above, found.alike, found.pairs) == (above.sum(), alike.sum(), 400)
    assert found.recall == pytest.approx(alike[above].sum() / alike.sum())
    for lower in np.unique(cosines[cosines < found.min_similarity.value]):
        assert alike[cosines >= lower].mean() < precision
    interval = found.min_similarity
    assert interval.low <= interval.value < interval.high < interval.low + 0.4


def test_more_precision_needs_more_similarity():
    values = [
        precise_cut(*judged(), precision=p, resamples=0).min_similarity.value
        for p in (0.7, 0.8, 0.9)
    ]
    assert values == sorted(values) and values[0] < values[2]


def test_the_true_value_is_met_with_many_pairs():
    cosines, alike, alone = judged(40_000)
    found = precise_cut(cosines, alike, alone, precision=0.9, resamples=0).min_similarity.value
    above = np.linspace(found, 1, 10_000)
    assert (1 / (1 + np.exp(-12 * (above - 0.5)))).mean() == pytest.approx(0.9, abs=0.01)


def test_equal_similarities_stay_together():
    cosines = np.repeat([0.2, 0.6], 100)
    alike = np.concatenate([np.zeros(100, bool), np.ones(100, bool)])
    found = precise_cut(cosines, alike, np.arange(200), resamples=0)
    assert (found.min_similarity.value, found.above) == (pytest.approx(0.4), 100)


def test_the_same_pairs_and_seed_give_the_same_interval():
    assert precise_cut(*judged(), resamples=50) == precise_cut(*judged(), resamples=50)


def test_components_are_drawn_whole():
    cosines, alike, alone = judged(200)
    two = precise_cut(cosines, alike, alone // 100, precision=0.8, resamples=100)
    assert two.components == 2
    assert (
        two.min_similarity.value
        == precise_cut(cosines, alike, alone, precision=0.8, resamples=0).min_similarity.value
    )


def test_twenty_alike_pairs_make_nine_in_ten():
    assert [alike_needed(p) for p in (0.5, 0.8, 0.9, 0.95)] == [4, 10, 20, 40]


def test_too_few_alike_pairs_are_told_with_how_many_would_do():
    alike = np.arange(100) >= 90
    with pytest.raises(ParameterError, match="at least 20 alike ones for a precision of 0.9, got "
                       "10 of 100. About 200 pairs like these would do"):  # fmt: skip
        precise_cut(np.linspace(0, 1, 100), alike, np.arange(100))
    with pytest.raises(ParameterError, match="got 0 of 100. Judge pairs that are closer"):
        precise_cut(np.linspace(0, 1, 100), np.zeros(100, bool), np.arange(100))


def test_pairs_that_are_nearly_all_alike_place_nothing():
    with pytest.raises(ParameterError, match="hold more that are not alike, got 5 of 100"):
        precise_cut(np.linspace(0, 1, 100), np.arange(100) >= 5, np.arange(100))


def test_a_precision_that_is_reached_nowhere_is_told_with_the_best_there_is():
    alike = np.tile([True, True, False], 100)
    with pytest.raises(ParameterError, match=r"got 0.67 at best, among the 3\d\d pairs of a sim"
                       r"ilarity"
                       r" of 0.0\d or more; 0.9 was asked for"):  # fmt: skip
        precise_cut(np.linspace(0, 1, 300), alike, np.arange(300))


@pytest.mark.parametrize("precision", [0.0, 1.0, 1.5])
def test_a_precision_is_between_0_and_1(precision):
    with pytest.raises(ParameterError, match=r"precision must be in \(0, 1\), got"):
        precise_cut(*judged(), precision=precision)


def test_no_other_value_has_a_better_f1():
    cosines, alike, alone = judged()
    found = agreeing_cut(cosines, alike, alone, resamples=100)

    def f1(value: float) -> float:
        above = cosines >= value
        return 2 * (above & alike).sum() / (above.sum() + alike.sum())

    assert f1(found.min_similarity.value) >= max(f1(value) for value in np.linspace(0, 1, 500))
    assert found.precision.value == alike[cosines >= found.min_similarity.value].mean()
    assert found.min_similarity.low <= found.min_similarity.value <= found.min_similarity.high
    assert agreeing_cut(cosines, alike, alone, resamples=100) == found


def test_an_f1_needs_ten_pairs_of_either_kind():
    cosines = np.linspace(0, 1, 100)
    with pytest.raises(ParameterError, match="got 5 and 95. About 200 pairs like these would do"):
        agreeing_cut(cosines, np.arange(100) >= 95, np.arange(100))
    with pytest.raises(ParameterError, match="got 100 and 0. Judge pairs of both kinds"):
        agreeing_cut(cosines, np.ones(100, bool), np.arange(100))


def test_pairs_that_are_best_put_together_place_nothing():
    alike = np.arange(100) % 5 > 0
    with pytest.raises(ParameterError, match="got 20 of 100: to put all together is the best"):
        agreeing_cut(np.linspace(0, 1, 100), alike, np.arange(100))
