"""Attention between the products of `int8_bert`, in float32 or in bfloat16.

In bfloat16 the two matrix products are those of torch, and the loops between them our own: on long
texts in half the time of torch's own attention. Where a processor has no products in bfloat16,
float32 is faster.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]
"""Texts b, tokens of each l, heads h."""


class State(Protocol):
    """The activations of a pass as bytes (t, d), with a step and a low for each token."""

    bytes: Any
    steps: Floats
    lows: Floats


class Layer(Protocol):
    """What turns products into a layer's output."""

    sums: Floats
    bias: Floats


def attend_float32(products: Any, layer: Layer, state: State, shape: Shape) -> None:
    """Attend in float32: from products (t, 3 · d) to what is seen, written into the state."""
    from torch.nn.functional import scaled_dot_product_attention

    from newsnest.embed import int8_kernels as kernels

    kernels.restore(products.numpy(), state.steps, state.lows, layer.sums, layer.bias)
    # (b, l, 3, h, w) → three of (b, h, l, w)
    texts, length, heads = shape
    query, key, value = products.view(texts, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    seen = scaled_dot_product_attention(query, key, value)
    seen = seen.transpose(1, 2).reshape(len(products), -1)
    kernels.to_bytes(seen.numpy(), state.bytes.numpy(), state.steps, state.lows)


def attend_bfloat16(products: Any, layer: Layer, state: State, shape: Shape) -> None:
    """Attend in bfloat16: from products (t, 3 · d) to what is seen, written into the state."""
    import torch

    from newsnest.embed import bfloat16_kernels as kernels

    texts, length, heads = shape
    width = products.shape[1] // (3 * heads)
    mixed = torch.empty((3, texts, heads, length, width), dtype=torch.bfloat16)
    kernels.restore_heads(
        products.numpy(), state.steps, state.lows, layer.sums, layer.bias, _bits(mixed)
    )
    query, key, value = mixed.view(3, texts * heads, length, width)
    scores = torch.bmm(query, key.transpose(1, 2))  # (b · h, l, l)
    sums = np.empty((texts, heads, length), dtype=np.float32)
    kernels.exponentials(_bits(scores.view(-1, length)), np.float32(width**-0.5), sums.reshape(-1))
    seen = torch.bmm(scores, value).view(texts, heads, length, width)
    row = np.empty(heads * width, dtype=np.float32)
    kernels.heads_to_bytes(_bits(seen), sums, row, state.bytes.numpy(), state.steps, state.lows)


def _bits(tensor: Any) -> NDArray[np.int16]:
    """Return the bits of a bfloat16 tensor, of the same shape and memory."""
    import torch

    bits: NDArray[np.int16] = tensor.view(torch.int16).numpy()
    return bits
