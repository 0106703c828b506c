"""The head beside a model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from newsnest.errors import EncoderError, ParameterError
from newsnest.train.cluster_head import HEAD_FILE, ClusterHead

HEAD = ClusterHead(np.array([[2.0, 0], [0, 2.0], [-1, -1]], np.float32), np.zeros(3, np.float32))


def test_soft_assignment_is_the_softmax_of_the_linear_map_of_unit_vectors():
    found = HEAD.predict_proba(np.array([[3.0, 0.0]], np.float32))
    raised = np.exp([2.0, 0.0, -1.0])
    assert found[0] == pytest.approx(raised / raised.sum(), rel=1e-6)
    assert found.dtype == np.float32


def test_rows_sum_to_one_however_large_the_logits():
    head = ClusterHead(1e4 * HEAD.weight, HEAD.bias)
    found = head.predict_proba(np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32))
    assert found.sum(axis=1) == pytest.approx(np.ones(9)) and np.isfinite(found).all()
    assert head.predict(np.eye(2, dtype=np.float32)).tolist() == [0, 1]


def test_it_is_read_as_it_was_written(tmp_path: Path):
    HEAD.save(tmp_path)
    found = ClusterHead.load(tmp_path)
    assert (found.weight == HEAD.weight).all() and (found.bias == HEAD.bias).all()


def test_vectors_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match=r"must be of shape \(n, 2\), got \(1, 3\)"):
        HEAD.predict_proba(np.ones((1, 3), np.float32))
    with pytest.raises(ParameterError, match="must be finite and not zero, got 1 that"):
        HEAD.predict_proba(np.array([[0, 0], [1, 0]], np.float32))
    with pytest.raises(ParameterError, match="must be finite and not zero, got 1 that"):
        HEAD.predict_proba([[np.nan, 0], [1, 0]])


def test_a_folder_without_a_head_or_with_a_broken_one_is_told(tmp_path: Path):
    with pytest.raises(EncoderError, match=f"must hold {HEAD_FILE}, got none"):
        ClusterHead.load(tmp_path)
    (tmp_path / HEAD_FILE).write_bytes(b"no tensors")
    with pytest.raises(EncoderError, match="must hold the tensors weight and bias"):
        ClusterHead.load(tmp_path)
    save_file({"weight": HEAD.weight}, tmp_path / HEAD_FILE)
    with pytest.raises(EncoderError, match="must hold the tensors weight and bias"):
        ClusterHead.load(tmp_path)


def test_reading_it_loads_no_torch(tmp_path: Path):
    import subprocess

    HEAD.save(tmp_path)
    code = (
        "import sys; from newsnest.train.cluster_head import ClusterHead; "
        f"ClusterHead.load({str(tmp_path)!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
