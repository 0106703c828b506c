from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import invented
from newsnest.cli.main import main


@pytest.fixture(scope="session")
def newsnest() -> Callable[..., Result]:
    """Run a command line in this process; an error that is not ours fails the test."""

    def run(*arguments: str | Path, status: int = 0, stdin: bytes | None = None) -> Result:
        words = [str(word) for word in arguments]
        result = CliRunner().invoke(main, words, input=stdin, prog_name="newsnest")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, (result.stdout, result.stderr)
        return result

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [*invented.articles(), {"id": "empty", "title": ""}]
    return invented.write(tmp_path_factory.mktemp("corpus") / "news.jsonl", rows)


@pytest.fixture(scope="session")
def nest(tmp_path_factory: pytest.TempPathFactory, newsnest, corpus: Path) -> Path:
    """A nest to look at, not to write to."""
    path = tmp_path_factory.mktemp("cli") / "news.nest"
    newsnest("cluster", corpus, "-o", path, "--encoder", "tfidf")
    return path


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gold labels of the corpus, but for the copies and with a stranger."""
    rows = [
        {"id": row["id"], "story": row["story_gold"], "event": row["story_gold"]}
        for row in invented.articles(copies=0)
    ]
    rows.append({"id": "stranger", "story": "s99", "event": "s99"})
    return invented.write(tmp_path_factory.mktemp("gold") / "gold.jsonl", rows)
