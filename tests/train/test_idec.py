"""IDEC on clusters that are there, and on what it must refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from newsnest.errors import ParameterError
from newsnest.evaluate import cluster_scores
from newsnest.train.idec import IDEC, IDECTraining

QUICK = IDECTraining(pretrain_epochs=20, epochs=10)


def blobs(n=300, k=4, d=12, seed=0):
    rng = np.random.default_rng(seed)
    gold = rng.integers(k, size=n)
    rows = rng.normal(size=(k, d))[gold] * 3 + rng.normal(size=(n, d))
    return rows.astype(np.float32), gold


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_clusters_that_are_there_are_found():
    rows, gold = blobs()
    model = IDEC(4, training=QUICK)
    labels = model.fit_predict(rows)
    assert cluster_scores(labels, gold).accuracy > 0.95
    assert labels.dtype == np.int32 and set(labels.tolist()) <= set(range(4))
    assert model.hidden_.shape == (300, 5) and 0 < model.epochs_ <= 10


def test_the_seed_decides_and_the_dice_of_the_caller_stay_where_they_are():
    rows, _ = blobs(n=120)
    short = IDECTraining(pretrain_epochs=2, epochs=2)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, again, other = (IDEC(3, training=short, seed=s).fit(rows) for s in (0, 0, 1))
    assert (torch.random.get_rng_state() == before).all()
    assert (one.hidden_ == again.hidden_).all() and (one.labels_ == again.labels_).all()
    assert (one.hidden_ != other.hidden_).any()


def test_neither_the_scale_nor_the_place_of_the_rows_matters():
    rows, _ = blobs(n=120)
    short = IDECTraining(pretrain_epochs=3, epochs=2)
    small, large = (IDEC(3, training=short).fit(rows * np.float32(s)) for s in (2**-10, 2**10))
    assert (small.labels_ == large.labels_).all()
    away = IDEC(3, training=QUICK).fit(rows + np.float32(8))
    assert cluster_scores(away.labels_, IDEC(3, training=QUICK).fit(rows).labels_).ari > 0.95


def test_idec_refuses_what_it_cannot_cluster():
    rows, _ = blobs(n=10)
    for k in (1, 11):
        with pytest.raises(
            ParameterError, match=rf"IDEC: n_clusters must be from 2 .* got {k} for"
        ):
            IDEC(k).fit(rows)
    with pytest.raises(ParameterError, match="IDEC: n_clusters must be from 2"):
        IDEC(2).fit(rows[0])
    rows[2, 3] = np.nan
    with pytest.raises(ParameterError, match="IDEC: X must be finite, got NaN or infinity"):
        IDEC(2).fit(rows)
