"""How hard negatives are, as curves and a table: one page or one SVG, nothing loaded."""

from collections.abc import Sequence
from html import escape

import numpy as np

from newsnest.evaluate.hardness import BINS
from newsnest.pipeline.hardness import ClusterHardness
from newsnest.pipeline.plain_page import plain_page
from newsnest.types import Floats

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 560, 150, 24, 78, 62
_CURVES = (
    ("own item", "#3ca951"),
    ("negatives of the cluster", "#ff725c"),
    ("negatives at random", "#4269d0"),
)


def draw_hardness(found: Sequence[ClusterHardness], *, title: str, note: str) -> str:
    """Return an SVG with a panel for each number of clusters; title and note are escaped."""
    width = _WIDTH + 2 * _LEFT
    height = _TOP + len(found) * (_HEIGHT + _GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="bold" fill="#111">'
        f"{escape(title)}</text>",
        f'<text x="{_LEFT}" y="38" fill="#555">{escape(note)}</text>',
    ]
    at = _LEFT
    for name, colour in _CURVES:
        out.append(f'<path d="M{at} 54h18" stroke="{colour}" stroke-width="3"/>')
        out.append(f'<text x="{at + 24}" y="58" fill="#111">{name}</text>')
        at += 46 + 7 * len(name)
    seen = np.sum([one.in_cluster.negative_counts for one in found], axis=0)
    seen = seen + np.sum([one.random.negative_counts for one in found], axis=0)
    seen = seen + np.sum([one.random.positive_counts for one in found], axis=0)
    bins = np.flatnonzero(seen)
    span = (int(bins.min()), int(bins.max())) if len(bins) else (0, BINS - 1)
    for number, one in enumerate(found):
        out += _panel(one, _TOP + number * (_HEIGHT + _GAP), span)
    return "\n".join([*out, "</svg>", ""])


def hardness_page(found: Sequence[ClusterHardness], *, title: str, note: str) -> str:
    """Return the picture and its numbers as one HTML page; parameters as of `draw_hardness`."""
    rows = "\n".join(
        f"<tr><td>{one.k:,}</td><td>{_number(one.in_cluster.positive_mean)}</td>"
        + "".join(
            f"<td>{_number(part.negative_mean)}</td><td>{_number(part.quantiles.get('0.95'))}</td>"
            f"<td>{_share(part.likely_false_negatives)}</td>"
            for part in (one.in_cluster, one.random)
        )
        + "</tr>"
        for one in found
    )
    table = (
        '<table><tr><th></th><th>own item</th><th colspan="3">negatives of the cluster</th>'
        '<th colspan="3">negatives at random</th></tr><tr><th>k</th><th>mean</th>'
        + "<th>mean</th><th>95th percentile</th><th>likely false</th>"
        * 2
        + f"</tr>\n{rows}</table>\n<p>Cosines. A negative is likely false where it is at least as "
        "similar to the query as the query's own item.</p>"
    )
    return plain_page(title, draw_hardness(found, title=title, note=note) + table)


def _panel(one: ClusterHardness, top: int, span: tuple[int, int]) -> list[str]:
    low, high = span[0] * 2 / BINS - 1, (span[1] + 1) * 2 / BINS - 1
    counts = (
        one.in_cluster.positive_counts,
        one.in_cluster.negative_counts,
        one.random.negative_counts,
    )
    shares = [np.array(c[span[0] : span[1] + 1]) / max(sum(c), 1) for c in counts]
    tallest = max(float(max(share.max() for share in shares)), 1e-9)
    base = top + _HEIGHT
    mean = one.in_cluster.negative_mean
    out = [
        f'<text x="{_LEFT}" y="{top - 2}" fill="#111">{one.k:,} clusters: mean cosine with a '
        f"negative {_number(mean)}, at random {_number(one.random.negative_mean)}</text>",
        f'<path d="M{_LEFT} {base}h{_WIDTH}" stroke="#999"/>',
    ]
    for (_, colour), share in zip(_CURVES, shares, strict=True):
        out.append(
            f'<path d="{_curve(share / tallest, base)}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )
    for tick in np.arange(np.ceil(low * 5) / 5, high + 1e-9, 0.2):
        x = _LEFT + (tick - low) / (high - low) * _WIDTH
        label = f"{tick + 0.0:.1f}".replace("-0.0", "0.0")
        out.append(f'<text x="{x:.0f}" y="{base + 16}" text-anchor="middle">{label}</text>')
    return out


def _curve(heights: Floats, base: int) -> str:
    xs = _LEFT + (np.arange(len(heights)) + 0.5) / len(heights) * _WIDTH
    ys = base - heights * (_HEIGHT - 16)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.2%}"
