"""A finished run that goes on working: it takes new articles in, and it is searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import Frame, Reduction, group_means
from newsnest.corpus import Boilerplate
from newsnest.describe.tokens import BREAK, spellings, word_key
from newsnest.embed import EncoderConfig, MemoryCache, ModelRecord, encode_cached, load_encoder
from newsnest.nest import Nest, Run
from newsnest.pipeline.house_phrases import boilerplate_of
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.nest_texts import NestConfig, SeenTexts, TextFrame, see_texts
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Encoder, Floats, Labels, Level, Vectors

NO_CLUSTER = -1
"""The label of an article that is near no cluster of a level."""
_K = 60.0
_STRAYS = 0.05  # of a cluster's texts, the least similar


@dataclass(frozen=True, slots=True)
class Found:
    """An article that answers a search."""

    article: Article
    similarity: float  # cosine of query and article, in [−1, 1]
    story: int  # the label of its story


class FinishedRun:
    """A finished run of an open nest: encoder, frame and clusters are read when first needed."""

    def __init__(self, nest: Nest, run: Run, *, progress: Progress = SILENT) -> None:
        self._nest, self._run, self._progress = nest, run, progress

    def place(self, articles: Sequence[Article]) -> dict[str, Labels]:
        """Return the clusters new articles would belong to, int32 (n,) by level, fine to coarse.

        An article goes to the story with which its mean similarity is highest, if that reaches the
        level's min_similarity, and so to its topic and theme. One that belongs to no story may
        belong to a topic, and one that belongs to none there to a theme; −1 is none at all. Where a
        level was cut by neighbours, an article has to be as similar as 95 % of the cluster's own.
        The clusters stay as they are. Texts without a date are compared by text alone, and topics
        and themes without sections.

        Raises ParameterError if the run was reduced by UMAP, which cannot place new texts.
        """
        vectors = encode_cached(
            self.encoder, self._bodies(articles), MemoryCache(), progress=self._progress
        )
        seen = self._see(articles, vectors, np.ones(len(articles)))
        undated = np.isnan(seen.times)
        placed: dict[str, Labels] = {}
        labels = np.full(len(articles), NO_CLUSTER, np.int32)
        for level, means, parents, lowest in self._clusters:
            similar = seen.at(level) @ means.T  # (n, k): mean similarity with each cluster's texts
            nearest = similar.argmax(axis=1).astype(np.int32)
            needed = lowest[nearest]
            if level.time_weight and undated.any():
                # The time view of a text without a date is empty: it takes no part in the cosine.
                similar[undated] /= np.sqrt(1.0 - level.time_weight)
                needed[undated] -= level.time_weight
                needed[undated] /= 1.0 - level.time_weight
            near = similar[np.arange(len(articles)), nearest] >= needed
            alone = labels == NO_CLUSTER
            labels = np.where(alone & near, nearest, labels)
            placed[level.name] = labels
            labels = np.where(labels == NO_CLUSTER, NO_CLUSTER, parents[labels])
        return placed

    def search(self, query: str, *, limit: int) -> list[Found]:
        """Return the articles that best answer words or a sentence; copies are left out.

        Articles are ranked by shared words, weighted by TF-IDF, and by the cosine of their vectors;
        reciprocal rank fusion with k = 60 joins both (Cormack et al., SIGIR 2009).
        """
        (vector,) = self.encoder.encode([query])
        similar = self._vectors @ vector
        counter, words = self._words
        shared = (words @ counter.transform([query]).T).toarray().ravel()
        score = 1 / (_K + _ranks(similar))
        score[shared > 0] += 1 / (_K + _ranks(shared)[shared > 0])
        best = np.argsort(-score, kind="stable")[:limit]
        story = self._labels[:, -1]
        return [Found(self._texts[i], float(similar[i]), int(story[i])) for i in best.tolist()]

    def _bodies(self, articles: Sequence[Article]) -> list[str]:
        """Return what is compared of articles: the run's boilerplate is taken out of new ones."""
        return [self._boilerplate.strip(article).body for article in articles]

    @cached_property
    def _boilerplate(self) -> Boilerplate:
        return boilerplate_of(self._run.facts)

    @cached_property
    def encoder(self) -> Encoder:
        """That of the run, prepared as it was for the run."""
        options = self._run.options
        config = EncoderConfig(long_texts=options["long_texts"], backend=options["backend"])
        encoder = load_encoder(options["encoder"], config=config)
        encoder.prepare(self._bodies(self._texts), progress=self._progress)
        return encoder

    @cached_property
    def _members(self) -> tuple[list[Article], NDArray[np.float64], NDArray[np.int32]]:
        """Independent texts by id, how many articles each stands for, and labels (n, levels)."""
        members = list(self._nest.members(run=self._run))
        number = self._nest.labels(self._run)
        texts = [member for member in members if member.copy_of is None]
        place = {member.article.id: row for row, member in enumerate(texts)}
        weights = np.bincount([place[m.copy_of or m.article.id] for m in members]).astype(float)
        labels = np.array([[number[c] for c in member.clusters] for member in texts], np.int32)
        return [member.article for member in texts], weights, labels

    @property
    def _texts(self) -> list[Article]:
        return self._members[0]

    @property
    def _labels(self) -> NDArray[np.int32]:
        return self._members[2]

    @cached_property
    def _vectors(self) -> Vectors:
        bodies = self._bodies(self._texts)
        return encode_cached(self.encoder, bodies, self._nest.vectors, progress=self._progress)

    @cached_property
    def _clusters(self) -> list[tuple[Level, Vectors, Labels, Floats]]:
        """Every level, fine to coarse, with the means of its clusters, float32 (k, d).

        Of each also the label above, and the mean similarity that it asks of an article.
        """
        seen = self._see(self._texts, self._vectors, self._members[1])
        found = []
        for depth, fields in enumerate(self._run.facts["levels"]):
            level = Level(**fields)
            labels = self._labels[:, depth]
            rows = seen.at(level)
            means, _ = group_means(rows, labels, self._members[1])
            _, sample = np.unique(labels, return_index=True)
            needed = np.full(len(means), level.min_similarity)
            if level.resolution is not None:
                own = np.einsum("ij,ij->i", rows, means[labels])
                needed = _quantiles(own, labels, _STRAYS)
            found.append((level, means, self._labels[sample, max(depth - 1, 0)], needed))
        return found[::-1]

    @cached_property
    def _config(self) -> NestConfig:
        options = self._run.options
        return NestConfig(
            encoder=options["encoder"],
            model=ModelLevels.of(getattr(self.encoder, "record", ModelRecord())),
            min_similarity=options["min_similarity"],
            reduction=Reduction(options["reduce"], options["dims"]),
        )

    def _see(
        self, articles: Sequence[Article], vectors: Vectors, weights: NDArray[np.float64]
    ) -> SeenTexts:
        facts = self._run.facts
        frame = TextFrame(
            tuple(facts["centred"]), Frame(*self._nest.frame(self._run)), facts["time_scale"]
        )
        return see_texts(vectors, articles, weights, self._config, frame=frame)

    @cached_property
    def _words(self) -> tuple[Any, Any]:
        """A counter of words, and what it counted in the texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        counter = TfidfVectorizer(analyzer=_words_of, sublinear_tf=True)
        return counter, counter.fit_transform(self._bodies(self._texts))


def _quantiles(values: Vectors, labels: Labels, share: float) -> Floats:
    """Return the quantile of each label's values, float64 (k,)."""
    order = np.lexsort((values, labels))
    size = np.bincount(labels)
    place = np.cumsum(size) - size + np.floor(share * (size - 1)).astype(np.int64)
    return np.asarray(values[order][place], np.float64)


def _words_of(text: str) -> list[str]:
    return [word_key(spelling) for spelling in spellings(text) if spelling != BREAK]


def _ranks(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the rank of every row, 1 for the best; equal ones in the order of the rows."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
