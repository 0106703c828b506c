"""Trials, stored by Optuna in one SQLite file: finished ones only, each in one write.

A killed study leaves no partial trial behind: the settings of the next one follow from the
finished ones and a seed, so they are proposed again, and nothing has to be repaired.
"""

import json
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from newsnest.errors import InputError, ParameterError
from newsnest.study.config import STAGES, StagePlan
from newsnest.study.space import Value, suggest

if TYPE_CHECKING:
    import optuna

Beside = Mapping[str, float | int | None]
Scored = tuple[Mapping[str, float], Beside]
"""The score of each seed, and what to know when reading them, of the first seed."""

_MAIN = "newsnest"
_CONFIG = "config"


def require_optuna() -> None:
    """Raise ParameterError unless what a study needs is installed."""
    if find_spec("optuna") is None:
        raise ParameterError(
            "study: the package optuna must be installed, got none. "
            'Run pip install "newsnest[study]".'
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """The settings that meant something in one trial, and the score of each seed.

    Trials are numbered from 0 in the order in which they were tried. One that failed has no seeds
    and says why in `error`; one with the very same settings as an earlier one has its scores and
    its number in `same_as`. `beside` holds the further scores of the first seed.
    """

    number: int
    params: Mapping[str, Value]
    seeds: Mapping[str, float] = field(default_factory=dict)
    beside: Beside = field(default_factory=dict)
    error: str = ""
    same_as: int | None = None

    @property
    def value(self) -> float:
        """The mean over the seeds; only of a trial that did not fail."""
        return statistics.fmean(self.seeds.values())

    @property
    def deviation(self) -> float:
        """Standard deviation over the seeds, 0 of a single one."""
        return statistics.stdev(self.seeds.values()) if len(self.seeds) > 1 else 0.0

    @property
    def best_seed(self) -> int:
        """The seed with the best score, the first of equal ones."""
        return int(max(self.seeds, key=lambda seed: self.seeds[seed]))

    def as_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {
            **asdict(self),
            "value": None if self.error else self.value,
            "deviation": None if self.error else self.deviation,
        }


def leaders(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the trials that were made and did not fail, the best first."""
    made = [trial for trial in trials if not trial.error and trial.same_as is None]
    return tuple(sorted(made, key=lambda trial: (-trial.value, trial.number)))


class TrialStore:
    """The trials of a study in an SQLite file, which is made if it is not there; use in `with`.

    The lock is a file that is locked as long as the study runs: a second process raises InputError,
    and so does a file that holds something else.
    """

    def __init__(self, file: Path, lock: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        _check_storage(file)
        lock.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self._lock = sqlite3.connect(lock, timeout=0.0, isolation_level=None)
        try:
            # The system lets go of it when the process dies: a kill leaves no lock behind.
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._lock.close()
            raise InputError(
                f"{file}: must be free, got a study that is running on it. Wait until it ends."
            ) from error
        self._storage = optuna.storages.RDBStorage(
            "sqlite:///study.db",  # a URL, or a template of one, could not hold every name
            engine_kwargs={"creator": lambda: sqlite3.connect(file, 60.0, check_same_thread=False)},
        )
        self._studies: dict[str, optuna.Study] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()
        self._lock.close()

    @property
    def is_new(self) -> bool:
        """Whether no study has begun in it."""
        return self.get(_CONFIG) is None

    def check(self, content: Mapping[str, Any]) -> None:
        """Keep what the study is, or raise InputError naming what another one in the file was.

        That is all that decides what a trial scores (`StudyConfig.content`). The number of trials
        is not part of it: there may be more of them later.
        """
        there = self.get(_CONFIG)
        here = json.loads(json.dumps(content))
        if there is None:
            self.put(_CONFIG, here)
        elif there != here:
            others = "; ".join(_changes(there, here))
            raise InputError(
                f"{self.file}: must hold this study, got another: {others}. "
                'To begin another, name another file under [study], as in storage = "other.db"; '
                f"to begin anew, delete {self.file.name}."
            )

    def put(self, key: str, content: Any, *, stage: str = _MAIN) -> None:
        """Store JSON under a key of a stage."""
        self._study(stage).set_user_attr(key, content)

    def get(self, key: str, *, stage: str = _MAIN) -> Any:
        """Return the JSON under a key of a stage, None if there is none."""
        return self._study(stage).user_attrs.get(key)

    def trials(self, stage: str) -> list[Trial]:
        """Return the finished trials of a stage, in order."""
        found = [Trial(**one.user_attrs["record"]) for one in self._finished(stage)]
        return sorted(found, key=lambda trial: trial.number)

    def propose(
        self, stage: StagePlan, number: int, seed: int
    ) -> tuple[dict[str, Value], dict[str, Any]]:
        """Return what to try as trial `number`, and what Optuna has to know of it.

        Encoders are tried one after the other, anything else by a tree-structured Parzen estimator
        (Bergstra et al. 2011), the first ten at random. It follows from the seed, the finished
        trials and their number.
        """
        import optuna

        if stage.name == "encoders":
            names = stage.space["encoder"].examples
            every = optuna.distributions.CategoricalDistribution(names)
            params = {"encoder": names[number]}
            return params, {"params": params, "distributions": {"encoder": every}}
        words = [seed, STAGES.index(stage.name), number]
        drawn = int(np.random.SeedSequence(words).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(seed=drawn)
        # In memory: to ask the storage would leave a trial there that a kill never ends.
        memory = optuna.create_study(direction="maximize", sampler=sampler)
        memory.add_trials(self._finished(stage.name))
        asked = memory.ask()
        params = suggest(asked, stage.space, stage.name)
        return params, {"params": asked.params, "distributions": asked.distributions}

    def add(self, stage: str, drawing: dict[str, Any], trial: Trial) -> None:
        """Keep a finished trial, with what `propose` returned beside its settings."""
        import optuna

        state = optuna.trial.TrialState
        self._study(stage).add_trial(
            optuna.trial.create_trial(
                state=state.FAIL if trial.error else state.COMPLETE,
                value=None if trial.error else trial.value,
                user_attrs={"record": json.loads(json.dumps(asdict(trial)))},
                **drawing,
            )
        )

    def importances(self, stage: str) -> dict[str, float]:
        """Return what settings account for, of those that every trial has; {} if that says nothing.

        By functional ANOVA over a seeded forest (Hutter, Hoos and Leyton-Brown 2014).
        """
        import optuna

        study = self._study(stage)
        done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        if len(done) < 2 or len({trial.value for trial in done}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        try:
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except (ValueError, RuntimeError):  # nothing that all of them have was varied
            return {}
        # Of a single setting there is nothing to compare.
        return {name: float(value) for name, value in found.items()} if len(found) > 1 else {}

    def _finished(self, stage: str) -> "list[optuna.trial.FrozenTrial]":
        return [t for t in self._study(stage).get_trials() if "record" in t.user_attrs]

    def _study(self, stage: str) -> "optuna.Study":
        import optuna

        if stage not in self._studies:
            self._studies[stage] = optuna.create_study(
                storage=self._storage, study_name=stage, direction="maximize", load_if_exists=True
            )
        return self._studies[stage]


def _check_storage(file: Path) -> None:
    """Raise unless the file is not there, or is a study of Optuna."""
    if not file.parent.is_dir():
        raise InputError(f"{file}: must lie in a folder that exists, got none. Make it first.")
    if not file.exists():
        return
    if file.is_file():
        try:
            # Read-only: somebody else's file must not be touched by looking at it.
            sql = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
            try:
                names = {row[0] for row in sql.execute("SELECT name FROM sqlite_master")}
            finally:
                sql.close()
            if not names or "studies" in names:  # empty: killed before anything was written
                return
        except sqlite3.DatabaseError:
            pass
    raise InputError(
        f"{file}: must be a study, got something else, which is left as it is. "
        'Name another file under [study], as in storage = "other.db".'
    )


def _changes(there: Any, here: Any, path: Sequence[str] = ()) -> list[str]:
    """Return what is another in one JSON value than in another, by its path."""
    if isinstance(there, dict) and isinstance(here, dict):
        names = list(dict.fromkeys([*there, *here]))
        return [
            change
            for name in names
            for change in _changes(there.get(name), here.get(name), [*path, name])
        ]
    if there == here:
        return []
    at = ".".join(path)
    return [f"{at} was {json.dumps(there)} and is {json.dumps(here)}"]
