"""What a study.toml says, read once and strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.corpus import ReadOptions, digest, load_profile
from newsnest.corpus.origin import refuse_address
from newsnest.embed import KNOWN, load_encoder, weights
from newsnest.errors import InputError
from newsnest.study import toml
from newsnest.study.space import Choices, Space, examples_of, read_space
from newsnest.study.toml import TomlTable
from newsnest.types import LEVELS

STAGES = ("encoders", "training", "pipeline", "keywords")
"""In the order in which they are run."""

NOT_TRAINED = tuple(name for name, known in KNOWN.built_in.items() if not known.trainable)
"""Encoders without weights to train."""

_GOLD_METRICS = ("bcubed_f1", "story_auroc")
_EMBEDDING = ("bcubed_f1", "auroc", "story_auroc", "mrr", "silhouette", "stability")
METRICS: Mapping[str, tuple[str, ...]] = {
    "encoders": _EMBEDDING,
    "training": _EMBEDDING,
    "pipeline": ("bcubed_f1", "silhouette", "stability"),
    "keywords": ("npmi", "diversity"),
}
"""What a stage may be judged by; the first is the default where there are gold labels."""

_UNLABELLED = {"encoders": "auroc", "training": "auroc", "pipeline": "silhouette"}
_BESIDE = (".html", ".work", ".nest")
_FILES = {"articles": toml.texts(), "gold": toml.text(), "label": toml.text()}
_SETTINGS = {"trials": toml.whole(20, minimum=1), "settings": toml.anything()}
_SCHEMA = {
    "study": {
        "storage": toml.text("study.db"),
        "level": toml.choice("story", LEVELS),
        "seed": toml.whole(0, minimum=0),
        "resamples": toml.whole(1000, minimum=0),
    },
    "tuning": {**_FILES, "fields": toml.mapping(), "profile": toml.text()},
    "report": {**_FILES, "held_out": toml.share(0.3, maximum=0.8)},
    "encoders": {"names": toml.texts()},
    "training": {
        **_SETTINGS,
        "data": toml.texts(),
        "share": toml.share(0.5, maximum=0.9),
        "base": toml.text(),
        "report_to": toml.texts(),
    },
    "pipeline": _SETTINGS,
    "keywords": _SETTINGS,
}
for _name in STAGES:
    _SCHEMA[_name] = {
        "metric": toml.choice(None, METRICS[_name]),
        "seeds": toml.seeds(*(0,) if _name == "training" else (0, 1, 2)),
        **({} if _name == "training" else {"sample": toml.share(0.8)}),
        **_SCHEMA[_name],
    }


@dataclass(frozen=True, slots=True)
class ArticleFiles:
    """Files of articles as `newsnest cluster` reads them, and where their gold labels are.

    `gold` is a file with labels by id; None: they are in the articles' own files. `label` is the
    column of the labels; None: there are none.
    """

    files: tuple[Path, ...]
    gold: Path | None
    label: str | None

    def content(self) -> dict[str, Any]:
        """Return digests, ready for JSON."""
        gold = None if self.gold is None else digest([self.gold])
        return {"articles": digest(self.files), "gold": gold, "label": self.label}


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One of `STAGES`: what it tries, how often, and the metric it is judged by.

    A trial's score is the mean over the seeds. They draw the training, or, where nothing is drawn,
    the stories that are judged, `sample` being their share.
    """

    name: str
    metric: str
    trials: int
    seeds: tuple[int, ...]
    sample: float
    space: Space

    def content(self) -> dict[str, Any]:
        """Return all that decides what its trials score, ready for JSON."""
        settings = {name: tried.content() for name, tried in self.space.items()}
        seeds, sample = list(self.seeds), self.sample
        return {"metric": self.metric, "seeds": seeds, "sample": sample, "settings": settings}


