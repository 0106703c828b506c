"""How many threads to use."""

from __future__ import annotations

import os

from newsnest.errors import ParameterError


def thread_count(n_jobs: int | None) -> int:
    """Return how many threads to use; None means one per processor this process may run on.

    Raises
    ------
    ParameterError
        If n_jobs is below 1.
    """
    if n_jobs is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if n_jobs < 1:
        raise ParameterError(f"RAC: n_jobs must be at least 1 or None, got {n_jobs}. Use None.")
    return n_jobs
