"""The script on stratified batches knows what to run, and forgets no row."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import stratified
from newsnest.labelled import read_query_items
from newsnest.train.recipes.pretrain import PretrainSettings
from stratified import PROFILES, RESET, SETS, Rows, jobs, make_files, start_model, told


@pytest.mark.parametrize("name", PROFILES)
def test_every_row_asks_for_settings_that_the_recipe_accepts(name: str, tmp_path: Path):
    found = list(jobs(name))
    assert len({(job.start, job.row) for job in found}) == len(found)
    assert len({job.digest(PROFILES[name]) for job in found}) == len(found)
    for job in found:
        start = PROFILES[name].late if job.changes.get("schedule") == "from" else 0
        PretrainSettings(
            data=("a.jsonl",), base="minilm", output=tmp_path, epochs=PROFILES[name].epochs,
            random_steps=start, **job.changes,
        )  # fmt: skip


@pytest.mark.parametrize("name", PROFILES)
def test_the_random_row_of_a_start_comes_before_those_compared_with_it(name: str):
    first = {}
    for job in jobs(name):
        first.setdefault(job.start, job.row)
    starts = ("reset",) if name in ("one", "twice") else ("reset", "minilm")
    assert first == dict.fromkeys(starts, "random")


def test_the_full_profile_has_every_k_by_everything_with_and_without_the_mask():
    rows = {job.row for job in jobs("full")}
    for by in ("query", "item", "pair"):
        for k in (5, 10, 20, 50, 512):
            assert {f"{by}, k={k}", f"{by}, k={k}, mask"} <= rows
    assert {j.changes.get("schedule") for j in jobs("small")} == {
        None, "from", "alternating", "growing"
    }  # fmt: skip
    assert {job.row for job in jobs("small")} <= rows


def test_rows_held_out_depend_on_their_text_and_are_on_one_side(tmp_path: Path):
    data, work = tmp_path / "data", tmp_path / "work"
    data.mkdir()
    for name, (query, item) in SETS.items():
        rows = [{query: f"q{i}", item: f"{name} {i}", "score": float(i % 2)} for i in range(60)]
        rows.append({query: "", item: "no query", "score": 1.0})
        with gzip.open(data / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    profile = replace(PROFILES["small"], pairs=10, test=4)
    files = make_files(data, work, profile)
    again = make_files(data, tmp_path / "other", profile)
    for file, other in zip(files, again, strict=True):
        assert file.read_text() == other.read_text()
        told = [json.loads(line) for line in file.read_text().splitlines()]
        assert [row["split"] for row in told].count("train") == 10
        assert len({row["text"] for row in told}) == len(told) == 16
        assert all(int(row["title"][1:]) % 2 for row in told)  # right answers alone
        task = read_query_items(file, split="test", fields={"query": "title", "item": "text"})
        assert len(task.documents) == 4


def test_the_upper_layers_alone_are_drawn_anew(tmp_path: Path, monkeypatch, tiny_model: Path):
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    before = {name: w + 0.5 for name, w in load_file(base / "model.safetensors").items()}
    save_file(before, base / "model.safetensors", metadata={"format": "pt"})
    monkeypatch.setattr(stratified, "TEACHER", str(base))
    monkeypatch.setattr(stratified, "RESET", (1,))
    one, two = (
        load_file(Path(start_model("reset", tmp_path / name)) / "model.safetensors")
        for name in "ab"
    )
    changed = {name for name in before if (before[name] != one[name]).any()}
    assert changed == {name for name in before if "layer.1." in name}
    assert all((one[name] == two[name]).all() for name in one)
    assert start_model("minilm", tmp_path) == str(base)


def test_rows_of_other_groups_and_profiles_stay(tmp_path: Path):
    path = tmp_path / "stratified.json"
    one, two = Rows(path, "small", "training"), Rows(path, "full", "hardness")
    one.keep("reset: random, seed 0", {"asked": "a"})
    two.keep("item", {"asked": "b"})
    assert one.row("reset: random, seed 0")["asked"] == "a" and one.row("another") == {}
    assert two.row("item")["asked"] == "b" and two.row("item")["date"]
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["machine"] and kept["profiles"]["full"]["batch_size"]
    assert str(RESET) in kept["starts"]["reset"] and not list(tmp_path.glob("*.partial"))


def test_means_come_with_intervals():
    found = told(np.array([0.0, 1.0, 1.0, 0.0]))
    assert found["value"] == 0.5 and found["low"] < 0.5 < found["high"]


def test_the_script_says_what_its_groups_are():
    assert stratified.__doc__ and "\nhardness  " in stratified.__doc__
    assert "\ntraining  " in stratified.__doc__
