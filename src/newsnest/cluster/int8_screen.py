"""The screen for processors that multiply int8: products of rounded vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import int8_kernels, int8_tile
from newsnest.cluster.cells import Cells
from newsnest.cluster.int8_kernels import Rounding
from newsnest.cluster.screen import Neighbours, Screen, empty_heaps, tournament, widened
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_BLOCK = 768  # rows; whole tiles and whole panels
_SMALL = 20_000  # rows below which blocks are halved, for threads to share evenly
_QUERIES = 480  # rows; whole tiles
_SAMPLED = 1024  # rows that decide on the scale


class Int8Screen(Screen):
    """Products of vectors rounded to int8, in panels that follow the live rows."""

    def __init__(self, means: Vectors, pool: ThreadPoolExecutor, threads: int) -> None:
        n, d = means.shape
        block = int8_kernels.HADAMARD
        width = -(-d // block) * block
        tile = int8_tile.ROWS * int8_tile.COLUMNS
        padded = -(-n // tile) * tile
        self._means, self._pool, self._threads = means, pool, threads
        self._signs = np.where(np.random.default_rng(0).random(d) < 0.5, -1, 1).astype(np.float32)
        self._scale = self._fitting_scale(width)
        self._codes = np.zeros((padded, width), np.int8)
        self._offsets = np.zeros(padded, np.int32)
        self._error = np.zeros(n, np.float32)
        self._length = np.zeros(n, np.float32)
        self._owners = np.full(padded, -1, np.int32)
        self._cells = Cells.of(means)
        self._owners[:n] = self._cells.order
        self._panels = np.full(
            (padded // int8_tile.COLUMNS, width * int8_tile.COLUMNS), 128, np.uint8
        )
        self._stale = np.zeros(n, np.bool_)
        everyone = np.arange(n, dtype=np.int32)
        self._encode(everyone)
        self._place(self._owners[:n], everyone)

    def _fitting_scale(self, width: int) -> np.float32:
        """The step of rounding: a hair of the coordinates lies outside and is cut off."""
        n = len(self._means)
        sample = np.unique(np.linspace(0, n - 1, min(n, _SAMPLED)).astype(np.int64))
        turned = np.empty((len(sample), width), np.float32)
        for row, out in zip(self._means[sample], turned, strict=True):
            int8_kernels.turn(row, self._signs, out)
        largest = float(np.quantile(np.abs(turned), 0.9999))
        return np.float32(max(largest, 1e-6) / 127.0)

    def _encode(self, rows: NDArray[np.int32]) -> None:
        list(self._pool.map(
            lambda part: int8_kernels.encode(
                part, self._means, self._signs, self._scale, self._codes, self._offsets,
                self._error, self._length,
            ),
            np.array_split(rows, self._threads),
        ))  # fmt: skip

    def _place(self, rows: NDArray[np.int32], slots: NDArray[np.int32]) -> None:
        list(self._pool.map(
            lambda part: int8_kernels.place(*part, self._codes, self._panels),
            zip(np.array_split(rows, self._threads), np.array_split(slots, self._threads),
                strict=True),
        ))  # fmt: skip

    def all_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        n = len(self._means)
        values, ids = empty_heaps(n, k, above)
        rounding = self._rounding(self._error)
        codes, offsets, limits = self._queries(self._cells.order, values, rounding)
        block = _BLOCK if n > _SMALL else _BLOCK // 2
        blocks = -(-n // block)

        def fold(pairs: NDArray[np.int32]) -> None:
            int8_kernels.meet(
                pairs, block, self._owners, self._means, codes, self._panels, offsets, rounding,
                limits, values, ids,
            )  # fmt: skip

        with progress.start("comparing", blocks * (blocks + 1) // 2, "blocks") as task:
            for pairs in tournament(blocks):
                listed = np.array(pairs, np.int32).reshape(-1, 2)
                parts = min(max(1, len(pairs)), 4 * self._threads)
                list(self._pool.map(fold, np.array_split(listed, parts)))
                task.advance(len(pairs))
        return values, ids

    def nearby_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        order = self._cells.order
        values, ids = empty_heaps(len(order), k, above)
        rounding = self._rounding(self._error)
        codes, offsets, limits = self._queries(order, values, rounding)

        def fold(first: int) -> int:
            last = min(first + _QUERIES, len(codes))
            listed = self._cells.panels(first, last, int8_tile.COLUMNS)
            int8_kernels.look_up(
                first, last, order, listed, self._owners, self._means, codes, self._panels,
                offsets, rounding, limits, values, ids,
            )  # fmt: skip
            return last - first

        with progress.start("comparing nearby", len(codes), "rows") as task:
            for done in self._pool.map(fold, range(0, len(codes), _QUERIES)):
                task.advance(done)
        back = np.argsort(order)
        return widened(self._means, values[back], ids[back], self._pool)

    def changed(self, rows: NDArray[np.int32]) -> None:
        self._stale[rows] = True

    def among(
        self, rows: NDArray[np.int32], live: NDArray[np.int32], k: int, above: np.float32
    ) -> Neighbours:
        self._follow(live)
        values, ids = empty_heaps(len(rows), k, above)
        rounding = self._rounding(self._error[live])
        codes, offsets, limits = self._queries(rows, values, rounding)
        share = -(-len(codes) // (self._threads * int8_tile.ROWS)) * int8_tile.ROWS
        step = min(_QUERIES, share)
        everything = np.arange(len(self._panels), dtype=np.int32)

        def fold(first: int) -> None:
            int8_kernels.look_up(
                first, min(first + step, len(codes)), rows, everything, self._owners, self._means,
                codes, self._panels, offsets, rounding, limits, values, ids,
            )  # fmt: skip

        list(self._pool.map(fold, range(0, len(codes), step)))
        return values, ids

    def _queries(
        self, rows: NDArray[np.int32], values: Vectors, rounding: Rounding
    ) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int32]]:
        """Return codes, offsets and limits of rows one after another, padded to whole tiles."""
        tile = int8_tile.ROWS * int8_tile.COLUMNS
        padded = -(-len(rows) // int8_tile.ROWS) * int8_tile.ROWS
        codes = np.zeros((padded, self._codes.shape[1]), np.int8)
        codes[: len(rows)] = self._codes[rows]
        offsets = np.zeros(padded, np.int32)
        offsets[: len(rows)] = self._offsets[rows]
        limits = np.full(-(-len(rows) // tile) * tile, np.iinfo(np.int32).max, np.int32)
        int8_kernels.set_limits(rows, values[:, 0], rounding, limits)
        return codes, offsets, limits

    def _rounding(self, errors: Vectors) -> Rounding:
        """Return what rounding lost; `errors` are those of the rows in the panels."""
        most = errors.max(initial=np.float32(0.0))
        return Rounding(self._scale, self._error, self._length, most)

    def _follow(self, live: NDArray[np.int32]) -> None:
        """Code again what changed, and leave out of the panels what is gone."""
        stale = live[self._stale[live]]
        self._stale[live] = False
        self._encode(stale)
        if 2 * len(live) <= len(self._owners):
            columns = int8_tile.COLUMNS
            padded = -(-len(live) // columns) * columns
            self._owners = np.full(padded, -1, np.int32)
            self._owners[: len(live)] = live
            self._panels = self._panels[: padded // columns]
            slots = np.arange(len(live), dtype=np.int32)
            self._place(live, slots)
            int8_kernels.clear(np.arange(len(live), padded, dtype=np.int32), self._panels)
            return
        held = np.flatnonzero(self._owners >= 0).astype(np.int32)
        alive = np.zeros(len(self._means), np.bool_)
        alive[live] = True
        gone = held[~alive[self._owners[held]]]
        int8_kernels.clear(gone, self._panels)
        self._owners[gone] = -1
        slot_of = np.empty(len(self._means), np.int32)
        held = np.flatnonzero(self._owners >= 0).astype(np.int32)
        slot_of[self._owners[held]] = held
        self._place(stale, slot_of[stale])
