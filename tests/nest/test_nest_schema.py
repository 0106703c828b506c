from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kept import keep

import newsnest
from newsnest.errors import NestError
from newsnest.nest import Nest
from newsnest.nest.sqlite import opening, schema

TABLES = {
    "articles", "batch_articles", "batches", "clusters", "encoders", "memberships", "merges",
    "notices", "rejected", "runs", "trees", "vectors",
}  # fmt: skip


def test_a_new_nest_says_what_it_is(tmp_path: Path):
    path = tmp_path / "news.nest"
    with Nest(path, create=True) as nest:
        ask = nest.store.connection.execute
        assert ask("PRAGMA application_id").fetchone() == (0x4E455354,)
        assert ask("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ask("PRAGMA foreign_keys").fetchone() == (1,)
        found = ask("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {name for (name,) in found} == TABLES
    assert path.read_bytes()[68:72] == b"NEST"


def test_foreign_keys_are_kept(tmp_path: Path):
    with keep(tmp_path / "n") as nest:
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            nest.store.connection.execute("DELETE FROM articles")
        assert nest.store.connection.execute("PRAGMA foreign_key_check").fetchall() == []


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
        connection.execute("INSERT INTO mine VALUES ('dear')")
    connection.close()


def other_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 77")
    connection.close()


def same_number(path: Path, version: int = 0, *, log: bool = False) -> None:
    """Make the database of another program that happens to have our application id."""
    connection = sqlite3.connect(path)
    if log:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("CREATE TABLE mine (x)")
    connection.close()


def numbered(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("id,title\n1,Sea wall\n"),
        lambda path: path.write_bytes(b"\x00"),
        lambda path: path.write_bytes(b"SQLite format 3"),
        foreign_database,
        other_program,
        numbered,
        same_number,
        lambda path: same_number(path, len(schema.MIGRATIONS)),
        lambda path: same_number(path, 1, log=True),
    ],
    ids=[
        "text",
        "one byte",
        "almost a header",
        "database",
        "other program",
        "numbered",
        "our number",
        "our numbers",
        "our number and a log",
    ],
)
def test_a_file_that_is_not_a_nest_is_left_as_it_is(tmp_path: Path, make, create: bool):
    path = tmp_path / "precious"
    make(path)
    before = path.read_bytes()
    with pytest.raises(NestError, match=r"precious is not a nest, and is left as it is\. [CM]"):
        Nest(path, create=create)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["precious"]


def test_what_another_program_has_not_finished_writing_stays_as_it_is(tmp_path: Path):
    path = tmp_path / "precious"
    same_number(path, log=True)
    writer = sqlite3.connect(path)
    writer.execute("INSERT INTO mine VALUES ('dear')")
    writer.commit()
    left = tmp_path / "left"
    left.mkdir()
    for one in tmp_path.glob("precious*"):
        shutil.copy(one, left)
    writer.close()
    before = {one.name: one.read_bytes() for one in left.iterdir() if one.name != "precious-shm"}
    with pytest.raises(NestError, match="precious is not a nest, and is left as it is"):
        Nest(left / "precious", create=True)
    assert {name: (left / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("statement", "lacks"),
    [
        ("DROP TABLE merges", "the table merges"),
        ("ALTER TABLE runs DROP COLUMN stopped", "the column stopped of runs"),
    ],
)
def test_a_nest_that_lacks_a_part_says_which_and_is_left(
    tmp_path: Path, statement: str, lacks: str
):
    path = tmp_path / "n"
    keep(path).close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NestError, match=f"n is damaged, and is left as it is: it lacks {lacks}"):
        Nest(path, create=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_nest_cut_short_is_an_error_of_ours(tmp_path: Path, share: float):
    path = tmp_path / "n"
    keep(path).close()
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(NestError, match="The file is damaged: make the nest again"):
        Nest(path)


def test_a_name_of_a_table_that_is_not_text_is_an_error_of_ours(tmp_path: Path):
    path = tmp_path / "n"
    keep(path).close()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CREATE TABLE merges", b"CREATE TABLE \xffer\xcbes"))
    with pytest.raises(NestError, match="The file is damaged: make the nest again"):
        Nest(path)


def test_a_damaged_header_is_an_error_of_ours(tmp_path: Path):
    path = tmp_path / "n"
    path.write_bytes(b"SQLite format 3\x00" + b"garbage" * 500)
    with pytest.raises(NestError, match="The file is damaged: make the nest again"):
        Nest(path, create=True)


@pytest.mark.parametrize("create", [False, True])
def test_a_directory_is_no_nest(tmp_path: Path, create: bool):
    with pytest.raises(NestError, match="is a directory. Give the nest a file name"):
        Nest(tmp_path, create=create)


def test_a_pipe_is_no_nest(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NestError, match="is not a regular file"):
        Nest(tmp_path / "pipe", create=True)


def test_what_is_not_there_is_made_only_when_asked(tmp_path: Path):
    with pytest.raises(NestError, match="none: no such nest. Make one: newsnest cluster FILE"):
        Nest(tmp_path / "none")
    with pytest.raises(NestError, match="no such directory. Create it first"):
        Nest(tmp_path / "nowhere" / "n", create=True)
    with pytest.raises(NestError, match="cannot be opened .* Check the path"):
        Nest(tmp_path / ("x" * 300), create=True)
    assert list(tmp_path.iterdir()) == []


def zero_bytes(path: Path) -> None:
    path.touch()


def header_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert path.stat().st_size > 0


@pytest.mark.parametrize("make", [zero_bytes, header_alone])
def test_a_creation_cut_short_is_taken_up_and_never_by_a_reader(tmp_path: Path, make):
    path = tmp_path / "n"
    make(path)
    before = path.read_bytes()
    with pytest.raises(NestError, match="n is empty. Fill it: newsnest cluster FILE -o"):
        Nest(path)
    assert path.read_bytes() == before
    with Nest(path, create=True) as nest:
        assert nest.runs() == []


def test_a_newer_nest_is_refused_and_left(tmp_path: Path):
    path = tmp_path / "n"
    keep(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    known = len(schema.MIGRATIONS)
    with pytest.raises(NestError, match=rf"newer newsnest \(tables 99, this one knows {known}\)"):
        Nest(path)
    assert path.read_bytes() == before


def test_an_older_nest_is_brought_up_to_date_and_keeps_its_content(tmp_path: Path, monkeypatch):
    path = tmp_path / "n"
    keep(path).close()
    more = "CREATE TABLE extra (x); -- of a later version\nINSERT INTO extra\nVALUES (';');\n"
    known = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, more))
    with Nest(path) as nest:
        assert nest.store.connection.execute("PRAGMA user_version").fetchone() == (known + 1,)
        assert nest.store.connection.execute("SELECT x FROM extra").fetchall() == [(";",)]
        assert len(list(nest.members())) == 6


def test_runs_of_the_first_tables_are_still_read(tmp_path: Path, monkeypatch):
    path = tmp_path / "n"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        connection = opening.connect(path, create=True)
        connection.execute("INSERT INTO corpora (digest, options) VALUES ('d', '{}')")
        connection.execute(
            "INSERT INTO runs (key, corpus, created, options, versions) VALUES "
            "('k', 1, 0, '{}', '{}')"
        )
        connection.close()
    with Nest(path) as nest:
        (run,) = nest.runs()
        (batch,) = nest.store.batches()
    assert (run.inputs, run.stopped, run.finished) == ((), "", False)
    assert (batch.id, batch.digest, batch.inputs) == (run.batch, "d", ())


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch):
    path = tmp_path / "n"
    keep(path).close()
    broken = "CREATE TABLE extra (x);\nCREATE TABLE runs (x);\n"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError, match="table runs already exists"):
            Nest(path)
    with Nest(path) as nest:
        version = nest.store.connection.execute("PRAGMA user_version").fetchone()
        assert version == (len(schema.MIGRATIONS),)
        tables = nest.store.connection.execute(
            "SELECT name FROM sqlite_master WHERE name = 'extra'"
        )
        assert tables.fetchall() == []


