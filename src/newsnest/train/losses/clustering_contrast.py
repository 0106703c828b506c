"""Cluster texts while contrasting two views of each (SCCL)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from newsnest.errors import ParameterError
from newsnest.train.losses.contrastive import view_contrast
from newsnest.train.losses.pair_loss import PairLoss, check_temperature, unit
from newsnest.train.losses.soft_assignment import sharpened, student_assignment, target_divergence

_PROJECTED = 128


@dataclass(frozen=True, slots=True)
class ClusteringTerms:
    """Weights and scales of the terms of `ClusteringContrastLoss`.

    Parameters
    ----------
    length
        The length vectors are scaled to before distances are taken.
    weight
        Of the contrast against the clusters.
    temperature
        Of the contrast.
    alpha
        Degrees of freedom of Student's t.

    Raises
    ------
    ParameterError
        If one of them is not positive; `weight` may be 0.
    """

    length: float = 1.0
    weight: float = 10.0
    temperature: float = 0.5
    alpha: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("length", self.length), ("alpha", self.alpha)):
            if not value > 0:
                raise ParameterError(
                    f"ClusteringTerms: {name} must be positive, got {value}. Give 1."
                )
        if self.weight < 0:
            raise ParameterError(
                f"ClusteringTerms: weight must be at least 0, got {self.weight}. The source has 10."
            )
        check_temperature("ClusteringTerms", self.temperature)


class ClusteringContrastLoss(PairLoss):
    """Pull soft clusters to their own sharper version, and two views of a text to each other.

    Prefer it where there are only texts and a number of clusters. The centres and the projection of
    the views are parameters of the loss and are trained with it; give them a learning rate apart.

    Parameters
    ----------
    model
        A SentenceTransformer.
    centres
        (k, d), where the clusters start: the means of k-means on unit vectors of the model.
    terms
        See `ClusteringTerms`, and Notes on `length`.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If there are fewer than two centres.

    Expects
    -------
    Three columns of text: the text, and two views of it; no label.

    Notes
    -----
    Student's t with one degree of freedom has a scale of its own: among unit vectors it tells
    hardly anything apart, hence `length`.
    Source: SCCL (arXiv 2103.12953), equations 1 to 7. Differs from the source in `length`: there
    vectors are taken as they come.
    """

    cites = "zhang2021sccl"
    texts = 3
    expects = "a text and two views of it"

    def __init__(
        self,
        model: nn.Module,
        centres: Tensor,
        *,
        terms: ClusteringTerms = ClusteringTerms(),
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self._require(
            centres.ndim == 2 and len(centres) >= 2,
            f"centres must be two rows or more, got shape {tuple(centres.shape)}. "
            "Cluster the vectors of the model first.",
        )
        width = centres.shape[1]
        self.centres = nn.Parameter(centres.detach().clone().float() * terms.length)
        self.projection = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, _PROJECTED)
        ).to(centres.device)
        self.terms = terms

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [text, view, other view], shape (n, d) each; labels are not read."""
        text, one, other = embeddings
        q = self._assignment(text)
        clusters = target_divergence(q, sharpened(q))
        views = self.projection(torch.cat([one, other])).chunk(2)  # (n, 128) each
        contrast = view_contrast(*views, temperature=self.terms.temperature)
        return clusters + self.terms.weight * contrast

    @torch.no_grad()
    def assign(self, vectors: Tensor) -> Tensor:
        """Return the most likely cluster of each vector of the model, int64 (n,)."""
        return self._assignment(vectors.to(self.centres.device)).argmax(dim=1)

    def _assignment(self, vectors: Tensor) -> Tensor:
        with torch.autocast(vectors.device.type, enabled=False):
            scaled = unit(vectors) * self.terms.length
            return student_assignment(scaled, self.centres, alpha=self.terms.alpha)

    def get_config_dict(self) -> dict[str, Any]:
        chosen = {"clusters": len(self.centres), **asdict(self.terms)}
        return {**chosen, **super().get_config_dict()}
