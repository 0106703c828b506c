"""No article and no story is in two parts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.errors import ParameterError
from newsnest.labelled import (
    BuildOptions,
    GoldArticle,
    Pair,
    article_groups,
    build_pairs,
    leaking_pairs,
    split_articles,
    split_pairs,
)

ends = st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.0, 0.25, 0.5, 0.75]))
SHARES = {"train": 0.8, "eval": 0.2}


def story(name: str) -> tuple[str, str, str]:
    return ("", "", name)


@settings(max_examples=100, deadline=None)
@given(st.lists(ends, min_size=1, max_size=60), st.sampled_from([0.0, 0.25, 0.75]))
def test_parts_share_no_article_and_no_pair_is_lost(rows, min_score):
    pairs = [Pair(f"text {i}", f"text {j}", score) for i, j, score in rows]
    try:
        split = split_pairs(pairs, SHARES, min_score=min_score)
    except ParameterError:
        return  # one component, or too few
    train, held_out = split.parts["train"], split.parts["eval"]
    assert leaking_pairs(train, held_out) == ()
    assert len(train) + len(held_out) + len(split.straddling) == len(pairs)
    assert all(pair.score < min_score for pair in split.straddling)


def test_shares_are_kept_where_components_are_small():
    pairs = [Pair(f"a{i}", f"b{i}", (i % 4) / 4) for i in range(100)]
    for min_score in (0.0, 0.25):
        split = split_pairs(pairs, SHARES, min_score=min_score)
        assert [len(part) for part in split.parts.values()] == [80, 20]
        assert not split.straddling
    assert split != split_pairs(pairs, SHARES, seed=1)


def test_dissimilar_pairs_are_cut_where_they_join_too_much():
    chain = [Pair(f"t{i}", f"t{i + 1}", 0.75 if i % 2 else 0.0) for i in range(200)]
    with pytest.raises(ParameterError, match='components enough for "eval", got 1 of which'):
        split_pairs(chain, SHARES)
    split = split_pairs(chain, SHARES, min_score=0.25)
    assert 0 < len(split.straddling) < 20 and len(split.parts["eval"]) > 20


def test_ids_copies_and_stories_join_articles():
    def groups(first: Pair, second: Pair, **options) -> bool:
        found = article_groups([first, second], **options)
        return not set(found[0]).isdisjoint(found[1])

    assert groups(Pair("a", "b", 0.0, id1="1"), Pair("c", "d", 0.0, id2="1"))
    assert groups(Pair("a", "b", 0.0, id1="1"), Pair("a", "d", 0.0, id1="2"))
    one, two = Pair("a", "b", 0.0, gold1=story("s")), Pair("c", "d", 0.0, gold2=story("s"))
    assert groups(one, two) and not groups(one, two, together="article")
    assert not groups(Pair("a", "b", 0.0), Pair("c", "d", 0.0))


def test_pairs_of_articles_that_are_held_out_leak():
    train = [Pair("a", "b", 0.5), Pair("a", "c", 0.5), Pair("d", "e", 0.5)]
    assert leaking_pairs(train, [Pair("a", "x", 0.5)]) == tuple(train[:2])


def test_articles_are_split_by_story_and_pairs_built_from_them_do_not_leak():
    articles = [GoldArticle(str(i), f"text {i}", story(f"s{i // 4}")) for i in range(80)]
    articles.append(GoldArticle("copy", "text 0", story("s9")))  # joins the stories 0 and 9
    found = split_articles(articles, SHARES)
    parts = {a.gold[2]: a.split for a in found}
    assert all(parts[a.gold[2]] == a.split for a in found) and parts["s0"] == parts["s9"]
    assert sum(a.split == "eval" for a in found) == pytest.approx(16, abs=1)
    built = build_pairs(found, BuildOptions(per_grade=50)).pairs
    train, held_out = ([p for p in built if p.split == name] for name in SHARES)
    assert train and held_out and leaking_pairs(train, held_out) == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: split_pairs([Pair("a", "b", 0)], {}), "split_pairs: shares must be positive"),
        (lambda: split_articles([], {"a": -1}), "split_articles: shares must be positive"),
        (
            lambda: split_pairs([], SHARES, together="day"),
            "together must be one of article, story, topic, theme, got 'day'",
        ),
        (
            lambda: split_articles([GoldArticle("1", "a", story("s"))], SHARES),
            'groups enough for "eval", got 1 groups of 1 articles',
        ),
    ],
)
def test_what_cannot_be_split_is_said(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
