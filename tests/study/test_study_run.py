"""Small studies from end to end: stages, the report, interruptions, refusals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from study_files import articles, titled, write_study

import newsnest
from newsnest.cli.main import main
from newsnest.corpus import digest
from newsnest.corpus.sample import gold_path, sample_path
from newsnest.embed import MemoryCache, ModelRecord
from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import Estimate, bcubed_f1
from newsnest.pipeline import Options
from newsnest.study import run_study
from newsnest.study.config import read_config
from newsnest.study.data import Labelled, prepare_data
from newsnest.study.page import draw_bars, draw_history, study_page
from newsnest.study.run import _key
from newsnest.study.score import Scorer
from newsnest.study.trials import TrialStore
from newsnest.types import Article

SETTINGS = """[pipeline]
trials = 5
seeds = [0, 1]
[pipeline.settings]
clusterer = ["rac", "hdbscan"]
hdbscan_size = [2, 4]
reduce = ["none", "pca"]
dims = [4, 5000]
time_weight = {low = 0.0, high = 0.4}
"""
TUNING = '[tuning]\narticles = "a.jsonl"\nlabel = "story"\n'
STUDY = TUNING + '[study]\nresamples = 50\n[encoders]\nnames = ["tfidf"]\nseeds = 0\n' + SETTINGS


@pytest.fixture
def quick_default(monkeypatch: pytest.MonkeyPatch):
    """Where the defaults are not what is tested, TF-IDF is the encoder of no study."""
    monkeypatch.setattr(Options.__init__, "__defaults__", _defaults())


def _defaults() -> tuple[Any, ...]:
    given = list(Options.__init__.__defaults__ or ())
    given[given.index("minilm")] = "tfidf"
    return tuple(given)


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has ended, to be copied."""
    config = make(tmp_path_factory.mktemp("ended") / "study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Options.__init__, "__defaults__", _defaults())
        run_study(config)
    return config


@pytest.fixture
def again(ended: Path, tmp_path: Path) -> Path:
    """The same study in a folder of its own."""
    return shutil.copytree(ended.parent, tmp_path / "again") / ended.name


def make(folder: Path, text: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_study(folder, text, {"a.jsonl": articles()})


def trials(outcome) -> list[dict[str, Any]]:
    return [trial for stage in outcome.as_dict()["stages"] for trial in stage["trials"]]


def test_a_study_goes_through_its_stages_and_reports_winner_and_default(tmp_path: Path):
    outcome = run_study(make(tmp_path))  # the default is minilm itself
    encoders, pipeline = outcome.stages
    assert [trial.params for trial in encoders.trials] == [{"encoder": "tfidf"}]
    assert len(pipeline.trials) == 5 and pipeline.start is not None
    for trial in pipeline.leaders():
        assert set(trial.seeds) == {"0", "1"}
        assert trial.value == pytest.approx(np.mean(list(trial.seeds.values())))
    best = pipeline.leaders()[0]
    assert pipeline.improved == (best.value > pipeline.start.value)
    (reported,) = outcome.reported
    assert reported.metric == "bcubed_f1" and outcome.looks == 1
    for found in (reported.winner, reported.default):
        assert found is not None and found.low is not None and found.low <= found.value
    assert reported.difference is not None and reported.difference.low is not None
    assert reported.difference.value == pytest.approx(
        reported.winner.value - reported.default.value
    )
    assert outcome.command.startswith(
        f"newsnest cluster {tmp_path}/a.jsonl -o {tmp_path}/study.nest"
    )
    assert "--encoder tfidf" in outcome.command
    page = (tmp_path / "study.html").read_text()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "Did it help?" in page and "<svg" in page


def test_the_command_of_the_winner_runs(again: Path, quick_default):
    outcome = run_study(again)
    result = CliRunner().invoke(main, outcome.command.split()[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("quick_default")
def test_a_study_that_has_ended_is_found_again_and_nothing_is_done(again: Path, monkeypatch):
    first = run_study(again)

    def never(*given: Any) -> None:
        raise AssertionError("something was scored again")

    monkeypatch.setattr(Scorer, "score", never)
    monkeypatch.setattr("newsnest.study.run.prepare_data", never)
    again.with_name("study.html").unlink()
    assert run_study(again).as_dict() == first.as_dict()
    assert again.with_name("study.html").exists()


@pytest.mark.usefixtures("quick_default")
def test_the_same_study_gives_the_same_also_where_trials_were_added(tmp_path: Path, again: Path):
    whole = run_study(again)
    config = make(tmp_path / "parts", STUDY.replace("trials = 5", "trials = 2"))
    run_study(config)
    config.write_text(STUDY)
    parts = run_study(config)
    assert trials(parts) == trials(whole)
    assert parts.looks in (1, 2)
    assert [r.winner for r in parts.reported] == [r.winner for r in whole.reported]


@pytest.mark.usefixtures("quick_default")
def test_a_trial_that_cannot_be_is_kept_as_failed_and_the_study_goes_on(tmp_path: Path):
    text = STUDY.replace("dims = [4, 5000]", "dims = 5000").replace('["none", "pca"]', '"pca"')
    outcome = run_study(make(tmp_path, text))
    pipeline = outcome.stages[-1]
    assert all("dims must be at most" in trial.error for trial in pipeline.trials)
    assert not pipeline.improved and pipeline.leaders() == ()
    assert "--reduce" not in outcome.command
    page = (tmp_path / "study.html").read_text()
    assert "dims must be at most" in page and "No trial was better than the start" in page


@pytest.mark.usefixtures("quick_default")
def test_where_no_encoder_works_the_study_says_why(tmp_path: Path):
    text = STUDY.replace("seeds = 0\n", 'metric = "story_auroc"\n')
    rows = [{**row, "text": ""} for row in articles()]
    config = write_study(tmp_path, text, {"a.jsonl": rows})
    with pytest.raises(InputError, match=r"at least one trial of \[encoders\] must work"):
        run_study(config)


@pytest.mark.usefixtures("quick_default")
def test_the_same_settings_are_scored_once(tmp_path: Path):
    text = (
        TUNING
        + "[pipeline]\ntrials = 6\nseeds = 0\n[pipeline.settings]\ntime_weight = [0.0, 0.2]\n"
    )
    tried = run_study(make(tmp_path, text)).stages[0].trials
    made = [trial for trial in tried if trial.same_as is None]
    assert len(tried) == 6 and len(made) <= 2
    for trial in tried:
        if trial.same_as is not None:
            assert tried[trial.same_as].params == trial.params
            assert tried[trial.same_as].seeds == trial.seeds


@pytest.mark.usefixtures("quick_default")
def test_another_study_in_the_same_storage_is_refused_and_named(again: Path):
    config = again
    config.write_text(STUDY.replace("high = 0.4", "high = 0.3"))
    message = r"pipeline.settings.time_weight.high was 0.4 and is 0.3.*storage = \"other.db\""
    with pytest.raises(InputError, match=message):
        run_study(config)
    make(config.parent)
    with config.with_name("a.jsonl").open("a") as file:
        file.write(json.dumps(articles(1, seed=9, name="new")[0]) + "\n")
    with pytest.raises(InputError, match=r"tuning.articles was .* and is"):
        run_study(config)


def test_a_file_that_is_no_study_is_left_as_it_is(tmp_path: Path):
    for name, content in (("text.db", b"words"), ("folder.db", None)):
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(InputError, match="must be a study, got something else"):
            TrialStore(path, tmp_path / "lock")
    with sqlite3.connect(tmp_path / "nest.db") as sql:
        sql.execute("CREATE TABLE articles (id)")
    with pytest.raises(InputError, match="must be a study, got something else"):
        TrialStore(tmp_path / "nest.db", tmp_path / "lock")
    with pytest.raises(InputError, match="must lie in a folder that exists"):
        TrialStore(tmp_path / "nowhere" / "study.db", tmp_path / "lock")


def test_a_range_with_default_leaves_some_trials_to_what_newsnest_measures(tmp_path: Path):
    text = TUNING + "[pipeline.settings]\nmin_similarity.story = {low = 0.1, high = 0.5"
    for more in ("}\n", ", default = true}\n"):
        (stage,) = read_config(make(tmp_path, text + more)).stages
        with TrialStore(tmp_path / "study.db", tmp_path / "lock") as store:
            told = [store.propose(stage, n, 0)[0] for n in range(20)]
        given = [float(own["min_similarity.story"]) for own in told if own]
        assert all(0.1 <= value <= 0.5 for value in given) and len(set(given)) > 5
        assert (len(given) < 20) == ("default" in more)


@pytest.mark.usefixtures("quick_default")
def test_a_study_begun_anew_knows_nothing_of_the_models_of_the_old_one(again: Path):
    old = again.with_name("study.work") / "model-0-seed-0"
    old.mkdir()
    run_study(again)
    assert old.exists()
    again.with_name("study.db").unlink()
    again.write_text(STUDY.partition("[pipeline]")[0])
    run_study(again)
    assert not old.exists()


def test_a_winner_is_the_same_wherever_the_command_runs(tmp_path: Path):
    keys = {
        _key(Options(encoder=str(folder / "mine")), SimpleNamespace(file=folder / "study.toml"))
        for folder in (tmp_path, Path(), Path("below"))
    }
    assert len(keys) == 1
    assert _key(Options(), SimpleNamespace(file=Path("study.toml"))) not in keys


def test_the_name_of_a_storage_may_hold_anything(tmp_path: Path):
    folder = tmp_path / "a?b {c} %20 #é"
    folder.mkdir()
    for _ in range(2):
        with TrialStore(folder / "study?.db", folder / "lock") as store:
            assert store.get("x") in (None, 1)
            store.put("x", 1)
            assert store.get("x") == 1
    assert {path.name for path in folder.iterdir()} == {"study?.db", "lock"}


def test_a_study_runs_once_at_a_time(tmp_path: Path):
    with (
        TrialStore(tmp_path / "study.db", tmp_path / "lock"),
        pytest.raises(InputError, match="must be free, got a study that is running"),
    ):
        TrialStore(tmp_path / "study.db", tmp_path / "lock")


def test_without_optuna_the_pip_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("newsnest.study.trials.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r'Run pip install "newsnest\[study\]"'):
        run_study(make(tmp_path))


# ── what is reported on ───────────────────────────────────────────────────────────────────────────


def report_study(
    folder: Path, report: list[dict[str, Any]], tuning: list[dict[str, Any]] | None = None
) -> Path:
    text = STUDY + '[report]\narticles = "r.jsonl"\nlabel = "story"\n'
    return write_study(folder, text, {"a.jsonl": tuning or articles(), "r.jsonl": report})


@pytest.mark.parametrize("by", ["id", "text"])
def test_an_article_that_is_tuned_and_reported_on_is_refused(tmp_path: Path, by: str):
    own, others = articles(), articles(6, seed=5, name="r")
    stray = {**others[0], "id": own[3]["id"]} if by == "id" else {**own[3], "id": "stray"}
    config = report_study(tmp_path, [*others, stray])
    message = rf"r\.jsonl: must share no article with .*a\.jsonl.* got 1 \(the first, by its {by}"
    with pytest.raises(InputError, match=message):
        run_study(config)
    # No study has begun: the config may be corrected.
    config.write_text(config.read_text().partition("[report]")[0])
    assert run_study(config).stages


def test_a_near_copy_of_what_is_tuned_on_is_refused_in_the_report(tmp_path: Path):
    words = "the sea wall of the harbour town was breached in the storm of last night and the "
    long = {"id": "own", "title": "Storm", "text": words * 12, "story": "x"}
    copy = {**long, "id": "theirs", "title": "Storm: latest", "text": words * 12 + "harbour"}
    others = articles(6, seed=5, name="r")
    config = report_study(tmp_path, [*others, copy], [*articles(), long])
    with pytest.raises(InputError, match=r"got 1 \(the first, by its text: 'theirs'"):
        run_study(config)


@pytest.mark.parametrize("learned", ["data", "calibration"])
@pytest.mark.parametrize("held_out", [True, False])
def test_an_encoder_that_has_learned_from_what_is_reported_on_is_refused(
    tmp_path: Path, tiny_model: Path, tally, learned: str, held_out: bool
):
    model = shutil.copytree(tiny_model, tmp_path / "mine")
    config = report_study(tmp_path, articles(6, seed=5, name="r"))
    text = config.read_text().replace('names = ["tfidf"]', 'names = ["mine"]')
    config.write_text(text.partition("[report]")[0] if held_out else text)
    names = ["a.jsonl", "r.jsonl"] if held_out else ["r.jsonl", "a.jsonl"]
    for name in names[::-1]:
        seen = [{"digest": digest([tmp_path / name])}]
        said = {"data": seen} if learned == "data" else {"calibration": {"story": {"data": seen}}}
        (model / "newsnest.json").write_text(json.dumps(said))
        if name == names[-1]:
            prepare_data(read_config(config), tally)
    with pytest.raises(InputError, match=rf"encoder mine must have learned nothing .*{names[0]}"):
        prepare_data(read_config(config), tally)


@pytest.mark.usefixtures("quick_default")
def test_articles_of_the_report_are_those_of_the_file(tmp_path: Path):
    outcome = run_study(report_study(tmp_path, articles(6, seed=5, name="r")))
    assert outcome.facts == {"report_articles": 24, "judged_articles": 56}


def test_what_is_held_out_shares_no_story_and_no_copy_with_what_is_tuned_on(tmp_path: Path, tally):
    rows = articles()
    rows += [{**row, "id": f"copy{row['id']}", "story": None} for row in rows[:9]]
    config = read_config(write_study(tmp_path, STUDY, {"a.jsonl": rows}))
    data = prepare_data(config, tally)
    assert not set(data.judged.components) & set(data.report.components)
    bodies = [{a.body for a in part.articles} for part in (data.judged, data.report)]
    assert not bodies[0] & bodies[1]
    known = [set(part.gold[part.gold >= 0]) for part in (data.judged, data.report)]
    assert not known[0] & known[1]
    assert 0.2 < len(data.report.articles) / len(rows) < 0.4
    again = prepare_data(config, tally)
    assert again.report.articles == data.report.articles


@pytest.mark.parametrize("by", ["title", "text"])
@pytest.mark.parametrize("where", ["tuning", "report"])
def test_training_data_that_judge_are_refused(tmp_path: Path, where: str, by: str, tally):
    text = (
        TUNING + '[report]\narticles = "r.jsonl"\nlabel = "story"\n'
        '[training]\ndata = "t.jsonl"\n[training.settings]\nepochs = 1\n'
    )
    files = {"a.jsonl": titled(20), "r.jsonl": titled(20, first=20)}
    stray = titled(1, first=5 if where == "tuning" else 25)[0]
    trained = [{"title": "cup", "summary": "final", "id": 1}]
    said = {"title": stray["title"], "summary": "the lead"}
    trained.append(
        {**(said if by == "title" else {"title": "x", "summary": stray["text"]}), "id": 2}
    )
    config = read_config(write_study(tmp_path, text, {**files, "t.jsonl": trained}))
    with pytest.raises(
        InputError, match=rf"t\.jsonl: must share no article with .*\[{where}\] data"
    ):
        prepare_data(config, tally)


def test_a_corpus_without_any_label_or_with_one_article_is_refused(tmp_path: Path, tally):
    rows = articles(4)
    gold = [{"id": "other", "story": "s"}]
    text = STUDY.replace('label = "story"', 'gold = "g.jsonl"')
    config = read_config(write_study(tmp_path, text, {"a.jsonl": rows, "g.jsonl": gold}))
    with pytest.raises(InputError, match=r"g\.jsonl: must have a story for the articles of"):
        prepare_data(config, tally)
    config = read_config(write_study(tmp_path, STUDY, {"a.jsonl": rows[:1]}))
    with pytest.raises(InputError, match="must hold at least two articles, got 1"):
        prepare_data(config, tally)


def test_of_an_id_that_two_files_have_the_first_article_and_its_label_count(tmp_path: Path, tally):
    text = STUDY.replace('"a.jsonl"', '["a.jsonl", "b.jsonl"]')
    rows = articles()
    stray = {**articles(1, seed=9)[0], "id": rows[0]["id"], "story": "another"}
    config = read_config(write_study(tmp_path, text, {"a.jsonl": rows, "b.jsonl": [stray]}))
    data = prepare_data(config, tally)
    gold = {
        a.id: code
        for part in (data.judged, data.report)
        for a, code in zip(part.articles, part.gold.tolist(), strict=True)
    }
    same = [row["id"] for row in rows if row["story"] == rows[0]["story"]]
    assert len(same) > 1 and len({gold[identity] for identity in same}) == 1


# ── scores ────────────────────────────────────────────────────────────────────────────────────────


def labelled(rows: list[dict[str, Any]]) -> Labelled:
    made = tuple(Article(r["id"], r["title"], r["text"], "en") for r in rows)
    _, gold = np.unique([r["story"] for r in rows], return_inverse=True)
    return Labelled(made, gold.astype(np.int64), gold.astype(np.int64))


def test_bcubed_is_that_of_evaluate_with_labels_of_some_articles():
    part = labelled(articles())
    part.gold[::5] = -1
    options = Options(encoder="tfidf")
    scorer = Scorer("story", MemoryCache(), resamples=20)
    found = scorer.score("bcubed_f1", options, part)
    nested = scorer._nested(options, part)
    labels = nested.hierarchy.labels[-1][nested.item]
    gold = [None if code < 0 else code for code in part.gold.tolist()]
    assert found.estimate.value == pytest.approx(bcubed_f1(labels.tolist(), gold))
    assert found.draws is not None and found.draws.shape == (21,)


@pytest.mark.parametrize(
    "metric", ["silhouette", "stability", "npmi", "diversity", "auroc", "story_auroc", "mrr"]
)
def test_every_metric_is_a_number_within_its_bounds_and_the_same_again(metric: str):
    part = labelled(articles())
    options = Options(encoder="tfidf", reduce="pca", dims=8)
    one, other = (
        Scorer("story", MemoryCache(), resamples=10).score(metric, options, part) for _ in range(2)
    )
    assert one.estimate == other.estimate and -1 <= one.estimate.value <= 1
    if metric in ("silhouette", "stability"):
        assert "nmi_language" in one.beside


def test_diversity_of_single_keywords_has_no_coherence_beside_it():
    options = Options(encoder="tfidf", keyword_terms=1, min_similarity={"story": -1.0})
    found = Scorer("story", MemoryCache()).score("diversity", options, labelled(articles()))
    assert found.estimate.value == 1.0 and found.beside["npmi"] is None


def test_a_metric_without_what_it_needs_says_so():
    with pytest.raises(InputError, match="stability: there must be at least two articles, got 1"):
        Scorer("story", MemoryCache()).score(
            "stability", Options(encoder="tfidf"), labelled(articles()[:1])
        )
    rows = [{**row, "text": ""} for row in articles()]
    scorer = Scorer("story", MemoryCache())
    with pytest.raises(InputError, match="auroc: at least two articles must have a title and a"):
        scorer.score("auroc", Options(encoder="tfidf"), labelled(rows))
    alone = [{**row, "story": row["id"]} for row in articles()]
    with pytest.raises(InputError, match="story_auroc: two articles of one story"):
        scorer.score("story_auroc", Options(encoder="tfidf"), labelled(alone))
    apart = Options(encoder="tfidf", min_similarity={"story": 1.0})
    with pytest.raises(InputError, match="keywords: some story must have 3 texts, got none"):
        scorer.score("npmi", apart, labelled(articles()))
    together = Options(encoder="tfidf", min_similarity={"story": -1.0})
    with pytest.raises(InputError, match="articles must fall into at least two clusters"):
        scorer.score("silhouette", together, labelled(articles()))


@pytest.mark.usefixtures("quick_default")
def test_a_study_without_labels_and_one_of_keywords_work(tmp_path: Path):
    text = (
        '[tuning]\narticles = "a.jsonl"\n[pipeline]\ntrials = 2\nseeds = 0\n[pipeline.settings]\n'
        "time_weight = {low = 0.0, high = 0.4}\n[keywords]\ntrials = 2\nseeds = 0\n"
        "[keywords.settings]\nkeyword_terms = [40, 400]\nkeyword_characters = [20, 400]\n"
    )
    outcome = run_study(make(tmp_path, text))
    assert [own.metric for own in outcome.reported] == ["npmi", "silhouette"]
    assert outcome.stages[0].start is not None
    assert "nmi_language" in outcome.stages[0].start.beside


# ── training ──────────────────────────────────────────────────────────────────────────────────────

TRAINING = """[tuning]
articles = "a.jsonl"
label = "story"
[encoders]
names = ["{model}", "tfidf"]
metric = "mrr"
seeds = 0
[training]
trials = 2
seeds = [0, 1]
metric = "mrr"
[training.settings]
learning_rate = {{low = 1e-4, high = 1e-2, log = true}}
loss = ["mnr", "guided"]
epochs = 1
batch_size = 8
max_length = 16
device = "cpu"
precision = "float32"
"""


def train_study(folder: Path, model: Path) -> Path:
    return write_study(folder, TRAINING.format(model=model), {"a.jsonl": titled(90)})


@pytest.mark.usefixtures("quick_default")
def test_trainings_start_from_the_best_that_can_be_trained_and_only_the_best_is_kept(
    tmp_path: Path, tiny_model: Path, tally
):
    outcome = run_study(train_study(tmp_path, tiny_model), progress=tally)
    training = outcome.stages[1]
    assert training.start is not None and len(training.leaders()) == 2
    best = training.leaders()[0]
    seed = max(best.seeds, key=lambda s: best.seeds[s])
    kept = [path.name for path in (tmp_path / "study.work").glob("model-*")]
    assert kept == [f"model-{best.number}-seed-{seed}"]
    metadata = ModelRecord.read(tmp_path / "study.work" / kept[0]).as_dict()
    assert metadata["base"]["name"] == str(tiny_model) and metadata["settings"]["seed"] == int(seed)
    assert bool(outcome.model) == training.improved
    assert outcome.facts["trained_on_articles"] > 0
    trained = (tmp_path / "study.work" / "training.jsonl").read_text()
    assert len(trained.splitlines()) == outcome.facts["trained_on_articles"]
    if training.improved:
        assert f"--encoder {outcome.model}" in outcome.command
    left = tmp_path / "study.work" / "model-9-seed-0.checkpoints"  # killed right after a trial
    left.mkdir()
    assert run_study(tmp_path / "study.toml").as_dict() == outcome.as_dict()
    assert not left.exists()


def test_trackers_are_handed_to_the_trainings(tmp_path: Path, monkeypatch, tiny_model: Path):
    seen = []

    def run(settings, *, progress):
        seen.append(settings)
        raise ParameterError("train: must stop here.")

    monkeypatch.setattr("newsnest.study.run.PAIRS", SimpleNamespace(run=run))
    monkeypatch.setattr("newsnest.train.run.context.check_trackers", lambda names: None)
    text = TRAINING.format(model=tiny_model).replace(
        "[training]\n", '[training]\nreport_to = ["tensorboard", "wandb"]\n'
    )
    config = write_study(tmp_path, text, {"a.jsonl": titled(60)})
    monkeypatch.setattr(Options.__init__, "__defaults__", _defaults())
    run_study(config)
    assert {settings.report_to for settings in seen} == {("tensorboard", "wandb")}


def test_a_tracker_that_is_not_installed_is_said_before_any_trial(tmp_path: Path, tiny_model: Path):
    text = TRAINING.format(model=tiny_model).replace(
        "[training]\n", '[training]\nreport_to = "notthere"\n'
    )
    config = write_study(tmp_path, text, {"a.jsonl": titled(60)})
    with pytest.raises(ParameterError, match="trackers that are installed, got notthere"):
        run_study(config)
    assert not (tmp_path / "study.db").exists()


def test_training_needs_an_encoder_that_works(tmp_path: Path, monkeypatch, make_tiny_model):
    broken = make_tiny_model()
    text = TRAINING.format(model=broken)
    config = write_study(tmp_path, text, {"a.jsonl": titled(60)})
    (broken / "model.safetensors").write_bytes(b"broken")
    monkeypatch.setattr(Options.__init__, "__defaults__", _defaults())
    with pytest.raises(InputError, match=r"\[training\] must start from an encoder that works and"):
        run_study(config)


# ── interruptions ─────────────────────────────────────────────────────────────────────────────────

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(newsnest.__file__).parents[1]),
    "OMP_NUM_THREADS": "1",
}


def start(config: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsnest", "study", str(config), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


def finished_trials(storage: Path) -> int:
    try:
        with sqlite3.connect(f"{storage.as_uri()}?mode=ro", uri=True) as sql:
            return int(sql.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.Error:
        return 0


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.02)


@pytest.mark.usefixtures("quick_default")
def test_a_killed_study_goes_on_and_ends_as_it_would_have(tmp_path: Path, again: Path):
    config = make(tmp_path / "killed")
    storage = config.with_name("study.db")
    process = start(config)
    until(lambda: finished_trials(storage) >= 2, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    seen = finished_trials(storage)
    process = start(config, "--json", "--quiet")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert 2 <= seen <= finished_trials(storage) == 6
    whole = run_study(again)
    found = json.loads(out)
    assert [t for stage in found["stages"] for t in stage["trials"]] == trials(whole)
    assert found["report"][0]["winner"] == whole.as_dict()["report"][0]["winner"]


def test_an_interrupt_ends_cleanly_and_says_what_is_kept(tmp_path: Path):
    config = make(tmp_path, STUDY.replace("trials = 5", "trials = 500"))
    process = start(config)
    until(lambda: finished_trials(config.with_name("study.db")) >= 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert f"interrupted. Finished trials are kept in {config.with_name('study.db')}" in err


# ── what is shown ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("quick_default")
def test_the_command_prints_a_leaderboard_and_json(again: Path):
    first, second, plain = (
        CliRunner().invoke(main, ["study", str(again), "--quiet", *more])
        for more in ([], [], ["--json"])
    )
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    assert "pipeline: 5 trials by bcubed_f1, mean ± standard deviation over 2 seeds" in first.stdout
    assert "articles that no trial has seen:" in first.stdout
    assert f"See it: {again.parent}/study.html" in first.stdout
    told = json.loads(plain.stdout)
    assert [stage["name"] for stage in told["stages"]] == ["encoders", "pipeline"]
    assert told["command"] in first.stdout
    kept = "no trial was better than the start" in first.stdout
    assert kept == (not told["stages"][1]["improved"])


@pytest.mark.usefixtures("quick_default")
def test_an_error_is_one_line(tmp_path: Path):
    result = CliRunner().invoke(main, ["study", str(make(tmp_path, TUNING))])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"newsnest: {tmp_path}/study.toml: must have a stage")


@pytest.mark.usefixtures("quick_default")
def test_the_page_says_words_as_text(again: Path):
    outcome = run_study(again)
    page = study_page(replace(outcome, config="<script>.toml", command="<b>", looks=2))
    assert "<script>" not in page and "<b>" not in page and "&lt;b&gt;" in page
    assert "used to report 2 winners" in page


def test_pictures_are_whole_svg_with_names_as_text():
    bars = ET.fromstring(draw_bars({"<dims>": 0.75, "reduce": 0.25}, title="a & b"))
    widths = [float(bar.get("width", 0)) for bar in bars.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[0] == pytest.approx(3 * widths[1])
    assert "<dims>" in "".join(bars.itertext())
    history = ET.fromstring(draw_history([0.2, 0.1, 0.4], title="x"))
    dots = list(history.iter("{http://www.w3.org/2000/svg}circle"))
    heights = [float(dot.get("cy", 0)) for dot in dots]
    assert heights[1] > heights[0] > heights[2]
    ET.fromstring(draw_history([0.3, 0.3], title="x"))


@pytest.mark.usefixtures("quick_default")
def test_the_verdict_goes_by_the_interval_of_the_difference(again: Path):
    outcome = replace(run_study(again), is_default=False)
    (own,) = outcome.reported
    said, keeps = [], []
    for low, high in ((0.01, 0.2), (-0.2, -0.01), (-0.1, 0.1), (None, None)):
        told = replace(outcome, reported=(replace(own, difference=Estimate(0.0, low, high)),))
        said.append(told.verdict)
        keeps.append(told.keeps_defaults)
    assert keeps == ["keep the defaults" in verdict for verdict in said]
    assert said[0] == "The study helped."
    assert "better without this study" in said[1] and "not help for certain" in said[2]
    assert "is open" in said[3]
    none = Estimate(-0.3, None, None)
    for low, said_of_it in ((0.70, "is open: keep the"), (0.91, "better without this study")):
        reported = replace(
            own, winner=Estimate(0.6, 0.5, 0.7), default=Estimate(0.9, low, 1.0), difference=none
        )
        assert said_of_it in replace(outcome, reported=(reported,)).verdict
    assert "what newsnest does without" in replace(outcome, is_default=True).verdict


def test_a_page_that_cannot_be_written_is_said(again: Path, quick_default):
    page = again.with_name("study.html")
    page.unlink()
    page.mkdir()
    with pytest.raises(
        InputError, match=r"write_page: path must be a file that can be written, got .*study\.html"
    ):
        run_study(again)


@pytest.mark.slow
def test_the_bundled_sample_is_studied(tmp_path: Path):
    text = (
        f'[tuning]\narticles = "{sample_path()}"\ngold = "{gold_path()}"\n'
        '[encoders]\nnames = ["static", "tfidf"]\n' + SETTINGS
    )
    (tmp_path / "study.toml").write_text(text)
    outcome = run_study(tmp_path / "study.toml")
    assert outcome.reported[0].winner is not None and outcome.reported[0].winner.value > 0.5
