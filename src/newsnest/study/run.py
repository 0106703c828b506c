"""A whole study: its stages, and the report on articles that none of them saw."""

import functools
import shlex
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import newsnest
from newsnest.embed import load_encoder
from newsnest.embed.weights import settings_digest
from newsnest.errors import NewsnestError
from newsnest.evaluate import Estimate
from newsnest.evaluate.bootstrap import estimate
from newsnest.nest import Nest
from newsnest.pipeline import Options
from newsnest.progress import SILENT, Progress
from newsnest.study.config import StudyConfig, Training, read_config
from newsnest.study.data import Labelled, StudyData, prepare_data
from newsnest.study.outcome import Outcome, Reported
from newsnest.study.page import write_page
from newsnest.study.score import Score, Scorer
from newsnest.study.stages import Stages, delete_models
from newsnest.study.trials import TrialStore, require_optuna
from newsnest.train.recipe import require_packages

_REPORTS, _FACTS = "reports", "facts"


def run_study(study: str | Path | StudyConfig, *, progress: Progress = SILENT) -> Outcome:
    """Run the study of a .toml file, or resume it, and write its page.

    Each stage starts from the best of the one before. At the end the winner, and what newsnest
    does without any study, are scored on articles that no trial has seen.

    Parameters
    ----------
    study
        The file, see docs/training/study.md, or what `read_config` makes of it.
    progress
        Told about every trial.

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
    if config.training is not None:
        _check_training(config.training)
    data = functools.cache(lambda: prepare_data(config, progress))  # read when first asked for
    with TrialStore(config.storage, config.work / "lock") as store:
        if store.is_new:
            delete_models(config.work)  # of another study, whose storage was deleted
            data()  # where articles cannot be used, no study has begun
        store.check({**config.content(), "newsnest": newsnest.__version__})
        with Nest(config.work / "vectors.nest", create=True) as nest:
            default = Options(read=config.read)
            stages = Stages(config, store, data, nest.vectors, progress, best=default)
            if config.training is not None and config.stages[0].name != "encoders":
                stages.best = replace(default, encoder=config.places[config.training.base])
            if not store.get(_REPORTS):  # what could not be scored at the end raises now
                load_encoder(default.encoder).prepare([])
            for stage in config.stages:
                stages.run(stage)
            scorer = Scorer(config.level, nest.vectors, config.resamples, config.seed)
            metrics = list(dict.fromkeys(stage.metric for stage in reversed(config.stages)))
            key = _key(stages.best, config)
            reports = _report(store, key, (stages.best, default), metrics, scorer, data)
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


def _check_training(training: Training) -> None:
    """Raise where no training could run, which would be kept as trials that failed."""
    require_packages()
    if training.report_to:
        from newsnest.train.run.context import check_trackers

        check_trackers(training.report_to)


def _report(
    store: TrialStore,
    key: str,
    both: tuple[Options, Options],
    metrics: list[str],
    scorer: Scorer,
    data: Callable[[], StudyData],
) -> dict[str, list[dict[str, Any]]]:
    """Return the reports of every winner so far by its key; that of this one is made once."""
    reports: dict[str, list[dict[str, Any]]] = store.get(_REPORTS) or {}
    if key not in reports:
        part = data().report
        reports[key] = [asdict(_reported(metric, *both, scorer, part)) for metric in metrics]
        store.put(_FACTS, dict(data().facts))
        store.put(_REPORTS, reports)
    return reports


def _reported(
    metric: str, winner: Options, default: Options, scorer: Scorer, part: Labelled
) -> Reported:
    try:
        found = [scorer.score(metric, options, part) for options in (winner, default)]
    except NewsnestError as error:
        return Reported(metric, None, None, None, {}, error.for_people)
    return Reported(
        metric,
        found[0].estimate,
        found[1].estimate,
        _difference(*found),
        {"winner": found[0].beside, "default": found[1].beside},
    )


def _difference(winner: Score, default: Score) -> Estimate:
    """Return by how much the winner is better, on the same resamples where there are some."""
    if winner.draws is not None and default.draws is not None:
        found = estimate(winner.draws - default.draws)
        assert found is not None  # a difference of numbers is a number
        return found
    return Estimate(winner.estimate.value - default.estimate.value)


def _key(options: Options, config: StudyConfig) -> str:
    """Return a digest of a pipeline, its reading apart: that of the study is one.

    Models are named from the study's folder on, wherever the command runs.
    """
    content = {key: value for key, value in asdict(options).items() if key != "read"}
    encoder, folder = Path(options.encoder), config.file.parent
    if encoder.is_relative_to(folder):
        content["encoder"] = encoder.relative_to(folder).as_posix()
    return settings_digest({"options": content})


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
