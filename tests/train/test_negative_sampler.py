"""Batches of pairs with mined negatives."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.errors import ParameterError
from newsnest.train.samplers import NegativeBatchSampler


def rows(count: int, negatives: int, seed: int = 0, titles: int | None = None) -> Dataset:
    rng = np.random.default_rng(seed)
    columns = {
        "text1": [f"t{i % (titles or count)}" for i in range(count)],
        "text2": [f"s{i}" for i in range(count)],
    }
    for k in range(negatives):
        picks = (np.arange(count) + rng.integers(1, max(2, count), count)) % count
        columns[f"negative{k}"] = [f"s{i}" for i in picks]
    return Dataset.from_dict({**columns, "label": [1.0] * count})


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(0, 3), st.integers(1, 16), st.integers(2, 60))
def test_every_pair_comes_once_and_no_text_is_a_negative_of_its_own(count, negatives, size, titles):
    data = rows(count, negatives, titles=titles)
    sampler = NegativeBatchSampler(data, size, seed=1)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert sorted(row for batch in batches for row in batch) == list(range(count))
        for batch in batches:
            assert 1 <= len(batch) <= size
            owned = [{data["text1"][r], data["text2"][r]} for r in batch]
            mined = [{data[f"negative{k}"][r] for k in range(negatives)} for r in batch]
            for i, own in enumerate(owned):
                for j in range(len(batch)):
                    if i != j:
                        assert own.isdisjoint(owned[j]) and own.isdisjoint(mined[j])


def test_order_depends_on_seed_and_epoch_alone():
    data = rows(40, 2)
    first, again, other = (NegativeBatchSampler(data, 8, seed=s) for s in (1, 1, 2))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)
    assert list(first) == list(first)


def test_what_it_cannot_do_is_said():
    with pytest.raises(ParameterError, match="batch_size must be at least 1, got 0"):
        NegativeBatchSampler(rows(4, 1), 0)
    with pytest.raises(ParameterError, match="drop_last must be False"):
        NegativeBatchSampler(rows(4, 1), 2, drop_last=True)
    with pytest.raises(ParameterError, match="two columns of text, then negatives, got text1"):
        NegativeBatchSampler(rows(4, 0).remove_columns("text2"), 2)
