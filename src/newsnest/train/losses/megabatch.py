"""Push the hardest other positive of a large batch away, up to a margin (ParaNMT)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from newsnest.train.losses.pair_loss import PairLoss, cosines


class MegaBatchLoss(PairLoss):
    """Pull a pair together and its hardest negative of the batch apart, each up to a margin.

    The mean of ReLU(positive_margin − cos(a, p)) + ReLU(cos(a, n) − negative_margin), n the other
    positive of the batch that is most similar to a. Prefer a ranking loss in small batches: the
    hardest of few is not hard. Provided for comparison.

    Parameters
    ----------
    model
        A SentenceTransformer.
    positive_margin, negative_margin
        Cosines: pairs above the first, and negatives below the second, cost nothing.
    mini_batch_size
        See `PairLoss`: memory for so many texts only; loss and gradients, of every text, stay
        those of the whole batch.

    Raises
    ------
    ParameterError
        If a margin is no cosine, or the negative one is above the positive one.

    Expects
    -------
    Two columns of text, and a label, which is ignored. Large batches (the source has 500 and
    more) in which no text stands twice.

    Notes
    -----
    O(n² d) in time, n² numbers in memory. A batch of one pair has no negative and only pulls.

    Source: Wieting and Gimpel, "ParaNMT-50M" (ACL 2018), section 4. Differs from
    MegaBatchMarginLoss of sentence-transformers before July 2026, where by default only the last
    mini-batch got gradients.
    """

    cites = "wieting-gimpel-2018-paranmt"
    settings = ("positive_margin", "negative_margin")

    def __init__(
        self,
        model: nn.Module,
        *,
        positive_margin: float = 0.8,
        negative_margin: float = 0.3,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self._require(
            -1 <= negative_margin <= positive_margin <= 1,
            "margins must be cosines, the negative one not above the positive one, got "
            f"{negative_margin} and {positive_margin}. The source has 0.3 and 0.8.",
        )
        self.positive_margin = positive_margin
        self.negative_margin = negative_margin

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [anchors, positives], shape (n, d) each."""
        anchors, positives = embeddings
        similar = cosines(anchors, positives)  # (n, n)
        own = torch.eye(len(similar), dtype=torch.bool, device=similar.device)
        hardest = similar.masked_fill(own, -torch.inf).amax(dim=1)  # (n,)
        apart = functional.relu(hardest - self.negative_margin)
        together = functional.relu(self.positive_margin - similar.diagonal())
        return (together + apart).mean()
