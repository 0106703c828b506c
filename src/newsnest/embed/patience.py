"""Importing torch so that its threads share a busy machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_POLICY = "OMP_WAIT_POLICY"


@contextmanager
def patient_threads() -> Iterator[None]:
    """Let threads that OpenMP starts sleep while they wait, if it is first loaded in this block.

    By default they spin. Beside one other busy process on a machine of two cores, spinning makes a
    transformer several times slower (benchmarks/results/encoding.json, "beside"). A policy that the
    user has set stays. The environment is as before afterwards: OpenMP reads it once, when it is
    loaded.
    """
    if _POLICY in os.environ:
        yield
        return
    os.environ[_POLICY] = "PASSIVE"
    try:
        yield
    finally:
        os.environ.pop(_POLICY, None)
