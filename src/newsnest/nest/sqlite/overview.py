"""A whole run at a glance: counts by outlet, language and time, each in one grouped statement.

What a page over a nest needs and its members could only give article by article. Nothing here
reads the text of more articles than it returns.
"""

from typing import Any

from newsnest.nest.records import Headline, Run, Totals
from newsnest.nest.sqlite import codec
from newsnest.nest.sqlite.database import Database

_LARGEST = (
    "WITH largest AS (SELECT id FROM clusters WHERE run = :run AND level = :level "
    "ORDER BY independent DESC, label LIMIT :stories) "
)
_HEADLINE = "CASE WHEN a.title = '' THEN substr(a.text, 1, 400) ELSE a.title END"
_YEAR_ZERO = 62_167_219_200  # seconds before 1970; a multiple of a day, so that bins round down
_BIN = f"CAST((a.date + {_YEAR_ZERO}) / :seconds AS INTEGER) - {_YEAR_ZERO} / :seconds"
_SHOWN = f"a.id, {_HEADLINE}, a.lang, a.source, a.url, a.date"
_TITLE = 300  # characters of a headline; a longer one ends in an ellipsis


class Overview(Database):
    """The part of a store that counts for pages."""

    def totals(self, run: Run) -> Totals:
        joined = "FROM memberships m JOIN articles a ON a.key = m.article WHERE m.run = ?"
        count, dated, first, last = self.connection.execute(
            f"SELECT count(*), count(a.date), min(a.date), max(a.date) {joined}", (run.id,)
        ).fetchone()

        def grouped(column: str) -> tuple[tuple[str, int], ...]:
            rows = self.connection.execute(
                f"SELECT a.{column}, count(*) n {joined} AND a.{column} <> '' "
                f"GROUP BY a.{column} ORDER BY n DESC, a.{column}",
                (run.id,),
            )
            return tuple((str(name), int(n)) for name, n in rows)

        return Totals(
            articles=count,
            dated=dated,
            first=codec.to_date(first),
            last=codec.to_date(last),
            outlets=grouped("source"),
            languages=grouped("lang"),
        )

    def level_totals(self, run: Run) -> dict[str, tuple[int, int]]:
        rows = self.connection.execute(
            "SELECT level, count(*), sum(independent) FROM clusters WHERE run = ? "
            "GROUP BY depth, level ORDER BY depth",
            (run.id,),
        )
        return {str(level): (int(n), int(independent)) for level, n, independent in rows}

    def stories_below(self, run: Run) -> dict[int, int]:
        rows = self.connection.execute(
            # UNION ALL, for UNION would count the stories of one parent once.
            # By depth, for parents that are damaged may lead in a circle.
            "WITH RECURSIVE up (cluster, depth) AS (SELECT parent, depth FROM clusters "
            "WHERE run = :run AND depth = (SELECT max(depth) FROM clusters WHERE run = :run) "
            "UNION ALL SELECT c.parent, up.depth - 1 FROM up JOIN clusters c ON c.id = up.cluster "
            "WHERE up.depth > 0) "
            "SELECT cluster, count(*) FROM up WHERE cluster IS NOT NULL GROUP BY cluster",
            {"run": run.id},
        )
        return {int(cluster): int(n) for cluster, n in rows}

    def story_cells(
        self, run: Run, level: str, *, stories: int, seconds: int
    ) -> list[tuple[int, str, str, int | None, int]]:
        return self.connection.execute(
            _LARGEST + "SELECT m.cluster, a.source, a.lang, "
            f"{_BIN} AS bin, count(*) FROM memberships m JOIN articles a ON a.key = m.article "
            "WHERE m.run = :run AND m.cluster IN largest GROUP BY m.cluster, a.source, a.lang, bin",
            {"run": run.id, "level": level, "stories": stories, "seconds": seconds},
        ).fetchall()

    def theme_timeline(self, run: Run, *, seconds: int) -> list[tuple[int, int, int]]:
        return self.connection.execute(
            "WITH RECURSIVE up (cluster, top) AS (SELECT id, id FROM clusters "
            "WHERE run = :run AND parent IS NULL UNION ALL "
            "SELECT c.id, up.top FROM clusters c JOIN up ON c.parent = up.cluster) "
            f"SELECT up.top, {_BIN} AS bin, count(*) "
            "FROM memberships m JOIN articles a ON a.key = m.article "
            "JOIN up ON up.cluster = m.cluster WHERE m.run = :run AND a.date IS NOT NULL "
            "GROUP BY up.top, bin ORDER BY up.top, bin",
            {"run": run.id, "seconds": seconds},
        ).fetchall()

    def story_headlines(
        self, run: Run, level: str, *, stories: int, articles: int
    ) -> list[Headline]:
        rows = self.connection.execute(
            # Keys alone are ranked: titles and texts are read only of the few that are shown.
            _LARGEST + ", ranked AS (SELECT m.cluster, m.article, m.copy_of, row_number() OVER ("
            "PARTITION BY m.cluster ORDER BY m.copy_of IS NOT NULL, a.date IS NULL, a.date, a.id"
            ") AS place FROM memberships m JOIN articles a ON a.key = m.article "
            "WHERE m.run = :run AND m.cluster IN largest) "
            f"SELECT a.key, r.cluster, {_SHOWN}, r.copy_of FROM ranked r "
            "JOIN articles a ON a.key = r.article WHERE r.place <= :articles "
            "ORDER BY r.cluster, r.place",
            {"run": run.id, "level": level, "stories": stories, "articles": articles},
        )
        return [_to_headline(row) for row in rows]

    def headlines_by_id(self, run: Run, ids: list[str]) -> list[Headline]:
        ask = (
            f"SELECT a.key, m.cluster, {_SHOWN}, m.copy_of FROM articles a "
            "JOIN memberships m ON m.article = a.key AND m.run = ? WHERE a.id"
        )
        return [_to_headline(row) for row in self._among(ask, (run.id,), ids)]

    def copies_of(self, run: Run) -> dict[int, int]:
        rows = self.connection.execute(
            "SELECT copy_of, count(*) FROM memberships WHERE run = ? AND copy_of IS NOT NULL "
            "GROUP BY copy_of",
            (run.id,),
        )
        return {int(key): int(n) for key, n in rows}


def _to_headline(row: tuple[Any, ...]) -> Headline:
    key, story, name, title, lang, source, url, date, copy_of = row
    with codec.as_written(f"the article {name!r}"):
        line = title.strip().partition("\n")[0]
    if len(line) > _TITLE:
        line = line[: _TITLE - 1].rstrip() + "…"
    return Headline(key, story, name, line, lang, source, url, date, copy_of)
