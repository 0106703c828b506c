from __future__ import annotations

import os
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from kept import ARTICLES, LINKAGES, MAY, ORDER, begin, keep, result

from newsnest.errors import NestError
from newsnest.nest import Nest
from newsnest.types import Article, Rejected


@pytest.fixture
def nest(tmp_path: Path):
    with keep(tmp_path / "n") as opened:
        yield opened


def test_articles_come_back_as_they_were_by_id(nest: Nest):
    assert nest.store.articles(nest.run().batch) == ORDER
    assert [member.article for member in nest.members()] == ORDER


def test_a_corpus_is_found_by_its_input_and_how_it_was_read(nest: Nest):
    assert nest.store.find_batch("digest", {"strict": False}) == 1
    assert nest.store.find_batch("digest", {"strict": True}) is None
    assert nest.store.find_batch("other", {"strict": False}) is None


def test_a_corpus_that_is_kept_is_not_read_again(nest: Nest):
    def unread():
        raise AssertionError("read")
        yield

    assert nest.store.add_batch("digest", {"strict": False}, unread()) == 1


def test_rejected_rows_and_notices_are_kept(nest: Nest):
    (row,) = nest.store.rejected(1)
    assert (row.file, row.line, row.reason, row.content) == ("in.jsonl", 3, "no text", "{}")
    assert nest.store.notices(1) == [("in.jsonl", "1 odd date")]


def test_a_corpus_whose_reading_fails_leaves_nothing(nest: Nest):
    def broken():
        yield Article("z", "kept?")
        raise RuntimeError("the reader died")

    with pytest.raises(RuntimeError, match="the reader died"):
        nest.store.add_batch("second", {}, broken())
    assert nest.store.find_batch("second", {}) is None
    assert nest.store.connection.execute("SELECT count(*) FROM articles").fetchone() == (6,)
    assert not nest.store.connection.in_transaction


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


def test_a_finished_run_is_not_written_twice(nest: Nest):
    before = list(nest.members())
    nest.store.finish_run(nest.run(), result())  # as a second program would that was slower
    assert list(nest.members()) == before


def test_a_run_keeps_the_seconds_of_its_stages_and_of_its_writing(tmp_path: Path, tally):
    with Nest(tmp_path / "n", create=True) as nest:
        facts = {"seconds": {"cluster": 1.5}, "articles": 6}
        nest.store.finish_run(begin(nest), replace(result(), facts=facts), progress=tally)
        kept = nest.run().facts
    assert kept["articles"] == 6
    assert list(kept["seconds"]) == ["cluster", "write"]
    assert kept["seconds"]["write"] >= 0
    assert tally.tasks == [("keep", 6 + 6 + 4, "rows")]
    assert tally.done == 6 + 6 + 4


def test_the_same_key_finds_the_same_run(nest: Nest):
    again = nest.store.start_run("key", 1, {"encoder": "ignored"}, {})
    assert (again.id, again.finished, again.options) == (1, True, {"encoder": "none"})
    other = nest.store.start_run("other key", 1, {}, {})
    assert (other.id, other.finished, other.facts) == (2, False, {})
    assert nest.run().id == 1  # the newest finished one
    assert [run.id for run in nest.runs()] == [1, 2]


def test_clusters_come_largest_first_and_know_their_children(nest: Nest):
    assert nest.levels() == ["theme", "topic", "story"]
    (theme,) = nest.clusters("theme")
    topics, stories = nest.clusters("topic"), nest.clusters("story")
    assert [(c.label, c.independent) for c in stories] == [(0, 2), (1, 2), (2, 1)]
    assert nest.children(theme) == topics
    assert [c for topic in topics for c in nest.children(topic)] == [
        stories[0], stories[2], stories[1],
    ]  # fmt: skip
    assert nest.children(stories[0]) == []
    assert nest.children(theme, limit=1) == topics[:1]
    assert [nest.store.count_children(c) for c in (theme, *topics, stories[0])] == [2, 2, 1, 0]
    assert nest.clusters("story", limit=1) == stories[:1]
    assert theme.parent is None
    assert {story.parent for story in stories} == {topic.id for topic in topics}


def test_a_cluster_comes_back_as_it_was(nest: Nest):
    kept = asdict(nest.clusters("story")[0])
    given = asdict(result().clusters[3])
    for ours in ("id", "parent"):
        kept.pop(ours), given.pop(ours)
    assert kept == given
    assert kept["first"] == MAY
    assert nest.clusters("story")[0].size == "3 articles, 2 independent"
    assert nest.clusters("story")[2].size == "1 article, 1 independent"


def test_members_know_their_path_and_what_they_copy(nest: Nest):
    names = {c.id: c.name for level in nest.levels() for c in nest.clusters(level)}
    paths = {m.article.id: [names[c] for c in m.clusters] for m in nest.members()}
    assert paths["-7"] == ["theme 0", "topic 0", "story 0"]
    assert paths["c"] == paths["d"] == ["theme 0", "topic 1", "=HYPERLINK(1)"]
    assert paths["é"] == ["theme 0", "topic 0", "story 2"]
    assert {m.article.id: m.copy_of for m in nest.members() if m.copy_of} == {"a": "-7"}


