"""A picture of the vectors after each stage: one SVG, nothing loaded from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from newsnest.types import Labels, Vectors

PICTURE = "stages.svg"
_POINTS = 2000
_SIDE, _GAP, _TOP, _ACROSS = 320, 16, 44, 3
_COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5",
    "#9c6b4e", "#9498a0",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """Vectors of one stage."""

    title: str
    note: str  # below the title
    vectors: Vectors  # (n, d)
    labels: Labels  # (n,), what colours them; −1 is grey


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
    before: NDArray[np.float64] | None = None
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


def _places(vectors: Vectors, rows: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return (r, 2), centred, the farthest at 1."""
    found = PCA(2, random_state=seed).fit(vectors).transform(vectors[rows]).astype(np.float64)
    return np.asarray(found / max(1e-12, np.abs(found).max()))


def _turned(places: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate and mirror to lie as `like` does (orthogonal Procrustes)."""
    left, _, right = np.linalg.svd(places.T @ like)
    turned = places @ (left @ right)
    return np.asarray(turned / max(1e-12, np.abs(turned).max()))


def _panel(
    panel: Panel, places: NDArray[np.float64], rows: NDArray[np.int64], corner: tuple[int, int]
) -> list[str]:
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
