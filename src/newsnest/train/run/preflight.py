"""What is looked at before a training begins: the data, the batches, the gradient, the time."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.train.losses import TrainingLevel
from newsnest.train.pairs import label_rows
from newsnest.train.samplers import pack_pairs, text_components
from newsnest.types import LEVELS, Ints

_BATCHES = 200  # looked at for false negatives
_FULL = 0.9
_CONNECT = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class LevelCounts:
    """Counts of the data at one level."""

    alike: int  # training pairs from the level's min_score on
    unlike: int
    # Of the pairs of texts that meet in a batch without being a labelled pair, the share that is
    # known to be alike at this level, and the share that is and that the loss takes for unlike.
    meeting: float
    false_negatives: float


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before training."""

    train_pairs: int
    validation_pairs: int
    levels: dict[str, LevelCounts]
    # Score from which a pair's articles stay out of each other's batch; None: none do.
    connect_from: float | None
    batches: int  # of an epoch
    mean_batch: float  # pairs
    # Length of the gradient of one batch over all trained weights.
    gradient: float = math.nan
    trained_weights: int = 0
    weights: int = 0
    step_seconds: float = math.nan
    evaluation_seconds: float = math.nan
    steps: int = 0  # at most
    evaluations: int = 0

    @property
    def seconds(self) -> float:
        """Return the time that training takes at most."""
        return self.steps * self.step_seconds + self.evaluations * self.evaluation_seconds

    def as_dict(self) -> dict[str, Any]:
        """Return what was found, ready for JSON."""
        return {**asdict(self), "seconds": self.seconds}

    def lines(self) -> list[str]:
        """Return what was found in words, a line each."""
        out = [f"{self.train_pairs:,} pairs to train on, {self.validation_pairs:,} to validate on"]
        for name, level in self.levels.items():
            out.append(
                f"{name}: {level.alike:,} pairs alike, {level.unlike:,} not; in a batch "
                f"{level.meeting:.2%} of the other pairs of texts are known to be alike, "
                f"{level.false_negatives:.2%} are false negatives"
            )
        batches = f"{self.batches:,} batches an epoch, {self.mean_batch:.1f} pairs on average"
        if self.connect_from is not None:
            batches += f" (articles of pairs from {self.connect_from:g} on are kept apart)"
        out.append(batches)
        out.append(
            f"{self.trained_weights:,} of {self.weights:,} weights are trained; "
            f"gradient {self.gradient:.3g}"
        )
        out.append(
            f"at most {self.steps:,} steps of {self.step_seconds:.2f} s and {self.evaluations:,} "
            f"validations of {self.evaluation_seconds:.1f} s: {spoken(self.seconds)}"
        )
        return out


def spoken(seconds: float) -> str:
    """Return a duration in words.

    Example
    -------
    >>> spoken(42), spoken(600), spoken(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def choose_connection(pairs: Sequence[Pair], *, batch_size: int, seed: int) -> float:
    """Return the lowest grade from which articles can be kept apart while batches stay full.

    Pairs of one theme may connect everything there is; then topics are kept apart, or stories, and
    the loss learns the rest from the group ids of the labels. Full: nine tenths of the batch size,
    or of what all pairs together would fill.
    """
    wanted = _FULL * len(pairs) / math.ceil(len(pairs) / batch_size)
    for score in _CONNECT:
        batches = _packed(pairs, score, batch_size, seed)
        if len(pairs) / len(batches) >= wanted:
            break
    return score


def look_at_batches(
    pairs: Sequence[Pair],
    levels: Sequence[TrainingLevel],
    *,
    connect_from: float,
    batch_size: int,
    masked: bool,
    seed: int,
) -> tuple[dict[str, LevelCounts], list[list[int]]]:
    """Count alike and unlike pairs per level, and false negatives in the batches of an epoch.

    Texts are known to be alike at a level where they share a gold label of the level or of a finer
    one, or, without labels, where a chain of pairs that are alike joins them. `masked`: the loss
    leaves texts of one gold label out of the negatives.
    """
    batches = _packed(pairs, connect_from, batch_size, seed)
    chosen = np.random.default_rng([9, seed]).permutation(len(batches))[:_BATCHES]
    counts = {}
    labelled = np.array(label_rows(pairs))[:, 1:].astype(np.int64)
    for level in levels:
        known = _chained(pairs, level)
        labels = labelled[:, 2 * LEVELS.index(level.name) :].reshape(len(pairs), -1, 2)
        met = wrong = among = 0
        for b in sorted(chosen.tolist()):
            rows = batches[b]
            others = ~np.tile(np.eye(len(rows), dtype=bool), (2, 2))
            chains = known[rows].T.reshape(-1)
            ids = labels[rows].transpose(2, 0, 1).reshape(2 * len(rows), -1)
            same = ((ids[:, None] == ids) & (ids >= 0)[:, None]).any(axis=-1)
            alike = ((chains[:, None] == chains) | same) & others
            among += int(others.sum())
            met += int(alike.sum())
            wrong += int((alike & ~(same & masked)).sum())
        n = sum(pair.score >= level.min_score for pair in pairs)
        share = max(among, 1)
        counts[level.name] = LevelCounts(n, len(pairs) - n, met / share, wrong / share)
    return counts, batches


def _packed(pairs: Sequence[Pair], score: float, batch_size: int, seed: int) -> list[list[int]]:
    components, _ = text_components(((p.text1, p.text2, p.score) for p in pairs), min_score=score)
    rng = np.random.default_rng([0, seed, 0])  # as the sampler's first epoch
    return pack_pairs(components, batch_size=batch_size, rng=rng)


def _chained(pairs: Sequence[Pair], level: TrainingLevel) -> Ints:
    """Return the groups (n, 2) of texts that chains of alike pairs without gold labels join."""
    # A text with two stories, as copies have in many a file, would chain all themes into one.
    edges = [(p.text1, p.text2, 0.0 if any(p.gold1) or any(p.gold2) else p.score) for p in pairs]
    return text_components(edges, min_score=level.min_score)[0]


@contextmanager
def same_dice() -> Iterator[None]:
    """Leave the random numbers of torch as they were: looking first must change nothing."""
    state = torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        torch.set_rng_state(state)
        if devices:
            torch.cuda.set_rng_state_all(devices)


def check_gradient(loss: torch.Tensor, trained: torch.nn.Module) -> float:
    """Return the length of the gradient over all weights; call it after `backward`.

    Raises ParameterError if the loss or the gradient is not finite, or it reaches no weight.
    """
    gradients = [p.grad for p in trained.parameters() if p.requires_grad and p.grad is not None]
    length = math.sqrt(sum(float(g.float().square().sum()) for g in gradients))
    value = float(loss.detach())
    if not math.isfinite(value) or not math.isfinite(length):
        raise ParameterError(
            f"check_gradient: loss and gradient must be finite, got {value:g} and {length:g}. "
            "Set precision=float32."
        )
    if not length > 0:
        raise ParameterError(
            f"check_gradient: the gradient must reach the weights, got length 0 at a loss of "
            f"{value:g} over {len(gradients)} weights. Check that the pairs have different scores "
            "and the weights of the terms are not all 0."
        )
    return length


class Stopwatch:
    """Time stretches of work on a device."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._began = self._now()

    def seconds(self) -> float:
        """Return the time since this watch was made, what is queued on the device included."""
        return self._now() - self._began

    def _now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize()
        return time.perf_counter()
