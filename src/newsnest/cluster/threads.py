"""A pool of threads in each of which BLAS uses a single thread."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from threadpoolctl import threadpool_limits

from newsnest.errors import ParameterError


class Threads:
    """A pool, as a context manager; BLAS and OpenMP are limited to one thread while it is open.

    BLAS splits a product differently for another number of its own threads, and sums in another
    order: with one each, results are the same bits however many threads we use.

    None for `n_jobs` means one per processor this process may run on. Raises ParameterError, which
    begins with `where`, if it is below 1.
    """

    def __init__(self, where: str, n_jobs: int | None) -> None:
        if n_jobs is None:
            # Fewer than os.cpu_count() where a container or taskset allows fewer.
            allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
            n_jobs = len(allowed) or os.cpu_count() or 1
        if n_jobs < 1:
            raise ParameterError(
                f"{where}: n_jobs must be at least 1 or None, got {n_jobs}. Use None."
            )
        self.count = n_jobs

    def __enter__(self) -> Self:
        self._limits = threadpool_limits(1)
        self.pool = ThreadPoolExecutor(self.count)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()
        self._limits.unregister()
