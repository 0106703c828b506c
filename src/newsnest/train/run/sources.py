"""The data files that settings name, parsed and read, whatever they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from newsnest.progress import SILENT, Progress
from newsnest.train.data.articles import parse_article_file
from newsnest.train.data.columns import ColumnReading, parse_column_source, read_column_pairs
from newsnest.train.data.files import Reading, parse_file
from newsnest.train.data.graded import Encode, read_training_data
from newsnest.train.data.parallel import ParallelReading, parse_source, read_translations
from newsnest.train.data.splitting import Splitting, TrainingData
from newsnest.train.data.usual_columns import with_usual_columns
from newsnest.train.settings import (
    ColumnSettings,
    GradedSettings,
    RecipeSettings,
    TranslationSettings,
)  # fmt: skip

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Source(Protocol):
    """A file, and how it is read."""

    @property
    def path(self) -> Path:
        """Of the file or folder."""
        ...

    @property
    def reading(self) -> DataclassInstance:
        """Settings of the file."""
        ...

    @property
    def fields(self) -> Mapping[str, str]:
        """Names in the file of what has another name there."""
        ...


def parse_sources(settings: RecipeSettings) -> tuple[Source, ...]:
    """Return the files that settings name, each with how it is read.

    Raises
    ------
    InputError
        If a file that must be looked into cannot be read.
    ParameterError
        If a setting of a file is unknown, or out of its domain.
    """
    s = settings
    if isinstance(s, GradedSettings):
        graded = Reading(s.scale, s.same_is, s.per_grade, s.max_days, s.max_pairs)
        return tuple(parse_file(name, graded) for name in s.data)
    if isinstance(s, ColumnSettings):
        columns = ColumnReading(s.columns or ("", ""), s.max_pairs, s.profile)
        names = s.data if s.columns else tuple(map(with_usual_columns, s.data))
        return tuple(parse_column_source(name, columns) for name in names)
    if isinstance(s, TranslationSettings):
        parallel = ParallelReading(s.pivot, s.languages, s.max_pairs)
        return tuple(parse_source(name, parallel) for name in s.data)
    return tuple(map(parse_article_file, s.data))


def read_pairs(
    settings: Any,
    files: Any,
    *,
    encode: Encode | None = None,
    progress: Progress = SILENT,
) -> TrainingData:
    """Return pairs to train and validate on, without leaks.

    Parameters
    ----------
    settings
        `SplitSettings`: what the files hold, and how much is held out.
    files
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
        return read_column_pairs(files, split, progress=progress)
    if isinstance(s, TranslationSettings):
        return read_translations(files, split, progress=progress)
    return read_training_data(files, split, encode=encode, progress=progress)


def column_names(data: TrainingData) -> str:
    """Return the columns that pairs were read from, in words."""
    pairs = dict.fromkeys(tuple(file["reading"]["columns"]) for file in data.sources)
    return ", ".join(" and ".join(two) for two in pairs)
