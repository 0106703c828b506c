"""Relational similarity against a correlation spelled out, and what it does and does not see."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate import alignment_scores, relational_similarity
from newsnest.evaluate.alignment import _relational
from newsnest.labelled import ParallelTexts


def spelled_out(left, right, rows=None):
    rows = np.arange(len(left)) if rows is None else rows
    units = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (left, right)]
    i, j = np.triu_indices(len(rows), 1)
    apart = rows[i] != rows[j]  # a sentence drawn twice is not compared with itself
    x, y = ((u[rows] @ u[rows].T)[i, j][apart] for u in units)
    return np.corrcoef(x, y)[0, 1]


def drawn(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def parallel(n):
    return ParallelTexts("fr", "en", tuple(f"f{i}" for i in range(n)), ("e",) * n)


@pytest.mark.parametrize("block", [512, 7, 1])
def test_relational_similarity_is_the_correlation_of_the_upper_triangles(monkeypatch, block):
    monkeypatch.setattr("newsnest.evaluate.alignment._BLOCK", block)
    left = drawn(30, 6)
    right = left @ drawn(6, 9, 1) + drawn(30, 9, 2)
    assert relational_similarity(left, right) == pytest.approx(spelled_out(left, right), abs=1e-9)


def test_a_resample_is_the_sentences_spelled_out():
    left, right = drawn(12, 4), drawn(12, 4, 1)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    weights = np.random.default_rng(2).integers(0, 3, size=(5, 12)).astype(float)
    for row, value in zip(weights.astype(int), _relational(left, right, weights), strict=True):
        rows = np.repeat(np.arange(12), row)
        assert value == pytest.approx(spelled_out(left, right, rows), abs=1e-9)


def test_it_is_symmetric_and_one_for_the_same_space_turned_and_scaled():
    left, right = drawn(20, 5), drawn(20, 5, 1)
    turn = np.linalg.qr(drawn(5, 5, 2))[0]
    assert relational_similarity(left, right) == pytest.approx(relational_similarity(right, left))
    assert relational_similarity(left, left @ turn * 3) == pytest.approx(1.0)


def test_the_share_found_tells_languages_that_lie_apart_where_relations_do_not():
    english = drawn(40, 8)
    turned = -english
    together, apart = (
        alignment_scores(parallel(40), v.astype(np.float32), english.astype(np.float32))[-1]
        for v in (english + 0.01 * drawn(40, 8, 1), turned)
    )
    assert together.relational.value == pytest.approx(1.0, abs=0.01)
    assert apart.relational.value == pytest.approx(1.0)
    assert (together.found.value, apart.found.value) == (1.0, 0.0)


def test_found_averages_both_directions_and_a_tie_is_no_hit():
    english = np.array([[1, 0], [0.9, 0.5], [-1, 0.2]], np.float32)
    theirs = np.array([[0.9, 0.5], [0.9, 0.5], [-1, 0.2]], np.float32)
    (scores,) = alignment_scores(parallel(3), theirs, english, dims=[2], resamples=0)
    # Theirs: the second and third find their own. English: the third does, the second is tied.
    assert scores.found.value == pytest.approx((0 + 0.5 + 1.0) / 3)


def test_every_prefix_has_its_scores_and_intervals():
    english = drawn(50, 8).astype(np.float32)
    theirs = (english + drawn(50, 8, 1)).astype(np.float32)
    scores = alignment_scores(parallel(50), theirs, english, resamples=200)
    assert [(s.language, s.pivot, s.dims, s.sentences) for s in scores] == [
        ("fr", "en", d, 50) for d in (2, 4, 8)
    ]
    for s in scores:
        expected = spelled_out(theirs[:, : s.dims], english[:, : s.dims])
        assert s.relational.value == pytest.approx(expected, abs=1e-5)
        assert s.relational.low < s.relational.value < s.relational.high
        assert s.found.low <= s.found.value <= s.found.high
    assert scores == alignment_scores(parallel(50), theirs, english, resamples=200)
    assert scores[0].as_dict()["relational"]["value"] == scores[0].relational.value


def test_a_space_in_which_all_is_alike_has_no_relations():
    same, other = np.ones((5, 4), np.float32), drawn(5, 4).astype(np.float32)
    assert alignment_scores(parallel(5), same, other)[-1].relational is None
    assert np.isnan(relational_similarity(same, other))


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ((4, 3), (4, 2), r"one row per sentence and language \(4\), got shapes \(4, 3\) and"),
        ((3, 3), (3, 3), "one row per sentence and language"),
        ((4,), (4,), "must be two arrays"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(left, right, message):
    with pytest.raises(ParameterError, match=message):
        alignment_scores(parallel(4), np.ones(left), np.ones(right))


def test_too_few_sentences_and_bad_numbers_are_refused():
    with pytest.raises(ParameterError, match="at least 3 sentences, got 2. Leave the language out"):
        alignment_scores(parallel(2), np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(ParameterError, match="must be finite numbers"):
        relational_similarity(np.ones((3, 2)), np.full((3, 2), np.nan))
