"""What a training keeps on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from newsnest.train.run.place import Checkpoints, Place, optimizer_tensors, restore_optimizer

ONE = {"a": torch.arange(3.0)}


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_is_kept_is_found_and_the_rest_is_dropped(tmp_path: Path, on_disk: bool):
    kept = Checkpoints(Place(tmp_path / "model", "run") if on_disk else None)
    kept.save({"first": ONE, "second": ONE}, step=1)
    kept.save({"first": {}, "third": {"b": torch.ones(2)}}, step=2)
    assert kept.names() == ["first", "third"] and kept.content["step"] == 2
    assert torch.equal(kept.load("first")["a"], ONE["a"])
    if on_disk:
        again = Checkpoints(Place(tmp_path / "model", "run"))
        assert again.names() == ["first", "third"] and again.content["step"] == 2
        found = (tmp_path / "model.checkpoints").glob("*.safetensors")
        assert sorted(path.name for path in found) == ["first.safetensors", "third.safetensors"]


def test_what_a_kill_left_unnamed_is_deleted(tmp_path: Path):
    place = Place(tmp_path / "model", "run")
    Checkpoints(place).save({"first": ONE}, step=1)
    for name in ("second.safetensors", "second.safetensors.partial"):
        (place.checkpoints / name).write_bytes(b"half")
    assert Checkpoints(place).names() == ["first"]
    assert {path.name for path in place.checkpoints.iterdir()} == {"run.json", "first.safetensors"}


def test_an_optimizer_goes_on_as_if_nothing_had_been():
    def steps(optimizer: torch.optim.Optimizer, weight: torch.Tensor, n: int) -> None:
        for _ in range(n):
            (weight**2).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    one, other = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    whole, half = torch.optim.AdamW([one]), torch.optim.AdamW([other])
    steps(whole, one, 5)
    steps(half, other, 3)
    resumed = torch.optim.AdamW([other])
    restore_optimizer(resumed, optimizer_tensors(half))
    steps(resumed, other, 2)
    assert torch.equal(one, other)
