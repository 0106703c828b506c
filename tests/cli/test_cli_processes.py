"""What only shows where the command is a process of its own."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import invented
import newsnest

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])}
NEWSNEST = (sys.executable, "-m", "newsnest")


def run(*words: str | Path, **options) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "env": ENVIRONMENT, "timeout": 120} | options
    return subprocess.run([*NEWSNEST, *map(str, words)], **options)


def test_a_quiet_run_keeps_results_and_nothing_else(corpus: Path, tmp_path: Path, tiny_model: Path):
    nest = tmp_path / "n"
    done = run("cluster", corpus, "-o", nest, "--encoder", tiny_model, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{nest}: run 1, 51 articles")


def test_an_error_is_one_line_and_never_a_traceback(corpus: Path):
    done = run("show", corpus)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"newsnest: {corpus} is not a nest, and is left as it is. Make one of it: newsnest "
        f"cluster {corpus} -o {corpus.stem}.nest\n"
    )


@pytest.mark.parametrize(
    "options", [[], ["--json"], ["--level", "story"]], ids=["tree", "json", "level"]
)
def test_a_reader_that_leaves_early_hears_no_complaint(nest: Path, options: list[str]):
    # The pipe holds less than the command says, and its reader takes one line.
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [*NEWSNEST, "show", str(nest), *options],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    os.close(writing)
    os.close(reading)
    _, said = process.communicate(timeout=60)
    assert said == ""
    assert process.returncode in (0, 141)


def test_show_into_head_prints_what_head_takes(nest: Path):
    head = shutil.which("head")
    if head is None:
        pytest.skip("there is no head")
    line = f'"{sys.executable}" -m newsnest show "{nest}" --json | "{head}" -n 2'
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.stdout, done.stderr) == ("[\n {\n", "")


def test_a_terminal_gets_bars(corpus: Path, tmp_path: Path):
    ours, theirs = pty.openpty()
    words = ["cluster", str(corpus), "-o", str(tmp_path / "n"), "--encoder", "tfidf"]
    process = subprocess.Popen(
        [*NEWSNEST, *words],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=ENVIRONMENT | {"TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # how Linux says that the other side is gone
        pass
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert b"51 articles" in out
    assert b"\x1b[" not in out
    assert b"100%" in said
    assert b"share a story with another" in said
    assert b"Traceback" not in said


def test_an_interrupted_command_says_that_it_can_go_on(tmp_path: Path, tiny_model: Path):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=1000, each=4))
    nest = tmp_path / "n.nest"
    words = [*NEWSNEST, "cluster", str(corpus), "-o", str(nest), "--encoder", str(tiny_model)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "to encode" in line)  # the run has begun
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert "vectors from the cache" in line
    assert process.returncode == 130
    assert rest.strip().splitlines()[-1] == (
        f"newsnest: interrupted. Completed steps are kept in {nest}: run the same command to "
        "continue."
    )
    assert f"Run 1 of {nest} is not finished: it was interrupted." in run("show", nest).stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_not_utf_8_can_be_read(corpus: Path, tmp_path: Path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    shutil.copy(corpus, name)
    command = [*NEWSNEST, "cluster", name, "-o", os.fsencode(tmp_path) + b"/\xe9.nest"]
    done = subprocess.run([*command, "--encoder", "tfidf"], capture_output=True, env=ENVIRONMENT)
    assert b"Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0
    assert b"51 articles" in done.stdout


def test_a_terminal_that_knows_ascii_alone_gets_something(nest: Path, corpus: Path, tmp_path: Path):
    ascii_only = ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = run("show", nest, env=ascii_only)
    assert (done.returncode, done.stderr) == (0, "")
    assert "independent" in done.stdout