def test_members_of_a_story_come_by_date_with_the_undated_last(nest: Nest):
    first, second, _ = nest.clusters("story")
    assert [m.article.id for m in nest.members(story=first)] == ["-7", "a", "b"]
    assert [m.article.id for m in nest.members(story=second)] == ["d", "c"]
    by_run = {m.article.id: m for m in nest.members()}
    assert all(by_run[m.article.id] == m for m in nest.members(story=first))


def test_linkages_and_frame_come_back_bit_for_bit(nest: Nest):
    for kept, given in zip(nest.linkages(), LINKAGES, strict=True):
        assert kept.tobytes() == given.tobytes()
    means, rotation = nest.frame(nest.run())
    assert means.tobytes() == result().means.tobytes()
    assert rotation.tobytes() == result().rotation.tobytes()
    assert means.shape == (2, 3)


def test_a_second_run_stands_beside_the_first(nest: Nest):
    before = list(nest.members(run=nest.run(1)))
    run = nest.store.start_run("second", 1, {}, {})
    nest.store.finish_run(run, result())
    assert list(nest.members(run=nest.run(1))) == before
    ids = [{c.id for level in nest.levels() for c in nest.clusters(level, run=r)}
           for r in nest.runs()]  # fmt: skip
    assert ids[0] & ids[1] == set()
    assert nest.run().id == 2


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path):
    with Nest(tmp_path / "n", create=True) as nest:
        with pytest.raises(NestError, match="holds no finished run. Run the same newsnest"):
            nest.run()
        with pytest.raises(NestError, match="has no run 3. It has: none"):
            nest.run(3)
        run = begin(nest)
        for ask in (nest.levels, nest.frame, nest.linkages):
            with pytest.raises(
                NestError, match=r"Run 1 of .* is not finished. Run the same newsnest"
            ):
                ask(run)
        nest.store.finish_run(run, result())
        with pytest.raises(NestError, match="has no level 'storey'. It has: theme, topic, story"):
            nest.clusters("storey")
        with pytest.raises(NestError, match="has no run 3. It has: 1"):
            nest.run(3)


def test_a_run_that_can_never_finish_is_forgotten_and_a_finished_one_is_not(tmp_path: Path):
    with Nest(tmp_path / "n", create=True) as nest:
        run = begin(nest)
        nest.store.forget_run(run)
        assert not nest.runs()
        run = begin(nest)
        nest.store.finish_run(run, result())
        nest.store.forget_run(run)
        assert [kept.id for kept in nest.runs()] == [run.id]


def test_why_a_run_stopped_is_kept_until_it_goes_on(tmp_path: Path):
    with Nest(tmp_path / "n", create=True) as nest:
        run = begin(nest)
        nest.store.stop_run(run, "the disk is full.")
        assert nest.run(run.id).stopped == "the disk is full."
        with pytest.raises(NestError, match=r"Run 1 of .* is not finished: the disk is full\. Run"):
            nest.run()
        assert begin(nest).stopped == ""
        nest.store.stop_run(run, "the disk is full.")
        nest.store.finish_run(run, result())
        assert nest.run().stopped == ""
        nest.store.stop_run(run, "too late")
        assert nest.run().stopped == ""


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


def test_rejected_rows_are_counted_without_their_content(tmp_path: Path):
    with Nest(tmp_path / "n", create=True) as nest:
        rows = [Rejected("f", line, "why", "x") for line in (1, 2, 3)]
        corpus = nest.store.add_batch("d", {}, rows)
        assert nest.store.count_rejected(corpus) == 3
        assert nest.store.rejected(corpus, limit=2) == rows[:2]


# ── vectors ───────────────────────────────────────────────────────────────────────────────────


def test_vectors_come_back_bit_for_bit(nest: Nest):
    bits = np.random.default_rng(0).integers(0, 2**32, (1200, 8), dtype=np.uint32)
    rows = bits.view(np.float32)  # every float there is: subnormal, −0, NaN with its payload
    hashes = [os.urandom(16) for _ in rows]
    nest.vectors.put_many("print", hashes, rows)
    asked = [*hashes, b"unknown"]
    kept = nest.vectors.get_many("print", asked)
    assert set(kept) == set(hashes)
    assert b"".join(kept[h].tobytes() for h in hashes) == rows.tobytes()
    assert nest.vectors.get_many("other print", asked) == {}
    assert nest.vectors.get_many("print", []) == {}


def test_a_vector_that_is_kept_stays(nest: Nest):
    one, other = np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32)
    nest.vectors.put_many("print", [b"h"], one)
    nest.vectors.put_many("print", [b"h"], other)
    nest.vectors.put_many("second", [b"h"], other)
    assert nest.vectors.get_many("print", [b"h"])[b"h"].tolist() == [1, 1, 1, 1]
    assert nest.vectors.get_many("second", [b"h"])[b"h"].tolist() == [0, 0, 0, 0]


def test_a_chunk_of_vectors_is_kept_whole_or_not_at_all(nest: Nest):
    with pytest.raises(ValueError, match="zip"):
        nest.vectors.put_many("print", [b"g", b"h"], np.ones((1, 4), np.float32))
    assert nest.vectors.get_many("print", [b"g", b"h"]) == {}


# ── when the file cannot be written or read ─────────────────────────────────────────────────────


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
