"""What trainings of a transformer share: a trainer that can be killed, its start and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from torch import nn
from torch.utils.data import BatchSampler
from transformers import EarlyStoppingCallback, PrinterCallback

from newsnest.embed.backend import multiplies_bfloat16
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.progress import SILENT, Progress
from newsnest.train.run.base import (
    Base,
    add_lora,
    average_weights,
    find_base_of,
    load_base,
    merge_lora,
    prefix_of,
)
from newsnest.train.run.place import Place
from newsnest.train.run.trackers import check_trackers, logs_kept
from newsnest.train.run.trainer import (
    CheckpointTrainer,
    Reporter,
    last_checkpoint,
    uses_bfloat16,
)
from newsnest.train.run.versions import versions
from newsnest.train.settings import TrainerSettings, settings_content

if TYPE_CHECKING:
    from datasets import Dataset

MakeLoss = Callable[[SentenceTransformer], nn.Module]
Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Validation:
    """How a model is validated.

    Parameters
    ----------
    evaluator
        Named `Validation.NAME`, which stands before its metrics.
    metric
        Name of the score that decides, without the evaluator's.
    spoken
        What people call it.
    """

    NAME: ClassVar[str] = "validation"

    evaluator: SentenceEvaluator
    metric: str
    spoken: str

    @property
    def key(self) -> str:
        """What the trainer calls the score that decides."""
        return f"eval_{self.NAME}_{self.metric}"

    def scores(self, model: SentenceTransformer) -> Scores:
        """Return the scores of a model by their plain names."""
        found = self.evaluator(model)
        return {name.removeprefix(f"{self.NAME}_"): value for name, value in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is known of any training before its data are read.

    Parameters
    ----------
    settings
        Of the recipe.
    base
        Where it starts.
    state
        The processes and their device.
    bfloat16
        As chosen where the settings leave it open.
    progress
        Silent in all processes but the main one.
    """

    settings: TrainerSettings
    base: Base
    state: PartialState
    bfloat16: bool
    progress: Progress

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes."""
        return bool(self.state.is_main_process)

    def known(self) -> dict[str, Any]:
        """Return its fields, for the session of a recipe."""
        return {own.name: getattr(self, own.name) for own in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Start):
    """What is known of any training before its first step; recipes add their data.

    Parameters
    ----------
    place
        Where it writes.
    sampler
        Makes the batches: called as sentence-transformers calls a `batch_sampler`.
    """

    place: Place
    sampler: Callable[..., BatchSampler]


def begin(settings: TrainerSettings, progress: Progress) -> Start:
    """Start the processes and find the base.

    Raises
    ------
    EncoderError
        If there is no such base.
    ParameterError
        If the base cannot be trained, or not in this precision, or a tracker is not installed.
    """
    s = settings
    check_trackers(s.report_to)
    state = PartialState(cpu=s.device == "cpu")
    progress = progress if state.is_main_process else SILENT
    base = find_base_of(s, progress)
    bfloat16 = uses_bfloat16(s.precision, state.device, cpu_is_good_at_it=multiplies_bfloat16())
    return Start(settings=s, base=base, state=state, bfloat16=bfloat16, progress=progress)


def make_trainer(
    session: Session, train: Dataset, make_loss: MakeLoss, validation: Validation
) -> CheckpointTrainer:
    """Return the trainer of a recipe; nothing is trained yet.

    Parameters
    ----------
    session
        See `Session`.
    train
        Two columns of text and a label, as `pair_dataset` makes them.
    make_loss
        Returns the loss of a model.
    validation
        Decides when training ends, and which weights are the best.
    """
    s = session.settings
    model = load_base(session.base, device=str(session.state.device))
    if s.lora:
        add_lora(model, s.lora)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(session.place.checkpoints),
        per_device_train_batch_size=s.batch_size,
        num_train_epochs=s.epochs,
        learning_rate=s.highest_rate,
        warmup_steps=s.warmup,
        weight_decay=s.weight_decay,
        bf16=session.bfloat16,
        use_cpu=session.state.device.type == "cpu",
        batch_sampler=session.sampler,
        prompts=prefix_of(model) or None,
        eval_strategy="steps",
        save_strategy="steps",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=validation.key,
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        report_to=list(s.report_to),
        seed=s.seed,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        dataloader_pin_memory=session.state.device.type == "cuda",
    )
    # With several processes it is set to True; our sampler deals them equally many batches itself.
    arguments.dataloader_drop_last = False
    with logs_kept(s.output):
        trainer = CheckpointTrainer(
            model=model,
            args=arguments,
            train_dataset=train,
            loss=make_loss(model),
            evaluator=validation.evaluator,
            callbacks=[
                EarlyStoppingCallback(early_stopping_patience=s.patience),
                Reporter(session.progress, validation.key, validation.spoken),
            ],
        )
    trainer.remove_callback(PrinterCallback)
    every = max(1, len(trainer.get_train_dataloader()) // s.evaluations)
    arguments.eval_steps = arguments.save_steps = every
    arguments.logging_steps = min(50, every)
    return trainer


def train(session: Session, trainer: CheckpointTrainer, look: Callable[[], None]) -> None:
    """Train, or go on from the last checkpoint; the trainer then holds the best weights.

    Parameters
    ----------
    session, trainer
        As they were made.
    look
        Called before the first step, not where there are checkpoints: looks and keeps what it
        found.
    """
    place = session.place
    # One process looks and tells the others: what lies on the disk may change in between.
    found = (bool(place.kept()), last_checkpoint(place.checkpoints)) if session.is_main else None
    (found,) = broadcast_object_list([found])
    assert found is not None
    begun, checkpoint = found
    if begun:
        where = checkpoint.name if checkpoint else "the first step"
        session.progress.note(f"going on from {where} in {place.checkpoints}")
    else:
        look()
    if checkpoint and trainer.take_up(checkpoint):
        return
    reporter = next(c for c in trainer.callback_handler.callbacks if isinstance(c, Reporter))
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        reporter.close()


def finish(
    session: Session,
    trainer: CheckpointTrainer,
    validation: Validation,
    tell: Callable[[SentenceTransformer], dict[str, Any]],
    page: Callable[[Mapping[str, Any]], str],
) -> Path:
    """Make a stock model of the best weights, measure it, and write it; one process does.

    Parameters
    ----------
    session, trainer, validation
        As they were made; the trainer has trained.
    tell
        Returns what newsnest.json says of the model.
    page
        Returns the model's page, Markdown, from that.

    Returns
    -------
    The folder of the model.
    """
    if session.is_main:
        _publish(session, trainer, validation, tell, page)
    session.state.wait_for_everyone()
    return session.settings.output


def _publish(
    session: Session,
    trainer: CheckpointTrainer,
    validation: Validation,
    tell: Callable[[SentenceTransformer], dict[str, Any]],
    page: Callable[[Mapping[str, Any]], str],
) -> None:
    s = session.settings
    model = load_base(session.base, device=str(session.state.device))
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    if s.lora:
        add_lora(model, s.lora)
    model.load_state_dict(trainer.model.state_dict())
    if s.lora:
        merge_lora(model)
    after = trained = validation.scores(model)
    if s.average:
        average_weights(model, start, s.average)
        after = validation.scores(model)
    kept = session.place.kept()
    metadata = {
        **tell(model),
        "base": {"name": s.base, "files": folder_digests(session.base.folder)},
        "settings": settings_content(s),
        "loss": trainer.loss.get_config_dict(),
        "versions": versions(),
        "seed": s.seed,
        "preflight": kept["preflight"],
        "validation": {
            "before": kept["before"],
            "trained": trained,
            "after": after,
            "best_step": trainer.state.best_global_step,
            "steps": trainer.state.global_step,
        },
    }
    metadata["chosen"] = _chosen(session, model) | metadata.get("chosen", {})

    def save(folder: Path) -> None:
        with quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(page(metadata), encoding="utf-8")

    session.place.publish(save, metadata)
    before, now = (scores[validation.metric] for scores in (kept["before"], after))
    worse = "no better" if now == before else "worse"
    session.progress.note(
        f"{s.output}: validation {validation.spoken} {before:.4f} before, {now:.4f} after"
        + ("" if now > before else f". It got {worse}: keep the base, or give other data")
    )


def _chosen(session: Session, model: SentenceTransformer) -> dict[str, Any]:
    return {
        "prefix": prefix_of(model),
        "max_length": model.max_seq_length,
        "learning_rate": session.settings.highest_rate,
        "precision": "bfloat16" if session.bfloat16 else "float32",
        "device": session.state.device.type,
        "processes": session.state.num_processes,
        "threads": torch.get_num_threads(),
    }
