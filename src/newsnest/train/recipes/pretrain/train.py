"""What the recipe `pretrain` does, step by step; loads torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from datasets import Dataset

from newsnest import cluster
from newsnest.drafts import drafted
from newsnest.embed import EncoderConfig, load_encoder
from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.progress import SILENT, Progress
from newsnest.train.losses import MaskedRankingLoss, TeacherVectors
from newsnest.train.recipes.pretrain import PretrainSettings
from newsnest.train.run import PairRun, Publication, TrainingContext, column_names, judge_retrieval
from newsnest.train.samplers import Clustering, ClusterStratifiedBatchSampler, Strata
from newsnest.types import Vectors

_CLUSTERED = {"query": "queries", "item": "items", "pair": "pairs", "none": "nothing"}


def train_pretrain(context: TrainingContext[PretrainSettings]) -> None:
    """Train as `newsnest.train.recipes.pretrain.PRETRAIN` describes."""
    s, place = context.settings, context.place
    data = context.read_pairs()
    with context.main_first():  # the others read what it has kept
        kept = place.checkpoints / f"teacher-{place.run[:16]}.npz"
        taught = ask_teacher(data.train, s, kept, progress=context.progress)
    strata = Strata(
        clusterings=taught.clusterings,
        sources=np.array(data.files) if s.sources == "apart" else None,
        schedule=s.schedule,
        start=s.random_steps,
        small=s.small_clusters,
        order=s.batch_order,
    )
    run = PairRun(
        context=context,
        make_loss=partial(
            MaskedRankingLoss,
            teacher=taught.vectors if s.mask else None,
            margin=s.mask_margin,
            temperature=s.temperature,
            mini_batch_size=s.mini_batch_size,
        ),
        data=data,
        # The label is the number of the row, by which the loss asks the teacher.
        dataset=Dataset.from_dict(
            {
                "text1": [pair.text1 for pair in data.train],
                "text2": [pair.text2 for pair in data.train],
                "label": list(range(len(data.train))),
            }
        ),
        judge=judge_retrieval(data, "ndcg_10"),
        sampler=partial(ClusterStratifiedBatchSampler, strata=strata),
    )
    sampler = run.sampler_made

    def notes() -> Iterator[str]:
        yield from _clusters_in_words(taught.clusterings, sampler, s.cluster_by)
        if s.mask:
            share = masked_share(list(sampler), run.trainer.loss)
            if share == 1:
                raise ParameterError(
                    "train pretrain: the mask must leave negatives, got none left. Lower "
                    "mask_margin, give a teacher that tells these texts apart, or set mask=false."
                )
            yield f"{share:.2%} of the negatives of the first epoch are masked"

    run.train(notes)

    teacher = {"name": s.teacher or s.base, "fingerprint": taught.fingerprint}
    publication = Publication(
        title="An encoder of news",
        text=f"Trained from {s.base} by `newsnest train pretrain` on pairs of "
        f"{column_names(data)}; batches by clusters of {_CLUSTERED[s.cluster_by]}.",
        chosen={
            "clusters": [len(one.centers) for one in taught.clusterings],
            "groups": [int((groups.sizes > 0).sum()) for groups in sampler.groups],
            "pairs_moved": sampler.moved,
            "batches": len(sampler),
        },
        details={"teacher": teacher if s.needs_teacher else None},
    )
    table = {"NDCG@10, the query looking for its item": "ndcg_10", "Recall@10": "recall_10"}
    run.publish(publication, table)


def masked_share(batches: Sequence[Sequence[int]], loss: MaskedRankingLoss) -> float:
    """Return which share of the in-batch negatives a loss leaves out."""
    masked = among = 0
    for batch in batches:
        masked += int(loss.masked(batch).sum())
        among += len(batch) * (len(batch) - 1)
    return masked / max(among, 1)


def _clusters_in_words(
    clusterings: Sequence[Clustering], sampler: ClusterStratifiedBatchSampler, by: str
) -> list[str]:
    if by == "none":
        return ["batches are random: cluster_by=none"]
    lines = []
    for clustering, groups in zip(clusterings, sampler.groups, strict=True):
        sizes = np.bincount(clustering.labels, minlength=len(clustering.centers))
        own = groups.sizes[groups.sizes > 0]
        lines.append(
            f"{len(sizes):,} clusters by {by} of {sizes.min():,} to "
            f"{sizes.max():,} pairs; batches are drawn from {len(own):,} groups of {own.min():,} "
            f"to {own.max():,}"
        )
    if sampler.moved:
        lines.append(
            f"{sampler.moved:,} pairs go to a neighbouring cluster: their own has more pairs with "
            "one text than batches"
        )
    return lines


@dataclass(frozen=True, slots=True)
class Taught:
    """A teacher's vectors and clusters of the training pairs."""

    fingerprint: str  # of the encoder; "" where it is not asked
    vectors: TeacherVectors | None  # None where it is not asked
    clusterings: tuple[Clustering, ...]  # one for every k, or one of a single cluster


