"""Stories cut anew from the tree of a nest are those that clustering with that grain finds."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import invented
import newsnest
from newsnest import embed
from newsnest.describe import KeywordDescriber
from newsnest.embed import ModelRecord
from newsnest.errors import NestError, ParameterError
from newsnest.nest import Nest, Run
from newsnest.pipeline import Options, build, recut
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.nest_texts import NestConfig, nest_texts
from newsnest.pipeline.story_facts import other_grains, stories_in_words
from newsnest.types import Article, Grain

OLDER = Path(__file__).parent / "data" / "older_nest" / "news.sqlite"
TFIDF = Options(encoder="tfidf")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = invented.articles(stories=40, each=3, seed=5)
    for row in rows[::4]:  # a house phrase to take out, and to be taken out again
        row["text"] += " Read more on our site every day."
        row["source"] = "Gull"
    return invented.write(tmp_path_factory.mktemp("recut") / "news.jsonl", rows)


@pytest.fixture
def nest(tmp_path: Path):
    with Nest(tmp_path / "n.nest", create=True) as opened:
        yield opened


def content(nest: Nest, run: Run) -> dict[str, Any]:
    """All that a nest keeps of a run, but for numbers of its own, when, and how long it took."""
    number = nest.labels(run)
    clusters = [
        [number[c.parent] if c.parent else None, *(getattr(c, field) for field in c.__slots__
         if field not in ("id", "parent"))]
        for level in nest.levels(run) for c in nest.clusters(level, run=run)
    ]  # fmt: skip
    members = [
        (m.article, [number[c] for c in m.clusters], m.copy_of) for m in nest.members(run=run)
    ]
    facts = {name: value for name, value in run.facts.items() if name != "seconds"}
    tree = nest.tree(run)
    numbers = [*nest.linkages(run), *nest.frame(run), tree.pairs, tree.similarity]
    numbers += [tree.log_odds, tree.likeness, tree.sections]
    return {
        "clusters": clusters,
        "members": members,
        "facts": facts,
        "numbers": [part.tobytes() for part in numbers],
        "known by": (run.options, run.versions, run.inputs, tree.exact),
    }


WAYS: dict[str, dict[str, Any]] = {
    "usual": {},
    "copies": {"keep_copies": True, "keep_boilerplate": True},
    "undated": {"time_weight": 0.0, "centre": "corpus"},
    "levels given": {"min_similarity": {"topic": 0.2}},
    "pca": {"reduce": "pca", "dims": 12},
    "approximate": {"exact": False},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("grain", [grain for grain in get_args(Grain) if grain != "default"])
def test_a_recut_run_is_that_of_cluster_with_the_grain_bit_for_bit(
    nest: Nest, corpus: Path, tmp_path: Path, grain: Grain, way: str
):
    build(corpus, nest, Options(encoder="tfidf", **WAYS[way]))
    made = recut(nest, grain)
    assert made.new and made.run.finished
    finer = Options(encoder="tfidf", grain=grain, **WAYS[way])
    again = build(corpus, nest, finer)
    assert (again.new, again.run.id) == (False, made.run.id)
    with Nest(tmp_path / "other.nest", create=True) as other:
        assert content(nest, made.run) == content(other, build(corpus, other, finer).run)


def test_a_model_folder_with_levels_of_its_own_is_recut_alike(
    nest: Nest, corpus: Path, tmp_path: Path, tiny_model: Path
):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    levels = [{"name": "theme", "dims": 6, "min_similarity": None}]
    (model / "newsnest.json").write_text(json.dumps({"levels": levels}))
    first = build(corpus, nest, Options(encoder=str(model))).run
    assert first.facts["model"]["dims"] == {"theme": 6}
    made = recut(nest, "finer").run
    with Nest(tmp_path / "other.nest", create=True) as other:
        alone = build(corpus, other, Options(encoder=str(model), grain="finer")).run
        assert content(nest, made) == content(other, alone)


def test_nothing_is_encoded_or_linked_again(nest: Nest, corpus: Path, tiny_model, monkeypatch):
    build(corpus, nest, Options(encoder=str(tiny_model)))
    count = "SELECT (SELECT count(*) FROM vectors), (SELECT count(*) FROM articles)"
    before = nest.store.connection.execute(count).fetchone()

    def no(*_: Any, **__: Any) -> None:
        raise AssertionError("this is kept in the nest")

    monkeypatch.setattr(embed, "load_encoder", no)
    monkeypatch.setattr("newsnest.cluster.story_cut.agglomerate_rows", no)
    monkeypatch.setattr("newsnest.pipeline.walk.fold_copies", no)
    monkeypatch.setattr("newsnest.pipeline.walk.without_boilerplate", no)
    monkeypatch.setattr("newsnest.pipeline.walk.section_scores", no)
    assert recut(nest, "finest").new
    assert nest.store.connection.execute(count).fetchone() == before


def test_a_recut_run_is_cut_again_and_all_share_one_tree(nest: Nest, corpus: Path):
    first = build(corpus, nest, TFIDF).run
    counts = {"default": first.facts["clusters"]["story"]}
    for grain in ("finest", "coarser", "finer"):
        counts[grain] = recut(nest, grain).run.facts["clusters"]["story"]
    assert counts["finest"] >= counts["finer"] >= counts["default"] >= counts["coarser"]
    back = recut(nest, "default")
    assert (back.new, back.run.id) == (False, first.id)
    assert nest.run().facts["stories"]["grain"] == "finer"
    ask = nest.store.connection.execute
    assert ask("SELECT count(*), count(DISTINCT tree) FROM runs").fetchone() == (4, 1)
    assert ask("SELECT count(*) FROM trees").fetchone() == (1,)


def test_an_earlier_run_can_be_chosen(nest: Nest, corpus: Path, tmp_path: Path):
    first = build(corpus, nest, TFIDF).run
    other = invented.write(tmp_path / "other.jsonl", invented.articles(stories=20, seed=9))
    build(other, nest, TFIDF)
    made = recut(nest, "finer", run=first).run
    assert made.batch == first.batch
    assert made.facts["articles"] == first.facts["articles"]


def test_a_nest_in_memory_is_recut_after_a_copy(nest: Nest, corpus: Path):
    build(corpus, nest, TFIDF)
    with Nest.from_bytes(nest.to_bytes()) as copy:
        assert content(copy, recut(copy, "finer").run) == content(nest, recut(nest, "finer").run)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"clusterer": "kmeans:9"}, "has stories by kmeans:9. Run .*, but without --clusterer"),
        ({"order": "coarse-to-fine"}, "from coarse to fine. Run .*, but without --order"),
        ({"min_similarity": {"story": 0.4}}, "as given. Run .* without a --min-similarity of sto"),
    ],
)
def test_a_run_without_a_tree_says_what_to_do(nest: Nest, corpus: Path, options, why: str):
    run = build(corpus, nest, Options(encoder="tfidf", **options)).run
    with pytest.raises(NestError, match=f"got run {run.id}, which .*{why}"):
        recut(nest, "finer")
    assert len(nest.runs()) == 1


def test_a_run_of_a_calibrated_model_says_what_to_do(nest, corpus, tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    levels = [{"name": "story", "dims": 32, "min_similarity": 0.6}]
    (model / "newsnest.json").write_text(json.dumps({"levels": levels}))
    build(corpus, nest, Options(encoder=str(model)))
    with pytest.raises(NestError, match="its model was calibrated to. Run .* another --min-sim"):
        recut(nest, "finer")
    with pytest.raises(ParameterError, match="grain must be default where stories are cut at one"):
        build(corpus, nest, Options(encoder=str(model), grain="finer"))
    assert [run.finished for run in nest.runs()] == [True]


def test_an_older_run_says_what_to_do(tmp_path: Path):
    with (
        Nest(shutil.copy(OLDER, tmp_path / "old.nest")) as nest,
        pytest.raises(NestError, match="made before nests kept it. Run newsnest cluster with"),
    ):
        recut(nest, "finer")


def test_what_would_not_be_the_run_of_cluster_is_refused(nest: Nest, corpus: Path, monkeypatch):
    build(corpus, nest, TFIDF)
    with pytest.raises(NestError, match=r"describer must be that of run 1, keywords, got keywords"):
        recut(nest, "finer", describer=KeywordDescriber(max_keywords=2))
    with pytest.raises(ParameterError, match="grain must be one of finest"):
        recut(nest, "fine")  # type: ignore[arg-type]
    monkeypatch.setattr(newsnest, "__version__", "99")
    with pytest.raises(NestError, match=r"run 1, of newsnest .* \(now 99\)\. Run newsnest cluster"):
        recut(nest, "finer")
    assert len(nest.runs()) == 1


def test_another_describer_names_both(nest: Nest, corpus: Path):
    short = KeywordDescriber(max_keywords=2)
    build(corpus, nest, TFIDF, describer=short)
    made = recut(nest, "finer", describer=short).run
    assert all(len(cluster.keywords) <= 2 for cluster in nest.clusters("theme", run=made))
    assert not build(corpus, nest, Options(encoder="tfidf", grain="finer"), describer=short).new


def test_vectors_that_were_taken_out_are_missed(nest: Nest, corpus: Path):
    build(corpus, nest, TFIDF)
    nest.store.connection.execute("DELETE FROM vectors")
    with pytest.raises(NestError, match="must hold the vectors of run 1, got none of 1"):
        recut(nest, "finer")
    assert "vectors of run 1" in nest.runs()[-1].stopped


def test_an_unfinished_run_is_refused(nest: Nest, corpus: Path):
    run = build(corpus, nest, TFIDF).run
    begun = nest.store.start_run("begun", run.batch, {}, {})
    with pytest.raises(NestError, match="is not finished"):
        recut(nest, "finer", run=begun)


def test_a_grain_is_refused_where_one_cosine_cuts():
    model = ModelLevels.of(ModelRecord())
    config = NestConfig(model=model, min_similarity={"story": 0.4}, grain="finer")
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(ParameterError, match="grain must be default"):
        nest_texts(rows, [Article(str(n)) for n in range(3)], np.ones(3), config)


# ── what is said of it ──────────────────────────────────────────────────────────────────────────


def test_a_run_says_how_it_was_cut_and_how_to_cut_it_otherwise(nest: Nest, corpus: Path):
    run = build(corpus, nest, TFIDF).run
    assert "default" not in stories_in_words(run.facts)
    command = "newsnest recut 'my nest' --grain"
    assert other_grains(run, "my nest") == [
        ("Do stories hold several events?", f"{command} finer"),
        ("Are events split?", f"{command} coarser"),
    ]
    finest = recut(nest, "finest").run
    assert "as finely as can be chosen" in stories_in_words(finest.facts)
    assert other_grains(finest, "n") == [("Are events split?", "newsnest recut n --grain finer")]
    coarser = recut(nest, "coarser").run
    assert "a step coarser than by default" in stories_in_words(coarser.facts)
    (only,) = other_grains(coarser, "n")
    assert only == ("Do stories hold several events?", "newsnest recut n --grain default")
    given = build(corpus, nest, Options(encoder="tfidf", min_similarity={"story": 0.4})).run
    assert (stories_in_words(given.facts), other_grains(given, "n")) == ("", [])
    down = build(corpus, nest, Options(encoder="tfidf", order="coarse-to-fine")).run
    assert stories_in_words(down.facts) and not other_grains(down, "n")


# ── kill -9 ─────────────────────────────────────────────────────────────────────────────────────

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])}


def test_a_killed_recut_is_finished_by_the_same_command(corpus: Path, tmp_path: Path):
    path, whole = tmp_path / "n.nest", tmp_path / "whole.nest"
    build(corpus, path, TFIDF)
    shutil.copy(path, whole)
    command = [sys.executable, "-m", "newsnest", "recut", "--grain", "finer", "--quiet"]
    began = time.monotonic()
    subprocess.run([*command, str(whole)], env=ENVIRONMENT, check=True, timeout=300)
    usual, rng = time.monotonic() - began, random.Random(3)
    for _ in range(4):
        process = subprocess.Popen(
            [*command, str(path)], env=ENVIRONMENT, stdout=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.5, 1.0) * usual)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Nest(path) as nest:
            assert nest.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert nest.run(1).finished
    subprocess.run([*command, str(path)], env=ENVIRONMENT, check=True, timeout=300)
    with Nest(path) as nest, Nest(whole) as other:
        assert [run.finished for run in nest.runs()] == [True, True]
        assert content(nest, nest.run()) == content(other, other.run())
