"""A BERT computed in bytes: four times the products a second of float32, near its vectors.

Each weight matrix is kept as bytes with a step for every output, made when the model is loaded;
activations become bytes with a step for every token, as they come. Nothing is calibrated on data.
Products are sums of whole numbers, exact in any order. Between them, small compiled loops of our
own (`bert_kernels`) work in float32; so do normalisation and the residual stream.

A pass runs in one thread, and as many passes at a time as torch may use threads. Importing this
module loads torch and numba.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.embed import bert_kernels as kernels
from newsnest.embed.card import Card, mean_pooled_bert, transformer_folder
from newsnest.embed.loading import patient_threads
from newsnest.embed.pieces import plain_tokenizer
from newsnest.errors import EncoderError

with patient_threads():
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]
"""Texts b, tokens of each l, heads h."""

_HIGHEST = 127.0
_NAMES = ("query", "key", "value")


class Int8Bert:
    """The forward pass of a BERT with mean pooling, in int8; attention in bfloat16 or float32.

    The folder is one that sentence-transformers could load too; `room` is how many tokens of a text
    are read. EncoderError where the model is of another kind, its weights are not whole or not
    finite, or this torch has no int8 products.

    Weights w (outputs × inputs) become round(w / step) with step = max |w| / 127 per output;
    activations round((x − min) / step) in 0 … 255 with step = (max − min) / 255 per token.
    """

    on_cpu = True

    def __init__(self, folder: Path, room: int | None, *, prefix: str = "", bfloat16: bool) -> None:
        if not hasattr(torch.ops.onednn, "qlinear_pointwise"):
            raise EncoderError(
                f"prepare: backend int8 must have a torch with oneDNN, got {torch.__version__}. "
                "Choose backend auto."
            )
        if not mean_pooled_bert(folder):
            raise EncoderError(
                f"prepare: backend int8 must be given a BERT with mean pooling, got {folder}. "
                "Choose backend auto."
            )
        inner = transformer_folder(folder)
        config = json.loads((inner / "config.json").read_text(encoding="utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._bfloat16 = bfloat16
        self._epsilon = np.float32(config["layer_norm_eps"])
        self._tokenizer = plain_tokenizer(inner)
        self._take(_Weights(inner / "model.safetensors"), int(config["num_hidden_layers"]))
        if room is None or room > len(self._places):
            raise EncoderError(
                f"prepare: backend int8 must read at most {len(self._places)} tokens, "
                f"got {room or 'no limit'}. Correct max_seq_length in {inner}."
            )
        self._tokenizer.enable_truncation(max_length=room)
        self.card = Card(room, prefix, int(self._words.shape[1]))

    def rows(self, batches: Sequence[list[str]], lengths: Sequence[int]) -> Iterator[Floats]:
        """Yield the vectors of each batch, (b, d), in order; texts of a batch are equally long."""
        workers = min(torch.get_num_threads(), len(batches))
        if workers <= 1:
            yield from map(self._pass, batches)
            return
        # One thread a pass, passes beside each other: kernels and products then never split a sum,
        # so bits do not depend on the number of cores, and no core waits for another.
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        before = torch.get_num_threads()
        try:
            yield from pool.map(self._pass, batches)
        finally:
            pool.shutdown(cancel_futures=True)
            # Within torch some of what the workers set counts for all threads.
            torch.set_num_threads(before)

    def _take(self, weights: _Weights, layers: int) -> None:
        kinds = weights["embeddings.token_type_embeddings.weight"]
        self._words = weights.floats("embeddings.word_embeddings.weight")
        # A text is one segment, so that all tokens are of kind 0.
        self._places = (weights["embeddings.position_embeddings.weight"] + kinds[0]).numpy()
        self._norm = weights.norm("embeddings.LayerNorm")
        self._layers = [_Layer(weights, f"encoder.layer.{i}.") for i in range(layers)]

    def _pass(self, texts: list[str]) -> Floats:
        prefix = self.card.prompt
        encodings = self._tokenizer.encode_batch_fast([prefix + text for text in texts])
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        tokens, d = ids.size, self.card.dimensions
        stream = np.empty((tokens, d), dtype=np.float32)
        kernels.embed(ids, self._words, self._places, *self._norm, self._epsilon, stream)
        state = _State(tokens, d)
        kernels.to_bytes(stream, state.bytes.numpy(), state.steps, state.lows)
        with torch.inference_mode():
            for layer in self._layers:
                self._attend(layer, stream, state, (len(texts), ids.shape[1]))
                self._think(layer, stream, state)
        out = np.empty((len(texts), d), dtype=np.float32)
        kernels.mean_rows(stream, ids.shape[1], out)
        return out

    def _attend(self, layer: _Layer, stream: Any, state: _State, shape: tuple[int, int]) -> None:
        products = layer.mixed(state.bytes)
        attend = _attend_bfloat16 if self._bfloat16 else _attend_float32
        attend(products, layer.mixed, state, (*shape, self._heads))
        state.add(layer.attended, state.bytes, layer.attended_norm, stream, self._epsilon)

    def _think(self, layer: _Layer, stream: Any, state: _State) -> None:
        inner = layer.inner
        products = inner(state.bytes)
        wide = torch.empty(products.shape, dtype=torch.uint8)
        kernels.gelu_to_bytes(
            products.numpy(), state.steps, state.lows, inner.sums, inner.bias, wide.numpy()
        )
        state.add(layer.outer, wide, layer.outer_norm, stream, self._epsilon)


def _attend_float32(products: Any, layer: _Linear, state: _State, shape: Shape) -> None:
    """Attend in float32: products (t, 3 · d) become attended values, written into the state."""
    kernels.restore(products.numpy(), state.steps, state.lows, layer.sums, layer.bias)
    # (b, l, 3, h, w) → three of (b, h, l, w)
    texts, length, heads = shape
    query, key, value = products.view(texts, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    seen = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    seen = seen.transpose(1, 2).reshape(len(products), -1)
    kernels.to_bytes(seen.numpy(), state.bytes.numpy(), state.steps, state.lows)


def _attend_bfloat16(products: Any, layer: _Linear, state: _State, shape: Shape) -> None:
    """Attend in bfloat16: products (t, 3 · d) become attended values, written into the state.

    The two matrix products are those of torch, the loops between them our own: on long texts this
    takes half the time of torch's own attention. Where a processor has no products in bfloat16,
    float32 is faster.
    """
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
    bits: NDArray[np.int16] = tensor.view(torch.int16).numpy()
    return bits


class _State:
    """The activations of a pass as bytes, and what they stand for."""

    def __init__(self, tokens: int, width: int) -> None:
        self.bytes = torch.empty((tokens, width), dtype=torch.uint8)
        self.steps = np.empty(tokens, dtype=np.float32)
        self.lows = np.empty(tokens, dtype=np.float32)

    def add(
        self, linear: _Linear, rows: Any, norm: tuple[Any, Any], stream: Any, epsilon: np.float32
    ) -> None:
        """Add a layer's output to the stream and normalise it there."""
        kernels.add_norm_to_bytes(
            linear(rows).numpy(), self.steps, self.lows, linear.sums, linear.bias,
            stream, *norm, epsilon, self.bytes.numpy(),
        )  # fmt: skip


