"""The bits of floats, for compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LOWEST, HIGHEST = np.int32(-(2**31)), np.int32(2**31 - 1)
_SIGNLESS = np.int32(2**31 - 1)
_SIGN_BIT = np.int32(31)


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
