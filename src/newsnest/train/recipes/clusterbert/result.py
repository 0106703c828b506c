"""What the stages of the recipe `clusterbert` came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentence_transformers import SentenceTransformer

from newsnest.progress import Progress
from newsnest.train.cluster_head import ClusterHead
from newsnest.types import Labels, Vectors


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
