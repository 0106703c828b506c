"""Scores of a pipeline on some articles, by the metrics of a study."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from newsnest import evaluate
from newsnest.describe.keywords import keywords
from newsnest.describe.terms import count_terms
from newsnest.embed import EncoderConfig, VectorCache, encode_cached, load_encoder
from newsnest.errors import InputError
from newsnest.evaluate.bootstrap import Estimate, estimate, mean_estimate, resample_weights
from newsnest.labelled import same_text
from newsnest.pipeline import NestConfig, Options
from newsnest.pipeline.build import keyword_describer
from newsnest.pipeline.nest_texts import see_texts
from newsnest.pipeline.walk import Nested, Walk
from newsnest.progress import SILENT
from newsnest.study.data import Labelled
from newsnest.types import Encoder, Floats, Ints, Labels

_SAMPLES, _SHARE = 5, 0.8  # for the stability, as `newsnest evaluate embedding` has them
_TITLED = 5000  # articles of which all pairs are looked at
_MIN_TEXTS = 3  # of a cluster whose keywords are judged: words of one text always go together


@dataclass(frozen=True, slots=True)
class Score:
    """A score, with its interval where resamples were asked for, and what to know when reading it.

    `draws` are the score on the data as they are, then on every resample; None where there are
    none. Two pipelines on the same articles have the same resamples.
    """

    estimate: Estimate
    beside: Mapping[str, float | int | None] = field(default_factory=dict)
    draws: Floats | None = None


@dataclass(slots=True)
class Scorer:
    """Scores pipelines by the labels and keywords of a level, with intervals if it resamples."""

    level: str
    vectors: VectorCache
    resamples: int = 0
    seed: int = 0
    _loaded: tuple[tuple[str, str], Encoder] | None = None

    def score(self, metric: str, options: Options, part: Labelled) -> Score:
        """Score a pipeline on articles by one of `newsnest.study.config.METRICS`.

        Raises NewsnestError where a part of it cannot do its work with these articles.
        """
        by: Mapping[str, Callable[[Options, Labelled], Score]] = {
            "bcubed_f1": self._bcubed,
            "silhouette": self._silhouette,
            "stability": self._stability,
            "npmi": self._npmi,
            "diversity": self._diversity,
        }
        if metric in by:
            return by[metric](options, part)
        return self._titles(metric, options, part)

    def _nested(self, options: Options, part: Labelled) -> Nested:
        walk = Walk(
            options, keyword_describer(options), self.vectors, SILENT, self._encoder(options)
        )
        return walk.nested(part.articles)

    def _encoder(self, options: Options) -> Encoder:
        key = (options.encoder, options.long_texts)
        if self._loaded is None or self._loaded[0] != key:
            config = EncoderConfig(long_texts=options.long_texts, backend=options.backend)
            self._loaded = key, load_encoder(options.encoder, config=config)
        return self._loaded[1]

    def _labels(self, nested: Nested) -> Labels:
        """Return the labels of the texts."""
        names = [level.name for level in nested.hierarchy.levels]
        return nested.hierarchy.labels[names.index(self.level)]

    def _bcubed(self, options: Options, part: Labelled) -> Score:
        nested = self._nested(options, part)
        labels = self._labels(nested)[nested.item].astype(np.int64)
        known = np.unique(part.gold[part.gold >= 0], return_inverse=True)[1]
        gold = np.full(len(part.gold), -1, np.int64)
        gold[part.gold >= 0] = known
        none = np.empty((0, 2), np.int64), np.empty(0)
        drawn = resample_weights(
            np.arange(known.max(initial=-1) + 1), resamples=self.resamples, seed=self.seed
        )
        draws = evaluate.cut_scores(*none, labels, gold, cuts=[1.0]).f1(drawn)[:, 0]
        scores = evaluate.cluster_scores(
            labels,
            [None if code < 0 else code for code in gold.tolist()],
            languages=[article.lang for article in part.articles],
        )
        found = estimate(draws)
        assert found is not None  # a score is a number
        beside = {
            "clusters": int(labels.max()) + 1,
            "gold_clusters": scores.gold_clusters,
            "precision": scores.bcubed_precision,
            "recall": scores.bcubed_recall,
            "nmi_language": scores.nmi_language,
        }
        return Score(found, beside, draws)

    def _silhouette(self, options: Options, part: Labelled) -> Score:
        nested = self._nested(options, part)
        rows, labels = nested.text, self._labels(nested)
        if options.reduce != "none":
            # In the space of the encoder: what a reduction makes of it would judge itself.
            config = NestConfig(centre=options.centre)
            rows = see_texts(nested.vectors, nested.texts, nested.weights, config).text
        found = evaluate.cluster_index(
            rows,
            labels,
            {"language": [text.lang for text in nested.texts]},
            resamples=self.resamples,
            seed=self.seed,
        )
        if found.silhouette is None:
            raise InputError(
                f"silhouette: articles must fall into at least two clusters, got {found.clusters}. "
                "Raise min_similarity."
            )
        beside = {"clusters": found.clusters, "nmi_language": found.nmi["language"]}
        return Score(found.silhouette, beside)

    def _stability(self, options: Options, part: Labelled) -> Score:
        nested = self._nested(options, part)
        labels = self._labels(nested)
        n = len(part.articles)
        if n < 2:
            raise InputError(
                f"stability: there must be at least two articles, got {n}. Give more of them."
            )
        rng = np.random.default_rng([19, self.seed])
        labellings = []
        for _ in range(_SAMPLES):
            rows = np.sort(rng.choice(n, max(2, round(_SHARE * n)), replace=False))
            mask = np.zeros(n, bool)
            mask[rows] = True
            own = self._nested(options, part.take(mask))
            labellings.append(
                evaluate.Labelling(rows, self._labels(own)[own.item].astype(np.int64))
            )
        found = evaluate.cluster_index(
            nested.text, labels, {"language": [t.lang for t in nested.texts]}, resamples=0
        )
        beside = {"clusters": int(labels.max()) + 1, "nmi_language": found.nmi["language"]}
        return Score(Estimate(evaluate.stability(labellings)), beside)

    def _titles(self, metric: str, options: Options, part: Labelled) -> Score:
        rows = _titled(part, self.seed)
        if rows.size < 2:
            raise InputError(
                f"{metric}: at least two articles must have a title and a text, got {rows.size}. "
                "Choose bcubed_f1 or silhouette."
            )
        encoder = self._encoder(options)
        articles = [part.articles[row] for row in rows]
        both = [a.title for a in articles] + [a.text for a in articles]
        encoder.prepare(both, progress=SILENT)
        vectors = encode_cached(encoder, both, self.vectors, progress=SILENT)
        n = len(articles)
        found = evaluate.title_scores(
            vectors[:n], vectors[n:], part.gold[rows], resamples=self.resamples, seed=self.seed
        )
        beside = {"articles": n}
        if metric == "mrr":
            return Score(found.retrieval.mrr_10, beside)
        if metric == "auroc":
            return Score(found.article.auroc, beside)
        if found.story is None:
            raise InputError(
                "story_auroc: two articles of one story must have a title and a text, got none. "
                "Choose auroc."
            )
        return Score(found.story.auroc, beside)

    def _npmi(self, options: Options, part: Labelled) -> Score:
        columns, values = self._keywords(options, part)
        if not values.size:
            raise InputError(
                f"npmi: some {self.level} of {_MIN_TEXTS} texts must have two keywords, got "
                "none. Lower min_similarity."
            )
        beside = {"clusters": len(columns), "diversity": evaluate.keyword_diversity(columns)}
        return Score(mean_estimate(values, resamples=self.resamples, seed=self.seed), beside)

    def _diversity(self, options: Options, part: Labelled) -> Score:
        columns, values = self._keywords(options, part)
        npmi = float(values.mean()) if values.size else None
        return Score(
            Estimate(evaluate.keyword_diversity(columns)),
            {"clusters": len(columns), "npmi": npmi},
        )

    def _keywords(self, options: Options, part: Labelled) -> tuple[list[list[int]], Floats]:
        """Return the keywords of every large cluster, and the coherence of those that have some."""
        nested = self._nested(options, part)
        labels = self._labels(nested)
        bodies, spoken = zip(*((text.body, text.lang) for text in nested.texts), strict=True)
        terms = count_terms(
            bodies,
            spoken,
            max_terms=options.keyword_terms,
            max_characters=options.keyword_characters,
        )
        words = keywords(terms, labels, weights=nested.weights)
        # Judged on all that the texts say, whatever was read to choose them.
        usual = Options()
        every = count_terms(
            bodies, spoken, max_terms=usual.keyword_terms, max_characters=max(map(len, bodies))
        )
        column = {word.casefold(): at for at, word in enumerate(every.shown)}
        large = np.flatnonzero(np.bincount(labels) >= _MIN_TEXTS)
        chosen = [[column.get(word.casefold(), -1) for word in words[c]] for c in large]
        if not any(chosen):
            raise InputError(
                f"keywords: some {self.level} must have {_MIN_TEXTS} texts, got none. "
                "Lower min_similarity."
            )
        values = evaluate.keyword_coherence(chosen, every.matrix)
        return chosen, values[~np.isnan(values)]


def _titled(part: Labelled, seed: int) -> Ints:
    """Return the rows with a title and a text, no title and no text twice, at most 5,000."""
    seen: set[str] = set()
    rows = []
    for row, article in enumerate(part.articles):
        keys = {f"title {same_text(article.title)}", f"text {same_text(article.text)}"}
        if article.title and article.text and not keys & seen:
            seen |= keys
            rows.append(row)
    found = np.array(rows, np.int64)
    if found.size > _TITLED:
        found = np.sort(np.random.default_rng([17, seed]).permutation(found)[:_TITLED])
    return found
