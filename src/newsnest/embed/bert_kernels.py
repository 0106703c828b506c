"""Compiled loops between the matrix products of a BERT in int8, and around attention in bfloat16.

A row of activations x is kept as bytes q, a step and a low: x ≈ step · q + low, with q in 0 … 255.
A product with weights w of one output, kept as bytes too, is then

    x · w  ≈  step · product + low · weight_sum

where `product` is what the matrix library gives (times the weights' own step) and `weight_sum` the
sum of the weights. Every kernel works row by row, so the bits of a row depend on that row alone,
and releases the interpreter lock.

NumPy has no bfloat16: its bits are kept as int16, the upper half of a float32.

Shapes: t rows (tokens), d wide (k wide for the inner layer); in attention b texts of l tokens,
t = b · l, with h heads of w dimensions, d = h · w.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Halves = NDArray[np.int16]

# Sums may be taken in any order, which is what lets the compiler use vectors; the order it chooses
# is fixed when it compiles, so equal input still gives equal bits on one kind of processor. NaN
# cannot come in: weights are checked when they are loaded. error_model: a division that may raise
# keeps a loop from being vectorised.
_FAST = {"reassoc", "contract", "nsz", "nnan", "ninf", "arcp"}
_OPTIONS = {"cache": True, "nogil": True, "fastmath": _FAST, "error_model": "numpy"}
# A plain literal is float64 to numba, and would make the loop around it so: hence _F everywhere.
_F = np.float32
_STEPS = np.float32(255.0)
_MIN_STEP = np.float32(1e-30)  # of a row of equal values: no division by 0

LOWEST, HIGHEST = np.int32(-(2**31)), np.int32(2**31 - 1)
_SIGNLESS = np.int32(2**31 - 1)
_SIGN_BIT = np.int32(31)
_LOG2_E = np.float32(1.4426950408889634)
_FAR = np.float32(-80.0)  # e to this is negligible beside the largest term, 1, and still normal


@intrinsic
def float_of(typing: Any, bits: Any) -> Any:
    """Read an int32 as a float32."""
    return types.float32(
        types.int32
    ), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], ir.FloatType())


@intrinsic
def bits_of(typing: Any, number: Any) -> Any:
    """Read a float32 as an int32."""
    return types.int32(
        types.float32
    ), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], ir.IntType(32))


@njit(inline="always")
def ordered(bits: np.int32) -> np.int32:
    """Return whole numbers in the order of the floats whose bits are given; its own inverse.

    The largest of many floats is found several times as fast by way of whole numbers, for which
    the compiler uses vectors.
    """
    return np.int32(bits ^ np.int32(np.int32(bits >> _SIGN_BIT) & _SIGNLESS))


@njit(inline="always")
def _gelu(x: np.float32) -> np.float32:
    """Return x · Φ(x), the error function by a rational approximation good to 1e-6."""
    z = x * _F(0.70710678)  # x / √2; beyond ±4 the error function is ±1 in float32
    z = z if z < _F(4.0) else _F(4.0)
    z = z if z > _F(-4.0) else _F(-4.0)
    s = z * z
    # An odd polynomial over an even one, with the coefficients of Eigen's erf for float32.
    p = _F(-2.72614225801306e-10)
    p = p * s + _F(2.77068142495902e-08)
    p = p * s + _F(-2.10102402082508e-06)
    p = p * s + _F(-5.69250639462346e-05)
    p = p * s + _F(-7.34990630326855e-04)
    p = p * s + _F(-2.95459980854025e-03)
    p = p * s + _F(-1.60960333262415e-02)
    q = _F(-1.45660718464996e-05)
    q = q * s + _F(-2.13374055278905e-04)
    q = q * s + _F(-1.68282697438203e-03)
    q = q * s + _F(-7.37332916720468e-03)
    q = q * s + _F(-1.42647390514189e-02)
    return _F(0.5) * x * (_F(1.0) + z * p / q)


@njit(**_OPTIONS)
def _to_bytes(row: Floats, out: Bytes) -> tuple[np.float32, np.float32]:
    """Write a row as bytes; return its step and its low."""
    smallest, largest = HIGHEST, LOWEST
    for i in range(row.shape[0]):
        number = ordered(bits_of(row[i]))
        smallest, largest = min(smallest, number), max(largest, number)
    low, high = float_of(ordered(smallest)), float_of(ordered(largest))
    step = max((high - low) / _STEPS, _MIN_STEP)
    per_step = _F(1.0) / step
    for i in range(row.shape[0]):
        # Cutting off after adding a half rounds: the number is never below 0.
        out[i] = np.uint8(np.int32((row[i] - low) * per_step + _F(0.5)))
    return step, low


@njit(**_OPTIONS)
def to_bytes(rows: Floats, out: Bytes, steps: Floats, lows: Floats) -> None:
    """Write rows (t, d) as bytes, with a step and a low each."""
    for r in range(rows.shape[0]):
        steps[r], lows[r] = _to_bytes(rows[r], out[r])


@njit(**_OPTIONS)
def restore(
    products: Floats, steps: Floats, lows: Floats, weight_sums: Floats, bias: Floats
) -> None:
    """Turn products (t, d) into the layer's output, in place."""
    for r in range(products.shape[0]):
        row, step, low = products[r], steps[r], lows[r]
        for i in range(row.shape[0]):
            row[i] = row[i] * step + (low * weight_sums[i] + bias[i])


