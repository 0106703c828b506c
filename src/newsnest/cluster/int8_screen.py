"""The screen for processors that multiply int8: products of rounded vectors."""

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import int8_kernels, int8_tile
from newsnest.cluster.int8_axes import Axes
from newsnest.cluster.int8_kernels import Looks, Rounding, Search
from newsnest.cluster.screen import Cells, Neighbours, Screen, empty_heaps, tournament, widened
from newsnest.cluster.threads import Threads
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_BLOCK = 768  # rows; whole tiles and whole panels
_SMALL = 20_000  # rows below which blocks are halved, for threads to share evenly
_QUERIES = 480  # rows; whole tiles
_ENCODED = 2048  # rows at a time
_SORTED_BY = 2 * int8_tile.BLOCK  # dimensions that decide on the cell
_ROUGH = 1.25  # times the middle error
_PROBED = 2000  # tiles
_LOOK_COST = 0.25  # of multiplying a block


class Int8Screen(Screen):
    """Products of vectors rounded to int8, in panels that follow the live rows."""

    def __init__(self, means: Vectors, threads: Threads) -> None:
        n = len(means)
        self._means, self._pool, self._threads = means, threads.pool, threads.count
        self._axes = Axes.of(means)
        self._blocks = len(self._axes.steps)
        self._codes = np.zeros((n, self._blocks * int8_tile.ROW_WORDS * 4), np.int8)
        self._error = np.zeros(n, np.float32)
        self._length = np.zeros(n, np.float32)
        self._looks = Looks(self._blocks, self._axes.factors)
        self._stale = np.zeros(n, np.bool_)
        self._cells = self._sort()
        padded = _whole(n, int8_tile.ROWS * int8_tile.COLUMNS)
        self._owners = np.full(padded, -1, np.int32)
        self._owners[:n] = self._cells.order
        panel = self._blocks * int8_tile.COLUMN_WORDS * int8_tile.COLUMNS * 4
        self._panels = np.empty((padded // int8_tile.COLUMNS, panel), np.uint8)
        self._place(self._cells.order, np.arange(n, dtype=np.int32))
        int8_kernels.clear(np.arange(n, padded, dtype=np.int32), self._panels)

    def _sort(self) -> Cells:
        """Code all rows, and sort them into cells: those that rounding hurts come last."""
        n = len(self._means)
        pivots = Cells.pivots(self._means)
        turned = np.ascontiguousarray((pivots @ self._axes.turn)[:, :_SORTED_BY].T)
        cell = np.empty(n, np.int32)

        def sort(start: int) -> None:
            rows = np.arange(start, min(start + _ENCODED, n), dtype=np.int32)
            coordinates = self._encode(rows)
            cell[rows] = (coordinates[:, :_SORTED_BY] @ turned).argmax(axis=1)

        list(self._pool.map(sort, range(0, n, _ENCODED)))
        rough = self._error > _ROUGH * np.median(self._error)
        return Cells.sorted_by(cell, pivots, rough)

    def _encode(self, rows: NDArray[np.int32]) -> Vectors:
        """Code some rows; return their coordinates."""
        coordinates = self._means[rows] @ self._axes.turn
        int8_kernels.encode(
            rows, coordinates, self._axes.steps, self._axes.factors, self._codes,
            self._codes.view(np.int32), self._error, self._length,
        )  # fmt: skip
        return coordinates

    def _place(self, rows: NDArray[np.int32], slots: NDArray[np.int32]) -> None:
        words = self._codes.view(np.int32)
        list(self._pool.map(
            lambda part: int8_kernels.place(*part, self._codes, words, self._panels),
            zip(np.array_split(rows, self._threads), np.array_split(slots, self._threads),
                strict=True),
        ))  # fmt: skip

    def all_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        n = len(self._means)
        search = self._search(self._owners, n, k, above)
        block = _BLOCK if n > _SMALL else _BLOCK // 2
        blocks = -(-n // block)

        def fold(pairs: NDArray[np.int32]) -> None:
            int8_kernels.meet(pairs, block, search._replace(looks=self._looks))

        with progress.start("comparing", blocks * (blocks + 1) // 2, "blocks") as task:
            for played, pairs in enumerate(tournament(blocks)):
                listed = np.array(pairs, np.int32).reshape(-1, 2)
                parts = min(max(1, len(pairs)), 4 * self._threads)
                list(self._pool.map(fold, np.array_split(listed, parts)))
                task.advance(len(pairs))
                if not played:  # lists are no longer empty
                    self._plan_looks(search)
        back = np.argsort(self._cells.order)
        return search.values[back], search.ids[back]

    def _plan_looks(self, search: Search) -> None:
        """Decide by some tiles after how many blocks of dimensions it pays to look at sums."""
        rows = np.arange(0, len(search.codes), int8_tile.ROWS)
        panels = np.arange(len(self._panels))
        each = max(1, int(min(_PROBED, len(rows) * len(panels) / 50) ** 0.5))
        some = [every[:: -(-len(every) // each)] for every in (rows, panels)]
        tiles = np.stack(np.meshgrid(*some), axis=-1).reshape(-1, 2).astype(np.int32)
        always = Looks(1, self._axes.factors)
        ended = int8_kernels.probe(tiles, search._replace(looks=always))
        after = np.arange(self._blocks + 1)
        costs = []
        for first in range(1, self._blocks + 1):
            spent = np.maximum(after, first)
            looks = np.minimum(spent, self._blocks - 1) - first + 1
            costs.append((ended * (spent + _LOOK_COST * looks)).sum())
        self._looks = Looks(1 + int(np.argmin(costs)), self._axes.factors)

    def nearby_pairs(self, k: int, above: np.float32, progress: Progress = SILENT) -> Neighbours:
        order, near = self._cells.order, self._cells.near()
        padded = self._owners[: _whole(len(order), int8_tile.ROWS)]
        search = self._search(padded, len(order), k, above)

        def fold(first: int) -> int:
            last = min(first + _QUERIES, len(padded))
            int8_kernels.look_up(first, last, self._panels_of(near, first, last), search)
            return last - first

        with progress.start("comparing nearby", len(padded), "rows") as task:
            for done in self._pool.map(fold, range(0, len(padded), _QUERIES)):
                task.advance(done)
        back = np.argsort(order)
        return widened(self._means, search.values[back], search.ids[back], self._pool, progress)

    def _panels_of(self, near: list[NDArray[np.int64]], first: int, last: int) -> NDArray[np.int32]:
        """Return the panels that hold what slots first … last − 1 may meet."""
        starts = self._cells.starts
        begin = np.searchsorted(starts, first, "right") - 1
        end = np.searchsorted(starts, min(last, starts[-1]) - 1, "right")
        cells = np.unique(np.concatenate(near[begin:end]))
        marks = np.zeros(len(self._panels) + 1, np.int32)
        filled = cells[starts[cells] < starts[cells + 1]]
        np.add.at(marks, starts[filled] // int8_tile.COLUMNS, 1)
        np.add.at(marks, -(-starts[filled + 1] // int8_tile.COLUMNS), -1)
        return np.flatnonzero(np.cumsum(marks)).astype(np.int32)

    def changed(self, rows: NDArray[np.int32]) -> None:
        # Coded by the next query, not here: a row may change many times until then.
        self._stale[rows] = True

    def among(
        self, rows: NDArray[np.int32], live: NDArray[np.int32], k: int, above: np.float32
    ) -> Neighbours:
        slot_of = self._follow(live)
        by_slot = np.argsort(slot_of[rows])
        queries = np.full(_whole(len(rows), int8_tile.ROWS), -1, np.int32)
        queries[: len(rows)] = rows[by_slot]
        search = self._search(queries, len(rows), k, above)
        share = _whole(-(-len(queries) // self._threads), int8_tile.ROWS)
        step = min(_QUERIES, share)
        everything = np.arange(len(self._panels), dtype=np.int32)

        def fold(first: int) -> None:
            int8_kernels.look_up(first, min(first + step, len(queries)), everything, search)

        list(self._pool.map(fold, range(0, len(queries), step)))
        back = np.argsort(by_slot)
        return search.values[back], search.ids[back]

    def _search(self, queries: NDArray[np.int32], n: int, k: int, above: np.float32) -> Search:
        """Return a search with empty lists; of the queries the first n are rows, the rest −1."""
        values, ids = empty_heaps(n, k, above)
        codes = np.zeros((len(queries), self._codes.shape[1]), np.int8)
        # A copy, for a tile reads rows that lie one after another.
        codes[:n] = self._codes[queries[:n]]
        rounding = self._rounding()
        # What is padding asks for more than any product.
        limits = np.full((2, len(queries)), np.iinfo(np.int32).max, np.int32)
        int8_kernels.set_limits(queries[:n], values[:, 0], rounding, limits)
        return Search(
            self._means, queries, self._owners, codes, self._panels, self._looks, rounding, limits,
            values, ids,
        )  # fmt: skip

    def _rounding(self) -> Rounding:
        """Return what rounding lost, as far as rows in the panels are concerned."""
        held = self._owners >= 0
        error = np.where(held, self._error[self._owners], np.float32(0.0))
        longest = self._length[self._owners[held]].max(initial=np.float32(0.0))
        worst = error.reshape(-1, int8_tile.COLUMNS).max(axis=1)
        rough = worst > _ROUGH * np.median(worst)
        max_error = np.array([worst[~rough].max(initial=0.0), worst.max(initial=0.0)], np.float32)
        return Rounding(
            self._axes.steps[-1], self._error, self._length, max_error, rough.astype(np.uint8),
            longest, np.float32(self._axes.rounding),
        )  # fmt: skip

    def _follow(self, live: NDArray[np.int32]) -> NDArray[np.int32]:
        """Code again what changed, leave out of the panels what is gone; return rows' slots."""
        stale = live[self._stale[live]]
        self._stale[live] = False
        list(self._pool.map(
            self._encode, [stale[i : i + _ENCODED] for i in range(0, len(stale), _ENCODED)]
        ))  # fmt: skip
        alive = np.zeros(len(self._means), np.bool_)
        alive[live] = True
        held = np.flatnonzero(self._owners >= 0).astype(np.int32)
        stays = alive[self._owners[held]]
        if 2 * len(live) <= len(self._owners):
            # Half of the slots are empty: move rows together, so that tiles are not multiplied
            # for nothing.
            stale = self._owners[held[stays]]  # in the order they had
            padded = _whole(len(live), int8_tile.COLUMNS)
            self._owners = np.full(padded, -1, np.int32)
            self._owners[: len(live)] = stale
            self._panels = self._panels[: padded // int8_tile.COLUMNS]
            gone = np.arange(len(live), padded, dtype=np.int32)
        else:
            gone = held[~stays]
            self._owners[gone] = -1
        int8_kernels.clear(gone, self._panels)
        slot_of = np.empty(len(self._means), np.int32)
        held = np.flatnonzero(self._owners >= 0).astype(np.int32)
        slot_of[self._owners[held]] = held
        self._place(stale, slot_of[stale])
        return slot_of


def _whole(n: int, size: int) -> int:
    """Round n up to a multiple of `size`."""
    return -(-n // size) * size
