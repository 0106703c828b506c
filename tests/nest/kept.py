"""A nest of six invented articles, filled by hand: one theme, two topics, three stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from newsnest.nest import Cluster, KeptTree, Nest, Result, Run
from newsnest.types import Article, Rejected, Sentence

MAY = datetime(2031, 5, 1, 8, 0, tzinfo=UTC)
ARTICLES = (
    Article("a", "=1+1", "Sea wall\nbreached", "en", MAY, "Post", "https://a.example/?q=1,2"),
    Article("b", "-5 degrees", "", "en", MAY.replace(day=3), "Post", ""),
    Article("c", "", '"Quoted", with a comma\r\nand lines', "", None, "", ""),
    Article("d", "إغلاق الميناء", "نص", "ar", MAY.replace(day=2), "صحيفة", ""),
    Article("é", "@home 🦆", "\u2028x", "fr", None, "+33", ""),
    Article("-7", "\u200bplain", "=1+1", "en", MAY, "Post", ""),
)  # by id: -7 a b c d é
ORDER = sorted(ARTICLES, key=lambda article: article.id)
LINKAGES = (
    np.array([[0.0, 1.0, 0.7, 5.0]]),
    np.array([[1.0, 2.0, 1 / 3, 2.0]]),
    np.array([[0.0, 1.0, 0.1, 2.0], [2.0, 5.0, np.nextafter(0.25, 1), 3.0]]),
)
TREE = KeptTree(
    pairs=np.array([[0, 1], [2, 3], [0, 2]], np.int32),
    similarity=np.array([0.9, 1 / 3, -0.0], np.float32),
    log_odds=np.array([1e-42, -7.5, 0.1], np.float32),
    likeness=np.array([0.8, 0.3, -0.1], np.float32),
    sections=np.arange(20, dtype=np.float32).reshape(5, 4),
    exact=False,
)


def _cluster(position: int, level: str, label: int, parent: int | None, size: int) -> Cluster:
    return Cluster(
        id=position,
        level=level,
        label=label,
        parent=parent,
        articles=size,
        independent=size - (level == "story" and label == 0),
        name=f"{level} {label}",
        keywords=("sea", "plage"),
        summary=(Sentence("Sea wall.", "a"),),
        representative="a",
        first=MAY,
        last=None,
        x=0.5 if level == "story" else None,
        y=-0.1 if level == "story" else None,
    )


def result() -> Result:
    """Return a result for the articles in canonical order."""
    return Result(
        facts={"articles": 6, "levels": [{"name": "story", "min_similarity": 0.4}]},
        clusters=[
            _cluster(0, "theme", 0, None, 6),
            _cluster(1, "topic", 0, 0, 4),
            _cluster(2, "topic", 1, 0, 2),
            _cluster(3, "story", 0, 1, 3),
            replace(_cluster(4, "story", 1, 2, 2), name="=HYPERLINK(1)"),
            _cluster(5, "story", 2, 1, 1),
        ],
        membership=np.array([3, 3, 3, 4, 4, 5]),
        copy_of=np.array([-1, 0, -1, -1, -1, -1]),
        linkages=LINKAGES,
        means=np.array([[0.1, -0.0, 1e-42], [1, 2, 3]], dtype=np.float32),
        rotation=np.eye(3, dtype=np.float32),
    )


def begin(nest: Nest) -> Run:
    """Keep the articles and start a run."""
    items = [*ARTICLES, Rejected("in.jsonl", 3, "no text", "{}"), ("in.jsonl", "1 odd date")]
    batch = nest.store.add_batch("digest", {"strict": False}, items)
    return nest.store.start_run("key", batch, {"encoder": "none"}, {"newsnest": "0"})


def keep(address: str | Path) -> Nest:
    """Make the nest."""
    nest = Nest(address, create=True)
    nest.store.finish_run(begin(nest), result())
    return nest
