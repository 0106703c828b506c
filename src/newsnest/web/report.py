"""One self-contained HTML page of a nest: pictures, lists, filters, every story with its sources.

The page asks for nothing: scripts, styles and data are inside it, and a content security policy
lets the browser run those scripts alone. Words from articles reach the page as text, never as
markup.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from newsnest.drafts import replacing
from newsnest.errors import InputError, NestError, ParameterError
from newsnest.nest import Cluster, Nest, Run, plural
from newsnest.pipeline.house_phrases import boilerplate_in_words
from newsnest.pipeline.story_facts import other_grains, stories_in_words
from newsnest.web.payload import Contents, ReportLimits, build_payload, read_contents, to_json

# In this order; each takes what the ones before it made.
_SCRIPTS = (
    "words.js", "story.js", "treemap.js", "charts.js", "search.js", "filters.js", "page.js",
)  # fmt: skip
_FEWEST_POINTS = 2  # one makes no map


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What was written.

    Parameters
    ----------
    path, bytes
        The page and its size.
    articles, stories
        How many the run holds.
    articles_shown, stories_shown
        How many of them are on the page.
    left_out
        One sentence per limit that was reached, as on the page.
    """

    path: Path
    bytes: int
    articles: int
    stories: int
    articles_shown: int
    stories_shown: int
    left_out: tuple[str, ...]


def write_report(
    nest: Nest,
    path: str | Path,
    *,
    run: Run | None = None,
    title: str | None = None,
    limits: ReportLimits | None = None,
) -> ReportSummary:
    """Write the page of a nest: one HTML file that opens without a network.

    Parameters
    ----------
    nest
        An open nest.
    path
        The page. Written beside itself first and then renamed: a kill leaves the old page or the
        new one.
    run
        Which run; None means the newest finished one.
    title
        The headline; None means the nest's file name without its suffix.
    limits
        How much goes onto the page; None means `ReportLimits()`.

    Returns
    -------
    ReportSummary
        What was written, and what was left out.

    Raises
    ------
    NestError
        If there is no finished run, or `run` is not finished.
    ParameterError
        If `path` does not end in .html or .htm.
    InputError
        If `path` is a directory or its directory does not exist.

    Notes
    -----
    Time and size grow with the stories shown, not with the nest, but for a few grouped counts.
    The same run and limits give the same bytes.

    Example
    -------
    >>> with Nest("news.nest") as nest:                                      # doctest: +SKIP
    ...     write_report(nest, "news.html").left_out
    """
    path = Path(path)
    limits = limits or ReportLimits()
    run = run or nest.run()
    if not run.finished:
        raise NestError(
            f"write_report: run must be finished, got run {run.id}, which is not. Run the same "
            "newsnest cluster command again to resume it."
        )
    # A name that is too long is no directory; pathlib would raise.
    if os.path.isdir(path) or not path.absolute().parent.is_dir():  # noqa: PTH112
        raise InputError(
            f"write_report: path must be a file in a directory that exists, got {str(path)!r}. "
            "Create the directory, or name another file."
        )
    if path.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(
            f"write_report: path must end in .html or .htm, got {path.name!r}. Rename it."
        )
    contents = read_contents(nest, run, limits)
    left_out = tuple(_left_out(nest, contents, limits))
    page = _render(
        nest, contents, limits, ((title or "").strip() or Path(nest.address).stem, left_out)
    )
    with replacing(path, "write_report") as draft:
        size = draft.write_bytes(page.encode("utf-8", errors="replace"))
    return ReportSummary(
        path=path,
        bytes=size,
        articles=contents.totals.articles,
        stories=contents.levels[-1][1] if contents.levels else 0,
        articles_shown=sum(map(len, contents.headlines.values())),
        stories_shown=len(contents.stories),
        left_out=left_out,
    )


def _left_out(nest: Nest, contents: Contents, limits: ReportLimits) -> list[str]:
    """Say what the page leaves out, one sentence a limit."""
    sentences: list[str] = []
    if not contents.stories:
        return sentences
    finest, total = contents.levels[-1]
    shown = len(contents.stories)
    if shown < total:
        sentences.append(f"The largest {shown:,} of {total:,} {plural(finest, total)} are shown.")
    for (level, count), kept in zip(contents.levels[:-1], contents.above, strict=True):
        if len(kept) < count:
            sentences.append(
                f"{len(kept):,} of {count:,} {plural(level, count)} "
                f"{'holds one of them and is' if len(kept) == 1 else 'hold one of them and are'} "
                "listed."
            )
    cut = sum(story.articles > len(contents.headlines[story.id]) for story in contents.stories)
    if cut:
        sentences.append(
            f"{cut:,} {plural(finest, cut)} {'has' if cut == 1 else 'have'} more than "
            f"{limits.articles_per_story:,} {plural('article', limits.articles_per_story)}; "
            "the first ones are listed, copies last. Search reads names, keywords and the "
            "headlines listed; counts by outlet, language and date are of all their articles."
        )
    points = _mapped(contents, limits)
    if _FEWEST_POINTS <= points < shown:
        sentences.append(f"The map shows {points:,} of these {shown:,} {plural(finest, shown)}.")
    outlets = len(contents.totals.outlets)
    if outlets > limits.outlets:
        sentences.append(
            f"The filter lists the {limits.outlets:,} largest of {outlets:,} outlets; the rest are "
            "“other outlets”."
        )
    rejected = nest.store.count_rejected(contents.run.batch)
    if rejected > limits.rejected:
        sentences.append(f"The first {limits.rejected:,} of {rejected:,} rejected rows are listed.")
    return sentences


