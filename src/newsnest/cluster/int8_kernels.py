"""Compiled loops of the int8 screen: which pairs can be more similar than a threshold.

  encode      turn rows by signs and Hadamard blocks, round to int8, keep what rounding lost
  place       write codes into the columns' panels
  meet        fold two blocks of rows into the candidate lists of both sides
  look_up     fold panels of columns into the candidate lists of some rows

Shapes: n rows of d floats, coded in `width` bytes (d rounded up to whole Hadamard blocks); a panel
holds COLUMNS columns as uint8 (width / 4, COLUMNS, 4), because that is how `tile` reads them.

The screen is exact. x = s·q + r, so |⟨x, y⟩ − s²⟨q, p⟩| ≤ |r_x||y| + |s·q_x||r_y|, and a row's
limit is lowered by that much: what a tile does not mark cannot exceed the threshold, and what it
marks is computed again in float32 by `similarity`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from newsnest.cluster.int8_tile import COLUMNS, GROUP, LANES, REGISTERS, ROWS, tile
from newsnest.cluster.rac_kernels import Floats, Ints, push, similarity

Codes = NDArray[np.int8]
Panels = NDArray[np.uint8]

HADAMARD = 64
"""Dimensions that are mixed with each other."""


class Rounding(NamedTuple):
    """What rounding lost: per row the length of the rest and of the row, and the largest rest."""

    scale: np.float32
    error: Floats
    length: Floats
    most: np.float32


_NEVER = np.int32(2**31 - 1)
_ROUNDING = np.float32(3e-6)  # of the turn and of float32 sums


@njit(cache=True, nogil=True)
def turn(row: Floats, signs: Floats, out: Floats) -> None:
    """Spread the energy of a row evenly over its coordinates; dot products stay.

    Every block takes dimensions from all over the row, so that leading ones do not share a block.
    """
    width = out.shape[0]
    blocks = width // HADAMARD
    out[:] = np.float32(0.0)
    for k in range(row.shape[0]):
        out[(k % blocks) * HADAMARD + k // blocks] = row[k] * signs[k]
    for start in range(0, width, HADAMARD):
        part = out[start : start + HADAMARD]
        half = 1
        while half < HADAMARD:
            for i in range(0, HADAMARD, 2 * half):
                for j in range(i, i + half):
                    a = part[j]
                    b = part[j + half]
                    part[j] = a + b
                    part[j + half] = a - b
            half *= 2
        for j in range(HADAMARD):
            part[j] *= np.float32(0.125)


@njit(cache=True, nogil=True)
def encode(
    rows: Ints, means: Floats, signs: Floats, scale: np.float32,
    codes: Codes, offsets: Ints, error: Floats, length: Floats,
) -> None:  # fmt: skip
    """Code rows of `means`; `offsets` undoes the 128 that the columns' bytes carry."""
    turned = np.empty(codes.shape[1], np.float32)
    inverse = np.float32(1.0) / scale
    for q in range(rows.shape[0]):
        i = rows[q]
        turn(means[i], signs, turned)
        lost = np.float32(0.0)
        whole = np.float32(0.0)
        total = np.int32(0)
        for k in range(turned.shape[0]):
            rounded = np.rint(turned[k] * inverse)
            rounded = min(np.float32(127.0), max(np.float32(-127.0), rounded))
            codes[i, k] = np.int8(rounded)
            total += np.int32(rounded)
            rest = turned[k] - scale * rounded
            lost += rest * rest
            whole += turned[k] * turned[k]
        offsets[i] = np.int32(-128) * total
        error[i] = np.sqrt(lost) * np.float32(1.00001)
        length[i] = np.sqrt(whole) * np.float32(1.00001)


