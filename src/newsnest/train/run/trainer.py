"""The trainer of sentence-transformers, with checkpoints that survive a kill at any moment."""

import json
import logging
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState

from newsnest.errors import ParameterError
from newsnest.progress import Progress, Task
from newsnest.train.run.base import prefix_of
from newsnest.train.run.context import TrainingContext

_WEIGHTS = "model.safetensors"
_STATE = "trainer_state.json"
_LOGS = "TENSORBOARD_LOGGING_DIR"  # read by the trainer when it is made


def _matters(record: logging.LogRecord) -> bool:
    """Drop a useless note at every checkpoint: checkpoints are sorted by their numbers."""
    return "mtime may not be reliable" not in record.getMessage()


logging.getLogger("transformers.trainer_utils").addFilter(_matters)


class CheckpointTrainer(SentenceTransformerTrainer):  # type: ignore[misc]  # untyped base
    """Trains; a checkpoint holds the weights alone, whatever stands between them (LoRA)."""

    @property
    def trained(self) -> torch.nn.Module:
        """What has the weights that a checkpoint holds."""
        model: torch.nn.Module = self.model
        return model

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Make no card: it would show texts of the data, and draw random numbers for that."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        # save_model, not save_file, which refuses tied weights.
        save_model(self.trained, str(folder / _WEIGHTS))

    def _load_from_checkpoint(self, checkpoint_path: str, model: Any = None) -> None:
        load_model(self.trained, str(Path(checkpoint_path) / _WEIGHTS))

    def _load_best_model(self) -> None:
        # The base class goes on with the last weights where the best ones cannot be read.
        best = self.state.best_global_step
        if best is not None:  # the path that the state has is that of where it was written
            self._load_from_checkpoint(str(Path(self.args.output_dir) / f"checkpoint-{best}"))

    def train_from(self, checkpoint: Path | None) -> None:
        """Train to the end, from a checkpoint or the first step."""
        reporter = next(c for c in self.callback_handler.callbacks if isinstance(c, Reporter))
        try:
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        finally:
            reporter.close()

    def take_up(self, checkpoint: Path) -> bool:
        """Take the best weights of a training that had ended at a checkpoint; False if it had not.

        To go on from there would train on: stopping early is not remembered.
        """
        state = TrainerState.load_from_json(str(checkpoint / _STATE))
        control = state.stateful_callbacks.get("TrainerControl", {}).get("args", {})
        if state.global_step < state.max_steps and not control.get("should_training_stop"):
            return False
        self.state = state
        self._load_best_model()
        return True


def find_checkpoint(context: TrainingContext[Any]) -> tuple[bool, Path | None]:
    """Return whether this training was begun before, and its newest whole checkpoint; report it."""
    place = context.place
    begun, found = context.once(lambda: (bool(place.kept()), last_checkpoint(place.checkpoints)))
    if begun:
        where = found.name if found else "the first step"
        context.progress.note(f"resuming from {where} in {place.checkpoints}")
    return begun, found


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint; those that a kill left unfinished are deleted.

    The trainer writes its state last, so a checkpoint whose state can be read is whole.
    """
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    whole = []
    for path in found:
        try:
            json.loads((path / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(path)
            continue
        whole.append(path)
    return whole[-1] if whole else None


class Reporter(TrainerCallback):  # type: ignore[misc]  # untyped base
    """Report where training stands, validate at its end, and stop where the loss is not finite.

    `metric` is the name of the score that decides, and `spoken` what people call it; without one
    there is no validation.
    """

    def __init__(self, progress: Progress, metric: str = "", spoken: str = "") -> None:
        self.progress = progress
        self.metric = metric
        self.spoken = spoken
        self.task: Task | None = None

    def on_train_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the stretch of the steps that are left."""
        if state.is_world_process_zero:
            left = state.max_steps - state.global_step
            self.task = self.progress.start("train", left, "steps").__enter__()

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Advance; the last step is validated whatever its number."""
        if self.task is not None:
            self.task.advance()
        if self.metric and state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = True

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Raise where the loss is not finite: nothing good comes after that."""
        loss = (kwargs.get("logs") or {}).get("loss")
        if loss is not None and not math.isfinite(float(loss)):
            raise ParameterError(
                f"train: the loss must stay finite, got {loss} at step {state.global_step}. "
                "Lower learning_rate, or set precision=float32."
            )

    def on_evaluate(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Say how good the model is now."""
        value = (kwargs.get("metrics") or {}).get(self.metric)
        if state.is_world_process_zero and value is not None and state.global_step:
            self.progress.note(
                f"step {state.global_step:,} of {state.max_steps:,}: "
                f"validation {self.spoken} {value:.4f}"
            )

    def on_train_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the stretch."""
        self.close()

    def close(self) -> None:
        """Close the stretch, also where training ended by an error."""
        if self.task is not None:
            self.task.__exit__(None, None, None)
            self.task = None


def make_trainer(
    context: TrainingContext[Any],
    parts: Mapping[str, Any],
    reporter: Reporter,
    *,
    kind: type[CheckpointTrainer] | None = None,
    **arguments: Any,
) -> CheckpointTrainer:
    """Return a trainer of a `kind`, by default `CheckpointTrainer`; nothing is trained yet.

    `parts` are model, loss, train_dataset, and perhaps evaluator and callbacks; `arguments` are
    what this training has beside what all have.
    """
    usual = {
        "bf16": context.bfloat16,
        "use_cpu": context.device.type == "cpu",
        "prompts": prefix_of(parts["model"]) or None,
        "weight_decay": context.settings.weight_decay,
        "seed": context.settings.seed,
        # The newest and the best, which the trainer never deletes.
        "save_total_limit": 2,
        # Or early stopping would count its patience anew after each resumption.
        "restore_callback_states_from_checkpoint": True,
        "report_to": ["none"],
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,  # Reporter raises where a loss is not finite
        "dataloader_pin_memory": context.device.type == "cuda",
    }
    made = SentenceTransformerTrainingArguments(**usual | arguments)
    # With several processes it is set to True; our samplers deal out equally many batches.
    made.dataloader_drop_last = False
    with logs_kept(context.settings.output):
        callbacks = [*parts.get("callbacks", ()), reporter]
        trainer = (kind or CheckpointTrainer)(args=made, **{**parts, "callbacks": callbacks})
    # With disable_tqdm the base class adds it, and it prints every log to stdout.
    trainer.remove_callback(PrinterCallback)
    return trainer


@contextmanager
def logs_kept(output: Path) -> Iterator[None]:
    """Let TensorBoard log to `runs` beside the model, unless its environment variable is set.

    It would log among the checkpoints, which are deleted when the model is complete.
    """
    if _LOGS in os.environ:
        yield
        return
    os.environ[_LOGS] = str(output.absolute().parent / "runs" / output.name)
    try:
        yield
    finally:
        del os.environ[_LOGS]
