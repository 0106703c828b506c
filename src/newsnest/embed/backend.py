"""Which backend computes: what was asked for, or what this processor is good at.

Nothing here loads torch if its version shows a build for CPUs alone.
"""

import functools
import importlib.metadata
from pathlib import Path
from typing import Literal

from newsnest.embed.config import EncoderConfig
from newsnest.embed.loading import patient_threads
from newsnest.errors import EncoderError

Chosen = Literal["torch", "bfloat16", "int8"]

# Processors without these compute bfloat16 by way of float32, and slower than that.
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
# Without these, products of bytes are added up in 16 bits, which can overflow.
_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_CPU_INFO = Path("/proc/cpuinfo")


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

    Raises
    ------
    EncoderError
        int8 is asked for and the processor is not known to have it.
    """
    if config.backend == "int8" and not cpu_flags() & _INT8:
        raise EncoderError(
            "load_encoder: backend int8 must run on an x86 processor with VNNI under Linux, "
            "got another. Choose backend auto."
        )
    if config.backend != "auto":
        return config.backend
    if _on_accelerator(config.device):
        return "torch"
    return "bfloat16" if multiplies_bfloat16() else "torch"


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
