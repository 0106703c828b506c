"""Exact average linkage: seconds and memory of RAC and of what else a user could pick.

python benchmarks/rac.py --data FOLDER [--only GROUP …]

Every figure is a process of its own, so that peak memory is its own, and all processes of a group
run on the same vectors one after another. Compilation is done before and told apart. Groups:

  peers      synthetic vectors, 10,000 to 100,000 rows, every peer that can
  real       vectors of the data sets by minilm, shuffled; λ .6 and λ .4
  growth     how seconds grow with rows, with dimensions, and on a flat spectrum
  nearby     agreement and seconds of looking nearby first
  million    a million rows: nearby, and exact
  limits     the machine: float32 products by BLAS, int8 products in tiles
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import measured
import synthetic
from newsnest.nest import Nest

SYNTHETIC_CUT = 0.65
REAL_SETS = ("uci_news", "ecbplus", "googlenews_ts", "wiki_events", "20newsgroups", "stackoverflow",
             "biomedical", "bbc", "agnews", "searchsnippets", "huffpost", "fr_headlines",
             "orangesum", "masakhanews", "semeval_slugs", "mrpc", "tatoeba")  # fmt: skip
MOST_TEXTS = 126_000
GROUPS = ("limits", "peers", "real", "growth", "nearby", "million")
PEERS = {
    name: version(name) for name in ("evoc", "fastcluster", "faiss-cpu", "umap-learn", "hdbscan")
}
Rows = NDArray[np.float32]
Labels = NDArray[Any]


# ── the methods ──────────────────────────────────────────────────────────────────────────────────


def rac(rows: Rows, cut: float, **settings: Any) -> Labels:
    from newsnest.cluster import RAC

    return RAC(cut, **settings).fit(rows).labels_


def rac_nearby(rows: Rows, cut: float) -> Labels:
    return rac(rows, cut, exact=False)


def rac_exact(rows: Rows, cut: float) -> Labels:
    return rac(rows, cut, exact=True)


def rac_float(rows: Rows, cut: float) -> Labels:
    """As on a processor without int8 products."""
    from newsnest.cluster import rac_engine

    rac_engine.LANES = 0
    return rac(rows, cut)


def scipy_average(rows: Rows, cut: float) -> Labels:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    return fcluster(linkage(pdist(rows, "cosine"), "average"), 1 - cut, "distance")


def scikit_average(rows: Rows, cut: float) -> Labels:
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - cut
    )
    return model.fit_predict(rows)


def fastcluster_blas(rows: Rows, cut: float) -> Labels:
    import fastcluster
    from scipy.cluster.hierarchy import fcluster

    n = len(rows)
    condensed = np.empty(n * (n - 1) // 2)
    place = 0
    for start in range(0, n, 512):
        products = 1.0 - rows[start : start + 512] @ rows[start:].T
        for i, row in enumerate(products):
            condensed[place : place + n - start - i - 1] = row[i + 1 :]
            place += n - start - i - 1
    tree = fastcluster.linkage(condensed, "average", preserve_input=False)
    return fcluster(tree, 1 - cut, "distance")


def evoc(rows: Rows, cut: float) -> Labels:
    from evoc import EVoC

    return EVoC(random_state=42).fit_predict(rows)


def umap_hdbscan(rows: Rows, cut: float) -> Labels:
    from hdbscan import HDBSCAN
    from umap import UMAP

    reduced = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine").fit_transform(
        rows
    )
    return HDBSCAN(min_cluster_size=10).fit_predict(reduced)


def faiss_graph(rows: Rows, cut: float) -> Labels:
    """The 32 nearest neighbours alone: no clusters yet."""
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    index.search(rows, 32)
    return np.zeros(1)


METHODS: dict[str, Callable[[Rows, float], Labels]] = {
    "RAC": rac,
    "RAC, exact": rac_exact,
    "RAC, nearby first": rac_nearby,
    "RAC, float32 products": rac_float,
    "SciPy average": scipy_average,
    "scikit-learn average": scikit_average,
    "fastcluster on a BLAS matrix": fastcluster_blas,
    "EVoC": evoc,
    "UMAP + HDBSCAN": umap_hdbscan,
    "faiss flat graph, k = 32": faiss_graph,
}


# ── one process, one figure ──────────────────────────────────────────────────────────────────────


def one(path: str, n: int, d: int, method: str, cut: float) -> None:
    """Time one method in this process and print the figures."""
    stored = np.load(path, mmap_mode="r")[:n, :d]
    rows = np.array(stored)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    work = METHODS[method]
    work(rows[:600], cut)  # compiles or loads what is compiled
    before = measured.peak_mib()
    start = time.perf_counter()
    labels = work(rows, cut)
    seconds = time.perf_counter() - start
    if len(labels) == n:
        np.save(f"{path}.{n}.{cut}.{method}.labels.npy", labels)
    print(json.dumps({
        "seconds": round(seconds, 3),
        "mib_above_input": round(measured.peak_mib() - before),
        "mib_peak": round(measured.peak_mib()),
        "clusters": len(np.unique(labels[labels >= 0])),
    }))  # fmt: skip


def run(
    path: Path, n: int, method: str, cut: float, *, d: int = 384, repeats: int = 1
) -> dict[str, Any]:
    asked = ("--one", path, n, d, method, cut)
    found = [measured.run_alone(__file__, *asked) for _ in range(repeats)]
    figures = {**found[0], "seconds": round(median(f["seconds"] for f in found), 3)}
    row = {"method": method, "n": n, "d": d, "min_similarity": cut, "runs": repeats, **figures}
    print(row, flush=True)
    return row


def agreement(path: Path, n: int, cut: float, methods: tuple[str, str]) -> float:
    from sklearn.metrics import adjusted_rand_score

    labels = [np.load(f"{path}.{n}.{cut}.{method}.labels.npy") for method in methods]
    return round(float(adjusted_rand_score(*labels)), 6)


# ── the groups ───────────────────────────────────────────────────────────────────────────────────


def peers(folder: Path) -> dict[str, Any]:
    cases = {
        10_000: ("SciPy average", "scikit-learn average", "fastcluster on a BLAS matrix",
                 "UMAP + HDBSCAN", "EVoC"),
        20_000: ("SciPy average", "scikit-learn average", "fastcluster on a BLAS matrix", "EVoC"),
        50_000: ("EVoC", "faiss flat graph, k = 32"),
        100_000: ("faiss flat graph, k = 32", "EVoC"),
    }  # fmt: skip
    out = []
    for n, others in cases.items():
        path = _saved(folder / f"synthetic{n}.npy", lambda n=n: synthetic.vectors(n, seed=n))
        own = run(path, n, "RAC", SYNTHETIC_CUT, repeats=3)
        out.append({"times_faster": None, **own})
        out.append({"times_faster": None, **run(path, n, "RAC, float32 products", SYNTHETIC_CUT)})
        for other in others:
            row = run(path, n, other, SYNTHETIC_CUT)
            out.append({"times_faster": round(row["seconds"] / own["seconds"], 1), **row})
    return {"rows": out}


def real(folder: Path, texts: Rows) -> dict[str, Any]:
    path = _saved(folder / "real.npy", lambda: texts)
    out = []
    for n in (20_000, 50_000, len(texts)):
        for cut in (0.6, 0.4):
            out.append(run(path, n, "RAC", cut, repeats=3 if n <= 50_000 else 1))
            if n == 20_000:
                out.append(run(path, n, "RAC, float32 products", cut))
    out.append(run(path, 20_000, "RAC", -1.0, repeats=3))
    return {"texts": len(texts), "effective_dimension": _effective(texts), "rows": out}


def growth(folder: Path) -> dict[str, Any]:
    sizes = (12_500, 25_000, 50_000, 100_000)
    path = _saved(folder / "synthetic100000.npy", lambda: synthetic.vectors(100_000, seed=100_000))
    by_rows = [run(path, n, "RAC", SYNTHETIC_CUT, repeats=2) for n in sizes]
    slope = np.polyfit(np.log(sizes), np.log([row["seconds"] for row in by_rows]), 1)[0]
    wide = _saved(folder / "wide.npy", lambda: synthetic.vectors(50_000, 768, seed=1))
    by_dimensions = [
        run(wide, 50_000, "RAC", SYNTHETIC_CUT, d=d, repeats=2) for d in (96, 192, 384, 768)
    ]
    flat = _saved(folder / "flat.npy", lambda: synthetic.vectors(50_000, seed=2, flat=True))
    return {
        "exponent_of_rows": round(float(slope), 2),
        "by_rows": by_rows,
        "by_dimensions": by_dimensions,
        "flat_spectrum": run(flat, 50_000, "RAC", SYNTHETIC_CUT, repeats=2),
    }


def nearby(folder: Path, texts: Rows) -> dict[str, Any]:
    out = []
    own = _saved(folder / "real.npy", lambda: texts)
    cases = [("real", own, 50_000, 0.6), ("real", own, 50_000, 0.4), ("real", own, len(texts), 0.6)]
    for n in (50_000, 100_000):
        path = _saved(folder / f"synthetic{n}.npy", lambda n=n: synthetic.vectors(n, seed=n))
        cases.append(("synthetic", path, n, SYNTHETIC_CUT))
    for kind, path, n, cut in cases:
        exact = run(path, n, "RAC, exact", cut)
        row = run(path, n, "RAC, nearby first", cut)
        ari = agreement(path, n, cut, ("RAC, exact", "RAC, nearby first"))
        out.append({"vectors": kind, "ari": ari, "seconds_exact": exact["seconds"], **row})
        print(kind, n, cut, "ARI", ari, flush=True)
    return {"rows": out}


def million(folder: Path) -> dict[str, Any]:
    path = _saved(folder / "million.npy", lambda: synthetic.vectors(1_000_000, seed=1_000_000))
    return {
        "rows": [
            run(path, 1_000_000, method, SYNTHETIC_CUT)
            for method in ("RAC, nearby first", "RAC, exact")
        ]
    }


def limits() -> dict[str, Any]:
    """Return what products alone take, and what compiling takes on a machine that never did."""
    from threadpoolctl import threadpool_limits

    rows = synthetic.vectors(4096, seed=3)
    with threadpool_limits(1, "blas"):
        start = time.perf_counter()
        for _ in range(20):
            rows @ rows.T
        gemm = 20 * 2 * len(rows) ** 2 * rows.shape[1] / (time.perf_counter() - start) / 1e9
    out = {"float32_gflops_one_thread": round(gemm), **_tile_rate(rows), "compile_seconds": 0.0}
    code = """
