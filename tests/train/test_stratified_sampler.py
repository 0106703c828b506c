"""Batches drawn from one cluster each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from newsnest.errors import ParameterError
from newsnest.train.samplers import Clustering, ClusterStratifiedBatchSampler, Strata
from newsnest.train.samplers.strata import (
    Groups,
    batch_count,
    cluster_groups,
    deal,
    merge_small,
    spread_connected,
    tour,
)


def rows(count: int, titles: int | None = None) -> Dataset:
    return Dataset.from_dict(
        {
            "text1": [f"t{i % (titles or count)}" for i in range(count)],
            "text2": [f"s{i}" for i in range(count)],
            "label": list(range(count)),
        }
    )


def clustering(count: int, k: int, seed: int = 0) -> Clustering:
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(k, 4)).astype(np.float32)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    return Clustering(rng.integers(0, k, count).astype(np.int32), centers)


def sampler(data: Dataset, size: int, *, seed: int = 1, **strata) -> ClusterStratifiedBatchSampler:
    return ClusterStratifiedBatchSampler(data, size, seed=seed, strata=Strata(**strata))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 80),
    st.integers(1, 12),
    st.integers(1, 16),
    st.sampled_from(["always", "from", "alternating", "growing"]),
    st.sampled_from(["merge", "short"]),
    st.sampled_from(["random", "tour"]),
    st.integers(1, 80),
)
def test_every_pair_comes_once_and_no_text_is_its_own_negative(
    count, k, size, schedule, small, order, titles
):
    data = rows(count, titles)
    clusterings = [clustering(count, k)]
    if schedule == "growing":
        clusterings.append(clustering(count, 2 * k, seed=1))
    sources = np.arange(count) % 2
    made = sampler(
        data,
        size,
        clusterings=clusterings,
        sources=sources,
        schedule=schedule,
        start=3,
        small=small,
        order=order,
    )
    for epoch in range(4):
        made.set_epoch(epoch)
        batches = list(made)
        assert len(batches) == len(made)
        assert sorted(row for batch in batches for row in batch) == list(range(count))
        for batch in batches:
            assert 1 <= len(batch) <= size
            assert len({sources[row] for row in batch}) == 1
            assert len({data["text1"][row] for row in batch}) == len(batch)


@pytest.mark.parametrize("order", ["random", "tour"])
def test_a_batch_is_of_one_cluster(order):
    own = clustering(200, 7)
    made = sampler(rows(200), 8, clusterings=[own], small="short", order=order)
    for epoch in range(3):
        made.set_epoch(epoch)
        assert all(len(set(own.labels[batch].tolist())) == 1 for batch in made)
    assert len(made) == sum(-(-c // 8) for c in np.bincount(own.labels)) and made.moved == 0


def test_small_clusters_are_merged_until_they_fill_a_batch():
    own = clustering(120, 40)
    made = sampler(rows(120), 16, clusterings=[own])
    sizes = made.groups[0].sizes
    assert sizes.min() >= 16 and sizes.sum() == 120
    assert min(map(len, made)) >= 8  # a group of a batch and a bit makes two halves
    short = sampler(rows(120), 16, clusterings=[own], small="short")
    assert min(map(len, short)) >= 2  # a pair alone has nothing to be told from
    assert len(made) < len(short)


def test_the_smallest_goes_to_its_nearest_neighbour():
    angles = np.radians([0.0, 10.0, 90.0, 100.0])
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels = np.repeat([0, 1, 2, 3], [2, 9, 9, 3])
    groups = cluster_groups(labels, centers, np.zeros(23, np.int64))
    merged = merge_small(groups, min_pairs=5)
    assert merged.of.tolist() == [0] * 11 + [1] * 12
    apart = merge_small(cluster_groups(labels, centers, (labels > 2).astype(np.int64)), min_pairs=5)
    assert apart.of.tolist() == [0] * 11 + [1] * 9 + [2] * 3  # alone in its source
    whole = merge_small(groups, min_pairs=100)
    assert set(whole.of.tolist()) == {0} and len(whole.centers) == 1


def test_pairs_of_a_title_that_comes_back_are_spread_over_near_clusters():
    centers = np.array([[1, 0], [0.9, 0.44], [0, 1]], np.float32)
    groups = Groups(np.repeat([0, 1, 2], 8), centers, np.zeros(3, np.int64))
    components = np.concatenate([[99] * 5, np.arange(19)])
    spread, moved = spread_connected(groups, components, batch_size=4)
    assert moved == 3
    assert np.bincount(spread.of[:5]).tolist() == [2, 2, 1]  # two batches have room for two
    stays, moved = spread_connected(groups, np.full(24, 7), batch_size=4)
    assert moved == 0 and (stays.of == groups.of).all()


def test_cards_are_dealt_evenly_and_no_component_twice():
    rng = np.random.default_rng(0)
    components = np.array([0] * 5 + [1] * 3 + list(range(2, 12)))
    count = batch_count(components, batch_size=4)
    assert count == 5
    dealt = deal(np.arange(18), components, count, rng)
    assert sorted(map(len, dealt)) == [3, 3, 4, 4, 4]
    assert all(len(set(components[batch])) == len(batch) for batch in dealt)
    assert batch_count(np.zeros(0, np.int64), batch_size=4) == 0


def test_a_tour_goes_to_the_nearest_that_is_left():
    angles = np.radians([0.0, 50.0, 20.0, 120.0])
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert tour(centers, 0) == [0, 2, 1, 3]
    own = Clustering(np.repeat(np.arange(4), 16), centers)
    made = sampler(rows(64), 4, clusterings=[own], order="tour")
    seen = [int(own.labels[batch[0]]) for batch in made]
    path = list(dict.fromkeys(seen))
    assert seen == [group for group in path for _ in range(4)]
    assert path == tour(centers, path[0])


def mixed(batches, labels) -> list[bool]:
    return [len(set(labels[batch].tolist())) > 1 for batch in batches]


def test_schedules_say_which_batches_are_random():
    own = clustering(400, 5)
    late = sampler(rows(400), 10, clusterings=[own], schedule="from", start=60, small="short")
    length = len(late)
    assert 40 <= length < 60
    assert all(mixed(late, own.labels))
    late.set_epoch(1)
    assert mixed(late, own.labels)[60 - length :] == [False] * (2 * length - 60)
    assert all(mixed(late, own.labels)[: 60 - length])
    late.set_epoch(2)
    assert not any(mixed(late, own.labels))
    every_other = sampler(rows(400), 10, clusterings=[own], schedule="alternating", small="short")
    assert mixed(every_other, own.labels) == [i % 2 == 0 for i in range(len(every_other))]
    every_other.set_epoch(1)
    first = len(every_other) % 2
    assert mixed(every_other, own.labels) == [(i + first) % 2 == 0 for i in range(len(every_other))]


def test_k_grows_from_epoch_to_epoch_and_stays():
    few, many = clustering(400, 2), clustering(400, 20, seed=1)
    made = sampler(rows(400), 10, clusterings=[few, many], schedule="growing", small="short")
    for epoch, own, other in ((0, few, many), (1, many, few), (2, many, few)):
        made.set_epoch(epoch)
        assert not any(mixed(made, own.labels)) and any(mixed(made, other.labels))


def test_order_depends_on_seed_and_epoch_alone():
    data, own = rows(100), clustering(100, 4)
    first, again = (sampler(data, 8, clusterings=[own]) for _ in range(2))
    assert list(first) == list(again) == list(first)
    assert list(first) != list(sampler(data, 8, seed=2, clusterings=[own]))
    again.set_epoch(1)
    assert list(first) != list(again)


def test_processes_get_equally_many_batches(monkeypatch):
    monkeypatch.setattr("newsnest.train.samplers.base.processes", lambda: 4)
    own = clustering(90, 5)
    made = sampler(rows(90), 8, clusterings=[own], schedule="alternating")
    batches = list(made)
    assert len(batches) == len(made) and len(made) % 4 == 0 and made.batch_size is None
    assert sorted(row for batch in batches for row in batch) == list(range(90))
    few = sampler(rows(3), 8, clusterings=[clustering(3, 1)])
    assert list(map(len, few)) == [1, 1, 1]


def test_it_plugs_into_the_trainer_and_hears_of_the_epochs(tiny_model, tmp_path):
    from functools import partial

    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    own, finer = clustering(30, 3), clustering(30, 6, seed=1)
    strata = Strata(clusterings=[own, finer], schedule="growing")
    model = SentenceTransformer(str(tiny_model), device="cpu")
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to=[],
        batch_sampler=partial(ClusterStratifiedBatchSampler, strata=strata),
        num_train_epochs=2,
        save_strategy="no",
        disable_tqdm=True,
        seed=1,
    )
    seen: list[list[int]] = []

    class Loss(MultipleNegativesRankingLoss):
        def forward(self, features, labels):
            seen.append(labels.tolist())
            return super().forward(features, labels)

    trainer = SentenceTransformerTrainer(model, arguments, train_dataset=rows(30), loss=Loss(model))
    loader = trainer.get_train_dataloader()
    labels = [torch.as_tensor(batch["label"]).tolist() for batch in loader]
    assert sorted(row for batch in labels for row in batch) == list(range(30))
    assert len(labels) == len(loader) == len(loader.batch_sampler)
    trainer.train()
    expected = sampler(rows(30), 4, clusterings=[own, finer], schedule="growing")
    first = list(expected)
    expected.set_epoch(1)
    assert seen == first + list(expected)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clusterings": []}, "clusterings must be one with schedule=always, got 0"),
        ({"schedule": "growing"}, "clusterings must be two at least with schedule=growing, got 1"),
        ({"sources": np.zeros(3, np.int64)}, "must be of the same pairs, got 3 and 9 of them"),
        ({"start": -1}, "start must be at least 0, got -1"),
        (
            {"clusterings": [Clustering(np.full(9, -1), np.eye(2, dtype=np.float32))]},
            "labels must be from 0 to 1, as there are centers, got -1 to -1",
        ),
    ],
)
def test_strata_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(ParameterError, match=said):
        Strata(**{"clusterings": [clustering(9, 2)], **changes})


def test_what_it_cannot_do_is_said():
    strata = Strata(clusterings=[clustering(4, 2)])
    with pytest.raises(ParameterError, match="batch_size must be at least 1, got 0"):
        ClusterStratifiedBatchSampler(rows(4), 0, strata=strata)
    with pytest.raises(ParameterError, match="drop_last must be False, got True"):
        ClusterStratifiedBatchSampler(rows(4), 2, drop_last=True, strata=strata)
    with pytest.raises(ParameterError, match="two columns of text, got text1"):
        ClusterStratifiedBatchSampler(rows(4).remove_columns("text2"), 2, strata=strata)
    with pytest.raises(ParameterError, match="a label for each of 5 pairs, got 4"):
        ClusterStratifiedBatchSampler(rows(5), 2, strata=strata)
