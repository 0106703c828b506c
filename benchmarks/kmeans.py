"""Spherical k-means: seconds, memory and how well it clusters, beside faiss and scikit-learn.

python benchmarks/kmeans.py [--rows 100000 1000000] [--clusters 512]

Every figure is a process of its own; all methods read the same synthetic vectors of 384
dimensions (`synthetic.py`). `cosine` is the mean cosine of a row with the unit mean of its cluster,
which all of them shall make high. faiss (`spherical`, every row used) and scikit-learn's KMeans get
as many passes as newsnest took, MiniBatchKMeans ends by its own rule. KMeans is left out above
200,000 rows, where it takes many minutes. All centres are scaled to length 1 before they are
judged.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

import measured
import synthetic

Rows = NDArray[np.float32]
Found = tuple[NDArray[np.int64], int]
"""Labels, and passes over all rows."""


def newsnest(rows: Rows, k: int, passes: int) -> Found:
    from newsnest.cluster import SphericalKMeans

    means = SphericalKMeans(k).fit(rows)
    return means.labels_.astype(np.int64), means.n_iter_


def faiss_spherical(rows: Rows, k: int, passes: int) -> Found:
    import faiss

    means = faiss.Kmeans(
        rows.shape[1], k, niter=passes, spherical=True, seed=0, max_points_per_centroid=len(rows)
    )
    means.train(rows)
    return means.index.search(rows, 1)[1][:, 0], passes


def scikit(rows: Rows, k: int, passes: int) -> Found:
    from sklearn.cluster import KMeans

    means = KMeans(k, n_init=1, max_iter=max(1, passes), random_state=0).fit(rows)
    return means.labels_.astype(np.int64), means.n_iter_


def scikit_batches(rows: Rows, k: int, passes: int) -> Found:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(k, n_init=1, random_state=0, batch_size=4096).fit(rows)
    return means.labels_.astype(np.int64), means.n_iter_


MOST_SCIKIT = 200_000
METHODS: dict[str, Callable[[Rows, int, int], Found]] = {
    "newsnest": newsnest,
    "faiss, spherical": faiss_spherical,
    "scikit-learn KMeans": scikit,
    "scikit-learn MiniBatchKMeans": scikit_batches,
}


def mean_cosine(rows: Rows, labels: NDArray[np.int64], k: int) -> float:
    n = len(rows)
    member = sparse.csr_array((np.ones(n, np.float32), (labels, np.arange(n))), shape=(k, n))
    # A row's cosine with the scaled sum, added up over a cluster, is the length of the sum.
    return float(np.linalg.norm(member @ rows, axis=1).sum() / n)


def one(path: str, n: int, k: int, method: str, passes: int) -> None:
    """Time one method in this process and print the figures."""
    rows = np.array(np.load(path, mmap_mode="r")[:n])
    work = METHODS[method]
    work(rows[:2000], 10, 2)  # loads what is to be loaded
    before = measured.peak_mib()
    start = time.perf_counter()
    labels, done = work(rows, k, passes)
    seconds = time.perf_counter() - start
    print(json.dumps({
        "seconds": round(seconds, 2),
        "passes": int(done),
        "mib_above_input": round(measured.peak_mib() - before),
        "cosine": round(mean_cosine(rows, labels, k), 5),
        "clusters": len(np.unique(labels)),
    }))  # fmt: skip


def run(path: Path, n: int, k: int, method: str, passes: int) -> dict[str, Any]:
    found = measured.run_alone(__file__, "--one", path, n, k, method, passes)
    print(n, k, method, found, flush=True)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        path, n, k, method, passes = sys.argv[2:]
        one(path, int(n), int(k), method, int(passes))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--clusters", nargs="+", type=int, default=[512])
    options = parser.parse_args()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, synthetic.vectors(max(options.rows)))
        for n in options.rows:
            for k in options.clusters:
                own = run(path, n, k, "newsnest", 0)
                found = {"newsnest": own}
                for method in list(METHODS)[1:]:
                    if method == "scikit-learn KMeans" and n > MOST_SCIKIT:
                        continue
                    found[method] = run(path, n, k, method, own["passes"])
                result[f"{n:,} rows, k={k}"] = found
    measured.write_result("kmeans", result, **{"faiss-cpu": version("faiss-cpu")})


if __name__ == "__main__":
    main()