def test_many_programs_may_make_the_same_nest_at_once(tmp_path: Path):
    def make(_: int) -> int:
        with Nest(tmp_path / "n", create=True) as nest:
            return len(nest.runs())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make, range(24))) == [0] * 24


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory everybody may enter; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="newsnest-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def elsewhere(code: str, path: Path) -> str:
    """Run code in another program and return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parents[1])},
    )
    return done.stdout + done.stderr


def unprivileged(code: str, path: Path) -> str:
    """Run code where even root has no more rights than others."""
    drop = "import newsnest.nest, os\nif os.geteuid() == 0:\n os.setgroups([])\n os.setgid(65534)"
    return elsewhere(f"{drop}\n os.setuid(65534)\n{code}", path)


TRY = """
import sys
from newsnest.errors import NestError
from newsnest.nest import Nest
try:
    with Nest(sys.argv[1], create=True) as nest:
        print(len(list(nest.members())), flush=True)
        nest.store.add_batch("other", {}, [])
except NestError as error:
    print("NestError:", error)
"""


def test_a_nest_that_may_only_be_read_says_so_when_written(shared: Path):
    path = shared / "n"
    keep(path).close()
    before = path.read_bytes()
    path.chmod(0o444)
    shared.chmod(0o777)  # reading a nest makes a shared-memory file beside it
    said = unprivileged(TRY, path)
    assert said.startswith("6\n")
    assert "NestError:" in said
    assert "readonly database. Check that the file and its directory can be written" in said
    assert path.read_bytes() == before


def killed(path: Path) -> None:
    """Make a nest whose writer was killed: its last step is in the log alone."""
    keep(path).close()
    code = (
        "import os, sys; from newsnest.nest import Nest\n"
        "Nest(sys.argv[1]).store.add_batch('second', {}, []); os._exit(9)"
    )
    elsewhere(code, path)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0


def test_what_a_killed_writer_left_beside_a_nest_is_taken_up_and_gone(tmp_path: Path):
    killed(tmp_path / "n")
    with Nest(tmp_path / "n") as nest:
        assert [batch.digest for batch in nest.store.batches()] == ["digest", "second"]
    assert [one.name for one in tmp_path.iterdir()] == ["n"]


READ = """
import sys
from newsnest.errors import NestError
from newsnest.nest import Nest
try:
    with Nest(sys.argv[1]) as nest:
        print(len(list(nest.members())), len(nest.store.batches()), nest.check().faults)
        nest.store.add_batch("other", {}, [])
