"""Articles to train on without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsnest.corpus import ReadOptions, columns, digest
from newsnest.corpus.options import FIELDS
from newsnest.errors import InputError, did_you_mean
from newsnest.labelled.articles import stream_labelled
from newsnest.labelled.data_files import DataFile, Reading
from newsnest.progress import SILENT, Progress
from newsnest.types import Rejected

MIN_TEXTS = 20


@dataclass(frozen=True, slots=True)
class TextReading(Reading):
    """How a file of articles is read beside its texts.

    Parameters
    ----------
    gold
        Column of gold labels, "" for none; they are reported and never used.
    """

    FIELDS = FIELDS
    FOLDERS = True
    gold: str = ""


@dataclass(frozen=True, slots=True)
class TrainingTexts:
    """Texts to train on, and where they come from.

    Parameters
    ----------
    texts
        As an encoder reads them (`Article.body`).
    gold
        A label each, None where unknown; None where no file names a column.
    sources
        By file: name, digest, and counts.
    """

    texts: tuple[str, ...]
    gold: tuple[str | None, ...] | None
    sources: tuple[Mapping[str, Any], ...]


def read_training_texts(
    files: Sequence[DataFile[TextReading]], *, progress: Progress = SILENT
) -> TrainingTexts:
    """Read the texts of files.

    Parameters
    ----------
    files
        `parse_data` returns them.
    progress
        Reports what a file has that is no article.

    Raises
    ------
    InputError
        If a file cannot be read, has no such gold column, or all have fewer than 20 articles that
        differ.
    """
    texts: list[str] = []
    gold: list[str | None] = []
    sources: list[Mapping[str, Any]] = []
    for number, file in enumerate(files):
        # Labels of two files have nothing to do with each other.
        tag = f"{number}:" if len(files) > 1 else ""
        before, rejected = len(texts), 0
        seen: dict[str, None] = {}
        column = file.reading.gold
        options = ReadOptions(fields=file.fields, detect_language=False)
        labels = {"gold": column} if column else {}
        for item in stream_labelled([file.path], labels, options=options, progress=progress):
            if isinstance(item, Rejected):
                if not rejected:
                    progress.note(f"{item.file}, line {item.line}: {item.reason}")
                rejected += 1
            else:
                article, row, own = item
                seen.update(dict.fromkeys(row.values))
                texts.append(article.body)
                label = own.get("gold", "")
                gold.append(tag + label if label else None)
        if rejected:
            are = "row is" if rejected == 1 else "rows are"
            progress.note(f"{file.path}: {rejected:,} {are} no article and left out")
        if column and not any(gold[before:]):
            if columns.find_column(column, tuple(seen)) is None:
                raise InputError(
                    f"{file.path}: gold={column} must name a column, got none of that name."
                    f"{did_you_mean(column, seen)} Choose among "
                    f"{', '.join(seen) or 'none: the file has no rows'}."
                )
            progress.note(f"{file.path}: no row has a label in {column}: nothing is scored")
        sources.append(
            {
                "file": file.path.name,
                "digest": digest([file.path]),
                "fields": dict(file.fields),
                "gold": column,
                "articles": len(texts) - before,
                "rejected": rejected,
            }
        )
    different = len(set(texts))
    if different < MIN_TEXTS:
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: at least {MIN_TEXTS} different "
            f"articles are needed to train on, got {different}. Give more data."
        )
    asked = any(file.reading.gold for file in files)
    return TrainingTexts(tuple(texts), tuple(gold) if asked else None, tuple(sources))
