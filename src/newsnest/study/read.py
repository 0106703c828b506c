"""How a study.toml is read, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from newsnest.cluster import Reduction
from newsnest.cluster.calibration import SHARES
from newsnest.corpus import ReadOptions, load_profile
from newsnest.embed import load_encoder
from newsnest.embed.weights import expanded
from newsnest.errors import InputError, NewsnestError
from newsnest.study.config import (
    GOLD_METRICS,
    METRICS,
    NOT_TRAINED,
    STAGES,
    Corpus,
    Stage,
    StudyConfig,
    Training,
    placed,
)
from newsnest.study.settings import (
    KEYWORDS,
    MEASURED,
    PIPELINE,
    check_pipeline,
    check_training,
    require_sizes,
    training_settings,
    unasked,
)
from newsnest.study.space import Choices, Space, check_space, examples_of, read_space
from newsnest.study.table import Table, read_table

_UNLABELLED = {"encoders": "auroc", "training": "auroc", "pipeline": "silhouette"}
_TRIALS = 20
_BESIDE = (".html", ".work", ".nest")
_TOP = ("study", "tuning", "report", *STAGES)


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
    if Path(storage).suffix in _BESIDE:
        raise study.error(
            "storage", f"not end in {', '.join(_BESIDE)}, as what lies beside it", repr(storage),
            'Write storage = "study.db".',
        )  # fmt: skip
    profile = tuning_table.string("profile")
    profile = None if profile is None else placed(file.parent, profile)
    return StudyConfig(
        file=file,
        storage=file.parent / expanded(storage),
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
        loaded = None if profile is None else load_profile(profile)
        return ReadOptions(fields=fields, profile=loaded)
    except NewsnestError as error:
        at = table.at("profile" if profile is not None else "fields")
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
    for name in names:
        try:
            load_encoder(placed(table.file.parent, name))
        except NewsnestError as error:
            raise InputError(f"{table.at('names')}: {error.for_people}") from error
    return {"encoder": Choices(names)}


def _settings(table: Table, name: str) -> Space:
    inner = table.table("settings")
    if inner is None or not inner.content:
        raise table.error("settings", "be a table of settings", "none", f"Write [{name}.settings].")
    if name == "training":
        known: Mapping[str, type | None] = training_settings()
        space = read_space(inner, known, strict=False)
        check_space(inner, space, check_training)
    else:
        kinds = PIPELINE if name == "pipeline" else KEYWORDS
        space = read_space(inner, kinds, measured=MEASURED)
        check_space(inner, space, check_pipeline)
        _check_parts(inner, space)
    unused = unasked(name, space)
    if unused is not None:
        at = inner.at(*unused.split("."))
        raise InputError(
            f"{at} must mean something beside the other settings, got none that it goes with. "
            "Let what it belongs to be tried, too, or take it out."
        )
    return space


def _check_parts(table: Table, space: Space) -> None:
    """Raise where a clusterer or a reduction is to be tried without the number it needs."""
    clusterers = space["clusterer"].examples if "clusterer" in space else ()
    reducing = [own for own in examples_of(space, "reduce") if own != "none"]
    try:
        require_sizes(space, clusterers)
        if reducing and "dims" not in space:
            Reduction(str(reducing[0]), None)  # says that it needs a number
    except NewsnestError as error:
        raise InputError(f"{table.at('settings')}: {error.for_people}") from error


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
    if names is not None and all(name in NOT_TRAINED for name in names):
        raise table.error(
            "", "start from a transformer", f"none among the encoders {', '.join(map(str, names))}",
            "Name one there, such as minilm.",
        )  # fmt: skip
    if base in NOT_TRAINED:
        raise table.error(
            "base", "be a transformer", repr(base), "Choose minilm, a path or a hub id."
        )
    return Training(
        data, table.share("share", 0.5, most=0.9), base or "minilm", table.strings("report_to")
    )


def _data(table: Table, told: str) -> str:
    path, comma, rest = told.partition(",")
    return f"{table.path_to('data', path)}{comma}{rest}"
