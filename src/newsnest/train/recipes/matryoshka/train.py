"""What the recipe `matryoshka` does, step by step; loads torch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from transformers import set_seed

from newsnest.labelled import GradedReading, parse_data
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.matryoshka.page import readme
from newsnest.train.recipes.matryoshka.plan import (
    Plan,
    level_dataset,
    make_loss,
    make_plan,
    make_validation,
)
from newsnest.train.recipes.matryoshka.settings import MatryoshkaSettings
from newsnest.train.run.first_look import look_first
from newsnest.train.run.place import place_of
from newsnest.train.run.preflight import Preflight, look_at_batches
from newsnest.train.run.session import (
    Validation,
    begin,
    finish,
    make_trainer,
    train,
)
from newsnest.train.run.trainer import CheckpointTrainer


def train_matryoshka(settings: MatryoshkaSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.matryoshka.run` says."""
    start = begin(settings, progress)
    progress = start.progress
    s = settings
    usual = GradedReading(s.scale, s.same_is, s.per_grade, s.max_days, s.most)
    files = parse_data(s.data, usual)
    place = place_of("matryoshka", settings, start.base, files)
    if place.is_complete(progress):
        return settings.output
    plan = make_plan(settings, start, place, files)
    set_seed(settings.seed)  # the weights of LoRA are drawn
    validation = make_validation(plan)
    dataset = level_dataset(plan.data.train, plan.levels)
    trainer = make_trainer(plan, dataset, partial(make_loss, plan), validation)
    train(plan, trainer, partial(_look, plan, trainer, validation))
    page = partial(readme, loss=trainer.loss)
    return finish(plan, trainer, validation, partial(_metadata, plan), page)


def _look(plan: Plan, trainer: CheckpointTrainer, validation: Validation) -> None:
    """Look at data, gradient and time; say and keep what was found."""
    s, data = plan.settings, plan.data
    counts, batches = look_at_batches(
        data.train,
        plan.levels,
        connect_from=plan.connect_from,
        batch_size=s.batch_size,
        masked=s.variant == "clean",
        seed=s.seed,
    )
    found = Preflight(
        train_pairs=len(data.train),
        validation_pairs=len(data.validation),
        levels=counts,
        connect_from=plan.connect_from,
        batches=len(batches),
        mean_batch=len(data.train) / len(batches),
    )
    if data.leaking:
        plan.progress.note(
            f"{data.leaking:,} training pairs left out: held-out pairs share their articles "
            "or stories"
        )
    look_first(plan, trainer, validation, found, batches)


def _metadata(plan: Plan, model: SentenceTransformer) -> dict[str, Any]:
    return {
        "recipe": "matryoshka",
        "levels": [
            {"name": level.name, "dims": level.dims, "min_similarity": None}
            for level in plan.levels
        ],
        "data": list(plan.data.sources),
        "chosen": {
            "connect_from": plan.connect_from,
            "leaking_pairs_left_out": plan.data.leaking,
        },
    }
