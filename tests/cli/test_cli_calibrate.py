"""`newsnest calibrate`: from files to a newsnest.json that the next run takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import invented


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(tiny_model, copy)
    return copy


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return invented.write(tmp_path / "gold.jsonl", invented.articles())


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    rows = [
        (
            f"sea wall breached {i}",
            f"{'sea wall' if i % 2 else 'police arrest'} town {i}",
            4 - i % 4,
        )
        for i in range(80)
    ]
    path.write_text("text1,text2,overall\n" + "".join(f"{a},{b},{s}\n" for a, b, s in rows))
    return path


def test_a_model_is_calibrated_and_the_next_run_takes_it(newsnest, model, labelled, tmp_path):
    levels = ("--level", "story=story_gold", "--level", "theme=theme_gold", "--resamples", "20")
    result = newsnest("calibrate", model, "--gold", labelled, *levels, "--quiet")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("story: a rule was learnt; on stories left out B-cubed F1 0.")
    assert "a gain of 0." in lines[0] and "; pair F1 0." in lines[0]
    assert "51 articles in 12 gold clusters" in lines[0]
    assert lines[1].startswith("theme: min_similarity ")
    assert lines[2] == (
        f"Use it on articles like these: newsnest cluster PATH... -o NEST --encoder {model}"
    )
    assert result.stderr == ""
    nest = tmp_path / "a.nest"
    run = newsnest("cluster", labelled, "-o", nest, "--encoder", model)
    assert run.stderr.count("as the model was calibrated") == 2
    theme = json.loads((model / "newsnest.json").read_text())["levels"][0]["min_similarity"]
    assert f"min_similarity {theme:.3f} [" in lines[1]
    assert f"theme: min_similarity {theme:.3f} (as the model was calibrated)" in run.stderr
    assert (
        "Stories are cut by what articles have in common as the model was calibrated" in run.stderr
    )
    again = newsnest("cluster", labelled, "-o", nest, "--encoder", model)
    assert "nothing to do" in again.stdout


def test_json_has_values_intervals_and_what_they_rest_on(newsnest, model, labelled):
    command = ("calibrate", model, "--gold", labelled, "--level", "story=story_gold")
    told = json.loads(newsnest(*command, "--resamples", "20", "--json", "--quiet").stdout)
    (story,) = told["levels"]
    kept = json.loads((model / "newsnest.json").read_text())
    assert kept["story_rule"] == story["rule"] and story["min_similarity"] is None
    gain = story["evidence"]["f1"]["gain"]
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert story["evidence"]["gold_clusters"] == 12


def test_it_is_said_where_the_rule_of_newsnest_stays(newsnest, model, tmp_path):
    rows = [row | {"story": row["source"]} for row in invented.articles()]
    gold = invented.write(tmp_path / "gold.jsonl", rows)
    told = newsnest("calibrate", model, "--gold", gold, "--level", "story", "--quiet").stdout
    assert told.startswith("story: the rule of newsnest stays, for what was learnt is no better;")


def test_pairs_are_judged_at_a_precision(newsnest, model, pairs):
    options = ("--scale", "4", "1", "--field", "score=overall", "--level", "story")
    result = newsnest("calibrate", model, "--pairs", pairs, *options, "--precision", "0.3",
                      "--resamples", "20")  # fmt: skip
    assert "the corpus is the texts of the pairs alone" in result.stderr
    assert "story: min_similarity " in result.stdout and "precision 0." in result.stdout
    assert "of 80 pairs above, 20 alike, 80 independent" in result.stdout


def test_articles_alone_fix_the_measured_defaults(newsnest, model, labelled):
    result = newsnest("calibrate", model, "--articles", labelled, "--quiet")
    assert "story: cut as where about " in result.stdout
    assert "theme: min_similarity " in result.stdout
    assert result.stdout.count("measured default of 51 articles") == 3


@pytest.mark.parametrize(
    "arguments",
    [[], ["--gold", "a", "--pairs", "b"], ["--gold", "a", "--articles", "b"]],
)
def test_one_kind_of_evidence_is_given(newsnest, model, arguments):
    told = newsnest("calibrate", model, *arguments, status=2).stderr
    assert "give one of --gold, --pairs and --articles" in told


def test_fields_are_those_of_labels(newsnest, model, pairs):
    told = newsnest("calibrate", model, "--pairs", pairs, "--level", "story=x", status=2).stderr
    assert "--level LEVEL=GOLDFIELD needs --gold" in told


def test_what_is_wrong_is_one_line(newsnest, labelled, model):
    told = newsnest("calibrate", "minilm", "--gold", labelled, status=1).stderr
    assert told.startswith("newsnest: MODEL must be the folder of a model, got 'minilm'")
    told = newsnest("calibrate", model, "--gold", labelled, "--quiet", status=1).stderr
    assert told.count("\n") == 1 and "no row has a field called theme or topic or story" in told
    for kind in ("--gold", "--pairs", "--articles"):
        told = newsnest("calibrate", model, kind, "none.csv", "--quiet", status=1).stderr
        assert told == "newsnest: none.csv must exist, got no such file. Check the path.\n"
    assert not (model / "newsnest.json").exists()


def test_dates_that_can_be_two_days_are_read_in_the_order_that_is_said(newsnest, model, tmp_path):
    rows = [
        row | {"date": "/".join(reversed(row["date"][:10].split("-")))}
        for row in invented.articles(stories=6)
    ]
    assert all(int(row["date"][:2]) <= 12 for row in rows)
    gold = invented.write(tmp_path / "gold.jsonl", rows)
    told = ("calibrate", model, "--gold", gold, "--level", "story=story_gold", "--resamples", "0")
    undated, dated = newsnest(*told), newsnest(*told, "--date-order", "DMY")
    assert "--date-order" in undated.stderr and "--date-order" not in dated.stderr


def test_the_articles_beside_pairs_are_read_in_the_order_that_is_said(
    newsnest, model, pairs, tmp_path
):
    rows = [{"id": i, "title": f"storm hits coast {i}", "date": "03/04/2024"} for i in range(9)]
    articles = invented.write(tmp_path / "news.jsonl", rows)
    told = ("calibrate", model, "--pairs", pairs, "--field", "score=overall", "--scale", "4", "1",
            "--level", "story", "--resamples", "0", "--articles", articles)  # fmt: skip
    assert "--date-order" in newsnest(*told).stderr
    assert "--date-order" not in newsnest(*told, "--date-order", "DMY").stderr
