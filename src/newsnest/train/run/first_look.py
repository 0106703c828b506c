"""What a training looks at before its first step: gradient, time, and the base's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from newsnest.train.run.preflight import Preflight, Stopwatch, check_gradient, same_dice
from newsnest.train.run.session import Session, Validation
from newsnest.train.run.trainer import CheckpointTrainer

_TIMED_STEPS, _TIMED_SECONDS = 3, 20.0


def look_at_pairs(
    session: Session,
    trainer: CheckpointTrainer,
    validation: Validation,
    rows: tuple[int, int],
    batches: Sequence[Sequence[int]],
    *,
    connect_from: float | None,
) -> None:
    """Do as `look_first` does where no pair has a level; rows to train on, and to validate on."""
    found = Preflight(
        train_pairs=rows[0],
        validation_pairs=rows[1],
        levels={},
        connect_from=connect_from,
        batches=len(batches),
        mean_batch=rows[0] / len(batches),
    )
    look_first(session, trainer, validation, found, batches)


def batches_of(trainer: CheckpointTrainer) -> Any:
    """Return the sampler of the whole data, also where several processes share its batches."""
    sampler = trainer.get_train_dataloader().batch_sampler
    return getattr(sampler, "batch_sampler", sampler)


def look_first(
    session: Session,
    trainer: CheckpointTrainer,
    validation: Validation,
    found: Preflight,
    batches: Sequence[Sequence[int]],
) -> None:
    """Time some steps, check the gradient, validate the base; say and keep what was found.

    Parameters
    ----------
    session, trainer, validation
        As they were made.
    found
        What was found in the data.
    batches
        Row numbers of the batches of an epoch.
    """
    model, progress = trainer.model, session.progress
    with same_dice():
        gradient, seconds = _timed_steps(trainer, batches)
    watch = Stopwatch(session.state.device)
    # Not by the trainer: it would take the model for prepared, and no process would then hear of
    # the gradients of the others.
    before = validation.scores(model) if session.is_main else {}
    steps = int(np.ceil(len(trainer.get_train_dataloader()) * session.settings.epochs))
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
    for line in found.lines():
        progress.note(line)
    if session.is_main:
        start = before[validation.metric]
        progress.note(f"before training: validation {validation.spoken} {start:.4f}")
        session.place.keep({"preflight": found.as_dict(), "before": before})


def _timed_steps(
    trainer: CheckpointTrainer, batches: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the length of the gradient of a first batch, and the seconds a step takes."""
    model = trainer.model.train()
    device = model.device
    gradient = 0.0
    times: list[float] = []
    whole = Stopwatch(device)
    # The largest batch has a gradient if any has: a pair alone has nothing to be told from.
    by_size = sorted(batches, key=len)
    usual = by_size[len(batches) // 2 :]
    for rows in [by_size[-1], *usual[:_TIMED_STEPS]]:
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
