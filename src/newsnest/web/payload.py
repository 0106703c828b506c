"""The data of a page: one run, its largest stories and their articles, as compact JSON."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from newsnest.days import DAY, UsualDays, usual_days
from newsnest.errors import ParameterError
from newsnest.nest import Cluster, Headline, Nest, Run, Totals

_HOUR = 3_600
_HOURLY = 4  # up to so many days, an hourly timeline shows more than a daily one
COLOURS = 10
"""Number of themes with a colour each; the rest share one grey."""


@dataclass(frozen=True, slots=True)
class ReportLimits:
    """How much of a nest its page shows; the page states what it leaves out.

    Parameters
    ----------
    stories
        How many stories, the largest first.
    articles_per_story
        How many articles of a story: texts that stand for themselves first, by date. The articles
        that a summary quotes are always there.
    map_points
        How many of those stories are points on the map.
    outlets
        How many outlets the filter lists, the largest first.
    rejected
        How many rejected rows are listed.
    """

    stories: int = 1500
    articles_per_story: int = 30
    map_points: int = 1500
    outlets: int = 500
    rejected: int = 500

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ParameterError(
                    f"ReportLimits: {name} must be a whole number of at least 1, got {value!r}. "
                    "Give a larger one."
                )


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a page shows of a run."""

    run: Run
    totals: Totals
    days: UsualDays | None  # None: no article has a date
    levels: tuple[tuple[str, int], ...]  # (name, clusters), coarse to fine
    independent: int  # texts left when copies are counted once
    above: list[list[Cluster]]  # of the stories shown: one list per coarser level, coarse to fine
    stories: list[Cluster]  # those shown, the largest first
    below: dict[int, int]  # how many stories lie below every coarser cluster of the run, by its id
    headlines: dict[int, list[Headline]]  # the articles shown, by story id


def read_contents(nest: Nest, run: Run, limits: ReportLimits) -> Contents:
    """Read what a page shows of a run."""
    counts = nest.store.level_totals(run)
    finest = list(counts)[-1] if counts else ""
    stories = nest.clusters(finest, run=run, limit=limits.stories) if counts else []
    return Contents(
        run=run,
        totals=nest.store.totals(run),
        days=usual_days(_by_day(nest, run)),
        levels=tuple((level, n) for level, (n, _) in counts.items()),
        independent=counts[finest][1] if counts else 0,
        above=_above(nest, run, stories) if counts else [],
        stories=stories,
        below=nest.store.stories_below(run),
        headlines=_headlines(nest, run, stories, limits) if counts else {},
    )


def _by_day(nest: Nest, run: Run) -> dict[int, int]:
    counts: dict[int, int] = {}
    for _, day, n in nest.store.theme_timeline(run, seconds=DAY):
        counts[day] = counts.get(day, 0) + n
    return counts


def _above(nest: Nest, run: Run, stories: list[Cluster]) -> list[list[Cluster]]:
    """Return the clusters above these stories, one list per coarser level, coarse to fine.

    Each list keeps the order of `Nest.clusters`: the largest first.
    """
    levels = nest.levels(run)[:-1]
    wanted = {story.parent for story in stories}
    above: list[list[Cluster]] = []
    for level in reversed(levels):
        kept = [cluster for cluster in nest.clusters(level, run=run) if cluster.id in wanted]
        wanted = {cluster.parent for cluster in kept}
        above.append(kept)
    return above[::-1]


def _headlines(
    nest: Nest, run: Run, stories: list[Cluster], limits: ReportLimits
) -> dict[int, list[Headline]]:
    """Return the articles shown per story; those that a summary quotes are among them."""
    by_story: dict[int, list[Headline]] = {story.id: [] for story in stories}
    seen: set[str] = set()
    for item in nest.store.story_headlines(
        run, stories[0].level, stories=limits.stories, articles=limits.articles_per_story
    ):
        by_story[item.story].append(item)
        seen.add(item.id)
    quoted = {s.article for story in stories for s in story.summary} | {
        story.representative for story in stories
    }
    for item in nest.store.headlines_by_id(run, sorted(quoted - seen)):
        if item.story in by_story:
            by_story[item.story].append(item)
    for items in by_story.values():
        items.sort(key=lambda item: (item.date is None, item.date or 0.0, item.id))
    return by_story


def build_payload(nest: Nest, contents: Contents, limits: ReportLimits) -> dict[str, Any]:
    """Return the data of a page as plain lists and numbers; names stand for themselves once.

    Notes
    -----
    Clusters above the stories and the stories themselves are columns of equal length. `parent` is
    a position among `nodes`, −1 at the top. Dates are whole seconds since 1970; `range` is where
    the usual days begin and end. `cells` counts,
    per story, every article (also those not listed) as outlet, language, bin, number, …; −1 is an
    outlet or language outside the lists, null no date.
    """
    outlets = _Names(name for name, _ in contents.totals.outlets[: limits.outlets])
    languages = _Names(name for name, _ in contents.totals.languages)
    days = contents.days
    seconds = _HOUR if days is not None and days.last - days.first < _HOURLY else DAY
    nodes = [cluster for level in contents.above for cluster in level]
    position = {cluster.id: place for place, cluster in enumerate(nodes)}
    copies = nest.store.copies_of(contents.run)
    finest = contents.levels[-1][0] if contents.levels else ""
    cells = _cells(nest, contents, limits, (outlets, languages), seconds)
    filterable = len(outlets.names)  # names added from here on are shown, not filtered for
    return {
        "levels": [list(level) for level in contents.levels],
        "articles": contents.totals.articles,
        "independent": contents.independent,
        "dated": contents.totals.dated,
        "bin": seconds,
        "range": None if days is None else [days.first * DAY, (days.last + 1) * DAY],
        "colours": COLOURS,
        "nodes": _node_columns(nodes, position, contents.below),
        "stories": _story_columns(contents.stories, position, limits.map_points),
        "items": [
            _items(contents.headlines[story.id], story, (outlets, languages), copies)
            for story in contents.stories
        ],
        "cells": cells,
        "timeline": _timeline(nest, contents, position, seconds),
        "finest": finest,
        "outlets": outlets.names,
        "filterable": filterable,
        "languages": languages.names,
    }


