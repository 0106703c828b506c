"""A small invented nest with everything that can go wrong in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from newsnest.nest import Cluster, Nest, Result
from newsnest.types import Article, Rejected, Sentence

HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!--"
START = datetime(2031, 5, 1, 8, 0, tzinfo=UTC)
OUTLETS = ("Harbour Post", "Le Courrier des Îles", "صحيفة المرفأ", "<b>Bold</b> & Sons")
LANGUAGES = ("en", "fr", "ar", "en")
STORIES = (  # theme, topic, name, articles, copies
    (0, 0, "Ferry strike enters third week", 9, 3),
    (0, 0, "Écluse fermée à Saint-Élan", 4, 0),
    (0, 1, "إغلاق الميناء القديم", 3, 1),
    (0, 1, HOSTILE, 3, 0),
    (1, 2, "Orchard frost ruins the plum harvest", 5, 1),
    (1, 2, "Bees return to Marrow Valley", 2, 0),
    (1, 3, 'Growers %{label} <a href="javascript:alert(1)">call</a> $x$ & wait', 2, 0),
    (2, 4, "Chess club wins by a pawn", 1, 0),
)
THEMES = ("Harbours", "Orchards & fields", "Games")
TOPICS = ((0, "Ferries"), (0, "Ports"), (1, "Fruit"), (1, "Farming"), (2, "Chess"))


def _articles(dated: bool) -> tuple[list[Article], list[int], list[int]]:
    """Return articles in canonical order, their stories, and what each copies."""
    articles: list[Article] = []
    story: list[int] = []
    copy_of: list[int] = []
    for number, (_, _, name, count, copies) in enumerate(STORIES):
        first = len(articles)
        for place in range(count):
            row = len(articles)
            copied = place >= count - copies
            url = f"https://news.example/{row}?a=1&b=2"
            if place == 1:
                url = "javascript:alert(document.domain)"
            articles.append(
                Article(
                    id=f"a{row:03d}",
                    title=name if copied or place == 0 else f"{name}: part {place}",
                    text="" if place else "A text.",
                    lang=LANGUAGES[(number + place) % 4],
                    date=START + timedelta(days=number * 2, hours=3 * place) if dated else None,
                    source="" if row == 7 else OUTLETS[(number + place) % 4],
                    url=url,
                )
            )
            story.append(number)
            copy_of.append(first if copied else -1)
    return articles, story, copy_of


def _clusters(articles: list[Article], story: list[int], copy_of: list[int]) -> list[Cluster]:
    levels: list[tuple[str, list[tuple[int | None, str, list[int]]]]] = []
    rows = [[row for row, s in enumerate(story) if s == number] for number in range(len(STORIES))]
    topics = [
        [r for s, m in zip(STORIES, rows, strict=True) if s[1] == t for r in m] for t in range(5)
    ]
    themes = [
        [r for s, m in zip(STORIES, rows, strict=True) if s[0] == t for r in m] for t in range(3)
    ]
    levels.append(("theme", [(None, n, m) for n, m in zip(THEMES, themes, strict=True)]))
    levels.append(("topic", [(t, n, m) for (t, n), m in zip(TOPICS, topics, strict=True)]))
    levels.append(("story", [(3 + s[1], s[2], m) for s, m in zip(STORIES, rows, strict=True)]))
    clusters: list[Cluster] = []
    for level, entries in levels:
        for label, (parent, name, members) in enumerate(entries):
            dates = [articles[row].date for row in members]
            known = [date for date in dates if date is not None]
            clusters.append(
                Cluster(
                    id=len(clusters),
                    level=level,
                    label=label,
                    parent=parent,
                    articles=len(members),
                    independent=sum(copy_of[row] < 0 for row in members),
                    name=name,
                    keywords=("harbour", "grève", HOSTILE) if label == 0 else ("plum",),
                    summary=(
                        Sentence(f"Said in {articles[members[-1]].id}.", articles[members[-1]].id),
                    ),
                    representative=articles[members[0]].id,
                    first=min(known) if known else None,
                    last=max(known) if known else None,
                    x=float(label % 3) if level == "story" and label != 7 else None,
                    y=float(label) if level == "story" and label != 7 else None,
                )
            )
    return clusters


def build_nest(path: Path, *, dated: bool = True, levels: int = 3) -> Nest:
    """Make a nest of the invented articles; `levels` = 1 keeps the stories alone."""
    articles, story, copy_of = _articles(dated)
    clusters = _clusters(articles, story, copy_of)
    first = 8
    if levels == 1:
        clusters = [
            Cluster(
                **{f: getattr(c, f) for f in Cluster.__slots__} | {"id": c.id - 8, "parent": None}
            )
            for c in clusters[8:]
        ]
        first = 0
    nest = Nest(path, create=True)
    items: list[Any] = [
        *articles,
        Rejected("in.jsonl", 31, f"the title is {HOSTILE}", "{}"),
        Rejected("in.jsonl", 44, "there is no text", "{}"),
        ("in.jsonl", "3 rows have no date"),
    ]
    corpus = nest.store.add_batch("digest", {"profile": "plain"}, items)
    options = {"encoder": "minilm", "note": HOSTILE, "min_similarity": {"story": 0.6}}
    run = nest.store.start_run("key", corpus, options, {"newsnest": "0.1.0"})
    nest.store.finish_run(
        run,
        Result(
            facts={"texts_cut": 2},
            clusters=clusters,
            membership=np.array(story, dtype=np.int64) + first,
            copy_of=np.array(copy_of, dtype=np.int64),
            linkages=[],
            means=np.zeros((1, 2), dtype=np.float32),
            rotation=np.eye(2, dtype=np.float32),
        ),
    )
    return nest
