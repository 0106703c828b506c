"""The recipe `clusterbert` from files to a folder: model, head, picture, newsnest.json.

The picture shows the vectors after each stage: one SVG, nothing loaded from anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from newsnest.train.recipes.clusterbert import ClusterbertSettings
from newsnest.train.recipes.clusterbert.judge import Clustered, StageResult
from newsnest.train.recipes.clusterbert.train import train_clusterbert
from newsnest.train.recipes.tsdae.train import page_text
from newsnest.train.run import Publication, TrainingContext, publish_model
from newsnest.types import Floats, Ints, Labels, Vectors

PICTURE = "stages.svg"
_POINTS = 2000
_SIDE, _GAP, _TOP, _ACROSS = 320, 16, 44, 3
_COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5",
    "#9c6b4e", "#9498a0",
)  # fmt: skip


def run_clusterbert(context: TrainingContext[ClusterbertSettings]) -> None:
    """Train as `newsnest.train.recipes.clusterbert.CLUSTERBERT` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    done = train_clusterbert(data.texts, s, gold=data.gold, context=context, progress=progress)

    def beside(folder: Path) -> None:
        done.head.save(folder)
        drawn = draw_stages([_panel_of(stage, done) for stage in done.stages], seed=s.seed)
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


@dataclass(frozen=True, slots=True)
class Panel:
    """Vectors of one stage."""

    title: str
    note: str  # below the title
    vectors: Vectors  # (n, d)
    labels: Labels  # (n,), what colours them; −1 is grey


def _panel_of(stage: StageResult, done: Clustered) -> Panel:
    title = stage.name + (" (picked)" if stage.name == done.picked else "")
    note = f"silhouette {stage.measures['silhouette']:.3f}, " + (
        "kept" if stage.kept else "not kept"
    )
    return Panel(title, note, stage.vectors, done.stages[-1].labels)


def draw_stages(panels: Sequence[Panel], *, seed: int = 0) -> str:
    """Return an SVG with a panel a stage, three in a row: its own first two principal axes.

    The panels, in their order, are of the same n texts, at least 2. Of more than 2,000 texts a
    sample is drawn, the same in each, and the caption says so.

    Two axes of hundreds: groups that lie apart in the picture do lie apart, groups on top of each
    other may yet. Colours repeat after ten clusters. The axes of a panel are turned and mirrored to
    lie as those before, which changes no distance.
    """
    n = len(panels[0].labels)
    rows = np.arange(n)
    if n > _POINTS:
        rows = np.sort(np.random.default_rng(seed).choice(n, _POINTS, replace=False))
    width = min(len(panels), _ACROSS) * (_SIDE + _GAP) + _GAP
    height = -(-len(panels) // _ACROSS) * (_TOP + _SIDE + _GAP) + 18
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        "<title>Vectors after each stage, first two principal axes</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    before: Floats | None = None
    for number, panel in enumerate(panels):
        places = _places(panel.vectors, rows, seed)
        if before is not None:
            places = _turned(places, before)
        before = places
        row, column = divmod(number, _ACROSS)
        corner = (_GAP + column * (_SIDE + _GAP), row * (_TOP + _SIDE + _GAP))
        out += _panel(panel, places, rows, corner)
    caption = f"{len(rows):,} of {n:,} texts" if len(rows) < n else f"{n:,} texts"
    caption += " along the first two principal axes of their vectors, coloured by cluster"
    out.append(f'<text x="{_GAP}" y="{height - 8}" fill="#555">{caption}</text>')
    return "\n".join([*out, "</svg>", ""])


def _places(vectors: Vectors, rows: Ints, seed: int) -> Floats:
    """Return (r, 2), centred, the farthest at 1."""
    found = PCA(2, random_state=seed).fit(vectors).transform(vectors[rows]).astype(np.float64)
    return np.asarray(found / max(1e-12, np.abs(found).max()))


def _turned(places: Floats, like: Floats) -> Floats:
    """Rotate and mirror to lie as `like` does (orthogonal Procrustes)."""
    left, _, right = np.linalg.svd(places.T @ like)
    turned = places @ (left @ right)
    return np.asarray(turned / max(1e-12, np.abs(turned).max()))


def _panel(panel: Panel, places: Floats, rows: Ints, corner: tuple[int, int]) -> list[str]:
    left, top = corner
    title = f'<text x="{left}" y="{top + 18}" font-weight="bold" fill="#111">'
    out = [
        f"{title}{escape(panel.title)}</text>",
        f'<text x="{left}" y="{top + 34}" fill="#555">{escape(panel.note)}</text>',
        f'<rect x="{left}" y="{top + _TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" '
        'stroke="#ccc"/>',
    ]
    labels = panel.labels[rows]
    at = (places * 0.48 + 0.5) * _SIDE + (left, top + _TOP)
    for label in np.unique(labels).tolist():
        colour = _COLOURS[label % len(_COLOURS)] if label >= 0 else "#cccccc"
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in at[labels == label].tolist())
        out.append(
            f'<path d="{dots}" stroke="{colour}" stroke-width="3" stroke-linecap="round" '
            'stroke-opacity=".7" fill="none"/>'
        )
    return out
