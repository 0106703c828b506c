"""What the recipe `tsdae` does, step by step; loads torch."""

from __future__ import annotations

from pathlib import Path

from newsnest.progress import SILENT, Progress
from newsnest.train.against_gold import AgainstGold
from newsnest.train.recipes.tsdae.job import PAGE, find_job, prepare, publish
from newsnest.train.recipes.tsdae.settings import TsdaeSettings
from newsnest.train.recipes.tsdae.stage import Stage, train_stage
from newsnest.train.run.checkpoints import Checkpoints


def run_tsdae(settings: TsdaeSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.tsdae.run` says."""
    job = find_job("tsdae", settings, progress)
    if job is None:
        return settings.output
    auto, train, held = prepare(job.data.texts, settings, progress=progress)
    against = AgainstGold(job.data.gold, seed=settings.seed)
    against.look("before", auto.encode)
    gradient = auto.check(train)
    kept = Checkpoints(job.place)
    # A decoder that knows nothing would teach the encoder nothing: it learns to read it first.
    told = {}
    for stage in (Stage("decoder", 0, 1, frozen=True), Stage("adaptation", 1, settings.epochs)):
        if stage.name in kept.content.get("done", {}):
            told[stage.name] = kept.content["done"][stage.name]
            auto.load(kept.load("kept"))
            continue
        told[stage.name] = train_stage(stage, auto, train, held, kept, progress)
        kept.save({"kept": auto.state()}, done=told, now={})
    before, after = told["decoder"][-1]["held_out"], told["adaptation"][-1]["held_out"]
    outcome = f"Held-out reconstruction loss {before:.3f} before, {after:.3f} after."
    auto.model.eval()
    against.look("after", auto.encode)
    against.tell(progress)
    publish(
        job,
        settings,
        auto.model,
        content={
            "chosen": {
                "precision": "bfloat16" if auto.bfloat16 else "float32",
                "device": auto.model.device.type,
                "trained_on": len(train),
                "held_out": len(held),
                "gradient_at_vectors": round(gradient, 6),
            },
            "stages": told,
            "gold": against.scores,
        },
        page=PAGE.format(
            title="An encoder adapted to one domain",
            base=settings.base,
            recipe="tsdae",
            outcome=outcome,
        ),
        beside=lambda folder: None,
    )
    progress.note(f"{settings.output}: {outcome}")
    return settings.output
