"""The choices every encoder is loaded with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from newsnest.errors import ParameterError

LongTexts = Literal["head", "head+tail", "mean"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """How texts are read and computed with.

    Parameters
    ----------
    long_texts
        What becomes of a text longer than the encoder reads: "head" keeps its beginning,
        "head+tail" the first three quarters of the room and the last quarter, "mean" cuts it into
        chunks and takes their mean, weighted by tokens. Encoders without a limit (`static`,
        `tfidf`) read every text whole and ignore this.
    batch_size
        Texts a forward pass; None means 32 on a CPU and 256 on an accelerator. It never changes
        a vector.
    device
        "cpu", "cuda", "cuda:1", "mps" …; None takes the accelerator if there is one. Vectors of
        different devices agree to about 1e-6, not bit for bit.
    precision
        Of the weights of a transformer. "bfloat16" is faster where the processor has it, and
        coarser.

    Raises
    ------
    ParameterError
        A choice that does not exist or a batch of no texts.
    """

    long_texts: LongTexts = "head"
    batch_size: int | None = None
    device: str | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name, known in (("long_texts", LongTexts), ("precision", Precision)):
            if getattr(self, name) not in get_args(known):
                raise ParameterError(
                    f"EncoderConfig: {name} must be one of {', '.join(get_args(known))}, "
                    f"got {getattr(self, name)!r}. Choose one of them."
                )
        if self.batch_size is not None and self.batch_size < 1:
            raise ParameterError(
                f"EncoderConfig: batch_size must be at least 1, got {self.batch_size}. "
                "Leave it out to have it chosen."
            )
