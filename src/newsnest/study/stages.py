"""The stages: each tries settings from the best of the one before, and keeps what was better."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from newsnest.embed import MemoryCache, VectorCache
from newsnest.errors import InputError
from newsnest.pipeline import Options
from newsnest.progress import Progress
from newsnest.study.config import NOT_TRAINED, StagePlan, StudyConfig
from newsnest.study.data import StudyData
from newsnest.study.outcome import StageOutcome, one_line
from newsnest.study.score import Scorer
from newsnest.study.space import Params, options_with
from newsnest.study.trials import Scored, Trial, TrialStore, leaders
from newsnest.train.recipes.pairs import PAIRS, PairsSettings
from newsnest.train.settings import parse_settings, written

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
    _scorer: Scorer = field(init=False)

    def __post_init__(self) -> None:
        self._scorer = Scorer(self.config.level, self.vectors)

    def run(self, stage: StagePlan) -> None:
        """Run a stage, and take its best on if it is better than the start."""
        if stage.name == "training":
            self._base = self._trainable()
        start = None if stage.name == "encoders" else self._start(stage)
        trials = self.store.trials(stage.name)
        with self.progress.start(stage.name, stage.trials, "trials") as task:
            task.advance(min(len(trials), stage.trials))
            while True:
                found = leaders(trials)
                if stage.name == "training":  # also where a kill came before it
                    kept = self._model(found[0]) if found else None
                    delete_models(self.config.work, but=kept)
                if len(trials) >= stage.trials:
                    break
                trials.append(self._trial(stage, trials))
                task.advance()
        if not found and start is None:
            raise InputError(
                f"{self.config.file}: at least one trial of [{stage.name}] must work, got none: "
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
        kept = self.store.get(_START, stage=stage.name)
        if kept is None:
            seeds, beside = self._scored(stage, lambda seed: self.best)
            kept = asdict(Trial(-1, {"encoder": self.best.encoder}, seeds, beside))
            self.store.put(_START, kept, stage=stage.name)
        return Trial(**kept)

    def _trial(self, stage: StagePlan, trials: list[Trial]) -> Trial:
        """Try settings, and tell the result."""

        def score(params: Params, number: int) -> Scored:
            if stage.name == "training":
                return self._scored(
                    stage,
                    lambda seed: replace(self.best, encoder=str(self._train(params, number, seed))),
                )
            options = self._options(stage, params)
            return self._scored(stage, lambda seed: options)

        self.data()  # articles that cannot be used are no failure of these settings
        trial = self.store.tried(stage, trials, self.config.seed, score)
        result = f"failed: {trial.error}" if trial.error else f"{stage.metric} {trial.value:.4f}"
        again = f" (as trial {trial.same_as})" if trial.same_as is not None else ""
        self.progress.note(
            f"{stage.name} {trial.number}: {result}{again}, {one_line(trial.params)}"
        )
        return trial

    def _scored(self, stage: StagePlan, options: Callable[[int], Options]) -> Scored:
        """Return the score of each seed, given the pipeline of each."""
        scores = {}
        for seed in stage.seeds:
            pipeline = options(seed)
            # Vectors of models that will be gone are not kept.
            gone = stage.name == "training" and pipeline is not self.best
            scorer = Scorer(self.config.level, MemoryCache()) if gone else self._scorer
            part = self.data().judged.sample(stage.sample, seed)
            scores[str(seed)] = scorer.score(stage.metric, pipeline, part)
        first = next(iter(scores.values())).beside
        return {seed: score.estimate.value for seed, score in scores.items()}, dict(first)

    def _options(self, stage: StagePlan, params: Params) -> Options:
        if stage.name == "encoders":
            return replace(self.best, encoder=self.config.places[str(params["encoder"])])
        return options_with(self.best, params)

    def _train(self, params: Params, number: int, seed: int) -> Path:
        """Train a model, or resume training it, or find it."""
        training = self.config.training
        assert training is not None
        # Models and profiles are relative to the study's folder.
        paths = {k: self.config.places[str(params[k])] for k in ("guide", "profile") if k in params}
        words = [
            f"{name}={value!r}" if isinstance(value, float) else f"{name}={written(value)}"
            for name, value in {**params, **paths, "seed": seed}.items()
        ]  # floats with all their digits
        words += [f"report_to={':'.join(training.report_to)}"] if training.report_to else []
        settings = parse_settings(
            PairsSettings,
            words,
            data=self.data().training,
            base=self.config.places[self._base],
            output=self._output(number, seed),
        )
        return PAIRS.run(settings, progress=self.progress)

    def _output(self, number: int, seed: int) -> Path:
        return self.config.work / f"model-{number}-seed-{seed}"

    def _model(self, trial: Trial) -> Path:
        """Return the model of the best seed."""
        return self._output(trial.number, trial.best_seed)

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
        model = self._model(trial)
        if not model.is_dir():
            self._train(trial.params, trial.number, trial.best_seed)
        self.model = str(model)
        self.best = replace(self.best, encoder=self.model)


def delete_models(work: Path, *, but: Path | None = None) -> None:
    """Delete the models of a study and their checkpoints, but one."""
    for folder in work.glob("model-*"):
        if folder != but:
            shutil.rmtree(folder, ignore_errors=True)
