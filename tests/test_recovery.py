"""Killed at any moment, the same command goes on and ends with the same result."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import invented
import newsnest
from newsnest.nest import Nest, export

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])}
COMMAND = (sys.executable, "-m", "newsnest", "cluster")


def cluster(corpus: Path, nest: Path, encoder: str) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        [*COMMAND, str(corpus), "-o", str(nest), "--encoder", encoder],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
    )


def kill_after(corpus: Path, nest: Path, encoder: str, *, seconds: float, writes: int) -> bool:
    """Run and kill -9 after some time, or after the nest was written to so often.

    Returns whether the command was still running.
    """
    process = subprocess.Popen(
        [*COMMAND, str(corpus), "-o", str(nest), "--encoder", encoder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    log = nest.with_name(f"{nest.name}-wal")
    end, seen, size = time.monotonic() + seconds, 0, -1
    while process.poll() is None and time.monotonic() < end and seen < writes:
        now = log.stat().st_size if log.exists() else -1
        seen += now != size
        size = now
        time.sleep(0.0005)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def check(nest: Path) -> None:
    """Look at a copy, so that the killed nest itself stays as it was left."""
    if not nest.exists():
        return
    for ending in ("", "-wal", "-shm"):
        part = nest.with_name(nest.name + ending)
        if part.exists():
            shutil.copy(part, nest.with_name(f"copy{ending}"))
    connection = sqlite3.connect(nest.with_name("copy"))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    for ending in ("", "-wal", "-shm"):
        nest.with_name(f"copy{ending}").unlink(missing_ok=True)


def labels_of(nest: Path) -> bytes:
    with Nest(nest) as opened:
        export(opened, nest.with_suffix(".jsonl"))
    return nest.with_suffix(".jsonl").read_bytes()


def kill_and_finish(folder: Path, corpus: Path, encoder: str, kills: int, seed: int) -> int:
    """Kill a run so many times, finish it, and return how many kills met it at work."""
    whole, broken = folder / "whole.nest", folder / "broken.nest"
    began = time.monotonic()
    done = cluster(corpus, whole, encoder)
    assert done.returncode == 0, done.stderr
    usual = time.monotonic() - began
    rng = random.Random(seed)
    met = 0
    for number in range(kills):
        writes = rng.randint(1, 12) if number % 2 else 10**9
        met += kill_after(corpus, broken, encoder, seconds=rng.uniform(0, usual), writes=writes)
        check(broken)
    done = cluster(corpus, broken, encoder)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    with Nest(broken) as nest, Nest(whole) as other:
        assert [run.finished for run in nest.runs()] == [True]
        assert nest.run().versions == other.run().versions  # nobody changed the code meanwhile
    assert labels_of(broken) == labels_of(whole)
    return met


def test_a_killed_run_is_finished_by_the_same_command(tmp_path: Path):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=60, each=5))
    assert kill_and_finish(tmp_path, corpus, "tfidf", kills=6, seed=1) >= 1


def test_a_run_killed_while_encoding_goes_on_from_the_vectors_it_has(
    tmp_path: Path, tiny_model: Path
):
    # Two chunks, 2,048 texts and the rest, go into the nest one after the other.
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=550, each=4))
    assert kill_and_finish(tmp_path, corpus, str(tiny_model), kills=2, seed=2) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_very_often_is_finished_all_the_same(
    tmp_path: Path, tiny_model: Path, seed: int
):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=1600, each=4))
    kill_and_finish(tmp_path, corpus, str(tiny_model), kills=25, seed=seed)


def test_two_programs_that_write_the_same_nest_end_with_one_result(tmp_path: Path):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=60, each=5))
    other = invented.write(tmp_path / "other.jsonl", invented.articles(stories=20, seed=9))
    nest = tmp_path / "n.nest"
    running = [
        subprocess.Popen(
            [*COMMAND, str(path), "-o", str(nest), "--encoder", "tfidf"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        for path in (corpus, corpus, other)
    ]
    for process in running:
        _, said = process.communicate(timeout=300)
        assert "Traceback" not in said
        if process.returncode:  # one may have to wait too long
            assert process.returncode == 1
            assert said.splitlines()[-1].startswith("newsnest: ")
            assert "Another program is writing" in said
    check(nest)
    alone = tmp_path / "alone.nest"
    for path in (corpus, other):
        cluster(path, alone, "tfidf")
    with Nest(nest) as both, Nest(alone) as one:
        assert sorted(run.facts["articles"] for run in both.runs()) == [80 + 3, 300 + 3]
        assert all(run.finished for run in both.runs())
        for run in both.runs():
            (same,) = [r for r in one.runs() if r.facts["articles"] == run.facts["articles"]]
            export(both, tmp_path / "a.jsonl", run=run)
            export(one, tmp_path / "b.jsonl", run=same)
            assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
