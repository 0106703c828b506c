"""What the recipe `clusterbert` does, stage by stage; loads torch.

Differs from the source in: a small decoder that starts anew (`ReconstructionDecoder`), first
trained on the frozen base for an epoch; a head that starts at the clusters' centres instead of at
random, and keeps its clusters by Hungarian matching when the texts are clustered anew; targets by
RAC's stories beside k-means; and in who chooses: the source reports the best of its grid by the
gold labels, here an unsupervised test decides after every stage, and gold decides nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import cluster_scores
from newsnest.labelled.texts import MIN_TEXTS
from newsnest.progress import SILENT, Progress
from newsnest.train.cluster_head import ClusterHead
from newsnest.train.recipes.clusterbert import ClusterbertSettings, judge, targets
from newsnest.train.recipes.tsdae.autoencoder import Autoencoder, Targets
from newsnest.train.recipes.tsdae.train import Stage, prepare, train_stage
from newsnest.train.run import Checkpoints, Tensors, TrainingContext, begin
from newsnest.types import Ints, Labels, Vectors

_START = "kept-0"  # the name of its weights
_SCALE = 10.0  # of the centres: low enough that the encoder, not the head, must make clusters surer


def train_clusterbert(
    texts: Sequence[str],
    settings: ClusterbertSettings,
    *,
    gold: Sequence[str | None] | None = None,
    context: TrainingContext[ClusterbertSettings] | None = None,
    progress: Progress = SILENT,
) -> judge.Clustered:
    """Train on texts at hand; `settings.data` and `settings.output` are not looked at.

    Of the n texts, 20 at least, `settings.held_out` are held out. `gold` (n,), None or "" where
    unknown, is reported for every stage and never used. Without a context no checkpoints are kept.

    Raises ParameterError if there are too few texts, or gold is not one label per text, or the base
    gets no gradient; InputError if there are more clusters than different texts, or fewer than two
    that teach; EncoderError if the base cannot be found or loaded.

    An epoch costs what training on the texts with a batch of `settings.batch_size` does; each stage
    also encodes all texts and clusters them six times.
    """
    different = len(set(texts))
    if different < MIN_TEXTS:
        raise ParameterError(
            f"train_clusterbert: texts must be {MIN_TEXTS} different ones at least, got "
            f"{different}. Give more."
        )
    if settings.clusters is not None and settings.clusters > different:
        raise InputError(
            f"clusterbert: k must be at most the number of different texts, {different:,}, got "
            f"{settings.clusters:,}. Lower it."
        )
    if gold is not None and len(gold) != len(texts):
        raise ParameterError(
            f"train_clusterbert: gold must hold one label per text ({len(texts)}), got "
            f"{len(gold)}. Put None where there is none."
        )
    context = context or begin("clusterbert", settings, progress)
    auto, train, held = prepare(context, texts)
    gradient, kept = auto.check(train), Checkpoints(context.kept_at)
    run = _Run(auto, settings, train, held, gold, kept, progress, gradient)
    run.start()
    for stage in run.plan():
        run.do(stage)
    return run.outcome()


@dataclass
class _Run:
    """A training under way."""

    auto: Autoencoder
    settings: ClusterbertSettings
    train: Ints
    held: Ints
    gold: Sequence[str | None] | None
    kept: Checkpoints
    progress: Progress
    gradient: float
    results: list[judge.StageResult] = field(default_factory=list)
    given_up: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Train the decoder on the frozen base, choose the teacher, and give the head its start."""
        self.judge = judge.Judge(self.auto.tokens, self.train, self.held, self.settings.seed)
        if self._restored("start"):
            kept = self.kept.content["teacher"]
            self.teacher = targets.Teacher(
                kept["kind"], kept["k"], len(self.auto.texts), kept["chosen"]
            )
            return
        began = time.perf_counter()
        vectors = self.auto.encode()
        self.teacher = targets.choose_teacher(vectors, self.settings, progress=self.progress)
        labels = self.teacher.cluster(vectors, seed=self.settings.seed)
        names = _named(labels)
        self._check_taught(names)
        self._set_head(vectors, names)
        # Its checkpoint has the head too.
        epochs = self._train(Stage("start", 0, 1, frozen=True))
        self._close("start", vectors, labels, epochs, began)

    def _check_taught(self, names: Labels) -> None:
        """Report how many clusters teach, and raise where there are fewer than two."""
        heads, teacher = int(names.max()) + 1, self.teacher
        if heads < 2:
            raise InputError(
                f"clusterbert: at least two clusters must hold several texts, got {heads} of the "
                f"{teacher.k:,} that {teacher.kind} makes. Give another k, or targets=kmeans."
            )
        if heads < teacher.k:
            self.progress.note(
                f"{heads:,} of {teacher.k:,} clusters hold several texts and are learned; "
                "single texts are not"
            )

    def plan(self) -> list[Stage]:
        """Return the stages after the start, in their order."""
        s, stages = self.settings, []
        if s.adaptation_epochs:
            stages.append(Stage("adaptation", 1, s.adaptation_epochs))
        for number in range(1, s.clusterings + 1):
            name = f"clustering {number}"
            stages.append(Stage(name, 100 + number, s.clustering_epochs, self._cluster_targets))
        for number in range(1, s.hardening_epochs + 1):
            name = f"hardening {number}"
            stages.append(Stage(name, 10_000 + number, 1, self._hardening_targets))
        return stages

    def do(self, stage: Stage) -> None:
        """Do a stage, unless it was done before, or one of its family was given up."""
        if stage.family in self.given_up:
            return
        if not self._restored(stage.name):
            began = time.perf_counter()
            epochs = self._train(stage)
            vectors = self.auto.encode()
            labels = self.teacher.cluster(vectors, seed=self.settings.seed)
            if stage.targets is None:  # the head knows nothing of these vectors yet
                self._set_head(vectors, _named(labels))
            self._close(stage.name, vectors, labels, epochs, began)
        if not self.results[-1].kept:
            # Its weights are gone: the next of the family would begin where this one began.
            self.given_up.add(stage.family)

    def outcome(self) -> judge.Clustered:
        """Return what came of it."""
        start = self.results[0]
        picked = next(result for result in reversed(self.results) if result.kept)
        # Each stage was held against the one before: such steps need not add up to a gain.
        if picked is not start and not judge.is_better(picked.measures, start.measures)[0]:
            self.progress.note(
                f"{picked.name} is not better than the start by the unsupervised test: the "
                "weights of the start are kept"
            )
            picked = start
            self.auto.load(self.kept.load(_START))
        self.auto.model.eval()
        oracle = None
        if self.gold is not None:
            best = max(self.results, key=lambda result: (result.gold or {}).get("nmi", 0.0))
            oracle = best.name
        return judge.Clustered(
            model=self.auto.model,
            head=ClusterHead(*self.auto.head_arrays()),
            stages=tuple(self.results),
            picked=picked.name,
            oracle=oracle,
            k=self.teacher.k,
            targets=self.teacher.kind,
            chosen={
                **self.teacher.chosen,
                "trained_on": len(self.train),
                "held_out": len(self.held),
                "gradient_at_vectors": round(self.gradient, 6),
            },
        )

    def _train(self, stage: Stage) -> list[dict[str, float]]:
        return train_stage(stage, self.auto, self.train, self.held, self.kept, self.progress)

    def _set_head(self, vectors: Vectors, labels: Labels) -> None:
        """Start the head at the centres of the clusters."""
        centres = _centres(vectors[labels >= 0], labels[labels >= 0])
        self.auto.set_head(_SCALE * centres, np.zeros(len(centres), np.float32))

    def _cluster_targets(self) -> Targets:
        """Cluster anew; clusters the head knows keep their place in it, others get one."""
        vectors = self.auto.encode()
        labels = _named(self.teacher.cluster(vectors, seed=self.settings.seed))
        known = self.auto.probabilities(vectors)
        aligned = targets.align_labels(known.argmax(axis=1).astype(np.int32), labels)
        names = np.unique(aligned[aligned >= 0])
        codes = np.where(aligned >= 0, np.searchsorted(names, aligned), -1)
        weight = _SCALE * _centres(vectors[codes >= 0], codes[codes >= 0])
        bias = np.zeros(len(names), np.float32)
        stays = names < known.shape[1]
        for new, old in zip((weight, bias), self.auto.head_arrays(), strict=True):
            new[stays] = old[names[stays]]
        self.auto.set_head(weight, bias)
        shares = np.eye(len(names), dtype=np.float32)[np.maximum(codes, 0)]
        return Targets(shares, self._confidence(vectors, codes), self.settings.clustering_weight)

    def _hardening_targets(self) -> Targets:
        """Sharpen the head's predictions for the clean texts."""
        vectors = self.auto.encode()
        known = self.auto.probabilities(vectors)
        confidence = self._confidence(vectors, known.argmax(axis=1))
        shares = targets.sharpen(known, rows=self.train)
        return Targets(shares, confidence, self.settings.hardening_weight)

    def _confidence(self, vectors: Vectors, labels: Ints) -> Vectors:
        """Return 1 for each text that counts: all under k-means, members well within under RAC."""
        if self.teacher.kind == "kmeans":
            return np.ones(len(vectors), np.float32)
        inside = np.flatnonzero(labels >= 0)
        confidence = np.zeros(len(vectors), np.float32)
        own = labels[inside].astype(np.int32)
        confidence[inside] = targets.core_members(vectors[inside], own)
        return confidence

    def _close(
        self,
        name: str,
        vectors: Vectors,
        labels: Labels,
        epochs: list[dict[str, float]],
        began: float,
    ) -> None:
        """Judge a stage, keep its weights or those before, and report it."""
        start = self.results[0].vectors if self.results else vectors
        measures = self.judge.measure(vectors, labels, self.teacher, start)
        measures["reconstruction"] = epochs[-1]["held_out"]
        before = next((result for result in reversed(self.results) if result.kept), None)
        if before is not None:
            measures["agreement"] = cluster_scores(labels, before.labels).ari
        better, why = True, "Start"
        if before is not None:
            test = judge.adapts if name == "adaptation" else judge.is_better
            better, why = test(measures, before.measures)
        shares = self.auto.probabilities(vectors)
        result = judge.StageResult(
            name=name,
            vectors=vectors,
            labels=labels,
            probabilities=shares,
            measures=measures,
            gold=self._against_gold(labels, shares),
            epochs=tuple(epochs),
            kept=better,
            seconds=time.perf_counter() - began,
        )
        self.results.append(result)
        judge.report(result, why, self.progress)
        self._keep()

    def _keep(self) -> None:
        """Put the stage's arrays, and the weights to go on with, where a kill cannot reach them."""
        number, result = len(self.results) - 1, self.results[-1]
        files: dict[str, Tensors] = {
            name: {} for name in self.kept.names() if not name.startswith("epoch-")
        }
        files[f"stage-{number}"] = {
            "vectors": torch.from_numpy(result.vectors),
            "labels": torch.from_numpy(result.labels),
            "probabilities": torch.from_numpy(result.probabilities),
        }
        if result.kept:
            # Those of the start stay: the end is held against it.
            files = {name: v for name, v in files.items() if name[:5] != "kept-" or name == _START}
            files[f"kept-{number}"] = self.auto.state()
        stages = [one.as_dict() | {"exact": dict(one.measures)} for one in self.results]
        teacher = {"kind": self.teacher.kind, "k": self.teacher.k, "chosen": self.teacher.chosen}
        self.kept.save(files, stages=stages, teacher=teacher, now={})
        # After the record: a kill in between finds the stage judged, and `_restored` undoes it.
        if not result.kept:
            self._load_kept()

    def _load_kept(self) -> None:
        names = [name for name in self.kept.names() if name.startswith("kept-")]
        newest = max(names, key=lambda name: int(name.removeprefix("kept-")))
        self.auto.load(self.kept.load(newest))

    def _restored(self, name: str) -> bool:
        """Take a stage from the checkpoints, if it ended before an interruption."""
        number = len(self.results)
        stages = self.kept.content.get("stages", [])
        if number >= len(stages) or stages[number]["name"] != name:
            return False
        stage, arrays = stages[number], self.kept.load(f"stage-{number}")
        shares = arrays["probabilities"].numpy()
        labels = arrays["labels"].numpy()
        self.results.append(
            judge.StageResult(
                name=name,
                vectors=arrays["vectors"].numpy(),
                labels=labels,
                probabilities=shares,
                measures=stage["exact"],
                gold=self._against_gold(labels, shares),
                epochs=tuple(stage["epochs"]),
                kept=stage["kept"],
                seconds=stage["seconds"],
            )
        )
        self.progress.note(f"{name}: done before the interruption")
        if number == len(stages) - 1:
            self._load_kept()
        return True

    def _against_gold(self, labels: Labels, shares: Vectors) -> dict[str, float] | None:
        if self.gold is None:
            return None
        own = cluster_scores(labels, self.gold)
        head = cluster_scores(shares.argmax(axis=1), self.gold)
        return {
            "nmi": own.nmi,
            "accuracy": own.accuracy,
            "head_nmi": head.nmi,
            "head_accuracy": head.accuracy,
        }


def _named(labels: Labels) -> Labels:
    """Return clusters of two texts or more, numbered from 0; −1 for texts alone."""
    sizes = np.bincount(labels)
    names = np.where(sizes >= 2, np.cumsum(sizes >= 2) - 1, -1)
    if names.max() < 0:  # nothing but texts alone: each is what it is
        return labels
    return np.asarray(names[labels], np.int32)


def _centres(vectors: Vectors, labels: Labels | Ints) -> Vectors:
    """Return the unit centres (k, d) of clusters 0 … k − 1."""
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]), np.float64)
    np.add.at(sums, labels, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), np.float32)
