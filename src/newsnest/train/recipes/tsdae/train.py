"""What the recipe `tsdae` does, step by step; loads torch.

A stage is epochs on the same targets, each kept, each resumed; `clusterbert` has more of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from newsnest.progress import Progress
from newsnest.train import run
from newsnest.train.recipes.tsdae import DenoisingSettings, TsdaeSettings
from newsnest.train.recipes.tsdae.autoencoder import Autoencoder, Epoch, Targets, train_epoch
from newsnest.train.unlabelled import AgainstGold
from newsnest.types import Ints


def run_tsdae(context: run.TrainingContext[TsdaeSettings]) -> None:
    """Train as `newsnest.train.recipes.tsdae.TSDAE` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    auto, train, held = prepare(context, data.texts)
    against = AgainstGold(data.gold, seed=s.seed)
    against.look("before", auto.encode)
    gradient = auto.check(train)
    kept = run.Checkpoints(context.place)
    # A decoder that knows nothing would teach the encoder nothing: it learns to read it first.
    losses = {}
    for stage in (Stage("decoder", 0, 1, frozen=True), Stage("adaptation", 1, s.epochs)):
        if stage.name in kept.content.get("done", {}):
            losses[stage.name] = kept.content["done"][stage.name]
            auto.load(kept.load("kept"))
            continue
        losses[stage.name] = train_stage(stage, auto, train, held, kept, progress)
        kept.save({"kept": auto.state()}, done=losses, now={})
    before, after = (losses[name][-1]["held_out"] for name in ("decoder", "adaptation"))
    outcome = f"Held-out reconstruction loss {before:.3f} before, {after:.3f} after."
    auto.model.eval()
    against.look("after", auto.encode)
    against.report(progress)
    publication = run.Publication(
        title="An encoder adapted to one domain",
        text=page_text(context, outcome),
        data=data.sources,
        chosen={
            "trained_on": len(train),
            "held_out": len(held),
            "gradient_at_vectors": round(gradient, 6),
        },
        details={"stages": losses, "gold": against.scores},
    )
    run.publish_model(context, auto.model, publication)
    progress.note(f"{s.output}: {outcome}")


def prepare(
    context: run.TrainingContext[Any], texts: Sequence[str]
) -> tuple[Autoencoder, Ints, Ints]:
    """Return an autoencoder on the base, the rows to train on, and those held out."""
    s: DenoisingSettings = context.settings
    auto = Autoencoder(context.load_base(), texts, s, bfloat16=context.bfloat16)
    order = np.random.default_rng([5, s.seed]).permutation(len(texts))
    held = max(2, round(s.held_out * len(texts)))
    return auto, np.sort(order[held:]), np.sort(order[:held])


def page_text(context: run.TrainingContext[Any], outcome: str) -> str:
    """Return the text of README.md for a model trained by restoring texts."""
    return f"""
Trained from {context.settings.base} by `newsnest train {context.recipe}`, without labels. {outcome}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder")
```
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage trains."""

    name: str  # such as "clustering 2"
    number: int  # its place among the stages: decides noise, batches and dropout
    epochs: int  # at least 1
    # Called once, when the stage begins; may give the autoencoder another head. None:
    # reconstruction alone.
    targets: Callable[[], Targets] | None = None
    frozen: bool = False  # only the decoder is trained

    @property
    def family(self) -> str:
        """Return the name without its number: clustering."""
        return self.name.rstrip(" 0123456789")


def train_stage(
    stage: Stage,
    auto: Autoencoder,
    train: Ints,
    held: Ints,
    kept: run.Checkpoints,
    progress: Progress,
) -> list[dict[str, float]]:
    """Train a stage from the weights the autoencoder has, or from where a kill left it.

    After every epoch all weights, the optimizer and the targets are kept; what other stages left
    there stays. Returns by epoch the losses, and held_out, the reconstruction loss of those rows.
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
        run.restore_optimizer(optimizer, _under("optimizer.", whole))
    each = -(-len(train) // s.batch_size)  # steps of an epoch
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
            others: dict[str, run.Tensors] = {
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
    tensors |= {f"optimizer.{n}": value for n, value in run.optimizer_tensors(optimizer).items()}
    if targets is not None:
        tensors["targets.shares"] = torch.from_numpy(np.ascontiguousarray(targets.shares))
        tensors["targets.confidence"] = torch.from_numpy(targets.confidence)
    return tensors


def _read_targets(tensors: run.Tensors, now: dict[str, Any]) -> Targets | None:
    if "targets.shares" not in tensors:
        return None
    shares, confidence = (tensors[f"targets.{name}"] for name in ("shares", "confidence"))
    return Targets(shares.numpy(), confidence.numpy(), float(now["weight"]))


def _under(prefix: str, tensors: run.Tensors) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
