"""Compiled loops of the int8 screen: which pairs can be more similar than a threshold.

  encode      round coordinates to int8, keep what rounding lost
  place       write codes into the columns' panels
  meet        fold two blocks of rows into the candidate lists of both sides
  look_up     fold panels of columns into the candidate lists of some rows
  probe       after how many blocks of dimensions sampled tiles can end

Shapes: n rows, coded in ROW_WORDS words for each of their blocks of BLOCK dimensions; a panel holds
COLUMNS columns, COLUMN_WORDS words each for each block, because that is how `tile` reads them.

The screen is exact. x = s·q + r in each block, so |⟨x, y⟩ − Σ s²⟨q, p⟩| ≤ |r_x||y| + |s·q_x||r_y|,
and a row's limit is lowered by that much: what a tile does not mark cannot exceed the threshold,
and what it marks is computed again in float32 by `similarity`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from newsnest.cluster.int8_tile import (
    BLOCK,
    COLUMN_WORDS,
    COLUMNS,
    GROUP,
    GROUPS,
    LANES,
    REGISTERS,
    ROW_WORDS,
    ROWS,
    tile,
)
from newsnest.cluster.rac_kernels import Floats, Ints, push, similarity

Codes = NDArray[np.int8]
Panels = NDArray[np.uint8]
Found = NDArray[np.uint16]


class Rounding(NamedTuple):
    """What rounding lost.

    Per row the length of the rest and of the row; the largest rest in ordinary panels and in rough
    ones, and which panels are rough; the longest row; what float32 may add.
    """

    step: np.float32
    error: Floats
    length: Floats
    most: Floats
    rough: NDArray[np.uint8]
    longest: np.float32
    float32: np.float32


class Looks(NamedTuple):
    """When tiles look whether they can end, and what that takes; see `tile`."""

    first: int
    factors: Ints


_NEVER = np.int32(2**31 - 1)
_FAR = 2.0**30  # beyond any product


@njit(cache=True, nogil=True, fastmath=True)
def encode(
    rows: Ints, coordinates: Floats, steps: Floats, factors: Ints, codes: Codes, words: Ints,
    error: Floats, length: Floats,
) -> None:  # fmt: skip
    """Code rows; words (n, blocks · ROW_WORDS): the bytes of `codes`, seen as int32.

    After the codes of a block come what undoes the 128 that the columns' bytes carry, and the
    length of all codes that follow, in the block's own units.
    """
    blocks = steps.shape[0]
    squares = np.empty(blocks)
    for q in range(rows.shape[0]):
        i = rows[q]
        lost = np.float32(0.0)
        whole = np.float32(0.0)
        for b in range(blocks):
            step = steps[b]
            inverse = np.float32(1.0) / step
            source = coordinates[q, b * BLOCK : (b + 1) * BLOCK]
            target = codes[i, b * ROW_WORDS * GROUP : b * ROW_WORDS * GROUP + BLOCK]
            total = np.int32(0)
            square = np.int32(0)
            for k in range(BLOCK):
                rounded = np.rint(source[k] * inverse)
                rounded = min(np.float32(127.0), max(np.float32(-127.0), rounded))
                code = np.int32(rounded)
                target[k] = np.int8(code)
                total += code
                square += code * code
                rest = source[k] - step * rounded
                lost += rest * rest
                whole += source[k] * source[k]
            squares[b] = square
            words[i, b * ROW_WORDS + GROUPS] = np.int32(-128) * total
        left = 0.0
        for b in range(blocks - 1, -1, -1):
            words[i, b * ROW_WORDS + GROUPS + 1] = np.int32(np.ceil(np.sqrt(left) + 1e-6))
            left = (left + squares[b]) / factors[0, b - 1]  # of the last block for b = 0: unused
        error[i] = np.sqrt(lost) * np.float32(1.0001)
        length[i] = np.sqrt(whole) * np.float32(1.0001)


@njit(cache=True, nogil=True)
def place(rows: Ints, slots: Ints, codes: Codes, words: Ints, panels: Panels) -> None:
    """Write the codes of rows into their slots of the panels."""
    for q in range(rows.shape[0]):
        panel = panels[slots[q] // COLUMNS]
        c = slots[q] % COLUMNS
        row = codes[rows[q]]
        for b in range(words.shape[1] // ROW_WORDS):
            for g in range(GROUPS):
                start = ((b * COLUMN_WORDS + g) * COLUMNS + c) * GROUP
                for t in range(GROUP):
                    code = np.int32(row[(b * ROW_WORDS + g) * GROUP + t])
                    panel[start + t] = np.uint8(code + 128)
            rest = words[rows[q], b * ROW_WORDS + GROUPS + 1]
            start = ((b * COLUMN_WORDS + GROUPS) * COLUMNS + c) * GROUP
            for t in range(GROUP):
                panel[start + t] = np.uint8((rest >> (8 * t)) & 255)


@njit(cache=True, nogil=True)
def clear(slots: Ints, panels: Panels) -> None:
    """Make slots the zero vector."""
    for slot in slots:
        panel = panels[slot // COLUMNS]
        c = slot % COLUMNS
        for g in range(panel.shape[0] // (GROUP * COLUMNS)):
            fill = np.uint8(0 if g % COLUMN_WORDS == GROUPS else 128)
            for t in range(GROUP):
                panel[(g * COLUMNS + c) * GROUP + t] = fill


@njit(cache=True, inline="always")
def limit(lowest: np.float32, row: int, rounding: Rounding, rough: int) -> np.int32:
    """Return the int8 product a pair of `row` must exceed to have a similarity above `lowest`.

    rough: whether the other side may be a rough row, 0 or 1.
    """
    error = np.float64(rounding.error[row])
    length = np.float64(rounding.length[row])
    lost = error * rounding.longest + (length + error) * rounding.most[rough] + rounding.float32
    step = np.float64(rounding.step)
    product = np.floor((np.float64(lowest) - lost) / (step * step)) - 1.0
    return np.int32(min(_FAR, max(-_FAR, product)))


@njit(cache=True, nogil=True)
def set_limits(rows: Ints, lowest: Floats, rounding: Rounding, limits: Ints) -> None:
    """Set limits 0 … len(rows) − 1 to those of rows with so low a threshold; limits (2, slots)."""
    for q in range(rows.shape[0]):
        for rough in range(2):
            limits[rough, q] = limit(lowest[q], rows[q], rounding, rough)


@njit(cache=True, inline="always")
def _offer(
    slot: int, row: int, other: int, v: np.float32, rounding: Rounding, limits: Ints,
    values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Give a heap a neighbour; a fuller heap asks for more of the next."""
    if v > values[slot, 0]:
        push(values[slot], ids[slot], v, other)
        for rough in range(2):
            limits[rough, slot] = limit(values[slot, 0], row, rounding, rough)


