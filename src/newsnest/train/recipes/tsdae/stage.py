"""One stage of a training: epochs on the same targets, each kept, each resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from newsnest.progress import Progress
from newsnest.train.recipes.tsdae.autoencoder import (
    Autoencoder,
    Epoch,
    Rows,
    Targets,
    steps_of,
    train_epoch,
)
from newsnest.train.run import Checkpoints, optimizer_tensors, restore_optimizer
from newsnest.train.run.checkpoints import Tensors


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage trains.

    Parameters
    ----------
    name
        Such as "clustering 2".
    number
        Its place among the stages: decides noise, batches and dropout.
    epochs
        At least 1.
    targets
        Called once, when the stage begins; may give the autoencoder another head. None:
        reconstruction alone.
    frozen
        Whether only the decoder is trained.
    """

    name: str
    number: int
    epochs: int
    targets: Callable[[], Targets] | None = None
    frozen: bool = False

    @property
    def family(self) -> str:
        """Return the name without its number: clustering."""
        return self.name.rstrip(" 0123456789")


def train_stage(
    stage: Stage, auto: Autoencoder, train: Rows, held: Rows, kept: Checkpoints, progress: Progress
) -> list[dict[str, float]]:
    """Train a stage from the weights the autoencoder has, or from where a kill left it.

    Parameters
    ----------
    stage
        See `Stage`.
    auto
        Trained in place.
    train, held
        Rows trained on, and those whose reconstruction is reported.
    kept
        After every epoch all weights, the optimizer and the targets are kept there; what other
        stages left there stays.
    progress
        Reports every epoch.

    Returns
    -------
    By epoch: the losses, and held_out, the reconstruction loss of the rows held out.
    """
    s = auto.settings
    now = kept.content.get("now", {})
    resumed = now.get("stage") == stage.name
    done: list[dict[str, float]] = now["epochs"] if resumed else []
    if resumed:
        whole = kept.load(now["file"])
        auto.load(_under("weights.", whole))
        targets = _read_targets(whole, now)
        progress.note(f"resuming {stage.name} after epoch {len(done)} of {stage.epochs}")
    else:
        targets = None if stage.targets is None else stage.targets()
    auto.frozen = stage.frozen
    optimizer = auto.optimizer()
    if resumed and len(done) < stage.epochs:
        restore_optimizer(optimizer, _under("optimizer.", whole))
    each = steps_of(train, s.batch_size)
    with progress.start(stage.name, (stage.epochs - len(done)) * each, "steps") as task:
        for epoch in range(len(done), stage.epochs):
            how = Epoch(
                key=(s.seed, stage.number, epoch),
                done=epoch * each,
                rising=int(s.warmup * stage.epochs * each),
                targets=targets,
            )
            losses = train_epoch(auto, train, optimizer, how, task)
            done = [*done, {**asdict(losses), "held_out": auto.held_out_loss(held)}]
            now = {
                "stage": stage.name,
                "epochs": done,
                "weight": None if targets is None else targets.weight,
                # Never the name of one before: that is whole until this one is.
                "file": f"epoch-{stage.number}-{len(done)}",
            }
            others: dict[str, Tensors] = {
                name: {} for name in kept.names() if not name.startswith("epoch-")
            }
            kept.save({**others, now["file"]: _whole(auto, optimizer, targets)}, now=now)
            progress.note(f"{stage.name}, epoch {epoch + 1} of {stage.epochs}: {_words(done[-1])}")
    auto.frozen = False
    return done


def _words(losses: dict[str, float]) -> str:
    clusters = f", clusters {losses['clusters']:.3f}" if losses["clusters"] else ""
    return (
        f"reconstruction {losses['reconstruction']:.3f} (held out {losses['held_out']:.3f})"
        f"{clusters}"
    )


def _whole(
    auto: Autoencoder, optimizer: torch.optim.Optimizer, targets: Targets | None
) -> dict[str, torch.Tensor]:
    tensors = {f"weights.{name}": value for name, value in auto.state().items()}
    tensors |= {f"optimizer.{n}": value for n, value in optimizer_tensors(optimizer).items()}
    if targets is not None:
        tensors["targets.shares"] = torch.from_numpy(np.ascontiguousarray(targets.shares))
        tensors["targets.confidence"] = torch.from_numpy(targets.confidence)
    return tensors


def _read_targets(tensors: Tensors, now: dict[str, Any]) -> Targets | None:
    if "targets.shares" not in tensors:
        return None
    shares, confidence = (tensors[f"targets.{name}"] for name in ("shares", "confidence"))
    return Targets(shares.numpy(), confidence.numpy(), float(now["weight"]))


def _under(prefix: str, tensors: Tensors) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
