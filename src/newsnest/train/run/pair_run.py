"""Train a transformer on pairs: look first, validate on the way, resume, publish the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from torch import nn
from torch.utils.data import BatchSampler
from transformers import EarlyStoppingCallback, set_seed

from newsnest.evaluate import GradedPair
from newsnest.train.data.splitting import TrainingData
from newsnest.train.evaluators import GradedPairEvaluator
from newsnest.train.losses import TrainingLevel
from newsnest.train.pair_retrieval import PairRetrievalEvaluator
from newsnest.train.pairs import GRADES, pair_dataset
from newsnest.train.run.base import add_lora, average_weights, merge_lora
from newsnest.train.run.context import TrainingContext
from newsnest.train.run.preflight import (
    LevelCounts,
    Preflight,
    Stopwatch,
    check_gradient,
    look_at_batches,
    same_dice,
)  # fmt: skip
from newsnest.train.run.publish import Publication, publish_model
from newsnest.train.run.trainer import (
    CheckpointTrainer,
    Reporter,
    last_checkpoint,
    make_trainer,
    train_from,
)  # fmt: skip
from newsnest.train.samplers import ComponentBatchSampler
from newsnest.train.settings import GradedSettings, TrainerSettings

if TYPE_CHECKING:
    from datasets import Dataset

_TIMED_STEPS, _TIMED_SECONDS = 3, 20.0

SAME_TEXT = 1.0
"""The score from which pairs connect where all pairs count the same: by a shared text alone."""


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

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return the scores of a model by their plain names."""
        found = self.evaluator(model)
        return {name.removeprefix(f"{self.NAME}_"): value for name, value in found.items()}


def validate_retrieval(data: TrainingData, metric: str, spoken: str) -> Validation:
    """Return a validation by how well first texts find their second ones."""
    texts = [(pair.text1, pair.text2) for pair in data.validation]
    return Validation(PairRetrievalEvaluator(texts, name=Validation.NAME), metric, spoken)


def validate_grades(data: TrainingData, dims: Sequence[int] | None = None) -> Validation:
    """Return a validation by the correlation of cosines with grades, a mean over prefixes."""
    pairs = [
        GradedPair(
            text1=pair.text1,
            text2=pair.text2,
            similarity=min(1.0, pair.score / GRADES["VS"]),
            lang1=pair.lang1,
            lang2=pair.lang2,
        )
        for pair in data.validation
    ]
    evaluator = GradedPairEvaluator(pairs, dims=dims, name=Validation.NAME, write_csv=False)
    return Validation(evaluator, "pearson", "Pearson")


