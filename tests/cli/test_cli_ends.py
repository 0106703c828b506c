"""However a command ends, it ends in one line and a status that shells know."""

from __future__ import annotations

import gzip
import io
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from test_cli_processes import ENVIRONMENT, NEWSNEST, run

import invented
from newsnest.cli import lacks, terminal
from newsnest.errors import EncoderError, NewsnestError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and devices of Linux")
NO_SPACE = (
    "newsnest: standard output cannot be written to or read: No space left on device. Free space "
    "on the disk, or choose another place; temporary files go to TMPDIR.\n"
)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["show", "--help"],
        ["show", "NEST"],
        ["show", "NEST", "--json"],
        ["show", "NEST", "--level", "story"],
        ["export", "NEST", "-o", "OUT/a.csv"],
        ["report", "NEST", "-o", "OUT/a.html"],
    ],
    ids=" ".join,
)
def test_a_full_output_is_one_line(nest: Path, tmp_path: Path, words: list[str]):
    words = [word.replace("NEST", str(nest)).replace("OUT", str(tmp_path)) for word in words]
    with Path("/dev/full").open("w") as full:
        done = run(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, NO_SPACE)


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def small_files() -> None:
    """Let no file grow beyond 4 KB, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("piped", [True, False])
def test_a_full_temporary_folder_is_one_line_and_no_copy_stays(tmp_path: Path, piped: bool):
    folder = tmp_path / "tmp"
    folder.mkdir()
    content = io.BytesIO()
    titles = pa.array([os.urandom(50).hex() for _ in range(1000)])
    parquet.write_table(pa.table({"title": titles}), content)
    packed = tmp_path / "a.parquet.gz"
    packed.write_bytes(gzip.compress(content.getvalue()))
    words = ("clean", "-" if piped else packed, "--profile", "generic")
    env = ENVIRONMENT | {"TMPDIR": str(folder)}
    with packed.open("rb") as stdin:
        done = run(*words, stdin=stdin, env=env, preexec_fn=small_files)
    assert (done.returncode, done.stdout) == (1, "")
    name = "-" if piped else packed
    assert done.stderr.splitlines()[-1] == (
        f"newsnest: {name} must fit into the temporary folder, {folder}, got: File too large. Free "
        "space there, or set TMPDIR to another folder."
    )
    assert not list(folder.iterdir())


def test_standard_input_that_is_closed_is_one_line(tmp_path: Path):
    line = f'"{sys.executable}" -m newsnest cluster - -o "{tmp_path}/n" --encoder tfidf <&-'
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (
        1,
        "newsnest: standard input must be open, got none. Pipe a file into it.\n",
    )


@pytest.mark.parametrize(
    ("number", "word", "status"),
    [
        (signal.SIGINT, "interrupted", 130),
        (signal.SIGTERM, "terminated", 143),
        (signal.SIGHUP, "terminated", 129),
    ],
)
def test_a_signal_ends_a_run_in_one_line_that_says_what_is_kept(
    tmp_path: Path, tiny_model: Path, number: int, word: str, status: int
):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=1000, each=4))
    nest, folder = tmp_path / "n.nest", tmp_path / "tmp"
    folder.mkdir()
    with corpus.open("rb") as stdin:
        process = subprocess.Popen(
            [*NEWSNEST, "cluster", "-", "-o", str(nest), "--encoder", str(tiny_model)],
            stdin=stdin,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT | {"TMPDIR": str(folder)},
        )
    assert process.stderr is not None
    next(line for line in process.stderr if "to encode" in line)
    assert [path.suffix for path in folder.iterdir()] == [".stdin"]
    process.send_signal(number)
    rest = process.stderr.read()
    assert process.wait(timeout=60) == status
    process.stderr.close()
    assert rest.strip().splitlines()[-1] == (
        f"newsnest: {word}. Completed steps are kept in {nest}: run the same command to continue."
    )
    assert "Traceback" not in rest
    assert not list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", [0.05, 0.1, 0.3, 1.0])
def test_a_signal_at_any_moment_leaves_no_traceback(tmp_path: Path, number: int, wait: float):
    corpus = invented.write(tmp_path / "news.jsonl", invented.articles(stories=4000, each=4))
    # From within, for before that Python itself is at work.
    code = (
        "import os, threading; from newsnest.__main__ import main; "
        f"threading.Timer({wait}, os.kill, (os.getpid(), {int(number)})).start(); main()"
    )
    words = ["clean", str(corpus), "--profile", "generic", "-o", str(tmp_path / "o.jsonl")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert "Traceback" not in done.stderr
    # The last: before our handler was there.
    assert done.returncode in (128 + number, -number, 1)
    assert done.returncode != 1 or "Aborted!" in done.stderr
    assert not list(tmp_path.glob(".newsnest-*"))


def test_nohup_keeps_a_command_alive(nest: Path):
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    code = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    inside = f"from newsnest.cli.stopping import like_ctrl_c\nwith like_ctrl_c(): exec({code!r})"
    done = subprocess.run(
        [sys.executable, "-c", inside],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=ignore,
    )
    assert done.stdout == "True\n"


def test_too_little_memory_to_begin_is_one_line(corpus: Path, tmp_path: Path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))

    done = run("cluster", corpus, "-o", tmp_path / "n", "--encoder", "tfidf", preexec_fn=limit)
    assert (done.returncode, done.stderr) == (
        1,
        "newsnest: newsnest cluster must have 2.5 GB of memory at least, got a limit of 0.6 GB. "
        "Raise it (ulimit -v).\n",
    )


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        OSError("Could not find/load shared object file 'libllvmlite.so'"),
        _caused(EncoderError("load_encoder: torch must be there. Install it."), MemoryError()),
    ],
    ids=repr,
)
def test_too_little_memory_on_the_way_is_one_line(newsnest, nest: Path, monkeypatch, error):
    def fail(*_: object, **__: object) -> None:
        raise error from error.__cause__

    monkeypatch.setattr("newsnest.cli.show.print_tree", fail)
    done = newsnest("show", nest, status=1)
    assert done.stderr == (
        "newsnest: not enough memory. Close other programs, raise the limit (ulimit -v), or read "
        "fewer articles at once; --encoder tfidf needs least.\n"
    )


def test_what_is_no_lack_of_the_machine_is_not_taken_for_one(monkeypatch):
    assert lacks.in_words(OSError(2, "No such file or directory")) == ""
    assert lacks.in_words(RuntimeError("a bug")) == ""
    full = OSError(28, "No space left on device", "/tmp/a")
    assert lacks.in_words(full).startswith("/tmp/a cannot be written to or read: No space left on")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5, 5))
    with pytest.raises(NewsnestError, match="newsnest train must have 2.5 GB of memory at least"):
        lacks.check_limit("train")
    lacks.check_limit("show")


def test_names_that_act_on_a_terminal_reach_none(corpus: Path, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("\x1b[31mred.txt", "two\nlines.txt", "cod\u202exslx.txt"):
        (folder / name).write_text("")
    (folder / "\x1b[2J.odd").touch()
    (folder / "good.jsonl").write_bytes(corpus.read_bytes())
    nest = tmp_path / "\x1b[32mgreen.nest"
    done = run("cluster", folder, "-o", nest, "--encoder", "tfidf")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr + run("show", nest, "--rejected").stdout
    assert not {"\x1b", "\u202e"} & set(said)
    # click takes colours out of what it prints to no terminal.
    for shown in (r"\x1b[31mred.txt", r"two\x0alines.txt", r"cod\u202exslx.txt"):
        assert shown in said
    missing = run("show", tmp_path / "\x1b[31mnone.nest")
    assert missing.returncode == 1 and "\x1b" not in missing.stderr
    usage = run("show", "--\x1b[31m", nest)
    assert usage.returncode == 2 and "\x1b" not in usage.stderr


def test_the_guard_names_the_stream_that_fails():
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    guarded = terminal._Guarded(Full(), "standard output")
    with pytest.raises(OSError, match="No space left") as error:
        guarded.flush()
    assert error.value.filename == "standard output"
