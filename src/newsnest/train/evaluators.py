"""Our scores as evaluators for the sentence-transformers trainer."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from newsnest import evaluate
from newsnest.errors import ParameterError
from newsnest.evaluate import Estimate
from newsnest.labelled import Pair, ParallelTexts
from newsnest.types import Vectors

_FOUND = 100  # documents of each ranking that are looked at
_SPOKEN = {"pearson": "Pearson", "mrr_10": "MRR@10", "ndcg_10": "NDCG@10"}


class EncoderEvaluator(SentenceEvaluator):  # type: ignore[misc]  # untyped base
    """What the evaluators share: encoding, the CSV, the model card.

    Parameters
    ----------
    primary
        The score that decides, of those that `scores` returns; `primary_metric` has the name before
        it, and `spoken` is what people call it.
    name
        Put before every metric.
    dims
        Prefixes; None means d/4, d/2 and d.
    batch_size
        Texts per forward pass.
    write_csv
        Whether `__call__` adds to a CSV file in its `output_path`.
    """

    def __init__(
        self,
        primary: str,
        *,
        name: str = "",
        dims: Sequence[int] | None = None,
        batch_size: int = 32,
        write_csv: bool = False,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.name = name
        self.batch_size = batch_size
        self.write_csv = write_csv
        self.greater_is_better = True
        self.primary = primary
        self.primary_metric = "_".join(filter(None, (name, primary)))
        self.spoken = _SPOKEN.get(primary, primary)

    def __call__(
        self,
        model: SentenceTransformer,
        output_path: str | None = None,
        epoch: int = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """Evaluate the model.

        Parameters
        ----------
        model
            Encodes; its own prompts, `truncate_dim` and maximum length apply.
        output_path
            Folder with the CSV file that gets a line a score; None writes nothing.
        epoch, steps
            When this is, for that line and for the model card.

        Returns
        -------
        dict of str to float
            What `primary_metric` names is among them. A score that is undefined is left out.
        """
        scores = self.scores(model)
        if output_path is not None and self.write_csv:
            self._append(Path(output_path), epoch, steps, scores)
        metrics: dict[str, float] = self.prefix_name_to_metrics(scores, self.name)
        self.store_metrics_in_model_card_data(model, metrics, epoch, steps)
        return metrics

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return the scores by name, without the name of the evaluator before them."""
        raise NotImplementedError

    def get_config_dict(self) -> dict[str, Any]:
        """Return what the model card says about the evaluator."""
        return {} if self.dims is None else {"dims": list(self.dims)}

    def _encode(self, model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
        place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = model.encode(
            list(place),
            batch_size=self.batch_size,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        rows: Vectors = np.asarray(vectors, np.float32)[[place[text] for text in texts]]
        return rows

    def _append(self, folder: Path, epoch: int, steps: int, scores: Mapping[str, float]) -> None:
        """Add a line a score: what is defined may change from one time to the next."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = "_".join(filter(None, (type(self).__name__, self.name)))
        path = folder / f"{stem}_results.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("epoch", "steps", "score", "value"))
            writer.writerows((epoch, steps, score, value) for score, value in scores.items())


class GradedPairEvaluator(EncoderEvaluator):
    """Agreement of a model with graded pairs, at every prefix and level and by language pair.

    Prefer it to `EmbeddingSimilarityEvaluator` for Matryoshka models: one encoding serves every
    prefix, and the primary metric is their mean.

    Parameters
    ----------
    pairs
        `newsnest.evaluate.read_pairs` reads them.
    dims, name, batch_size, write_csv
        See `EncoderEvaluator`.

    Notes
    -----
    Metrics: `pearson` and `spearman` (means over prefixes; `pearson` is primary), then
    `pearson_96`, `spearman_96`, `auroc_story_96` and so on over all pairs, `pearson_en-es_96` by
    language pair. The mean of prefixes without any correlation (all vectors alike) is 0. No
    intervals: `newsnest evaluate pairs` has them.

    Raises
    ------
    ParameterError
        If all pairs are equally similar; when called, if a prefix is wider than the vectors.

    Example
    -------
    >>> pairs = [Pair("Rates held", "No change", 1.0), Pair("Flood", "Cup", 0.0)]
    >>> GradedPairEvaluator(pairs, name="sts").primary_metric
    'sts_pearson'
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        dims: Sequence[int] | None = None,
        name: str = "",
        batch_size: int = 32,
        write_csv: bool = True,
    ) -> None:
        super().__init__(
            "pearson", name=name, dims=dims, batch_size=batch_size, write_csv=write_csv
        )
        if len({pair.score for pair in pairs}) < 2:
            raise ParameterError(
                "GradedPairEvaluator: pairs must hold at least two different similarities, got "
                f"{len(pairs)} pairs with one. See how many rows of the file were left out."
            )
        self.pairs = tuple(pairs)

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return means over prefixes, then every prefix, level and language pair."""
        n = len(self.pairs)
        texts = [pair.text1 for pair in self.pairs] + [pair.text2 for pair in self.pairs]
        vectors = self._encode(model, texts)
        found = evaluate.pair_scores(
            self.pairs, vectors[:n], vectors[n:], dims=self.dims, resamples=0
        )
        out: dict[str, Estimate | None] = {}
        for s in found:
            whole = s.languages == "all"
            where = f"{s.dims}" if whole else f"{s.languages}_{s.dims}"
            out |= {f"pearson_{where}": s.pearson, f"spearman_{where}": s.spearman}
            if whole:
                out |= {f"auroc_{level}_{s.dims}": area for level, area in s.auroc.items()}
        prefixes = [s for s in found if s.languages == "all"]
        means = {
            "pearson": _mean([s.pearson for s in prefixes]),
            "spearman": _mean([s.spearman for s in prefixes]),
        }
        return means | _defined(out)


class AlignmentEvaluator(EncoderEvaluator):
    """Relational similarity of languages with a pivot, and how often a translation is nearest.

    Parameters
    ----------
    languages
        `newsnest.labelled.read_parallel` reads them.
    dims, name, batch_size, write_csv
        See `EncoderEvaluator`.

    Notes
    -----
    Metrics: `relational` and `found`, means over languages at all dimensions (`relational` is
    primary), then `relational_96`, `found_96` and so on, and `relational_fr_384` by language.

    Raises
    ------
    ParameterError
        If there are no languages; when called, if a language has fewer than three sentences or a
        prefix is wider than the vectors.

    Example
    -------
    >>> french = ParallelTexts("fr", "en", ("Oui", "Non", "Jamais"), ("Yes", "No", "Never"))
    >>> AlignmentEvaluator([french]).primary_metric
    'relational'
    """

    def __init__(
        self,
        languages: Sequence[ParallelTexts],
        *,
        dims: Sequence[int] | None = None,
        name: str = "",
        batch_size: int = 32,
        write_csv: bool = True,
    ) -> None:
        super().__init__(
            "relational", name=name, dims=dims, batch_size=batch_size, write_csv=write_csv
        )
        if not languages:
            raise ParameterError(
                "AlignmentEvaluator: languages must hold at least one language, got none. "
                "Read them with read_parallel."
            )
        self.languages = tuple(languages)

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return means over languages, then every prefix and language."""
        texts = [t for p in self.languages for side in (p.texts, p.pivot_texts) for t in side]
        vectors = self._encode(model, texts)
        found: list[evaluate.AlignmentScores] = []
        start = 0
        for parallel in self.languages:
            middle, end = start + len(parallel.texts), start + 2 * len(parallel.texts)
            found += evaluate.alignment_scores(
                parallel, vectors[start:middle], vectors[middle:end], dims=self.dims, resamples=0
            )
            start = end
        prefixes = sorted({s.dims for s in found})
        means: dict[str, float] = {}
        for suffix, prefix in (("", prefixes[-1]), *((f"_{d}", d) for d in prefixes)):
            own = [s for s in found if s.dims == prefix]
            means[f"relational{suffix}"] = _mean([s.relational for s in own])
            means[f"found{suffix}"] = _mean([s.found for s in own])
        single = {f"relational_{s.language}_{s.dims}": s.relational for s in found}
        return means | _defined(single)


class PairRetrievalEvaluator(EncoderEvaluator):
    """How well the first text of a pair finds the second among those of all pairs.

    Parameters
    ----------
    pairs
        First and second texts; a text may occur in several pairs.
    primary
        The score that decides, such as "ndcg_10".
    name
        Put before every metric.

    Notes
    -----
    Metrics, as `newsnest.evaluate.retrieval_scores` has them: `mrr_10` (primary), `ndcg_10`, `map`,
    `recall_1`, `recall_10`.

    Raises
    ------
    ParameterError
        If there are fewer than two pairs.

    Example
    -------
    >>> PairRetrievalEvaluator([("Flood", "Water rose"), ("Cup", "They won")]).primary_metric
    'mrr_10'
    """

    def __init__(
        self, pairs: Sequence[tuple[str, str]], *, primary: str = "mrr_10", name: str = ""
    ) -> None:
        super().__init__(primary, name=name, batch_size=64)
        if len(pairs) < 2:
            raise ParameterError(
                f"PairRetrievalEvaluator: pairs must hold at least two, got {len(pairs)}. "
                "Keep more to validate on."
            )
        self.queries = list(dict.fromkeys(first for first, _ in pairs))
        self.documents = list(dict.fromkeys(second for _, second in pairs))
        self.qrels: dict[str, dict[str, float]] = {}
        for first, second in pairs:
            self.qrels.setdefault(first, {})[second] = 1.0

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return the scores, means over first texts."""
        vectors = self._encode(model, [*self.queries, *self.documents])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        asked, documents = np.split(vectors, [len(self.queries)])
        rankings = evaluate.rank_documents(asked, documents, depth=_FOUND)
        ranked = {
            query: [self.documents[row] for row in rows]
            for query, rows in zip(self.queries, rankings, strict=True)
        }
        found = evaluate.retrieval_scores(
            ranked, self.qrels, recall_at=(1, 10), depth=_FOUND, resamples=0
        )
        return {
            "mrr_10": found.mrr_10.value,
            "ndcg_10": found.ndcg_10.value,
            "map": found.map.value,
            **{f"recall_{k}": value.value for k, value in found.recall.items()},
        }


def _mean(estimates: Sequence[Estimate | None]) -> float:
    """Return the mean of what is defined; 0, as of no relation at all, where nothing is."""
    values = [e.value for e in estimates if e is not None]
    return float(np.mean(values)) if values else 0.0


def _defined(estimates: Mapping[str, Estimate | None]) -> dict[str, float]:
    return {name: e.value for name, e in estimates.items() if e is not None}
