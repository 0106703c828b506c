"""What a stage came to, how good it is without labels, and whether it beats the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sentence_transformers import SentenceTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import RidgeCV

from newsnest.evaluate import cluster_samples, dunn, silhouette, stability
from newsnest.progress import Progress
from newsnest.train.cluster_head import ClusterHead
from newsnest.train.recipes.clusterbert.targets import Teacher
from newsnest.types import Floats, Ints, Labels, Vectors

_MEASURED = 5000  # rows: what a mean over more would add is not worth the time
_SAMPLES = 4
_TOPICS = 100  # directions of the texts' words that the vectors are asked for
_ALPHAS = (0.01, 0.1, 1.0, 10.0)
_MIN_MEASURE = 0.01  # a silhouette or share of less is none
_MIN_KEPT = 2 / 3  # of the agreement that clusters of samples have with each other


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage came to; n texts in the order given, held-out ones included."""

    name: str  # "start" (the frozen base), "adaptation", "clustering 1" …, "hardening 1" …
    vectors: Vectors  # float32 (n, d), unit vectors of the clean texts
    labels: Labels  # int32 (n,): clusters of these vectors by the teacher
    probabilities: Vectors  # float32 (n, k): the head's soft assignment
    measures: Mapping[str, float]  # as `Judge.measure` returns them, and reconstruction
    # nmi and accuracy of `labels`, head_nmi and head_accuracy of the head; None without gold.
    gold: Mapping[str, float] | None
    epochs: tuple[Mapping[str, float], ...]  # the losses of each
    kept: bool  # the next stage went on from it
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return all but the arrays, ready for JSON."""
        return {
            "name": self.name,
            "kept": self.kept,
            "measures": _rounded(self.measures),
            "gold": None if self.gold is None else _rounded(self.gold),
            "epochs": [_rounded(epoch) for epoch in self.epochs],
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class Clustered:
    """A trained encoder, its head, and every stage on the way."""

    model: SentenceTransformer  # stock modules only
    head: ClusterHead
    stages: tuple[StageResult, ...]  # in their order, "start" first
    picked: str  # the stage whose weights `model` has: chosen without labels
    # The stage with the best gold NMI, which nobody without labels can pick (leakage); None without
    # gold.
    oracle: str | None
    k: int  # how many clusters the teacher makes
    targets: str  # "kmeans" or "rac"
    chosen: Mapping[str, Any]  # how k and targets came about, and the gradient found; JSON


def report(result: StageResult, why: str, progress: Progress) -> None:
    """Report how a stage was judged, and its scores against gold."""
    shown = ("silhouette", "dunn", "stability", "words", "words_by_cluster")
    line = ", ".join(f"{key.replace('_', ' ')} {result.measures[key]:.3f}" for key in shown)
    progress.note(f"{result.name}: {line}. {why}")
    if result.gold is not None:
        progress.note(
            f"{result.name}, against gold (reported, never used): NMI {result.gold['nmi']:.3f}, "
            f"ACC {result.gold['accuracy']:.3f}; head {result.gold['head_nmi']:.3f}, "
            f"{result.gold['head_accuracy']:.3f}"
        )


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {key: round(float(value), 6) for key, value in values.items()}


class Judge:
    """Measures stages, all on the same texts and by the same words.

    `tokens` are the numbers of each text's tokens, `train` and `held` the rows trained on and held
    out; `seed` is of samples and clusterings.
    """

    def __init__(self, tokens: Sequence[Ints], train: Ints, held: Ints, seed: int):
        self.train, self.held, self.seed = train, held, seed
        n = len(tokens)
        kept = np.arange(n)
        if n > _MEASURED:
            kept = np.sort(np.random.default_rng([4, seed]).choice(n, _MEASURED, replace=False))
        self.rows = kept
        self.words = _word_vectors(tokens, train, seed)

    def measure(
        self, vectors: Vectors, labels: Labels, teacher: Teacher, start: Vectors
    ) -> dict[str, float]:
        """Return what `is_better` and `adapts` look at, dunn, and the number of clusters.

        From unit vectors (n, d) of the clean texts, the teacher's clusters of them, int32 (n,), and
        `start`, unit vectors (n, d) of the base; the teacher clusters samples for the stability.
        """
        sample, own = vectors[self.rows], labels[self.rows]
        measures = {"clusters": float(len(np.unique(labels))), "measured_on": float(len(self.rows))}
        if len(np.unique(own)) < 2:  # a collapse: all texts are in one cluster
            return measures | {
                "silhouette": -1.0, "silhouette_at_start": -1.0, "dunn": 0.0, "stability": 0.0,
                "words": 0.0, "words_by_cluster": 0.0,
            }  # fmt: skip
        seeds = iter(range(self.seed + 1, self.seed + 1 + _SAMPLES))
        again = cluster_samples(
            lambda rows: teacher.cluster(sample[rows], seed=next(seeds)),
            len(sample),
            samples=_SAMPLES,
            seed=self.seed,
        )
        return measures | {
            "silhouette": float(silhouette(sample, own, resamples=0).value),
            "silhouette_at_start": float(silhouette(start[self.rows], own, resamples=0).value),
            "dunn": float(dunn(sample, own)),
            "stability": stability(again),
            "words": self.words_explained(vectors),
            "words_by_cluster": self.words_by_cluster(labels),
        }

    def words_by_cluster(self, labels: Labels) -> float:
        """Return the share of the variance of all texts' words that lies between clusters."""
        sizes = np.bincount(labels)
        sums = np.zeros((len(sizes), self.words.shape[1]))
        np.add.at(sums, labels, self.words)
        centred = sums / np.maximum(sizes, 1)[:, None] - self.words.mean(axis=0)
        whole = len(labels) * self.words.var(axis=0).sum()
        return float(sizes @ (centred**2).sum(axis=1) / whole) if whole else 0.0

    def words_explained(self, vectors: Vectors) -> float:
        """Return the share of the variance of held-out texts' words that their vectors explain.

        A linear map from vectors to words is fitted on the texts trained on, the same way for every
        stage; a stage that forgets what the texts are about scores lower.
        """
        fitted = RidgeCV(alphas=_ALPHAS).fit(vectors[self.train], self.words[self.train])
        found = fitted.predict(vectors[self.held])
        wanted = self.words[self.held]
        left = float(((wanted - found) ** 2).sum())
        whole = float(((wanted - self.words[self.train].mean(axis=0)) ** 2).sum())
        return max(0.0, 1.0 - left / whole) if whole else 0.0


