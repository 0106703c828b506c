"""Titles that look for their summaries, as an evaluator for the sentence-transformers trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from newsnest.errors import ParameterError
from newsnest.evaluate import rank_documents, retrieval_scores
from newsnest.train.evaluators import EncoderEvaluator

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_FOUND = 100  # documents of each ranking that are looked at


class PairRetrievalEvaluator(EncoderEvaluator):
    """How well the first text of a pair finds the second among those of all pairs.

    Parameters
    ----------
    pairs
        First and second texts; a text may stand in several pairs.
    name
        Put before every metric.
    batch_size
        Texts a forward pass.

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
        self, pairs: Sequence[tuple[str, str]], *, name: str = "", batch_size: int = 64
    ) -> None:
        super().__init__(dims=None, name=name, batch_size=batch_size, write_csv=False)
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
        self.primary_metric = "_".join(filter(None, (name, "mrr_10")))

    def scores(self, model: SentenceTransformer) -> dict[str, float]:
        """Return the scores, means over first texts."""
        vectors = self._encode(model, [*self.queries, *self.documents])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        asked, documents = np.split(vectors, [len(self.queries)])
        rankings = rank_documents(asked, documents, depth=_FOUND)
        ranked = {
            query: [self.documents[row] for row in rows]
            for query, rows in zip(self.queries, rankings, strict=True)
        }
        found = retrieval_scores(ranked, self.qrels, recall_at=(1, 10), depth=_FOUND, resamples=0)
        return {
            "mrr_10": found.mrr_10.value,
            "ndcg_10": found.ndcg_10.value,
            "map": found.map.value,
            **{f"recall_{k}": value.value for k, value in found.recall.items()},
        }
