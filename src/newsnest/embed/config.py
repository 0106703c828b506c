"""The choices an encoder is loaded with, and which backend computes what was asked for.

Nothing here loads torch if its version shows a build for CPUs alone.
"""

import functools
import importlib.metadata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from newsnest.embed.loading import patient_threads
from newsnest.errors import EncoderError, ParameterError

LongTexts = Literal["head", "head+tail", "mean"]
Backend = Literal["auto", "torch", "bfloat16", "int8"]
Chosen = Literal["torch", "bfloat16", "int8"]

# Processors without these compute bfloat16 by way of float32, and slower than that.
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
# Without these, products of bytes are added up in 16 bits, which can overflow.
_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_CPU_INFO = Path("/proc/cpuinfo")


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


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Return what the processor can do, in the words of Linux on x86; elsewhere nothing."""
    try:
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def multiplies_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 faster than float32."""
    return bool(cpu_flags() & _BFLOAT16)


def choose_backend(config: EncoderConfig) -> Chosen:
    """Return the backend that a configuration means on this machine.

    EncoderError where int8 is asked for and the processor is not known to have it.
    """
    if config.backend == "int8" and not cpu_flags() & _INT8:
        instead = in_numbers(choose_backend(replace(config, backend="auto")))
        raise EncoderError(
            "load_encoder: backend int8 must run on an x86 processor with VNNI under Linux, got "
            f"one whose {_CPU_INFO} names none of {', '.join(sorted(_INT8))}. Choose backend auto: "
            f"here it computes in {instead}."
        )
    if config.backend != "auto":
        return config.backend
    if _on_accelerator(config.device):
        return "torch"
    return "bfloat16" if multiplies_bfloat16() else "torch"


def in_numbers(backend: Chosen) -> str:
    """Return the numbers a backend computes in."""
    return "float32" if backend == "torch" else backend


def why(config: EncoderConfig, chosen: Chosen) -> str:
    """Return what computes and why, in words."""
    reason = f"backend {config.backend}, as asked for"
    if config.backend == "auto":
        reason = "backend auto, for this processor"
        if chosen == "torch":
            reason = "backend auto: this processor does not multiply bfloat16"
            if _on_accelerator(config.device):
                reason = "backend auto, on an accelerator"
    return f"computed in {in_numbers(chosen)} ({reason})"


def _on_accelerator(device: str | None) -> bool:
    """Tell whether sentence-transformers would compute on an accelerator."""
    if device is not None:
        return device.partition(":")[0] != "cpu"
    try:
        if importlib.metadata.version("torch").endswith("+cpu"):
            return False
        with patient_threads():
            import torch
    except ImportError:
        return False  # loading the model raises, with the reason
    return bool(torch.accelerator.is_available())
