"""`newsnest clean`, and `newsnest cluster --profile`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROFILE = """
[[drop]]
rule = "declined"
column = "status"
values = ["declined"]
[[replace]]
rule = "codes"
in = ["title"]
pattern = '''\\bX\\d+ '''
by = ""
"""
WORDS = ("sea wall breached", "rates held by bank", "cup final won", "storm hits coast")


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(PROFILE)
    return path


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.jsonl"
    rows = [{"id": str(i), "title": f"X{i} {words} today"} for i, words in enumerate(WORDS * 3)]
    rows[1]["status"] = "declined"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{}\n")
    return path


def test_clean_says_what_it_does_and_writes_when_told(newsnest, profile, news, tmp_path):
    dry = newsnest("clean", news, "--profile", profile, "--examples", "1").stdout
    assert dry.startswith(
        "ours: 13 rows, 11 kept (11 of them changed), 1 dropped, 1 not articles\n"
    )
    assert "declined: 1 dropped, 11 without its columns\n" in dry
    assert "\n  1: “X1 rates held by bank today” dropped, status is" in dry
    assert "codes: 11 changed\n  0: “X0 sea wall breached today” → “sea wall breached today”" in dry
    assert dry.endswith("Nothing was written. Write the result with -o FILE.jsonl.\n")
    out = tmp_path / "clean.jsonl"
    told = newsnest("clean", news, "--profile", profile, "-o", out, "--json").stdout
    assert json.loads(told)["kept"] == len(out.read_text().splitlines()) == 11
    assert newsnest("clean", news, "--profile", profile, "-o", out).stdout.endswith("11 rows\n")
    assert (
        "Did you mean 'generic'?"
        in newsnest("clean", news, "--profile", "generik", status=1).stderr
    )


def test_clean_takes_standard_input(newsnest, profile, news):
    told = newsnest("clean", "-", "--profile", profile, "--json", stdin=news.read_bytes())
    assert json.loads(told.stdout)["kept"] == 11


def test_cluster_cleans_keeps_what_it_drops_and_is_another_run(newsnest, profile, news, tmp_path):
    nest = tmp_path / "a.nest"
    command = ("cluster", news, "-o", nest, "--encoder", "tfidf", "--profile", profile)
    said = newsnest(*command)
    assert "11 articles" in said.stdout and "2 rows set aside" in said.stdout
    assert "11 articles were changed by the profile ours" in said.stderr
    assert "nothing to do" in newsnest(*command).stdout
    assert "dropped by rule 'declined'" in newsnest("show", nest, "--rejected").stdout
    newsnest("export", nest, "-o", tmp_path / "a.csv")
    assert "X0" not in (tmp_path / "a.csv").read_text()
    profile.write_text(PROFILE.replace('by = ""', 'by = "-"'))
    assert "run 2" in newsnest(*command).stdout
    assert "profile ours " in newsnest("show", nest, "--runs").stdout


def test_clean_shows_what_outlets_repeat_and_leaves_it(newsnest, profile, tmp_path):
    path, out = tmp_path / "gull.jsonl", tmp_path / "clean.jsonl"
    towns = [f"{a}{b}" for a in ("Bre", "Cal", "Die", "Nan") for b in ("st", "ais", "ppe", "tes")]
    rows = [
        {"id": town, "title": f"{town} {town}a", "text": f"{town}b. Read on...", "source": "Gull"}
        for town in towns
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = newsnest("clean", path, "--profile", profile, "-o", out).stdout
    assert "disregards what outlets repeat, in 16 texts:\n  Gull: “Read on...”, 16\n" in said
    assert out.read_text().count("Read on...") == 16
    told = json.loads(newsnest("clean", path, "--profile", profile, "--json").stdout)
    assert told["boilerplate"]["texts"] == 16
    assert told["boilerplate"]["patterns"][0]["text"] == "Read on..."


def test_links_out_of_a_directory_are_cleaned_only_if_asked(newsnest, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("Ferry strike ends after a week of talks")
    (tmp_path / "out.txt").write_text("Another text that lies outside of it")
    (folder / "link.txt").symlink_to(tmp_path / "out.txt")
    alone = newsnest("clean", folder, "--profile", "generic")
    assert "generic: 1 row, 1 kept" in alone.stdout
    assert "1 link out of the directory was not followed (--follow-links does)" in alone.stderr
    both = newsnest("clean", folder, "--profile", "generic", "--follow-links")
    assert "generic: 2 rows, 2 kept" in both.stdout
