"""The ablation script knows what to run, and forgets no row."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import ablations
from ablations import PROFILES, Table, jobs, settings_of

GROUPS = ("parts", "held_out", "align")


@pytest.mark.parametrize("name", PROFILES)
def test_every_row_asks_for_settings_that_its_recipe_accepts(name: str, tmp_path: Path):
    profile = PROFILES[name]
    for group in GROUPS:
        found = list(jobs(group, tmp_path, profile))
        assert len({job.row for job in found}) == len({job.digest(profile) for job in found})
        for job in found:
            settings = settings_of(job, profile, "minilm", tmp_path / "model", 0)
            assert settings.data == job.data and settings.seed == 0


def test_no_row_trains_on_a_set_it_says_it_never_saw(tmp_path: Path):
    for group in GROUPS:
        for job in jobs(group, tmp_path, PROFILES["full"]):
            assert not [name for name in job.unseen if any(name in told for told in job.data)]


def test_a_row_is_asked_for_anew_where_anything_of_it_changes(tmp_path: Path):
    small = PROFILES["small"]
    _, after = jobs("align", tmp_path, small)
    assert after.digest(small) != after.digest(replace(small, epochs=9))
    assert after.digest(small) != replace(after, after=None).digest(small)
    assert after.digest(small) == replace(after, data=tuple(
        told.replace(str(tmp_path), "elsewhere") for told in after.data
    )).digest(small)  # fmt: skip


def test_rows_of_other_groups_and_profiles_stay(tmp_path: Path):
    path = tmp_path / "ablations.json"
    one, two = Table(path, "small", "parts"), Table(path, "full", "align")
    one.keep("base, seed 0", {"asked": "a"})
    two.keep("aligned, seed 0", {"asked": "b"})
    one.keep("base, seed 1", {"asked": "c"})
    assert one.row("base, seed 0")["asked"] == "a" and one.row("paper, seed 0") == {}
    assert two.row("aligned, seed 0")["asked"] == "b" and two.row("aligned, seed 0")["date"]
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["machine"] and told["profiles"]["small"]["batch_size"]
    assert not list(tmp_path.glob("*.partial"))


def test_the_script_says_what_its_rows_are():
    assert set(GROUPS) == {w.split()[0] for w in (ablations.__doc__ or "").splitlines()
                           if w.startswith(GROUPS)}  # fmt: skip