except NestError as error:
    print("NestError:", error)
"""


def test_a_nest_on_a_disk_that_cannot_be_written_is_read(shared: Path, monkeypatch):
    path = shared / "n"
    keep(path).close()
    path.chmod(0o444)
    shared.chmod(0o555)
    before = path.read_bytes()
    said = unprivileged(READ, path)
    assert said.startswith("6 1 ()\nNestError:")
    assert "readonly database. Check that the file and its directory can be written" in said
    monkeypatch.setattr(os, "access", lambda *_: False)  # as on a read-only disk, for any user
    with Nest(path) as nest:
        assert len(list(nest.members())) == 6
        with pytest.raises(NestError, match="readonly database. Check that the file"):
            nest.store.add_batch("other", {}, [])
    assert path.read_bytes() == before
    assert [one.name for one in shared.iterdir()] == ["n"]


def test_a_log_that_can_only_be_read_is_read_with_its_index_and_never_left_out(shared: Path):
    path = shared / "n"
    killed(path)
    for one in shared.iterdir():
        one.chmod(0o444)
    shared.chmod(0o555)
    assert unprivileged(READ, path).startswith("6 2 ()\nNestError:")
    shared.chmod(0o755)
    path.with_name("n-shm").unlink()
    shared.chmod(0o555)
    said = unprivileged(READ, path)
    assert "n: what was written last is still in n-wal beside it, and cannot be read where" in said
    assert "Copy both to another directory." in said


def test_a_nest_that_is_open_twice_in_a_program_keeps_its_locks(tmp_path: Path):
    path = tmp_path / "n"
    with keep(path) as nest:
        Nest(path).close()
        other = "import sys; from newsnest.nest import Nest; Nest(sys.argv[1]).close()"
        assert elsewhere(other, path) == ""
        assert path.with_name("n-wal").exists()  # or what is written now would be lost
        nest.store.add_batch("second", {}, [])
    with Nest(path) as nest:
        assert len(nest.store.batches()) == 2


def test_a_nest_that_may_not_be_read_says_so(shared: Path):
    path = shared / "n"
    keep(path).close()
    path.chmod(0o000)
    assert "cannot be opened (Permission denied). Check the path" in unprivileged(TRY, path)


def test_a_nest_in_a_directory_that_may_not_be_written_says_so(shared: Path):
    said = unprivileged(TRY, shared / "new.nest")
    assert "unable to open database file. Check that the file and its directory" in said
    assert list(shared.iterdir()) == []
