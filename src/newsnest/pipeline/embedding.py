"""The clusters an embedding makes of articles on which it is measured by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsnest.embed import ModelRecord, weights
from newsnest.pipeline.model_levels import ModelLevels, is_among
from newsnest.pipeline.nest_texts import NestConfig, nest_texts
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Labels, Vectors


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
    model = ModelLevels.of(ModelRecord.read(weights.expanded(encoder)))
    config = NestConfig(encoder, model, time_weight=0.0)
    nested = nest_texts(vectors, articles, np.ones(len(vectors)), config, progress=progress)
    hierarchy = nested.hierarchy
    return {
        level.name: LevelClusters(nested.seen.at(level), labels)
        for level, labels in zip(hierarchy.levels, hierarchy.labels, strict=True)
    }


def trained_on(encoder: str, file: Path) -> bool:
    """Tell whether a model's newsnest.json says that it was trained on this very file."""
    return is_among(file, ModelRecord.read(weights.expanded(encoder)).training_digests)


def kinds_of(articles: Sequence[Article]) -> Iterator[tuple[str, list[str]]]:
    """Yield what clusters may follow instead of events: language and outlet of every article."""
    yield "language", [article.lang for article in articles]
    yield "source", [article.source for article in articles]
