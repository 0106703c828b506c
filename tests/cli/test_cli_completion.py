"""The shell completes commands, recipes, encoders and nests."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import BashComplete, ZshComplete

from newsnest.cli.main import main


def completed(*words: str) -> list[tuple[str, str]]:
    """Return type and value of what is offered for the last word."""
    shell = BashComplete(main, {}, "newsnest", "_NEWSNEST_COMPLETE")
    return [(item.type, item.value) for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_commands_and_recipes_are_completed():
    assert ("plain", "cluster") in completed("")
    assert ("plain", "matryoshka") in completed("train", "")
    assert completed("train", "matr") == [("plain", "matryoshka")]
    assert completed("evaluate", "retr") == [("plain", "retrieval")]


def test_encoders_are_completed_by_name_and_then_as_folders():
    assert completed("cluster", "--encoder", "m") == [
        ("plain", "minilm"),
        ("plain", "multilingual"),
    ]
    assert completed("cluster", "--encoder", "models/x") == [("dir", "models/x")]
    assert completed("cluster", "--order", "fine") == [("plain", "fine-to-coarse")]


@pytest.mark.parametrize("command", ["show", "report", "export"])
def test_nests_are_completed_before_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "older").mkdir()
    for name in ("a.nest", "b.nest", "notes.txt", "older/c.nest"):
        (tmp_path / name).touch()
    assert completed(command, "") == [("plain", "a.nest"), ("plain", "b.nest")]
    assert completed(command, "old") == [("file", "old")]
    assert completed(command, "older/") == [("plain", "older/c.nest")]
    assert completed(command, "no") == [("file", "no")]
    assert completed(command, "nowhere/") == [("file", "nowhere/")]


def test_files_are_completed_where_articles_are_read():
    assert completed("cluster", "new") == [("file", "new")]
    assert completed("study", "st") == [("file", "st")]


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete])
def test_the_script_of_a_shell_names_the_command(shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))
    script = shell(main, {}, "newsnest", "_NEWSNEST_COMPLETE").source()
    assert "_NEWSNEST_COMPLETE" in script and "newsnest" in script


def test_formats_levels_and_bases_are_completed():
    assert completed("cluster", "--format", "js") == [("plain", "jsonl"), ("plain", "json")]
    assert completed("show", "--level", "t") == [("plain", "theme"), ("plain", "topic")]
    assert completed("evaluate", "clusters", "--level", "s") == [("plain", "story")]
    assert completed("train", "pairs", "--base", "mini") == [("plain", "minilm")]
    assert completed("train", "pairs", "--base", "models/x") == [("dir", "models/x")]


def test_nests_and_files_are_completed_wherever_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("a.nest").touch()
    for words in (["cluster", "x", "-o"], ["recut"], ["demo", "-o"]):
        assert completed(*words, "") == [("plain", "a.nest")]
    assert completed("clean", "new") == [("file", "new")]
