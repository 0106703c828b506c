from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import newsnest
from newsnest.cli.reference import WIDTH, commands, reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_says_what_help_says():
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "docs/reference/cli.md is stale. Run: make docs"
    )


def test_the_page_has_every_command():
    named = [context.command_path for context in commands()]
    assert named[0] == "newsnest"
    assert {"newsnest cluster", "newsnest show", "newsnest evaluate clusters"} <= set(named)
    assert [line[3:] for line in reference().splitlines() if line.startswith("## ")] == named


def test_the_page_does_not_depend_on_the_terminal():
    for columns in ("40", "200"):
        done = subprocess.run(
            [sys.executable, "-m", "newsnest.cli.reference"],
            capture_output=True,
            env={
                **os.environ,
                "COLUMNS": columns,
                "PYTHONIOENCODING": "ascii",
                "PYTHONPATH": str(Path(newsnest.__file__).parents[1]),
            },
            check=True,
        )
        assert done.stdout.decode() == reference()
    assert max(map(len, reference().splitlines())) <= WIDTH