@njit(cache=True, nogil=True)
def meet(
    pairs: Ints, block: int, owners: Ints, means: Floats, codes: Codes, panels: Panels,
    looks: Looks, rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Fold every pair of rows of every pair of blocks into the heaps of both.

    pairs (m, 2) int32: numbers of blocks of `block` slots, no block in two pairs but with itself.
    owners: the row in every slot, −1 where there is none; codes, limits, heaps: by slot.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    padded, width = codes.shape
    blocks = width // (ROW_WORDS * GROUP)
    across = limits.shape[1] * 4
    for q in range(pairs.shape[0]):
        i0, j0 = pairs[q, 0] * block, pairs[q, 1] * block
        i1, j1 = min(i0 + block, padded), min(j0 + block, padded)
        for p in range(j0 // COLUMNS, (j1 + COLUMNS - 1) // COLUMNS):
            for r in range(i0, i1, ROWS):
                if i0 == j0 and (p + 1) * COLUMNS <= r:
                    continue  # below the diagonal
                rough = max(rounding.rough[r // COLUMNS],
                            rounding.rough[(r + ROWS - 1) // COLUMNS])  # fmt: skip
                if tile(
                    codes.ctypes.data + r * width, width,
                    panels.ctypes.data + p * panels.shape[1], blocks,
                    looks.first, looks.factors.ctypes.data,
                    limits.ctypes.data + rounding.rough[p] * across + 4 * r,
                    limits.ctypes.data + rough * across + 4 * p * COLUMNS, found.ctypes.data,
                ) > 0:  # fmt: skip
                    _offer_found(
                        r, p * COLUMNS, True, found, owners, owners, means, rounding, limits,
                        values, ids,
                    )  # fmt: skip


@njit(cache=True, nogil=True)
def look_up(
    first: int, last: int, queries: Ints, listed: Ints, owners: Ints, means: Floats, codes: Codes,
    panels: Panels, looks: Looks, rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Fold the columns of some panels into the heaps of queries first … last − 1.

    listed: the panels, int32; owners: the row in every slot of the panels, −1 where there is none;
    codes, limits: of the queries, padded to whole tiles, and so are queries with −1.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    never = np.full(COLUMNS, _NEVER, np.int32)
    width = codes.shape[1]
    blocks = width // (ROW_WORDS * GROUP)
    across = limits.shape[1] * 4
    for p in listed:
        for r in range(first, last, ROWS):
            if tile(
                codes.ctypes.data + r * width, width,
                panels.ctypes.data + p * panels.shape[1], blocks,
                looks.first, looks.factors.ctypes.data,
                limits.ctypes.data + rounding.rough[p] * across + 4 * r,
                never.ctypes.data, found.ctypes.data,
            ) > 0:  # fmt: skip
                _offer_found(
                    r, p * COLUMNS, False, found, queries, owners, means, rounding, limits,
                    values, ids,
                )  # fmt: skip


@njit(cache=True)
def _offer_found(
    row0: int, column0: int, mutual: bool, found: Found, queries: Ints, owners: Ints,
    means: Floats, rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Compute the pairs a tile has marked; offer each to its row and, if mutual, to its column."""
    for t in range(ROWS * REGISTERS):
        bits = np.int32(found[t])
        a = row0 + t // REGISTERS
        b = column0 + (t % REGISTERS) * LANES
        while bits != 0:
            if bits & 1:
                i, j = queries[a], owners[b]
                if i >= 0 and j >= 0 and i != j and (b > a or not mutual):
                    v = similarity(means, i, j)
                    _offer(a, i, j, v, rounding, limits, values, ids)
                    if mutual:
                        _offer(b, j, i, v, rounding, limits, values, ids)
            bits >>= 1
            b += 1


@njit(cache=True, nogil=True)
def probe(
    tiles: Ints, codes: Codes, panels: Panels, looks: Looks, rounding: Rounding, limits: Ints
) -> NDArray[np.int64]:
    """Return how many tiles can end after 0, 1, … blocks of dimensions, int64 (blocks + 1,).

    tiles (m, 2) int32: number of the tile's first row, and of its panel.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    width = codes.shape[1]
    blocks = width // (ROW_WORDS * GROUP)
    across = limits.shape[1] * 4
    ended = np.zeros(blocks + 1, np.int64)
    for q in range(tiles.shape[0]):
        r, p = tiles[q]
        spent = tile(
            codes.ctypes.data + r * width, width,
            panels.ctypes.data + p * panels.shape[1], blocks,
            1, looks.factors.ctypes.data,
            limits.ctypes.data + rounding.rough[p] * across + 4 * r,
            limits.ctypes.data + rounding.rough[p] * across + 4 * p * COLUMNS, found.ctypes.data,
        )  # fmt: skip
        ended[blocks if spent > 0 else -spent] += 1
    return ended
