"""How good a stage is without labels, and whether it is better than the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import RidgeCV

from newsnest.evaluate import cluster_samples, dunn, silhouette, stability
from newsnest.train.recipes.clusterbert.targets import Teacher
from newsnest.types import Labels, Vectors

_MEASURED = 5000  # rows: what a mean over more would add is not worth the time
_SAMPLES = 4
_TOPICS = 100  # directions of the texts' words that the vectors are asked for
_ALPHAS = (0.01, 0.1, 1.0, 10.0)
_LEAST_WORDS = 0.01  # a share of less is none
_LEAST_LEFT = 2 / 3  # of the agreement that clusters of samples have with each other

Rows = NDArray[np.int64]


class Judge:
    """Measures stages, all on the same texts and by the same words.

    Parameters
    ----------
    tokens
        Of each text, numbers of its tokens.
    train, held
        int64: rows trained on, and rows held out.
    seed
        Of samples and clusterings.
    """

    def __init__(self, tokens: Sequence[NDArray[np.int64]], train: Rows, held: Rows, seed: int):
        self.train, self.held, self.seed = train, held, seed
        n = len(tokens)
        kept = np.arange(n)
        if n > _MEASURED:
            kept = np.sort(np.random.default_rng([4, seed]).choice(n, _MEASURED, replace=False))
        self.rows = kept
        self.words = _word_vectors(tokens, train, seed)

    def measure(self, vectors: Vectors, labels: Labels, teacher: Teacher) -> dict[str, float]:
        """Return silhouette, dunn, stability, words and clusters of a stage.

        Parameters
        ----------
        vectors
            Unit vectors (n, d) of the clean texts.
        labels
            int32 (n,), the teacher's clusters of them.
        teacher
            Clusters samples of them for the stability.
        """
        sample, own = vectors[self.rows], labels[self.rows]
        told = {"clusters": float(len(np.unique(labels))), "measured_on": float(len(self.rows))}
        if len(np.unique(own)) < 2:  # a collapse: nothing is told apart any more
            return told | {"silhouette": -1.0, "dunn": 0.0, "stability": 0.0, "words": 0.0}
        seeds = iter(range(self.seed + 1, self.seed + 1 + _SAMPLES))
        again = cluster_samples(
            lambda rows: teacher.cluster(sample[rows], seed=next(seeds)),
            len(sample),
            samples=_SAMPLES,
            seed=self.seed,
        )
        return told | {
            "silhouette": float(silhouette(sample, own, resamples=0).value),
            "dunn": float(dunn(sample, own)),
            "stability": stability(again),
            "words": self.words_told(vectors),
        }

    def words_told(self, vectors: Vectors) -> float:
        """Return the share of the variance of held-out texts' words that their vectors tell.

        A linear map from vectors to words is fitted on the texts trained on, the same way for every
        stage; a stage that forgets what the texts say scores lower.
        """
        fitted = RidgeCV(alphas=_ALPHAS).fit(vectors[self.train], self.words[self.train])
        found = fitted.predict(vectors[self.held])
        wanted = self.words[self.held]
        left = float(((wanted - found) ** 2).sum())
        whole = float(((wanted - self.words[self.train].mean(axis=0)) ** 2).sum())
        return max(0.0, 1.0 - left / whole) if whole else 0.0


def _word_vectors(
    tokens: Sequence[NDArray[np.int64]], train: Rows, seed: int
) -> NDArray[np.float64]:
    """Return the texts by their main directions of TF-IDF, fitted on those trained on."""
    width = 1 + max(int(row.max(initial=0)) for row in tokens)
    places = np.repeat(np.arange(len(tokens)), [len(row) for row in tokens])
    counts = sparse.csr_array(
        (np.ones(len(places)), (places, np.concatenate(tokens))), shape=(len(tokens), width)
    )
    weighted = TfidfTransformer(sublinear_tf=True).fit(counts[train]).transform(counts)
    topics = min(_TOPICS, width - 1, len(train) - 1)
    if topics < 1:
        return np.asarray(weighted.todense(), np.float64)
    return np.asarray(
        TruncatedSVD(topics, random_state=seed).fit(weighted[train]).transform(weighted)
    )


def is_better(
    now: Mapping[str, float], before: Mapping[str, float] | None, *, adapting: bool = False
) -> tuple[bool, str]:
    """Tell whether a stage is better than the one before it, and why, in words.

    Three changes are added up: that of the silhouette, that of the stability, and what is lost of
    the words told, as a share of those told before. The first two alone would reward a collapse
    onto any clusters whatever: what is forgotten counts against it. To tell more words counts only
    where that is what the stage is for: alone it makes no better clusters, and may replace what
    the base knows. So that stage must also leave two thirds of the clusters that were stable.

    Parameters
    ----------
    now, before
        As `Judge.measure` returns them; None: there is nothing before it, and it is kept.
    adapting
        Whether the stage is for telling more words: these then count for it, and `now` also has
        its "agreement", the adjusted Rand index of its clusters with those before.
    """
    if before is None:
        return True, "Start"
    change = {name: now[name] - before[name] for name in ("silhouette", "stability")}
    words = now["words"] / max(before["words"], _LEAST_WORDS) - 1
    change["words"] = words if adapting else min(0.0, words)
    if adapting and before["stability"] > 0:
        left = now["agreement"] / before["stability"]
        if left < _LEAST_LEFT:
            return False, (
                f"Not better by the unsupervised test (only {left:.0%} of the stable clusters are "
                "left): the weights before it are kept"
            )
    told = f"{sum(change.values()):+.3f}: " + ", ".join(f"{n} {v:+.3f}" for n, v in change.items())
    if sum(change.values()) > 0:
        return True, f"Better by the unsupervised test ({told}): kept"
    return False, f"Not better by the unsupervised test ({told}): the weights before it are kept"
