"""What a description is, and what anything that writes descriptions must do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Labels, Sentence, Vectors

Weights = NDArray[np.float64]
"""float64, shape (n,); how many articles each row stands for (itself and its copies)."""

MAX_TERMS = 500_000
"""How many words and phrases are counted by default."""

MAX_CHARACTERS = 4_000
"""How much of each article is read for keywords by default: news names its subject first."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one cluster is called and what it is about.

    Parameters
    ----------
    name
        Never empty. At the finest level the headline of the representative article; above it, up
        to a few keywords joined by " · ". No two clusters of a level share a name.
    keywords
        Best first, none contained in another; empty where the texts hold stop words alone.
    summary
        At most three sentences, each verbatim from the article whose id it carries; empty for a
        cluster of one row.
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
    """As given on the command line."""

    @property
    def fingerprint(self) -> str:
        """Name and every setting that shapes the output: equal ones mean equal descriptions."""
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
            Shows what is being done.

        Returns
        -------
        list of list of Description
            Levels in the order of `labels`; within a level, position = label.
        """
        ...
