"""What the recipe `align` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from torch import nn
from transformers import set_seed

from newsnest.errors import InputError
from newsnest.evaluate.alignment import LEAST_SENTENCES
from newsnest.labelled import (
    ParallelReading,
    Splitting,
    TrainingData,
    parse_data,
    read_translations,
)
from newsnest.progress import SILENT, Progress
from newsnest.train.evaluators import TransferEvaluator
from newsnest.train.losses import TranslationLoss, TranslationTerms
from newsnest.train.pairs import pair_dataset
from newsnest.train.recipes.align.settings import AlignSettings
from newsnest.train.run.base import kept_levels, load_base
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
from newsnest.train.samplers import LengthBatchSampler

_PAGE = (
    PAGE_HEAD
    + """# An encoder that learnt other languages

Trained from {base} by `newsnest train align`.

| Validation | Before | After |
|---|---|---|
| Relational similarity of translations with the base's {pivot} | {before:.4f} | {after:.4f} |
| Relational similarity of {pivot} with the base's {pivot} | 1.0000 | {kept:.4f} |

Data, settings, versions and preflight stand in newsnest.json.

## Source
```bibtex
{citation}
```
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignPlan(Session):
    """All that is known before the first step."""

    settings: AlignSettings
    data: TrainingData


def train_align(settings: AlignSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.align.run` says."""
    start = begin(settings, progress)
    progress = start.progress
    usual = ParallelReading(settings.pivot, settings.languages, settings.most)
    files = parse_data(settings.data, usual)
    place = place_of("align", settings, start.base, files)
    if place.is_complete(progress):
        return settings.output
    splitting = Splitting(
        share=settings.validation, max_validation=settings.validation_pairs, seed=settings.seed
    )
    plan = AlignPlan(
        **start.known(),
        place=place,
        data=read_translations(files, splitting, progress=progress),
        sampler=LengthBatchSampler,
    )
    set_seed(settings.seed)  # the weights of LoRA are drawn
    teacher = load_base(start.base, device=str(start.state.device))
    validation = _validation(plan, teacher)
    make_loss = partial(_loss, plan, teacher)
    trainer = make_trainer(plan, pair_dataset(plan.data.train), make_loss, validation)
    train(plan, trainer, partial(_look, plan, trainer, validation))
    return finish(plan, trainer, validation, partial(_metadata, plan), partial(_page, trainer.loss))


def _loss(
    plan: AlignPlan, teacher: SentenceTransformer, model: SentenceTransformer
) -> TranslationLoss:
    s = plan.settings
    if not s.dropout:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # what is saved stays the base's
    terms = TranslationTerms(s.original, s.similarity, s.contrastive, s.temperature)
    return TranslationLoss(model, teacher=teacher, terms=terms, mini_batch_size=s.mini_batch_size)


def _validation(plan: AlignPlan, teacher: SentenceTransformer) -> Validation:
    """Return how held-out translations are scored against the base's vectors of the originals."""
    pairs = plan.data.validation
    if len(pairs) < LEAST_SENTENCES:
        raise InputError(
            f"train align: there must be {LEAST_SENTENCES} translations to validate on, got "
            f"{len(pairs)}. Give more data, or raise validation."
        )
    evaluator = TransferEvaluator(
        [pair.text1 for pair in pairs],
        [pair.text2 for pair in pairs],
        [pair.lang1 for pair in pairs],
        teacher=teacher,
        name=Validation.NAME,
    )
    return Validation(evaluator, "transfer", "transfer")


def _look(plan: AlignPlan, trainer: CheckpointTrainer, validation: Validation) -> None:
    """Look at data, gradient and time; say and keep what was found."""
    data = plan.data
    if data.leaking:
        plan.progress.note(f"{data.leaking:,} translations left out: their sentences are held out")
    rows = len(data.train), len(data.validation)
    look_at_pairs(plan, trainer, validation, rows, list(batches_of(trainer)), connect_from=None)


def _metadata(plan: AlignPlan, model: SentenceTransformer) -> dict[str, Any]:
    return {
        "recipe": "align",
        **kept_levels(plan.base),
        "data": list(plan.data.sources),
        "chosen": {
            "pivot": plan.data.train[0].lang2,
            "languages": sorted({pair.lang1 for pair in plan.data.train}),
            "leaking_pairs_left_out": plan.data.leaking,
        },
    }


def _page(loss: TranslationLoss, metadata: Mapping[str, Any]) -> str:
    scores = metadata["validation"]
    return _PAGE.format(
        base=metadata["base"]["name"],
        pivot=metadata["chosen"]["pivot"],
        before=scores["before"]["relational"],
        after=scores["after"]["relational"],
        kept=scores["after"]["kept"],
        citation=loss.citation.strip(),
    )
