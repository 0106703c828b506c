"""The recipe `clusterbert` from files to a folder: model, head, picture, newsnest.json."""

from pathlib import Path
from typing import Any

from newsnest.train.recipes.clusterbert import ClusterbertSettings
from newsnest.train.recipes.clusterbert.judge import Clustered, StageResult
from newsnest.train.recipes.clusterbert.picture import PICTURE, Panel, draw_stages
from newsnest.train.recipes.clusterbert.train import train_clusterbert
from newsnest.train.recipes.tsdae.train import page_text
from newsnest.train.run import Publication, TrainingContext, publish_model


def run_clusterbert(context: TrainingContext[ClusterbertSettings]) -> None:
    """Train as `newsnest.train.recipes.clusterbert.CLUSTERBERT` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    done = train_clusterbert(data.texts, s, gold=data.gold, context=context, progress=progress)

    def beside(folder: Path) -> None:
        done.head.save(folder)
        drawn = draw_stages([_panel(stage, done) for stage in done.stages], seed=s.seed)
        (folder / PICTURE).write_text(drawn, encoding="utf-8")

    outcome = _outcome(done)
    publication = Publication(
        title="An encoder that clusters one corpus",
        text=page_text(
            context,
            f"{outcome} `{PICTURE}` shows the vectors after each stage; the head is read by "
            "`newsnest.train.cluster_head.ClusterHead.load`.",
        ),
        data=data.sources,
        chosen=done.chosen,
        details=_details(done),
        beside=beside,
    )
    publish_model(context, done.model, publication)
    progress.note(f"{s.output}: {outcome}")
    if done.oracle is not None:
        nmi = {stage.name: (stage.gold or {}).get("nmi", 0.0) for stage in done.stages}
        progress.note(
            f"picked without labels: {done.picked}, NMI {nmi[done.picked]:.3f}; oracle (leakage, "
            f"picked by gold): {done.oracle}, NMI {nmi[done.oracle]:.3f}"
        )


def _details(done: Clustered) -> dict[str, Any]:
    return {
        "k": done.k,
        "targets": done.targets,
        "head_clusters": int(done.head.weight.shape[0]),
        "stages": [stage.as_dict() for stage in done.stages],
        "picked": done.picked,
        "oracle": None
        if done.oracle is None
        else {"stage": done.oracle, "note": "picked by gold labels: leakage, for comparison alone"},
    }


def _outcome(done: Clustered) -> str:
    if done.picked == "start":
        return (
            "No stage was better than the base by the unsupervised test: these are the base's "
            "weights."
        )
    return f"These are the weights after {done.picked}; {done.k:,} clusters by {done.targets}."


def _panel(stage: StageResult, done: Clustered) -> Panel:
    title = stage.name + (" (picked)" if stage.name == done.picked else "")
    note = f"silhouette {stage.measures['silhouette']:.3f}, " + (
        "kept" if stage.kept else "not kept"
    )
    return Panel(title, note, stage.vectors, done.stages[-1].labels)
