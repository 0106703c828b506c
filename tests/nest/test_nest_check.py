"""Damage of any kind is found by a check, ends readers in one clear error, and is never used."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kept import TREE, begin, keep, result

from newsnest.embed import text_hash
from newsnest.errors import NestError, NewsnestError
from newsnest.nest import Fault, Nest, export

HASHES = [text_hash(word) for word in "abcdef"]
OLDER = Path(__file__).parents[1] / "data" / "older_nest" / "news.sqlite"


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """A nest with vectors and two runs, one of them with a tree; not to be written to."""
    path = tmp_path_factory.mktemp("whole") / "n"
    rows = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with keep(path) as nest:
        nest.vectors.put_many("print", HASHES, rows)
        second = nest.store.start_run("second", 1, {}, {})
        nest.store.finish_run(second, replace(result(), tree=TREE))
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "n"))


def change(path: Path, statement: str, *values: object) -> None:
    """Change a nest behind its back, as a bad disk would."""
    connection = sqlite3.connect(path)
    assert connection.execute(statement, values).rowcount
    connection.commit()
    connection.close()


def faults(path: Path) -> list[Fault]:
    with Nest(path) as nest:
        return list(nest.check().faults)


def use(path: Path) -> None:
    """Read all that commands read."""
    with Nest(path) as nest:
        for run in nest.runs():
            export(nest, path.with_name("out.jsonl"), run=run)
            nest.frame(run), nest.tree(run), nest.linkages(run)
            nest.store.stories_below(run), nest.store.theme_timeline(run, seconds=3600)
            nest.store.story_headlines(run, "story", stories=9, articles=9)
            nest.store.articles(run.batch)
        nest.store.batches()
        nest.vectors.get_many("print", HASHES)


def test_a_nest_that_is_whole_is_called_so_and_counted(whole: Path, tally):
    before = whole.read_bytes()
    with Nest(whole) as nest:
        found = nest.check(progress=tally)
    assert found.faults == ()
    assert found.counts == {"articles": 6, "vectors": 6, "without_digest": 0, "runs": 2}
    assert tally.tasks == [("check", 6, "articles"), ("check", 6, "vectors")]
    assert tally.done == 12
    assert whole.read_bytes() == before
    use(whole)


FLIPPED = [
    ("UPDATE articles SET text = 'Sea wall\nbreeched' WHERE id = 'a'",
     "articles", "a", "the article 'a' is not what"),
    ("UPDATE articles SET date = date + 1 WHERE id = 'b'", "articles", "b", "the article 'b' is"),
    ("UPDATE articles SET title = CAST(x'ff41' AS TEXT) WHERE id = 'b'",
     "articles", "b", "a text is not UTF-8"),
    ("UPDATE articles SET title = x'41' WHERE id = 'b'", "articles", "b", "the article 'b' is not"),
    (f"UPDATE vectors SET vector = zeroblob(32) WHERE text = x'{HASHES[1].hex()}'",
     "vectors", f"1:{HASHES[1].hex()}", f"vector of text {HASHES[1].hex()} is not what"),
    (f"UPDATE vectors SET digest = x'00' WHERE text = x'{HASHES[1].hex()}'",
     "vectors", f"1:{HASHES[1].hex()}", "is not what was written"),
    ("UPDATE clusters SET name = 'other' WHERE id = 4", "clusters", "4", "cluster 4 is not what"),
    ("UPDATE clusters SET keywords = '[' WHERE id = 4", "clusters", "4", "cluster 4 is not what"),
    ("UPDATE clusters SET first = 1e300 WHERE id = 4", "clusters", "4", "cluster 4 is not what"),
    ("UPDATE runs SET facts = '{' WHERE id = 1", "runs", "1", "run 1 is not what was written"),
    ("UPDATE runs SET facts = '{\"levels\": []}' WHERE id = 1", "runs", "1", "run 1 is not what"),
    ("UPDATE runs SET created = 1e300 WHERE id = 1", "runs", "1", "run 1 is not what was written"),
    ("UPDATE runs SET rotation = x'0102' WHERE id = 1", "runs", "1", "run 1 is not what was"),
    ("UPDATE trees SET log_odds = x'010203'", "runs", "2", "the tree of a run is not what"),
    ("UPDATE trees SET exact = 1", "runs", "2", "the tree of a run is not what was written"),
    ("UPDATE merges SET distance = x'00' WHERE run = 1 AND step = 1",
     "merges", "1", "a merge of run 1 is not what was written"),
    ("UPDATE batches SET options = ''", "batches", "1", "batch 1 is not what was written"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "part", "name", "said"), FLIPPED)
def test_what_is_not_what_was_written_is_found_by_its_id_and_never_used(
    path: Path, statement: str, part: str, name: str, said: str
):
    change(path, statement)
    assert (part, name) in {(fault.part, fault.id) for fault in faults(path)}
    with pytest.raises(NestError, match=said) as raised:
        use(path)
    assert "damaged: make the nest again from its articles. See all that is: newsnest check" in str(
        raised.value
    )


def unfinished(rows: list[float] | bytes) -> bytes:
    return rows if isinstance(rows, bytes) else np.array(rows, "<f4").tobytes()


@pytest.mark.parametrize(
    ("vector", "problem"),
    [
        ([np.nan] + [0.0] * 7, "has NaN or infinity"),
        ([2.0] + [0.0] * 7, "has length 2, not 1"),
        ([1.0] + [0.0] * 8, "has 9 dimensions, not 8"),
        (b"\x00" * 7, "is not what was written"),
    ],
)
def test_a_vector_without_a_digest_must_be_one_at_least(path: Path, vector, problem: str):
    change(path, "UPDATE vectors SET vector = ?, digest = NULL WHERE text = ?",
           unfinished(vector), HASHES[3])  # fmt: skip
    assert faults(path) == [Fault("vectors", f"1:{HASHES[3].hex()}", problem)]


def test_a_vector_of_no_hash_is_found(path: Path):
    change(path, "UPDATE vectors SET text = 'x' WHERE rowid = 2")
    assert faults(path) == [Fault("vectors", "1:x", "is not what was written")]


NESTED = [
    ("UPDATE clusters SET parent = 4 WHERE id = 5", "clusters", "5", "does not lie in a cluster"),
    ("UPDATE clusters SET parent = 2 WHERE id = 1", "clusters", "1", "does not lie in a cluster"),
    ("UPDATE clusters SET label = 7, digest = NULL WHERE id = 5", "clusters", "5", "out of order"),
    ("UPDATE clusters SET articles = 9, digest = NULL WHERE id = 5",
     "clusters", "5", "another number of articles than it says"),
    ("UPDATE clusters SET articles = 9, digest = NULL WHERE id = 2",
     "clusters", "2", "another number of articles than the clusters in it"),
    ("UPDATE memberships SET cluster = 2 WHERE run = 1 AND article = 1",
     "memberships", "a", "is in no story of the run"),
    ("UPDATE memberships SET copy_of = 4 WHERE run = 1 AND article = 1",
     "memberships", "a", "copies an article that is none of its story"),
    ("DELETE FROM memberships WHERE run = 1 AND article = 1",
     "memberships", "a", "is in the batch, but not in the run"),
    ("DELETE FROM memberships WHERE run = 1 AND article = 1",
     "clusters", "1", "is represented by an article that is not in the run"),
    ("DELETE FROM batch_articles WHERE id = 'c'",
     "memberships", "c", "is in the run, but not in its batch"),
    ("UPDATE batch_articles SET id = 'z' WHERE id = 'c'",
     "batch_articles", "z", "stands for another article in batch 1"),
    ("UPDATE merges SET a = 1 WHERE run = 1 AND depth = 2 AND step = 0",
     "merges", "1:2", "joins a cluster twice"),
    ("UPDATE merges SET b = 6 WHERE run = 1 AND depth = 2 AND step = 1",
     "merges", "1:2", "joins a cluster that is not there yet"),
    ("UPDATE merges SET distance = 9e999 WHERE run = 1 AND depth = 2 AND step = 1",
     "merges", "1:2", "has NaN or infinity"),
    ("DELETE FROM merges WHERE run = 1 AND depth = 2 AND step = 1",
     "merges", "1:2", "leaves 4 clusters, not 3"),
    ("DELETE FROM articles WHERE id = 'c'", "batch_articles", "", "refers to a row of articles"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "part", "name", "problem"), NESTED)
def test_a_run_that_does_not_fit_together_is_found(
    path: Path, statement: str, part: str, name: str, problem: str
):
    change(path, statement)
    assert [f for f in faults(path) if (f.part, f.id) == (part, name) and problem in f.problem]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"pairs": np.array([[0, 1], [2, 9], [0, 2]], np.int32)}, "joins a text that is not there"),
        ({"pairs": np.array([[0, 1], [1, 3], [0, 2]], np.int32)}, "joins a cluster twice"),
        ({"likeness": TREE.likeness[:1]}, "has merges without their numbers"),
        ({"log_odds": TREE.log_odds * np.nan}, "has NaN or infinity"),
    ],
)
def test_a_tree_that_is_none_is_found(tmp_path: Path, changes, problem: str):
    with Nest(tmp_path / "n", create=True) as nest:
        nest.store.finish_run(begin(nest), replace(result(), tree=replace(TREE, **changes)))
        assert nest.check().faults == (Fault("trees", "of run 1", problem),)


def test_a_frame_of_no_numbers_is_found(tmp_path: Path):
    frame = np.full((3, 3), np.nan, np.float32)
    with Nest(tmp_path / "n", create=True) as nest:
        nest.store.finish_run(begin(nest), replace(result(), rotation=frame))
        problem = "has a frame with NaN or infinity, or none"
        assert nest.check().faults == (Fault("runs", "1", problem),)


@pytest.mark.parametrize("of", [4, 2])
def test_clusters_that_lie_within_each_other_end_no_reader_in_a_circle(path: Path, of: int):
    change(path, "UPDATE clusters SET parent = ? WHERE id = 2", of)
    assert faults(path)
    with pytest.raises(NestError, match="lies within itself"), Nest(path) as nest:
        run = nest.run(1)
        nest.store.stories_below(run)
        (story, *_) = nest.clusters("story", run=run)
        list(nest.members(story=story, run=run))


def test_what_an_older_newsnest_wrote_has_no_digests_and_is_counted(tmp_path: Path):
    path = Path(shutil.copy(OLDER, tmp_path / "old"))
    with Nest(path) as nest:
        found = nest.check()
    assert found.faults == ()
    assert found.counts == {"articles": 29, "vectors": 58, "without_digest": 58, "runs": 4}
    change(path, "UPDATE clusters SET name = CAST(x'ff' AS TEXT) WHERE id = 1")
    assert faults(path) == [Fault("clusters", "1", "has a text that is not UTF-8")]


def test_damage_that_puzzles_a_reader_is_told_and_other_errors_pass(path: Path):
    def puzzled() -> None:
        with Nest(path):
            raise KeyError("as a reader would that looks for what is not there")

    with pytest.raises(KeyError, match="as a reader would"):
        puzzled()
    change(path, "UPDATE memberships SET cluster = 2 WHERE run = 1 AND article = 1")
    with pytest.raises(NestError, match="clusters 4 has another number of articles than it says"):
        puzzled()


def test_a_page_that_cannot_be_read_ends_a_part_of_the_check_alone(path: Path):
    connection = sqlite3.connect(path)
    ask = "SELECT rootpage FROM sqlite_master WHERE name = 'vectors'"
    page, size = connection.execute(ask).fetchone()[0], 4096
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xee" * size
    path.write_bytes(content)
    found = faults(path)
    assert {"file", "vectors"} <= {fault.part for fault in found}
    assert "database disk image is malformed" in {fault.problem for fault in found}


def test_a_byte_that_flips_anywhere_is_found_or_changes_nothing(path: Path):
    content, flips = path.read_bytes(), random.Random(0)
    use(path)
    right = path.with_name("out.jsonl").read_bytes()
    for _ in range(150):
        broken = bytearray(content)
        broken[flips.randrange(len(broken))] ^= 1 << flips.randrange(8)
        path.write_bytes(broken)
        try:
            found = faults(path)
            use(path)
        except NewsnestError:
            continue
        assert found or path.with_name("out.jsonl").read_bytes() == right


def test_a_copy_in_memory_is_checked_like_a_file_and_brought_up_to_date(path: Path):
    with Nest(path) as nest, Nest.from_bytes(nest.to_bytes()) as copy:
        assert copy.check().faults == ()
    older = bytearray(OLDER.read_bytes())
    older[18:20] = b"\x01\x01"  # as `to_bytes` does
    with Nest.from_bytes(bytes(older)) as copy:
        assert copy.check().counts["without_digest"] == 58
    with pytest.raises(NestError, match="The file is damaged"):
        Nest.from_bytes(b"no nest" * 1000)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_says_what_is_damaged_and_exits_with_1(path: Path, as_json: bool):
    from click.testing import CliRunner

    from newsnest.cli.main import main

    def check() -> tuple[int, str]:
        words = ["check", str(path), "--quiet", *(["--json"] if as_json else [])]
        done = CliRunner().invoke(main, words)
        return done.exit_code, done.stdout

    status, said = check()
    assert status == 0
    if as_json:
        assert json.loads(said) == {"nest": str(path), "articles": 6, "vectors": 6,
                                    "without_digest": 0, "runs": 2, "faults": []}  # fmt: skip
    else:
        assert said == f"{path}: 6 articles, 6 vectors, 2 runs\nIt is whole.\n"
    with Nest(path) as nest:
        nest.vectors.put_many("other", [bytes([n]) for n in range(30)], np.ones((30, 2), "f4"))
    change(path, "UPDATE articles SET text = 'x' WHERE id = 'a'")
    change(path, "UPDATE vectors SET digest = NULL WHERE encoder = 2")
    status, said = check()
    assert status == 1
    if as_json:
        (article, *vectors) = json.loads(said)["faults"]
        assert article == {"part": "articles", "id": "a", "problem": "is not what was written"}
        assert len(vectors) == 30
    else:
        lines = said.splitlines()
        assert lines[0] == "articles a is not what was written"
        assert lines[1] == "vectors 2:00 has length 1.41, not 1"
        assert lines[21:] == [
            "vectors: 10 more; see all with --json",
            f"{path}: 6 articles, 36 vectors, 2 runs, 30 of the vectors from before they had "
            "digests",
            "31 faults: make the nest again from its articles",
        ]
