"""What our losses share: encoding of the columns, labels, gradient caching, checks, precision."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, ClassVar, NamedTuple

import torch
from sentence_transformers.base.losses import CachedLossMixin, has_static_embedding_input
from torch import Tensor, nn
from torch.nn import functional

from newsnest.errors import ParameterError

_HALF = (torch.float16, torch.bfloat16)


class PairTargets(NamedTuple):
    """The content of a batch of labels.

    Parameters
    ----------
    scores
        Similarity of each pair in [0, 1], shape (n,).
    groups
        Ids of what the first and the second article belong to, int64 (n, g, 2), coarse to fine;
        −1 where unknown. g = 0 if the labels are scores alone.
    """

    scores: Tensor
    groups: Tensor

    def group(self, level: int) -> Tensor | None:
        """Return the ids (n, g, 2) of a level and all finer ones, those of the finest at least."""
        count = self.groups.shape[1]
        return self.groups[:, min(level, count - 1) :] if count else None


def read_targets(labels: Tensor, pairs: int) -> PairTargets:
    """Split labels into scores and group ids.

    Parameters
    ----------
    labels
        Scores, shape (n,); or (n, 1 + 2g): the score, then the group ids of both articles for each
        of g levels, coarse to fine.
    pairs
        n, the number of pairs in the batch.

    Raises
    ------
    ParameterError
        If the labels have another shape.

    Example
    -------
    >>> targets = read_targets(torch.tensor([[0.75, 3, 3], [0.0, 1, -1]]), 2)
    >>> targets.scores.tolist(), targets.groups.tolist()
    ([0.75, 0.0], [[[3, 3]], [[1, -1]]])
    """
    table = labels[:, None] if labels.ndim == 1 else labels
    if table.ndim != 2 or table.shape[0] != pairs or table.shape[1] % 2 == 0:
        raise ParameterError(
            f"read_targets: labels must be a score for each of {pairs} pairs, or a row of a score "
            f"and two group ids per level, got shape {tuple(labels.shape)}. "
            "Build the data set with pair_dataset."
        )
    table = full_precision(table if table.is_floating_point() else table.float())
    # Ids share a tensor with the scores: as float32 they are exact up to 2²⁴.
    groups = table[:, 1:].round().long().reshape(pairs, -1, 2)
    return PairTargets(table[:, 0], groups)


def full_precision(tensor: Tensor) -> Tensor:
    """Return a float16 or bfloat16 tensor as float32, any other as it is."""
    return tensor.float() if tensor.dtype in _HALF else tensor


def unit(vectors: Tensor) -> Tensor:
    """Return vectors at length 1, in float32 at least; zeros stay zeros."""
    return functional.normalize(full_precision(vectors), dim=-1)


def cosines(rows: Tensor, columns: Tensor) -> Tensor:
    """Return all cosines, (n, m), in float32 at least, also under autocast.

    Example
    -------
    >>> cosines(torch.tensor([[2.0, 0.0]]), torch.eye(2)).tolist()
    [[1.0, 0.0]]
    """
    with torch.autocast(rows.device.type, enabled=False):
        return unit(rows) @ unit(columns).T


class PairLoss(CachedLossMixin, nn.Module):  # type: ignore[misc]
    """Base of our losses: encodes the columns of text, then asks its subclass.

    A subclass has `compute_loss_from_embeddings` and, for the model card, the names of its
    `settings` and the entry of `citations.bib` that it `cites` (or a `citation` of its own). One
    that does not take two texts and a label also has the number of `texts` it `expects`.

    Parameters
    ----------
    model
        A SentenceTransformer, or any module that turns features into "sentence_embedding".
    views
        Encode every text twice, so that dropout makes two views of it.
    mini_batch_size
        None encodes the whole batch at once. A number encodes that many texts at a time and caches
        the gradients (GradCache): memory for so many texts only, at about 1.4 times the time; loss
        and gradients stay those of the whole batch.

    Raises
    ------
    ParameterError
        If the size is not positive, or the model reads static vectors, which cannot be cached.
    """

    model: nn.Module
    texts: ClassVar[int] = 2
    expects: ClassVar[str] = "two texts and a label"
    settings: ClassVar[tuple[str, ...]] = ()
    cites: ClassVar[str] = ""

    def __init__(
        self, model: nn.Module, *, views: bool = False, mini_batch_size: int | None = None
    ) -> None:
        super().__init__()
        self._require(
            mini_batch_size is None or mini_batch_size >= 1,
            f"mini_batch_size must be at least 1 or None, got {mini_batch_size}. "
            "Leave it out to encode the batch at once.",
        )
        self._require(
            mini_batch_size is None or not _reads_static(model),
            f"mini_batch_size must be None for static vectors, got {mini_batch_size}. "
            "They need little memory; leave it out.",
        )
        self.model = model
        self.views = views
        self.mini_batch_size = mini_batch_size
        self.uses_gradient_cache = mini_batch_size is not None

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> Tensor:
        """Encode the columns and return the loss, a scalar."""
        columns = list(sentence_features)
        self._require(
            len(columns) == self.texts,
            f"columns must be {self.expects}, got {len(columns)} columns of text. "
            "Select them, as pair_dataset does.",
        )
        if labels is None:  # the gradient cache wants some, although this loss reads none
            labels = torch.zeros(0, device=_device_of(columns[0]))
        # Copies: the model writes what it computes into the features it is given.
        columns = [dict(column) for column in columns for _ in range(1 + self.views)]
        if self.uses_gradient_cache:
            cached: Tensor = CachedLossMixin.forward_cached(self, columns, labels)
            return cached
        embeddings = [self.model(column)["sentence_embedding"] for column in columns]
        return self.compute_loss_from_embeddings(embeddings, labels)

    def calculate_loss(
        self,
        reps: Sequence[Sequence[Tensor]],
        labels: Tensor | None = None,
        *,
        with_backward: bool = False,
    ) -> Tensor:
        """Return the loss of embeddings that come in mini-batches; what gradient caching calls."""
        assert labels is not None
        loss = self.compute_loss_from_embeddings([torch.cat(tuple(r)) for r in reps], labels)
        if with_backward:
            loss.backward()  # type: ignore[no-untyped-call]
            loss = loss.detach()
        return loss

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the loss, a scalar.

        Parameters
        ----------
        embeddings
            [a, b] of shape (n, d) each, or [a, a′, b, b′] where there are two views of each text.
        labels
            As `read_targets` reads them.
        """
        raise NotImplementedError

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings, for the model card."""
        chosen = {name: getattr(self, name) for name in self.settings}
        return {**chosen, "mini_batch_size": self.mini_batch_size}

    @property
    def citation(self) -> str:
        """BibTeX of the source, "" if none is given."""
        entries = files(__package__).joinpath("citations.bib").read_text("utf-8").split("\n\n")
        return next((own for own in entries if self.cites and f"{{{self.cites}," in own), "")

    def _require(self, holds: bool, message: str) -> None:
        """Raise ParameterError, with the name of the loss before the message, unless it holds."""
        if not holds:
            raise ParameterError(f"{type(self).__name__}: {message}")


def _reads_static(model: nn.Module) -> bool:
    # The stock check indexes the model, which only a sequence of modules allows.
    stages = getattr(model, "_orig_mod", model)  # compiled
    return isinstance(stages, nn.Sequential) and bool(has_static_embedding_input(stages))


def _device_of(column: dict[str, Any]) -> torch.device:
    return next(value.device for value in column.values() if isinstance(value, Tensor))


class FrozenReader:
    """Reads texts by a frozen model; no module: a child of the loss would be trained and saved."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model.eval().requires_grad_(False)

    def read(self, columns: Sequence[dict[str, Tensor]], size: int | None) -> Tensor:
        """Return the vectors (texts, d) of all columns, read `size` texts or a column at a time."""
        # The trainer does not move it, for it is no child of the loss.
        self.model.to(_device_of(columns[0]))
        read = []
        with torch.no_grad():
            for column in columns:
                texts = len(column["input_ids"])
                for start in range(0, texts, size or texts):
                    part = slice(start, start + (size or texts))
                    piece = {
                        key: v[part] if isinstance(v, Tensor) and len(v) == texts else v
                        for key, v in column.items()
                    }
                    read.append(self.model(piece)["sentence_embedding"])
        return torch.cat(read)


def check_temperature(caller: str, temperature: float, *, source: float = 0.05) -> None:
    """Raise unless a temperature is positive; `source` is what the source of the loss has."""
    if not temperature > 0:
        raise ParameterError(
            f"{caller}: temperature must be positive, got {temperature}. The source has {source}."
        )
