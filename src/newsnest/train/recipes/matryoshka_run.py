"""What the recipe `matryoshka` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.progress import SILENT, Progress
from newsnest.train.recipes.base import (
    add_lora,
    average_weights,
    find_base,
    load_base,
    merge_lora,
    prefix_of,
)
from newsnest.train.recipes.files import parse_file
from newsnest.train.recipes.matryoshka import MatryoshkaSettings
from newsnest.train.recipes.matryoshka_plan import (
    EVALUATOR,
    Plan,
    check_levels,
    level_dataset,
    make_evaluator,
    make_loss,
    make_plan,
    reading_of,
    run_digest,
)
from newsnest.train.recipes.model_card import readme, versions
from newsnest.train.recipes.place import Place
from newsnest.train.recipes.preflight import (
    Preflight,
    Stopwatch,
    check_gradient,
    look_at_batches,
    same_dice,
)
from newsnest.train.recipes.settings import settings_content
from newsnest.train.recipes.trainer import (
    CheckpointTrainer,
    Reporter,
    last_checkpoint,
)
from newsnest.train.samplers import ComponentBatchSampler

_TIMED_STEPS, _TIMED_SECONDS = 3, 20.0
_METRIC = f"{EVALUATOR}_pearson"


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
    place = Place(settings.output, run_digest(settings, base, files))
    if place.is_complete():
        progress.note(f"{settings.output}: this very training has ended already")
        return settings.output
    plan = make_plan(settings, base, place, files, state, progress)
    set_seed(settings.seed)  # the weights of LoRA are drawn
    trainer = _trainer(plan)
    # One process looks and tells the others: what lies on the disk may change in between.
    found = (bool(place.kept()), last_checkpoint(place.checkpoints)) if plan.is_main else None
    (found,) = broadcast_object_list([found])
    assert found is not None
    begun, checkpoint = found
    if begun:
        where = checkpoint.name if checkpoint else "the first step"
        progress.note(f"going on from {where} in {place.checkpoints}")
    else:
        _preflight(plan, trainer)
    reporter = next(c for c in trainer.callback_handler.callbacks if isinstance(c, Reporter))
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        reporter.close()
    if plan.is_main:
        _finish(plan, trainer)
    state.wait_for_everyone()
    return settings.output


def _trainer(plan: Plan) -> CheckpointTrainer:
    s = plan.settings
    model = load_base(plan.base, device=str(plan.state.device))
    if s.lora:
        add_lora(model, s.lora)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(plan.place.checkpoints),
        per_device_train_batch_size=s.batch_size,
        num_train_epochs=s.epochs,
        learning_rate=plan.learning_rate,
        warmup_steps=s.warmup,
        weight_decay=s.weight_decay,
        bf16=plan.bfloat16,
        use_cpu=plan.state.device.type == "cpu",
        batch_sampler=partial(ComponentBatchSampler, min_score=plan.connect_from),
        prompts=prefix_of(model) or None,
        eval_strategy="steps",
        save_strategy="steps",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{_METRIC}",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        report_to=list(s.report_to),
        seed=s.seed,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        dataloader_pin_memory=plan.state.device.type == "cuda",
    )
    # With several processes it is set to True; our sampler deals them equally many batches itself.
    arguments.dataloader_drop_last = False
    trainer = CheckpointTrainer(
        model=model,
        args=arguments,
        train_dataset=level_dataset(plan.data.train, plan.levels),
        loss=make_loss(plan, model),
        evaluator=make_evaluator(plan),
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=s.patience),
            Reporter(plan.progress, f"eval_{_METRIC}"),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    every = max(1, len(trainer.get_train_dataloader()) // s.evaluations)
    arguments.eval_steps = arguments.save_steps = every
    arguments.logging_steps = min(50, every)
    return trainer


def _preflight(plan: Plan, trainer: CheckpointTrainer) -> None:
    """Look at data, gradient and time; say and keep what was found."""
    s, progress = plan.settings, plan.progress
    counts, batches = look_at_batches(
        plan.data.train,
        plan.levels,
        connect_from=plan.connect_from,
        batch_size=s.batch_size,
        masked=s.variant == "clean",
        seed=s.seed,
    )
    found = Preflight(
        train_pairs=len(plan.data.train),
        validation_pairs=len(plan.data.validation),
        levels=counts,
        connect_from=plan.connect_from,
        batches=len(batches),
        mean_batch=len(plan.data.train) / len(batches),
    )
    model = trainer.model
    with same_dice():
        gradient, seconds = _timed_steps(trainer, batches)
    watch = Stopwatch(plan.state.device)
    # Not by the trainer: it would take the model for prepared, and no process would then hear of
    # the gradients of the others.
    before = _scores(plan, model) if plan.is_main else {}
    steps = int(np.ceil(len(trainer.get_train_dataloader()) * s.epochs))
    found = replace(
        found,
        gradient=gradient,
        trained_weights=sum(p.numel() for p in model.parameters() if p.requires_grad),
        weights=sum(p.numel() for p in model.parameters()),
        step_seconds=seconds,
        evaluation_seconds=watch.seconds(),
        steps=steps,
        evaluations=-(-steps // int(trainer.args.eval_steps)),
    )
    if plan.data.leaking:
        progress.note(
            f"{plan.data.leaking:,} training pairs left out: held-out pairs share their articles "
            "or stories"
        )
    for line in found.lines():
        progress.note(line)
    if plan.is_main:
        progress.note(f"before training: validation Pearson {before['pearson']:.4f}")
        plan.place.keep({"preflight": found.as_dict(), "before": before})


def _timed_steps(
    trainer: CheckpointTrainer, batches: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the length of the gradient of a first batch, and the seconds a step takes."""
    model = trainer.model.train()
    device = model.device
    gradient = 0.0
    times: list[float] = []
    whole = Stopwatch(device)
    largest = sorted(batches, key=len)[len(batches) // 2 :]  # a usual batch or a larger one
    for rows in largest[: 1 + _TIMED_STEPS]:
        watch = Stopwatch(device)
        features = trainer.data_collator([trainer.train_dataset[row] for row in rows])
        inputs = trainer._prepare_inputs(features)
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, inputs)
        loss.backward()
        if not gradient:
            gradient = check_gradient(loss, model)
        model.zero_grad(set_to_none=True)
        times.append(watch.seconds())
        if whole.seconds() > _TIMED_SECONDS:
            break
    # The first step also warms up; it counts where there is no other.
    return gradient, float(np.median(times[1:] or times))


