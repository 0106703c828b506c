"""The page of a study: one HTML file that asks for nothing."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from newsnest.drafts import replacing
from newsnest.pipeline.plain_page import plain_page
from newsnest.study.outcome import TOP, Outcome, Reported, StageOutcome, one_line, shown
from newsnest.study.trials import Trial

_WIDTH, _LEFT, _BAR, _HEIGHT = 480, 170, 22, 150
_BLUE, _GREY = "#4269d0", "#999"


def write_page(outcome: Outcome, file: Path) -> None:
    """Write the page; a kill leaves the old one or the new one."""
    with replacing(file, "write_page") as draft:
        draft.write_text(study_page(outcome), encoding="utf-8")


def study_page(outcome: Outcome) -> str:
    """Return the page: the report, the winner, and of each stage the best trials and pictures."""
    title = f"Study {Path(outcome.config).name}"
    counts = "; ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in outcome.facts.items()
    )
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(counts)}</p>", *_report(outcome)]
    for stage in outcome.stages:
        body += _stage(stage)
    return plain_page(title, "\n".join(body))


def _report(outcome: Outcome) -> list[str]:
    """Return the table of what was measured on articles that the study never used."""
    again = (
        f" They have been used to report {outcome.looks} winners: more winners, weaker evidence."
        if outcome.looks > 1
        else ""
    )
    rows = "".join(_reported(one) for one in outcome.reported)
    return [
        "<h2>Did it help?</h2>",
        f"<p>{escape(outcome.verdict)}</p>",
        f"<p>On articles that no trial has seen, with 95 % intervals.{again}</p>",
        "<table><tr><th></th><th>the winner</th><th>without a study</th><th>difference</th>"
        f"<th>NMI with language</th></tr>{rows}</table>",
        "<h2>The winner</h2>",
        f"<pre>{escape(outcome.command)}</pre>",
    ]


def _reported(one: Reported) -> str:
    if one.error:
        return f'<tr><td>{escape(one.metric)}</td><td colspan="4">{escape(one.error)}</td></tr>'
    cells = [shown(one.winner), shown(one.default), shown(one.difference)]
    languages = [
        shown(one.beside.get(side, {}).get("nmi_language")) for side in ("winner", "default")
    ]
    cells.append(" / ".join(languages))
    return f"<tr><td>{escape(one.metric)}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"


def _stage(stage: StageOutcome) -> list[str]:
    failed = [trial for trial in stage.trials if trial.error]
    kept = " No trial was better than the start, which is kept." if stage.kept_start else ""
    out = [f"<h2>Stage {escape(stage.name)}</h2>", f"<p>By {escape(stage.metric)}.{kept}</p>"]
    rows = [_row(str(place), trial) for place, trial in enumerate(stage.leaders()[:TOP], start=1)]
    if stage.start is not None:
        rows.append(_row("start", stage.start))
    out.append(
        "<table><tr><th></th><th>mean</th><th>± seeds</th><th>clusters</th>"
        f"<th>NMI with language</th><th class=words>settings</th></tr>{''.join(rows)}</table>"
    )
    if failed:
        items = "".join(
            f"<li>{escape(one_line(r.params))}: {escape(r.error)}</li>" for r in failed[:TOP]
        )
        out.append(f"<p>{len(failed):,} failed:</p><ul>{items}</ul>")
    if stage.importances:
        out.append(draw_bars(stage.importances, title="What the settings account for"))
    scores = stage.scores()
    if len(scores) > 2:
        begins = "" if stage.start is None else ", the start first"
        out.append(draw_history(scores, title=f"Scores{begins}, and the best so far"))
    return out


def _row(place: str, trial: Trial) -> str:
    clusters = trial.beside.get("clusters")
    cells = [
        place,
        f"{trial.value:.4f}",
        f"{trial.deviation:.4f}",
        "—" if clusters is None else f"{clusters:,}",
        shown(trial.beside.get("nmi_language")),
    ]
    cells_of_row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr>{cells_of_row}<td class=words>{escape(one_line(trial.params))}</td></tr>"


def draw_bars(shares: Mapping[str, float], *, title: str) -> str:
    """Return an SVG with a bar for each share in [0, 1], in their order."""
    height = 34 + _BAR * len(shares)
    out = [_head(title, height)]
    room = _WIDTH - _LEFT - 60
    for place, (name, share) in enumerate(shares.items()):
        y = 34 + place * _BAR
        out.append(
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end" fill="#111">'
            f"{escape(name)}</text>"
        )
        width = max(1.0, share * room)
        out.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="16" fill="{_BLUE}"/>')
        out.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 12}" fill="#111">{share:.0%}</text>')
    return "\n".join([*out, "</svg>"])


def draw_history(scores: Sequence[float], *, title: str) -> str:
    """Return an SVG of two scores or more: a dot for each, and the best so far as a line."""
    low, high = min(scores), max(scores)
    span = (high - low) or 1.0
    left, base, room = 60, 40 + _HEIGHT, _WIDTH - 90
    dots: list[str] = []
    line: list[str] = []
    best = scores[0]
    for place, value in enumerate(scores):
        best = max(best, value)
        x = left + place / (len(scores) - 1) * room
        y, top = (base - 6 - (one - low) / span * (_HEIGHT - 12) for one in (value, best))
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_GREY}"/>')
        line.append(f"H{x:.1f}V{top:.1f}" if line else f"M{x:.1f} {top:.1f}")
    out = [
        _head(title, base + 24),
        f'<path d="M{left} {base}h{room}" stroke="{_GREY}"/>',
        f'<path d="{"".join(line)}" fill="none" stroke="{_BLUE}" stroke-width="2"/>',
        *dots,
        f'<text x="{left - 8}" y="{base - 2}" text-anchor="end" fill="#111">{low:.3f}</text>',
        f'<text x="{left}" y="{base + 16}" fill="#555">trials in their order; line: the best so far'
        "</text>",
    ]
    if high > low:
        at = base - _HEIGHT + 10
        out.append(f'<text x="{left - 8}" y="{at}" text-anchor="end" fill="#111">{high:.3f}</text>')
    return "\n".join([*out, "</svg>"])


def _head(title: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12" role="img">'
        f"<title>{escape(title)}</title>"
        f'<text x="0" y="16" font-size="14" font-weight="bold" fill="#111">{escape(title)}</text>'
    )
