"""A whole run at a glance: counts by outlet, language and time, each in one grouped statement.

What a page over a nest needs and `Nest` alone could only give article by article. Nothing here
reads the text of more articles than it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsnest.nest.records import Cluster, Run
from newsnest.nest.store import Nest

_LARGEST = (
    "WITH largest AS (SELECT id FROM clusters WHERE run = :run AND level = :level "
    "ORDER BY independent DESC, label LIMIT :stories) "
)
_HEADLINE = "CASE WHEN a.title = '' THEN substr(a.text, 1, 400) ELSE a.title END"
_YEAR_ZERO = 62_167_219_200  # seconds before 1970; a multiple of a day, so that bins round down
_LOOKUP = 500
_TITLE = 300  # characters of a headline; a longer one ends in an ellipsis


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run holds, all articles counted.

    Parameters
    ----------
    articles, dated
        How many articles, and how many of them have a date.
    first, last
        Earliest and latest date, UTC; None where no article has one.
    outlets, languages
        (name, articles), most articles first; "" is never among them.
    """

    articles: int
    dated: int
    first: datetime | None
    last: datetime | None
    outlets: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """One article as a list shows it.

    Parameters
    ----------
    key, story
        Its key in the nest and the id of its story.
    id, title, lang, source, url
        As in `Article`; the title is the first line of the text where there is none.
    date
        Seconds since 1970, UTC, or None.
    copy_of
        Key of the article whose text it repeats, or None.
    """

    key: int
    story: int
    id: str
    title: str
    lang: str
    source: str
    url: str
    date: float | None
    copy_of: int | None


def totals(nest: Nest, run: Run) -> Totals:
    """Count a run's articles, outlets and languages."""
    joined = "FROM memberships m JOIN articles a ON a.key = m.article WHERE m.run = ?"
    count, dated, first, last = nest.connection.execute(
        f"SELECT count(*), count(a.date), min(a.date), max(a.date) {joined}", (run.id,)
    ).fetchone()

    def grouped(column: str) -> tuple[tuple[str, int], ...]:
        rows = nest.connection.execute(
            f"SELECT a.{column}, count(*) n {joined} AND a.{column} <> '' "
            f"GROUP BY a.{column} ORDER BY n DESC, a.{column}",
            (run.id,),
        )
        return tuple((str(name), int(n)) for name, n in rows)

    return Totals(
        articles=count,
        dated=dated,
        first=None if first is None else datetime.fromtimestamp(first, UTC),
        last=None if last is None else datetime.fromtimestamp(last, UTC),
        outlets=grouped("source"),
        languages=grouped("lang"),
    )


def level_totals(nest: Nest, run: Run) -> dict[str, tuple[int, int]]:
    """Return (clusters, independent texts) per level of a run, coarse to fine."""
    rows = nest.connection.execute(
        "SELECT level, count(*), sum(independent) FROM clusters WHERE run = ? "
        "GROUP BY depth, level ORDER BY depth",
        (run.id,),
    )
    return {str(level): (int(n), int(independent)) for level, n, independent in rows}


def stories_below(nest: Nest, run: Run) -> dict[int, tuple[int, int, int]]:
    """Return (stories, articles, independent texts) below every coarser cluster, by its id.

    Sums of the finest level, carried up: a parent is exactly the sum of its children.
    """
    below: dict[int, tuple[int, int, int]] = {}
    rows = nest.connection.execute(
        "SELECT parent, count(*), sum(articles), sum(independent) FROM clusters c "
        "WHERE run = ? AND parent IS NOT NULL AND depth = "
        "(SELECT max(depth) FROM clusters WHERE run = c.run) GROUP BY parent",
        (run.id,),
    )
    below.update((parent, (n, articles, texts)) for parent, n, articles, texts in rows)
    for cluster, parent in nest.connection.execute(
        "SELECT id, parent FROM clusters WHERE run = ? AND parent IS NOT NULL ORDER BY depth DESC",
        (run.id,),
    ):
        if cluster in below:
            had, added = below.get(parent, (0, 0, 0)), below[cluster]
            below[parent] = (had[0] + added[0], had[1] + added[1], had[2] + added[2])
    return below


