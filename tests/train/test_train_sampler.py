"""Every pair once an epoch, no component twice in a batch, a length that is true."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.train.pairs import pair_dataset
from newsnest.train.samplers import (
    ComponentBatchSampler,
    LengthBatchSampler,
    pack_pairs,
    text_components,
)
from newsnest.train.samplers.packing import split_to

components = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=80)


def some_pairs(n: int, articles: int, seed: int = 0) -> list[Pair]:
    rng = np.random.default_rng(seed)
    ends, grades = rng.integers(articles, size=(n, 2)), rng.integers(4, size=n) / 4
    return [Pair(f"a{i}", f"a{j}", g) for (i, j), g in zip(ends, grades, strict=True)]


def check(batches: list[list[int]], ids: np.ndarray, batch_size: int) -> None:
    assert sorted(row for batch in batches for row in batch) == list(range(len(ids)))
    for batch in batches:
        held = [c for row in batch for c in set(ids[row].tolist())]
        assert 1 <= len(batch) <= batch_size and len(held) == len(set(held))


@settings(max_examples=150, deadline=None)
@given(components, st.integers(1, 9), st.integers(0, 3))
def test_packing_holds_every_pair_once_and_no_component_twice_in_a_batch(rows, size, seed):
    ids = np.array(rows, np.int64).reshape(-1, 2)
    check(pack_pairs(ids, batch_size=size, rng=np.random.default_rng(seed)), ids, size)


def test_packing_needs_no_more_batches_than_the_busiest_component_where_that_decides():
    star = np.array([[0, i] for i in range(1, 31)])
    assert len(pack_pairs(star, batch_size=8, rng=np.random.default_rng(0))) == 30
    apart = np.arange(200).reshape(100, 2)
    assert len(pack_pairs(apart, batch_size=8, rng=np.random.default_rng(0))) == 13


def test_components_are_those_of_edges_of_the_score_or_more():
    pairs = [("a", "b", 0.25), ("b", "c", 0.5), ("c", "d", 0.24), ("e", "e", 0.0)]
    ids, count = text_components(pairs, min_score=0.25)
    assert count == 3
    assert ids[0, 0] == ids[0, 1] == ids[1, 1] == ids[2, 0] != ids[2, 1]
    assert ids[3, 0] == ids[3, 1] not in (ids[2, 0], ids[2, 1])
    assert text_components([], min_score=0.25)[0].shape == (0, 2)


def test_splitting_reaches_the_number_of_batches_or_single_pairs():
    assert sorted(map(len, split_to([[1, 2, 3, 4], [5]], 4))) == [1, 1, 1, 2]
    assert sorted(split_to([[1, 2]], 5)) == [[1], [2]]


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("articles", [15, 60, 1000])
def test_every_epoch_yields_every_pair_once_in_as_many_batches_as_it_says(articles, batch_size):
    sampler = ComponentBatchSampler(pair_dataset(some_pairs(150, articles)), batch_size)
    for epoch in range(5):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        check(batches, sampler.components, batch_size)
        assert len(batches) == len(sampler)


def test_an_epoch_that_would_need_more_batches_takes_those_of_the_first(monkeypatch):
    sampler = ComponentBatchSampler(pair_dataset(some_pairs(30, 40)), 8)
    first = {frozenset(batch) for batch in sampler}
    monkeypatch.setattr(sampler, "_pack", lambda epoch: [[row] for row in range(30)])
    sampler.set_epoch(1)
    again = list(sampler)
    assert {frozenset(batch) for batch in again} == first and len(again) == len(sampler)


def test_order_depends_on_seed_and_epoch_alone():
    def epochs(seed: int) -> list[list[list[int]]]:
        sampler = ComponentBatchSampler(pair_dataset(some_pairs(60, 100)), 8, seed=seed)
        found = []
        for epoch in (0, 1, 0):
            sampler.set_epoch(epoch)
            found.append(list(sampler))
        return found

    one, same, other = epochs(1), epochs(1), epochs(2)
    assert one == same and one[0] == one[2]
    assert one[0] != one[1] and one[0] != other[0]


def test_copies_of_a_text_are_one_article_and_labels_may_carry_groups():
    pairs = [
        Pair("a", "b", 0.75, id1="1", id2="2", gold1=("", "", "s"), gold2=("", "", "s")),
        Pair("b", "c", 0.0, id1="3", id2="4"),
    ]
    sampler = ComponentBatchSampler(pair_dataset(pairs), 2)
    assert len(sampler) == 2


def test_min_score_says_what_connects():
    dataset = pair_dataset([Pair("a", "b", 0.5), Pair("b", "c", 0.5), Pair("c", "d", 0.5)])
    assert ComponentBatchSampler(dataset, 8).component_count == 1
    high = partial(ComponentBatchSampler, min_score=0.75)(dataset, 8)
    assert high.component_count == 4 and len(high) == 2


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_share_all_pairs_evenly(monkeypatch, processes):
    from accelerate.data_loader import BatchSamplerShard

    monkeypatch.setattr("newsnest.train.samplers.base.processes", lambda: processes)
    sampler = ComponentBatchSampler(pair_dataset(some_pairs(150, 60)), 8)
    shards = [
        BatchSamplerShard(sampler, processes, rank, even_batches=False) for rank in range(processes)
    ]
    found = [list(shard) for shard in shards]
    check([batch for batches in found for batch in batches], sampler.components, 8)
    assert {len(batches) for batches in found} == {len(sampler) // processes}
    assert shards[0].batch_sampler.sampler.set_epoch == sampler.set_epoch


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"drop_last": True}, "drop_last must be False, got True"),
        ({"valid_label_columns": ["grade"]}, r"a label column \(grade\), got text1, text2, label"),
    ],
)
def test_what_the_sampler_cannot_do_is_said(change, message):
    with pytest.raises(ParameterError, match=message):
        ComponentBatchSampler(pair_dataset([Pair("a", "b", 0.5)]), **{"batch_size": 4, **change})


def test_a_data_set_of_three_texts_is_refused():
    dataset = pair_dataset([Pair("a", "b", 0.5)]).add_column("text3", ["c"])
    with pytest.raises(ParameterError, match="must have two columns of text and a label"):
        ComponentBatchSampler(dataset, 4)


def lines(count: int) -> Dataset:
    rng = np.random.default_rng(0)
    texts = ["x" * int(n) for n in rng.integers(1, 200, count)]
    return Dataset.from_dict({"text1": texts, "text2": texts, "label": [1.0] * count})


def test_batches_of_a_length_yield_every_row_once_and_pad_little():
    data = lines(500)
    sampler = LengthBatchSampler(data, 16, seed=3)
    batches = list(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(500))
    assert len(batches) == len(sampler) == 32 and max(map(len, batches)) <= 16
    lengths = [[len(data[row]["text1"]) for row in batch] for batch in batches]
    padded = sum(max(own) * len(own) for own in lengths) / sum(map(sum, lengths))
    assert padded < 1.1
    assert [max(own) for own in lengths] != sorted(max(own) for own in lengths)


def test_batches_of_a_length_depend_on_seed_and_epoch_alone():
    one, same, other = (LengthBatchSampler(lines(100), 8, seed=s) for s in (0, 0, 1))
    assert list(one) == list(one) == list(same) != list(other)
    same.set_epoch(1)
    first, second = list(one), list(same)
    assert first != second
    one.set_epoch(1)
    assert list(one) == second


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_batches_of_a_length_are_as_many_for_every_process(monkeypatch, processes):
    monkeypatch.setattr("newsnest.train.samplers.base.processes", lambda: processes)
    sampler = LengthBatchSampler(lines(50), 8)
    batches = list(sampler)
    assert len(batches) == len(sampler) and len(batches) % processes == 0
    assert sorted(row for batch in batches for row in batch) == list(range(50))


def test_a_sampler_by_length_refuses_what_it_cannot_do():
    with pytest.raises(ParameterError, match="LengthBatchSampler: batch_size must be at least 1"):
        LengthBatchSampler(lines(3), 0)
    with pytest.raises(ParameterError, match="LengthBatchSampler: drop_last must be False"):
        LengthBatchSampler(lines(3), 2, drop_last=True)
