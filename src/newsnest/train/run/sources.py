"""The data files that settings name, parsed and read, whatever they hold."""

from __future__ import annotations

from typing import Any

from newsnest.progress import SILENT, Progress
from newsnest.train.data import articles, columns, files, graded, parallel
from newsnest.train.data.splitting import Splitting, TrainingData
from newsnest.train.data.usual_columns import with_usual_columns
from newsnest.train.settings import (
    ColumnSettings,
    GradedSettings,
    RecipeSettings,
    TranslationSettings,
)

Source = files.DataFile | columns.ColumnSource | parallel.ParallelSource | articles.ArticleFile
"""A file, how it is read, and the names in it of fields that have another name there."""


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
        pairs = files.Reading(s.scale, s.same_is, s.per_grade, s.max_days, s.max_pairs)
        return tuple(files.parse_file(name, pairs) for name in s.data)
    if isinstance(s, ColumnSettings):
        two = columns.ColumnReading(s.columns or ("", ""), s.max_pairs, s.profile)
        names = s.data if s.columns else tuple(map(with_usual_columns, s.data))
        return tuple(columns.parse_column_source(name, two) for name in names)
    if isinstance(s, TranslationSettings):
        sentences = parallel.ParallelReading(s.pivot, s.languages, s.max_pairs)
        return tuple(parallel.parse_source(name, sentences) for name in s.data)
    return tuple(map(articles.parse_article_file, s.data))


def read_pairs(
    settings: Any,
    sources: Any,
    *,
    encode: graded.Encode | None = None,
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
        return columns.read_column_pairs(sources, split, progress=progress)
    if isinstance(s, TranslationSettings):
        return parallel.read_translations(sources, split, progress=progress)
    return graded.read_training_data(sources, split, encode=encode, progress=progress)


def column_names(data: TrainingData) -> str:
    """Return the columns that pairs were read from, in words."""
    pairs = dict.fromkeys(tuple(file["reading"]["columns"]) for file in data.sources)
    return ", ".join(" and ".join(two) for two in pairs)
