"""What a study.toml says, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.cluster import Reduction
from newsnest.cluster.calibration import SHARES
from newsnest.corpus import ReadOptions, digest, load_profile
from newsnest.embed import load_encoder
from newsnest.errors import InputError, NewsnestError
from newsnest.study.settings import (
    KEYWORDS,
    PIPELINE,
    check_pipeline,
    check_training,
    require_sizes,
    training_settings,
)
from newsnest.study.space import Choices, Space, check_space, line_in, read_space
from newsnest.study.table import Table, read_table

STAGES = ("encoders", "training", "pipeline", "keywords")
"""In the order in which they are run."""

GOLD_METRICS = ("bcubed_f1", "story_auroc")
_EMBEDDING = ("bcubed_f1", "auroc", "story_auroc", "mrr", "silhouette", "stability")
METRICS: Mapping[str, tuple[str, ...]] = {
    "encoders": _EMBEDDING,
    "training": _EMBEDDING,
    "pipeline": ("bcubed_f1", "silhouette", "stability"),
    "keywords": ("npmi", "diversity"),
}
"""What a stage may be judged by."""

_UNLABELLED = {"encoders": "auroc", "training": "auroc", "pipeline": "silhouette"}
_NOT_TRAINED = ("static", "tfidf")
_TRIALS = 20
_TOP = ("study", "tuning", "report", *STAGES)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files of articles, and where their gold labels stand.

    Parameters
    ----------
    files
        What `newsnest cluster` reads.
    gold
        A file with labels by id; None: they stand in the articles' own files.
    label
        The column of the labels; None: there are none.
    """

    files: tuple[Path, ...]
    gold: Path | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Parameters
    ----------
    name
        One of `STAGES`.
    metric
        What it is judged by.
    trials
        How many settings are tried.
    seeds
        A trial's score is the mean over them. They draw the training, or, where nothing is drawn,
        the sample of stories that is judged.
    sample
        Share of the stories that each seed judges.
    space
        What is tried.
    """

    name: str
    metric: str
    trials: int
    seeds: tuple[int, ...]
    sample: float
    space: Space


@dataclass(frozen=True, slots=True)
class Training:
    """What the stage `training` needs beside its settings.

    Parameters
    ----------
    data
        As `newsnest train pairs --data` reads it; (): a share of the tuning articles is trained on
        and not judged.
    share
        That share.
    base
        What is trained where there is no stage `encoders`.
    report_to
        Trackers of the trainer.
    """

    data: tuple[str, ...]
    share: float
    base: str
    report_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """A study, as its file says it.

    Parameters
    ----------
    file
        The .toml file.
    storage
        The SQLite file of the trials; the page and the work folder are named after it.
    level
        The level that gold labels are of, and that keywords are judged on.
    seed, resamples
        Of what the study draws, and of the intervals of the report.
    tuning, report
        What is tuned on and what is reported on; report None: a share of the stories is held out.
    held_out
        That share.
    read
        How files are read.
    profile
        Of the cleaning, as given; None: none.
    stages, training
        In their order; training None where there is no such stage.
    """

    file: Path
    storage: Path
    level: str
    seed: int
    resamples: int
    tuning: Corpus
    report: Corpus | None
    held_out: float
    read: ReadOptions
    profile: str | None
    stages: tuple[Stage, ...]
    training: Training | None

    @property
    def page(self) -> Path:
        """The page of the study."""
        return self.storage.with_suffix(".html")

    @property
    def work(self) -> Path:
        """The folder of vectors and models."""
        return self.storage.with_suffix(".work")

    def trials(self) -> dict[str, int]:
        """Return how many trials each stage is to have."""
        return {stage.name: stage.trials for stage in self.stages}

    def content(self) -> dict[str, Any]:
        """Return all that decides what a trial scores, files by their digests; ready for JSON."""
        said: dict[str, Any] = {
            "study": {"level": self.level, "seed": self.seed, "resamples": self.resamples},
            "tuning": _corpus_content(self.tuning),
            "report": {"held_out": self.held_out}
            if self.report is None
            else _corpus_content(self.report),
            "read": {"fields": dict(self.read.fields), "profile": None},
        }
        if self.read.profile is not None:
            said["read"]["profile"] = self.read.profile.digest
        for stage in self.stages:
            said[stage.name] = {
                "metric": stage.metric,
                "seeds": list(stage.seeds),
                "sample": stage.sample,
                "settings": {name: own.content() for name, own in stage.space.items()},
            }
            names = [str(v) for v in _examples(stage.space, "encoder")]
            if models := {name: digest([name]) for name in names if Path(name).is_dir()}:
                said[stage.name]["models"] = models
        if self.training is not None:
            own = self.training
            files = [Path(told.partition(",")[0]) for told in own.data]
            said["training"] |= {
                "data": [
                    [told, digest([file])] for told, file in zip(own.data, files, strict=True)
                ],
                "share": own.share,
                "base": own.base,
            }
            if Path(own.base).is_dir():
                said["training"]["model"] = digest([own.base])
        return said


def _corpus_content(corpus: Corpus) -> dict[str, Any]:
    return {
        "articles": digest(corpus.files),
        "gold": None if corpus.gold is None else digest([corpus.gold]),
        "label": corpus.label,
    }


def read_config(file: Path) -> StudyConfig:
    """Read the .toml file of a study; nothing is loaded, and no article is read.

    Raises
    ------
    InputError
        If it cannot be read, a key is unknown or missing, or a value cannot be; the message names
        file, line, key and cure.

    Example
    -------
    >>> import tempfile
    >>> from newsnest.corpus.sample import gold_path, sample_path
    >>> file = Path(tempfile.mkdtemp(), "study.toml")
    >>> _ = file.write_text(f'''
    ... [tuning]
    ... articles = "{sample_path()}"
    ... gold = "{gold_path()}"
    ... [encoders]
    ... names = ["static", "tfidf"]
    ... ''')
    >>> read_config(file).stages[0].metric
    'bcubed_f1'
    """
    top = read_table(file)
    top.rest(_TOP)
    study = top.table("study") or Table(file, top.text, ("study",), {})
    study.rest(("storage", "level", "seed", "resamples"))
    level = study.choice("level", "story", tuple(SHARES))
    tuning_table = top.table("tuning")
    if tuning_table is None:
        raise top.error("tuning", "be there", "none", 'Add it: articles = "FILE".')
    tuning_table.rest(("articles", "gold", "label", "fields", "profile"))
    tuning = _corpus(tuning_table, level)
    report, held_out = _report(top, tuning, level)
    training = top.table("training")
    stages = tuple(_stages(top, tuning))
    if not stages:
        raise InputError(
            f"{file}: must have a stage, got none of {', '.join(STAGES)}. "
            'Add one, such as [encoders] names = ["minilm", "tfidf"].'
        )
    storage = study.string("storage", "study.db")
    assert storage is not None
    profile = tuning_table.string("profile")
    return StudyConfig(
        file=file,
        storage=file.parent / storage,
        level=level,
        seed=study.whole("seed", 0, least=0),
        resamples=study.whole("resamples", 1000, least=0),
        tuning=tuning,
        report=report,
        held_out=held_out,
        read=_reading(tuning_table, profile),
        profile=profile,
        stages=stages,
        training=None if training is None else _training(training, stages),
    )


def _corpus(table: Table, level: str) -> Corpus:
    told = table.strings("articles")
    if not told:
        raise table.error("articles", "name a file", "none", 'Write articles = "FILE".')
    files = tuple(table.path_to("articles", one) for one in told)
    gold = table.string("gold")
    label = table.string("label", level if gold is not None else None)
    return Corpus(files, None if gold is None else table.path_to("gold", gold), label)


def _report(top: Table, tuning: Corpus, level: str) -> tuple[Corpus | None, float]:
    table = top.table("report")
    if table is None:
        return None, 0.3
    table.rest(("articles", "gold", "label", "held_out"))
    if not table.has("articles"):
        for key in ("gold", "label"):
            if table.has(key):
                raise table.error(
                    key, "stand with articles", "none", "Add articles, or take it out."
                )
        return None, table.share("held_out", 0.3, most=0.8)
    if table.has("held_out"):
        raise table.error("held_out", "be left out", "it beside articles", "Keep one of the two.")
    report = _corpus(table, level)
    if (report.label is None) != (tuning.label is None):
        raise table.error(
            "articles", "have gold labels where [tuning] has, and else none",
            f"{'none' if report.label is None else repr(report.label)}",
            'Name them: gold = "FILE", or label = "COLUMN".',
        )  # fmt: skip
    return report, 0.0


def _reading(table: Table, profile: str | None) -> ReadOptions:
    inner = table.table("fields")
    fields = {} if inner is None else {key: inner.string(key) or "" for key in inner.content}
    try:
        if profile is not None and profile.endswith(".toml"):
            profile = str(table.path_to("profile", profile))
        loaded = None if profile is None else load_profile(profile)
        return ReadOptions(fields=fields, profile=loaded)
    except NewsnestError as error:
        at = line_in(table, "profile" if profile is not None else "fields")
        raise InputError(f"{at}: {error.for_people}") from error


def _stages(top: Table, tuning: Corpus) -> list[Stage]:
    found = []
    for name in STAGES:
        table = top.table(name)
        if table is not None:
            found.append(_stage(table, name, tuning))
    return found


_COMMON = ("metric", "seeds")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "encoders": (*_COMMON, "sample", "names"),
    "training": (*_COMMON, "trials", "settings", "data", "share", "base", "report_to"),
    "pipeline": (*_COMMON, "sample", "trials", "settings"),
    "keywords": (*_COMMON, "sample", "trials", "settings"),
}


def _stage(table: Table, name: str, tuning: Corpus) -> Stage:
    table.rest(_KEYS[name])
    usual = METRICS[name][0]
    if tuning.label is None:
        usual = _UNLABELLED.get(name, usual)
    metric = table.choice("metric", usual, METRICS[name])
    if metric in GOLD_METRICS and tuning.label is None:
        raise table.error(
            "metric", "do without gold labels, which [tuning] does not name", repr(metric),
            f'Name them there, or choose {_UNLABELLED.get(name, usual)}.',
        )  # fmt: skip
    space = _encoders(table) if name == "encoders" else _settings(table, name)
    trials = (
        len(space["encoder"].examples)
        if name == "encoders"
        else table.whole("trials", _TRIALS, least=1)
    )
    seeds = table.seeds("seeds", (0,) if name == "training" else (0, 1, 2))
    sample = 1.0 if name == "training" else table.share("sample", 0.8)
    return Stage(name, metric, trials, seeds, sample, space)


def _encoders(table: Table) -> Space:
    names = table.strings("names")
    if not names or len(set(names)) < len(names):
        raise table.error("names", "be different encoders", repr(list(names)), "Name one at least.")
    found = []
    for name in names:
        own = table.file.parent / name
        told = str(own) if own.is_dir() else name
        try:
            load_encoder(told)
        except NewsnestError as error:
            raise InputError(f"{line_in(table, 'names')}: {error.for_people}") from error
        found.append(told)
    return {"encoder": Choices(tuple(found))}


def _settings(table: Table, name: str) -> Space:
    inner = table.table("settings")
    if inner is None or not inner.content:
        raise table.error("settings", "be a table of settings", "none", f"Write [{name}.settings].")
    if name == "training":
        known: Mapping[str, type | None] = training_settings()
        space = read_space(inner, known, strict=False)
        check_space(inner, space, check_training)
        return space
    space = read_space(inner, PIPELINE if name == "pipeline" else KEYWORDS)
    check_space(inner, space, check_pipeline)
    clusterers = space["clusterer"].examples if "clusterer" in space else ()
    reducing = [own for own in _examples(space, "reduce") if own != "none"]
    try:
        require_sizes(space, clusterers)
        if reducing and "dims" not in space:
            Reduction(str(reducing[0]), None)  # says that it needs a number
    except NewsnestError as error:
        raise InputError(f"{line_in(inner, 'settings')}: {error.for_people}") from error
    return space


def _examples(space: Space, name: str) -> tuple[Any, ...]:
    return space[name].examples if name in space else ()


def _training(table: Table, stages: tuple[Stage, ...]) -> Training:
    data = tuple(_data(table, told) for told in table.strings("data"))
    if data and table.has("share"):
        raise table.error("share", "be left out beside data", "both", "Keep one of the two.")
    names = next((s.space["encoder"].examples for s in stages if s.name == "encoders"), None)
    base = table.string("base")
    if names is not None and base is not None:
        raise table.error(
            "base", "be left out beside [encoders], whose best is trained", repr(base), "Keep one."
        )
    if names is not None and all(name in _NOT_TRAINED for name in names):
        raise table.error(
            "", "start from a transformer", f"none among the encoders {', '.join(map(str, names))}",
            "Name one there, such as minilm.",
        )  # fmt: skip
    if base is not None and (table.file.parent / base).is_dir():
        base = str(table.file.parent / base)
    if base in _NOT_TRAINED:
        raise table.error(
            "base", "be a transformer", repr(base), "Choose minilm, a path or a hub id."
        )
    return Training(
        data, table.share("share", 0.5, most=0.9), base or "minilm", table.strings("report_to")
    )


def _data(table: Table, told: str) -> str:
    path, comma, rest = told.partition(",")
    return f"{table.path_to('data', path)}{comma}{rest}"
