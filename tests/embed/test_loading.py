from __future__ import annotations

import os
import subprocess
import sys

import pytest

from newsnest.embed.loading import patient_threads


def test_the_policy_is_set_inside_alone(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with patient_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert "OMP_WAIT_POLICY" not in os.environ


def test_the_environment_is_restored_after_an_error(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with pytest.raises(ImportError, match="no torch"), patient_threads():
        raise ImportError("no torch")
    assert "OMP_WAIT_POLICY" not in os.environ


def test_a_policy_of_the_user_stays(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    with patient_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings GNU OpenMP on Linux")
def test_torch_takes_the_policy_over():
    code = (
        "from newsnest.embed.loading import patient_threads\nwith patient_threads(): import torch"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "OMP_DISPLAY_ENV": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in done.stderr