def _word_vectors(tokens: Sequence[Ints], train: Ints, seed: int) -> Floats:
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


Verdict = tuple[bool, str]
"""Whether a stage is kept, and why, in words."""


def is_better(now: Mapping[str, float], before: Mapping[str, float]) -> Verdict:
    """Tell whether the clusters of a stage are better than those of one before it.

    A stage trains vectors to show its own clusters, so that these lie apart in them proves nothing.
    Three changes are added up: of the share of the words that the clusters explain and of how well
    they lie apart as the base saw the texts, as shares of what was, and of the stability. Both
    mappings are as `Judge.measure` returns them.
    """
    return _verdict({
        "words by cluster": _share(now, before, "words_by_cluster"),
        "silhouette at the start": _share(now, before, "silhouette_at_start"),
        "stability": now["stability"] - before["stability"],
    })  # fmt: skip


def adapts(now: Mapping[str, float], before: Mapping[str, float]) -> Verdict:
    """Tell whether adaptation did what it is for: vectors that explain more of the words.

    Its clusters are not better yet, but may be after the stages that follow. The changes of
    silhouette and stability count against the words won, and two thirds of the clusters that were
    stable must be left. Both mappings are as `Judge.measure` returns them; `now` also has its
    "agreement", the adjusted Rand index of its clusters with those before.
    """
    if before["stability"] > 0:
        left = now["agreement"] / before["stability"]
        if left < _MIN_KEPT:
            return False, (
                f"Not better by the unsupervised test (only {left:.0%} of the stable clusters are "
                "left): the weights before it are kept"
            )
    change = {name: now[name] - before[name] for name in ("silhouette", "stability")}
    return _verdict({**change, "words": _share(now, before, "words")})


def _share(now: Mapping[str, float], before: Mapping[str, float], name: str) -> float:
    return (now[name] - before[name]) / max(abs(before[name]), _MIN_MEASURE)


def _verdict(change: Mapping[str, float]) -> Verdict:
    shown = f"{sum(change.values()):+.3f}: " + ", ".join(f"{n} {v:+.3f}" for n, v in change.items())
    if sum(change.values()) > 0:
        return True, f"Better by the unsupervised test ({shown}): kept"
    return False, f"Not better by the unsupervised test ({shown}): the weights before it are kept"
