"""Other clusterers for the finest level.

rac             our own: average linkage, no noise
hdbscan[:SIZE]  scikit-learn's HDBSCAN; SIZE is that of the smallest cluster
kmeans:K        scikit-learn's k-means on unit vectors, K clusters

Coarser levels are average linkage over what the finest one found, whatever found it.
"""

import re
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from newsnest.errors import ParameterError, did_you_mean
from newsnest.types import Floats, Ints, Vectors

CLUSTERERS = ("rac", "hdbscan", "kmeans")
NOISE = -1

_USUAL_SIZE = 5
_SPELLING = re.compile(r"([a-z]+)(?::(-?[0-9]+))?", re.ASCII)


@dataclass(slots=True)
class FinestClusterer:
    """Clusters the rows of the finest level.

    Parameters
    ----------
    name
        "hdbscan" or "kmeans".
    number
        Size of the smallest cluster, or how many clusters.
    noise
        After a call: how many rows were noise. Each became a singleton cluster: a hierarchy has no
        noise, and one cluster of all of it would be the largest and the least coherent.
    """

    name: str
    number: int
    noise: int = 0

    def check(self, texts: int) -> None:
        """Raise ParameterError for fewer texts than clusters; ask before they are encoded."""
        if self.name == "kmeans" and self.number > texts:
            raise ParameterError(
                f"kmeans: K must be at most {texts:,}, the number of texts, got {self.number}. "
                "Ask for fewer stories."
            )

    def __call__(self, rows: Vectors, weights: Floats) -> Ints:
        """Return a label of every row, int64 (n,), in no order; check the number of rows first.

        Rows are of unit length, float32 (n, d): Euclidean distances order as cosines do. Of the
        weights, float64 (n,), k-means counts each row so often, HDBSCAN does not look at them.

        One thread, one seed: the same rows give the same labels. HDBSCAN is O(n²) in this many
        dimensions.
        """
        from sklearn.cluster import HDBSCAN, KMeans

        self.check(len(rows))
        with threadpool_limits(limits=1):
            if self.name == "kmeans":
                model = KMeans(self.number, n_init=3, random_state=0)
                return np.asarray(model.fit(rows, sample_weight=weights).labels_, np.int64)
            if len(rows) <= self.number:  # scikit-learn wants more rows than a cluster has
                labels = np.full(len(rows), NOISE, np.int64)
            else:
                found = HDBSCAN(min_cluster_size=self.number, n_jobs=1, copy=True).fit(rows)
                labels = np.asarray(found.labels_, np.int64)
        alone = labels == NOISE
        self.noise = int(alone.sum())
        labels[alone] = labels.max(initial=0) + 1 + np.arange(self.noise)
        return labels


def finest_clusterer(given: str) -> FinestClusterer | None:
    """Parse "hdbscan", "hdbscan:5" or "kmeans:500"; None for "rac".

    Raises
    ------
    ParameterError
        If there is none of that name, or its number is missing, too small, or means nothing.

    Example
    -------
    >>> finest_clusterer("kmeans:500")
    FinestClusterer(name='kmeans', number=500, noise=0)
    """
    match = _SPELLING.fullmatch(given)
    name, number = (match[1], match[2]) if match else (given.partition(":")[0], None)
    if match is None or name not in CLUSTERERS:
        cure = did_you_mean(name, CLUSTERERS)
        if name in CLUSTERERS:
            cure = " Write a whole number after the colon."
        raise ParameterError(
            "finest_clusterer: clusterer must be rac, hdbscan, hdbscan:SIZE or kmeans:K, got "
            f"{given!r}.{cure or ' Choose one of them.'}"
        )
    if name == "rac":
        if number is not None:
            raise ParameterError(
                f"finest_clusterer: rac must stand alone, got {given!r}. It is cut by "
                "min_similarity."
            )
        return None
    if name == "kmeans" and number is None:
        raise ParameterError(
            "finest_clusterer: kmeans must have a number of clusters, got none. Write kmeans:500."
        )
    count = _USUAL_SIZE if number is None else int(number)
    if count < 2:
        raise ParameterError(
            f"finest_clusterer: the number of {name} must be at least 2, got {count}. Raise it."
        )
    return FinestClusterer(name, count)
