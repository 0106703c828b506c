"""Where a training writes: checkpoints beside the model, and the model all at once at the end.

What `Checkpoints` keeps on the way, safetensors and JSON, is whole at any moment.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from newsnest.corpus import digest
from newsnest.drafts import drafted
from newsnest.embed import ModelRecord, model_record, weights
from newsnest.errors import ParameterError
from newsnest.labelled import DataFile
from newsnest.progress import SILENT, Progress
from newsnest.train.run.base import Base
from newsnest.train.settings import RecipeSettings, setting_fields, settings_content

_RUN = "run.json"

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a model to be, and the one of its checkpoints.

    `output` does not exist until the model is complete. Equal digests `run` mean the same training.
    `settings` are as newsnest.json has them, for messages; `digests` those of the data files, in
    their order.
    """

    output: Path
    run: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    digests: tuple[str, ...] = ()

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints; deleted when the model is complete."""
        return self.output.with_name(f"{self.output.name}.checkpoints")

    def is_complete(self, progress: Progress = SILENT) -> bool:
        """Return whether this very training has ended already, and report it.

        Raises ParameterError if `output` holds something else, has no name of its own or cannot be
        written, or the checkpoints are those of another training.
        """
        if not self.output.name:
            raise self._unnamed()
        if self.output.exists():
            if self.output.is_dir() and ModelRecord.read(self.output).run == self.run:
                progress.note(f"{self.output}: this very training has ended already")
                if self.kept().get("run") == self.run:  # a kill came before they were deleted
                    shutil.rmtree(self.checkpoints, ignore_errors=True)
                return True
            if not self.output.is_dir() or any(self.output.iterdir()):
                raise ParameterError(
                    f"train: output must not exist, got {self.output}, which this training did "
                    f"not write{self._other_settings()}. Choose another folder, or delete it."
                )
        if self.output.is_symlink():
            raise self._unnamed()
        if self.checkpoints.exists() and self.kept().get("run", self.run) != self.run:
            raise ParameterError(
                f"train: the checkpoints in {self.checkpoints} must be those of the same base, "
                "data and settings, got others. Delete the folder, or choose another output."
            )
        # Before the training, not after it.
        there = next(above for above in self.output.absolute().parents if above.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                return False
        except OSError as error:
            raise ParameterError(
                f"train: output must lie in a folder that can be written to, got {self.output} "
                f"({error.strerror}). Choose another, or see to {there}."
            ) from error

    def _unnamed(self) -> ParameterError:
        return ParameterError(
            f"train: output must be a folder with a name of its own, got {self.output}. "
            "Choose another, such as my-model."
        )

    def _other_settings(self) -> str:
        """Say which settings a model of the same recipe was trained with that are others now."""
        there = ModelRecord.read(self.output).settings if self.output.is_dir() else {}
        here = json.loads(json.dumps(self.settings))
        if not here or there.keys() != here.keys():  # another recipe, or no model at all
            return ""
        changes = [
            f"{name} was {json.dumps(there[name])} and is {json.dumps(value)}"
            for name, value in here.items()
            if value != there[name]
        ]
        return f": {'; '.join(changes) or 'the files of its base or data were others'}"

    def kept(self) -> dict[str, Any]:
        """Return what was kept beside the checkpoints; {} if nothing was."""
        try:
            content = json.loads((self.checkpoints / _RUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def keep(self, content: Mapping[str, Any]) -> None:
        """Keep JSON beside the checkpoints."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        model_record.write_json(self.checkpoints / _RUN, {"run": self.run, **content})

    def publish(self, save: Callable[[Path], None]) -> None:
        """Write the model into a draft by `save`, then let it appear under its name."""
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with drafted(self.output, folder=True) as draft:
            save(draft)
        # Checkpoints go last: after a kill in between, `is_complete` removes them.
        shutil.rmtree(self.checkpoints, ignore_errors=True)


def place_of(
    recipe: str, settings: RecipeSettings, base: Base, files: Sequence[DataFile[Any]]
) -> Place:
    """Return where a training writes, identified by all that decides the outcome.

    Where base and data lie, and what they are called, decides nothing; files and folders that the
    settings name are known by their content.
    """
    content = settings_content(settings)
    digests = tuple(digest([file.path]) for file in files)
    named = [own.name for own in setting_fields(type(settings)) if own.metadata.get("encoder")]
    folders = {name: weights.expanded(content[name] or "") for name in named}
    decides = {key: value for key, value in content.items() if key != "report_to"} | {
        "recipe": recipe,
        "base": {
            "files": weights.folder_digests(base.folder),
            "reading": (base.prefix, base.pooling, base.max_length),
        },
        "encoders": {
            name: weights.folder_digests(folder)
            for name, folder in folders.items()
            if content[name] and folder.is_dir()
        },
        "data": [
            [known, asdict(file.reading), dict(file.fields)]
            for known, file in zip(digests, files, strict=True)
        ],
    }
    return Place(settings.output, weights.settings_digest(decides), content, digests)


class Checkpoints:
    """Named tensors, and JSON about them, beside the model to be.

    Tensors are written first and named in the JSON afterwards: whatever the JSON names is whole.
    Without a place everything is kept in memory.
    """

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self.content: dict[str, Any] = {} if place is None else place.kept()
        self._memory: dict[str, dict[str, torch.Tensor]] = {}
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
        # Not earlier: until the JSON names the new files, a kill must find those it named before.
        for path in self.place.checkpoints.glob("*.safetensors"):
            if path.name not in files.values():
                path.unlink()

    def load(self, name: str) -> dict[str, torch.Tensor]:
        """Return tensors that were kept."""
        if self.place is None:
            return self._memory[name]
        return load_file(self.place.checkpoints / f"{name}.safetensors")

    def names(self) -> list[str]:
        """Return the names of all tensors that are kept."""
        return [name.removesuffix(".safetensors") for name in self.content.get("files", ())]

    def _write(self, name: str, values: Tensors) -> None:
        # safetensors refuses tensors that are not contiguous or that share memory.
        kept = {key: value.detach().cpu().contiguous().clone() for key, value in values.items()}
        if self.place is None:
            self._memory[name] = kept
            return
        folder = self.place.checkpoints
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{name}.safetensors.partial"
        save_file(kept, draft)
        draft.replace(folder / f"{name}.safetensors")


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the state of an optimizer as tensors by name."""
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Give an optimizer the state that `optimizer_tensors` returned."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    # Groups are those of the new optimizer, whose rates follow from the settings.
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
