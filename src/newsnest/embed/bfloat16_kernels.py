"""Compiled loops around attention in bfloat16, whose products the matrix library makes.

NumPy has no bfloat16: its bits are kept as int16, the upper half of a float32.
Every kernel works row by row and releases the interpreter lock.

Shapes: b texts of l tokens, t = b · l, h heads of w dimensions, d = h · w.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from newsnest.embed.int8_kernels import (
    _OPTIONS,
    LOWEST,
    Bytes,
    Floats,
    _to_bytes,
    bits_of,
    float_of,
    ordered,
)

Halves = NDArray[np.int16]

_F = np.float32
_LOG2_E = np.float32(1.4426950408889634)
_FAR = np.float32(
    -80.0
)  # e to this is negligible against the largest term, 1, and still a normal float


@njit(inline="always")
def _bits(half: np.int16) -> np.int32:
    return np.int32(np.int32(half) << np.int32(16))


@njit(inline="always")
def _widen(half: np.int16) -> np.float32:
    return np.float32(float_of(_bits(half)))


@njit(inline="always")
def _halve(number: np.float32) -> np.int16:
    """Round to the nearest bfloat16."""
    # Half of the last place that is kept is added before the lower 16 bits are cut off; a carry
    # into the exponent is right as it is.
    return np.int16((bits_of(number) + np.int32(0x8000)) >> np.int32(16))


@njit(inline="always")
def _exp(x: np.float32) -> np.float32:
    """Return e to a number from −80 to 0, to 2e-7 of itself: 2ⁿ · 2ᶠ with f in [−½, ½]."""
    y = x * _LOG2_E
    whole = np.int32(y - _F(0.5))  # to zero, so to the nearest for numbers below 0
    f = y - _F(whole)
    p = _F(1.5403530e-4)
    p = p * f + _F(1.3333558e-3)
    p = p * f + _F(9.6181291e-3)
    p = p * f + _F(5.5504109e-2)
    p = p * f + _F(2.4022651e-1)
    p = p * f + _F(6.9314718e-1)
    p = p * f + _F(1.0)
    # 2ⁿ is made from its bits: n + 127 in the exponent's place, bit 23.
    return _F(p * float_of(np.int32((whole + np.int32(127)) << np.int32(23))))


@njit(**_OPTIONS)
def restore_heads(
    products: Floats,
    steps: Floats,
    lows: Floats,
    weight_sums: Floats,
    bias: Floats,
    out: Halves,
) -> None:
    """Write products (t, 3 · d) as queries, keys and values: `out` is (3, b, h, l, w)."""
    heads, length, width = out.shape[2:]
    for r in range(products.shape[0]):
        row, step, low = products[r], steps[r], lows[r]
        text, place = r // length, r % length
        for part in range(3):
            for head in range(heads):
                to = out[part, text, head, place]
                start = (part * heads + head) * width
                for i in range(width):
                    s = start + i
                    to[i] = _halve(row[s] * step + (low * weight_sums[s] + bias[s]))


@njit(**_OPTIONS)
def exponentials(scores: Halves, scale: np.float32, sums: Floats) -> None:
    """Replace rows of scores s (n, l) by e^(scale · (s − max s)), and write their sums (n)."""
    for r in range(scores.shape[0]):
        row = scores[r]
        largest = LOWEST
        for i in range(row.shape[0]):
            largest = max(largest, ordered(_bits(row[i])))
        # Less the maximum, so that no exponential overflows and the largest is 1.
        highest = float_of(ordered(largest))
        total = _F(0.0)
        for i in range(row.shape[0]):
            value = _exp(max((_widen(row[i]) - highest) * scale, _FAR))
            # The sum in float32, before the term is rounded: rounding errors do not add up in it.
            total += value
            row[i] = _halve(value)
        sums[r] = total


@njit(**_OPTIONS)
def heads_to_bytes(
    seen: Halves, sums: Floats, row: Floats, out: Bytes, steps: Floats, lows: Floats
) -> None:
    """Divide `seen` (b, h, l, w) by `sums` (b, h, l), and write tokens (t, d) as bytes.

    `row` (d,) is room to work in.
    """
    heads, length, width = seen.shape[1:]
    for r in range(out.shape[0]):
        text, place = r // length, r % length
        for head in range(heads):
            share = _F(1.0) / sums[text, head, place]
            one = seen[text, head, place]
            for i in range(width):
                row[head * width + i] = _widen(one[i]) * share
        steps[r], lows[r] = _to_bytes(row, out[r])
