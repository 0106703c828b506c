"""Articles on which an embedding is measured by itself, and the clusters it makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from newsnest.corpus import Notice, Profile, ReadOptions, settle_languages
from newsnest.corpus.clean import clean_read
from newsnest.corpus.columns import Columns
from newsnest.corpus.date_order import DateOrders
from newsnest.corpus.fields import ArticleMaker, as_text
from newsnest.corpus.options import FIELDS
from newsnest.corpus.read import read_rows
from newsnest.corpus.rows import Row, Tally
from newsnest.embed import ModelRecord
from newsnest.embed.weights import expanded
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.pipeline.model_levels import ModelLevels, is_among
from newsnest.pipeline.nest_texts import NestConfig, nest_texts
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Labels, Rejected, Vectors

UNKNOWN = -1
_OTHERS = ("story", "split")


@dataclass(frozen=True, slots=True)
class TitledArticles:
    """Articles with a title and a text, no title and no text twice.

    Parameters
    ----------
    articles
        In the order of the file.
    stories
        int64 (n,), −1 where unknown.
    left_out
        How many rows are not among them, by reason.
    """

    articles: tuple[Article, ...]
    stories: np.ndarray[Any, np.dtype[np.int64]]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TitledReading:
    """How articles with titles are read.

    Parameters
    ----------
    fields
        Our name → their column: those of articles, and story and split.
    split
        Read only rows with this split; None: all.
    profile
        Clean every article by it.
    most
        Most articles, drawn at random; None: all.
    seed
        Of the draw.

    Raises
    ------
    ParameterError
        If a field is unknown.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None
    profile: Profile | None = None
    most: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        known = (*FIELDS, *_OTHERS)
        for name in self.fields:
            if name not in known:
                raise ParameterError(
                    f"TitledReading: a field must be one of {', '.join(known)}, got {name!r}."
                    f"{did_you_mean(name, known)} Choose one of these."
                )

    def column(self, name: str) -> str:
        """Return the column of story or split."""
        return self.fields.get(name, name)


def read_titled(
    path: Path,
    reading: TitledReading = TitledReading(),
    *,
    progress: Progress = SILENT,
) -> TitledArticles:
    """Read articles with a title and a text, or a summary where there is no text.

    Parameters
    ----------
    path
        See `newsnest.corpus.read_articles`.
    reading
        How it is read.
    progress
        Told how the file is read.

    Raises
    ------
    InputError
        If the file cannot be read, or fewer than two articles are left.
    """
    stories: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    found: list[Article] = []
    seen: set[str] = set()
    for item in settle_languages(_items(path, reading, stories, progress), progress=progress):
        if isinstance(item, Notice):
            progress.note(f"{item.file}: {item.message}")
            continue
        if isinstance(item, Rejected):
            left_out[item.reason if item.reason in _OURS else "not_articles"] += 1
            continue
        keys = {
            f"{kind} {' '.join(text.casefold().split())}"
            for kind, text in (("title", item.title), ("text", item.text))
        }
        if not item.title or not item.text:
            left_out["without_title_or_text"] += 1
        elif seen & keys:
            left_out["with_a_title_or_text_again"] += 1
        else:
            found.append(item)
            seen |= keys
    if reading.most is not None and len(found) > reading.most:
        rows = np.random.default_rng([17, reading.seed]).permutation(len(found))[: reading.most]
        left_out["not_drawn"] = len(found) - reading.most
        found = [found[row] for row in sorted(rows.tolist())]
    if len(found) < 2:
        cure = "Name the columns: --field title=headline,text=lead."
        if others := left_out["other_splits"]:
            cure = f"{others:,} are of other splits than {reading.split!r}: choose another."
        raise InputError(
            f"{path}: two articles at least must have a title and a text, got {len(found)}. {cure}"
        )
    numbers: dict[str, int] = {"": UNKNOWN}
    codes = [numbers.setdefault(stories[a.id], len(numbers) - 1) for a in found]
    return TitledArticles(tuple(found), np.array(codes, np.int64), dict(left_out))


_OURS = ("other_splits", "dropped_by_the_profile")


def _items(
    path: Path, reading: TitledReading, stories: dict[str, str], progress: Progress
) -> Iterator[Article | Rejected | Notice]:
    """Yield what is read; the story of every article is added."""
    given = {name: own for name, own in reading.fields.items() if name not in _OTHERS}
    options = ReadOptions(fields=given)
    columns = Columns(given)
    maker = ArticleMaker(options, columns)
    profile = reading.profile

    def make(row: Row, own: Columns, tally: Tally, orders: DateOrders) -> Article | Rejected:
        split = as_text(row.values.get(reading.column("split")))
        if reading.split is not None and split != reading.split:
            return row.reject(_OURS[0])
        made = maker.make(row, tally, orders)
        if profile is not None and isinstance(made, Article):
            made = clean_read(made, row, profile, tally)
            if isinstance(made, Rejected):
                return row.reject(_OURS[1])
        if isinstance(made, Article):
            stories[made.id] = as_text(row.values.get(reading.column("story")))
        return made

    return read_rows([path], make, columns=columns, options=options, progress=progress)


@dataclass(frozen=True, slots=True)
class LevelClusters:
    """What a level makes of some articles: unit vectors as it compares them, and labels."""

    vectors: Vectors
    labels: Labels


def level_clusters(
    vectors: Vectors, articles: Sequence[Article], *, encoder: str, progress: Progress = SILENT
) -> dict[str, LevelClusters]:
    """Cluster articles as a run does, by text alone: dates would speak for the encoder.

    Returns the clusters by level, coarse to fine, of vectors, float32 (n, d), one row an article.
    The encoder is named as on the command line; the levels of a model's newsnest.json are used.
    """
    model = ModelLevels.of(ModelRecord.read(expanded(encoder)))
    config = NestConfig(encoder, model, time_weight=0.0)
    nested = nest_texts(vectors, articles, np.ones(len(vectors)), config, progress=progress)
    hierarchy = nested.hierarchy
    return {
        level.name: LevelClusters(nested.seen.at(level), labels)
        for level, labels in zip(hierarchy.levels, hierarchy.labels, strict=True)
    }


def trained_on(encoder: str, file: Path) -> bool:
    """Tell whether a model's newsnest.json says that it was trained on this very file."""
    return is_among(file, ModelRecord.read(expanded(encoder)).training_digests)


def kinds_of(articles: Sequence[Article]) -> Iterator[tuple[str, list[str]]]:
    """Yield what clusters may follow instead of events: language and outlet of every article."""
    yield "language", [article.lang for article in articles]
    yield "source", [article.source for article in articles]
