"""The encoders and clusterers that `clusterbert.py` compares; nothing here sees a gold label.

Encoders take texts and return vectors; clusterers take vectors and a number of clusters. UMAP,
HDBSCAN and EVoC are imported where they are used: training needs other extras than they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer

from newsnest.embed import StaticEncoder
from newsnest.types import Vectors

BASE = "minilm"
TFIDF_FEATURES = 2000
NEIGHBOURS = 15


@dataclass(frozen=True)
class Profile:
    """How much is done: `small` for two cores, `full` for a GPU, `try` to see that it runs."""

    most: int | None
    seeds: tuple[int, ...]
    trained_seeds: tuple[int, ...]
    deep_seeds: tuple[int, ...]
    idec: Mapping[str, int]
    contrast: Mapping[str, Any]
    clusterbert: Mapping[str, Any]
    retrieval_sets: tuple[str, ...] = ("stackoverflow", "agnews")
    ablation_sets: tuple[str, ...] | None = None  # None: all


PROFILES = {
    "try": Profile(
        most=200,
        seeds=(0,),
        trained_seeds=(0,),
        deep_seeds=(0,),
        idec={"pretrain_epochs": 1, "epochs": 1},
        contrast={"steps": 2, "batch_size": 32, "max_length": 32},
        clusterbert={
            "adaptation_epochs": 1, "clusterings": 1, "clustering_epochs": 1,
            "hardening_epochs": 1, "max_length": 32,
        },
    ),
    "small": Profile(
        most=2000,
        seeds=(0, 1, 2),
        trained_seeds=(0,),
        deep_seeds=(0,),
        idec={"pretrain_epochs": 20, "epochs": 30},
        contrast={"steps": 30, "batch_size": 128, "max_length": 128},
        clusterbert={
            "adaptation_epochs": 1, "clusterings": 1, "clustering_epochs": 2,
            "hardening_epochs": 1, "max_length": 128, "learning_rate": 5e-5,
        },
        ablation_sets=("stackoverflow", "biomedical"),
    ),
    "full": Profile(
        most=None,
        seeds=(0, 1, 2),
        trained_seeds=(0, 1, 2),
        deep_seeds=(0, 1, 2),
        idec={"pretrain_epochs": 150, "epochs": 150},
        contrast={"steps": 1000, "batch_size": 400},
        clusterbert={},
    ),
}  # fmt: skip


# ── encoders that are not trained ────────────────────────────────────────────────────────────────


def tfidf(texts: Sequence[str]) -> Vectors:
    """TF-IDF as the paper has it: 2,000 features, lower-cased, English stop words."""
    fitted = TfidfVectorizer(max_features=TFIDF_FEATURES, lowercase=True, stop_words="english")
    return _unit(np.asarray(fitted.fit_transform(list(texts)).todense(), np.float32))


def sif(texts: Sequence[str]) -> Vectors:
    """SIF: token vectors weighted by a/(a + p(w)), averaged, first principal component removed.

    The token vectors are those of `static`, distilled from minilm, where the paper has GloVe. They
    have the weights already, p(w) from the rank of w by Zipf's law: counted in so few texts, p(w)
    would take the words for common that tell the classes apart.
    """
    encoder = StaticEncoder()
    encoder.prepare()
    counts = encoder.means().counts(texts)  # (n, vocabulary)
    means = (counts @ encoder.means().vectors) / np.maximum(counts.sum(axis=1), 1)[:, None]
    first = np.linalg.svd(means, full_matrices=False)[2][0]
    return _unit(np.asarray(means - np.outer(means @ first, first), np.float32))


def _unit(rows: Vectors) -> Vectors:
    """Rows of length 1; a text without a known word gets the constant one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    out = rows / np.maximum(lengths, 1e-12)
    out[lengths[:, 0] < 1e-12] = rows.shape[1] ** -0.5
    return np.asarray(out, np.float32)


UNTRAINED: Mapping[str, Callable[[Sequence[str]], Vectors]] = {"TF-IDF": tfidf, "SIF": sif}


# ── encoders that are trained on the very texts ──────────────────────────────────────────────────


@dataclass(frozen=True)
class Trained:
    """What a training gave: vectors and own clusters by the name of a row, and what was chosen."""

    vectors: Mapping[str, Vectors]
    heads: Mapping[str, NDArray[np.int64]]
    said: Mapping[str, Any]
    model: Any


