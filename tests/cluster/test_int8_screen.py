"""The int8 screen against the float screen: nearest neighbours, block by block, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from newsnest.cluster import int8_screen, int8_tile
from newsnest.cluster.int8_axes import Axes
from newsnest.cluster.int8_screen import Int8Screen
from newsnest.cluster.screen import FloatScreen
from newsnest.cluster.threads import Threads

needs_int8 = pytest.mark.skipif(not int8_tile.LANES, reason="needs a processor with VNNI")


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def rows_of(kind, n=2000, d=230):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(n, d))
    if kind == "falling":
        rows /= np.sqrt(np.arange(d) + 2.0)
    elif kind == "low rank":
        rows = rows[:, :5] @ rng.normal(size=(5, d))
    elif kind == "spikes":  # rows that lie on few of the axes on which they are rounded
        rows /= np.sqrt(np.arange(d) + 2.0)
        turn = Axes.of(unit(rows)).turn
        rows[::7] = np.eye(turn.shape[1])[rng.integers(0, d, len(rows[::7]))] @ turn.T
        rows[::7] += 1e-3 * rng.normal(size=(len(rows[::7]), d))
    elif kind == "short":  # means of clusters are shorter than 1, some much
        return unit(rows) * rng.uniform(0.01, 1, (n, 1)).astype(np.float32)
    return unit(rows)


KINDS = ["flat", "falling", "low rank", "spikes", "short"]


@needs_int8
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("above", [-1.1, -0.03, 0.3])
def test_neighbours_are_those_of_the_float_screen(monkeypatch, kind, above):
    rows = rows_of(kind)
    some = np.random.default_rng(0).permutation(len(rows))[:700].astype(np.int32)
    live = np.sort(some)
    with Threads("test", 2) as threads:
        floats = FloatScreen(rows, threads)
        pairs = np.sort(floats.all_pairs(5, np.float32(above))[0])
        among = np.sort(floats.among(some[:100], live, 5, np.float32(above))[0])
        for first in range(1, 5):
            screen = Int8Screen(rows, threads)
            looks = screen._looks._replace(first=first)
            monkeypatch.setattr(
                Int8Screen, "_plan_looks", lambda self, *_, looks=looks: setattr(
                    self, "_looks", looks
                ),
            )  # fmt: skip
            np.testing.assert_array_equal(np.sort(screen.all_pairs(5, np.float32(above))[0]), pairs)
            found = screen.among(some[:100], live, 5, np.float32(above))[0]
            np.testing.assert_array_equal(np.sort(found), among)


@needs_int8
def test_most_tiles_end_early_where_energy_falls():
    rows = rows_of("falling", n=4000)
    with Threads("test", 1) as threads:
        screen = Int8Screen(rows, threads)
        screen.all_pairs(5, np.float32(0.6))
        assert screen._looks.first < screen._blocks
        flat = Int8Screen(rows_of("flat", n=4000), threads)
        flat.all_pairs(5, np.float32(-0.5))
        assert flat._looks.first == flat._blocks


@needs_int8
def test_changed_rows_are_coded_again_and_the_others_left_out():
    rows = rows_of("falling").copy()
    with Threads("test", 2) as threads:
        screen, floats = Int8Screen(rows, threads), FloatScreen(rows, threads)
        rng = np.random.default_rng(1)
        live = np.arange(len(rows), dtype=np.int32)
        for left in (1900, 1000, 990, 400, 30):
            live = np.sort(rng.permutation(live)[:left])
            changed = live[:: max(1, left // 50)]
            rows[changed] *= 0.9
            screen.changed(changed)
            for ours, theirs in zip(
                screen.among(live, live, 4, np.float32(-0.2)),
                floats.among(live, live, 4, np.float32(-0.2)),
                strict=True,
            ):
                np.testing.assert_array_equal(np.sort(ours), np.sort(theirs))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 100, 3000])
def test_axes_keep_dot_products_and_steps_are_whole_multiples(kind, n):
    rows = rows_of(kind)[:n]
    axes = Axes.of(rows)
    exact = rows.astype(np.float64) @ rows.T.astype(np.float64)
    turned = (rows @ axes.turn).astype(np.float64)
    assert np.abs(turned @ turned.T - exact).max() < axes.rounding
    squares = axes.steps.astype(np.float64) ** 2
    np.testing.assert_allclose(squares[:-1] / squares[1:], axes.factors[0, :-1], rtol=1e-5)
    np.testing.assert_allclose(squares / squares[-1], axes.factors[1], rtol=1e-5)
    assert axes.factors[1, 0] * 127**2 * axes.turn.shape[1] <= 2**30


def test_queries_are_padded_to_whole_tiles():
    assert [int8_screen._whole(n, 12) for n in (0, 1, 12, 13)] == [0, 12, 12, 24]
