"""Reconstruction: restore the words of a text from its vector alone, with any encoder."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from newsnest.errors import ParameterError

_HEAD = 64  # dimensions of an attention head


class ReconstructionDecoder(nn.Module):
    """Predict each token of a text from the vector of the text and the tokens before.

    One decoder for every encoder. Those of transformers exist for a few architectures alone, and
    one without cross-attention learns nothing about the vector while its loss looks normal. Here
    the vector is added at the input and in every layer, so that its gradient cannot be cut off;
    `check_reconstruction` makes sure.

    Parameters
    ----------
    dimensions
        Width d of the vectors.
    vocabulary
        Ids of the tokens of the texts: predictions are among these alone.
    embeddings
        The encoder's token embeddings, float (v, e): read and predicted with, and trained, as the
        encoder's own weights are; None makes a table of its own of width d.
    layers
        Transformer layers, each with causal self-attention.
    dropout
        In training.

    Raises
    ------
    ParameterError
        If the vocabulary is empty.

    Notes
    -----
    Cross-attention over a single vector gives every position the same linear map of it, whatever
    is asked for: softmax over one key is 1. So that linear map is what stands here. Vectors are
    read at unit length, times √d.

    Source: TSDAE (arXiv 2104.06979). Differs from the source in a small decoder that starts anew,
    tied to the encoder in the token embeddings alone, in place of a second, tied copy of the
    encoder, and in predicting among the tokens of the corpus instead of all.
    """

    def __init__(
        self,
        dimensions: int,
        vocabulary: Sequence[int],
        *,
        embeddings: nn.Parameter | None = None,
        layers: int = 1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if not len(vocabulary):
            raise ParameterError(
                "ReconstructionDecoder: vocabulary must not be empty, got no token. "
                "Give texts that the tokenizer knows."
            )
        ids = torch.tensor(sorted(set(vocabulary)))
        width = dimensions if embeddings is None else embeddings.shape[1]
        self.width = width
        self.tied = embeddings is not None
        # In a list: the encoder owns it, and saves and moves it.
        self._encoder_table = [embeddings]
        self.token_table = None if self.tied else nn.Parameter(torch.randn(len(ids), width) * 0.02)
        self.ids: Tensor
        self.register_buffer("ids", ids, persistent=False)
        self.memory = nn.ModuleList([nn.Linear(dimensions, width) for _ in range(layers + 1)])
        self.layers = nn.ModuleList([_Layer(width, dropout) for _ in range(layers)])
        self.enter, self.leave = nn.LayerNorm(width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(ids)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: Tensor, tokens: Tensor) -> Tensor:
        """Return the mean cross-entropy of the tokens.

        Parameters
        ----------
        vectors
            (b, d), one per text, of any length but zero.
        tokens
            int64 (b, t): places in the sorted vocabulary, −100 where a text has ended.

        Returns
        -------
        A scalar; 0 where there is no token.
        """
        table = self._table()  # (|vocabulary|, e)
        known = tokens >= 0
        memory = nn.functional.normalize(vectors, dim=1) * math.sqrt(vectors.shape[1])  # (b, d)
        # −100, which cross_entropy ignores, is no row of a table.
        before = nn.functional.embedding(tokens.clamp(min=0)[:, :-1], table)  # (b, t − 1, e)
        x = self.enter(nn.functional.pad(before, (0, 0, 1, 0)) + _positions(tokens.shape[1], table))
        x = self.dropout(x) + self.memory[0](memory)[:, None]
        for layer, read in zip(self.layers, self.memory[1:], strict=True):
            x = layer(x, read(memory)[:, None])
        found = self.leave(x)[known]  # (tokens, e)
        if not found.shape[0]:
            # Not a constant: `backward` needs a graph.
            return vectors.sum() * 0.0
        scale = 1.0 if self.tied else math.sqrt(self.width)
        logits = found @ table.T * scale + self.bias  # (tokens, |vocabulary|)
        # A sum over the whole vocabulary needs more than the three digits of bfloat16.
        if logits.dtype == torch.bfloat16:
            logits = logits.float()
        return nn.functional.cross_entropy(logits, tokens[known])

    def _table(self) -> Tensor:
        table = self._encoder_table[0]
        if table is None:
            assert self.token_table is not None
            return self.token_table
        return table[self.ids]


class _Layer(nn.Module):
    """Causal self-attention, the vector, and a feed-forward layer, each added to what came in."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.heads = max(1, width // _HEAD) if width % max(1, width // _HEAD) == 0 else 1
        self.attend, self.think = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        b, t, e = x.shape
        parts = self.query_key_value(self.attend(x)).view(b, t, 3, self.heads, e // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (b, heads, t, e / heads)
        seen = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.dropout(self.out(seen.transpose(1, 2).reshape(b, t, e))) + memory
        thought: Tensor = self.dropout(self.feed(self.think(x)))
        return x + thought


def _positions(t: int, like: Tensor) -> Tensor:
    """Return sinusoidal positions (t, e), as small as usual token embeddings."""
    e = like.shape[1]
    rates = torch.exp(torch.arange(0, e, 2, device=like.device) * (-math.log(10_000.0) / e))
    angles = torch.arange(t, device=like.device)[:, None] * rates  # (t, ⌈e / 2⌉)
    return 0.02 * torch.stack([angles.sin(), angles.cos()], dim=2).reshape(t, -1)[:, :e]


def check_reconstruction(loss: Tensor, vectors: Tensor) -> float:
    """Return the length of the gradient of a reconstruction loss at the vectors of the texts.

    Parameters
    ----------
    loss
        Of a batch.
    vectors
        (b, d), what the loss was computed from; part of its graph.

    Raises
    ------
    ParameterError
        If no gradient reaches the vectors, or one that is not finite.
    """
    gradient = (
        torch.autograd.grad(loss, vectors, retain_graph=True, allow_unused=True)[0]
        if loss.requires_grad
        else None
    )
    length = 0.0 if gradient is None else float(gradient.float().norm())
    if not math.isfinite(length) or length == 0.0:
        raise ParameterError(
            f"check_reconstruction: the gradient of the reconstruction must reach the vectors of "
            f"the texts, got length {length:g} at a loss of {float(loss.detach()):g}. "
            "Choose another base, or set precision=float32."
        )
    return length
