"""Articles, less boilerplate and copies → vectors → hierarchy → names → a result for the nest."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest import cluster, embed
from newsnest.corpus import fold_copies
from newsnest.describe import Describer, Description, segment, stopwords
from newsnest.describe.sections import Section, cluster_sections, media_topics, section_scores
from newsnest.nest import Cluster, KeptTree, Result, plural
from newsnest.options import Options
from newsnest.pipeline.auto_encoder import MANY_FOREIGN
from newsnest.pipeline.earlier import EarlierRun
from newsnest.pipeline.house_phrases import boilerplate_in_words, without_boilerplate
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.nest_texts import NestConfig, NestedTexts, TextFrame, nest_texts
from newsnest.progress import Progress
from newsnest.types import Article, Encoder, Hierarchy, Vectors

# Of a million texts in 384 dimensions such an array takes 1.5 GB.
_LET_GO: Vectors = np.empty((0, 0), np.float32)  # in place of what is as large as all vectors
_NO_SECTION = Section("", "", None)  # of a story
MAPPED_STORIES = 500
"""How many stories, the largest, get a place on the map."""


@dataclass(frozen=True, slots=True)
class Nested:
    """n articles, of which m texts are independent, clustered and not yet named."""

    texts: Sequence[Article]  # the m independent ones, without boilerplate
    original: NDArray[np.int64]  # (n,): the article that each copies, itself where it copies none
    item: NDArray[np.int64]  # (n,): the text of each article
    weights: NDArray[np.float64]  # (m,): how many articles each text stands for
    vectors: Vectors  # (m, d), as the encoder gives them
    frame: TextFrame  # of the corpus
    text: Vectors  # (m, d), in the frame; reduced where that was asked for
    sections: NDArray[np.float64]  # (m, 17): how probable each section is for each text
    hierarchy: Hierarchy  # of the texts
    tree: KeptTree | None  # that stories were cut from


class Walk:
    """One run, from the articles of a corpus to a result for the nest.

    `vectors` is where vectors are kept; an `encoder` that is loaded already is not loaded again.
    Given an `earlier` run of the same articles, its tree is cut, and nothing is encoded or linked.
    """

    def __init__(
        self,
        options: Options,
        describer: Describer,
        vectors: embed.VectorCache,
        progress: Progress,
        encoder: Encoder | None = None,
        earlier: EarlierRun | None = None,
    ) -> None:
        self.options = options
        self.reduction = cluster.Reduction(options.reduce, options.dims)
        self.describer = describer
        self.vectors = vectors
        self.progress = progress
        self.encoder = encoder if earlier is None else earlier.encoder
        self.earlier = earlier
        self.facts: dict[str, Any] = {"seconds": {}}
        self.model = ModelLevels.of(embed.ModelRecord())  # known when the encoder is

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the seconds a block takes to those of a stage, in the facts."""
        start, seconds = time.perf_counter(), self.facts["seconds"]
        yield
        seconds[what] = round(seconds.get(what, 0.0) + time.perf_counter() - start, 3)

    def run(self, articles: Sequence[Article], *, rejected: int = 0) -> Result:
        """Walk from articles, at least one, in canonical order, to what the nest keeps.

        `rejected` counts the rows beside them that could not become articles, for the facts. Raises
        ParameterError as `nested` does.
        """
        self.facts["rejected"] = rejected
        nested = self.nested(articles)
        hierarchy = nested.hierarchy
        with self.timed("map"):
            places = self._places(nested.text, hierarchy, nested.weights)
        nested = replace(nested, text=_LET_GO)
        self._tell_tokenizers(nested.texts)
        with self.timed("describe"):
            described = self.describer.describe(
                nested.texts,
                nested.vectors,
                hierarchy.labels,
                weights=nested.weights,
                progress=self.progress,
            )
            sections = [
                cluster_sections(nested.sections, labels, nested.weights)
                for labels in hierarchy.labels[:-1]
            ]
            nested = replace(nested, vectors=_LET_GO)
            clusters, finest = _clusters(articles, nested, described, [*sections, []], places)
        self.facts["clusters"] = dict(Counter(one.level for one in clusters))
        original = nested.original
        return Result(
            facts=self.facts,
            clusters=clusters,
            membership=finest[nested.item],
            copy_of=np.where(original == np.arange(len(articles)), -1, original),
            linkages=hierarchy.linkages,
            means=nested.frame.vectors.means,
            rotation=nested.frame.vectors.rotation,
            tree=nested.tree,
        )

    def nested(self, articles: Sequence[Article]) -> Nested:
        """Walk from articles, at least one, in canonical order, to labels, and name nothing.

        Raises ParameterError, before texts are encoded, if the clusterer or the reduction cannot be
        used on so few.
        """
        self.facts["articles"] = len(articles)
        articles, original = self._compared(articles)
        leaders, item = np.unique(original, return_inverse=True)
        weights = np.bincount(item).astype(np.float64)
        texts = [articles[row] for row in leaders]
        self.facts |= {
            "independent": len(texts),
            "dated": sum(article.date is not None for article in articles),
        }
        clusterer = cluster.finest_clusterer(self.options.clusterer)
        if clusterer is not None:
            clusterer.check(len(texts))
        with self.timed("encode"):
            vectors = self._vectors(texts)
            sections = self._sections(texts, vectors)
        with self.timed("cluster"):
            found = self._nested(vectors, texts, weights, sections)
        seen = found.seen
        return Nested(
            texts, original, item, weights, vectors, seen.frame, seen.text, sections,
            found.hierarchy, self._tree(found, sections),
        )  # fmt: skip

    def _compared(self, articles: Sequence[Article]) -> tuple[Sequence[Article], NDArray[np.int64]]:
        """Return articles less boilerplate, and the article that each copies."""
        if self.earlier is not None:
            with self.timed("boilerplate"):
                articles = self.earlier.without_boilerplate()
            self.facts |= self.earlier.boilerplate
            return articles, self.earlier.original
        if not self.options.keep_boilerplate:
            with self.timed("boilerplate"):
                articles, told = without_boilerplate(articles, progress=self.progress)
            self.facts["boilerplate"] = told
            if words := boilerplate_in_words(self.facts):
                self.progress.note(words)
        with self.timed("copies"):
            original = np.arange(len(articles), dtype=np.int64)
            if not self.options.keep_copies:
                original = fold_copies(articles, progress=self.progress)
        return articles, original

    def _tree(self, found: NestedTexts, sections: NDArray[np.float64]) -> KeptTree | None:
        """Return the tree of all texts that stories were cut from, if they were."""
        cut = found.cutter.tree if found.cutter else None
        if cut is None or self.options.order != "fine-to-coarse":
            return None
        merges, small = cut.merges, np.float32
        return KeptTree(
            merges.pairs,
            merges.similarity.astype(small),
            cut.log_odds.astype(small),
            cut.likeness.astype(small),
            sections.astype(small),
            merges.exact,
        )

    def _vectors(self, texts: Sequence[Article]) -> Vectors:
        options = self.options
        config = embed.EncoderConfig(long_texts=options.long_texts, backend=options.backend)
        encoder = self.encoder = self.encoder or embed.load_encoder(options.encoder, config=config)
        bodies = [article.body for article in texts]
        encoder.prepare(bodies, progress=self.progress)
        self.model = (
            ModelLevels.of(getattr(encoder, "record", embed.ModelRecord()))
            if self.earlier is None
            else self.earlier.model
        )
        self.facts |= self.model.facts
        self._tell_foreign(texts)
        cut = encoder.count_cut(bodies)
        self.facts |= {"encoder": encoder.fingerprint, "dimensions": encoder.dimensions, "cut": cut}
        if backend := getattr(encoder, "backend", ""):  # what computed, of a transformer
            self.facts["backend"] = backend
        if cut:
            self.progress.note(
                f"{cut:,} of {len(bodies):,} {plural('text', len(bodies))} "
                f"{'is' if cut == 1 else 'are'} longer than the encoder reads "
                f"(long texts: {options.long_texts})"
            )
        self.reduction.check(len(bodies), encoder.dimensions)
        return embed.encode_cached(encoder, bodies, self.vectors, progress=self.progress)

    def _sections(self, texts: Sequence[Article], vectors: Vectors) -> NDArray[np.float64]:
        """Return how probable each section is for each text, (m, 17), as exactly as it is kept."""
        if self.earlier is not None:
            return self.earlier.sections
        assert self.encoder is not None  # `_vectors` loaded it
        prototypes = embed.encode_cached(self.encoder, media_topics().lines, self.vectors)
        scores = section_scores([article.body for article in texts], vectors, prototypes)
        return scores.astype(np.float32).astype(np.float64)

    def _tell_foreign(self, texts: Sequence[Article]) -> None:
        """Count the texts in languages the encoder was not trained on, and say so if many."""
        encoder = embed.KNOWN.get(self.options.encoder)
        known = encoder.languages if encoder else ()
        foreign = Counter(a.lang for a in texts if known and a.lang and a.lang not in known)
        self.facts["foreign"] = foreign.total()
        if foreign.total() > MANY_FOREIGN * len(texts):
            codes = ", ".join(code for code, _ in foreign.most_common(5))
            self.progress.note(
                f"{foreign.total():,} of {len(texts):,} {plural('text', len(texts))} "
                f"{'is in a language' if foreign.total() == 1 else 'are in languages'} that "
                f"{self.options.encoder} was not trained on ({codes}): expect less of them, or try "
                "--encoder multilingual or tfidf"
            )

    def _tell_tokenizers(self, texts: Sequence[Article]) -> None:
        """Keep what finds the words of languages without spaces, and say what is missing."""
        counts = Counter(stopwords.base_language(article.lang) or article.lang for article in texts)
        self.facts["tokenizers"] = segment.words_found_by(counts)
        if sentence := segment.missing_in_words(counts):
            self.progress.note(sentence)

    def _nested(
        self,
        vectors: Vectors,
        texts: Sequence[Article],
        weights: NDArray[np.float64],
        sections: NDArray[np.float64],
    ) -> NestedTexts:
        options = self.options
        config = NestConfig(
            encoder=options.encoder,
            model=self.model,
            min_similarity=options.min_similarity,
            order=options.order,
            centre=options.centre,
            time_weight=options.time_weight,
            time_scale=options.time_scale,
            exact=options.exact,
            clusterer=options.clusterer,
            grain=options.grain,
            reduction=self.reduction,
        )
        nested = nest_texts(
            vectors,
            texts,
            weights,
            config,
            sections=sections,
            stories=None if self.earlier is None else self.earlier.stories(weights),
            progress=self.progress,
        )
        self.facts |= nested.facts
        return nested

    def _places(
        self, text: Vectors, hierarchy: Hierarchy, weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return x and y of every story, float64 (k, 2), NaN for those off the map."""
        labels = hierarchy.labels[-1]
        means, _ = cluster.group_means(text, labels, weights)
        places = np.full((len(means), 2), np.nan)
        independent = np.bincount(labels)
        largest = np.argsort(-independent, kind="stable")[:MAPPED_STORIES]
        places[largest] = cluster.story_map(means[largest])
        return places


def _clusters(
    articles: Sequence[Article],
    nested: Nested,
    described: Sequence[Sequence[Description]],
    sections: Sequence[Sequence[Section]],
    places: NDArray[np.float64],
) -> tuple[list[Cluster], NDArray[np.int64]]:
    """Return every cluster, coarse to fine, and the position of each text's finest cluster."""
    item, texts, hierarchy = nested.item, nested.texts, nested.hierarchy
    times = np.array([a.date.timestamp() if a.date else np.nan for a in articles])
    clusters: list[Cluster] = []
    position = np.zeros(len(texts), np.int64)
    for depth, (level, labels) in enumerate(zip(hierarchy.levels, hierarchy.labels, strict=True)):
        independent = np.bincount(labels)
        counts = np.bincount(labels[item])
        first, last = _extent(times, labels[item], len(independent))
        _, sample = np.unique(labels, return_index=True)  # a row of every label
        start = len(clusters)
        finest = depth == len(hierarchy.levels) - 1
        for label, words in enumerate(described[depth]):
            x, y = places[label] if finest else (np.nan, np.nan)
            section = sections[depth][label] if sections[depth] else _NO_SECTION
            clusters.append(
                Cluster(
                    id=start + label,
                    level=level.name,
                    label=label,
                    parent=int(position[sample[label]]) if depth else None,
                    articles=int(counts[label]),
                    independent=int(independent[label]),
                    name=words.name,
                    keywords=words.keywords,
                    summary=words.summary,
                    representative=texts[words.representative].id,
                    first=_moment(first[label]),
                    last=_moment(last[label]),
                    x=None if np.isnan(x) else float(x),
                    y=None if np.isnan(y) else float(y),
                    section=section.label,
                    section_id=section.id,
                    section_score=section.score,
                )
            )
        position = start + labels.astype(np.int64)
    return clusters, position


def _extent(
    times: NDArray[np.float64], labels: NDArray[np.int32], k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the earliest and latest time of every label, NaN where there is none."""
    first, last = np.full(k, np.inf), np.full(k, -np.inf)
    dated = ~np.isnan(times)
    np.minimum.at(first, labels[dated], times[dated])
    np.maximum.at(last, labels[dated], times[dated])
    return np.where(np.isinf(first), np.nan, first), np.where(np.isinf(last), np.nan, last)


def _moment(seconds: float) -> datetime | None:
    return None if np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC)
