"""What the recipe `matryoshka` does, step by step; loads torch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from accelerate import PartialState
from sentence_transformers import SentenceTransformer
from transformers import set_seed

from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.base import find_base
from newsnest.train.recipes.files import parse_file
from newsnest.train.recipes.matryoshka import MatryoshkaSettings
from newsnest.train.recipes.matryoshka_plan import (
    Plan,
    check_levels,
    level_dataset,
    make_loss,
    make_plan,
    make_validation,
    reading_of,
)
from newsnest.train.recipes.model_card import readme
from newsnest.train.recipes.place import Place
from newsnest.train.recipes.preflight import Preflight, look_at_batches
from newsnest.train.recipes.session import (
    Validation,
    finish,
    look_first,
    make_trainer,
    run_digest,
    train,
)
from newsnest.train.recipes.settings import settings_content
from newsnest.train.recipes.trainer import CheckpointTrainer


def train_matryoshka(settings: MatryoshkaSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.matryoshka.run` says."""
    check_levels(settings.levels)
    state = PartialState(cpu=settings.device == "cpu")
    progress = progress if state.is_main_process else SILENT
    base = find_base(
        settings.base,
        prefix=settings.prefix,
        pooling=settings.pooling,
        max_length=settings.max_length,
        progress=progress,
    )
    files = [parse_file(told, reading_of(settings)) for told in settings.data]
    place = Place(settings.output, run_digest(settings, base, files), settings_content(settings))
    if place.is_complete():
        progress.note(f"{settings.output}: this very training has ended already")
        return settings.output
    plan = make_plan(settings, base, place, files, state, progress)
    set_seed(settings.seed)  # the weights of LoRA are drawn
    validation = make_validation(plan)
    dataset = level_dataset(plan.data.train, plan.levels)
    trainer = make_trainer(plan, dataset, partial(make_loss, plan), validation)
    train(plan, trainer, partial(_look, plan, trainer, validation))
    if plan.is_main:
        page = partial(readme, loss=trainer.loss)
        finish(plan, trainer, validation, partial(_metadata, plan), page)
    state.wait_for_everyone()
    return settings.output


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
