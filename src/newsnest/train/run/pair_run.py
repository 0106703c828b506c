"""Train a transformer on pairs: look first, validate on the way, resume, publish the best."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import EarlyStoppingCallback, set_seed

from newsnest.labelled import GRADES, Pair, TrainingData
from newsnest.train.evaluators import EncoderEvaluator, GradedPairEvaluator, PairRetrievalEvaluator
from newsnest.train.losses import TrainingLevel
from newsnest.train.pairs import pair_dataset
from newsnest.train.run import preflight
from newsnest.train.run.base import add_lora, average_weights, merge_lora
from newsnest.train.run.context import TrainingContext
from newsnest.train.run.publish import Publication, publish_model
from newsnest.train.run.trainer import CheckpointTrainer, Reporter, find_checkpoint, make_trainer
from newsnest.train.samplers import ComponentBatchSampler
from newsnest.train.settings import GradedSettings, TrainerSettings

if TYPE_CHECKING:  # adapter and static work without the package
    from datasets import Dataset

_TIMED_STEPS, _TIMED_SECONDS = 3, 20.0

_UNCHANGED = "\nTraining did not improve validation: these are the weights of the base."

JUDGE = "validation"
"""The name of every judge, which stands before its metrics."""

SAME_TEXT = 1.0
"""The score from which pairs connect where all pairs count the same: by a shared text alone."""


def judge_retrieval(data: TrainingData, primary: str = "mrr_10") -> EncoderEvaluator:
    """Return what scores how well first texts of validation pairs find their second ones."""
    texts = [(pair.text1, pair.text2) for pair in data.validation]
    return PairRetrievalEvaluator(texts, primary=primary, name=JUDGE)


def judge_grades(data: TrainingData, dims: Sequence[int] | None = None) -> EncoderEvaluator:
    """Return what correlates cosines with the grades of validation pairs, a mean over prefixes."""
    pairs = [
        Pair(
            text1=pair.text1,
            text2=pair.text2,
            score=min(1.0, pair.score / GRADES["VS"]),
            lang1=pair.lang1,
            lang2=pair.lang2,
        )
        for pair in data.validation
    ]
    return GradedPairEvaluator(pairs, dims=dims, name=JUDGE, write_csv=False)


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
    judge
        Named `JUDGE`; its primary metric decides when training ends, and which weights are the
        best; None: Pearson where pairs are graded, else MRR@10.
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
    trainer : CheckpointTrainer
        Holds model and loss.
    sampler_made
        The sampler of the whole data, also where several processes share its batches.
    """

    context: TrainingContext[Any]
    make_loss: Callable[[SentenceTransformer], torch.nn.Module]
    data: TrainingData
    dataset: "Dataset | None" = None
    judge: EncoderEvaluator = None  # type: ignore[assignment]  # filled below
    sampler: Callable[..., torch.utils.data.BatchSampler] | None = None
    connect_from: float | None = SAME_TEXT
    levels: Sequence[TrainingLevel] = ()
    masked: bool = False
    trainer: CheckpointTrainer = field(init=False)
    sampler_made: Any = field(init=False)

    def __post_init__(self) -> None:
        context, s = self.context, self.context.settings
        assert isinstance(s, TrainerSettings)
        usual = judge_grades if isinstance(s, GradedSettings) else judge_retrieval
        self.judge = judge = self.judge or usual(self.data)
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
                "evaluator": judge,
                "callbacks": [EarlyStoppingCallback(early_stopping_patience=s.patience)],
            },
            Reporter(context.progress, f"eval_{judge.primary_metric}", judge.spoken),
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
            metric_for_best_model=f"eval_{judge.primary_metric}",
            greater_is_better=True,
            report_to=list(s.report_to),
        )
        every = max(1, len(self.trainer.get_train_dataloader()) // s.evaluations)
        arguments = self.trainer.args
        # Equal: the trainer finds the best weights only among steps that it has saved.
        arguments.eval_steps = arguments.save_steps = every
        arguments.logging_steps = min(50, every)
        sampler = self.trainer.get_train_dataloader().batch_sampler
        # Where several processes share the batches, accelerate has wrapped the sampler.
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
        begun, checkpoint = find_checkpoint(self.context)
        if not begun:
            self._look(notes)
        if not (checkpoint and self.trainer.take_up(checkpoint)):
            self.trainer.train_from(checkpoint)

    def publish(self, publication: Publication, rows: Mapping[str, str] | None = None) -> None:
        """Make a stock model of the best weights, measure it, and write it; one process does.

        Parameters
        ----------
        publication
            What the recipe adds.
        rows
            Of the table in README.md: what people call a score → its name among the judge's; None:
            the primary one.
        """
        if self.context.is_main:
            self._publish(publication, rows or {self.judge.spoken: self.judge.primary})
        self.context.wait()

    def _look(self, notes: Callable[[], Iterable[str]]) -> None:
        """Check data, gradient and time; report and keep what was found."""
        context, s, progress = self.context, self.context.settings, self.context.progress
        data, trainer = self.data, self.trainer
        counts: dict[str, preflight.LevelCounts] = {}
        batches = list(self.sampler_made)
        if self.levels:
            counts, batches = preflight.look_at_batches(
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
        with preflight.same_dice():
            gradient, seconds = _timed_steps(trainer, batches)
        watch = preflight.Stopwatch(context.device)
        # Not by the trainer: it would take the model for prepared, and no process would then hear
        # of the gradients of the others.
        before = self.judge.scores(trainer.model) if context.is_main else {}
        steps = int(np.ceil(len(trainer.get_train_dataloader()) * s.epochs))
        weights = list(trainer.model.parameters())
        found = preflight.Preflight(
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
            start = before[self.judge.primary]
            progress.note(f"before training: validation {self.judge.spoken} {start:.4f}")
            context.place.keep({"preflight": found.as_dict(), "before": before})

    def _publish(self, publication: Publication, rows: Mapping[str, str]) -> None:
        context, s, state = self.context, self.context.settings, self.trainer.state
        model = context.load_base()
        start = {name: weight.clone() for name, weight in model.state_dict().items()}
        if s.lora:
            add_lora(model, s.lora)
        model.load_state_dict(self.trainer.model.state_dict())
        if s.lora:
            merge_lora(model)
        after = trained = self.judge.scores(model)
        if s.average:
            average_weights(model, start, s.average)
            after = self.judge.scores(model)
        kept = context.place.kept()
        before, loss = kept["before"], self.trainer.loss
        gained = after[self.judge.primary] - before[self.judge.primary]
        is_base = not gained > 0 and s.save == "best"
        if is_base:
            model.load_state_dict(start)
            after = before
        saved = "base" if is_base else "trained model"
        table = ["\n| Validation | Before | After |\n|---|---|---|"]
        table += [
            f"| {name} | {before[key]:.4f} | {after[key]:.4f} |" for name, key in rows.items()
        ]
        publication = replace(
            publication,
            text="\n".join([publication.text, *([_UNCHANGED] if is_base else []), *table]),
            citation=publication.citation or getattr(loss, "citation", ""),
            data=self.data.sources,
            chosen={
                "saved": saved,
                "leaking_pairs_left_out": self.data.leaking,
                "learning_rate": s.peak_rate,
                **publication.chosen,
            },
            validation={"before": before, "trained": trained, "after": after}
            | {"best_step": state.best_global_step, "steps": state.global_step},
            details={
                "loss": loss.get_config_dict(),
                "preflight": kept["preflight"],
                **publication.details,
            },
        )
        publish_model(context, model, publication)
        was = before[self.judge.primary]
        advice = " More or other data may help." if not gained > 0 else ""
        context.progress.note(
            f"{s.output}: validation {self.judge.spoken} {was:.4f} before, {was + gained:.4f} "
            f"trained. Saved: the {saved}.{advice}"
        )


def _timed_steps(
    trainer: CheckpointTrainer, batches: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the length of the gradient of a first batch, and the seconds a step takes."""
    model = trainer.model.train()
    device = model.device
    gradient = 0.0
    times: list[float] = []
    whole = preflight.Stopwatch(device)
    # The largest batch has a gradient if any has: a pair alone has no negatives.
    by_size = sorted(batches, key=len)
    usual = by_size[len(batches) // 2 :]
    for rows in [by_size[-1], *usual[:_TIMED_STEPS]]:
        watch = preflight.Stopwatch(device)
        features = trainer.data_collator([trainer.train_dataset[row] for row in rows])
        inputs = trainer._prepare_inputs(features)
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, inputs)
        loss.backward()
        if not gradient:
            gradient = preflight.check_gradient(loss, model)
        model.zero_grad(set_to_none=True)
        times.append(watch.seconds())
        if whole.seconds() > _TIMED_SECONDS:
            break
    # The first step also warms up; it counts where there is no other.
    return gradient, float(np.median(times[1:] or times))


def column_names(data: TrainingData) -> str:
    """Return the columns that pairs were read from, in words."""
    pairs = dict.fromkeys(tuple(file["reading"]["columns"]) for file in data.sources)
    return ", ".join(" and ".join(two) for two in pairs)
