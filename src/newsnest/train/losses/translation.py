"""Move a translation to the teacher's vector of the original, and keep the original there."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from newsnest.train.losses.pair_loss import FrozenReader, PairLoss, check_temperature, unit

_SAME = 0.95  # from this cosine on two originals mean nearly the same: no negatives


def distance_loss(embeddings: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of 1 − cosine of every row and the teacher's, (n, d) each, a scalar.

    Half the squared distance of the unit vectors.

    Example
    -------
    >>> distance_loss(torch.eye(2), torch.tensor([[2.0, 0.0], [3.0, 0.0]])).item()
    0.5
    """
    now, then = unit(embeddings), unit(teacher)
    return (1 - (now * then).sum(-1)).mean()


def retrieval_loss(embeddings: Tensor, teacher: Tensor, *, temperature: float) -> Tensor:
    """Return the InfoNCE loss of every row against the teacher's rows, (n, d) each, a scalar.

    Rows of the teacher that are nearly the row's own (cosine from .95 on) are no negatives.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        now, then = unit(embeddings), unit(teacher)
        own = torch.eye(len(now), dtype=torch.bool, device=now.device)
        logits = now @ then.T / temperature  # (n, n)
        logits = logits.masked_fill((then @ then.T >= _SAME) & ~own, -torch.inf)
        return functional.cross_entropy(logits, torch.arange(len(now), device=now.device))


def similarity_loss(embeddings: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of cosines with the teacher's rows, a scalar.

    Compares the cosine of row i and the teacher's row j with that of the teacher's rows i and j.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        now, then = unit(embeddings), unit(teacher)
        return (now @ then.T - then @ then.T).square().mean()


@dataclass(frozen=True, slots=True)
class TranslationTerms:
    """The terms added to `distance_loss` of the translations; 0 leaves a term out.

    Parameters
    ----------
    original
        Weight of the originals relative to the translations.
    similarity
        Weight of `similarity_loss` of both.
    contrastive
        Weight of `retrieval_loss` of the translations.
    temperature
        Of `retrieval_loss`.
    """

    original: float = 1.0
    similarity: float = 10.0
    contrastive: float = 0.0
    temperature: float = 0.05


class TranslationLoss(PairLoss):
    """Teach a model other languages by its own vectors of one that it knows.

    Training moves the embedding of a translation to the teacher's of the original, and keeps the
    original where the teacher has it. Prefer it to a contrastive loss on translations where
    similarities within the known language are to stay what they are.

    Parameters
    ----------
    model
        A SentenceTransformer.
    teacher
        The model as it was, of the same width; frozen, never saved, never trained.
    terms
        See `TranslationTerms`.
    mini_batch_size
        See `PairLoss`.

    Raises
    ------
    ParameterError
        If the temperature is not positive, or the widths differ.

    Expects
    -------
    Two columns of text, the translation and the original, and a label, which is ignored. The
    same original may occur in a batch several times, as several languages have it.

    Source: Reimers and Gurevych, "Making Monolingual Sentence Embeddings Multilingual using
    Knowledge Distillation" (arXiv 2004.09813), equation 1. Differs from the source in that unit
    vectors are compared, similarities too, and the student starts as the teacher itself.
    """

    cites = "reimers2020multilingual"
    expects = "a translation and its original"

    def __init__(
        self,
        model: nn.Module,
        *,
        teacher: nn.Module,
        terms: TranslationTerms | None = None,
        mini_batch_size: int | None = None,
    ) -> None:
        super().__init__(model, mini_batch_size=mini_batch_size)
        self.terms = terms or TranslationTerms()
        check_temperature("TranslationLoss", self.terms.temperature)
        self._teacher = FrozenReader(teacher)
        self._targets: Tensor | None = None

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> Tensor:
        """Encode both columns, the originals also by the teacher; return the loss, a scalar."""
        columns = list(sentence_features)
        self._targets = self._teacher.read(columns[1:], self.mini_batch_size)
        return super().forward(columns, labels)

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss of [translations, originals] (n, d), whose texts `forward` was given."""
        translations, originals = embeddings
        targets = self._targets
        assert targets is not None  # set by forward
        self._require(
            targets.shape == originals.shape,
            f"teacher must give vectors of shape {tuple(originals.shape)}, got "
            f"{tuple(targets.shape)}. Start from the teacher itself.",
        )
        terms = self.terms
        kept = distance_loss(originals, targets)
        loss = distance_loss(translations, targets) + terms.original * kept
        if terms.similarity:
            kept = similarity_loss(originals, targets)
            moved = similarity_loss(translations, targets) + terms.original * kept
            loss = loss + terms.similarity * moved
        if terms.contrastive:
            found = retrieval_loss(translations, targets, temperature=terms.temperature)
            loss = loss + terms.contrastive * found
        return loss

    def get_config_dict(self) -> dict[str, Any]:
        return {**asdict(self.terms), **super().get_config_dict()}
