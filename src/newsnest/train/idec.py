"""IDEC: cluster vectors in the hidden layer of an autoencoder that learns the clusters."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from torch import Tensor, nn

from newsnest.errors import ParameterError
from newsnest.train.losses.soft_assignment import sharpened, student_assignment, target_divergence
from newsnest.types import Labels, Vectors

_HIDDEN = (500, 500, 2000)
_SETTLED = 0.001


@dataclass(frozen=True, slots=True)
class IDECTraining:
    """How `IDEC` is trained.

    Parameters
    ----------
    pretrain_epochs
        Of reconstruction alone, before the first k-means.
    epochs
        Of reconstruction and clusters; fewer where clusters settle.
    weight
        Of the clusters against the reconstruction.
    learning_rate
        Of Adam.
    batch_size
        Rows a batch.
    device
        Where to train; "cpu" or "cuda".
    """

    pretrain_epochs: int = 150
    epochs: int = 150
    weight: float = 0.1
    learning_rate: float = 1e-4
    batch_size: int = 256
    device: str = "cpu"


class _Autoencoder(nn.Module):
    """Linear layers with ReLU between them, none at the hidden layer and at the end."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.encoder = _layers(width, *_HIDDEN, hidden)
        self.decoder = _layers(hidden, *reversed(_HIDDEN), width)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden rows and the rows restored from them."""
        hidden = self.encoder(rows)
        return hidden, self.decoder(hidden)


def _layers(*widths: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, after in pairwise(widths):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


class IDEC(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Cluster vectors by k-means in the hidden layer of an autoencoder, refined by self-training.

    Prefer k-means where clusters must be understood and runs must be fast; IDEC is here as a
    baseline of deep clustering.

    Parameters
    ----------
    n_clusters
        How many.
    training
        See `IDECTraining`.
    seed
        Of weights, batches and k-means.

    Attributes
    ----------
    labels_
        int32 (n,).
    hidden_
        float32 (n, n_clusters + 1): the rows in the hidden layer.
    epochs_
        How many epochs of clustering there were.

    Raises
    ------
    ParameterError
        If there are fewer rows than clusters, fewer than two clusters, or the rows are not finite.

    Notes
    -----
    Layers d-500-500-2000-(k + 1) and back. Rows are centred, and scaled together to a mean square
    of 1 per dimension. The target is taken anew every epoch, over all rows; training ends when
    fewer than .1 % of the labels change. Deterministic for a seed on one machine with one number of
    threads.
    O(epochs · n) of about 4 million multiplications each, forth and back.
    Source: Guo et al. (2017); hidden width, epochs and rate are those of the ClusterBERT paper.
    Differs from the source in pretraining by Adam, all layers at once.

    Example
    -------
    >>> rows = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)
    >>> quick = IDECTraining(pretrain_epochs=5, epochs=2)
    >>> labels = IDEC(2, training=quick).fit_predict(rows)
    >>> len(set(labels[:20])), len(set(labels))
    (1, 2)
    """

    def __init__(
        self, n_clusters: int, *, training: IDECTraining = IDECTraining(), seed: int = 0
    ) -> None:
        self.n_clusters = n_clusters
        self.training = training
        self.seed = seed

    def fit(self, X: Vectors, y: object = None) -> Self:
        """Cluster rows, float32 (n, d)."""
        rows = self._checked(X)
        t = self.training
        state = torch.random.get_rng_state()  # the dice of the caller stay where they are
        torch.manual_seed(self.seed)
        try:
            order = torch.Generator().manual_seed(self.seed)
            net = _Autoencoder(rows.shape[1], self.n_clusters + 1).to(t.device)
            data = torch.from_numpy(rows).to(t.device)
            self._pretrain(net, data, order)
            centres, labels = self._start(net, data)
            self.epochs_ = self._refine(net, centres, labels, data, order)
            with torch.no_grad():
                hidden = net.encoder(data)
                found = student_assignment(hidden, centres).argmax(dim=1)
        finally:
            torch.random.set_rng_state(state)
        self.hidden_: Vectors = hidden.cpu().numpy()
        self.labels_: Labels = found.cpu().numpy().astype(np.int32)
        return self

    def _checked(self, X: Vectors) -> Vectors:
        if self.n_clusters < 2 or X.ndim != 2 or len(X) < self.n_clusters:
            raise ParameterError(
                f"IDEC: n_clusters must be from 2 to the number of rows, got {self.n_clusters} "
                f"for shape {X.shape}. Ask for fewer, or give more rows."
            )
        if not np.isfinite(X).all():
            raise ParameterError("IDEC: X must be finite, got NaN or infinity. Check the encoder.")
        rows = X - X.mean(axis=0, dtype=np.float64)
        scale = float(np.sqrt(np.square(rows).mean())) or 1.0
        return np.ascontiguousarray(rows / scale, dtype=np.float32)

    def _pretrain(self, net: _Autoencoder, data: Tensor, order: torch.Generator) -> None:
        optimiser = torch.optim.Adam(net.parameters(), lr=self.training.learning_rate)
        for _ in range(self.training.pretrain_epochs):
            for batch in _batches(len(data), self.training.batch_size, order):
                rows = data[batch]
                loss = nn.functional.mse_loss(net(rows)[1], rows)
                _step(optimiser, loss)

    def _start(self, net: _Autoencoder, data: Tensor) -> tuple[nn.Parameter, Tensor]:
        """Return the centres of k-means in the hidden layer, and its labels."""
        with torch.no_grad():
            hidden = net.encoder(data).cpu().numpy()
        means = KMeans(self.n_clusters, n_init=20, random_state=self.seed).fit(hidden)
        centres = nn.Parameter(torch.from_numpy(means.cluster_centers_).to(data))
        return centres, torch.from_numpy(means.labels_).to(data.device)

    def _refine(
        self,
        net: _Autoencoder,
        centres: nn.Parameter,
        labels: Tensor,
        data: Tensor,
        order: torch.Generator,
    ) -> int:
        """Train clusters and reconstruction; return how many epochs there were."""
        t = self.training
        optimiser = torch.optim.Adam([*net.parameters(), centres], lr=t.learning_rate)
        for epoch in range(t.epochs):
            with torch.no_grad():
                q = student_assignment(net.encoder(data), centres)
            target, now = sharpened(q), q.argmax(dim=1)
            if epoch and (now != labels).float().mean() < _SETTLED:
                return epoch
            labels = now
            for batch in _batches(len(data), t.batch_size, order):
                hidden, back = net(data[batch])
                clusters = target_divergence(student_assignment(hidden, centres), target[batch])
                _step(optimiser, nn.functional.mse_loss(back, data[batch]) + t.weight * clusters)
        return t.epochs


def _batches(n: int, size: int, order: torch.Generator) -> tuple[Tensor, ...]:
    return torch.split(torch.randperm(n, generator=order), size)


def _step(optimiser: Any, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