@njit(**_OPTIONS)
def gelu_to_bytes(
    products: Floats, steps: Floats, lows: Floats, weight_sums: Floats, bias: Floats, out: Bytes
) -> None:
    """Turn products (t, k) of the inner layer into bytes (t, k) after GELU; steps, lows anew."""
    for r in range(products.shape[0]):
        row, step, low = products[r], steps[r], lows[r]
        for i in range(row.shape[0]):
            row[i] = _gelu(row[i] * step + (low * weight_sums[i] + bias[i]))
        steps[r], lows[r] = _to_bytes(row, out[r])


@njit(**_OPTIONS)
def _normalise(row: Floats, gain: Floats, shift: Floats, epsilon: np.float32) -> None:
    d = row.shape[0]
    total = _F(0.0)
    for i in range(d):
        total += row[i]
    mean = total / _F(d)
    # A second pass: mean of squares less square of mean would lose digits where the mean is large.
    variance = _F(0.0)
    for i in range(d):
        variance += (row[i] - mean) * (row[i] - mean)
    scale = _F(1.0) / np.sqrt(variance / _F(d) + epsilon)
    for i in range(d):
        row[i] = (row[i] - mean) * scale * gain[i] + shift[i]


@njit(**_OPTIONS)
def add_norm_to_bytes(
    products: Floats,
    steps: Floats,
    lows: Floats,
    weight_sums: Floats,
    bias: Floats,
    stream: Floats,
    gain: Floats,
    shift: Floats,
    epsilon: np.float32,
    out: Bytes,
) -> None:
    """Add the layer's output to `stream` (t, d), normalise it there, and write it as bytes."""
    for r in range(products.shape[0]):
        row, kept, step, low = products[r], stream[r], steps[r], lows[r]
        for i in range(row.shape[0]):
            kept[i] += row[i] * step + (low * weight_sums[i] + bias[i])
        _normalise(kept, gain, shift, epsilon)
        steps[r], lows[r] = _to_bytes(kept, out[r])


@njit(**_OPTIONS)
def embed(
    ids: NDArray[np.int64],
    words: Floats,
    places: Floats,
    gain: Floats,
    shift: Floats,
    epsilon: np.float32,
    out: Floats,
) -> None:
    """Write the normalised sum of word and place vectors of ids (b, l) to `out` (b · l, d)."""
    length = ids.shape[1]
    for b in range(ids.shape[0]):
        for place in range(length):
            row = out[b * length + place]
            word = words[ids[b, place]]
            for i in range(row.shape[0]):
                row[i] = word[i] + places[place, i]
            _normalise(row, gain, shift, epsilon)


@njit(**_OPTIONS)
def mean_rows(stream: Floats, length: int, out: Floats) -> None:
    """Write the mean of every `length` rows of `stream` (b · l, d) to a row of `out` (b, d)."""
    share = _F(1.0) / _F(length)
    for b in range(out.shape[0]):
        row = out[b]
        row[:] = _F(0.0)
        for r in range(b * length, (b + 1) * length):
            for i in range(row.shape[0]):
                row[i] += stream[r, i]
        for i in range(row.shape[0]):
            row[i] *= share


@njit(inline="always")
def _bits(half: np.int16) -> np.int32:
    # Numba widens whole numbers to 64 bits: brought back to 32, twice as many fit a vector.
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
    # Taylor's coefficients of 2ᶠ, (ln 2)ⁿ / n!: for |f| ≤ ½ the next term is below 2e-7.
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
            # Divided after the product, w numbers a token; before it they would be l.
            share = _F(1.0) / sums[text, head, place]
            one = seen[text, head, place]
            for i in range(width):
                row[head * width + i] = _widen(one[i]) * share
        steps[r], lows[r] = _to_bytes(row, out[r])
