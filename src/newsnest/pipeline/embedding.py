"""The clusters an embedding makes of articles on which it is measured by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsnest.cluster import auto_levels, fit_frame, level_vectors, nest_levels
from newsnest.embed.weights import expanded, read_metadata
from newsnest.pipeline.frames import centred_together
from newsnest.pipeline.model_levels import ModelLevels, was_trained_on
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

    Parameters
    ----------
    vectors
        float32 (n, d), one row an article.
    articles
        Their languages decide which are centred together.
    encoder
        As given on the command line; the levels of a model's newsnest.json are used.
    progress
        Told how clustering goes on.

    Returns
    -------
    dict of str to LevelClusters
        By level, coarse to fine.
    """
    model = ModelLevels.of(read_metadata(expanded(encoder)))
    weights = np.ones(len(vectors))
    _, groups = centred_together(articles, "language")
    text = fit_frame(vectors, weights, groups=groups, rotate=model.rotate).apply(vectors, groups)
    times = np.full(len(vectors), np.nan)
    levels = auto_levels(
        text,
        encoder=encoder,
        dims=model.dims,
        min_similarity=dict(model.undated),
        time_weight=0.0,
        times=times,
        time_scale=0.0,
    )
    seen = {level.name: level_vectors(text, level) for level in levels}
    hierarchy = nest_levels(lambda level: seen[level.name], levels, weights, progress=progress)
    return {
        level.name: LevelClusters(seen[level.name], labels)
        for level, labels in zip(hierarchy.levels, hierarchy.labels, strict=True)
    }


def trained_on(encoder: str, file: Path) -> bool:
    """Tell whether a model's newsnest.json says that it was trained on this very file."""
    return was_trained_on(read_metadata(expanded(encoder)), file)


def kinds_of(articles: Sequence[Article]) -> Iterator[tuple[str, list[str]]]:
    """Yield what clusters may follow instead of events: language and outlet of every article."""
    yield "language", [article.lang for article in articles]
    yield "source", [article.source for article in articles]
