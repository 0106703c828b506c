"""What a study.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.corpus import ReadOptions, digest
from newsnest.embed import KNOWN
from newsnest.embed.weights import expanded
from newsnest.study.space import Space, examples_of

STAGES = ("encoders", "training", "pipeline", "keywords")
"""In the order in which they are run."""

NOT_TRAINED = ("static", "tfidf")
"""Encoders without weights to train."""

GOLD_METRICS = ("bcubed_f1", "story_auroc")
_EMBEDDING = ("bcubed_f1", "auroc", "story_auroc", "mrr", "silhouette", "stability")
METRICS: Mapping[str, tuple[str, ...]] = {
    "encoders": _EMBEDDING,
    "training": _EMBEDDING,
    "pipeline": ("bcubed_f1", "silhouette", "stability"),
    "keywords": ("npmi", "diversity"),
}
"""What a stage may be judged by."""


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
        Of the cleaning, a name or a path; None: none.
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

    def place(self, name: str) -> str:
        """Return a name of the file, or the path that it is from the file's own folder on."""
        return placed(self.file.parent, name)

    def trials(self) -> dict[str, int]:
        """Return how many trials each stage is to have."""
        return {stage.name: stage.trials for stage in self.stages}

    def models(self) -> tuple[str, ...]:
        """Return the encoders that are tried or trained, and the guides, as the file has them."""
        told = [own for s in self.stages for key in ("encoder", "guide")
                for own in examples_of(s.space, key)]  # fmt: skip
        told += [self.training.base] if self.training is not None else []
        return tuple(dict.fromkeys(map(str, told)))

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
        if self.training is not None:
            own = self.training
            told = [(Path(file), said_of) for file, _, said_of in map(_comma, own.data)]
            said["training"] |= {
                "data": [[file.name, said_of, digest([file])] for file, said_of in told],
                "share": own.share,
                "base": own.base,
            }
        own_files = [*self.models(), *self._profiles()]
        places = {name: Path(self.place(name)) for name in own_files if name not in KNOWN}
        said["files"] = {name: digest([own]) for name, own in places.items() if own.exists()}
        return said

    def _profiles(self) -> tuple[str, ...]:
        return tuple(str(own) for s in self.stages for own in examples_of(s.space, "profile"))


def _comma(told: str) -> tuple[str, str, str]:
    return told.partition(",")


def placed(folder: Path, name: str) -> str:
    """Return a name, or the path that it is from a folder on; what newsnest knows is a name."""
    own = folder / expanded(name)
    there = own.is_dir() or (own.suffix == ".toml" and own.is_file())
    return str(own) if there and name not in KNOWN else name


def _corpus_content(corpus: Corpus) -> dict[str, Any]:
    return {
        "articles": digest(corpus.files),
        "gold": None if corpus.gold is None else digest([corpus.gold]),
        "label": corpus.label,
    }
