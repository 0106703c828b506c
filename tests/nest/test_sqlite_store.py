"""What holds for SQLite alone: transactions of the file, its errors, its disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from kept import ARTICLES, begin, keep, result
from test_nest_schema import elsewhere

from newsnest.errors import NestError
from newsnest.nest import Nest
from newsnest.types import Article, Rejected


@pytest.fixture
def nest(tmp_path: Path):
    with keep(tmp_path / "n") as opened:
        yield opened


def test_a_run_is_kept_whole_or_not_at_all(tmp_path: Path):
    broken = result()
    broken.copy_of[0] = 99  # no such article
    with Nest(tmp_path / "n", create=True) as nest:
        run = begin(nest)
        with pytest.raises(IndexError):
            nest.store.finish_run(run, broken)
        for table in ("clusters", "memberships", "merges"):
            assert nest.store.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert not nest.run(run.id).finished
        nest.store.finish_run(run, result())
        assert nest.run().finished


@pytest.mark.parametrize(
    ("kept", "stays"),
    [
        ((), False),
        ((Article("a", "A"),), False),
        ((Article("a", "A"), Rejected("f", 1, "why", "x")), False),
        ((Rejected("f", 1, "why", "x"),), True),
    ],
)
def test_a_new_nest_that_fails_stays_only_for_what_is_in_it(tmp_path: Path, kept, stays: bool):
    path = tmp_path / "n"

    def fail() -> None:
        with Nest(path, create=True) as nest:
            nest.store.add_batch("d", {}, kept)
            raise NestError("failed")

    with pytest.raises(NestError, match="failed"):
        fail()
    assert path.exists() == stays
    with Nest(path, create=True) as nest:
        nest.vectors.put_many("print", [b"hash"], np.ones((1, 2), np.float32))
    with pytest.raises(NestError, match="failed"):
        fail()
    assert path.exists()  # it was there before


def test_a_new_nest_with_vectors_or_in_use_elsewhere_stays_when_a_command_fails(tmp_path: Path):
    path = tmp_path / "n"
    with pytest.raises(NestError, match="failed"), Nest(path, create=True) as nest:
        nest.vectors.put_many("print", [b"hash"], np.ones((1, 2), np.float32))
        raise NestError("failed")
    assert path.exists()
    path.unlink()
    with pytest.raises(NestError, match="failed"), Nest(path, create=True):
        other = Nest(path)
        raise NestError("failed")
    assert other.runs() == []
    other.close()
    assert path.exists()


def test_another_writer_is_waited_for_and_then_named(tmp_path: Path):
    with keep(tmp_path / "n") as nest, Nest(tmp_path / "n") as other:
        nest.store.connection.execute("PRAGMA busy_timeout = 50")
        with other.store.transaction():
            with pytest.raises(NestError, match="locked. Another program is writing to this nest"):
                nest.store.add_batch("second", {}, [])
            with pytest.raises(NestError, match="Another program is writing"):
                nest.vectors.put_many("print", [b"h"], np.ones((1, 4), np.float32))
            assert len(list(nest.members())) == 6  # reading goes on
        assert nest.store.add_batch("second", {}, []) == 2


def test_a_full_disk_is_an_error_of_ours_and_loses_nothing(tmp_path: Path):
    path = tmp_path / "n"
    with keep(path) as nest:
        (pages,) = nest.store.connection.execute("PRAGMA page_count").fetchone()
        nest.store.connection.execute(f"PRAGMA max_page_count = {pages}")
        many = (Article(f"x{n}", "long " * 200) for n in range(500))
        with pytest.raises(NestError, match="disk is full. Check the disk and the room left"):
            nest.store.add_batch("second", {}, many)
        assert nest.store.find_batch("second", {}) is None
    with Nest(path) as nest:
        assert nest.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_damaged_file_is_an_error_of_ours(tmp_path: Path):
    path = tmp_path / "n"
    keep(path).close()
    content = bytearray(path.read_bytes())
    content[3 * 4096 :] = os.urandom(len(content) - 3 * 4096)
    path.write_bytes(content)
    with pytest.raises(NestError, match="damaged: make the nest again"), Nest(path) as nest:
        list(nest.members())


def test_errors_that_are_not_of_the_file_pass_unchanged(tmp_path: Path):
    with (
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        keep(tmp_path / "n") as nest,
    ):
        nest.store.connection.execute("SELECT * FROM nowhere")
    with (
        pytest.raises(sqlite3.IntegrityError),
        keep(tmp_path / "m") as nest,
        nest.store.transaction(),
    ):
        nest.store.connection.execute("DELETE FROM batches")
    with (
        keep(tmp_path / "o") as nest,
        nest.store.transaction(),
        pytest.raises(sqlite3.OperationalError, match="within a transaction"),
        nest.store.transaction(),
    ):
        pass


def test_numbers_in_the_file_are_integers(nest: Nest):
    kinds = nest.store.connection.execute(
        "SELECT DISTINCT typeof(label), typeof(articles), typeof(independent) FROM clusters"
    ).fetchall()
    assert kinds == [("integer",) * 3]
    kinds = nest.store.connection.execute("SELECT DISTINCT typeof(cluster), typeof(article) "
                                    "FROM memberships").fetchall()  # fmt: skip
    assert kinds == [("integer", "integer")]
    assert len(ARTICLES) == 6


def counted(nest: Nest) -> dict[str, int]:
    ask = nest.store.connection.execute
    tables = ("articles", "batches", "batch_articles", "rejected", "vectors")
    return {name: ask(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}


def test_a_grown_input_adds_what_is_new_and_copies_nothing(nest: Nest):
    before = counted(nest)
    new = [Article(f"new {number}", "New", "Today.") for number in range(10)]
    nest.store.add_batch("today", {"strict": False}, [*new, *ARTICLES])
    after = counted(nest)
    assert {name: after[name] - before[name] for name in after} == {
        "articles": 10, "batches": 1, "batch_articles": 16, "rejected": 0, "vectors": 0,
    }  # fmt: skip


def test_a_batch_of_several_chunks_is_kept_whole(nest: Nest, monkeypatch):
    monkeypatch.setattr("newsnest.nest.sqlite.batches._CHUNK", 7)
    items = [Article(f"{number:03}", "T") for number in range(50)]
    rows = [Rejected("f", number, "why", "x") for number in range(20)]
    batch = nest.store.add_batch("d", {}, [*items, *rows, ("f", "odd")])
    assert nest.store.articles(batch) == items
    assert nest.store.rejected(batch) == rows
    assert nest.store.notices(batch) == [("f", "odd")]


def test_a_finished_run_is_found_while_another_program_writes(tmp_path: Path):
    with keep(tmp_path / "n") as nest, Nest(tmp_path / "n") as other:
        nest.store.connection.execute("PRAGMA busy_timeout = 50")
        with other.store.transaction():
            assert nest.store.start_run("key", 1, {}, {}).finished
            with pytest.raises(NestError, match="Another program is writing"):
                nest.store.start_run("new", 1, {}, {})


def test_a_file_that_may_not_grow_is_an_error_of_ours_and_loses_nothing(tmp_path: Path):
    path = tmp_path / "n"
    keep(path).close()
    code = (
        "import resource, sys, numpy as np\n"
        "from newsnest.nest import Nest\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "hashes = [bytes([n % 256, n // 256]) for n in range(999)]\n"
        "rows = np.ones((999, 64), 'f4')\n"
        "with Nest(sys.argv[1]) as nest: nest.vectors.put_many('print', hashes, rows)\n"
    )
    assert "NestError" in (said := elsewhere(code, path))
    assert "Check the disk and the room left on it, then run the command again." in said
    with Nest(path) as nest:
        assert nest.check().faults == ()
        assert nest.check().counts["vectors"] == 0
