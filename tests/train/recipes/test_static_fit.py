from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from newsnest.train.recipes.static.train import RIDGES, _path, fit_tokens


def corpus(n=400, vocabulary=60, d=8, *, noise=0.0, seed=0):
    """Texts that are means of hidden token vectors, a start that knows them badly."""
    dice = np.random.default_rng(seed)
    hidden = dice.standard_normal((vocabulary, d))
    counts = dice.poisson(0.15, (n, vocabulary)).astype(np.float32)
    counts[np.arange(n), dice.integers(vocabulary - 1, size=n)] += 1
    counts[:, -1] = 0  # a token that no text has
    targets = counts @ hidden + noise * dice.standard_normal((n, d))
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    start = hidden @ dice.standard_normal((d, d)) + 0.7 * dice.standard_normal((vocabulary, d))
    return sparse.csr_array(counts), start.astype(np.float32), targets.astype(np.float32)


def test_the_solution_is_that_of_ridge_regression():
    counts, start, targets = corpus()
    ((_, found),) = _path(counts, start, targets, [0.5])
    dense = counts.toarray().astype(np.float64)
    exact = np.linalg.solve(
        dense.T @ dense + 0.5 * np.eye(dense.shape[1]), dense.T @ targets + 0.5 * start
    )
    np.testing.assert_allclose(found, exact, atol=0.02)
    np.testing.assert_array_equal(found[-1], start[-1])


def test_texts_that_were_not_fitted_come_nearer():
    counts, start, targets = corpus(noise=0.3)
    held = np.arange(len(targets)) < 80
    fit = fit_tokens(counts, start, targets, held)
    assert set(fit.cosine) == {0.0, *RIDGES}
    assert fit.cosine[fit.ridge] == max(fit.cosine[ridge] for ridge in RIDGES)
    assert fit.cosine[fit.ridge] > fit.cosine[0.0] + 0.05
    assert fit.vectors.shape == (60, 8)
    assert fit.vectors.dtype == np.float32
    again = fit_tokens(counts, start, targets, held)
    assert again.vectors.tobytes() == fit.vectors.tobytes()


def test_noise_asks_for_a_larger_ridge():
    chosen = []
    for noise in (0.0, 3.0):
        counts, start, targets = corpus(noise=noise)
        chosen.append(fit_tokens(counts, start, targets, np.arange(400) < 80).ridge)
    assert chosen[0] < chosen[1]


@pytest.mark.parametrize("unseen", [0, 59])
def test_a_token_of_no_text_is_turned_with_the_others(unseen):
    counts, start, targets = corpus()
    dense = counts.toarray()
    dense[:, unseen] = 0
    dense[:, 1] += dense.sum(axis=1) == 0
    fit = fit_tokens(sparse.csr_array(dense), start, targets, np.arange(400) < 80)
    assert np.isfinite(fit.vectors).all()
    assert np.linalg.norm(fit.vectors[unseen]) > 0


def test_the_start_stays_where_no_fit_comes_nearer_to_held_out_texts(monkeypatch):
    def ruined(shares, start, targets, ridges):
        return ((ridge, -start) for ridge in ridges)

    monkeypatch.setattr("newsnest.train.recipes.static.train._path", ruined)
    counts, start, targets = corpus()
    fit = fit_tokens(counts, start, targets, np.arange(len(targets)) < 80)
    assert fit.ridge == 0.0 and fit.cosine[0.0] == max(fit.cosine.values())
    found = counts @ fit.vectors
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert (found * targets)[:80].sum(axis=1).mean() == pytest.approx(fit.cosine[0.0], abs=1e-5)
