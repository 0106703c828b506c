"""The recipe `align`: from parallel sentences to a model that kept what it knew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

import newsnest
from newsnest.embed import ModelRecord
from newsnest.errors import InputError, ParameterError
from newsnest.labelled import (
    ParallelReading,
    Splitting,
    leaking_pairs,
    parse_data,
    read_translations,
)
from newsnest.progress import SILENT
from newsnest.train.recipes.align import ALIGN, AlignSettings
from newsnest.train.settings import setting_fields, written

KNOWN = ("sea", "wall", "breached", "town", "rates", "held", "bank", "raises", "cut", "storm")
FOREIGN = ("resigns", "police", "arrest", "three", "raid", "team", "wins", "cup", "final", "ends")
IN_FOREIGN = dict(zip(KNOWN, FOREIGN, strict=True))


def sentence(number: int) -> str:
    rng = np.random.default_rng(number)
    return " ".join(rng.choice(KNOWN, 4, replace=False).tolist())


def foreign(text: str) -> str:
    """A language the base does not know, word for word."""
    return " ".join(IN_FOREIGN[word] for word in text.split())


def parallel_rows(count: int = 48, split: str = "") -> list[dict[str, object]]:
    more = {"split": split} if split else {}
    return [
        {"pid": number, "lang": lang, "text": say(sentence(number)), **more}
        for number in range(count)
        for lang, say in (("en", str), ("qq", foreign), ("zz", str.upper))
    ]


@pytest.fixture
def parallel_file(write_rows) -> Path:
    return write_rows("parallel.jsonl", parallel_rows())


@pytest.fixture
def chosen(tiny_model: Path, parallel_file: Path, tmp_path: Path) -> Callable[..., AlignSettings]:
    def make(**changes) -> AlignSettings:
        usual = {
            "data": (f"{parallel_file},key=pid",),
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "save": "trained",
            "device": "cpu",
            "precision": "float32",
            "learning_rate": 3e-3,
            "epochs": 12,
            "batch_size": 16,
            "evaluations": 1,
            "patience": 20,
            "validation": 0.25,
        }
        return AlignSettings(**{**usual, **changes})

    return make


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def moved(first: Path, second: Path) -> float:
    one, two = weights(first), weights(second)
    return max((one[k] - two[k]).abs().max().item() for k in one)


def test_a_language_is_learnt_and_the_known_one_kept(chosen, tmp_path: Path, tally):
    folder = ALIGN.run(chosen(languages=("qq",), epochs=20, original=3.0), progress=tally)
    kept = ModelRecord.read(folder).as_dict()
    scores = kept["validation"]
    assert scores["after"]["transfer"] > scores["before"]["transfer"]
    assert scores["before"]["kept"] == pytest.approx(1.0, abs=1e-5)
    assert scores["after"]["kept"] > 0.8
    assert kept["recipe"] == "align" and "levels" not in kept
    assert kept["chosen"]["languages"] == ["qq"] and kept["chosen"]["pivot"] == "en"
    assert kept["data"][0]["kind"] == "parallel" and kept["data"][0]["digest"]
    assert kept["preflight"]["gradient"] > 0
    page = (folder / "README.md").read_text()
    assert "newsnest train align" in page and "reimers2020" in page
    said = "\n".join(tally.notes)
    assert "translations to train on" in said and "validation transfer" in said
    assert SentenceTransformer(str(folder), device="cpu").encode(["rates held"]).shape == (1, 32)
    assert ALIGN.run(chosen(languages=("qq",), epochs=20, original=3.0), progress=tally) == folder
    assert "has ended already" in tally.notes[-1]


def test_levels_of_the_base_are_kept_without_their_similarities(chosen, settings, tmp_path: Path):
    from newsnest.train.recipes.matryoshka import MATRYOSHKA

    base = MATRYOSHKA.run(settings(output=tmp_path / "nested"), progress=SILENT)
    folder = ALIGN.run(chosen(base=str(base), epochs=1), progress=SILENT)
    assert [level["dims"] for level in ModelRecord.read(folder).as_dict()["levels"]] == [8, 16, 32]


@pytest.mark.parametrize(
    "changes",
    [{"lora": 4}, {"mini_batch_size": 8, "contrastive": 0.1}, {"average": 0.5, "original": 0.0}],
    ids=lambda changes: "+".join(changes),
)
def test_every_way_trains_and_saves_a_model_of_the_same_make(chosen, tiny_model: Path, changes):
    folder = ALIGN.run(chosen(epochs=1, **changes), progress=SILENT)
    assert moved(folder, tiny_model) > 1e-5


def read(*told: str, **options):
    files = parse_data(told, ParallelReading())
    return read_translations(files, Splitting(share=options.pop("share", 0.25), **options))


def test_no_sentence_is_on_both_sides_in_any_language(parallel_file: Path):
    data = read(f"{parallel_file},key=pid")
    assert data.train and data.validation
    assert not leaking_pairs(data.train, data.validation, together="article")
    assert {p.lang1 for p in data.train} == {"qq", "zz"} and data.train[0].lang2 == "en"


def test_splits_are_honoured_and_what_is_held_out_in_one_file_is_trained_on_in_none(write_rows):
    rows = [
        {**row, "split": ("train", "train", "dev", "test")[int(row["pid"]) % 4]}
        for row in parallel_rows(24)
    ]
    one = write_rows("one.jsonl", rows)
    two = write_rows("two.jsonl", parallel_rows(24))
    data = read(f"{one},key=pid,languages=qq")
    assert len(data.train) == 12 and len(data.validation) == 6
    assert data.sources[0]["held_out"] == 6
    both = read(f"{one},key=pid", f"{two},key=pid")
    held = {sentence(n) for n in range(24) if n % 4 >= 2}
    assert not held & {p.text2 for p in both.train} and both.leaking


def test_rows_of_two_sentences_can_be_read_as_translations_of_each_of_them(write_rows):
    rows = [
        {"pair": n, "text1": say(sentence(n)), "text2": "x", "lang1": lang, "lang2": lang}
        for n in range(20)
        for lang, say in (("en", str), ("qq", foreign))
    ]
    path = write_rows("sts.jsonl", rows)
    data = read(f"{path},key=pair,text=text1,lang=lang1")
    assert {p.text2 for p in data.train} <= {sentence(n) for n in range(20)}
    assert data.sources[0]["fields"] == {"key": "pair", "text": "text1", "lang": "lang1"}


def test_a_language_may_lack_where_nothing_is_trained_on(write_rows):
    rows = [
        {**row, "split": "test" if int(row["pid"]) % 4 == 0 else "train"}
        for row in parallel_rows(24)
    ]
    kept = [row for row in rows if row["lang"] != "zz" or row["split"] == "train"]
    data = read(f"{write_rows('p.jsonl', kept)},key=pid,languages=qq:zz")
    assert {pair.lang1 for pair in data.train} == {"qq", "zz"}


def test_one_sentence_cannot_be_split(write_rows):
    with pytest.raises(InputError, match=r"of 2 pairs some must be split off"):
        read(f"{write_rows('p.jsonl', parallel_rows(1))},key=pid")


def test_most_counts_each_language_alone(parallel_file: Path):
    data = read(f"{parallel_file},key=pid,max_pairs=10")
    counts = [
        sum(p.lang1 == lang for p in (*data.train, *data.validation)) for lang in ("qq", "zz")
    ]
    assert counts == [10, 10]
    assert read(f"{parallel_file},key=pid,max_pairs=10") == data
    assert read(f"{parallel_file},key=pid,max_pairs=10", seed=1).train != data.train


def test_validation_takes_as_much_of_every_language(parallel_file: Path, write_rows):
    large = write_rows("large.jsonl", [r for r in parallel_rows(200) if r["lang"] != "zz"])
    data = read(f"{parallel_file},key=pid,languages=zz", f"{large},key=pid", max_validation=10)
    assert Counter(p.lang1 for p in data.validation) == {"zz": 5, "qq": 5}


def test_what_cannot_be_learnt_from_is_told(parallel_file: Path, write_rows, chosen):
    with pytest.raises(InputError, match=r'no sentence is in "qqq"\.* Did you mean .qq'):
        read(f"{parallel_file},key=pid,languages=qqq")
    with pytest.raises(ParameterError, match="got 'language'. Did you mean 'languages'"):
        read(f"{parallel_file},language=qq")
    with pytest.raises(InputError, match="none.jsonl: must be a file to train on, got none"):
        read("none.jsonl")
    held = write_rows("held.jsonl", parallel_rows(6, "test"))
    with pytest.raises(InputError, match='no sentence has the split "train" or none'):
        read(f"{held},key=pid")
    rows = [{**r, "split": s} for s in ("train", "test") for r in parallel_rows(6)]
    both = write_rows("both.jsonl", rows)
    with pytest.raises(InputError, match="no pair to train on is left of 12 read"):
        read(f"{both},key=pid", share=0.4)
    with pytest.raises(InputError, match="must be 3 translations to validate on, got 2"):
        ALIGN.run(chosen(data=(f"{write_rows('few.jsonl', parallel_rows(4))},key=pid",)))


CODE = """
import sys, torch
torch.set_num_threads(1)
from newsnest.cli.main import main
main(sys.argv[1:])
"""


def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_been(chosen, tmp_path: Path, tally):
    asked = chosen(output=tmp_path / "killed", epochs=16)
    command = [sys.executable, "-c", CODE, "train", "align", "--base", asked.base]
    command += ["--data", asked.data[0], "-o", str(asked.output)]
    command += [
        f"--set={own.name}={written(getattr(asked, own.name))}"
        for own in setting_fields(AlignSettings)
    ]
    source = str(Path(newsnest.__file__).parent.parent)
    checkpoints = tmp_path / "killed.checkpoints"
    with (tmp_path / "log").open("w") as log:
        environment = {**os.environ, "PYTHONPATH": source}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not asked.output.exists()

    assert ALIGN.run(asked, progress=tally) == asked.output and not checkpoints.exists()
    assert any(note.startswith("resuming from checkpoint-") for note in tally.notes)
    whole = ALIGN.run(replace(asked, output=tmp_path / "whole"), progress=SILENT)
    assert moved(asked.output, whole) < 1e-6
