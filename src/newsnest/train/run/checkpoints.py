"""What a training keeps on the way, as safetensors and JSON, whole at any moment."""

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from newsnest.train.run.place import Place

Tensors = Mapping[str, Tensor]


class Checkpoints:
    """Named tensors, and JSON about them, beside the model to be.

    Tensors are written first and named in the JSON afterwards: whatever the JSON names is whole.
    Without a place everything is kept in memory.
    """

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self.content: dict[str, Any] = {} if place is None else place.kept()
        self._memory: dict[str, dict[str, Tensor]] = {}
        if place is not None and place.checkpoints.is_dir():
            named = set(self.content.get("files", ()))
            for path in place.checkpoints.glob("*.safetensors*"):
                if path.name not in named:  # a kill left it
                    path.unlink()

    def save(self, tensors: Mapping[str, Tensors], **content: Any) -> None:
        """Keep tensors by name, drop all others, and keep `content`, JSON, about them.

        An empty mapping stands for the tensors kept under that name before; content replaces what
        was kept under the same key.
        """
        files = {name: f"{name}.safetensors" for name in tensors}
        for name, values in tensors.items():
            if values:
                self._write(name, values)
        self.content = {**self.content, **content, "files": sorted(files.values())}
        if self.place is None:
            self._memory = {name: self._memory[name] for name in tensors}
            return
        self.place.keep({key: value for key, value in self.content.items() if key != "run"})
        for path in self.place.checkpoints.glob("*.safetensors"):
            if path.name not in files.values():
                path.unlink()

    def load(self, name: str) -> dict[str, Tensor]:
        """Return tensors that were kept."""
        if self.place is None:
            return self._memory[name]
        return load_file(self.place.checkpoints / f"{name}.safetensors")

    def names(self) -> list[str]:
        """Return the names of all tensors that are kept."""
        return [name.removesuffix(".safetensors") for name in self.content.get("files", ())]

    def _write(self, name: str, values: Tensors) -> None:
        kept = {key: value.detach().cpu().contiguous().clone() for key, value in values.items()}
        if self.place is None:
            self._memory[name] = kept
            return
        folder = self.place.checkpoints
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{name}.safetensors.partial"
        save_file(kept, draft)
        draft.replace(folder / f"{name}.safetensors")


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of an optimizer as tensors by name."""
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Give an optimizer the state that `optimizer_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