class _Names:
    """Numbers names in the order they come."""

    def __init__(self, names: Any) -> None:
        self.names: list[str] = list(names)
        self._place = {name: place for place, name in enumerate(self.names)}

    def find(self, name: str) -> int:
        return self._place.get(name, -1)

    def add(self, name: str) -> int:
        if name and name not in self._place:
            self._place[name] = len(self.names)
            self.names.append(name)
        return self._place.get(name, -1)


def _seconds(date: datetime | None) -> int | None:
    return None if date is None else int(date.timestamp() // 1)


def _node_columns(
    nodes: list[Cluster], position: dict[int, int], below: dict[int, int]
) -> dict[str, list[Any]]:
    return {
        "level": [node.level for node in nodes],
        "label": [node.label for node in nodes],
        "parent": [-1 if node.parent is None else position[node.parent] for node in nodes],
        "name": [node.name for node in nodes],
        "keywords": [list(node.keywords) for node in nodes],
        "stories": [below[node.id] for node in nodes],
        "articles": [node.articles for node in nodes],
        "independent": [node.independent for node in nodes],
    }


def _story_columns(
    stories: list[Cluster], position: dict[int, int], map_points: int
) -> dict[str, list[Any]]:
    mapped = [s.id for s in stories if s.x is not None and s.y is not None][:map_points]
    on_map = set(mapped)
    return {
        "label": [s.label for s in stories],
        "parent": [-1 if s.parent is None else position[s.parent] for s in stories],
        "name": [s.name for s in stories],
        "keywords": [list(s.keywords) for s in stories],
        "articles": [s.articles for s in stories],
        "independent": [s.independent for s in stories],
        "first": [_seconds(s.first) for s in stories],
        "last": [_seconds(s.last) for s in stories],
        "x": [round(s.x or 0.0, 4) if s.id in on_map else None for s in stories],
        "y": [round(s.y or 0.0, 4) if s.id in on_map else None for s in stories],
        # A story of headlines alone is named by one of them, which is not repeated.
        "summary": [
            [[s.text, s.article] for s in story.summary if s.text != story.name]
            for story in stories
        ],
    }


def _items(
    headlines: list[Headline],
    story: Cluster,
    names: tuple[_Names, _Names],
    copies: dict[int, int],
) -> list[list[Any]]:
    """Return [title, outlet, language, date, url, original, copies, quoted id] per article."""
    place = {item.key: number for number, item in enumerate(headlines)}
    quoted = {sentence.article for sentence in story.summary} | {story.representative}
    return [
        [
            item.title,
            names[0].add(item.source),
            names[1].add(item.lang),
            None if item.date is None else int(item.date // 1),
            # No javascript: or data: address of a feed becomes a link.
            item.url if item.url.lower().startswith(("http://", "https://")) else "",
            # −1: stands for itself; −2: the text it repeats is not listed here
            -1 if item.copy_of is None else place.get(item.copy_of, -2),
            copies.get(item.key, 0),
            item.id if item.id in quoted else 0,
        ]
        for item in headlines
    ]


def _cells(
    nest: Nest,
    contents: Contents,
    limits: ReportLimits,
    names: tuple[_Names, _Names],
    seconds: int,
) -> list[list[int | None]]:
    cells: dict[int, list[int | None]] = {story.id: [] for story in contents.stories}
    if not contents.stories:
        return []
    counted: dict[tuple[int, int, int, int | None], int] = {}
    for story, source, lang, time, n in nest.store.story_cells(
        contents.run, contents.levels[-1][0], stories=limits.stories, seconds=seconds
    ):
        key = (story, names[0].find(source), names[1].find(lang), time)
        counted[key] = counted.get(key, 0) + n
    for (story, outlet, language, time), n in counted.items():
        cells[story] += (outlet, language, time, n)
    return list(cells.values())


def _timeline(
    nest: Nest, contents: Contents, position: dict[int, int], seconds: int
) -> list[list[int]]:
    """Return bin, number, … for each of the first themes, then one list for all the others."""
    tops = [cluster.id for cluster in (contents.above[0] if contents.above else [])][:COLOURS]
    slot = {cluster: place for place, cluster in enumerate(tops)}
    sums: list[dict[int, int]] = [{} for _ in range(len(tops) + 1)]
    for cluster, time, n in nest.store.theme_timeline(contents.run, seconds=seconds):
        row = sums[slot.get(cluster, len(tops))]
        row[time] = row.get(time, 0) + n
    return [[value for pair in sorted(row.items()) for value in pair] for row in sums]


def to_json(value: Any) -> str:
    """Return JSON that may stand between script tags: no <, >, & and no line separators."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # "</script" in a headline would end the script, and "<!--" begin a comment in it; older
    # browsers end a line of a script at U+2028 and U+2029.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
