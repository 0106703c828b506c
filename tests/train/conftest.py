from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from newsnest.train.recipes.matryoshka import MatryoshkaSettings


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Several threads are slower for models so small, and slowest beside other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def settings(
    tiny_model: Path, pair_file: Path, tmp_path: Path
) -> Callable[..., MatryoshkaSettings]:
    """Settings of a training that takes a second."""

    def make(**changes) -> MatryoshkaSettings:
        usual = {
            "data": (f"{pair_file},scale=4:1",),
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "save": "trained",
            "device": "cpu",
            "precision": "float32",
            "learning_rate": 1e-3,
            "epochs": 1,
            "validation": 0.25,
        }
        return MatryoshkaSettings(**{**usual, **changes})

    return make