import numpy as np, time
from newsnest.cluster import RAC
rows = np.random.default_rng(0).normal(size=(600, 384)).astype(np.float32)
start = time.perf_counter(); RAC(0.3).fit(rows); first = time.perf_counter() - start
start = time.perf_counter(); RAC(0.3).fit(rows)
print(first - (time.perf_counter() - start))
"""
    with tempfile.TemporaryDirectory() as fresh:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True, env={**os.environ, "NUMBA_CACHE_DIR": fresh})  # fmt: skip
    out["compile_seconds"] = round(float(done.stdout), 1)
    return out


def _tile_rate(rows: Rows) -> dict[str, Any]:
    """Products of tiles that find nothing: the ceiling of the first pass."""
    from newsnest.cluster import int8_tile
    from newsnest.cluster.int8_screen import Int8Screen
    from newsnest.cluster.threads import Threads

    if not int8_tile.LANES:
        return {"int8_lanes": 0}
    with Threads("benchmark", 1) as threads:
        screen = Int8Screen(rows, threads)
        screen._plan_looks = lambda *_: None  # type: ignore[method-assign]  # no tile ends early
        screen.all_pairs(16, np.float32(1.1))
        start = time.perf_counter()
        for _ in range(5):
            screen.all_pairs(16, np.float32(1.1))
        seconds = (time.perf_counter() - start) / 5
    rate = len(rows) ** 2 * rows.shape[1] / seconds / 1e9  # half of all pairs, two operations
    return {"int8_lanes": int8_tile.LANES, "int8_gops_one_thread": round(rate)}


def _saved(path: Path, make: Callable[[], Rows]) -> Path:
    if not path.exists():
        np.save(path, make())
    return path


def _effective(rows: Rows) -> float:
    """Dimensions that count: 1 / Σ share², over the shares of the principal axes."""
    sample = rows[:20_000] - rows[:20_000].mean(axis=0)
    shares = np.linalg.eigvalsh(sample.T @ sample)
    return round(float(shares.sum() ** 2 / (shares**2).sum()), 1)


def real_vectors(data: Path, cache: Path) -> Rows:
    """Vectors of distinct texts of many sets, shuffled."""
    texts: dict[str, None] = {}
    for name in REAL_SETS:
        if (data / f"{name}.jsonl.gz").is_file():
            for row in measured.load_rows(data, name):
                found = (row[f] for f in ("title", "text", "text1", "summary") if row.get(f))
                texts[next(found, "")] = None
    texts.pop("", None)
    kept = list(texts)
    order = np.random.default_rng(0).permutation(len(kept))[:MOST_TEXTS]
    with Nest(cache, create=True) as nest:
        vectors = np.unique(measured.encode([kept[i] for i in order], "minilm", nest), axis=0)
    return vectors[np.random.default_rng(1).permutation(len(vectors))]


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        path, n, d, method, cut = sys.argv[2:]
        one(path, int(n), int(d), method, float(cut))
        return
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--folder", type=Path, help="keeps the vectors between calls")
    options = parser.parse_args()
    texts = np.empty((0, 384), np.float32)
    if {"real", "nearby"} & set(options.only):
        texts = real_vectors(options.data, options.cache)
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        folder.mkdir(exist_ok=True)
        work: dict[str, Callable[[], dict[str, Any]]] = {
            "limits": limits,
            "peers": lambda: peers(folder),
            "real": lambda: real(folder, texts),
            "growth": lambda: growth(folder),
            "nearby": lambda: nearby(folder, texts),
            "million": lambda: million(folder),
        }
        for group in options.only:
            measured.write_group("rac", group, work[group](), **{p: version(p) for p in PEERS})


if __name__ == "__main__":
    main()
