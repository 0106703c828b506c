"""What the recipe `pretrain` does, step by step; loads torch."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from datasets import Dataset

from newsnest.errors import ParameterError
from newsnest.train.losses import MaskedRankingLoss
from newsnest.train.recipes.pretrain import PretrainSettings
from newsnest.train.recipes.pretrain.teacher import ask_teacher
from newsnest.train.run import PairRun, Publication, TrainingContext, column_names, judge_retrieval
from newsnest.train.samplers import Clustering, ClusterStratifiedBatchSampler, Strata

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
