"""Files appear whole or not at all, and what a kill leaves is removed by the next call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import newsnest
from newsnest import drafts
from newsnest.corpus import spool_stdin
from newsnest.drafts import discard, drafted, replacing, temporary
from newsnest.errors import InputError

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def writer(folder: Path, code: str) -> subprocess.Popen[str]:
    """Start a process that runs code in a folder, says so, and waits."""
    code = f"from pathlib import Path\nfrom newsnest.drafts import *\n{code}"
    environment = ENVIRONMENT | {"TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def test_a_file_takes_its_name_when_it_is_complete(tmp_path: Path):
    with drafted(tmp_path / "a.csv") as draft:
        draft.write_text("new")
        assert names(tmp_path) == [draft.name]
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "new"


def test_a_folder_takes_its_name_when_it_is_complete(tmp_path: Path):
    with drafted(tmp_path / "model", folder=True) as draft:
        (draft / "weights").write_text("new")
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["weights"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path, folder: bool):
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), drafted(tmp_path / "a", folder=folder) as draft:
        if folder:
            (draft / "weights").touch()
        raise KeyboardInterrupt
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path):
    with (
        pytest.raises(InputError, match=r"export: path must be a file that can be written, got"),
        replacing(tmp_path / "none" / "a.csv", "export"),
    ):
        pass
    full = OSError(28, "No space left on device")
    with (
        pytest.raises(InputError, match=r"a\.csv \(No space left on device\)\. Check the"),
        replacing(tmp_path / "a.csv", "export"),
    ):
        raise full
    assert not names(tmp_path)


def test_the_file_has_the_permissions_of_any_other(tmp_path: Path):
    (tmp_path / "usual").touch()
    with drafted(tmp_path / "a"):
        pass
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
@pytest.mark.parametrize("folder", [False, True])
def test_what_a_kill_left_goes_with_the_next_draft_and_what_is_being_written_stays(
    tmp_path: Path, folder: bool
):
    code = (
        f"with drafted(Path('theirs'), folder={folder}) as draft:\n"
        " print('ready', flush=True)\n import time; time.sleep(600)"
    )
    process = writer(tmp_path, code)
    try:
        (left,) = names(tmp_path)
        with drafted(tmp_path / "ours"):
            pass
        assert names(tmp_path) == [left, "ours"]
    finally:
        kill(process)
    assert names(tmp_path) == [left, "ours"]
    with drafted(tmp_path / "ours"):
        pass
    assert names(tmp_path) == ["ours"]


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
def test_only_names_of_ours_are_removed(tmp_path: Path):
    others = ["a.draft", ".newsnest-x", "newsnest-1.parquet", ".newsnest-y.draft"]
    for name in others[:3]:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / others[3])  # opening it must not wait for a writer
    with drafted(tmp_path / "b"):
        pass
    assert names(tmp_path) == sorted([*others[:3], "b"])


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
def test_a_spool_of_a_killed_process_goes_with_the_next_one(tmp_path: Path, monkeypatch):
    code = "temporary('.stdin'); print('ready', flush=True); import time; time.sleep(600)"
    process = writer(tmp_path, code)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (left,) = names(tmp_path)
    ours = temporary(".stdin")
    assert names(tmp_path) == sorted([left, ours.name])
    kill(process)
    discard(ours)
    ours = temporary(".stdin")
    assert names(tmp_path) == [ours.name]
    discard(ours)
    assert not names(tmp_path)


def test_a_file_that_the_caller_deleted_is_not_held_for_ever(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    temporary(".stdin").unlink()
    ours = temporary(".stdin")
    assert list(drafts._held) == [ours]
    discard(ours)
    assert not drafts._held


def test_a_disk_without_locks_is_written_to_and_nothing_is_removed(tmp_path: Path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    (tmp_path / ".newsnest-1.draft").touch()
    with drafted(tmp_path / "a"):
        pass
    assert names(tmp_path) == [".newsnest-1.draft", "a"]


def test_what_keeps_standard_input_from_being_copied_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch
):
    class Source:
        def __init__(self) -> None:
            self.chunks = [b"{", b"}"]

        def read(self, size: int) -> bytes:
            if len(self.chunks) == 1:
                raise OSError(5, "Input/output error")
            return self.chunks.pop()

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match="standard input must be readable, got Input/output error"):
        spool_stdin(Source())  # type: ignore[arg-type]
    assert not names(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"- must fit into the temporary folder, .* set TMPDIR"):
        spool_stdin(Source())  # type: ignore[arg-type]


def test_standard_input_that_is_closed_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input must be open, got none. Pipe a file"):
        spool_stdin()