def _scores(plan: Plan, model: SentenceTransformer) -> dict[str, float]:
    """Return the scores of a model on the validation pairs, by their plain names."""
    found = make_evaluator(plan)(model)
    return {name.removeprefix(f"{EVALUATOR}_"): value for name, value in found.items()}


def _finish(plan: Plan, trainer: CheckpointTrainer) -> None:
    """Make a stock model of the best weights, measure it, and write it."""
    s = plan.settings
    model = load_base(plan.base, device=str(plan.state.device))
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    if s.lora:
        add_lora(model, s.lora)
    model.load_state_dict(trainer.model.state_dict())
    if s.lora:
        merge_lora(model)
    after = trained = _scores(plan, model)
    if s.average:
        average_weights(model, start, s.average)
        after = _scores(plan, model)
    kept = plan.place.kept()
    metadata = _metadata(plan, trainer, model)
    metadata["preflight"] = kept["preflight"]
    metadata["validation"] = {
        "before": kept["before"],
        "trained": trained,
        "after": after,
        "best_step": trainer.state.best_global_step,
        "steps": trainer.state.global_step,
    }

    def save(folder: Path) -> None:
        with quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(readme(metadata, trainer.loss), encoding="utf-8")

    plan.place.publish(save, metadata)
    gained = after["pearson"] - kept["before"]["pearson"]
    plan.progress.note(
        f"{s.output}: validation Pearson {kept['before']['pearson']:.4f} before, "
        f"{after['pearson']:.4f} after"
        + ("" if gained > 0 else ". It got no better: keep the base, or give other data")
    )


def _metadata(plan: Plan, trainer: CheckpointTrainer, model: SentenceTransformer) -> dict[str, Any]:
    s = plan.settings
    return {
        "recipe": "matryoshka",
        "levels": [
            {"name": level.name, "dims": level.dims, "min_similarity": None}
            for level in plan.levels
        ],
        "base": {"name": s.base, "files": folder_digests(plan.base.folder)},
        "data": list(plan.data.sources),
        "settings": settings_content(s),
        "chosen": {
            "prefix": prefix_of(model),
            "max_length": model.max_seq_length,
            "learning_rate": plan.learning_rate,
            "connect_from": plan.connect_from,
            "precision": "bfloat16" if plan.bfloat16 else "float32",
            "device": plan.state.device.type,
            "processes": plan.state.num_processes,
            "threads": torch.get_num_threads(),
            "leaking_pairs_left_out": plan.data.leaking,
        },
        "loss": trainer.loss.get_config_dict(),
        "versions": versions(),
        "seed": s.seed,
    }
