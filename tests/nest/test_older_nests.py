"""A nest made before articles belonged to the nest is read as it was.

tests/data/older_nest/news.sqlite was made by revision 5fb418a: two batches of invented articles
that overlap, one article of which was corrected in between; runs 1 and 4 of the first batch, run 2
of the second, run 3 of a file without one article. Beside it lies what that revision said of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_nest_schema import shared, unprivileged  # noqa: F401 - shared is a fixture

import newsnest
from newsnest.cli.main import main
from newsnest.nest import Nest, export
from newsnest.nest.sqlite import schema
from newsnest.web import write_report

OLDER = Path(__file__).parents[1] / "data" / "older_nest"
SAID = json.loads((OLDER / "said.json").read_text(encoding="utf-8"))
RUNS = [1, 2, 4]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLDER / "news.sqlite", tmp_path / "old.nest"))


def show(nest: Path, *options: str) -> Any:
    done = CliRunner().invoke(main, ["show", str(nest), *options, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("run", RUNS)
def test_every_command_says_of_it_what_was_said_before(older: Path, tmp_path: Path, run: int):
    with Nest(older) as nest:
        chosen = nest.run(run)
        assert export(nest, tmp_path / "out.csv", run=chosen) == 20
        html = write_report(nest, tmp_path / "p.html", run=chosen).path.read_text(encoding="utf-8")
    assert (tmp_path / "out.csv").read_bytes() == (OLDER / f"run{run}.csv").read_bytes()
    said = SAID["results"][str(run)]
    start = html.index(">", html.index('<script type="application/json"')) + 1
    page = json.loads(html[start : html.index("</script>", start)])
    assert page.pop("range")  # pages of then had none
    assert page == said["page"]
    assert show(older, "--run", str(run)) == said["tree"]
    assert show(older, "--run", str(run), "--rejected") == said["rejected"]


def test_its_runs_are_what_they_were_and_know_their_batch(older: Path):
    runs = show(older, "--runs")
    assert [run.pop("batch") for run in runs] == [1, 2, 3, 1]
    assert runs == SAID["runs"]
    with Nest(older) as nest:
        assert [batch.inputs for batch in nest.store.batches()] == [
            ("monday.jsonl",), ("tuesday.jsonl",), ("nothing.jsonl",),
        ]  # fmt: skip
        assert nest.notices(nest.run(1))[0][1].startswith("1 date could not be read")
        assert len(nest.vectors.get_many(nest.run(1).facts["encoder"], hashes(older))) == 19


def hashes(path: Path) -> list[bytes]:
    connection = sqlite3.connect(path)
    found = [text for (text,) in connection.execute("SELECT DISTINCT text FROM vectors")]
    connection.close()
    return found


def test_what_two_batches_share_is_one_row_and_a_corrected_article_is_two(older: Path):
    with Nest(older) as nest:
        ask = nest.store.connection.execute
        assert ask("SELECT count(*) FROM articles").fetchone() == (20 + 20 - 11,)
        assert ask("SELECT count(*) FROM batch_articles").fetchone() == (40,)
        assert ask("PRAGMA foreign_key_check").fetchall() == []
        assert ask("PRAGMA integrity_check").fetchone() == ("ok",)
        first, second = ({a.id: a for a in nest.store.articles(batch)} for batch in (1, 2))
        changed = [name for name in first.keys() & second.keys() if first[name] != second[name]]
        assert [second[name].text for name in changed] == [
            "The text was corrected on the second day."
        ]
        kept = {run: {m.article.id: m.article for m in nest.members(run=nest.run(run))}
                for run in RUNS}  # fmt: skip
    assert kept[1] == kept[4] == first
    assert kept[2] == second


def test_a_second_opening_changes_nothing(older: Path):
    Nest(older).close()
    before = older.read_bytes()
    with Nest(older) as nest:
        assert nest.store.connection.total_changes == 0
    assert older.read_bytes() == before


def test_its_migration_is_all_or_nothing(older: Path, monkeypatch):
    before = rows(older)
    first, second, third, *later = schema.MIGRATIONS
    broken = third.replace("DROP TABLE articles;", "DROP TABLE nowhere;")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (first, second, broken, *later))
        with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
            Nest(older)
    assert rows(older) == before
    with Nest(older) as nest:
        assert len(list(nest.members(run=nest.run(1)))) == 20


def rows(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    dump = [str(connection.execute("PRAGMA user_version").fetchone()), *connection.iterdump()]
    connection.close()
    return dump


SLOW = """
import sys, time
from newsnest.nest import Nest
from newsnest.nest.sqlite import schema
usual = schema.content_of
schema.content_of = lambda *values: time.sleep(0.005) or usual(*values)
print("ready", flush=True)
Nest(sys.argv[1])
"""


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.6])
def test_a_kill_in_the_middle_leaves_the_old_nest_or_the_new_one(older: Path, seconds: float):
    before = rows(older)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(older)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])},
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = rows(older)
    assert left == before or left[0] == f"({len(schema.MIGRATIONS)},)"
    with Nest(older) as nest:
        export(nest, older.with_name("out.csv"), run=nest.run(2))
    assert older.with_name("out.csv").read_bytes() == (OLDER / "run2.csv").read_bytes()


OPEN = """
import sys
from newsnest.errors import NestError
from newsnest.nest import Nest
try:
    Nest(sys.argv[1])
except NestError as error:
    print("NestError:", error)
"""


def test_one_that_may_only_be_read_says_that_it_must_be_written_once(shared: Path):  # noqa: F811
    path = Path(shutil.copy(OLDER / "news.sqlite", shared / "n"))
    path.chmod(0o444)
    shared.chmod(0o777)
    before = path.read_bytes()
    said = unprivileged(OPEN, path)
    assert "written by an older newsnest and cannot be written now. Open it once where it" in said
    assert path.read_bytes() == before