def ask_teacher(
    pairs: Sequence[Pair], settings: PretrainSettings, kept: Path, *, progress: Progress = SILENT
) -> Taught:
    """Return the teacher's vectors and clusters of pairs, from a file where they are kept.

    The .npz file `kept` is read where it exists, else written. Raises EncoderError if the teacher
    cannot be found or loaded, and ParameterError if there are more clusters than pairs.
    """
    if not settings.needs_teacher:
        return Taught("", None, (_one_cluster(len(pairs)),))
    if settings.cluster_by != "none" and max(settings.k) > len(pairs):
        raise ParameterError(
            f"pretrain: k must be at most the number of pairs trained on, {len(pairs):,}, got "
            f"{max(settings.k):,}. Lower it, or give more pairs."
        )
    if not kept.is_file():
        found = _asked(pairs, settings, progress)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with drafted(kept) as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **found)
    with np.load(kept) as found:
        vectors = TeacherVectors(found["queries"], found["items"])
        fingerprint = str(found["fingerprint"])
        if settings.cluster_by == "none":
            return Taught(fingerprint, vectors, (_one_cluster(len(pairs)),))
        clusterings = tuple(
            Clustering(found[f"labels{k}"], found[f"centers{k}"]) for k in settings.k
        )
    return Taught(fingerprint, vectors, clusterings)


def clustered_vectors(teacher: TeacherVectors, by: str) -> Vectors:
    """Return the vectors that are clustered: of queries, items or pairs."""
    if by == "pair":
        return cluster.pair_vectors(teacher.queries, teacher.items)
    return teacher.queries if by == "query" else teacher.items


def _asked(
    pairs: Sequence[Pair], settings: PretrainSettings, progress: Progress
) -> dict[str, np.ndarray]:
    name = settings.teacher or settings.base
    device = "cpu" if settings.device == "cpu" else None
    encoder = load_encoder(name, config=EncoderConfig(device=device))
    place = {
        text: row
        for row, text in enumerate(dict.fromkeys(t for p in pairs for t in (p.text1, p.text2)))
    }
    encoder.prepare(list(place), progress=progress)
    vectors = encoder.encode(list(place), progress=progress)
    teacher = TeacherVectors(
        vectors[[place[p.text1] for p in pairs]], vectors[[place[p.text2] for p in pairs]]
    )
    found: dict[str, np.ndarray] = {
        "queries": teacher.queries,
        "items": teacher.items,
        "fingerprint": np.array(encoder.fingerprint),
    }
    if settings.cluster_by != "none":
        rows = clustered_vectors(teacher, settings.cluster_by)
        with progress.start("cluster", len(settings.k), "clusterings") as task:
            for k in settings.k:
                means = cluster.SphericalKMeans(k, seed=settings.seed).fit(rows)
                found[f"labels{k}"] = means.labels_
                found[f"centers{k}"] = means.cluster_centers_
                task.advance()
    return found


def _one_cluster(n: int) -> Clustering:
    return Clustering(np.zeros(n, np.int32), np.ones((1, 1), np.float32))