def train_clusterbert_rows(
    texts: Sequence[str],
    k: int,
    seed: int,
    profile: Profile,
    gold: Sequence[str] | None,
    **more: Any,
) -> Trained:
    """ClusterBERT: the stage that it picks itself, that of the best gold NMI, and TSDAE's."""
    from newsnest.train.recipes.clusterbert import ClusterbertSettings
    from newsnest.train.recipes.clusterbert.train import train_clusterbert

    told = {"k": str(k), "targets": "kmeans", **profile.clusterbert, **more}
    settings = ClusterbertSettings(
        data=("at hand",), base=BASE, output=Path("unused"), seed=seed, **told
    )
    done = train_clusterbert(texts, settings, gold=gold)
    stages = {stage.name: stage for stage in done.stages}
    chosen = {"ClusterBERT": done.picked, "ClusterBERT, best stage": done.oracle}
    if not more and "adaptation" in stages:
        chosen["TSDAE"] = "adaptation"
    vectors = {row: stages[name].vectors for row, name in chosen.items() if name}
    heads = {
        row: stages[name].probabilities.argmax(axis=1)
        for row, name in chosen.items()
        if name and row != "TSDAE"
    }
    said = {
        "picked": done.picked,
        "oracle": done.oracle,
        "k": done.k,
        "targets": done.targets,
        "stages": [stage.as_dict() for stage in done.stages],
    }
    return Trained(vectors, heads, said, done.model)


def train_contrast_rows(
    name: str, texts: Sequence[str], k: int, seed: int, profile: Profile
) -> Trained:
    """SCCL or VaSCL."""
    from newsnest.train.recipes.contrast import ScclSettings, VasclSettings
    from newsnest.train.recipes.contrast.train import train_contrast

    usual: dict[str, Any] = {
        "data": ("at hand",), "base": BASE, "output": Path("unused"), "seed": seed,
        **profile.contrast,
    }  # fmt: skip
    settings = ScclSettings(k=k, **usual) if name == "SCCL" else VasclSettings(**usual)
    done = train_contrast(texts, settings)
    heads = {} if done.labels is None else {name: done.labels}
    return Trained({name: done.vectors}, heads, {"loss": done.loss.get_config_dict()}, done.model)


ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "no reconstruction": {"clustering_weight": 1.0, "hardening_weight": 1.0},
    "no adaptation": {"adaptation_epochs": 0},
    "no hardening": {"hardening_epochs": 0},
    "clustered once more": {"clusterings": 2},
    "no noise": {"noise": 0.0},
    "targets of RAC": {"targets": "rac"},
}
"""One part of ClusterBERT changed; `clusterings` against the profile's own number."""
ON_ALL_SETS = "clustered once more"
"""What the recipe does by default, where the profile small does not."""


# ── clusterers ───────────────────────────────────────────────────────────────────────────────────


def kmeans(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    return np.asarray(KMeans(k, n_init=5, random_state=seed).fit_predict(vectors))


def rac(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    from newsnest.train.recipes.clusterbert.targets import cut_rac

    return np.asarray(cut_rac(vectors, k))


def idec(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    import torch

    from newsnest.train.idec import IDEC, IDECTraining

    device = "cuda" if torch.cuda.is_available() else "cpu"
    training = replace(IDECTraining(device=device), **profile.idec)
    return np.asarray(IDEC(k, training=training, seed=seed).fit_predict(vectors))


def reduced(vectors: Vectors, k: int, seed: int) -> Vectors:
    """UMAP as the paper has it: k + 1 dimensions, 15 neighbours."""
    from umap import UMAP

    model = UMAP(
        n_neighbors=NEIGHBOURS, n_components=k + 1, metric="cosine", random_state=seed, n_jobs=1
    )
    return np.asarray(model.fit_transform(vectors), np.float32)


def umap_kmeans(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    return kmeans(reduced(vectors, k, seed), k, seed, profile)


def umap_idec(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    return idec(reduced(vectors, k, seed), k, seed, profile)


def bertopic(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    """What BERTopic does by default; it chooses the number of clusters, and has outliers."""
    from clustering import USUAL_SIZE, hdbscan, umap

    return hdbscan(umap(vectors, seed), USUAL_SIZE)


def evoc(vectors: Vectors, k: int, seed: int, profile: Profile) -> NDArray[np.int64]:
    from evoc import EVoC

    return np.asarray(EVoC(random_state=seed).fit_predict(vectors))


Cluster = Callable[[Vectors, int, int, Profile], NDArray[np.int64]]
CLUSTERERS: Mapping[str, Cluster] = {
    "k-means": kmeans,
    "RAC": rac,
    "IDEC": idec,
    "UMAP+k-means": umap_kmeans,
    "UMAP+IDEC": umap_idec,
    "BERTopic": bertopic,
    "EVoC": evoc,
}
DEEP = ("UMAP+k-means", "IDEC", "UMAP+IDEC")
"""The dear ones: they have seeds of their own."""
OWN_NUMBER = ("BERTopic", "EVoC")
"""They choose the number of clusters, and are run on the frozen vectors alone."""