@dataclass(kw_only=True)
class PairRun:
    """One training on pairs; a recipe gives what is its own, and calls `train`, then `publish`.

    Parameters
    ----------
    context
        See `TrainingContext`.
    make_loss
        Returns the loss of a model.
    data
        Pairs to train and validate on, such as those of `context.read_pairs()`.
    dataset
        Two columns of texts or more, and a label; None: as `pair_dataset` makes it.
    validation
        Decides when training ends, and which weights are the best; None: by grades where pairs are
        graded, else by MRR@10.
    sampler
        Makes the batches, called as sentence-transformers calls a `batch_sampler`; None: pairs
        connected by `connect_from` stay out of each other's batch.
    connect_from
        Score from which a pair connects its two texts; None: no pair does.
    levels
        Which are counted before the first step.
    masked
        Whether the loss leaves texts of one gold label out of the negatives.

    Attributes
    ----------
    judge : Validation
        The one that is used.
    trainer : CheckpointTrainer
        Holds model and loss.
    sampler_made
        The sampler of the whole data, also where several processes share its batches.
    """

    context: TrainingContext[Any]
    make_loss: Callable[[SentenceTransformer], nn.Module]
    data: TrainingData
    dataset: Dataset | None = None
    validation: Validation | None = None
    sampler: Callable[..., BatchSampler] | None = None
    connect_from: float | None = SAME_TEXT
    levels: Sequence[TrainingLevel] = ()
    masked: bool = False
    judge: Validation = field(init=False)
    trainer: CheckpointTrainer = field(init=False)
    sampler_made: Any = field(init=False)

    def __post_init__(self) -> None:
        context, s = self.context, self.context.settings
        assert isinstance(s, TrainerSettings)
        graded = isinstance(s, GradedSettings)
        self.judge = self.validation or (
            validate_grades(self.data)
            if graded
            else validate_retrieval(self.data, "mrr_10", "MRR@10")
        )
        set_seed(s.seed)  # the weights of LoRA are drawn
        model = context.load_base()
        if s.lora:
            add_lora(model, s.lora)
        self.trainer = make_trainer(
            context,
            {
                "model": model,
                "train_dataset": self.dataset or pair_dataset(self.data.train),
                "loss": self.make_loss(model),
                "evaluator": self.judge.evaluator,
                "callbacks": [EarlyStoppingCallback(early_stopping_patience=s.patience)],
            },
            Reporter(context.progress, self.judge.key, self.judge.spoken),
            output_dir=str(context.place.checkpoints),
            per_device_train_batch_size=s.batch_size,
            num_train_epochs=s.epochs,
            learning_rate=s.peak_rate,
            warmup_steps=s.warmup,
            batch_sampler=self.sampler
            or partial(ComponentBatchSampler, min_score=self.connect_from or SAME_TEXT),
            eval_strategy="steps",
            save_strategy="steps",
            load_best_model_at_end=True,
            metric_for_best_model=self.judge.key,
            greater_is_better=True,
            report_to=list(s.report_to),
        )
        every = max(1, len(self.trainer.get_train_dataloader()) // s.evaluations)
        arguments = self.trainer.args
        arguments.eval_steps = arguments.save_steps = every
        arguments.logging_steps = min(50, every)
        sampler = self.trainer.get_train_dataloader().batch_sampler
        self.sampler_made = getattr(sampler, "batch_sampler", sampler)

    def train(self, notes: Callable[[], Iterable[str]] = tuple) -> None:
        """Train, or resume from the last checkpoint; the trainer then holds the best weights.

        Before the first step, not where there are checkpoints, the gradient, the time of a step
        and the base's scores are looked at, and kept.

        Parameters
        ----------
        notes
            Returns what else to report before the first step; may raise.
        """
        context, place = self.context, self.context.place
        begun, checkpoint = context.once(
            lambda: (bool(place.kept()), last_checkpoint(place.checkpoints))
        )
        if begun:
            where = checkpoint.name if checkpoint else "the first step"
            context.progress.note(f"resuming from {where} in {place.checkpoints}")
        else:
            self._look(notes)
        if not (checkpoint and self.trainer.take_up(checkpoint)):
            train_from(self.trainer, checkpoint)

    def publish(self, make: Callable[[dict[str, Any]], Publication]) -> None:
        """Make a stock model of the best weights, measure it, and write it; one process does.

        Parameters
        ----------
        make
            Returns what the recipe publishes, from its validation: scores "before" and "after".
        """
        if self.context.is_main:
            self._publish(make)
        self.context.wait()

    def _look(self, notes: Callable[[], Iterable[str]]) -> None:
        """Check data, gradient and time; report and keep what was found."""
        context, s, progress = self.context, self.context.settings, self.context.progress
        data, validation, trainer = self.data, self.judge, self.trainer
        counts: dict[str, LevelCounts] = {}
        batches = list(self.sampler_made)
        if self.levels:
            counts, batches = look_at_batches(
                data.train,
                self.levels,
                connect_from=self.connect_from or SAME_TEXT,
                batch_size=s.batch_size,
                masked=self.masked,
                seed=s.seed,
            )
        if data.leaking:
            progress.note(
                f"{data.leaking:,} training pairs left out: held-out pairs share a text or a story "
                "with them"
            )
        for line in notes():
            progress.note(line)
        with same_dice():
            gradient, seconds = _timed_steps(trainer, batches)
        watch = Stopwatch(context.device)
        # Not by the trainer: it would take the model for prepared, and no process would then hear
        # of the gradients of the others.
        before = validation.scores(trainer.model) if context.is_main else {}
        steps = int(np.ceil(len(trainer.get_train_dataloader()) * s.epochs))
        weights = list(trainer.model.parameters())
        found = Preflight(
            train_pairs=len(data.train),
            validation_pairs=len(data.validation),
            levels=counts,
            connect_from=self.connect_from,
            batches=len(batches),
            mean_batch=len(data.train) / len(batches),
            gradient=gradient,
            trained_weights=sum(p.numel() for p in weights if p.requires_grad),
            weights=sum(p.numel() for p in weights),
            step_seconds=seconds,
            evaluation_seconds=watch.seconds(),
            steps=steps,
            evaluations=-(-steps // int(trainer.args.eval_steps)),
        )
        for line in found.lines():
            progress.note(line)
        if context.is_main:
            start = before[validation.metric]
            progress.note(f"before training: validation {validation.spoken} {start:.4f}")
            context.place.keep({"preflight": found.as_dict(), "before": before})

    def _publish(self, make: Callable[[dict[str, Any]], Publication]) -> None:
        context, s = self.context, self.context.settings
        trainer, validation = self.trainer, self.judge
        model = context.load_base()
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
        kept = context.place.kept()
        scores = {
            "before": kept["before"],
            "trained": trained,
            "after": after,
            "best_step": trainer.state.best_global_step,
            "steps": trainer.state.global_step,
        }
        own = make(scores)
        chosen = {"leaking_pairs_left_out": self.data.leaking, "learning_rate": s.peak_rate}
        details = {"loss": trainer.loss.get_config_dict(), "preflight": kept["preflight"]}
        publish_model(
            context,
            model,
            replace(
                own,
                citation=own.citation or getattr(trainer.loss, "citation", ""),
                data=self.data.sources,
                chosen=chosen | dict(own.chosen),
                validation=scores,
                details=details | dict(own.details),
            ),
        )
        before, now = (own_scores[validation.metric] for own_scores in (kept["before"], after))
        worse = "no better" if now == before else "worse"
        context.progress.note(
            f"{s.output}: validation {validation.spoken} {before:.4f} before, {now:.4f} after"
            + ("" if now > before else f". It got {worse}: keep the base, or give other data")
        )


def _timed_steps(
    trainer: CheckpointTrainer, batches: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the length of the gradient of a first batch, and the seconds a step takes."""
    model = trainer.model.train()
    device = model.device
    gradient = 0.0
    times: list[float] = []
    whole = Stopwatch(device)
    # The largest batch has a gradient if any has: a pair alone has no negatives.
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
