"""What the machine lacks ends a command as one line with its cure, wherever it comes up."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from newsnest.cli import lacks
from newsnest.errors import EncoderError
from newsnest.nest import Nest


def raising(error: Exception, cause: Exception | None = None) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error from cause

    return fail


UNLOADED = ImportError("libtorch_cpu.so: failed to map segment from shared object")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (MemoryError(), None),
        (UNLOADED, None),
        (EncoderError("prepare: a model must be run by torch. Run: pip install torch"), UNLOADED),
        (EncoderError("prepare: n must be a model, got MemoryError"), MemoryError()),
    ],
)
def test_memory_that_is_used_up_is_one_line(newsnest, nest: Path, monkeypatch, error, cause):
    monkeypatch.setattr(Nest, "run", raising(error, cause))
    done = newsnest("show", nest, status=1)
    assert done.stderr.startswith("newsnest: not enough memory. Close other programs, raise the")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_errors_of_ours_with_another_cause_are_as_they_were(newsnest, nest: Path, monkeypatch):
    monkeypatch.setattr(Nest, "run", raising(EncoderError("no such model"), ImportError("no x")))
    assert newsnest("show", nest, status=1).stderr == "newsnest: no such model\n"


def test_a_limit_on_the_size_of_files_is_told():
    said = lacks.in_words(OSError(errno.EFBIG, "File too large", "news.tmp"))
    assert said.startswith("news.tmp cannot be written to or read: File too large. Raise the limit")


def test_too_low_a_limit_on_memory_is_told_before_the_work(newsnest, tmp_path: Path, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (900_000_000, -1))
    done = newsnest("cluster", tmp_path / "a.csv", "-o", tmp_path / "n", status=1)
    assert (
        "newsnest cluster must have 2 GB of memory at least, got a limit of 0.9 GB" in done.stderr
    )
