"""What the recipe `align` does, step by step; loads torch."""

from __future__ import annotations

from functools import partial
from typing import Any

from sentence_transformers import SentenceTransformer
from torch import nn

from newsnest.errors import InputError
from newsnest.evaluate.alignment import LEAST_SENTENCES
from newsnest.train.evaluators import TransferEvaluator
from newsnest.train.losses import TranslationLoss, TranslationTerms
from newsnest.train.recipes.align import AlignSettings
from newsnest.train.run import PairRun, Publication, TrainingContext, Validation
from newsnest.train.samplers import LengthBatchSampler


def train_align(context: TrainingContext[AlignSettings]) -> None:
    """Train as `newsnest.train.recipes.align.ALIGN` describes."""
    s, data = context.settings, context.read_pairs()
    held = data.validation
    if len(held) < LEAST_SENTENCES:
        raise InputError(
            f"train align: there must be {LEAST_SENTENCES} translations to validate on, got "
            f"{len(held)}. Give more data, or raise validation."
        )
    teacher = context.load_base()
    evaluator = TransferEvaluator(
        [pair.text1 for pair in held],
        [pair.text2 for pair in held],
        [pair.lang1 for pair in held],
        teacher=teacher,
        name=Validation.NAME,
    )
    run = PairRun(
        context=context,
        make_loss=partial(_make_loss, s, teacher),
        data=data,
        validation=Validation(evaluator, "transfer", "transfer"),
        sampler=LengthBatchSampler,
        connect_from=None,
    )
    run.train()
    pivot = data.train[0].lang2

    def publication(scores: dict[str, Any]) -> Publication:
        before, after = scores["before"], scores["after"]
        return Publication(
            title="An encoder that learnt other languages",
            text=f"""
Trained from {s.base} by `newsnest train align`.

| Validation: relational similarity with the base's {pivot} | Before | After |
|---|---|---|
| of translations | {before["relational"]:.4f} | {after["relational"]:.4f} |
| of {pivot} | 1.0000 | {after["kept"]:.4f} |
""",
            chosen={
                "pivot": pivot, "languages": sorted({pair.lang1 for pair in data.train}),
            },
        )  # fmt: skip

    run.publish(publication)


def _make_loss(
    s: AlignSettings, teacher: SentenceTransformer, model: SentenceTransformer
) -> TranslationLoss:
    if not s.dropout:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # what is saved stays the base's
    terms = TranslationTerms(s.original, s.similarity, s.contrastive, s.temperature)
    return TranslationLoss(model, teacher=teacher, terms=terms, mini_batch_size=s.mini_batch_size)
