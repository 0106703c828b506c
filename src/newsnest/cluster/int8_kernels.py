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

The columns' bytes are unsigned, for so the instruction wants them: a code c is stored as c + 128.
That adds 128 · Σ q to every product of a row, which its offset takes away again.
"""

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

    Panels are rough that hold a row which rounding hurt far more than most. They are kept apart, or
    the limits of all tiles would have to allow for them.
    """

    step: np.float32  # what a unit of the last block's codes is worth
    error: Floats  # of each row: the length of what rounding left out
    length: Floats  # of each row
    max_error: Floats  # the largest error in ordinary panels, and in rough ones
    rough: NDArray[np.uint8]  # which panels are rough
    longest: np.float32  # the length of the longest row
    float32: np.float32  # what float32 may add


class Looks(NamedTuple):
    """When tiles look whether they can end, and what that takes; see `tile`."""

    first: int
    factors: Ints


class Search(NamedTuple):
    """Queries, padded to whole tiles, against columns, and the lists that they fill."""

    means: Floats  # (n, d): of all rows
    queries: Ints  # the row of each query, −1 where there is none
    owners: Ints  # the row of each slot of the panels, −1 where there is none
    codes: Codes  # by query
    panels: Panels
    looks: Looks
    rounding: Rounding  # of the columns
    limits: Ints  # (2, queries): against ordinary panels and rough ones
    values: Floats  # by query: heaps
    ids: Ints


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
                code = np.int32(rounded)  # |code| ≤ 127: a block's squares fit into int32
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
            # Rounded up, for it bounds what the blocks after this one can add.
            words[i, b * ROW_WORDS + GROUPS + 1] = np.int32(np.ceil(np.sqrt(left) + 1e-6))
            left = (left + squares[b]) / factors[0, b - 1]  # of the last block for b = 0: unused
        # A little more, for the float32 sums of up to thousands of squares.
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
            # The low byte first: the tile reads it back as an int32.
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
            # A code of 0 is stored as 128; what is left after a block is a length, stored as it is.
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
    other = rounding.max_error[rough]
    lost = error * rounding.longest + (length + error) * other + rounding.float32
    step = np.float64(rounding.step)
    # One less than the floor, so that rounding in this line cannot lift it.
    product = np.floor((np.float64(lowest) - lost) / (step * step)) - 1.0
    return np.int32(min(_FAR, max(-_FAR, product)))


@njit(cache=True, nogil=True)
def set_limits(rows: Ints, lowest: Floats, rounding: Rounding, limits: Ints) -> None:
    """Set limits 0 … len(rows) − 1 to those of rows with so low a threshold; limits (2, slots)."""
    for q in range(rows.shape[0]):
        for rough in range(2):
            limits[rough, q] = limit(lowest[q], rows[q], rounding, rough)


@njit(cache=True, inline="always")
def _offer(slot: int, row: int, other: int, v: np.float32, s: Search) -> None:
    """Give a heap a neighbour; a fuller heap asks for more of the next."""
    if v > s.values[slot, 0]:
        push(s.values[slot], s.ids[slot], v, other)
        for rough in range(2):
            s.limits[rough, slot] = limit(s.values[slot, 0], row, s.rounding, rough)


@njit(cache=True, inline="always")
def _multiply(r: int, p: int, column_limits: int, found: Found, s: Search) -> int:
    """Multiply the tile of queries r … r + ROWS − 1 and panel p; see `tile`."""
    width = s.codes.shape[1]
    across = s.limits.shape[1] * 4  # bytes from the limits of ordinary panels to those of rough
    marked: int = tile(
        s.codes.ctypes.data + r * width, width,
        s.panels.ctypes.data + p * s.panels.shape[1], width // (ROW_WORDS * GROUP),
        s.looks.first, s.looks.factors.ctypes.data,
        s.limits.ctypes.data + s.rounding.rough[p] * across + 4 * r,
        column_limits, found.ctypes.data,
    )  # fmt: skip
    return marked


@njit(cache=True, nogil=True)
def meet(pairs: Ints, block: int, s: Search) -> None:
    """Fold every pair of rows of every pair of blocks into the heaps of both.

    pairs (m, 2) int32: numbers of blocks of `block` slots, no block in two pairs but with itself.
    Queries are the slots themselves.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    padded = s.codes.shape[0]
    for q in range(pairs.shape[0]):
        i0, j0 = pairs[q, 0] * block, pairs[q, 1] * block
        i1, j1 = min(i0 + block, padded), min(j0 + block, padded)
        for p in range(j0 // COLUMNS, (j1 + COLUMNS - 1) // COLUMNS):
            for r in range(i0, i1, ROWS):
                if i0 == j0 and (p + 1) * COLUMNS <= r:
                    continue  # below the diagonal
                # A tile's rows may lie in two panels; the columns' limits allow for the rougher.
                rough = max(s.rounding.rough[r // COLUMNS],
                            s.rounding.rough[(r + ROWS - 1) // COLUMNS])  # fmt: skip
                of_columns = (rough * s.limits.shape[1] + p * COLUMNS) * 4
                if _multiply(r, p, s.limits.ctypes.data + of_columns, found, s) > 0:
                    _offer_found(r, p * COLUMNS, True, found, s)


@njit(cache=True, nogil=True)
def look_up(first: int, last: int, listed: Ints, s: Search) -> None:
    """Fold the columns of some panels, int32, into the heaps of queries first … last − 1."""
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    never = np.full(COLUMNS, _NEVER, np.int32)  # columns ask for nothing here
    for p in listed:
        for r in range(first, last, ROWS):
            if _multiply(r, p, never.ctypes.data, found, s) > 0:
                _offer_found(r, p * COLUMNS, False, found, s)


@njit(cache=True)
def _offer_found(row0: int, column0: int, mutual: bool, found: Found, s: Search) -> None:
    """Compute the pairs a tile has marked; offer each to its row and, if mutual, to its column."""
    for t in range(ROWS * REGISTERS):
        bits = np.int32(found[t])
        a = row0 + t // REGISTERS
        b = column0 + (t % REGISTERS) * LANES
        while bits != 0:
            if bits & 1:
                i, j = s.queries[a], s.owners[b]
                if i >= 0 and j >= 0 and i != j and (b > a or not mutual):
                    v = similarity(s.means, i, j)
                    _offer(a, i, j, v, s)
                    if mutual:
                        _offer(b, j, i, v, s)
            bits >>= 1
            b += 1


@njit(cache=True, nogil=True)
def probe(tiles: Ints, s: Search) -> NDArray[np.int64]:
    """Return how many tiles can end after 0, 1, … blocks of dimensions, int64 (blocks + 1,).

    tiles (m, 2) int32: number of the tile's first row, and of its panel. s.looks.first must be 1.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    blocks = s.codes.shape[1] // (ROW_WORDS * GROUP)
    ended = np.zeros(blocks + 1, np.int64)
    for q in range(tiles.shape[0]):
        r, p = tiles[q]
        of_columns = (s.rounding.rough[p] * s.limits.shape[1] + p * COLUMNS) * 4
        spent = _multiply(r, p, s.limits.ctypes.data + of_columns, found, s)
        ended[blocks if spent > 0 else -spent] += 1
    return ended
