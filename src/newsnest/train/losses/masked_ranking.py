"""Rank a query's item above those of the batch, except those a teacher scores as matches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from sentence_transformers.sentence_transformer.losses import GISTEmbedLoss
from torch import Tensor, nn
from torch.nn import functional

from newsnest.train.losses.pair_loss import PairLoss, check_temperature, cosines
from newsnest.types import Vectors


class TeacherVectors(NamedTuple):
    """What a frozen teacher makes of all training pairs: unit vectors, float32 (n, d) each."""

    queries: Vectors
    items: Vectors


class MaskedRankingLoss(PairLoss):
    """InfoNCE over the items of a batch, without those that a teacher scores as right answers.

    The mean of −log softmax(cos(q, d) / temperature) at the query's own item; an item d′ of another
    pair is left out where f(q, d′) > f(q, d) − margin, f the cosine of the teacher's vectors.

    Parameters
    ----------
    model
        A SentenceTransformer.
    teacher
        Its vectors of every row of the data set; None: nothing is left out.
    margin
        Higher leaves more out: at 0 what the teacher finds more similar than the query's own item;
        below 0 only what is more similar by as much.
    temperature
        Lower looks at the hardest negatives more.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If the margin is outside of [−1, 1], the temperature is not positive, the teacher has not
        as many vectors of the one side as of the other, or a label is no row of it.

    Expects
    -------
    Two columns of text; the label is the number of the row in the data set. Batches in which no
    text stands twice (`ClusterStratifiedBatchSampler`).

    Notes
    -----
    O(n² d) in time, n² numbers in memory. The same objective as GISTEmbedLoss and
    CachedGISTEmbedLoss of sentence-transformers with `contrast_anchors=False`,
    `contrast_positives=False` and `margin_strategy="absolute"`; a test compares them. Those have
    the teacher read every batch anew, and what the model's tokenizer left of its words; here it has
    read every text once, which the clustering needs anyway.

    Source: InfoNCE at temperature 0.02: arXiv 2407.18887; the mask: arXiv 2410.02525, with
    ε = −margin.
    """

    expects = "two texts and the number of their row"
    settings = ("margin", "temperature")

    def __init__(
        self,
        model: nn.Module,
        *,
        teacher: TeacherVectors | None = None,
        margin: float = 0.0,
        temperature: float = 0.02,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self._require(
            -1 <= margin <= 1,
            f"margin must be in [-1, 1], got {margin}. It is a difference of cosines; give 0.",
        )
        check_temperature("MaskedRankingLoss", temperature, source=0.02)
        if teacher is not None:
            queries, items = map(len, teacher)
            self._require(
                queries == items,
                f"teacher must have as many items as queries ({queries}), got {items}. "
                "Give both of every row.",
            )
        # No buffers: they would be copied to the device, and saved with the weights.
        self._teacher = teacher and tuple(torch.from_numpy(side) for side in teacher)
        self.margin = margin
        self.temperature = temperature

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [queries, items], shape (n, d) each; labels are row numbers, (n,)."""
        queries, items = embeddings
        scores = cosines(queries, items) / self.temperature  # (n, n)
        if self._teacher is not None:
            scores = scores.masked_fill(self.masked(labels).to(scores.device), -torch.inf)
        own = torch.arange(len(scores), device=scores.device)
        return functional.cross_entropy(scores, own)

    def masked(self, labels: Tensor | Sequence[int]) -> Tensor:
        """Tell which items of a batch are no negatives of which of its queries, bool (n, n).

        Parameters
        ----------
        labels
            (n,): row numbers.
        """
        rows = torch.as_tensor(labels).detach().cpu().long()
        if self._teacher is None:
            return torch.zeros(len(rows), len(rows), dtype=torch.bool)
        known = len(self._teacher[0])
        self._require(
            rows.ndim == 1 and (not len(rows) or bool(0 <= rows.min() <= rows.max() < known)),
            f"labels must be row numbers below {known}, one a pair, got {rows.tolist()[:8]}. "
            "Give the data set a column that counts its rows.",
        )
        similar = self._teacher[0][rows] @ self._teacher[1][rows].T  # (n, n)
        masked = similar > similar.diagonal()[:, None] - self.margin
        return masked.fill_diagonal_(False)

    def get_config_dict(self) -> dict[str, Any]:
        return {"masked": self._teacher is not None, **super().get_config_dict()}

    citation = GISTEmbedLoss.citation  # BibTeX of the mask by a guide
