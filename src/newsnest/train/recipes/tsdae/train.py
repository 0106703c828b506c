"""What the recipe `tsdae` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from newsnest.train.against_gold import AgainstGold
from newsnest.train.recipes.tsdae import DenoisingSettings, TsdaeSettings
from newsnest.train.recipes.tsdae.autoencoder import Autoencoder, Rows
from newsnest.train.recipes.tsdae.stage import Stage, train_stage
from newsnest.train.run import Checkpoints, Publication, TrainingContext, publish_model


def run_tsdae(context: TrainingContext[TsdaeSettings]) -> None:
    """Train as `newsnest.train.recipes.tsdae.TSDAE` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    auto, train, held = prepare(context, data.texts)
    against = AgainstGold(data.gold, seed=s.seed)
    against.look("before", auto.encode)
    gradient = auto.check(train)
    kept = Checkpoints(context.place)
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
    publication = Publication(
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
    publish_model(context, auto.model, publication)
    progress.note(f"{s.output}: {outcome}")


def prepare(context: TrainingContext[Any], texts: Sequence[str]) -> tuple[Autoencoder, Rows, Rows]:
    """Return an autoencoder on the base, the rows to train on, and those held out.

    Raises
    ------
    EncoderError
        If the base cannot be loaded.
    ParameterError
        If the base is no transformer, or a setting does not fit it.
    """
    s: DenoisingSettings = context.settings
    auto = Autoencoder(context.load_base(), texts, s, bfloat16=context.bfloat16)
    order = np.random.default_rng([5, s.seed]).permutation(len(texts))
    held = max(2, round(s.held_out * len(texts)))
    return auto, np.sort(order[held:]), np.sort(order[:held])


def page_text(context: TrainingContext[Any], outcome: str) -> str:
    """Return the text of README.md for a model trained by restoring texts."""
    return f"""
Trained from {context.settings.base} by `newsnest train {context.recipe}`, without labels. {outcome}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder")
```
"""
