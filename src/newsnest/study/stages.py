"""The stages: each tries settings from the best of the one before, and keeps what was better."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from newsnest.embed import MemoryCache, VectorCache
from newsnest.errors import InputError, NewsnestError
from newsnest.pipeline import Options
from newsnest.progress import Progress
from newsnest.study.config import NOT_TRAINED, Stage, StudyConfig
from newsnest.study.data import StudyData
from newsnest.study.outcome import Record, StageOutcome, leaders, told
from newsnest.study.score import Judge, Score
from newsnest.study.settings import assignments, options_with
from newsnest.study.space import Value
from newsnest.study.storage import Store
from newsnest.train.recipes.pairs import PAIRS, PairsSettings
from newsnest.train.settings import parse_settings

_START = "start"

Params = Mapping[str, Value]


@dataclass(slots=True)
class Stages:
    """Runs the stages of a study, and knows the best pipeline so far.

    Parameters
    ----------
    config
        The study.
    store
        Where trials are kept.
    data
        Reads the articles; called only where something is left to do.
    vectors
        Where vectors are kept.
    progress
        Told about every trial.
    """

    config: StudyConfig
    store: Store
    data: Callable[[], StudyData]
    vectors: VectorCache
    progress: Progress
    best: Options = field(default_factory=Options)
    model: str = ""
    outcomes: list[StageOutcome] = field(default_factory=list)
    _base: str = ""
    _judge: Judge | None = None

    def run(self, stage: Stage) -> None:
        """Run a stage, and take its best on where it is better than what there was."""
        evaluate = {
            "encoders": self._encoder,
            "training": self._trained,
            "pipeline": self._changed,
            "keywords": self._changed,
        }[stage.name]
        if stage.name == "training":
            self._base = self._trainable()
        start = None if stage.name == "encoders" else self._start(stage)
        records = self.store.records(stage.name)
        with self.progress.start(stage.name, stage.trials, "trials") as task:
            task.advance(min(len(records), stage.trials))
            while len(records) < stage.trials:
                records.append(self._trial(stage, records, evaluate))
                task.advance()
        if stage.name == "training":
            self._prune(records)  # a kill may have come before it
        found = leaders(records)
        if not found and start is None:
            raise InputError(
                f"{self.config.file}: one trial of [{stage.name}] at least must work, got none: "
                f"{records[0].error} Correct it and begin anew."
            )
        improved = bool(found) and (start is None or found[0].value > start.value)
        if improved:
            self._take(stage, found[0])
        elif start is not None:
            self.progress.note(f"{stage.name}: nothing was better than what there was")
        importances = self.store.importances(stage.name)
        self.outcomes.append(
            StageOutcome(stage.name, stage.metric, start, tuple(records), importances, improved)
        )

    def _start(self, stage: Stage) -> Record:
        """Return what the stage starts from, judged as its trials are."""
        kept = self.store.kept(_START, stage=stage.name)
        if kept is None:
            scores = {str(s): self._score(stage, self.best, s) for s in stage.seeds}
            kept = asdict(_record(-1, {"encoder": self.best.encoder}, scores))
            self.store.keep(_START, kept, stage=stage.name)
        return Record(**kept)

    def _trial(
        self, stage: Stage, records: list[Record], evaluate: Callable[..., dict[str, Score]]
    ) -> Record:
        """Try settings, and keep what came of it."""
        number = len(records)
        proposal = self.store.propose(stage.name, stage.space, number, self.config.seed)
        same = next((r for r in records if r.params == proposal.params), None)
        if same is not None:
            first = same.number if same.same_as is None else same.same_as
            record = replace(same, number=number, same_as=first)
        else:
            self.data()  # articles that cannot be used are no failure of these settings
            try:
                record = _record(number, proposal.params, evaluate(stage, proposal.params, number))
            except NewsnestError as error:
                record = Record(number, proposal.params, error=error.for_people)
        self.store.add(stage.name, proposal, record)
        if stage.name == "training":
            self._prune([*records, record])
        said = f"failed: {record.error}" if record.error else f"{stage.metric} {record.value:.4f}"
        again = f" (as trial {record.same_as})" if record.same_as is not None else ""
        self.progress.note(f"{stage.name} {number}: {said}{again}, {told(record.params)}")
        return record

    def _encoder(self, stage: Stage, params: Params, number: int) -> dict[str, Score]:
        options = replace(self.best, encoder=self.config.place(str(params["encoder"])))
        return {str(seed): self._score(stage, options, seed) for seed in stage.seeds}

    def _changed(self, stage: Stage, params: Params, number: int) -> dict[str, Score]:
        options = options_with(self.best, params)
        return {str(seed): self._score(stage, options, seed) for seed in stage.seeds}

    def _trained(self, stage: Stage, params: Params, number: int) -> dict[str, Score]:
        scores = {}
        for seed in stage.seeds:
            model = self._train(params, number, seed)
            options = replace(self.best, encoder=str(model))
            # Vectors of models that will be gone are not kept.
            judge = Judge(self.config.level, MemoryCache())
            scores[str(seed)] = judge.score(stage.metric, options, self.data().judged)
        return scores

    def _train(self, params: Params, number: int, seed: int) -> Path:
        """Train a model, or go on with it, or find it."""
        own = self.config.training
        assert own is not None
        report_to = [f"report_to={':'.join(own.report_to)}"] if own.report_to else []
        settings = parse_settings(
            PairsSettings,
            [*assignments(self._placed(params)), *report_to, f"seed={seed}"],
            data=self.data().training,
            base=self.config.place(self._base),
            output=self._output(number, seed),
        )
        return PAIRS.run(settings, progress=self.progress)

    def _placed(self, params: Params) -> Params:
        """Return the settings with models and profiles meant from the study's folder on."""
        paths = {k: self.config.place(str(params[k])) for k in ("guide", "profile") if k in params}
        return {**params, **paths}

    def _output(self, number: int, seed: int) -> Path:
        return self.config.work / f"model-{number}-seed-{seed}"

    def _trainable(self) -> str:
        """Return what is trained: the best encoder with weights to train."""
        stage = next((o for o in self.outcomes if o.name == "encoders"), None)
        if stage is None:
            assert self.config.training is not None
            return self.config.training.base
        names = [str(record.params["encoder"]) for record in stage.leaders()]
        found = next((name for name in names if name not in NOT_TRAINED), None)
        if found is None:
            raise InputError(
                f"{self.config.file}: [training] must start from an encoder that works and has "
                f"weights to train, got none among {', '.join(names)}. Name another."
            )
        if found != names[0]:
            self.progress.note(f"{names[0]} has no weights to train: training starts from {found}")
        return found

    def _take(self, stage: Stage, record: Record) -> None:
        if stage.name == "encoders":
            encoder = self.config.place(str(record.params["encoder"]))
            self.best = replace(self.best, encoder=encoder)
        elif stage.name == "training":
            seed = _best_seed(record)
            if not self._output(record.number, seed).is_dir():
                self._train(record.params, record.number, seed)
            self.model = str(self._output(record.number, seed))
            self.best = replace(self.best, encoder=self.model)
        else:
            self.best = options_with(self.best, record.params)

    def _prune(self, records: list[Record]) -> None:
        """Delete every model but that of the best trial's best seed."""
        found = leaders(records)
        kept = self._output(found[0].number, _best_seed(found[0])) if found else None
        delete_models(self.config.work, but=kept)

    def _score(self, stage: Stage, options: Options, seed: int) -> Score:
        self._judge = self._judge or Judge(self.config.level, self.vectors)
        part = self.data().judged.sample(stage.sample, seed)
        return self._judge.score(stage.metric, options, part)


def delete_models(work: Path, *, but: Path | None = None) -> None:
    """Delete the models of a study and their checkpoints, but one."""
    for folder in work.glob("model-*"):
        if folder != but:
            shutil.rmtree(folder, ignore_errors=True)


def _best_seed(record: Record) -> int:
    """Return the seed with the best score, the first of equal ones."""
    return int(max(record.seeds, key=lambda seed: record.seeds[seed]))


def _record(number: int, params: Params, scores: Mapping[str, Score]) -> Record:
    first: dict[str, Any] = dict(next(iter(scores.values())).beside)
    values = {seed: score.estimate.value for seed, score in scores.items()}
    return Record(number, dict(params), values, first)
