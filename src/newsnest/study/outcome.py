"""What a study found, as it is printed, kept and drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from newsnest.evaluate import Estimate
from newsnest.study.space import Value
from newsnest.study.trials import Trial, leaders
from newsnest.types import plural

TOP = 10
"""How many trials a leaderboard has."""


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What a stage found: every trial in order, and what it started from, by the same metric.

    There is no start where the stage tries encoders. `importances` are the shares of the spread of
    the scores that settings account for, {} where that is unknown. The best trial is taken on if it
    `improved` on the start.
    """

    name: str
    metric: str
    start: Trial | None
    trials: tuple[Trial, ...]
    importances: Mapping[str, float]
    improved: bool

    @property
    def kept_start(self) -> bool:
        """Whether no trial was better than what there was."""
        return self.start is not None and not self.improved

    def leaders(self) -> tuple[Trial, ...]:
        """Return the trials that were made, the best first, the first of equal ones."""
        return leaders(self.trials)

    def scores(self) -> list[float]:
        """Return the start's score, where there is one, and that of every trial in order."""
        first = [] if self.start is None else [self.start.value]
        return first + [trial.value for trial in self.trials if not trial.error]

    def as_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        start = None if self.start is None else self.start.as_dict()
        return {**asdict(self), "start": start, "trials": [one.as_dict() for one in self.trials]}

    def lines(self) -> Iterator[str]:
        """Yield the leaderboard as text."""
        trials = len(self.trials)
        seeds = max(len(self.trials[0].seeds), len(self.start.seeds) if self.start else 0, 1)
        yield (
            f"{self.name}: {trials:,} {plural('trial', trials)} by {self.metric}, mean ± standard "
            f"deviation over {seeds} {plural('seed', seeds)}"
        )
        ranked = [(str(place), trial) for place, trial in enumerate(self.leaders()[:TOP], start=1)]
        for place, trial in ranked + ([] if self.start is None else [("start", self.start)]):
            language = trial.beside.get("nmi_language")
            beside = "" if language is None else f"  NMI with language {language:.3f}"
            score = f"{trial.value:.4f} ± {trial.deviation:.4f}{beside}"
            yield f"  {place:>5}  {score}  {one_line(trial.params)}"
        if self.kept_start:
            yield "  no trial was better than the start, which is kept"
        failed = [trial for trial in self.trials if trial.error]
        if failed:
            yield f"  {len(failed):,} failed, the first: {failed[0].error}"
        if self.importances:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in self.importances.items())
            yield f"  importance: {shares}"


@dataclass(frozen=True, slots=True)
class Reported:
    """One metric on the articles that the study never used, for the winner and the default.

    The difference is the winner's less the default's, and has an interval only where both were
    resampled together. All three are None where `error` says why they could not be measured.
    `beside` holds the further scores of each, under "winner" and "default".
    """

    metric: str
    winner: Estimate | None
    default: Estimate | None
    difference: Estimate | None
    beside: Mapping[str, Mapping[str, float | int | None]]
    error: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Reported":
        """Read it from JSON."""
        keys = ("winner", "default", "difference")
        known = {key: content[key] and Estimate(**content[key]) for key in keys}
        return cls(**{**content, **known})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study found.

    Parameters
    ----------
    config
        The .toml file, as it was named.
    stages
        In their order.
    reported
        On the articles that the study never used, the metric of the last stage first.
    looks
        How many winners have been reported on these articles so far.
    facts
        How many articles there were of each kind.
    command
        What to run with the winner.
    model
        The trained encoder that won, "" where none did.
    is_default
        Whether the winner is what newsnest does without a study.
    """

    config: str
    stages: tuple[StageOutcome, ...]
    reported: tuple[Reported, ...]
    looks: int
    facts: Mapping[str, Any]
    command: str
    model: str
    is_default: bool

    @property
    def verdict(self) -> str:
        """Whether the study helped, by the first metric whose difference has an interval."""
        if self.is_default:
            return "The winner is what newsnest does without a study."
        interval = self._interval()
        if interval is None:
            verdict = "No difference has an interval: whether the study helped is open"
            return f"{verdict}: keep the defaults." if self.keeps_defaults else f"{verdict}."
        if interval[0] > 0:
            return "The study helped."
        if interval[1] < 0:
            return "newsnest does better without this study: keep the defaults."
        return "The study did not help for certain: keep the defaults."

    @property
    def keeps_defaults(self) -> bool:
        """Whether the verdict is to keep what newsnest does without a study."""
        if self.is_default:
            return False
        interval = self._interval()
        if interval is not None:
            return interval[0] <= 0
        differences = [one.difference.value for one in self.reported if one.difference]
        return bool(differences) and differences[0] <= 0

    def _interval(self) -> tuple[float, float] | None:
        """Return an interval of a difference: by common resamples, else of two that are apart."""
        common = [_bounds(one.difference) for one in self.reported]
        return next(filter(None, [*common, *map(_apart, self.reported)]), None)

    def lines(self) -> Iterator[str]:
        """Yield it as text: the leaderboards, the report, and the command to use."""
        for stage in self.stages:
            yield from stage.lines()
        yield f"on {self.facts['report_articles']:,} articles that no trial has seen:"
        for one in self.reported:
            scores = (
                f"{shown(one.winner)}, without a study {shown(one.default)}, "
                f"difference {shown(one.difference)}"
            )
            yield f"  {one.metric}: {one.error or scores}"
        if self.looks > 1:
            yield f"  these articles have been used to report {self.looks} winners"
        yield self.verdict
        if self.model:
            yield f"The trained encoder: {self.model}"
        yield f"{'The winner' if self.keeps_defaults else 'Use it'}: {self.command}"

    def as_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        whole = asdict(self)
        report, winners = whole.pop("reported"), whole.pop("looks")
        stages = [stage.as_dict() for stage in self.stages]
        made = {"stages": stages, "report": report, "reported_winners": winners}
        return {**whole, **whole.pop("facts"), **made, "verdict": self.verdict}


def _bounds(found: Estimate | None) -> tuple[float, float] | None:
    if found is None or found.low is None or found.high is None:
        return None
    return found.low, found.high


def _apart(one: Reported) -> tuple[float, float] | None:
    """Return an interval of the difference of scores whose intervals do not overlap, else None."""
    winner, default = _bounds(one.winner), _bounds(one.default)
    if winner is None or default is None:
        return None
    low, high = winner[0] - default[1], winner[1] - default[0]
    return (low, high) if low > 0 or high < 0 else None


def one_line(params: Mapping[str, Value]) -> str:
    """Return settings on one line.

    Example
    -------
    >>> one_line({"clusterer": "kmeans", "kmeans_clusters": 12, "keep_copies": True})
    'clusterer=kmeans kmeans_clusters=12 keep_copies=true'
    """
    return " ".join(f"{name}={_short(value)}" for name, value in params.items()) or "as it is"


def _short(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def shown(found: Estimate | float | None) -> str:
    """Return a score, with its interval where it has one, as every table has it."""
    if found is None:
        return "—"
    return f"{found:.3f}" if isinstance(found, float) else str(found)
