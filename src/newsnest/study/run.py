"""A whole study: its stages, each from the best of the one before, and the report at the end."""

import functools
import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import newsnest
from newsnest.embed import MemoryCache, VectorCache, load_encoder, weights
from newsnest.errors import InputError, NewsnestError
from newsnest.evaluate import Estimate, estimate
from newsnest.nest import Nest
from newsnest.options import Options
from newsnest.progress import SILENT, Progress
from newsnest.study.config import NOT_TRAINED, StagePlan, StudyConfig, read_config
from newsnest.study.data import Labelled, StudyData, prepare_data
from newsnest.study.outcome import Outcome, Reported, StageOutcome, one_line
from newsnest.study.page import write_page
from newsnest.study.score import Scorer
from newsnest.study.space import Params, options_with
from newsnest.study.trials import Scored, Trial, TrialStore, leaders, require_optuna
from newsnest.train.recipe import require_packages
from newsnest.train.recipes.pairs import PAIRS, PairsSettings
from newsnest.train.settings import parse_settings, written

_REPORTS, _FACTS, _START = "reports", "facts", "start"


def run_study(study: str | Path | StudyConfig, *, progress: Progress = SILENT) -> Outcome:
    """Run the study of a .toml file, or resume it, and write its page.

    Each stage starts from the best of the one before. At the end the winner, and what newsnest
    does without any study, are scored on articles that no trial has seen.

    Parameters
    ----------
    study
        The file, see docs/training/study.md, or what `read_config` makes of it.
    progress
        Receives every trial.

    Returns
    -------
    Outcome
        A study that has ended gives the same again, and does nothing.

    Raises
    ------
    InputError
        If the file, or a file it names, cannot be used; if what is reported on is tuned on; or if
        the storage holds another study.
    ParameterError
        If an extra is not installed.
    NewsnestError
        As the parts raise it, where not even the settings to start from work.

    Notes
    -----
    Deterministic for the file, its seeds and the versions of the packages, also where it was
    killed in between. Trials are JSON in SQLite; nothing is unpickled.

    Example
    -------
    >>> run_study("study.toml").reported[0].difference                   # doctest: +SKIP
    Estimate(value=0.041, low=0.012, high=0.069)
    """
    require_optuna()
    config = study if isinstance(study, StudyConfig) else read_config(Path(study))
    if config.training is not None:  # a training that cannot run would be kept as failed trials
        require_packages()
        if config.training.report_to:
            from newsnest.train.run.context import check_trackers

            check_trackers(config.training.report_to)
    data = functools.cache(lambda: prepare_data(config, progress))  # read when first asked for
    with TrialStore(config.storage, config.work / "lock") as store:
        if store.is_new:
            _delete_models(config.work)  # of another study, whose storage was deleted
            data()  # where articles cannot be used, no study has begun
        store.check({**config.content(), "newsnest": newsnest.__version__})
        with Nest(config.work / "vectors.nest", create=True) as nest:
            default = Options(read=config.read)
            stages = _Stages(config, store, data, nest.vectors, progress, best=default)
            if config.training is not None and config.stages[0].name != "encoders":
                stages.best = replace(default, encoder=config.places[config.training.base])
            if not store.get(_REPORTS):  # what could not be scored at the end raises now
                load_encoder(default.encoder).prepare([])
            for stage in config.stages:
                stages.run(stage)
            key = _key(stages.best, config)
            reports: dict[str, list[dict[str, Any]]] = store.get(_REPORTS) or {}
            if key not in reports:  # that of every winner is made once
                scorer = Scorer(config.level, nest.vectors, config.resamples, config.seed)
                metrics = dict.fromkeys(stage.metric for stage in reversed(config.stages))
                both, part = (stages.best, default), data().report
                reports[key] = [asdict(_reported(m, *both, scorer, part)) for m in metrics]
                store.put(_FACTS, dict(data().facts))
                # Last: where there are reports, a resumed study takes its facts for kept too.
                store.put(_REPORTS, reports)
        outcome = Outcome(
            config=str(config.file),
            stages=tuple(stages.outcomes),
            reported=tuple(Reported.of(one) for one in reports[key]),
            looks=len(reports),
            facts=store.get(_FACTS) or {},
            command=command_of(stages.best, config),
            model=stages.model,
            is_default=key == _key(default, config),
        )
    write_page(outcome, config.page)
    return outcome


