"""The choices every encoder is loaded with."""

from dataclasses import dataclass
from typing import Literal, get_args

from newsnest.errors import ParameterError

LongTexts = Literal["head", "head+tail", "mean"]
Backend = Literal["auto", "torch", "bfloat16", "int8"]


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
        Texts a forward pass; None means as many as have 2,048 tokens together on a CPU, and 256 on
        an accelerator. It never changes a vector.
    device
        "cpu", "cuda", "cuda:1", "mps" …; None takes the accelerator if there is one. Vectors of
        different devices agree to about 1e-6, not bit for bit.
    backend
        What computes a transformer, and in which numbers: "torch" in float32, as
        sentence-transformers does; "bfloat16" the same in half the width; "int8" our own forward
        pass for models of the BERT kind on x86 processors with VNNI, the fastest; "auto" means
        "bfloat16" on processors that multiply it, else "torch". Encoders that are no transformers
        ignore this.

    Raises
    ------
    ParameterError
        A choice that does not exist, a batch of no texts, or int8 on an accelerator.
    """

    long_texts: LongTexts = "head"
    batch_size: int | None = None
    device: str | None = None
    backend: Backend = "auto"

    def __post_init__(self) -> None:
        for name, known in (("long_texts", LongTexts), ("backend", Backend)):
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
        if self.backend == "int8" and (self.device or "cpu").partition(":")[0] != "cpu":
            raise ParameterError(
                f"EncoderConfig: device must be cpu for backend int8, got {self.device!r}. "
                "Choose backend torch or bfloat16 for accelerators."
            )