@njit(cache=True, nogil=True)
def place(rows: Ints, slots: Ints, codes: Codes, panels: Panels) -> None:
    """Write the codes of rows into their slots of the panels."""
    for q in range(rows.shape[0]):
        panel = panels[slots[q] // COLUMNS]
        c = slots[q] % COLUMNS
        row = codes[rows[q]]
        for g in range(row.shape[0] // GROUP):
            for t in range(GROUP):
                panel[(g * COLUMNS + c) * GROUP + t] = np.uint8(np.int32(row[GROUP * g + t]) + 128)


@njit(cache=True, nogil=True)
def clear(slots: Ints, panels: Panels) -> None:
    """Make slots the zero vector."""
    for slot in slots:
        panel = panels[slot // COLUMNS]
        c = slot % COLUMNS
        for g in range(panel.shape[0] // (GROUP * COLUMNS)):
            for t in range(GROUP):
                panel[(g * COLUMNS + c) * GROUP + t] = np.uint8(128)


@njit(cache=True, inline="always")
def limit(lowest: np.float32, row: int, rounding: Rounding) -> np.int32:
    """Return the int8 product a pair of `row` must exceed to have a similarity above `lowest`."""
    error = np.float64(rounding.error[row])
    length = np.float64(rounding.length[row])
    at_least = np.float64(lowest) - error - (length + error) * rounding.most - _ROUNDING
    step = np.float64(rounding.scale)
    return np.int32(np.floor(at_least / (step * step)) - 1.0)


@njit(cache=True, nogil=True)
def set_limits(rows: Ints, lowest: Floats, rounding: Rounding, limits: Ints) -> None:
    """Set limits 0 … len(rows) − 1 to those of rows with so low a threshold."""
    for q in range(rows.shape[0]):
        limits[q] = limit(lowest[q], rows[q], rounding)


@njit(cache=True, inline="always")
def _offer(
    heap: int, row: int, slot: int, other: int, v: np.float32, rounding: Rounding, limits: Ints,
    values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Give a heap a neighbour; a fuller heap asks for more of the next."""
    if v > values[heap, 0]:
        push(values[heap], ids[heap], v, other)
        limits[slot] = limit(values[heap, 0], row, rounding)


@njit(cache=True, nogil=True)
def meet(
    pairs: Ints, block: int, owners: Ints, means: Floats, codes: Codes, panels: Panels,
    offsets: Ints, rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Fold every pair of rows of every pair of blocks into the heaps of both.

    pairs (m, 2) int32: numbers of blocks of `block` slots, no block in two pairs but with itself.
    owners: the row in every slot, −1 where there is none; codes, offsets, limits: by slot.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    padded, width = codes.shape
    for q in range(pairs.shape[0]):
        i0, j0 = pairs[q, 0] * block, pairs[q, 1] * block
        i1, j1 = min(i0 + block, padded), min(j0 + block, padded)
        for p in range(j0 // COLUMNS, (j1 + COLUMNS - 1) // COLUMNS):
            for r in range(i0, i1, ROWS):
                if i0 == j0 and (p + 1) * COLUMNS <= r:
                    continue  # below the diagonal
                if tile(
                    codes.ctypes.data + r * width, width,
                    panels.ctypes.data + p * panels.shape[1], width // GROUP,
                    offsets.ctypes.data + 4 * r, limits.ctypes.data + 4 * r,
                    limits.ctypes.data + 4 * p * COLUMNS, found.ctypes.data,
                ):  # fmt: skip
                    _meet_found(r, p * COLUMNS, found, owners, means, rounding, limits, values, ids)


@njit(cache=True)
def _meet_found(
    row0: int, column0: int, found: NDArray[np.uint16], owners: Ints, means: Floats,
    rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Compute the pairs a tile has marked, and offer each to both rows."""
    for t in range(ROWS * REGISTERS):
        bits = np.int32(found[t])
        a = row0 + t // REGISTERS
        b = column0 + (t % REGISTERS) * LANES
        while bits != 0:
            if bits & 1 and b > a and owners[b] >= 0:
                i, j = owners[a], owners[b]
                v = similarity(means, i, j)
                _offer(i, i, a, j, v, rounding, limits, values, ids)
                _offer(j, j, b, i, v, rounding, limits, values, ids)
            bits >>= 1
            b += 1


@njit(cache=True, nogil=True)
def look_up(
    first: int, last: int, queries: Ints, listed: Ints, owners: Ints, means: Floats, codes: Codes,
    panels: Panels, offsets: Ints, rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Fold the columns of some panels into the heaps of queries first … last − 1.

    listed: the panels, int32; owners: the row in every slot of the panels, −1 where there is none;
    codes, offsets, limits: of the queries, padded to whole tiles.
    """
    found = np.zeros(ROWS * REGISTERS, np.uint16)
    never = np.full(COLUMNS, _NEVER, np.int32)
    width = codes.shape[1]
    for p in listed:
        for r in range(first, last, ROWS):
            if tile(
                codes.ctypes.data + r * width, width,
                panels.ctypes.data + p * panels.shape[1], width // GROUP,
                offsets.ctypes.data + 4 * r, limits.ctypes.data + 4 * r,
                never.ctypes.data, found.ctypes.data,
            ):  # fmt: skip
                _offer_found(
                    r, p * COLUMNS, found, queries, owners, means, rounding, limits, values, ids
                )


@njit(cache=True)
def _offer_found(
    row0: int, column0: int, found: NDArray[np.uint16], queries: Ints, owners: Ints, means: Floats,
    rounding: Rounding, limits: Ints, values: Floats, ids: Ints,
) -> None:  # fmt: skip
    """Compute the pairs a tile has marked, and offer each to its query."""
    for t in range(ROWS * REGISTERS):
        bits = np.int32(found[t])
        q = row0 + t // REGISTERS
        slot = column0 + (t % REGISTERS) * LANES
        while bits != 0:
            if bits & 1 and q < queries.shape[0]:
                i, j = queries[q], owners[slot]
                if j >= 0 and j != i:
                    v = similarity(means, i, j)
                    _offer(q, i, q, j, v, rounding, limits, values, ids)
            bits >>= 1
            slot += 1
