"""What the recipe `pretrain` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from torch import nn
from transformers import set_seed

from newsnest.errors import ParameterError
from newsnest.labelled import ColumnReading, Splitting, TrainingData, parse_data, read_column_pairs
from newsnest.progress import SILENT, Progress
from newsnest.train.losses import MaskedRankingLoss
from newsnest.train.pair_retrieval import PairRetrievalEvaluator
from newsnest.train.recipes.pretrain.settings import PretrainSettings
from newsnest.train.recipes.pretrain.teacher import Taught, ask_teacher, teacher_identity
from newsnest.train.run.base import kept_levels
from newsnest.train.run.first_look import batches_of, look_at_pairs
from newsnest.train.run.place import PAGE_HEAD, place_of
from newsnest.train.run.session import (
    Session,
    Validation,
    begin,
    finish,
    make_trainer,
    train,
)
from newsnest.train.run.trainer import CheckpointTrainer
from newsnest.train.samplers import ClusterStratifiedBatchSampler, Strata

_PAGE = (
    PAGE_HEAD
    + """# An encoder of news

Trained from {base} by `newsnest train pretrain` on pairs of {columns}; batches by clusters of
{clustered}.

| Validation | Before | After |
|---|---|---|
| NDCG@10, the query looking for its item | {before[ndcg_10]:.4f} | {after[ndcg_10]:.4f} |
| Recall@10 | {before[recall_10]:.4f} | {after[recall_10]:.4f} |

Data, settings, versions and preflight stand in newsnest.json.

## Source
```bibtex
{citation}
```
"""
)
_CONNECTED = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainPlan(Session):
    """All that is known before the first step."""

    settings: PretrainSettings
    data: TrainingData
    taught: Taught


def train_pretrain(settings: PretrainSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.pretrain.run` says."""
    start = begin(settings, progress)
    progress = start.progress
    usual = ColumnReading(settings.columns, settings.most, settings.profile)
    files = parse_data(settings.data, usual)
    teacher = teacher_identity(settings.teacher)
    place = place_of("pretrain", settings, start.base, files, teacher=teacher)
    if place.is_complete(progress):
        return settings.output
    splitting = Splitting(
        share=settings.validation, max_validation=settings.validation_pairs, seed=settings.seed
    )
    data = read_column_pairs(files, splitting, progress=progress)
    with start.state.main_process_first():  # the others read what it has kept
        kept = place.checkpoints / f"teacher-{place.run[:16]}.npz"
        taught = ask_teacher(data.train, settings, kept, progress=progress)
    plan = PretrainPlan(
        **start.known(),
        place=place,
        data=data,
        taught=taught,
        sampler=partial(ClusterStratifiedBatchSampler, strata=_strata(settings, data, taught)),
    )
    set_seed(settings.seed)  # the weights of LoRA are drawn
    texts = [(pair.text1, pair.text2) for pair in data.validation]
    evaluator = PairRetrievalEvaluator(texts, name=Validation.NAME)
    validation = Validation(evaluator, "ndcg_10", "NDCG@10")
    trainer = make_trainer(plan, _dataset(data), partial(_loss, plan), validation)
    sampler = batches_of(trainer)
    train(plan, trainer, partial(_look, plan, trainer, validation, sampler))
    tell = partial(_metadata, plan, sampler)
    return finish(plan, trainer, validation, tell, partial(_page, trainer.loss))


def _strata(settings: PretrainSettings, data: TrainingData, taught: Taught) -> Strata:
    """Return where batches are drawn from."""
    return Strata(
        clusterings=taught.clusterings,
        sources=np.array(data.files) if settings.sources == "apart" else None,
        schedule=settings.schedule,
        start=settings.start,
        small=settings.small,
        order=settings.order,
    )


def _dataset(data: TrainingData) -> Dataset:
    """Return the pairs; the label is the number of the row, by which the loss asks the teacher."""
    return Dataset.from_dict(
        {
            "text1": [pair.text1 for pair in data.train],
            "text2": [pair.text2 for pair in data.train],
            "label": list(range(len(data.train))),
        }
    )


