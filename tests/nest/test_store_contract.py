"""What every store keeps to. A new backend is one line in STORES."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from kept import LINKAGES, MAY, ORDER, TREE, begin, keep, result

from newsnest.errors import NestError
from newsnest.nest import Headline, KeptTree, Nest, open_store
from newsnest.types import Article, Rejected, Update

STORES: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: str(folder / "n")}
"""Name → the address of a nest that is not there yet."""


@pytest.fixture(params=STORES)
def address(request, tmp_path: Path) -> str:
    return STORES[request.param](tmp_path)


@pytest.fixture
def nest(address: str):
    with keep(address) as opened:
        yield opened


def test_articles_come_back_as_they_were_by_id(nest: Nest):
    assert nest.store.articles(nest.run().batch) == ORDER
    assert [member.article for member in nest.members()] == ORDER


def test_a_batch_is_found_by_its_input_and_how_it_was_read(nest: Nest):
    assert nest.store.find_batch("digest", {"strict": False}) == 1
    assert nest.store.find_batch("digest", {"strict": True}) is None
    assert nest.store.find_batch("other", {"strict": False}) is None


def test_a_batch_that_is_kept_is_not_read_again(nest: Nest):
    def unread():
        raise AssertionError("read")
        yield

    assert nest.store.add_batch("digest", {"strict": False}, unread()) == 1


def test_rejected_rows_and_notices_are_kept(nest: Nest):
    (row,) = nest.store.rejected(1)
    assert (row.file, row.line, row.reason, row.content) == ("in.jsonl", 3, "no text", "{}")
    assert nest.store.notices(1) == [("in.jsonl", "1 odd date")]


def test_an_update_takes_the_place_of_the_article_before_it(nest: Nest):
    first, other = Article("u", "Old", lang="en"), Article("v", "Other")
    update = Update("u", "New", was_lang="en")
    batch = nest.store.add_batch("second", {}, [first, other, update, replace(update, text="x")])
    assert nest.store.articles(batch) == [Article("u", "New", "x"), other]
    alone = nest.store.add_batch("third", {}, [update])
    assert nest.store.articles(alone) == [Article("u", "New")]


def test_a_batch_whose_reading_fails_leaves_nothing(nest: Nest):
    def broken():
        yield Article("z", "kept?")
        raise RuntimeError("the reader died")

    with pytest.raises(RuntimeError, match="the reader died"):
        nest.store.add_batch("second", {}, broken())
    assert nest.store.find_batch("second", {}) is None
    assert [batch.id for batch in nest.store.batches()] == [1]
    batch = nest.store.add_batch("second", {}, [])  # the next step is not hindered
    assert nest.store.articles(batch) == []


def test_a_batch_says_what_it_is(nest: Nest):
    number = nest.store.add_batch("second", {"strict": True}, [], inputs=["a.jsonl", "-"])
    batch = nest.store.batches()[-1]
    assert (batch.id, batch.digest, batch.options) == (number, "second", {"strict": True})
    assert batch.inputs == ("a.jsonl", "-")


def test_every_version_of_an_article_is_kept_and_each_batch_has_its_own(nest: Nest):
    changes = {"title": "New", "text": "New", "lang": "de", "date": MAY - timedelta(seconds=1),
               "source": "New", "url": "https://new.example"}  # fmt: skip
    versions = [replace(ORDER[1], **{name: value}) for name, value in changes.items()]
    for number, version in enumerate([*versions, ORDER[1]]):
        batch = nest.store.add_batch(f"later {number}", {}, [version, ORDER[0]])
        assert nest.store.articles(batch) == [ORDER[0], version]
    assert nest.store.articles(1) == ORDER
    assert [member.article for member in nest.members()] == ORDER


def test_an_id_twice_in_a_batch_is_refused_and_nothing_is_lost_in_silence(nest: Nest):
    with pytest.raises(NestError, match="articles must have different ids, got one twice"):
        nest.store.add_batch("second", {}, [Article("x", "A"), Article("x", "B")])
    with pytest.raises(NestError, match="Give each its own"):
        nest.store.add_batch("second", {}, [Article("x", "A")] * 2)
    assert nest.store.find_batch("second", {}) is None


def test_a_run_of_a_later_batch_holds_its_versions(nest: Nest):
    changed = [replace(ORDER[0], title="Corrected"), *ORDER[1:]]
    batch = nest.store.add_batch("second", {}, changed)
    run = nest.store.start_run("other", batch, {}, {})
    nest.store.finish_run(run, result())
    assert [member.article for member in nest.members()] == changed
    assert [member.article for member in nest.members(run=nest.run(1))] == ORDER
    assert nest.store.headlines_by_id(run, ["-7"])[0].title == "Corrected"
    assert nest.store.headlines_by_id(nest.run(1), ["-7"])[0].title == "\u200bplain"


def test_a_finished_run_is_not_written_twice(nest: Nest):
    before = list(nest.members())
    nest.store.finish_run(nest.run(), result())  # as a second program would that was slower
    assert list(nest.members()) == before


def test_a_run_keeps_the_seconds_of_its_stages_and_of_its_writing(address: str, tally):
    with Nest(address, create=True) as nest:
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


def test_a_tree_comes_back_bit_for_bit_and_runs_share_one(nest: Nest):
    assert nest.tree() is None
    for key in ("second", "third"):
        run = nest.store.start_run(key, 1, {}, {})
        assert nest.store.tree(run) is None
        with pytest.raises(NestError, match="is not finished"):
            nest.tree(run)
        nest.store.finish_run(run, replace(result(), tree=TREE))
    other = nest.store.start_run("fourth", 1, {}, {})
    nest.store.finish_run(other, replace(result(), tree=replace(TREE, exact=True)))
    for number in (2, 3):
        assert_same(nest.tree(nest.run(number)), TREE)
    assert nest.tree().exact
    copy = Nest.from_bytes(nest.to_bytes())
    assert_same(copy.tree(copy.run(2)), TREE)
    assert nest.store.connection.execute("SELECT count(*) FROM trees").fetchone() == (2,)


def assert_same(found: KeptTree | None, given: KeptTree) -> None:
    assert found is not None
    for name in ("pairs", "similarity", "log_odds", "likeness", "sections"):
        ours, theirs = getattr(found, name), getattr(given, name)
        assert (ours.shape, ours.dtype, ours.tobytes()) == (
            theirs.shape, theirs.dtype, theirs.tobytes(),
        )  # fmt: skip
    assert found.exact is given.exact


def test_a_tree_without_merges_is_kept(nest: Nest):
    alone = replace(
        TREE, pairs=TREE.pairs[:0], similarity=TREE.similarity[:0], log_odds=TREE.log_odds[:0],
        likeness=TREE.likeness[:0], sections=TREE.sections[:1],
    )  # fmt: skip
    run = nest.store.start_run("second", 1, {}, {})
    nest.store.finish_run(run, replace(result(), tree=alone))
    assert_same(nest.tree(), alone)


def test_a_second_run_stands_beside_the_first(nest: Nest):
    before = list(nest.members(run=nest.run(1)))
    run = nest.store.start_run("second", 1, {}, {})
    nest.store.finish_run(run, result())
    assert list(nest.members(run=nest.run(1))) == before
    ids = [{c.id for level in nest.levels() for c in nest.clusters(level, run=r)}
           for r in nest.runs()]  # fmt: skip
    assert ids[0] & ids[1] == set()
    assert nest.run().id == 2


def test_what_is_not_there_is_said_with_what_is(address: str):
    with Nest(address, create=True) as nest:
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


def test_a_run_that_can_never_finish_is_forgotten_and_a_finished_one_is_not(address: str):
    with Nest(address, create=True) as nest:
        run = begin(nest)
        nest.store.forget_run(run)
        assert not nest.runs()
        run = begin(nest)
        nest.store.finish_run(run, result())
        nest.store.forget_run(run)
        assert [kept.id for kept in nest.runs()] == [run.id]


def test_why_a_run_stopped_is_kept_until_it_goes_on(address: str):
    with Nest(address, create=True) as nest:
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


def test_rejected_rows_are_counted_without_their_content(address: str):
    with Nest(address, create=True) as nest:
        rows = [Rejected("f", line, "why", "x") for line in (1, 2, 3)]
        corpus = nest.store.add_batch("d", {}, rows)
        assert nest.store.count_rejected(corpus) == 3
        assert nest.store.rejected(corpus, limit=2) == rows[:2]


# ── counts for pages ──────────────────────────────────────────────────────────────────────────


def test_a_run_is_counted(nest: Nest):
    run = nest.run()
    totals = nest.store.totals(run)
    assert (totals.articles, totals.dated) == (6, 4)
    assert (totals.first, totals.last) == (MAY, MAY.replace(day=3))
    assert totals.outlets == (("Post", 3), ("+33", 1), ("صحيفة", 1))
    assert totals.languages == (("en", 3), ("ar", 1), ("fr", 1))
    assert nest.store.level_totals(run) == {"theme": (1, 6), "topic": (2, 6), "story": (3, 5)}
    assert list(nest.store.level_totals(run)) == ["theme", "topic", "story"]
    clusters = [c for level in ("theme", "topic") for c in nest.clusters(level)]
    assert [nest.store.stories_below(run).get(c.id) for c in clusters] == [3, 2, 1]


def test_articles_are_counted_by_story_outlet_language_and_time(nest: Nest):
    run, (first, second, _) = nest.run(), nest.clusters("story")
    day = int(MAY.timestamp()) // 86_400
    cells = nest.store.story_cells(run, "story", stories=2, seconds=86_400)
    assert sorted(cells, key=str) == sorted(
        [
            (first.id, "Post", "en", day, 2),
            (first.id, "Post", "en", day + 2, 1),
            (second.id, "", "", None, 1),
            (second.id, "صحيفة", "ar", day + 1, 1),
        ],
        key=str,
    )
    (theme,) = nest.clusters("theme")
    hours = [(24 * (day + number) + 8, count) for number, count in enumerate((2, 1, 1))]
    assert nest.store.theme_timeline(run, seconds=3600) == [
        (theme.id, hour, count) for hour, count in hours
    ]


def test_headlines_of_stories_come_in_order_with_copies_last(nest: Nest):
    run, (first, second, _) = nest.run(), nest.clusters("story")
    found = nest.store.story_headlines(run, "story", stories=2, articles=2)
    assert [(item.story, item.id) for item in found] == [
        (first.id, "-7"), (first.id, "b"), (second.id, "d"), (second.id, "c"),
    ]  # fmt: skip
    (copy,) = nest.store.headlines_by_id(run, ["a", "unknown"])
    assert copy == Headline(copy.key, first.id, "a", "=1+1", "en", "Post",
                            "https://a.example/?q=1,2", MAY.timestamp(), found[0].key)  # fmt: skip
    assert found[3].title.rstrip() == '"Quoted", with a comma'  # the first line of its text
    assert nest.store.copies_of(run) == {found[0].key: 1}
    assert nest.store.headlines_by_id(run, []) == []


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


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(NestError, match="mysql://x: nests are kept in files, not in mysql"):
        open_store("mysql://x")


def test_articles_are_counted_by_language(address: str):
    with Nest(address, create=True) as nest:
        langs = ["fr", "en", "", "fr"]
        rows = [Article(str(i), "Sea wall", lang=lang) for i, lang in enumerate(langs)]
        batch = nest.store.add_batch("d", {}, rows)
        nest.store.add_batch("e", {}, rows[:1])
        assert nest.store.count_languages(batch) == {"": 1, "en": 1, "fr": 2}
