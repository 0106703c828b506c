"""Exact average linkage: seconds and memory of RAC against SciPy, on the same real vectors.

python benchmarks/rac.py --data FOLDER

Vectors of wiki_events in the corpus frame, 384 dimensions. Every figure is a process of its own, so
that peak memory is its own; both build the whole tree where SciPy can, and RAC also stops at the
cosines where stories and themes are cut. Compilation is done once before and told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import measured
from newsnest.cluster import RAC, fit_frame
from newsnest.nest import Nest

SIZES = (5_000, 10_000, 20_000, 30_000)
SCIPY_MOST = 20_000
CUTS = (-1.0, 0.02, 0.4)


def one(path: str, n: int, method: str, cut: float) -> None:
    """Time one method in this process and print the figures."""
    rows = np.load(path)[:n]
    if method == "rac":
        RAC(0.5).fit(rows[:64])  # loads the compiled kernels
    before = measured.peak_mib()
    start = time.perf_counter()
    if method == "rac":
        clusters = RAC(cut).fit(rows).n_clusters_
    else:
        from scipy.cluster.hierarchy import fcluster, linkage
        from scipy.spatial.distance import pdist

        tree = linkage(pdist(rows, "cosine"), "average")
        clusters = int(fcluster(tree, 1 - 0.4, "distance").max())
    print(
        json.dumps(
            {
                "seconds": round(time.perf_counter() - start, 3),
                "mib_above_input": round(measured.peak_mib() - before),
                "clusters": clusters,
            }
        )
    )


def run(path: Path, n: int, method: str, cut: float) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(path), str(n), method, str(cut)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, Any] = json.loads(out)
    row = {"method": method, "n": n, "min_similarity": cut, **figures}
    print(row, flush=True)
    return row


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
        return
    options = measured.arguments(__doc__ or "").parse_args()
    gold = measured.load_gold(options.data, "wiki_events", "story")
    with Nest(options.cache, create=True) as cache:
        vectors = measured.encode([a.body for a in gold.articles], "minilm", cache)
    rows = fit_frame(vectors).apply(vectors)
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, rows)
        for n in SIZES:
            results += [run(path, n, "rac", cut) for cut in CUTS]
            if n <= SCIPY_MOST:
                results.append(run(path, n, "scipy", -1.0))
    measured.write_result("rac", {"seeds": {"order": 0}, "rows": results})


if __name__ == "__main__":
    main()
