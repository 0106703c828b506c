from __future__ import annotations

import numpy as np
import pytest

from newsnest.cluster.views import fit_frame, level_vectors, time_view
from newsnest.errors import ParameterError
from newsnest.types import Level

DAY = 86_400.0


def rows(n=500, d=24, seed=0):
    raw = np.random.default_rng(seed).standard_normal((n, d)) * (1 / np.arange(1, d + 1)) + 0.3
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def test_time_view_is_the_gaussian_kernel():
    days = np.linspace(0, 4, 60)
    view = time_view(days * DAY, DAY)
    expected = np.exp(-((days[:, None] - days[None, :]) ** 2) / 2)
    assert np.abs(view @ view.T - expected).max() < 0.015
    assert np.allclose(np.linalg.norm(view, axis=1), 1, atol=1e-6)


def test_time_view_does_not_depend_on_the_epoch():
    days = np.linspace(0, 3, 20) * DAY
    early, late = time_view(days, DAY), time_view(days + 1.7e9, DAY)
    np.testing.assert_allclose(early @ early.T, late @ late.T, atol=1e-5)


def test_level_similarity_is_the_weighted_sum_of_text_and_time():
    text = fit_frame(rows()).apply(rows())
    times = np.random.default_rng(1).uniform(0, 5 * DAY, len(text))
    both = level_vectors(text, Level("story", None, 0.5, 0.3), times=times)
    view = time_view(times, DAY)
    np.testing.assert_allclose(
        both @ both.T, 0.7 * (text @ text.T) + 0.3 * (view @ view.T), atol=1e-5
    )


def test_articles_without_a_date_keep_their_text():
    text = fit_frame(rows()).apply(rows())
    times = np.zeros(len(text))
    times[:10] = np.nan
    both = level_vectors(text, Level("story", None, 0.5, 0.3), times=times)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(both[:10] @ both[:10].T, text[:10] @ text[:10].T, atol=1e-5)
    assert (both[:10, text.shape[1] :] == 0).all()


def test_a_frame_centres_and_keeps_what_rotation_must_keep():
    data = rows(5000)
    turned, plain = fit_frame(data), fit_frame(data, rotate=False)
    before, after = (np.linalg.norm(x.mean(axis=0)) for x in (data, plain.apply(data)))
    assert after < before / 5
    np.testing.assert_allclose(
        turned.apply(data) @ turned.apply(data)[0], plain.apply(data) @ plain.apply(data)[0],
        atol=1e-5,
    )  # fmt: skip
    energy = (turned.apply(data) ** 2).mean(axis=0)
    assert (np.diff(energy) < 0.02).all()
    assert energy[:6].sum() > 0.7


def test_leading_dimensions_are_scaled_to_unit_length():
    text = fit_frame(rows()).apply(rows())
    short = level_vectors(text, Level("theme", 6, 0.0))
    assert short.shape == (500, 6)
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), 1, atol=1e-5)


def test_weights_count_as_repeated_rows_in_the_mean():
    data = rows(400)
    times = np.random.default_rng(2).integers(1, 4, len(data)).astype(np.float64)
    weighted = fit_frame(data, times, rotate=False).means[0]
    plain = np.average(data, axis=0, weights=times) * (400 / 450)
    np.testing.assert_allclose(weighted, plain, atol=1e-6)


def test_a_row_that_is_the_mean_keeps_its_direction():
    same = np.tile(rows(1), (300_0, 1))
    frame = fit_frame(same)
    out = frame.apply(same)
    assert np.isfinite(out).all()
    assert (out == out[0]).all()


def test_a_single_row_is_framed():
    out = fit_frame(rows(1)).apply(rows(1))
    assert np.linalg.norm(out) == pytest.approx(1, abs=1e-5)


def test_bad_levels_are_refused():
    text = rows(10)
    with pytest.raises(ParameterError, match="Level story: dims must be in 1 … 24, got 99"):
        level_vectors(text, Level("story", 99, 0.5))
    with pytest.raises(ParameterError, match=r"time_weight must be in \[0, 1\), got 1.0"):
        level_vectors(text, Level("story", None, 0.5, 1.0))
    with pytest.raises(ParameterError, match="scale must be positive, got 0"):
        time_view(np.zeros(3), 0)


def test_centring_by_group_takes_the_group_out():
    text = rows(3000, seed=3)
    groups = (np.arange(3000) % 3 == 0).astype(np.int32)
    shifted = text + groups[:, None] * np.array([0.0] * 20 + [0.4] * 4, np.float32)
    shifted /= np.linalg.norm(shifted, axis=1, keepdims=True)
    gaps = []
    for own in (None, groups):
        out = fit_frame(shifted, groups=own).apply(shifted, own)
        gaps.append(np.linalg.norm(out[groups == 0].mean(axis=0) - out[groups == 1].mean(axis=0)))
    assert gaps[1] < gaps[0] / 5


def test_one_group_is_the_same_as_none():
    data = rows()
    np.testing.assert_array_equal(
        fit_frame(data).apply(data), fit_frame(data, groups=np.zeros(500, np.int32)).apply(data)
    )
