"""Descriptions of clusters, and the protocol of everything that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Floats, Labels, Sentence, Vectors

Weights = Floats
"""float64, shape (n,); how many articles each row stands for (itself and its copies)."""

MAX_TERMS = 500_000
"""Default vocabulary: the maximum number of words and phrases to count."""

MAX_CHARACTERS = 4_000
"""Default number of characters of each article to read: news names its subject first."""


@dataclass(frozen=True, slots=True)
class Description:
    """The name of one cluster, and what it is about.

    Parameters
    ----------
    name
        Never empty, and unique within a level. At the finest level the headline of the
        representative article; above it, a few keywords joined by " · ".
    keywords
        Best first, none contained in another; empty if the texts consist of stop words alone.
    summary
        At most three sentences, each quoted verbatim from the article whose id it carries; empty
        for a cluster of one row.
    representative
        Row index of the most typical article.
    """

    name: str
    keywords: tuple[str, ...]
    summary: tuple[Sentence, ...]
    representative: int


class Describer(Protocol):
    """Names and summarises the clusters of every level."""

    name: str
    """The name that selects it on the command line."""

    @property
    def fingerprint(self) -> str:
        """Name and all settings that affect the output: equal ones mean equal descriptions."""
        ...

    def describe(
        self,
        articles: Sequence[Article],
        vectors: Vectors,
        labels: Sequence[Labels],
        *,
        weights: Weights | None = None,
        progress: Progress = SILENT,
    ) -> list[list[Description]]:
        """Describe every cluster of every level.

        Parameters
        ----------
        articles
            n articles, one per independent text (copies folded into `weights`).
        vectors
            float32 (n, d), unit rows, in the same order.
        labels
            One int32 array (n,) per level, coarse to fine and nested, each 0 … k − 1 without gaps.
        weights
            How many articles each row stands for, > 0; None means one each.
        progress
            Shows the progress.

        Returns
        -------
        list of list of Description
            Levels in the order of `labels`; within a level, position = label.
        """
        ...
