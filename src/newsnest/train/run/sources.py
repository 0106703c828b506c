"""The data files that settings name, parsed and read, whatever they hold."""

from __future__ import annotations

from typing import Any

from newsnest import labelled
from newsnest.labelled import DataFile, Splitting, TrainingData
from newsnest.labelled.data_files import Reading
from newsnest.labelled.graded import Encode
from newsnest.progress import SILENT, Progress
from newsnest.train.settings import (
    ColumnSettings,
    GradedSettings,
    RecipeSettings,
    TranslationSettings,
)


def parse_sources(settings: RecipeSettings) -> list[DataFile[Any]]:
    """Return the files that settings name, each with how it is read.

    Raises
    ------
    InputError
        If a file that must be looked into cannot be read.
    ParameterError
        If a setting of a file is unknown, or out of its domain.
    """
    s = settings
    usual: Reading = labelled.TextReading()
    if isinstance(s, GradedSettings):
        usual = labelled.GradedReading(s.scale, s.same_is, s.per_grade, s.max_days, s.max_pairs)
    elif isinstance(s, ColumnSettings):
        usual = labelled.ColumnReading(s.columns, s.max_pairs, s.profile)
    elif isinstance(s, TranslationSettings):
        usual = labelled.ParallelReading(s.pivot, s.languages, s.max_pairs)
    return labelled.parse_data(s.data, usual)


def read_training_pairs(
    settings: Any,
    sources: Any,
    *,
    encode: Encode | None = None,
    progress: Progress = SILENT,
) -> TrainingData:
    """Return pairs to train and validate on, without leaks.

    Parameters
    ----------
    settings
        `SplitSettings`: what the files hold, and how much is held out.
    sources
        As `parse_sources` returned them.
    encode
        Finds neighbouring themes where pairs are built from gold labels; None: at random.
    progress
        Reports what the files hold and what is left out.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    s = settings
    hard = s.hard_share if isinstance(s, GradedSettings) else 0.0
    split = Splitting(s.validation, s.validation_pairs, hard, s.seed)
    if isinstance(s, ColumnSettings):
        return labelled.read_column_pairs(sources, split, progress=progress)
    if isinstance(s, TranslationSettings):
        return labelled.read_translations(sources, split, progress=progress)
    return labelled.read_training_data(sources, split, encode=encode, progress=progress)


def column_names(data: TrainingData) -> str:
    """Return the columns that pairs were read from, in words."""
    pairs = dict.fromkeys(tuple(file["reading"]["columns"]) for file in data.sources)
    return ", ".join(" and ".join(two) for two in pairs)