class _Layer:
    def __init__(self, weights: _Weights, at: str) -> None:
        self.mixed = _Linear(weights, [f"{at}attention.self.{name}" for name in _NAMES])
        self.attended = _Linear(weights, [f"{at}attention.output.dense"])
        self.attended_norm = weights.norm(f"{at}attention.output.LayerNorm")
        self.inner = _Linear(weights, [f"{at}intermediate.dense"])
        self.outer = _Linear(weights, [f"{at}output.dense"])
        self.outer_norm = weights.norm(f"{at}output.LayerNorm")


class _Linear:
    """One or more linear layers of the same input, side by side, in bytes."""

    def __init__(self, weights: _Weights, names: Sequence[str]) -> None:
        matrix = torch.cat([weights[f"{name}.weight"] for name in names])  # (outputs, inputs)
        # Not below 1e-30: an output whose weights are all 0 must not divide by 0.
        self._steps = (matrix.abs().amax(dim=1) / _HIGHEST).clamp_min(1e-30)
        rounded = torch.round(matrix / self._steps[:, None]).to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._zeros = torch.zeros(len(matrix), dtype=torch.int64)
        self._product: Callable[..., Any] = torch.ops.onednn.qlinear_pointwise
        self._out = torch.float32
        # The sum of what the weights became: that of the weights would not match the products.
        self.sums = (self._steps * rounded.sum(dim=1)).numpy()
        self.bias = torch.cat([weights[f"{name}.bias"] for name in names]).numpy()

    def __call__(self, rows: Any) -> Any:
        """Return products (t, outputs) in float32 of bytes (t, inputs)."""
        # Scale 1 and zero 0: oneDNN takes one pair a tensor, and here each token has its own,
        # which the kernels put in afterwards.
        return self._product(
            rows, 1.0, 0, self._packed, self._steps, self._zeros, None, 1.0, 0, self._out,
            "none", [], "",
        )  # fmt: skip


class _Weights:
    """Tensors of a file by name, in float32."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._kept = {_plain(name): tensor for name, tensor in load_file(path).items()}
        except (OSError, SafetensorError) as error:
            raise EncoderError(
                f"prepare: {path} must be whole, got: {error}. Save or download the model again."
            ) from error

    def __getitem__(self, name: str) -> Any:
        tensor = self._kept.get(name)
        if tensor is None or not tensor.isfinite().all():
            raise EncoderError(
                f"prepare: {self._path} must hold {name}, all finite, "
                f"got {'none' if tensor is None else 'NaN or infinity'}. "
                "Save or download the model again."
            )
        return tensor.float()

    def floats(self, name: str) -> Floats:
        array: Floats = self[name].numpy()
        return array

    def norm(self, name: str) -> tuple[Floats, Floats]:
        return self.floats(f"{name}.weight"), self.floats(f"{name}.bias")


def _plain(name: str) -> str:
    """Return a tensor's name as in BERT's own modules; files use older names too."""
    return name.removeprefix("bert.").replace(".gamma", ".weight").replace(".beta", ".bias")