@dataclass(slots=True)
class _Stages:
    """Runs the stages one by one, and keeps the best pipeline so far.

    `data` reads the articles, and is called only where something is left to do.
    """

    config: StudyConfig
    store: TrialStore
    data: Callable[[], StudyData]
    vectors: VectorCache
    progress: Progress
    best: Options
    model: str = ""
    outcomes: list[StageOutcome] = field(default_factory=list)
    _base: str = ""
    _scorer: Scorer = field(init=False)

    def __post_init__(self) -> None:
        self._scorer = Scorer(self.config.level, self.vectors)

    def run(self, stage: StagePlan) -> None:
        """Run a stage, and adopt its best pipeline if it beats the start."""
        if stage.name == "training":
            self._base = self._trainable()
        start = None if stage.name == "encoders" else self._start(stage)
        trials = self.store.trials(stage.name)
        with self.progress.start(stage.name, stage.trials, "trials") as task:
            task.advance(min(len(trials), stage.trials))
            while True:
                found = leaders(trials)
                if stage.name == "training":  # also where a kill came before it
                    _delete_models(self.config.work, but=self._model(found[0]) if found else None)
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
        """Return the pipeline the stage starts from, scored as its trials are."""
        kept = self.store.get(_START, stage=stage.name)
        if kept is None:
            seeds, beside = self._scored(stage, lambda seed: self.best)
            kept = asdict(Trial(-1, {"encoder": self.best.encoder}, seeds, beside))
            self.store.put(_START, kept, stage=stage.name)
        return Trial(**kept)

    def _trial(self, stage: StagePlan, trials: list[Trial]) -> Trial:
        """Try the next settings, then store and report the result."""
        self.data()  # articles that cannot be used are no failure of these settings
        number = len(trials)
        params, drawing = self.store.propose(stage, number, self.config.seed)
        same = next((trial for trial in trials if trial.params == params), None)
        if same is not None:
            first = same.number if same.same_as is None else same.same_as
            trial = replace(same, number=number, same_as=first)
        else:
            try:
                scored = self._scored(
                    stage, lambda seed: self._pipeline(stage, params, number, seed)
                )
                trial = Trial(number, params, *scored)
            except NewsnestError as error:
                trial = Trial(number, params, error=error.for_people)
        self.store.add(stage.name, drawing, trial)
        result = f"failed: {trial.error}" if trial.error else f"{stage.metric} {trial.value:.4f}"
        again = f" (as trial {trial.same_as})" if trial.same_as is not None else ""
        self.progress.note(f"{stage.name} {number}: {result}{again}, {one_line(trial.params)}")
        return trial

    def _scored(self, stage: StagePlan, pipeline_of: Callable[[int], Options]) -> Scored:
        """Return the score of each seed, given the pipeline of each."""
        scores = {}
        for seed in stage.seeds:
            pipeline = pipeline_of(seed)
            # Vectors of models that will be gone are not kept.
            gone = stage.name == "training" and pipeline is not self.best
            scorer = Scorer(self.config.level, MemoryCache()) if gone else self._scorer
            part = self.data().judged.sample(stage.sample, seed)
            scores[str(seed)] = scorer.score(stage.metric, pipeline, part)
        first = next(iter(scores.values())).beside
        return {seed: score.estimate.value for seed, score in scores.items()}, dict(first)

    def _pipeline(self, stage: StagePlan, params: Params, number: int, seed: int) -> Options:
        """Return the best pipeline so far, changed by a trial's settings."""
        if stage.name == "encoders":
            return replace(self.best, encoder=self.config.places[str(params["encoder"])])
        if stage.name == "training":
            return replace(self.best, encoder=str(self._train(params, number, seed)))
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
        """Return the encoder to train: the best one with trainable weights."""
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
            self.best = self._pipeline(stage, trial.params, trial.number, trial.best_seed)
            return
        model = self._model(trial)
        if not model.is_dir():
            self._train(trial.params, trial.number, trial.best_seed)
        self.model = str(model)
        self.best = replace(self.best, encoder=self.model)


def _delete_models(work: Path, *, but: Path | None = None) -> None:
    """Delete the models of a study and their checkpoints, but one."""
    for folder in work.glob("model-*"):
        if folder != but:
            shutil.rmtree(folder, ignore_errors=True)


def _reported(
    metric: str, winner: Options, default: Options, scorer: Scorer, part: Labelled
) -> Reported:
    try:
        ours, usual = (scorer.score(metric, options, part) for options in (winner, default))
    except NewsnestError as error:
        return Reported(metric, None, None, None, {}, error.for_people)
    if ours.draws is not None and usual.draws is not None:  # on the same resamples
        difference = estimate(ours.draws - usual.draws)
    else:
        difference = Estimate(ours.estimate.value - usual.estimate.value)
    beside = {"winner": ours.beside, "default": usual.beside}
    return Reported(metric, ours.estimate, usual.estimate, difference, beside)


def _key(options: Options, config: StudyConfig) -> str:
    """Return a digest of a pipeline, its reading apart: that of the study is one.

    Models are named from the study's folder on, wherever the command runs.
    """
    content = {key: value for key, value in asdict(options).items() if key != "read"}
    encoder, folder = Path(options.encoder), config.file.parent
    if encoder.is_relative_to(folder):
        content["encoder"] = encoder.relative_to(folder).as_posix()
    return weights.settings_digest({"options": content})


def command_of(options: Options, config: StudyConfig) -> str:
    """Return the `newsnest cluster` command that does what a pipeline says.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> place = SimpleNamespace(storage=Path("a.db"), profile=None,
    ...                         tuning=SimpleNamespace(files=[Path("news.csv")]))
    >>> command_of(Options(encoder="tfidf", min_similarity={"story": 0.25}), place)
    'newsnest cluster news.csv -o a.nest --encoder tfidf --min-similarity story=0.25'
    """
    words = ["newsnest", "cluster", *map(str, config.tuning.files)]
    words += ["-o", str(config.storage.with_suffix(".nest")), *options.command_line()]
    words += ["--profile", config.profile] if config.profile is not None else []
    return shlex.join(words)
