"""Contrast a text's own view and its like partner with the rest of the batch (SimCSE)."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from newsnest.errors import ParameterError
from newsnest.train.losses.pair_loss import PairLoss, check_temperature, read_targets, unit

Variant = Literal["clean", "paper"]
Unlike = Literal["masked", "negative"]


class Masks(NamedTuple):
    """Which entries of the similarities of a batch mean what; bool (2n, 2n) each.

    Rows and columns are the first texts of all pairs, then the second ones. What is neither
    positive nor ignored is a negative.
    """

    positive: Tensor
    ignored: Tensor


def contrastive_masks(
    like: Tensor, group: Tensor | None, *, views: bool, variant: Variant, unlike: Unlike
) -> Masks:
    """Return for a batch of n pairs which entries are positives and which are ignored.

    `like` (n,) says whether the two texts of a pair are alike. `group` (n, g, 2) holds ids of
    what both belong to at a level and finer ones, −1 where unknown: texts of other pairs that share
    one are no negatives, because two articles of one story are also of one topic. With
    `views`, rows and columns are different views, so that a text's own entry is a positive; else it
    is the text itself, and ignored. The variant "paper" takes every partner for a positive and
    ignores groups; `unlike` says how a partner that is not alike counts in the other.
    """
    n = len(like)
    own = torch.eye(2 * n, dtype=torch.bool, device=like.device)
    partner = own.roll(n, dims=0)
    nothing = torch.zeros_like(own)
    if variant == "paper":
        return Masks(partner | (own if views else nothing), nothing if views else own)
    alike = like.repeat(2)[:, None]  # (2n, 1)
    ignored = nothing if views else own
    if unlike == "masked":
        ignored = ignored | partner & ~alike
    if group is not None:
        ids = group.permute(2, 0, 1).flatten(end_dim=1)  # (2n, g): the first texts, then the second
        same = ((ids[:, None] == ids[None, :]) & (ids >= 0)[:, None]).any(dim=-1)
        ignored = ignored | same & ~own & ~partner
    return Masks(partner & alike | (own if views else nothing), ignored)


def contrastive_loss(
    rows: Tensor, columns: Tensor, masks: Masks, *, temperature: float, variant: Variant
) -> Tensor:
    """Return the InfoNCE loss of every row against all columns, a scalar.

    Parameters
    ----------
    rows, columns
        Shape (m, d) each, of any length.
    masks
        Shape (m, m) each.
    temperature
        Divides the cosines.
    variant
        "clean": for each positive −log(e⁺ / (e⁺ + Σ e⁻)), the mean over the positives of a row, the
        mean over the rows that have one. "paper": −log(Σ e⁺ / Σ e), the sum over the rows.

    Notes
    -----
    Computed in float32 at least, also under autocast: at temperature 0.05 the three digits of
    bfloat16 are not enough. O(m² d) in time, O(m²) in memory.
    """
    with torch.autocast(rows.device.type, enabled=False):
        logits = unit(rows) @ unit(columns).T / temperature  # (m, m)
        if variant == "paper":
            top = logits.masked_fill(~masks.positive, -torch.inf).logsumexp(dim=1)
            bottom = logits.masked_fill(masks.ignored, -torch.inf).logsumexp(dim=1)
            return (bottom - top).sum()
        # A row without negatives has −∞ here, and softplus makes a loss of 0 of that.
        apart = logits.masked_fill(masks.positive | masks.ignored, -torch.inf).logsumexp(dim=1)
        losses = functional.softplus(
            apart[:, None] - logits
        )  # −log(e⁺ / (e⁺ + Σ e⁻)), were it positive
        count = masks.positive.sum(dim=1)  # (m,)
        per_row = torch.where(masks.positive, losses, 0.0).sum(dim=1) / count.clamp(min=1)
        return per_row.sum() / (count > 0).sum().clamp(min=1)


def batch_contrast(
    columns: Sequence[Tensor],
    like: Tensor,
    group: Tensor | None,
    *,
    temperature: float,
    variant: Variant = "clean",
    unlike: Unlike = "masked",
) -> Tensor:
    """Return the InfoNCE loss of n pairs: of [a, a′, b, b′], or [a, b] without views, (n, d) each.

    See `contrastive_masks` and `contrastive_loss`.
    """
    views = len(columns) == 4
    masks = contrastive_masks(like, group, views=views, variant=variant, unlike=unlike)
    if views:
        a, a2, b, b2 = columns
        left, right = torch.cat([a, b2]), torch.cat([a2, b])
    else:
        left = right = torch.cat(tuple(columns))
    return contrastive_loss(left, right, masks, temperature=temperature, variant=variant)


def view_contrast(one: Tensor, other: Tensor, *, temperature: float) -> Tensor:
    """Return the InfoNCE loss of two views (n, d): only the two of a text are alike."""
    alike = torch.ones(len(one), dtype=torch.bool, device=one.device)
    return batch_contrast([one, other], alike, None, temperature=temperature)


class InBatchContrastiveLoss(PairLoss):
    """Pull a text to its own dropout view and its like partner, away from the rest of the batch.

    Combine it with a ranking loss: it spreads the embeddings out and aligns languages. Give it
    batches from `ComponentBatchSampler`, or labels with group ids: a batch holds false negatives
    otherwise.

    Parameters
    ----------
    model
        A SentenceTransformer whose dropout is on while it trains.
    min_score
        From this similarity on two texts of a pair are alike.
    variant
        "clean", or "paper": see `contrastive_loss` and `contrastive_masks`.
    unlike
        How a partner that is not alike counts: "masked" or as a "negative".
    temperature
        Divides the cosines.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If a word is unknown or the temperature is not positive.

    Expects
    -------
    Two columns of text, and a label: the similarity in [0, 1], or a row of it and group ids of both
    texts (the finest level is used).

    Source: SimCSE (arXiv 2104.08821), equation 4; arXiv 2506.00277, section 3.2. Differs from the
    sources in that a partner is a positive only where the label makes it one, texts known to be
    alike are no negatives, and positives do not compete; `variant="paper"` is the second source.
    """

    cites = "gao2021simcse"
    settings = ("min_score", "variant", "unlike", "temperature")

    def __init__(
        self,
        model: nn.Module,
        *,
        min_score: float = 0.625,
        variant: Variant = "clean",
        unlike: Unlike = "masked",
        temperature: float = 0.05,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, views=True, mini_batch_size=mini_batch_size)
        check_word("InBatchContrastiveLoss", "variant", variant, get_args(Variant))
        check_word("InBatchContrastiveLoss", "unlike", unlike, get_args(Unlike))
        check_temperature("InBatchContrastiveLoss", temperature)
        self.min_score = min_score
        self.variant = variant
        self.unlike = unlike
        self.temperature = temperature

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [a, a′, b, b′], shape (n, d) each."""
        targets = read_targets(labels, len(embeddings[0]))
        return batch_contrast(
            embeddings,
            targets.scores >= self.min_score,
            targets.group(targets.groups.shape[1] - 1),
            temperature=self.temperature,
            variant=self.variant,
            unlike=self.unlike,
        )


def check_word(caller: str, param: str, value: str, known: Sequence[str]) -> None:
    """Raise unless a word is one of the known ones."""
    if value not in known:
        raise ParameterError(
            f"{caller}: {param} must be one of {', '.join(known)}, got {value!r}. Choose one."
        )