def _loss(plan: PretrainPlan, model: SentenceTransformer) -> nn.Module:
    s = plan.settings
    return MaskedRankingLoss(
        model,
        teacher=plan.taught.vectors if s.mask else None,
        margin=s.mask_margin,
        temperature=s.temperature,
        mini_batch_size=s.mini_batch_size,
    )


def _look(
    plan: PretrainPlan,
    trainer: CheckpointTrainer,
    validation: Validation,
    sampler: ClusterStratifiedBatchSampler,
) -> None:
    """Look at data, clusters, gradient and time; say and keep what was found."""
    data = plan.data
    batches = list(sampler)
    if data.leaking:
        plan.progress.note(
            f"{data.leaking:,} pairs left out: held-out pairs have one of their texts, or their "
            "story"
        )
    for line in _clusters_in_words(plan, sampler):
        plan.progress.note(line)
    if plan.settings.mask:
        share = masked_share(batches, trainer.loss)
        if share == 1:
            raise ParameterError(
                "train pretrain: the mask must leave negatives, got none left. Lower mask_margin, "
                "give a teacher that tells these texts apart, or set mask=false."
            )
        plan.progress.note(f"{share:.2%} of the negatives of the first epoch are masked")
    rows = (len(data.train), len(data.validation))
    look_at_pairs(plan, trainer, validation, rows, batches, connect_from=_CONNECTED)


def masked_share(batches: Sequence[Sequence[int]], loss: MaskedRankingLoss) -> float:
    """Return which share of the in-batch negatives a loss leaves out."""
    masked = among = 0
    for batch in batches:
        masked += int(loss.masked(batch).sum())
        among += len(batch) * (len(batch) - 1)
    return masked / max(among, 1)


def _clusters_in_words(plan: PretrainPlan, sampler: ClusterStratifiedBatchSampler) -> list[str]:
    if plan.settings.cluster_by == "none":
        return ["batches are random: cluster_by=none"]
    told = []
    for clustering, groups in zip(plan.taught.clusterings, sampler.groups, strict=True):
        sizes = np.bincount(clustering.labels, minlength=len(clustering.centers))
        own = groups.sizes[groups.sizes > 0]
        told.append(
            f"{len(sizes):,} clusters by {plan.settings.cluster_by} of {sizes.min():,} to "
            f"{sizes.max():,} pairs; batches are drawn from {len(own):,} groups of {own.min():,} "
            f"to {own.max():,}"
        )
    if sampler.moved:
        told.append(
            f"{sampler.moved:,} pairs go to a neighbouring cluster: their own has more pairs with "
            "one text than batches"
        )
    return told


def _metadata(
    plan: PretrainPlan, sampler: ClusterStratifiedBatchSampler, model: SentenceTransformer
) -> dict[str, Any]:
    s = plan.settings
    return {
        "recipe": "pretrain",
        **kept_levels(plan.base),
        "data": list(plan.data.sources),
        "teacher": None
        if not s.needs_teacher
        else {"name": s.teacher or s.base, "fingerprint": plan.taught.fingerprint},
        "chosen": {
            "leaking_pairs_left_out": plan.data.leaking,
            "clusters": [len(one.centers) for one in plan.taught.clusterings],
            "groups": [int((groups.sizes > 0).sum()) for groups in sampler.groups],
            "pairs_moved": sampler.moved,
            "batches": len(sampler),
        },
    }


def _page(loss: Any, metadata: Mapping[str, Any]) -> str:
    settings, scores = metadata["settings"], metadata["validation"]
    columns = dict.fromkeys(tuple(source["reading"]["columns"]) for source in metadata["data"])
    by = {"query": "queries", "item": "items", "pair": "pairs", "none": "nothing"}
    return _PAGE.format(
        base=metadata["base"]["name"],
        columns=", ".join(" and ".join(two) for two in columns),
        clustered=by[settings["cluster_by"]],
        before=scores["before"],
        after=scores["after"],
        citation=loss.citation.strip(),
    )
