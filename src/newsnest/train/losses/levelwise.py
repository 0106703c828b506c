"""Train prefixes of an embedding as levels: theme at d/4, topic at d/2, story at d."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn

from newsnest.errors import ParameterError
from newsnest.train.losses import pair_loss
from newsnest.train.losses.angle import angle_similarity
from newsnest.train.losses.contrastive import Unlike, Variant, batch_contrast, check_word
from newsnest.train.losses.cosine_ranking import ranking_loss


@dataclass(frozen=True, slots=True)
class TrainingLevel:
    """One level of training.

    Parameters
    ----------
    name
        "theme", "topic", "story", or a name of your own.
    dims
        How many leading dimensions belong to this level; even.
    min_score
        From this similarity on a pair is alike at this level.
    """

    name: str
    dims: int
    min_score: float


def training_levels(dimensions: int) -> tuple[TrainingLevel, ...]:
    """Return theme, topic and story at d/4, d/2 and d.

    A pair is alike at a level from the middle between two grades on (0, .25, .5, .75 are very and
    somewhat dissimilar, somewhat and very similar), so the mean of several people's grades counts
    as the grade next to it.

    Parameters
    ----------
    dimensions
        d, a multiple of 8: every prefix is even.

    Raises
    ------
    ParameterError
        If d is no positive multiple of 8.

    Example
    -------
    >>> [(level.name, level.dims, level.min_score) for level in training_levels(384)]
    [('theme', 96, 0.125), ('topic', 192, 0.375), ('story', 384, 0.625)]
    """
    if dimensions < 8 or dimensions % 8:
        raise ParameterError(
            f"training_levels: dimensions must be a multiple of 8, got {dimensions}. "
            "Give levels of your own with even prefixes."
        )
    return (
        TrainingLevel("theme", dimensions // 4, 0.125),
        TrainingLevel("topic", dimensions // 2, 0.375),
        TrainingLevel("story", dimensions, 0.625),
    )


def check_levels(levels: Sequence[TrainingLevel], dimensions: int | None) -> None:
    """Raise unless levels go from coarse to fine and fit into an embedding."""
    caller = "LevelwiseMatryoshkaLoss: levels must"
    if not levels:
        raise ParameterError(f"{caller} hold one at least, got none. Use training_levels(d).")
    for level in levels:
        if level.dims < 2 or level.dims % 2:
            raise ParameterError(
                f"{caller} have even prefixes of 2 dimensions or more, got {level.dims} for "
                f"{level.name}. Choose another prefix."
            )
        if dimensions is not None and level.dims > dimensions:
            raise ParameterError(
                f"{caller} fit into the embedding of {dimensions} dimensions, got {level.dims} "
                f"for {level.name}. Use training_levels({dimensions})."
            )
    dims = [level.dims for level in levels]
    cuts = [level.min_score for level in levels]
    if dims != sorted(set(dims)) or cuts != sorted(cuts):
        raise ParameterError(
            f"{caller} go from coarse to fine, more dimensions and a higher min_score each, "
            f"got {dims} and {cuts}. Sort them."
        )


@dataclass(frozen=True, slots=True)
class LevelwiseTerms:
    """What the loss of a level is made of; a weight of 0 leaves a term out.

    Parameters
    ----------
    cosine, angle, contrastive
        Weights of the three terms.
    dropout_views
        Encode every text twice. Without it, pairs alone are ranked, and the contrastive term
        compares each text with all others of the batch.
    cosine_scale, angle_scale
        Inverse temperatures of the two rankings.
    temperature
        Of the contrastive term.
    unlike
        How the contrastive term of the clean variant treats a partner that is not alike at a
        level: "masked" or a "negative".
    """

    cosine: float = 1.0
    angle: float = 1.0
    contrastive: float = 1.0
    dropout_views: bool = True
    cosine_scale: float = 20.0
    angle_scale: float = 1.0
    temperature: float = 0.05
    unlike: Unlike = "masked"


class LevelwiseMatryoshkaLoss(pair_loss.PairLoss):
    """Rank and contrast pairs at every prefix of the embedding, by the labels of its level.

    Every prefix is cut off, normalised and scored: training pulls pairs that are alike at the level
    (the same theme at d/4, the same topic at d/2, the same story at d) closer together than pairs
    that are not. The losses of the levels are summed.

    Parameters
    ----------
    model
        A SentenceTransformer whose dropout is on while it trains.
    levels
        Coarse to fine; `training_levels` returns theme, topic, story.
    variant
        "clean": a partner is a positive of the contrastive term only where it is alike at the
        level; the term knows false negatives by group ids and is a mean; the AnglE score is that of
        both orders. "paper": every partner is a positive, the term is a sum; one order.
    graded_story
        The finest level ranks by the similarities themselves; False: by alike or not, as the
        coarser levels do.
    terms
        Weights and temperatures.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If levels, variant or terms are outside their domains.

    Expects
    -------
    Two columns of text, and a label: the similarity in [0, 1] (grades 0, .25, .5, .75), or a row of
    it and the group ids of both texts per level, coarse to fine.

    Notes
    -----
    With n pairs and two views, 6n pairs are ranked and 4n² similarities contrasted per level.
    Where all pairs of a batch are alike, or none, a ranking without views is 0.

    Source: arXiv 2506.00277, section 3 and its public code, where they differ as the code has it
    (all six pairings of the views are ranked, as the text has it). The variant "clean" differs from
    the source as described under `variant`.

    Example
    -------
    >>> levels = (TrainingLevel("topic", 2, 0.375), TrainingLevel("story", 4, 0.625))
    >>> loss = LevelwiseMatryoshkaLoss(nn.Identity(), levels)
    >>> a = torch.eye(4)
    >>> loss.compute_loss_from_embeddings([a, a, a, a], torch.full((4,), 0.75)).isfinite().item()
    True
    """

    cites = "hanley2025hierarchical"

    def __init__(
        self,
        model: nn.Module,
        levels: Sequence[TrainingLevel],
        *,
        variant: Variant = "clean",
        graded_story: bool = True,
        terms: LevelwiseTerms | None = None,
        mini_batch_size: int | None = None,
    ) -> None:
        terms = terms or LevelwiseTerms()
        super().__init__(model, views=terms.dropout_views, mini_batch_size=mini_batch_size)
        width = getattr(model, "get_embedding_dimension", lambda: None)()
        check_levels(levels, width)
        check_word("LevelwiseMatryoshkaLoss", "variant", variant, get_args(Variant))
        check_word("LevelwiseMatryoshkaLoss", "unlike", terms.unlike, get_args(Unlike))
        pair_loss.check_temperature("LevelwiseMatryoshkaLoss", terms.temperature)
        self._require(
            max(terms.cosine, terms.angle, terms.contrastive) > 0,
            "terms must hold one of positive weight, got none. "
            "Set cosine, angle or contrastive above 0.",
        )
        self.levels = tuple(levels)
        self.variant: Variant = variant
        self.graded_story = graded_story
        self.terms = terms

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [a, a′, b, b′], or of [a, b] without dropout views."""
        columns = [pair_loss.full_precision(column) for column in embeddings]
        targets = pair_loss.read_targets(labels, len(columns[0]))
        check_levels(self.levels, columns[0].shape[-1])
        losses = [self._level_loss(i, columns, targets) for i in range(len(self.levels))]
        return torch.stack(losses).sum()

    def _level_loss(
        self, index: int, columns: Sequence[Tensor], targets: pair_loss.PairTargets
    ) -> Tensor:
        level, terms = self.levels[index], self.terms
        prefixes = [pair_loss.unit(column[:, : level.dims]) for column in columns]
        alike = targets.scores >= level.min_score
        graded = self.graded_story and index == len(self.levels) - 1
        ranks = targets.scores if graded else alike.to(targets.scores.dtype)
        left, right, ranks = _ranked_pairs(prefixes, ranks)
        loss = left.new_zeros(())
        if terms.cosine:
            cosines = (left * right).sum(-1)
            loss = loss + terms.cosine * ranking_loss(cosines, ranks, scale=terms.cosine_scale)
        if terms.angle:
            scores = angle_similarity(left, right, symmetric=self.variant == "clean")
            loss = loss + terms.angle * ranking_loss(scores, ranks, scale=terms.angle_scale)
        if terms.contrastive:
            contrast = batch_contrast(
                prefixes,
                alike,
                targets.group(index),
                temperature=terms.temperature,
                variant=self.variant,
                unlike=terms.unlike,
            )
            loss = loss + terms.contrastive * contrast
        return loss

    def get_config_dict(self) -> dict[str, Any]:
        return {
            "levels": [asdict(level) for level in self.levels],
            "variant": self.variant,
            "graded_story": self.graded_story,
            "terms": asdict(self.terms),
            **super().get_config_dict(),
        }


def _ranked_pairs(prefixes: Sequence[Tensor], ranks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return both ends (m, d) and ranks (m,) of all pairs to rank: m = n, or 6n with views."""
    if len(prefixes) == 2:
        return prefixes[0], prefixes[1], ranks
    a, a2, b, b2 = prefixes
    same = torch.ones_like(ranks)  # a text and its own other view
    left, right = torch.cat([a, b, a, a2, a, a2]), torch.cat([a2, b2, b, b2, b2, b])
    return left, right, torch.cat([same, same, *[ranks] * 4])
