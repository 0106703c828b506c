"""Texts longer than an encoder reads: counted, and cut into the pieces that are encoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.embed.config import LongTexts
from newsnest.errors import EncoderError

# Three quarters of the room for the beginning: news puts what matters first.
_HEAD_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: the row of the text, the part itself, the tokens it counts for."""

    row: int
    text: str
    weight: int


def plain_tokenizer(folder: Path) -> Any:
    """Return the `tokenizers.Tokenizer` of a folder, without truncation and padding."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise EncoderError(
            f"prepare: {path} must be a tokenizer, got: {error}. Save or download the model again."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Cutter:
    """Counts tokens and cuts texts at word boundaries.

    `room` is how many tokens the encoder reads, special tokens and the prefix that it puts before
    every text included; None without a limit.
    """

    def __init__(self, tokenizer: Any, room: int | None, prefix: str) -> None:
        # A copy, so that the model's own truncation stays as it is.
        self.tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.room = room
        self.prefix = prefix
        overhead = len(self.tokenizer.encode(prefix).ids)
        self.budget = None if room is None else max(1, room - overhead)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, prefix and special tokens included, nothing cut."""
        encodings = self.tokenizer.encode_batch_fast([self.prefix + text for text in texts])
        return [len(encoding.ids) for encoding in encodings]

    def is_cut(self, tokens: int) -> bool:
        """Tell whether a text of so many tokens is truncated."""
        return self.room is not None and tokens > self.room

    def cut(self, row: int, text: str, how: LongTexts) -> list[Piece]:
        """Cut one long text into the pieces to encode.

        "head" leaves the cutting to the encoder. A piece starts and ends at a word boundary where
        it can; what it counts for is its tokens.
        """
        if how == "head" or self.budget is None:
            return [Piece(row, text, 1)]
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        spans, words = encoding.offsets, encoding.word_ids
        if len(spans) <= self.budget:
            return [Piece(row, text, 1)]
        if how == "head+tail":
            head = self._end(words, 0, max(1, int(self.budget * _HEAD_SHARE)))
            start = max(head, len(spans) - (self.budget - head))
            while start < len(spans) - 1 and words[start] == words[start - 1]:
                start += 1
            return [Piece(row, f"{text[: spans[head - 1][1]]} {text[spans[start][0] :]}", 1)]
        pieces, start = [], 0
        while start < len(spans):
            end = self._end(words, start, self.budget)
            piece = text[spans[start][0] : spans[end - 1][1]]
            pieces.append(Piece(row, piece, end - start))
            start = end
        return pieces

    @staticmethod
    def _end(words: Sequence[int | None], start: int, budget: int) -> int:
        """Return the end of a piece: at most `budget` tokens on, not within a word if avoidable."""
        end = min(start + budget, len(words))
        if end == len(words):
            return end
        whole = end
        while whole > start + 1 and words[whole] == words[whole - 1]:
            whole -= 1
        return whole if whole > start + 1 else end
