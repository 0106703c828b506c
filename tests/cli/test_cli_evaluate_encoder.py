"""`newsnest evaluate pairs` and `alignment`, from a file to scores."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest

from newsnest.cli.measure import in_columns

WORDS = ["sea", "wall", "rates", "held", "bank", "storm", "coast", "vote", "police", "raid", "cup"]


def _pair(row: int) -> str:
    """Two texts that share fewer words the higher the score; pair 3 is longer than most read."""
    start, score = row % len(WORDS), 1 + row % 4
    twice = WORDS + WORDS
    one, other = twice[start : start + 4], twice[start + score - 1 : start + score + 3]
    more = " the wall" * (20 if row == 3 else 0)
    return f"{' '.join(one)} {row}{more},{' '.join(other)},{score},en,{'fr' if row % 3 else 'en'},"


PAIRS = (
    "text1,text2,score,lang1,lang2,split\n"
    + "".join(f"{_pair(row)}eval\n" for row in range(30))
    + "police arrest three,,2,en,en,eval\none,two,3,en,en,train\n"
)
SENTENCES = "key,lang,text\n" + "".join(
    f"{i},{lang},{text} {lang if i % 2 else ''}\n"
    for i, text in enumerate(["sea wall", "bank rates", "cup final", "sea storm", "bank raid"])
    for lang in ("en", "fr")
)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(PAIRS)
    return path


@pytest.fixture
def sentences(tmp_path):
    path = tmp_path / "sentences.csv"
    path.write_text(SENTENCES + "0,de,Mauer\n")
    return path


def test_pairs_are_scored_by_language_and_prefix_with_intervals(newsnest, pairs):
    command = ("evaluate", "pairs", pairs, "--encoder", "tfidf", "--scale", "4", "1")
    result = newsnest(*command, "--split", "eval", "--resamples", "50", "--json")
    assert "30 pairs; left out: 1 without text, 1 of other splits" in result.stderr
    told = json.loads(result.stdout)
    assert (told["encoder"], told["split"], told["scale"]) == ("tfidf", "eval", [4.0, 1.0])
    assert told["fingerprint"]
    first = told["scores"][0]
    assert (first["languages"], first["pairs"]) == ("all", 30)
    assert first["pearson"]["low"] <= first["pearson"]["value"] <= first["pearson"]["high"]
    assert set(first["auroc"]) == {"theme", "topic", "story"}
    assert [s["languages"] for s in told["scores"][::3]] == ["all", "en-fr", "en-en"]
    words = newsnest(*command, "--split", "eval", "--resamples", "50", "--quiet")
    assert words.stderr == ""
    assert words.stdout.startswith("30 pairs, encoder tfidf\n")
    assert f"{first['pearson']['value']:.3f} [{first['pearson']['low']:.3f}, " in words.stdout


def test_prefixes_can_be_chosen_and_intervals_left_out(newsnest, pairs):
    options = ("--scale", "4", "1", "--dims", "9", "--dims", "3", "--resamples", "0", "--json")
    told = json.loads(newsnest("evaluate", "pairs", pairs, "--encoder", "tfidf", *options).stdout)
    assert sorted({s["dims"] for s in told["scores"]}) == [3, 9]
    assert told["scores"][1]["pearson"]["low"] is None


def test_texts_that_the_encoder_cuts_are_counted(newsnest, pairs, tiny_model):
    options = ("--scale", "4", "1", "--resamples", "0")
    result = newsnest("evaluate", "pairs", pairs, "--encoder", tiny_model, *options)
    assert "1 text was truncated to the encoder's limit" in result.stderr


def test_alignment_is_told_for_every_language_with_sentences_enough(newsnest, sentences):
    command = ("evaluate", "alignment", sentences, "--encoder", "tfidf", "--resamples", "20")
    result = newsnest(*command, "--json")
    assert "fewer than 3 sentences: de" in result.stderr
    told = json.loads(result.stdout)
    assert told["too_few_sentences"] == ["de"]
    assert {s["language"] for s in told["scores"]} == {"fr"}
    assert all(s["pivot"] == "en" and s["sentences"] == 5 for s in told["scores"])
    words = newsnest(*command).stdout
    assert words.startswith("1 language with en, encoder tfidf\n")
    assert f"{told['scores'][-1]['relational']['value']:.3f} [" in words


def test_two_lines_of_pivot_and_field_options_reach_the_reader(newsnest, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text(SENTENCES.replace("key,", "pid,"))
    options = ("--field", "key=pid", "--pivot", "fr", "--encoder", "tfidf", "--json")
    told = json.loads(newsnest("evaluate", "alignment", path, *options).stdout)
    assert {(s["language"], s["pivot"]) for s in told["scores"]} == {("en", "fr")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pairs", "pairs.csv"), "is outside of the scale from 0 (different) to 1 (the same)"),
        (("pairs", "pairs.csv", "--scale", "4", "1", "--split", "x"), "Choose among eval, train"),
        (("pairs", "gone.csv"), "gone.csv must exist, got no such file. Check the path."),
        (("alignment", "pairs.csv"), "no sentence has a counterpart in en"),
        (("alignment", "pairs.csv", "--pivot", "eng"), "Did you mean 'en'?"),
        (("pairs", "pairs.csv", "--scale", "4", "1", "--dims", "999"), "dims must be prefixes"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(newsnest, pairs, monkeypatch, arguments, message):
    monkeypatch.chdir(pairs.parent)
    if arguments == ("alignment", "pairs.csv"):
        pairs.write_text("text1,text2,lang1,lang2\na,b,en,en\n")
    result = newsnest("evaluate", *arguments, "--encoder", "tfidf", "--quiet", status=1)
    (line,) = result.stderr.splitlines()
    assert message in line


def test_one_pair_of_languages_stands_there_once(newsnest, pairs):
    command = ("evaluate", "pairs", pairs, "--encoder", "tfidf", "--scale", "4", "1", "--quiet")
    command = (*command, "--resamples", "0", "--dims", "3")
    both = newsnest(*command).stdout.splitlines()[2:]
    assert [line.split()[0] for line in both] == ["all", "en-fr", "en-en"]
    pairs.write_text(PAIRS.replace(",fr,", ",en,"))
    (only,) = newsnest(*command).stdout.splitlines()[2:]
    assert only.split()[0] == "en-en"


def test_a_model_is_told_that_it_was_trained_on_the_pairs(newsnest, pairs, tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    sha256 = hashlib.sha256(pairs.read_bytes()).hexdigest()
    (model / "newsnest.json").write_text(json.dumps({"data": [{"sha256": sha256}]}))
    options = ("--encoder", model, "--scale", "4", "1", "--resamples", "0")
    told = "pairs.csv: the encoder was trained on this file"
    assert told in newsnest("evaluate", "pairs", pairs, *options).stderr
    assert told in newsnest("evaluate", "pairs", pairs, *options, "--split", "train").stderr
    assert told not in newsnest("evaluate", "pairs", pairs, *options, "--split", "eval").stderr


def test_a_file_that_is_not_there_is_told_in_words(newsnest):
    told = newsnest("evaluate", "pairs", "gone.csv", status=1).stderr
    assert "gone.csv must exist, got no such file. Check the path." in told


def test_columns_keep_a_space_between_them_however_long_a_value_is():
    rows = [["language", "n", "found"], ["a-language-of-length", "7", "-0.123 [-0.234, -0.012]"]]
    assert in_columns(rows, right={1}).splitlines() == [
        "language              n  found",
        "a-language-of-length  7  -0.123 [-0.234, -0.012]",
    ]


def test_negative_scores_do_not_run_into_the_next_column(newsnest, pairs):
    # The scale the wrong way round: all correlations change their sign, with their intervals.
    command = ("evaluate", "pairs", pairs, "--encoder", "tfidf", "--scale", "1", "4", "--quiet")
    lines = newsnest(*command, "--resamples", "50").stdout.splitlines()[1:]
    assert re.search(r"-0\.\d{3} \[-0\.\d{3}, -?0\.\d{3}\]", "".join(lines))
    assert not any("][" in line or re.search(r"\]\S", line) for line in lines)
