"""The articles for tuning and those for the report, which share nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from newsnest import labelled
from newsnest.corpus import fold_copies
from newsnest.corpus.columns import find_column
from newsnest.drafts import drafted
from newsnest.embed import ModelRecord
from newsnest.errors import InputError
from newsnest.labelled.articles import UNKNOWN, codes_of
from newsnest.labelled.rows import no_column
from newsnest.pipeline.model_levels import is_among
from newsnest.progress import Progress
from newsnest.study.config import ArticleFiles, StudyConfig
from newsnest.types import Article, Flags, Ints

Codes = Ints


@dataclass(frozen=True, slots=True)
class Labelled:
    """n articles by id, their gold labels, int64 (n,), −1 where unknown, and their components.

    Articles of one component, int64 (n,), are of one gold cluster, or copies of each other.
    """

    articles: tuple[Article, ...]
    gold: Codes
    components: Codes

    def take(self, rows: Flags) -> "Labelled":
        """Return some of the articles."""
        kept = tuple(a for a, row in zip(self.articles, rows, strict=True) if row)
        return Labelled(kept, self.gold[rows], self.components[rows])

    def sample(self, share: float, seed: int) -> "Labelled":
        """Return the articles of a share of the components, drawn by a seed; all where it is 1."""
        if share >= 1.0:
            return self
        known = np.unique(self.components)
        count = max(1, round(share * known.size))
        drawn = np.random.default_rng([23, seed]).permutation(known)[:count]
        return self.take(np.isin(self.components, drawn))


@dataclass(frozen=True, slots=True)
class StudyData:
    """What trials are scored on, the report's articles, which no trial sees, and training data.

    `training` is as `newsnest train pairs --data` reads it; `facts` count each, ready for JSON.
    """

    judged: Labelled
    report: Labelled
    training: tuple[str, ...]
    facts: Mapping[str, Any]


def prepare_data(config: StudyConfig, progress: Progress) -> StudyData:
    """Read all articles, and make sure that tuning never sees an article of the report.

    Deterministic for the files and the study's seed. Raises InputError where two files share an
    article that they must not, or an encoder has learned from what is reported on, and
    ParameterError where there are too few stories to hold some out.
    """
    check_models(config)
    tuning = read_corpus(config.tuning, config, progress)
    if config.report is None:
        report, tuning = split_off(tuning, config.held_out, seed=config.seed)
        progress.note(
            f"{len(report.articles):,} articles held out for the report, by whole stories; "
            f"{len(tuning.articles):,} left for tuning"
        )
    else:
        report = read_corpus(config.report, config, progress)
        check_apart(config.tuning.files, tuning, config.report.files, report, progress)
    facts: dict[str, Any] = {"report_articles": len(report.articles)}
    training: tuple[str, ...] = ()
    if config.training is not None and config.training.data:
        training = config.training.data
        _check_training(config, tuning, report, progress)
    elif config.training is not None:
        learned, tuning = split_off(tuning, config.training.share, seed=config.seed + 1)
        training = (str(_write_training(config.work / "training.jsonl", learned)),)
        facts["trained_on_articles"] = len(learned.articles)
        progress.note(
            f"{len(learned.articles):,} articles for training, {len(tuning.articles):,} others to "
            "score the trials"
        )
    facts["judged_articles"] = len(tuning.articles)
    return StudyData(tuning, report, training, facts)


def read_corpus(corpus: ArticleFiles, config: StudyConfig, progress: Progress) -> Labelled:
    """Read articles and their gold labels.

    Raises
    ------
    InputError
        If a file cannot be read, there are fewer than two articles, or none has a label.
    """
    beside = {} if corpus.label is None or corpus.gold else {"gold": corpus.label}
    read = labelled.read_labelled(corpus.files, beside, options=config.read, progress=progress)
    named = _names(corpus.files)
    if len(read.articles) < 2:
        raise InputError(
            f"{named}: must hold at least two articles, got {len(read.articles)}. Give more of "
            "them."
        )
    gold = np.full(len(read.articles), UNKNOWN, np.int64)
    if corpus.label is not None:
        if corpus.gold is None:
            if find_column(corpus.label, read.columns) is None:
                raise no_column(named, corpus.label, read.columns)
            gold = read.codes("gold")
        else:
            column = config.read.fields.get("id", "id")
            table = labelled.read_labels(
                corpus.gold, [corpus.label], id_field=column, progress=progress
            )
            gold = codes_of([table.get(a.id, ("",))[0] or "" for a in read.articles])
        if (gold == UNKNOWN).all():
            raise InputError(
                f"{corpus.gold or named}: must have a {corpus.label} for the articles of {named}, "
                "got none. Check the ids."
            )
    return Labelled(read.articles, gold, _components(read.articles, gold, progress))


def _components(articles: Sequence[Article], gold: Codes, progress: Progress) -> Codes:
    """Return the component of each article: copies, and articles of one gold cluster, share one."""
    n = len(articles)
    original = fold_copies(articles, progress=progress)
    known = np.flatnonzero(gold >= 0)
    _, first, which = np.unique(gold[known], return_index=True, return_inverse=True)
    one = np.concatenate([np.arange(n), known])
    other = np.concatenate([original, known[first][which]])
    joined = sparse.coo_array((np.ones(one.size), (one, other)), shape=(n, n))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def split_off(whole: Labelled, share: float, *, seed: int) -> tuple[Labelled, Labelled]:
    """Return a share of the articles, by whole components, and the others."""
    dealt = labelled.split_articles(
        [
            labelled.GoldArticle(str(row), str(row), ("", "", str(component)))
            for row, component in enumerate(whole.components.tolist())
        ],
        {"off": share, "left": 1.0 - share},
        seed=seed,
    )
    off = np.array([article.split == "off" for article in dealt])
    return whole.take(off), whole.take(~off)


def check_apart(
    tuning_files: Sequence[Path],
    tuning: Labelled,
    report_files: Sequence[Path],
    report: Labelled,
    progress: Progress,
) -> None:
    """Raise if an article of the report is also tuned on: by id, by text, or as a near copy."""
    ids = {a.id for a in tuning.articles}
    start = len(tuning.articles)
    original = fold_copies([*tuning.articles, *report.articles], progress=progress)
    copies = (original[start:] < start).tolist()
    shared = [a for a, copy in zip(report.articles, copies, strict=True) if copy or a.id in ids]
    if shared:
        first = shared[0]
        by = "id" if first.id in ids else "text"
        raise InputError(
            f"{_names(report_files)}: must share no article with {_names(tuning_files)}, which is "
            f"tuned on, got {len(shared):,} (the first, by its {by}: {first.id!r}, "
            f"{first.headline[:60]!r}). Take them out of one of the two, or leave [report] out: "
            "some stories are held out then."
        )


def check_models(config: StudyConfig) -> None:
    """Raise if an encoder was trained or calibrated on a file of the report.

    By the files that newsnest.json names; what else a model has seen is unknown.
    """
    reported = config.report or config.tuning
    files = [*reported.files, *([] if reported.gold is None else [reported.gold])]
    for name, place in config.places.items():
        record = ModelRecord.read(Path(place))
        learned = record.training_digests | record.calibration_digests
        for file in files:
            if is_among(file, learned):
                raise InputError(
                    f"{config.file}: the encoder {name} must have learned nothing from {file}, "
                    "which is reported on, got one that was trained or calibrated on it. Leave it "
                    "out, or name other articles under [report]."
                )


def _check_training(
    config: StudyConfig, tuning: Labelled, report: Labelled, progress: Progress
) -> None:
    """Raise if a training pair has the title or the text of an article that trials are scored on.

    The title alone is enough: the pair may be another part of the same article.
    """
    assert config.training is not None
    space = next(stage.space for stage in config.stages if stage.name == "training")
    tried: list[list[Any]] = [
        list(space[name].examples) if name in space else [usual]
        for name, usual in (("columns", "title:summary"), ("profile", None))
    ]
    reported = config.report or config.tuning
    corpora = (("tuning", config.tuning.files, tuning), ("report", reported.files, report))
    for data, columns, profile in product(config.training.data, tried[0], {None, *tried[1]}):
        if profile is not None:
            profile = config.places[str(profile)]
        first, second = str(columns).split(":")[:2]
        usual = labelled.ColumnReading((first, second), profile=profile)
        (source,) = labelled.parse_data([data], usual)
        pairs, _ = labelled.all_column_pairs(source)
        trained = {labelled.same_text(text) for pair in pairs for text in (pair.text1, pair.text2)}
        for name, files, scored in corpora:
            shared = [
                a
                for a in scored.articles
                if trained & {labelled.same_text(text) for text in (a.title, a.text) if text}
            ]
            if shared:
                raise InputError(
                    f"{source.path}: must share no article with {_names(files)}, the [{name}] "
                    f"data, got {len(shared):,} (the first: {shared[0].id!r}, "
                    f"{shared[0].headline[:60]!r}). Take them out, or leave [training] data out: "
                    "some of the stories are trained on then."
                )
    progress.note("training and scored articles share nothing")


def _write_training(file: Path, learned: Labelled) -> Path:
    """Write titles and texts as `newsnest train pairs` reads them; the same bytes every time."""
    rows = (
        {
            "id": article.id,
            "title": article.title,
            "summary": article.text,
            **({"story": str(label)} if label >= 0 else {}),
        }
        for article, label in zip(learned.articles, learned.gold.tolist(), strict=True)
        if article.title and article.text
    )
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    file.parent.mkdir(parents=True, exist_ok=True)
    with drafted(file) as draft:
        draft.write_text(text, encoding="utf-8")
    return file


def _names(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))
