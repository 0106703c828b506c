"""How good an embedding is by itself: titles against summaries, and what its clusters follow.

Silhouette and stability can be highest where clusters are worst, in a corpus sorted by language
alone; so both come with the mutual information of clusters with language and outlet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.evaluate.bootstrap import Estimate, Scores, mean_estimate
from newsnest.evaluate.clusters import NOISE, mutual_information, noise_apart
from newsnest.evaluate.internal import Labelling, silhouette, stability
from newsnest.evaluate.retrieval import RetrievalScores, rank_documents, retrieval_scores
from newsnest.types import Vectors

Codes = NDArray[np.int64]

UNKNOWN = -1
_BLOCK = 512
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Separation:
    """How well cosines separate pairs that belong together from those that do not.

    Parameters
    ----------
    together, apart
        How many pairs of each.
    auroc
        Chance that a pair that belongs together is the more similar one; articles, with the others
        of their story, are what is resampled.
    """

    together: int
    apart: int
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class TitleScores(Scores):
    """How near the title and the text of an article lie to each other.

    Parameters
    ----------
    article
        Title and text of one article, against those of two; two of one story are left out.
    story
        Title and text of two articles of one story, against those of two stories; None where no
        two articles are known to share one.
    retrieval
        Titles that look for their text among all.
    """

    article: Separation
    story: Separation | None
    retrieval: RetrievalScores


@dataclass(frozen=True, slots=True)
class ClusterIndex(Scores):
    """Scores of clusters without gold labels.

    Parameters
    ----------
    clusters
        How many there are; each noise row is none.
    silhouette
        None where there are fewer than two clusters.
    stability
        Mean adjusted Rand index of clusterings of samples; None where there are none.
    nmi
        Mutual information of the clusters with each property of the articles, such as language and
        source, in [0, 1]; None where fewer than two values are known.
    """

    clusters: int
    silhouette: Estimate | None
    stability: float | None
    nmi: Mapping[str, float | None]


def title_scores(
    titles: Vectors,
    texts: Vectors,
    stories: Codes | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> TitleScores:
    """Score how well an embedding brings the title and the text of an article together.

    A check of the embedding itself, on articles without any label: no clustering is involved.
    Prefer graded pairs (`pair_scores`) where there are some.

    Parameters
    ----------
    titles, texts
        Unit vectors (n, d), row by row of one article; no title and no text twice.
    stories
        int64 (n,), −1 where unknown; None: all are.
    resamples, seed
        For the intervals; 0 resamples leave them out.

    Raises
    ------
    ParameterError
        If there are fewer than two articles, or the shapes differ.

    Notes
    -----
    All n² pairs are compared: O(n² (d + log n)), 512 · n numbers in memory. Intervals are those of
    the linearised statistic: each article's influence on the area is resampled.

    Example
    -------
    >>> rows = np.eye(3, dtype=np.float32)
    >>> scores = title_scores(rows, rows, resamples=0)
    >>> scores.article.auroc.value, scores.retrieval.mrr_10.value
    (1.0, 1.0)
    """
    n = len(titles)
    known = np.full(n, UNKNOWN, np.int64) if stories is None else stories
    if n < 2 or titles.shape != texts.shape or titles.ndim != 2 or known.shape != (n,):
        raise ParameterError(
            "title_scores: titles, texts and stories must be those of at least two articles, got "
            f"shapes {titles.shape}, {texts.shape} and {known.shape}. Give a row an article."
        )
    pairs = _Pairs(titles, texts, known)
    sampling = {"resamples": resamples, "seed": seed}
    ids = [str(row) for row in range(n)]
    ranked = {
        ids[row]: [ids[found] for found in rows]
        for row, rows in enumerate(rank_documents(titles, texts, depth=_DEPTH))
    }
    return TitleScores(
        article=pairs.separation(across=False, **sampling),
        story=pairs.separation(across=True, **sampling) if pairs.has_stories else None,
        retrieval=retrieval_scores(
            ranked, {one: {one: 1.0} for one in ids}, recall_at=(1, 10), depth=_DEPTH, **sampling
        ),
    )


def cluster_index(
    vectors: Vectors,
    labels: NDArray[np.integer[Any]],
    properties: Mapping[str, Sequence[str]],
    *,
    labellings: Sequence[Labelling] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> ClusterIndex:
    """Score clusters without gold labels, and show what else they may follow.

    Parameters
    ----------
    vectors
        (n, d), what was clustered.
    labels
        (n,), −1 is noise.
    properties
        By name a value of every row, "" where unknown: {"language": …, "source": …}.
    labellings
        Clusterings of samples of the rows (`cluster_samples`), for the stability.
    resamples, seed
        For the interval of the silhouette.

    Raises
    ------
    ParameterError
        If a property has another length than the labels, or as `silhouette` and `stability` do.

    Example
    -------
    >>> rows = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> found = cluster_index(rows, np.array([0, 0, 1, 1]), {"language": ["fr", "fr", "en", "en"]})
    >>> found.silhouette.value, found.nmi
    (1.0, {'language': 1.0})
    """
    count = np.unique(labels[labels != NOISE]).size
    for name, values in properties.items():
        if len(values) != len(labels):
            raise ParameterError(
                f"cluster_index: properties must hold a value of every row ({len(labels)}), got "
                f"{len(values)} of {name!r}. Give them in the order of the labels."
            )
    return ClusterIndex(
        clusters=count,
        silhouette=None
        if count < 2
        else silhouette(vectors, labels, resamples=resamples, seed=seed),
        stability=stability(labellings) if labellings else None,
        nmi={name: _nmi(labels, values) for name, values in properties.items()},
    )


def _nmi(labels: NDArray[np.integer[Any]], values: Sequence[str]) -> float | None:
    """Return the NMI of labels and a property where it is known; noise rows are clusters alone."""
    known = np.array([value != "" for value in values], dtype=bool)
    given = np.asarray(values, dtype=object)[known].astype(str)
    if np.unique(given).size < 2:
        return None
    return mutual_information(given, noise_apart(labels[known].astype(np.int64)))


class _Pairs:
    """All pairs of a title and a text, block by block."""

    def __init__(self, titles: Vectors, texts: Vectors, stories: Codes) -> None:
        self.titles, self.texts, self.stories = titles, texts, stories
        self.n = len(titles)
        known = stories[stories != UNKNOWN]
        self.has_stories = np.unique(known).size < known.size and np.unique(known).size > 1

    def separation(self, *, across: bool, resamples: int, seed: int) -> Separation:
        """Return the AUROC over articles, or across the articles of a story."""
        rows, columns, scores = self._together(across)
        order = np.argsort(scores, kind="stable")
        scores = scores[order]
        below = np.zeros(len(scores) + 1)  # pairs apart below each pair together, ties half
        weight = np.zeros(self.n)  # what each article's pairs apart add, times their number
        count = np.zeros(self.n)
        apart = 0
        for start in range(0, self.n, _BLOCK):
            block = np.arange(start, min(start + _BLOCK, self.n))
            mask = self._apart(block, across)
            similar = (self.titles[block] @ self.texts.T)[mask]
            lower, upper = (np.searchsorted(scores, similar, side) for side in ("left", "right"))
            for places in (lower, upper):
                below += 0.5 * np.bincount(places, minlength=len(below))
            above = np.zeros(mask.shape)
            above[mask] = 1 - (lower + upper) / (2 * len(scores))
            weight[block] += above.sum(axis=1)
            weight += above.sum(axis=0)
            count[block] += mask.sum(axis=1)
            count += mask.sum(axis=0)
            apart += int(mask.sum())
        if not apart:
            raise ParameterError(
                "title_scores: articles must be of at least two stories, got one. Give others too."
            )
        shares = np.empty(len(scores))
        shares[order] = np.cumsum(below)[:-1] / apart
        area = float(shares.mean())
        influence = (weight - area * count) / apart
        np.add.at(influence, rows, (shares - area) / len(scores))
        if across:  # a pair of two articles; else it is of one, and comes once with it
            np.add.at(influence, columns, (shares - area) / len(scores))
        units = self._by_story(influence)
        auroc = mean_estimate(area + len(units) * units, resamples=resamples, seed=seed)
        # Sums of so many numbers are rounded.
        return Separation(len(scores), apart, Estimate(area, auroc.low, auroc.high))

    def _together(self, across: bool) -> tuple[Codes, Codes, NDArray[np.float32]]:
        """Return rows, columns and cosines of the pairs that belong together."""
        if not across:
            rows = np.arange(self.n)
            return rows, rows, np.einsum("ij,ij->i", self.titles, self.texts)
        members = [np.flatnonzero(self.stories == s) for s in np.unique(self.stories) if s >= 0]
        crossed = [np.array(np.meshgrid(m, m)).reshape(2, -1) for m in members if len(m) > 1]
        rows, columns = np.concatenate(crossed, axis=1)
        other = rows != columns
        rows, columns = rows[other], columns[other]
        parts = np.array_split(np.arange(len(rows)), len(rows) // 100_000 + 1)
        found = [np.einsum("ij,ij->i", self.titles[rows[p]], self.texts[columns[p]]) for p in parts]
        return rows, columns, np.concatenate(found)

    def _apart(self, rows: Codes, across: bool) -> NDArray[np.bool_]:
        """Return which texts do not belong to each of some titles, (rows, n)."""
        one, other = self.stories[rows][:, None], self.stories[None, :]
        unknown: NDArray[np.bool_] = (one < 0) | (other < 0)
        other_story: NDArray[np.bool_] = one != other
        if across:
            return other_story & ~unknown
        another: NDArray[np.bool_] = rows[:, None] != np.arange(self.n)
        return another & (unknown | other_story)

    def _by_story(self, influence: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum what articles of a story have: they err together."""
        alone = self.stories.max(initial=0) + 1 + np.arange(self.n)
        units = np.where(self.stories < 0, alone, self.stories)
        place = np.unique(units, return_inverse=True)[1]
        sums: NDArray[np.float64] = np.bincount(place, weights=influence).astype(np.float64)
        return sums
