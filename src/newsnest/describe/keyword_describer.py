"""Names, keywords and summaries without a language model."""

import itertools
from collections.abc import Sequence

import numpy as np

from newsnest.describe import representative
from newsnest.describe.keywords import KEYWORDS, keywords
from newsnest.describe.names import headline_name, story_names, upper_names
from newsnest.describe.outlets import without_outlets
from newsnest.describe.protocol import MAX_CHARACTERS, MAX_TERMS, Description, Weights
from newsnest.describe.summary import central_rows, collect_quotables, summaries
from newsnest.describe.terms import count_terms
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Labels, Sentence, Vectors


class KeywordDescriber:
    """Describe clusters by the words that set them apart, in any language, without model weights.

    Keywords are words and phrases ranked by class-based TF-IDF, counted once for all levels, the
    names of the articles' outlets left out. A cluster of the finest level is named after the
    headline of its most typical article, a plain one if nearly as typical, one above after its best
    keywords; a cluster with a single child takes the child's name. Summaries quote
    up to three sentences (titles, where articles have no text).

    Parameters
    ----------
    max_keywords
        Maximum number of keywords per cluster, ≥ 1.
    max_terms
        Maximum vocabulary: the words and phrases that occur in the most texts.
    max_characters
        Number of characters of each article to read for keywords.

    Raises
    ------
    ParameterError
        If a parameter is below 1.

    Notes
    -----
    Deterministic: equal input gives equal output, on any number of threads.

    Example
    -------
    >>> import numpy as np
    >>> news = [Article("1", "Floods hit Valencia again"), Article("2", "Fed keeps rates on hold")]
    >>> vectors, labels = np.eye(2, dtype=np.float32), np.array([0, 1], dtype=np.int32)
    >>> [d.name for d in KeywordDescriber().describe(news, vectors, [labels])[0]]
    ['Floods hit Valencia again', 'Fed keeps rates on hold']
    """

    name = "keywords"

    def __init__(
        self,
        *,
        max_keywords: int = KEYWORDS,
        max_terms: int = MAX_TERMS,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        for parameter, value in (
            ("max_keywords", max_keywords),
            ("max_terms", max_terms),
            ("max_characters", max_characters),
        ):
            if value < 1:
                raise ParameterError(
                    f"KeywordDescriber: {parameter} must be at least 1, got {value}. "
                    "Leave it out for the default."
                )
        self.max_keywords = max_keywords
        self.max_terms = max_terms
        self.max_characters = max_characters

    @property
    def fingerprint(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in sorted(vars(self).items()))
        return f"{self.name}({settings})"

    def describe(
        self,
        articles: Sequence[Article],
        vectors: Vectors,
        labels: Sequence[Labels],
        *,
        weights: Weights | None = None,
        progress: Progress = SILENT,
    ) -> list[list[Description]]:
        check_description_input(articles, vectors, labels, weights)
        if not labels:
            return []
        terms = count_terms(
            [article.body for article in articles],
            [article.lang for article in articles],
            max_terms=self.max_terms,
            max_characters=self.max_characters,
            progress=progress,
        )
        terms = without_outlets(terms, articles)
        words = [
            keywords(terms, level, finer=finer, weights=weights, k=self.max_keywords)
            for level, finer in zip(labels, [labels[-1]] * (len(labels) - 1) + [None], strict=True)
        ]
        typical, quoted = _representatives_and_summaries(
            articles, vectors, labels, weights, progress
        )
        heads = [headline_name(articles[row]) for row in typical[-1]]
        names = [story_names(heads, words[-1])]
        for depth in range(len(labels) - 2, -1, -1):
            names.insert(0, upper_names(labels[depth], labels[depth + 1], names[0], words[depth]))
        return [
            [Description(*parts) for parts in zip(*level, strict=True)]
            for level in zip(names, words, quoted, typical, strict=True)
        ]


def _representatives_and_summaries(
    articles: Sequence[Article],
    vectors: Vectors,
    labels: Sequence[Labels],
    weights: Weights | None,
    progress: Progress,
) -> tuple[list[list[int]], list[list[tuple[Sentence, ...]]]]:
    """Handle all levels together, so that an article quoted on several of them is split once."""
    scores = [representative.centrality(vectors, level, weights=weights) for level in labels]
    major = [representative.majority_language(articles, level, weights=weights) for level in labels]
    typical = []
    for depth, level in enumerate(labels):
        finest = depth == len(labels) - 1
        liked = representative.headline_preference(articles, major[depth]) if finest else None
        score = scores[depth]
        if finest:
            labelled = representative.labelled_headlines(articles)
            score = np.where(labelled, score - np.float32(representative.NEARLY_AS_CENTRAL), score)
        rows = representative.representatives(score, level, preference=liked)
        typical.append(rows.tolist())
    central = [central_rows(s, level, m) for s, level, m in zip(scores, labels, major, strict=True)]
    quotables = collect_quotables(articles, np.unique(np.concatenate(central)), progress=progress)
    quoted = [
        summaries(articles, quotables, r, level, s)
        for r, level, s in zip(central, labels, scores, strict=True)
    ]
    return typical, quoted


def check_description_input(
    articles: Sequence[Article],
    vectors: Vectors,
    labels: Sequence[Labels],
    weights: Weights | None,
) -> None:
    """Raise ParameterError unless these can be described."""
    n = len(articles)
    if vectors.ndim != 2 or vectors.shape[0] != n:
        raise ParameterError(
            f"describe: vectors must be of shape ({n}, d), got {vectors.shape}. "
            "Give one row per article."
        )
    if weights is not None and (weights.shape != (n,) or not (weights > 0).all()):
        raise ParameterError(
            f"describe: weights must be {n} positive numbers, got shape {weights.shape}. "
            "Give how many articles each row stands for, itself included."
        )
    for depth, level in enumerate(labels):
        if level.shape != (n,) or (n and level.min() < 0) or (n and not np.bincount(level).all()):
            raise ParameterError(
                f"describe: labels[{depth}] must be {n} labels 0 … k − 1 without gaps, got "
                f"shape {level.shape}. Renumber them with numpy.unique(return_inverse=True)."
            )
    for depth, (coarse, fine) in enumerate(itertools.pairwise(labels)):
        if n and np.unique(np.stack([coarse, fine]), axis=1).shape[1] != int(fine.max()) + 1:
            raise ParameterError(
                f"describe: labels[{depth + 1}] must be nested in labels[{depth}], got a cluster "
                "with two parents. Order the levels coarse to fine."
            )
