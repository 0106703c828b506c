"""What every training knows before its first step: base, data, place, device, precision."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import torch
from sentence_transformers import SentenceTransformer

from newsnest import labelled
from newsnest.embed.config import multiplies_bfloat16
from newsnest.errors import ParameterError
from newsnest.labelled.data_files import Reading
from newsnest.labelled.graded import Encode
from newsnest.progress import SILENT, Progress
from newsnest.train import settings as kinds
from newsnest.train.run.base import Base, find_base, load_base
from newsnest.train.run.place import Place, place_of

S = TypeVar("S", bound=kinds.RecipeSettings)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingContext(Generic[S]):
    """What a recipe's function is given.

    Parameters
    ----------
    recipe
        Its name.
    settings
        Of the recipe.
    base
        The model to start from.
    progress
        Silent in all processes but the main one.
    device
        To train on.
    bfloat16
        Whether to compute in it, as chosen where the settings leave it open.
    processes
        How many there are.
    is_main
        Whether this process is the one that writes.
    files
        The data; empty in a training on texts at hand.
    kept_at
        Where checkpoints and the model go; None in a training on texts at hand.
    """

    recipe: str
    settings: S
    base: Base
    progress: Progress
    device: torch.device
    bfloat16: bool = False
    processes: int = 1
    is_main: bool = True
    files: tuple[labelled.DataFile[Any], ...] = ()
    kept_at: Place | None = None

    @property
    def place(self) -> Place:
        """Where checkpoints and the model go."""
        assert self.kept_at is not None  # Recipe.run has called with_files
        return self.kept_at

    def with_files(self) -> Self:
        """Return a context that knows its data files and its place.

        Raises
        ------
        InputError, ParameterError
            If what names a file cannot be understood.
        """
        found = _parsed_files(self.settings)
        place = place_of(self.recipe, self.settings, self.base, found)
        return replace(self, files=found, kept_at=place)

    def read_pairs(self, encode: Encode | None = None) -> labelled.TrainingData:
        """Return the pairs of the data files to train and validate on, without leaks.

        Parameters
        ----------
        encode
            Finds neighbouring themes where pairs are built from gold labels; None: at random.

        Raises
        ------
        InputError
            If a file cannot be used.
        """
        s: Any = self.settings  # `SplitSettings`: a recipe that reads articles does not call this
        found: Any = self.files
        hard = s.hard_share if isinstance(s, kinds.GradedSettings) else 0.0
        split = labelled.Splitting(s.validation, s.validation_pairs, hard, s.seed)
        if isinstance(s, kinds.ColumnSettings):
            return labelled.read_column_pairs(found, split, progress=self.progress)
        if isinstance(s, kinds.TranslationSettings):
            return labelled.read_translations(found, split, progress=self.progress)
        return labelled.read_training_data(found, split, encode=encode, progress=self.progress)

    def read_texts(self) -> labelled.TrainingTexts:
        """Return the texts of the data files."""
        found: Any = self.files  # articles, by their settings
        texts = labelled.read_training_texts(found, progress=self.progress)
        self.progress.note(f"{len(texts.texts):,} texts to train on")
        return texts

    def load_base(self, other: Base | None = None) -> SentenceTransformer:
        """Load the base, or another model found by `find_base`, on the device of the training."""
        return load_base(other or self.base, device=str(self.device))

    def once(self, make: Callable[[], T]) -> T:
        """Return what the main process makes, in all processes.

        Vectors of two devices differ in their last bits, and a disk changes between two looks:
        what is decided by either is decided once.
        """
        made = [make() if self.is_main else None]
        if self.processes > 1:
            from accelerate.utils import broadcast_object_list

            made = broadcast_object_list(made)
        (found,) = made
        return found  # type: ignore[return-value]  # None in the others until it is broadcast

    def main_first(self) -> AbstractContextManager[None]:
        """Let the main process do a block before the others do it."""
        if self.processes == 1:
            return nullcontext()
        from accelerate import PartialState

        first: AbstractContextManager[None] = PartialState().main_process_first()
        return first

    def wait(self) -> None:
        """Wait until all processes have come so far."""
        if self.processes > 1:
            from accelerate import PartialState

            PartialState().wait_for_everyone()


def begin(recipe: str, settings: S, progress: Progress = SILENT) -> TrainingContext[S]:
    """Find the base, the processes, their device and the precision.

    Raises EncoderError if there is no such base, and ParameterError if it cannot be trained, or not
    in this precision, or a tracker is not installed.
    """
    if isinstance(settings, kinds.TrainerSettings):
        check_trackers(settings.report_to)
    reading: dict[str, Any] = {}
    machine: dict[str, Any] = {"device": torch.device("cpu")}
    if isinstance(settings, kinds.ModelSettings):
        from accelerate import PartialState

        s, state = settings, PartialState(cpu=settings.device == "cpu")
        progress = progress if state.is_main_process else SILENT
        reading = {"prefix": s.prefix, "pooling": s.pooling, "max_length": s.max_length}
        machine = {
            "device": state.device,
            "bfloat16": uses_bfloat16(
                s.precision, state.device, cpu_is_good_at_it=multiplies_bfloat16()
            ),
            "processes": state.num_processes,
            "is_main": state.is_main_process,
        }
    base = find_base(settings.base, progress=progress, **reading)
    return TrainingContext(
        recipe=recipe, settings=settings, base=base, progress=progress, **machine
    )


def _parsed_files(settings: kinds.RecipeSettings) -> tuple[labelled.DataFile[Any], ...]:
    """Return the files that settings name, each with how it is read."""
    s = settings
    usual: Reading = labelled.TextReading()
    if isinstance(s, kinds.GradedSettings):
        usual = labelled.GradedReading(s.scale, s.same_is, s.per_grade, s.max_days, s.max_pairs)
    elif isinstance(s, kinds.ColumnSettings):
        usual = labelled.ColumnReading(s.columns, s.max_pairs, s.profile)
    elif isinstance(s, kinds.TranslationSettings):
        usual = labelled.ParallelReading(s.pivot, s.languages, s.max_pairs)
    return tuple(labelled.parse_data(s.data, usual))


def uses_bfloat16(precision: str, device: torch.device, *, cpu_is_good_at_it: bool) -> bool:
    """Tell whether to compute in bfloat16; ParameterError for one asked of a GPU without it."""
    if precision == "float32":
        return False
    if device.type == "cuda":
        able = bool(torch.cuda.is_bf16_supported())
        if precision == "bfloat16" and not able:
            raise ParameterError(
                f"train: precision must be float32 on {torch.cuda.get_device_name()}, which has no "
                "bfloat16, got bfloat16. Leave precision out."
            )
        return able
    return precision == "bfloat16" or (device.type == "cpu" and cpu_is_good_at_it)


def check_trackers(names: Sequence[str]) -> None:
    """Raise ParameterError where a tracker is unknown or not installed: before data are read."""
    if tuple(names) in (("none",), ("all",)):
        return
    from transformers.integrations import get_reporting_integration_callbacks

    try:
        for tracker in get_reporting_integration_callbacks(list(names)):
            tracker()
    except (ValueError, RuntimeError, ImportError) as error:
        raise ParameterError(
            f"train: report_to must name trackers that are installed, got {':'.join(names)}: "
            f"{error} Leave it out, or install the tracker."
        ) from error