def story_cells(
    nest: Nest, run: Run, level: str, *, stories: int, seconds: int
) -> list[tuple[int, str, str, int | None, int]]:
    """Count the articles of the largest stories by story, outlet, language and time.

    Parameters
    ----------
    nest, run, level
        The run and its finest level.
    stories
        How many of the largest stories, in the order of `Nest.clusters`.
    seconds
        Width of a time bin: 3600 or 86400.

    Returns
    -------
    list of (story id, outlet, language, bin, articles)
        The bin counts from 1970, None for articles without a date.
    """
    return nest.connection.execute(
        _LARGEST + "SELECT m.cluster, a.source, a.lang, "
        f"CAST((a.date + {_YEAR_ZERO}) / :seconds AS INTEGER) - {_YEAR_ZERO} / :seconds AS bin, "
        "count(*) FROM memberships m JOIN articles a ON a.key = m.article "
        "WHERE m.run = :run AND m.cluster IN largest GROUP BY m.cluster, a.source, a.lang, bin",
        {"run": run.id, "level": level, "stories": stories, "seconds": seconds},
    ).fetchall()


def theme_timeline(nest: Nest, run: Run, *, seconds: int) -> list[tuple[int, int, int]]:
    """Count all dated articles of a run as (id of the coarsest cluster, bin, articles)."""
    return nest.connection.execute(
        "WITH RECURSIVE up (cluster, top) AS (SELECT id, id FROM clusters "
        "WHERE run = :run AND parent IS NULL UNION ALL "
        "SELECT c.id, up.top FROM clusters c JOIN up ON c.parent = up.cluster) "
        f"SELECT up.top, CAST((a.date + {_YEAR_ZERO}) / :seconds AS INTEGER) "
        f"- {_YEAR_ZERO} / :seconds AS bin, count(*) "
        "FROM memberships m JOIN articles a ON a.key = m.article "
        "JOIN up ON up.cluster = m.cluster WHERE m.run = :run AND a.date IS NOT NULL "
        "GROUP BY up.top, bin ORDER BY up.top, bin",
        {"run": run.id, "seconds": seconds},
    ).fetchall()


def story_headlines(
    nest: Nest, run: Run, level: str, *, stories: int, articles: int
) -> list[Headline]:
    """Return up to `articles` articles of each of the largest stories.

    Texts that stand for themselves come before copies, earlier before later; articles without a
    date come last. The order within a story is that order.
    """
    rows = nest.connection.execute(
        _LARGEST + ", ranked AS (SELECT m.cluster, m.article, m.copy_of, row_number() OVER ("
        "PARTITION BY m.cluster ORDER BY m.copy_of IS NOT NULL, a.date IS NULL, a.date, a.id"
        ") AS place FROM memberships m JOIN articles a ON a.key = m.article "
        "WHERE m.run = :run AND m.cluster IN largest) "
        f"SELECT a.key, r.cluster, a.id, {_HEADLINE}, a.lang, a.source, a.url, a.date, r.copy_of "
        "FROM ranked r JOIN articles a ON a.key = r.article WHERE r.place <= :articles "
        "ORDER BY r.cluster, r.place",
        {"run": run.id, "level": level, "stories": stories, "articles": articles},
    )
    return [_to_headline(row) for row in rows]


def headlines_by_id(nest: Nest, run: Run, ids: list[str]) -> list[Headline]:
    """Return the articles of a run with these ids, in no particular order."""
    found: list[Headline] = []
    for start in range(0, len(ids), _LOOKUP):
        part = ids[start : start + _LOOKUP]
        rows = nest.connection.execute(
            f"SELECT a.key, m.cluster, a.id, {_HEADLINE}, a.lang, a.source, a.url, a.date, "
            "m.copy_of FROM articles a JOIN memberships m ON m.article = a.key AND m.run = ? "
            f"WHERE a.corpus = ? AND a.id IN ({','.join('?' * len(part))})",
            (run.id, run.corpus, *part),
        )
        found.extend(_to_headline(row) for row in rows)
    return found


def copies_of(nest: Nest, run: Run) -> dict[int, int]:
    """Return how many copies every copied article of a run has, by its key."""
    rows = nest.connection.execute(
        "SELECT copy_of, count(*) FROM memberships WHERE run = ? AND copy_of IS NOT NULL "
        "GROUP BY copy_of",
        (run.id,),
    )
    return {int(key): int(n) for key, n in rows}


def ancestors(nest: Nest, run: Run, stories: list[Cluster]) -> list[list[Cluster]]:
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


def _to_headline(row: tuple[Any, ...]) -> Headline:
    key, story, name, title, lang, source, url, date, copy_of = row
    line = title.strip().partition("\n")[0]
    if len(line) > _TITLE:
        line = line[: _TITLE - 1].rstrip() + "…"
    return Headline(key, story, name, line, lang, source, url, date, copy_of)
