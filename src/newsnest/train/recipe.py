"""What a recipe is, and how any recipe is run."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from newsnest.embed.loading import patient_threads
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.settings import RecipeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A way to train an encoder.

    Parameters
    ----------
    name
        As in `newsnest train NAME`.
    summary
        One line.
    settings
        The dataclass of its settings; its READS is what the data files hold.
    work
        Trains and publishes: a function of a `newsnest.train.run.TrainingContext`, or where it
        stands, "package.module:function", imported when the recipe runs. Name a place where the
        function's module loads torch, so that help stays quick.
    about
        What it does, when to prefer another recipe, notes and source; shown by --help.
    needs
        Packages that must be installed.
    several_processes
        Whether it can be started by accelerate with several processes.
    resumes
        Whether it resumes an interrupted run; False: it is quick, and starts anew.
    """

    name: str
    summary: str
    settings: type[RecipeSettings]
    work: str | Callable[[Any], None]
    about: str = ""
    needs: tuple[str, ...] = ("accelerate", "datasets")
    several_processes: bool = False
    resumes: bool = True

    def run(self, settings: RecipeSettings, *, progress: Progress = SILENT) -> Path:
        """Train, and return the folder of the model, which plain sentence-transformers loads.

        Run with the same settings again, it resumes an interrupted training; a model that is
        complete is returned as it is.

        Parameters
        ----------
        settings
            Of this recipe's class.
        progress
            Reports what the data holds, what was chosen, and how training goes.

        Raises
        ------
        InputError
            If a data file cannot be used, or holds too little.
        ParameterError
            If a setting cannot be used with this base or these data, `output` holds something
            else, a package is missing, or several processes were started for a recipe of one.
        EncoderError
            If the base, or another encoder that the settings name, cannot be found or loaded.

        Notes
        -----
        Deterministic for a seed on one machine with one number of threads, also where it was
        interrupted.
        """
        if not isinstance(settings, self.settings):
            raise ParameterError(
                f"train {self.name}: settings must be {self.settings.__name__}, got "
                f"{type(settings).__name__}. Make them of that class."
            )
        require_packages(self.needs)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        if processes > 1 and not self.several_processes:  # each would train and write for itself
            raise ParameterError(
                f"train {self.name}: processes must be 1, got {processes}. Start it without "
                "accelerate."
            )
        with patient_threads():  # torch is loaded here, if it was not
            from newsnest.train.run import begin
        context = begin(self.name, settings, progress).with_files()
        if not context.place.is_complete(context.progress):
            work = self.work
            if isinstance(work, str):
                module, _, name = work.partition(":")
                work = getattr(import_module(module), name)
            work(context)
        return settings.output


def require_packages(names: tuple[str, ...] = ("accelerate", "datasets")) -> None:
    """Raise ParameterError unless packages are installed; by default those of the trainer."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise ParameterError(
            f"train: the packages {' and '.join(names)} must be installed, got no "
            f'{" and no ".join(missing)}. Run pip install "newsnest[train]".'
        )
