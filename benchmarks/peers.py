"""The other methods that clustering.py compares: UMAP + HDBSCAN (BERTopic's pipeline) and EVoC."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from evoc import EVoC
from hdbscan import HDBSCAN
from numba import get_num_threads
from numpy.typing import NDArray
from umap import UMAP

from as_run import Bench, Rows
from newsnest.evaluate import cluster_scores
from newsnest.types import Vectors

SIZES = (2, 3, 5, 10, 20, 50, 100, 250)
USUAL_SIZE = 10
SHOWN = ("bcubed_f1", "pair_f1", "nmi", "ari")
_UMAP = {"n_neighbors": 15, "n_components": 5, "min_dist": 0.0, "metric": "cosine"}


@dataclass(frozen=True, slots=True)
class Row:
    """Labels one method gave, and how it came to them."""

    method: str
    labels: NDArray[Any]
    seconds: float | None = None
    chosen_on_labels: bool = False
    more: Mapping[str, Any] | None = None

    def scored(self, gold: Rows) -> dict[str, Any]:
        scores = cluster_scores(self.labels, gold).as_dict()
        kept = {name: round(float(scores[name] or 0), 4) for name in (*SHOWN, "noise")}
        clustered = self.labels[self.labels >= 0]
        largest = np.bincount(clustered).max() if len(clustered) else 0
        return {
            "method": self.method,
            **kept,
            "clusters": scores["clusters"],
            "largest": round(float(largest / len(gold)), 4),
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "chosen_on_labels": self.chosen_on_labels,
            **(self.more or {}),
        }


def timed(work: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - start)
    return out, median(seconds)


def peer_rows(vectors: Vectors) -> dict[str, list[Row]]:
    """Everything the others can say about these vectors; the scorer picks the best of a list."""
    reduced, umap_seconds = timed(lambda: umap(vectors, 42))
    unseeded = umap_seconds
    if get_num_threads() > 1:  # with a seed it takes one
        _, unseeded = timed(lambda: umap(vectors, None))
    sizes = {
        size: timed(lambda s=size: hdbscan(reduced, s)) for size in SIZES if size < len(vectors)
    }
    usual, seconds = sizes[USUAL_SIZE]
    more = {
        "min_cluster_size": USUAL_SIZE,
        "seconds_umap": round(umap_seconds, 2),
        "seconds_unseeded": round(unseeded + seconds, 2),
    }
    evoc = EVoC(random_state=42)
    own, evoc_seconds = timed(lambda: evoc.fit_predict(vectors))
    return {
        "BERTopic": [Row("BERTopic", usual, umap_seconds + seconds, more=more)],
        "BERTopic, reassigned": [Row("BERTopic, reassigned", reassigned(usual, vectors))],
        "BERTopic, best size": [
            Row("BERTopic, best size", labels, None, True, {"min_cluster_size": size})
            for size, (labels, _) in sizes.items()
        ],
        "EVoC": [Row("EVoC", np.asarray(own), evoc_seconds)],
        "EVoC, best layer": [
            Row("EVoC, best layer", np.asarray(layer), None, True, {"layer": number})
            for number, layer in enumerate(evoc.cluster_layers_)
        ],
    }


def umap(vectors: Vectors, seed: int | None) -> Vectors:
    jobs = {"n_jobs": 1} if seed is not None else {}
    return np.asarray(UMAP(**_UMAP, random_state=seed, **jobs).fit_transform(vectors))


def hdbscan(rows: Vectors, size: int) -> NDArray[np.int64]:
    model = HDBSCAN(
        min_cluster_size=size,
        metric="euclidean",
        cluster_selection_method="eom",
        prediction_data=False,
    )
    return np.asarray(model.fit_predict(rows), dtype=np.int64)


def reassigned(labels: NDArray[np.int64], vectors: Vectors) -> NDArray[np.int64]:
    """Move outliers to the cluster with the nearest mean."""
    if labels.max() < 0 or labels.min() >= 0:
        return labels
    kept = labels >= 0
    means = np.zeros((labels.max() + 1, vectors.shape[1]))
    np.add.at(means, labels[kept], vectors[kept])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    out = labels.copy()
    out[~kept] = (vectors[~kept] @ means.T).argmax(axis=1)
    return out


def warm_up(vectors: Vectors) -> None:
    """Compile everything."""
    for seed in (42, None):
        hdbscan(umap(vectors, seed), USUAL_SIZE)
    EVoC(random_state=42).fit_predict(vectors)


def check_against_bertopic(bench: Bench) -> dict[str, Any]:
    """Fit the class itself on one set: its partition must be that of `umap` and `hdbscan`."""
    from bertopic import BERTopic
    from sklearn.metrics import adjusted_rand_score

    corpus = bench.corpus("ecbplus", "story")
    model = BERTopic(umap_model=UMAP(**_UMAP, random_state=42, n_jobs=1))
    texts = [article.body for article in corpus.gold.articles]
    (topics, _), seconds = timed(lambda: model.fit_transform(texts, corpus.vectors))
    agreement = adjusted_rand_score(topics, hdbscan(umap(corpus.vectors, 42), USUAL_SIZE))
    return {"set": "ecbplus", "ari": round(float(agreement), 4), "seconds": round(seconds, 2)}
