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
from newsnest.study.config import NOT_TRAINED, StagePlan, StudyConfig
from newsnest.study.data import StudyData
from newsnest.study.outcome import StageOutcome, Trial, leaders, one_line
from newsnest.study.score import Score, Scorer
from newsnest.study.space import Params, assignments, options_with
from newsnest.study.storage import TrialStore
from newsnest.train.recipes.pairs import PairsSettings, run
from newsnest.train.settings import parse_settings

_START = "start"


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
    store: TrialStore
    data: Callable[[], StudyData]
    vectors: VectorCache
    progress: Progress
    best: Options = field(default_factory=Options)
    model: str = ""
    outcomes: list[StageOutcome] = field(default_factory=list)
    _base: str = ""
    _scorer: Scorer | None = None

    def run(self, stage: StagePlan) -> None:
        """Run a stage, and take its best on if it is better than the start."""
        if stage.name == "training":
            self._base = self._trainable()
        start = None if stage.name == "encoders" else self._start(stage)
        trials = self.store.trials(stage.name)
        with self.progress.start(stage.name, stage.trials, "trials") as task:
            task.advance(min(len(trials), stage.trials))
            while len(trials) < stage.trials:
                trials.append(self._trial(stage, trials))
                task.advance()
        if stage.name == "training":
            self._prune(trials)  # a kill may have come before it
        found = leaders(trials)
        if not found and start is None:
            raise InputError(
                f"{self.config.file}: one trial of [{stage.name}] at least must work, got none: "
                f"{trials[0].error} Correct it and begin anew."
            )
        improved = bool(found) and (start is None or found[0].value > start.value)
        if improved:
            self._take(stage, found[0])
        elif start is not None:
            self.progress.note(f"{stage.name}: no trial was better than the start")
        importances = self.store.importances(stage.name)
        self.outcomes.append(
            StageOutcome(stage.name, stage.metric, start, tuple(trials), importances, improved)
        )

    def _start(self, stage: StagePlan) -> Trial:
        """Return what the stage starts from, judged as its trials are."""
        kept = self.store.kept(_START, stage=stage.name)
        if kept is None:
            scores = {str(seed): self._score(stage, self.best, seed) for seed in stage.seeds}
            kept = asdict(_scored(-1, {"encoder": self.best.encoder}, scores))
            self.store.keep(_START, kept, stage=stage.name)
        return Trial(**kept)

    def _trial(self, stage: StagePlan, trials: list[Trial]) -> Trial:
        """Try settings, and keep the result."""
        number = len(trials)
        params, drawing = self.store.propose(stage.name, stage.space, number, self.config.seed)
        same = next((t for t in trials if t.params == params), None)
        if same is not None:
            first = same.number if same.same_as is None else same.same_as
            trial = replace(same, number=number, same_as=first)
        else:
            self.data()  # articles that cannot be used are no failure of these settings
            try:
                trial = _scored(number, params, self._scores(stage, params, number))
            except NewsnestError as error:
                trial = Trial(number, params, error=error.for_people)
        self.store.add(stage.name, drawing, trial)
        if stage.name == "training":
            self._prune([*trials, trial])
        score = f"failed: {trial.error}" if trial.error else f"{stage.metric} {trial.value:.4f}"
        again = f" (as trial {trial.same_as})" if trial.same_as is not None else ""
        self.progress.note(f"{stage.name} {number}: {score}{again}, {one_line(trial.params)}")
        return trial

    def _scores(self, stage: StagePlan, params: Params, number: int) -> dict[str, Score]:
        """Return the score of each seed."""
        if stage.name != "training":
            options = self._options(stage, params)
            return {str(seed): self._score(stage, options, seed) for seed in stage.seeds}
        scores = {}
        for seed in stage.seeds:
            options = replace(self.best, encoder=str(self._train(params, number, seed)))
            # Vectors of models that will be gone are not kept.
            scorer = Scorer(self.config.level, MemoryCache())
            scores[str(seed)] = scorer.score(stage.metric, options, self.data().judged)
        return scores

    def _options(self, stage: StagePlan, params: Params) -> Options:
        if stage.name == "encoders":
            return replace(self.best, encoder=self.config.place(str(params["encoder"])))
        return options_with(self.best, params)

    def _score(self, stage: StagePlan, options: Options, seed: int) -> Score:
        self._scorer = self._scorer or Scorer(self.config.level, self.vectors)
        part = self.data().judged.sample(stage.sample, seed)
        return self._scorer.score(stage.metric, options, part)

    def _train(self, params: Params, number: int, seed: int) -> Path:
        """Train a model, or resume training it, or find it."""
        training = self.config.training
        assert training is not None
        # Models and profiles are relative to the study's folder.
        paths = {k: self.config.place(str(params[k])) for k in ("guide", "profile") if k in params}
        words = [*assignments({**params, **paths}), f"seed={seed}"]
        words += [f"report_to={':'.join(training.report_to)}"] if training.report_to else []
        settings = parse_settings(
            PairsSettings,
            words,
            data=self.data().training,
            base=self.config.place(self._base),
            output=self._output(number, seed),
        )
        return run(settings, progress=self.progress)

    def _output(self, number: int, seed: int) -> Path:
        return self.config.work / f"model-{number}-seed-{seed}"

    def _trainable(self) -> str:
        """Return what is trained: the best encoder with weights to train."""
        stage = next((o for o in self.outcomes if o.name == "encoders"), None)
        if stage is None:
            assert self.config.training is not None
            return self.config.training.base
        names = [str(trial.params["encoder"]) for trial in stage.leaders()]
        found = next((name for name in names if name not in NOT_TRAINED), None)
        if found is None:
            raise InputError(
                f"{self.config.file}: [training] must start from an encoder that works and has "
                f"weights to train, got none among {', '.join(names)}. Name another."
            )
        if found != names[0]:
            self.progress.note(f"{names[0]} has no weights to train: training starts from {found}")
        return found

    def _take(self, stage: StagePlan, trial: Trial) -> None:
        if stage.name != "training":
            self.best = self._options(stage, trial.params)
            return
        model = self._output(trial.number, trial.best_seed)
        if not model.is_dir():
            self._train(trial.params, trial.number, trial.best_seed)
        self.model = str(model)
        self.best = replace(self.best, encoder=self.model)

    def _prune(self, trials: list[Trial]) -> None:
        """Delete every model but that of the best trial's best seed."""
        found = leaders(trials)
        kept = self._output(found[0].number, found[0].best_seed) if found else None
        delete_models(self.config.work, but=kept)


def delete_models(work: Path, *, but: Path | None = None) -> None:
    """Delete the models of a study and their checkpoints, but one."""
    for folder in work.glob("model-*"):
        if folder != but:
            shutil.rmtree(folder, ignore_errors=True)


def _scored(number: int, params: Params, scores: Mapping[str, Score]) -> Trial:
    first: dict[str, Any] = dict(next(iter(scores.values())).beside)
    values = {seed: score.estimate.value for seed, score in scores.items()}
    return Trial(number, dict(params), values, first)