def _render(
    nest: Nest, contents: Contents, limits: ReportLimits, words: tuple[str, tuple[str, ...]]
) -> str:
    scripts = [_library(), *map(_asset, _SCRIPTS)]
    environment = Environment(
        loader=PackageLoader("newsnest.web", "."),
        # Jinja leaves it off unless told, and headlines are other people's text.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "plural": plural, "number": lambda n: f"{n:,}"}
    run = contents.run
    return environment.get_template("report.html.j2").render(
        title=words[0],
        left_out=words[1],
        contents=contents,
        totals=contents.totals,
        days=_days(contents),
        mapped=_mapped(contents, limits) >= _FEWEST_POINTS,
        levels=contents.levels,
        finest=contents.levels[-1][0] if contents.levels else "story",
        tree=_tree(contents),
        story_cut=stories_in_words(run.facts),
        other_grains=other_grains(run, _file_of(nest)),
        rejected=nest.rejected(run, limit=limits.rejected),
        rejected_total=nest.store.count_rejected(run.batch),
        notices=nest.notices(run),
        run=run,
        encoder=str(run.options.get("encoder", "")),
        about=[
            ("Options", _flat(run.options)),
            ("Measured", _flat(_told(run.facts))),
            ("Versions", _flat(run.versions)),
        ],
        style=Markup(_asset("report.css")),
        # As they are: the policy names their digests, and a browser runs nothing else.
        scripts=[Markup(script) for script in scripts],
        policy=_policy([_digest(script) for script in scripts]),
        # Not escaped as HTML, which scripts do not undo; to_json leaves nothing that ends one.
        data=Markup(to_json(build_payload(nest, contents, limits))),
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """A cluster above the stories, with what lies below it on the page."""

    cluster: Cluster
    place: int
    story_count: int
    branches: list["Branch"]
    stories: list[tuple[int, Cluster, str]]


def _tree(contents: Contents) -> list[Branch]:
    """Nest the shown clusters; `place` is the position in the page's data."""
    branches: dict[int, Branch] = {}
    roots: list[Branch] = []
    for level in contents.above:
        for cluster in level:
            branch = Branch(cluster, len(branches), contents.below[cluster.id], [], [])
            branches[cluster.id] = branch
            siblings = roots if cluster.parent is None else branches[cluster.parent].branches
            siblings.append(branch)
    for place, story in enumerate(contents.stories):
        if story.parent is not None:
            languages = {item.lang for item in contents.headlines[story.id]}
            language = languages.pop() if len(languages) == 1 else ""
            branches[story.parent].stories.append((place, story, language))
    return roots


def _mapped(contents: Contents, limits: ReportLimits) -> int:
    """Count the stories on the map."""
    placed = [story for story in contents.stories if story.x is not None and story.y is not None]
    return min(len(placed), limits.map_points)


def _days(contents: Contents) -> tuple[datetime, datetime] | None:
    """Return the first and last of the usual days."""
    if contents.days is None:
        return None
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return start + timedelta(contents.days.first), start + timedelta(contents.days.last)


def _file_of(nest: Nest) -> str:
    """Return the name of a nest's file without its folder, which is nobody else's business."""
    return "NEST" if nest.address == ":memory:" else Path(nest.address).name


def _day(date: datetime | None) -> str:
    return "" if date is None else f"{date.day} {date:%B} {date.year}"


def _flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (name, value) in words; nested values as JSON."""
    return [
        (
            name.replace("_", " "),
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        )
        for name, value in sorted(values.items())
    ]


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a run, what it took out of texts in words."""
    told = dict(facts)
    if told.pop("boilerplate", None) is not None:
        told["boilerplate"] = boilerplate_in_words(facts) or "none was found"
    return told


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Return D3 with its licence, which every copy must hold."""
    return f"/*\n{_asset('d3.LICENSE')}*/\n{_asset('d3.min.js')}"


def _digest(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _policy(digests: list[str]) -> str:
    # Boxes of the treemap have their places in style attributes, and the icon is a data: address.
    return (
        f"default-src 'none'; script-src {' '.join(digests)}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
