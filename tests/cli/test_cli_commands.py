from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import invented
from newsnest.nest import Nest

# ── cluster ─────────────────────────────────────────────────────────────────────────────────────


def test_cluster_tells_the_result_on_stdout_and_the_rest_on_stderr(
    newsnest, corpus: Path, tmp_path: Path
):
    nest = tmp_path / "n.nest"
    result = newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf")
    told = result.stdout.splitlines()
    assert told[0] == f"{nest}: run 1, 51 articles, 48 independent, 1 row set aside"
    assert told[-1] == f"See it: newsnest show {nest}, or newsnest report {nest} -o report.html"
    assert "of these articles share a story with another" in result.stderr
    assert "1 row set aside, the first at " in result.stderr
    assert re.search(r"^took [0-9.]+ s: .*\bread [0-9.]+", result.stderr, re.MULTILINE)
    assert "news.jsonl:52: has no title and no text" in result.stderr
    again = newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf")
    assert again.stdout == f"{nest} holds this run already (run 1); nothing to do.\n"


def test_quiet_prints_nothing_on_stderr(newsnest, corpus: Path, tmp_path: Path):
    result = newsnest(
        "cluster", corpus, "-o", tmp_path / "n", "--encoder", "tfidf", "--quiet"
    )  # even with rows set aside
    assert result.stderr == ""
    assert "51 articles, 48 independent, 1 row set aside" in result.stdout


def test_options_reach_the_run(newsnest, corpus: Path, tmp_path: Path):
    nest = tmp_path / "n"
    newsnest(
        "cluster", corpus, "-o", nest, "--encoder", "tfidf", "--order", "coarse-to-fine",
        "--min-similarity", "theme=-0.5,story=0.9", "--time-scale", "12h", "--time-weight", "0.4",
        "--keep-copies", "--keep-boilerplate", "--field", "title=text,text=title",
        "--date-order", "DMY", "--time-zone", "Europe/Paris", "--reference-date", "2024-03-05",
    )  # fmt: skip
    with Nest(nest) as opened:
        options = opened.run().options
        titles = [m.article.title for m in opened.members()]
    assert options["order"] == "coarse-to-fine"
    assert options["min_similarity"] == {"theme": -0.5, "story": 0.9}
    assert (options["time_scale"], options["time_weight"]) == (43_200.0, 0.4)
    assert options["keep_copies"] is options["keep_boilerplate"] is True
    assert options["read"]["fields"] == {"title": "text", "text": "title"}
    assert options["read"]["date_order"] == "DMY"
    assert options["read"]["time_zone"] == "Europe/Paris"
    assert options["read"]["reference_date"] == "2024-03-05T00:00:00+00:00"
    assert invented.articles()[0]["text"] in titles


def test_a_zone_or_a_reference_that_is_none_is_said(newsnest, corpus: Path, tmp_path: Path):
    command = ("cluster", corpus, "-o", tmp_path / "n", "--encoder", "tfidf")
    result = newsnest(*command, "--time-zone", "Paris", status=1)
    assert "time_zone must be an IANA name such as Europe/Paris, got 'Paris'" in result.stderr
    result = newsnest(*command, "--reference-date", "soon", status=2)
    assert "'soon' is not a date, e.g. 2024-03-05T10:00" in result.stderr


@pytest.fixture
def rows() -> list[dict]:
    return invented.articles(stories=4)


def ids(nest: Path) -> list[str]:
    with Nest(nest) as opened:
        return [member.article.id for member in opened.members()]


@pytest.mark.parametrize("kind", ["csv", "semicolons", "tsv", "gz", "zst", "parquet"])
def test_cluster_reads_every_kind_of_file(newsnest, tmp_path: Path, rows, kind: str):
    text = invented.write(tmp_path / "plain", rows).read_bytes()
    table = {"csv": ",", "semicolons": ";", "tsv": "\t"}
    path = tmp_path / f"news.{'csv' if kind == 'semicolons' else kind}"
    if kind in table:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=table[kind])
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path = tmp_path / f"news.jsonl.{kind}"
        packed = gzip.compress(text) if kind == "gz" else pa.compress(text, "zstd", asbytes=True)
        path.write_bytes(packed)
    newsnest("cluster", path, "-o", tmp_path / "n", "--encoder", "tfidf", "--quiet")
    assert ids(tmp_path / "n") == sorted(row["id"] for row in rows)