@dataclass(frozen=True, slots=True)
class Training:
    """What the stage `training` needs beside its settings.

    `data` is as `newsnest train pairs --data` reads it; (): a `share` of the tuning articles is
    trained on and not judged. `base` is trained where there is no stage `encoders`.
    """

    data: tuple[str, ...]
    share: float
    base: str
    report_to: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """Return all that decides what is trained, files by their digests; ready for JSON."""
        parts = [data.partition(",") for data in self.data]
        data = [[Path(file).name, settings, digest([file])] for file, _, settings in parts]
        return {"data": data, "share": self.share, "base": self.base}


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
        Of the cleaning, a name or a path; None: none.
    stages, training
        In their order; training None where there is no such stage.
    places
        Of every encoder, guide and cleaning profile that is tried or trained, by the name the file
        has for it: the path relative to the file's folder, else the name itself.
    """

    file: Path
    storage: Path
    level: str
    seed: int
    resamples: int
    tuning: ArticleFiles
    report: ArticleFiles | None
    held_out: float
    read: ReadOptions
    profile: str | None
    stages: tuple[StagePlan, ...]
    training: Training | None
    places: Mapping[str, str]

    @property
    def page(self) -> Path:
        """The page of the study."""
        return self.storage.with_suffix(".html")

    @property
    def work(self) -> Path:
        """The folder of vectors and models."""
        return self.storage.with_suffix(".work")

    def content(self) -> dict[str, Any]:
        """Return all that decides what a trial scores, files by their digests; ready for JSON."""
        profile = None if self.read.profile is None else self.read.profile.digest
        report = {"held_out": self.held_out} if self.report is None else self.report.content()
        places = {name: Path(path) for name, path in self.places.items() if name not in KNOWN}
        content: dict[str, Any] = {
            "study": {"level": self.level, "seed": self.seed, "resamples": self.resamples},
            "tuning": self.tuning.content(),
            "report": report,
            "read": {"fields": dict(self.read.fields), "profile": profile},
            **{stage.name: stage.content() for stage in self.stages},
            "files": {name: digest([path]) for name, path in places.items() if path.exists()},
        }
        if self.training is not None:
            content["training"] |= self.training.content()
        return content


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
    top, tables = toml.read_tables(file, _SCHEMA)
    study = tables.get("study") or TomlTable(file, top.text, ("study",), {}).read(_SCHEMA["study"])
    if "tuning" not in tables:
        raise top.error("tuning", "be there", "none", 'Add it: articles = "FILE".')
    tuning = _article_files(tables["tuning"], study["level"])
    stages = tuple(
        _stage(tables[name], name, labelled=tuning.label is not None)
        for name in STAGES
        if name in tables
    )
    if not stages:
        raise InputError(
            f"{file}: must have a stage, got none of {', '.join(STAGES)}. "
            'Add one, such as [encoders] names = ["minilm", "tfidf"].'
        )
    if Path(study["storage"]).suffix in _BESIDE:
        must = f"not end in {', '.join(_BESIDE)}, as the files next to it do"
        raise study.error("storage", must, repr(study["storage"]), 'Write storage = "study.db".')
    profile = tables["tuning"]["profile"]
    profile = None if profile is None else _placed(file.parent, profile)
    with tables["tuning"].checking("fields" if profile is None else "profile"):
        loaded = None if profile is None else load_profile(profile)
        read = ReadOptions(fields=tables["tuning"]["fields"], profile=loaded)
    report = _report(tables["report"], tuning, study["level"]) if "report" in tables else None
    training = _training(tables["training"], stages[0]) if "training" in tables else None
    names = [
        str(one)
        for stage in stages
        for key in ("encoder", "guide", "profile")
        for one in examples_of(stage.space, key)
    ]
    names += [training.base] if training is not None else []
    return StudyConfig(
        file=file,
        storage=file.parent / weights.expanded(study["storage"]),
        level=study["level"],
        seed=study["seed"],
        resamples=study["resamples"],
        tuning=tuning,
        report=report,
        held_out=0.0 if report else tables.get("report", {"held_out": 0.3})["held_out"],
        read=read,
        profile=profile,
        stages=stages,
        training=training,
        places={name: _placed(file.parent, name) for name in names},
    )


def _placed(folder: Path, name: str) -> str:
    """Return a path relative to a folder where there is one, else the name: those of encoders."""
    path = folder / weights.expanded(name)
    there = path.is_dir() or (path.suffix == ".toml" and path.is_file())
    return str(path) if there and name not in KNOWN else name


def _existing(table: TomlTable, key: str, name: str) -> Path:
    """Return a path, relative to the file's own folder."""
    refuse_address(name, f"{table.file}: {key}")
    path = table.file.parent / weights.expanded(name)
    if not path.exists():
        cure = f"Check the path; it is relative to {table.file.parent.absolute()}."
        raise table.error(key, "name a file that exists", repr(name), cure)
    return path


