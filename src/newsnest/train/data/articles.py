"""Articles to train on without labels, as every reader of `newsnest.corpus` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.corpus import Notice, ReadOptions, digest, read_articles_with_rows
from newsnest.corpus.fields import as_text
from newsnest.corpus.options import FIELDS
from newsnest.errors import InputError, did_you_mean
from newsnest.progress import SILENT, Progress
from newsnest.train.data.files import parse_told
from newsnest.types import Rejected

LEAST_TEXTS = 20


@dataclass(frozen=True, slots=True)
class Labelling:
    """Which column holds gold labels.

    Parameters
    ----------
    gold
        Its name, "" for none; gold labels are reported and never used.
    """

    gold: str = ""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """A file or folder of articles.

    Parameters
    ----------
    path
        Of the file or folder.
    fields
        Our name → their column, of what has another name there.
    reading
        What it is read for beside its texts.
    """

    path: Path
    fields: Mapping[str, str]
    reading: Labelling


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


def parse_article_file(told: str) -> ArticleFile:
    """Return what is meant by "PATH" or "PATH,key=value,…", such as "a.csv,text=body,gold=topic".

    Raises
    ------
    ParameterError
        If a key is neither gold nor a field of an article.
    """
    path, reading, fields = parse_told(told, Labelling(), FIELDS)
    return ArticleFile(path, fields, reading)


def read_training_texts(
    files: Sequence[ArticleFile], *, progress: Progress = SILENT
) -> TrainingTexts:
    """Read the texts of files.

    Parameters
    ----------
    files
        `parse_article_file` returns them.
    progress
        Told what a file has that is no article.

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
        before, rejected = len(texts), 0
        labels = _Labels(file)
        options = ReadOptions(fields=file.fields, detect_language=False)
        for found in read_articles_with_rows([file.path], options=options, progress=progress):
            if isinstance(found, Notice):
                progress.note(f"{found.file}: {found.message}")
            elif isinstance(found, Rejected):
                if not rejected:
                    progress.note(f"{found.file}, line {found.line}: {found.reason}")
                rejected += 1
            else:
                article, row = found
                texts.append(article.body)
                label = labels.of(row)
                # Labels of two files have nothing to do with each other.
                gold.append(f"{number}:{label}" if label and len(files) > 1 else label)
        if rejected:
            are = "row is" if rejected == 1 else "rows are"
            progress.note(f"{file.path}: {rejected:,} {are} no article and left out")
        labels.check(progress)
        sources.append(
            {
                "file": file.path.name,
                "digest": digest([file.path]),
                "fields": dict(file.fields),
                "gold": file.reading.gold,
                "articles": len(texts) - before,
                "rejected": rejected,
            }
        )
    different = len(set(texts))
    if different < LEAST_TEXTS:
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: {LEAST_TEXTS} different articles at "
            f"least are needed to train on, got {different}. Give more data."
        )
    asked = any(file.reading.gold for file in files)
    return TrainingTexts(tuple(texts), tuple(gold) if asked else None, tuple(sources))


class _Labels:
    """The gold labels of a file, row by row; none where it names no column."""

    def __init__(self, file: ArticleFile) -> None:
        self.path, self.column = file.path, file.reading.gold
        self.columns: dict[str, None] = {}
        self.any = False

    def of(self, row: Mapping[str, object]) -> str | None:
        """Return the label of a row, None where it has none."""
        if not self.column:
            return None
        self.columns.update(dict.fromkeys(row))
        try:
            label = as_text(row.get(self.column)) or None
        except TypeError as error:
            raise InputError(
                f"{self.path}: gold={self.column} must name a column of labels, got one that "
                f"holds {error}. Choose another."
            ) from None
        self.any = self.any or label is not None
        return label

    def check(self, progress: Progress) -> None:
        """Raise if no row had such a column; say so if none had a label in it."""
        if not self.column or self.any:
            return
        if self.column in self.columns:
            progress.note(f"{self.path}: no row has a label in {self.column}: nothing is scored")
            return
        raise InputError(
            f"{self.path}: gold={self.column} must name a column, got none of that name."
            f"{did_you_mean(self.column, self.columns)} Choose among "
            f"{', '.join(self.columns) or 'none: the file has no rows'}."
        )
