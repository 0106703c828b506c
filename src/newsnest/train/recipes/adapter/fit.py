"""Fit a linear map on frozen vectors, and keep it only where it helps on held-out pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from newsnest.errors import InputError
from newsnest.evaluate.bootstrap import resample_weights
from newsnest.evaluate.pairs import paired_cosines, weighted_pearson
from newsnest.labelled import Pair, article_components
from newsnest.progress import SILENT, Progress
from newsnest.train import losses
from newsnest.train.pairs import label_rows
from newsnest.train.recipes.adapter import AdapterSettings
from newsnest.train.recipes.adapter.maps import make_map, principal_axes, whitened_axes
from newsnest.train.run import choose_connection
from newsnest.train.samplers import pack_pairs, text_components
from newsnest.types import Floats, Vectors

_RATES = {"full": 3e-4, "low_rank": 1e-3, "diagonal": 1e-2, "orthogonal": 1e-3}
_RESAMPLES = 1000
_ROUNDING = 1e-5
_ANCHOR_SCALE = 20.0


@dataclass(frozen=True, slots=True)
class PairVectors:
    """n pairs with the frozen vectors of their texts, float32 (n, d) each."""

    pairs: tuple[Pair, ...]
    left: Vectors
    right: Vectors


@dataclass(frozen=True, slots=True)
class Fitted:
    """A map, and its scores on held-out pairs."""

    # float32 (d, d), to be multiplied from the right.
    weight: Vectors
    saved: Literal["trained map", "principal axes", "base"]  # which map `weight` is
    best_epoch: int  # 0: the start
    epochs: int
    # Pearson per level of validation pairs: of the base's own leading dimensions ("base"), of the
    # principal axes ("before"), of the best epoch ("trained"), of what is saved ("after").
    scores: dict[str, tuple[float, ...]]
    # Mean over the levels, of the best epoch over the better of principal axes and base; low and
    # high hold 90 % of the resamples of what shares articles.
    gain: tuple[float, float, float]
    sure: float  # share of the resamples that gain


def fit_adapter(
    train: PairVectors,
    validation: PairVectors,
    levels: Sequence[losses.TrainingLevel],
    settings: AdapterSettings,
    *,
    progress: Progress = SILENT,
) -> Fitted:
    """Train a map on pairs of frozen vectors; no article is in both `train` and `validation`.

    Training is compared with the principal axes, or with the base itself where its own prefixes
    have the higher mean Pearson over the levels. The best epoch is the one of the highest mean
    among those that are worse at no level. It is chosen on the same pairs it is judged by: the gain
    is a little flattered. Raises InputError if the validation pairs are all of one grade.
    """
    if len({pair.score for pair in validation.pairs}) < 2:
        raise InputError(
            f"{', '.join(settings.data)}: validation pairs must have at least two grades, got "
            f"{len(validation.pairs)} of one. Give more pairs, or a larger share by "
            "--set validation=0.3."
        )
    axes, start = _starts(train, settings)
    dims = [level.dims for level in levels]
    base = np.eye(len(axes), dtype=np.float32)
    scores = {
        "base": level_pearson(validation, base, dims),
        "before": level_pearson(validation, axes, dims),
    }
    is_base = np.mean(scores["base"]) > np.mean(scores["before"]) + _ROUNDING
    untrained, before = (base, scores["base"]) if is_base else (axes, scores["before"])
    stepper = _Stepper(train, levels, settings, start)
    best, best_score, best_epoch = untrained, float(np.mean(before)), 0
    epochs = 0
    with progress.start("train", settings.epochs, "epochs") as task:
        for epochs in range(settings.epochs + 1):
            if epochs:
                stepper.epoch(epochs)
                task.advance()
            now = stepper.weight()
            found = level_pearson(validation, now, dims)
            no_worse = all(f >= was - _ROUNDING for f, was in zip(found, before, strict=True))
            if no_worse and np.mean(found) > best_score + _ROUNDING:
                best, best_score, best_epoch = now, float(np.mean(found)), epochs
            progress.note(
                f"epoch {epochs}: validation Pearson "
                + ", ".join(f"{n.name} {f:.4f}" for n, f in zip(levels, found, strict=True))
            )
            if epochs - best_epoch >= settings.patience:
                break
    gain, sure = _gain(validation, (untrained, best), dims, settings.seed)
    scores["trained"] = level_pearson(validation, best, dims)
    if gain[0] > 0 and sure >= settings.confidence:
        scores["after"] = scores["trained"]
        return Fitted(best, "trained map", best_epoch, epochs, scores, gain, sure)
    scores["after"] = before
    saved: Literal["base", "principal axes"] = "base" if is_base else "principal axes"
    return Fitted(untrained, saved, best_epoch, epochs, scores, gain, sure)


def level_pearson(held: PairVectors, weight: Vectors, dims: Sequence[int]) -> tuple[float, ...]:
    """Return Pearson of mapped cosines and scores, at each prefix; 0 where it is undefined."""
    graded = np.array([pair.score for pair in held.pairs])
    once = np.ones((1, len(graded)))
    found = (weighted_pearson(c, graded, once)[0] for c in _cosines(held, weight, dims))
    return tuple(float(value) if np.isfinite(value) else 0.0 for value in found)


def _starts(train: PairVectors, settings: AdapterSettings) -> tuple[Vectors, Vectors]:
    """Return the principal axes, and where training starts."""
    texts = [text for pair in train.pairs for text in (pair.text1, pair.text2)]
    both = np.stack([train.left, train.right], axis=1).reshape(len(texts), -1)
    once = list({text: row for row, text in enumerate(texts)}.values())
    axes = principal_axes(both[once])
    if settings.init == "rotation":
        return axes, axes
    alike = np.array([pair.score >= 0.625 for pair in train.pairs])
    start = whitened_axes(
        train.left[alike], train.right[alike], both[once], shrinkage=settings.shrinkage
    )
    return axes, start


class _Stepper:
    """Trains one map, an epoch at a time."""

    def __init__(
        self,
        train: PairVectors,
        levels: Sequence[losses.TrainingLevel],
        settings: AdapterSettings,
        start: Vectors,
    ) -> None:
        self.settings = settings
        self.left, self.right = torch.from_numpy(train.left), torch.from_numpy(train.right)
        known = any(any(pair.gold1) or any(pair.gold2) for pair in train.pairs)
        scores = [pair.score for pair in train.pairs]
        self.labels = torch.tensor(label_rows(train.pairs) if known else scores)
        connect_from = choose_connection(
            train.pairs, batch_size=settings.batch_size, seed=settings.seed
        )
        self.components, _ = text_components(
            ((pair.text1, pair.text2, pair.score) for pair in train.pairs), min_score=connect_from
        )
        self.map = make_map(settings.map, start, rank=settings.rank, seed=settings.seed)
        self.loss = make_loss(levels, settings)
        rate = settings.learning_rate or _RATES[settings.map]
        self.optimizer = torch.optim.Adam(self.map.parameters(), lr=rate)

    def epoch(self, epoch: int) -> None:
        """Look at every pair once."""
        batches = pack_pairs(
            self.components,
            batch_size=self.settings.batch_size,
            rng=np.random.default_rng([9, self.settings.seed, epoch]),
        )
        for batch in batches:
            rows = torch.tensor(batch)
            loss = self._loss(self.left[rows], self.right[rows], self.labels[rows])
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def weight(self) -> Vectors:
        """Return the map as it is."""
        matrix: Tensor = self.map.weight()
        array: Vectors = matrix.detach().numpy().astype(np.float32).copy()
        return array

    def _loss(self, left: Tensor, right: Tensor, labels: Tensor) -> Tensor:
        matrix: Tensor = self.map.weight()
        a, b = left @ matrix, right @ matrix  # (b, d) each
        loss = self.loss.compute_loss_from_embeddings([a, b], labels)
        if self.settings.anchor:
            base = torch.cat([left, right])
            moved = losses.anchor_loss(torch.cat([a, b]), base, scale=_ANCHOR_SCALE)
            loss = loss + self.settings.anchor * moved
        return loss


def make_loss(
    levels: Sequence[losses.TrainingLevel], settings: AdapterSettings
) -> losses.LevelwiseMatryoshkaLoss:
    """Return the loss of the levels; frozen vectors have no dropout views."""
    terms = losses.LevelwiseTerms(dropout_views=False, **settings.terms)
    return losses.LevelwiseMatryoshkaLoss(
        nn.Identity(), levels, graded_story=settings.graded_story, terms=terms
    )


def _cosines(held: PairVectors, weight: Vectors, dims: Sequence[int]) -> list[Floats]:
    left, right = held.left @ weight, held.right @ weight
    return [paired_cosines(left, right, prefix) for prefix in dims]


def _gain(
    held: PairVectors, weights: tuple[Vectors, Vectors], dims: Sequence[int], seed: int
) -> tuple[tuple[float, float, float], float]:
    """Return what the second map gains over the first, with an interval, and how sure that is."""
    graded = np.array([pair.score for pair in held.pairs])
    judged = [Pair(p.text1, p.text2, p.score, id1=p.id1, id2=p.id2) for p in held.pairs]
    drawn = resample_weights(article_components(judged), resamples=_RESAMPLES, seed=seed)
    means = [
        np.mean([weighted_pearson(c, graded, drawn) for c in _cosines(held, weight, dims)], axis=0)
        for weight in weights
    ]
    gains = means[1] - means[0]
    resampled = gains[1:][np.isfinite(gains[1:])]
    if not np.isfinite(gains[0]) or not len(resampled):
        return (0.0, 0.0, 0.0), 0.0
    low, high = np.quantile(resampled, (0.05, 0.95))
    return (float(gains[0]), float(low), float(high)), float((resampled > 0).mean())