def test_cluster_reads_standard_input_and_leaves_no_file(
    newsnest, corpus: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    nest = tmp_path / "n.nest"
    command = ("cluster", "-", "-o", nest, "--encoder", "tfidf")
    result = newsnest(*command, stdin=corpus.read_bytes())
    assert "-:52: has no title and no text" in result.stderr
    assert len(ids(nest)) == 51
    again = newsnest(*command, stdin=corpus.read_bytes())
    assert "nothing to do" in again.stdout
    assert "no article could be read" in newsnest(*command, stdin=b"", status=1).stderr
    assert [p.name for p in tmp_path.iterdir()] == ["n.nest"]


def test_several_files_become_one_corpus(newsnest, tmp_path: Path, rows):
    one = invented.write(tmp_path / "one.jsonl", rows[:8])
    two = invented.write(tmp_path / "two.jsonl", rows[8:])
    newsnest("cluster", one, two, "-o", tmp_path / "n", "--encoder", "tfidf")
    assert len(ids(tmp_path / "n")) == len(rows)


# ── show ────────────────────────────────────────────────────────────────────────────────────────


def test_show_prints_the_tree_a_line_a_cluster(newsnest, nest: Path):
    shown = newsnest("show", nest).stdout.splitlines()
    with Nest(nest) as opened:
        names = {c.name: c.size for level in opened.levels() for c in opened.clusters(level)}
        sections = {c.name: c.section for c in opened.clusters("theme")}
    for line in shown:
        found = re.fullmatch(r"[ │├└─]*(.*?)  (?:(.*); )?(\d+ articles?, \d+ independent)", line)
        if found is None:
            assert re.fullmatch(r"[ │├└─]*… \d+ more (topics?|story|stories)", line), line
        else:
            assert names[found[1]] == found[3]
            assert (found[2] is not None) == line.startswith(found[1])
            assert found[2] in (None, sections.get(found[1]))


def test_show_lists_a_level_and_stops_where_told(newsnest, nest: Path):
    lines = newsnest("show", nest, "--level", "story", "--limit", "3").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    top = newsnest("show", nest, "--limit", "1").stdout.splitlines()[-1]
    assert re.fullmatch(r"1 of \d+ themes; see more with --limit", top)


def test_show_prints_json_for_machines(newsnest, nest: Path):
    themes = json.loads(newsnest("show", nest, "--json").stdout)
    stories = json.loads(newsnest("show", nest, "--level", "story", "--json").stdout)
    below = [s for theme in themes for topic in theme["children"] for s in topic["children"]]
    assert {s["id"] for s in stories} <= {s["id"] for s in below}
    assert sum(s["articles"] for s in below) == sum(t["articles"] for t in themes) == 51
    assert {type(s["label"]) for s in below} == {int}
    assert set(stories[0]) == {
        "id", "level", "label", "name", "articles", "independent", "keywords", "summary",
        "representative", "first", "last",
    }  # fmt: skip
    (run,) = json.loads(newsnest("show", nest, "--runs", "--json").stdout)
    assert (run["finished"], run["batch"]) == (True, 1)
    assert run["facts"]["articles"] == 51
    (row,) = json.loads(newsnest("show", nest, "--rejected", "--json").stdout)
    assert (row["line"], row["reason"]) == (52, "has no title and no text")
    assert json.loads(row["content"]) == {"id": "empty", "title": ""}


def test_show_lists_runs_and_rejected_rows(newsnest, nest: Path):
    run, options, took, cut = newsnest("show", nest, "--runs").stdout.splitlines()
    assert re.fullmatch(r" +1  [\d-]+ [\d:]+ UTC  .*news.jsonl  finished", run)
    assert options.strip() == "batch 1, encoder tfidf"
    total, stages = re.fullmatch(r" +took ([0-9.]+) s: (.*)", took).groups()
    seconds = [float(stage.split()[1]) for stage in stages.split(", ")]
    assert seconds == sorted(seconds, reverse=True)
    assert sum(seconds) == pytest.approx(float(total), abs=0.5)
    assert re.match(r" +About \d+ % of these articles share a story with another\. ", cut)
    shown = newsnest("show", nest, "--rejected").stdout.splitlines()
    assert shown[0].endswith("news.jsonl:52: has no title and no text")
    assert shown[1] == "1 row set aside"


def test_runs_are_told_apart_by_what_was_chosen_and_read(newsnest, corpus: Path, tmp_path: Path):
    nest = tmp_path / "n"
    newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf", "--quiet")
    newsnest(
        "cluster", "-", "-o", nest, "--encoder", "tfidf", "--keep-copies", "--quiet",
        "--min-similarity", "theme=0.1,story=0.5", "--time-scale", "12h", "--field", "text=text",
        stdin=corpus.read_bytes(),
    )  # fmt: skip
    _, first, _, _, second, chosen, _ = newsnest("show", nest, "--runs").stdout.splitlines()
    assert first.strip() == "batch 1, encoder tfidf"
    assert second.endswith("UTC  -  finished")
    assert chosen.strip() == (
        "batch 2, encoder tfidf, keep copies on, min similarity story=0.5,theme=0.1, "
        "time scale 43200, "
        "fields text=text"
    )
    runs = json.loads(newsnest("show", nest, "--runs", "--json").stdout)
    assert [run["inputs"] for run in runs] == [[str(corpus)], ["-"]]


def test_a_cluster_with_its_only_childs_name_is_shown_once(newsnest, tmp_path: Path):
    news = tmp_path / "one.jsonl"
    news.write_text('{"title": "Sea wall breached"}\n')
    newsnest("cluster", news, "-o", tmp_path / "n", "--encoder", "tfidf", "--quiet")
    shown = newsnest("show", tmp_path / "n").stdout
    assert shown == "Sea wall breached  mixed; 1 article, 1 independent\n"


def test_recut_makes_another_run_and_finds_it_again(newsnest, corpus: Path, tmp_path: Path):
    nest = tmp_path / "n"
    newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf", "--quiet")
    made = newsnest("recut", nest, "--grain", "finest")
    assert made.stdout.startswith(f"{nest}: run 2, 51 articles, 48 independent, 1 row set aside\n")
    assert "as finely as can be chosen" in made.stderr and "took " in made.stderr
    again = newsnest("recut", nest, "--grain", "finest", "--run", "1", "--quiet")
    see = f"See it: newsnest show {nest} --run 2"
    assert again.stdout == f"{nest} holds this run already (run 2). {see}\n"
    same = newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf", "--grain", "finest")
    assert same.stdout == f"{nest} holds this run already (run 2); nothing to do.\n"
    assert "batch 1, encoder tfidf, grain finest" in newsnest("show", nest, "--runs").stdout
    assert "Missing option '--grain'" in newsnest("recut", nest, status=2).stderr
    assert "no such nest" in newsnest("recut", "none", "--grain", "finer", status=1).stderr


# ── export and report ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_export_writes_every_article(newsnest, nest: Path, tmp_path: Path, ending: str):
    out = tmp_path / f"out.{ending}"
    result = newsnest("export", nest, "-o", out, "--run", "1")
    assert result.stdout == f"{out}: 51 rows\n"
    assert result.stderr == ""
    assert out.stat().st_size > 0


def test_report_refuses_a_name_that_is_too_long(newsnest, nest: Path, tmp_path: Path):
    told = newsnest("report", nest, "-o", tmp_path / f"{'p' * 251}.html", status=1).stderr
    assert "must be a file that can be written" in told


def test_report_takes_a_title(newsnest, nest: Path, tmp_path: Path):
    newsnest("report", nest, "-o", tmp_path / "page.html", "--title", "Week <10>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>Week &lt;10&gt; · newsnest</title>" in page


def test_report_writes_one_page(newsnest, nest: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    result = newsnest("report", nest, "-o", page)
    assert re.fullmatch(rf"{re.escape(str(page))}: \d+\.\d MB\n", result.stdout)
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


# ── evaluate ────────────────────────────────────────────────────────────────────────────────────


def test_evaluate_joins_by_id_and_says_what_was_left_out(newsnest, nest: Path, gold: Path):
    result = newsnest("evaluate", "clusters", nest, "--gold", gold, "--level", "story", "--json")
    assert f"3 ids only in {nest}, 1 only in {gold}; 48 compared" in result.stderr
    scores = json.loads(result.stdout)["story"]
    assert scores["articles"] == 48
    assert scores["gold_clusters"] == 12
    for name in ("pair", "bcubed"):
        for measure in ("precision", "recall", "f1"):
            assert 0.0 <= scores[f"{name}_{measure}"] <= 1.0
    assert {"nmi", "ari", "v_measure", "accuracy"} <= set(scores)
    words = newsnest("evaluate", "clusters", nest, "--gold", gold, "--level", "story").stdout
    assert words.startswith("story: 48 articles, ")
    assert f"F1 {scores['pair_f1']:.3f}" in words


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_evaluate_takes_an_export_for_its_nest(
    newsnest, nest: Path, gold: Path, tmp_path: Path, ending: str
):
    out = tmp_path / f"out.{ending}"
    newsnest("export", nest, "-o", out)
    options = ("--gold", gold, "--level", "story=event", "--json")
    by_file = json.loads(newsnest("evaluate", "clusters", out, *options).stdout)["story"]
    by_nest = json.loads(newsnest("evaluate", "clusters", nest, *options).stdout)["story"]
    by_file.pop("nmi_language"), by_nest.pop("nmi_language")
    assert by_file == by_nest


def test_perfect_labels_get_perfect_scores(newsnest, gold: Path):
    options = ("--gold", gold, "--level", "story=event", "--level", "event")
    result = newsnest("evaluate", "clusters", gold, *options, "--json")
    assert result.stderr == ""
    for scores in json.loads(result.stdout).values():
        assert scores["pair_f1"] == scores["bcubed_f1"] == scores["accuracy"] == 1.0


def test_evaluate_finds_the_levels_that_both_have(newsnest, nest: Path, gold: Path, tmp_path: Path):
    found = newsnest("evaluate", "clusters", nest, "--gold", gold, "--json")
    named = newsnest("evaluate", "clusters", nest, "--gold", gold, "--level", "story", "--json")
    assert (found.stdout, found.stderr) == (named.stdout, named.stderr)
    out = tmp_path / "out.csv"
    newsnest("export", nest, "-o", out)
    scores = json.loads(newsnest("evaluate", "clusters", nest, "--gold", out, "--json").stdout)
    assert list(scores) == ["theme", "topic", "story"]
    assert all(score["bcubed_f1"] == 1.0 for score in scores.values())
    table = tmp_path / "themes.csv"
    table.write_text("id,theme\na00000,1\n")
    told = newsnest("evaluate", "clusters", table, "--gold", gold, status=1).stderr
    assert "must share a level, got theme and story. Name both with --level" in told
    table.write_text("id,subject\na00000,1\n")
    told = newsnest("evaluate", "clusters", nest, "--gold", table, status=1).stderr
    assert "Its columns are id, subject: name one with --level LEVEL=COLUMN." in told


@pytest.mark.parametrize(
    ("level", "gold_text", "wanted"),
    [
        ("storey=story", None, "has no level 'storey'. It has: theme, topic, story."),
        (
            "story=event_id",
            None,
            "no row has the field \"event_id\". Did you mean 'event'? Choose among id, story, "
            "event",
        ),
        ("story", "id,story\na00000,1\na00000,2\n", 'line 3: the id "a00000" occurs twice'),
        ("story", "story\n1\n", 'no row has the field "id". Choose among story'),
    ],
)
def test_evaluate_says_what_cannot_be_joined(
    newsnest, nest: Path, gold: Path, tmp_path: Path, level: str, gold_text, wanted: str
):
    if gold_text is not None:
        gold = tmp_path / "gold.csv"
        gold.write_text(gold_text)
    result = newsnest("evaluate", "clusters", nest, "--gold", gold, "--level", level, status=1)
    (line,) = result.stderr.splitlines()
    assert wanted in line


# ── demo ────────────────────────────────────────────────────────────────────────────────────────


def test_the_demo_makes_a_nest_and_its_page(newsnest, tmp_path: Path):
    nest = tmp_path / "try.nest"
    result = newsnest("demo", "-o", nest, "--encoder", "tfidf", "--quiet")
    assert result.stderr == ""
    assert result.stdout.splitlines()[-2:] == [
        f"nest: {nest}",
        f"page: {tmp_path / 'try.html'}",
    ]
    assert re.search(r"\d+ articles, \d+ independent; \d+ rows set aside", result.stdout)
    assert (tmp_path / "try.html").stat().st_size > 10_000


def test_the_version_and_help_are_told(newsnest):
    assert re.fullmatch(r"newsnest, version \d+\.\d+\.\d+\n", newsnest("--version").stdout)
    assert "newsnest demo" in newsnest("--help").stdout


def test_gold_labels_of_other_articles_are_an_error(newsnest, nest: Path, tmp_path: Path):
    gold = tmp_path / "gold.csv"
    gold.write_text("id,story\nx1,a\nx2,b\n")
    told = newsnest("evaluate", "clusters", nest, "--gold", gold, "--level", "story", status=1)
    assert f"{nest} and {gold} must share ids, got none in common" in told.stderr
    assert "and 'x1'). Give the gold labels of these articles" in told.stderr
    assert told.stdout == ""


def test_more_clusters_than_texts_are_refused_before_encoding_and_leave_no_run(
    newsnest, corpus: Path, tmp_path: Path
):
    nest = tmp_path / "n.nest"
    command = ("cluster", corpus, "-o", nest, "--encoder", "tfidf")
    newsnest(*command, "--quiet")
    before = newsnest("show", nest, "--runs").stdout
    told = newsnest(*command, "--clusterer", "kmeans:99999", status=1).stderr
    assert "K must be at most 48, the number of texts, got 99999" in told
    assert "encode" not in told
    assert newsnest("show", nest, "--runs").stdout == before