def _article_files(table: TomlTable, level: str) -> ArticleFiles:
    if not table["articles"]:
        raise table.error("articles", "name a file", "none", 'Write articles = "FILE".')
    files = tuple(_existing(table, "articles", name) for name in table["articles"])
    gold = None if table["gold"] is None else _existing(table, "gold", table["gold"])
    return ArticleFiles(files, gold, table["label"] or (level if gold is not None else None))


def _report(table: TomlTable, tuning: ArticleFiles, level: str) -> ArticleFiles | None:
    if "articles" not in table:
        for key in ("gold", "label"):
            if key in table:
                cure = "Add articles, or take it out."
                raise table.error(key, "stand with articles", "none", cure)
        return None
    if "held_out" in table:
        raise table.error("held_out", "be left out", "it beside articles", "Keep one of the two.")
    report = _article_files(table, level)
    if (report.label is None) != (tuning.label is None):
        must = "have gold labels where [tuning] has, and else none"
        cure = 'Name them: gold = "FILE", or label = "COLUMN".'
        raise table.error("articles", must, report.label and repr(report.label), cure)
    return report


def _stage(table: TomlTable, name: str, *, labelled: bool) -> StagePlan:
    usual = METRICS[name][0] if labelled else _UNLABELLED.get(name, METRICS[name][0])
    metric = table["metric"] or usual
    if metric in _GOLD_METRICS and not labelled:
        must = "do without gold labels, which [tuning] does not name"
        cure = f"Name them there, or choose {usual}."
        raise table.error("metric", must, repr(metric), cure)
    if name == "encoders":
        space = _encoders(table)
        trials = len(space["encoder"].examples)
    else:
        if not table["settings"]:
            cure = f"Write [{name}.settings]."
            raise table.error("settings", "be a table of settings", "none", cure)
        space, trials = read_space(table.table("settings"), name), table["trials"]
    sample = 1.0 if name == "training" else table["sample"]
    return StagePlan(name, metric, trials, table["seeds"], sample, space)


def _encoders(table: TomlTable) -> Space:
    names = table["names"]
    if not names or len(set(names)) < len(names):
        raise table.error("names", "be different encoders", repr([*names]), "Name at least one.")
    with table.checking("names"):
        for name in names:
            load_encoder(_placed(table.file.parent, name))
    return {"encoder": Choices(names)}


def _training(table: TomlTable, first: StagePlan) -> Training:
    if "data" in table and "share" in table:
        raise table.error("share", "be left out beside data", "both", "Keep one of the two.")
    parts = [name.partition(",") for name in table["data"]]
    data = tuple(f"{_existing(table, 'data', path)}{comma}{rest}" for path, comma, rest in parts)
    names, base = first.space["encoder"].examples if first.name == "encoders" else (), table["base"]
    if names and base is not None:
        must = "be left out beside [encoders], whose best is trained"
        raise table.error("base", must, repr(base), "Keep one.")
    if names and all(name in NOT_TRAINED for name in names):
        got = f"none among the encoders {', '.join(map(str, names))}"
        raise table.error("", "start from a transformer", got, "Name one there, such as minilm.")
    if base in NOT_TRAINED:
        cure = "Choose minilm, a path or a hub id."
        raise table.error("base", "be a transformer", repr(base), cure)
    return Training(data, table["share"], base or "minilm", table["report_to"])
