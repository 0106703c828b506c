"""Invented articles with known themes, topics and stories, for tests that need a corpus."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SYLLABLES = ("ka", "ro", "mi", "ten", "sul", "vo", "dra", "pel", "nu", "shi", "gor", "ba")
START = datetime(2031, 5, 1, 8, 0, tzinfo=UTC)


def _words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices(SYLLABLES, k=3)) for _ in range(count)]


def articles(
    stories: int = 12, each: int = 4, *, copies: int = 3, dated: bool = True, seed: int = 0
) -> list[dict[str, Any]]:
    """Return rows with gold labels: 3 stories a topic, 2 topics a theme; the copies come last."""
    rng = random.Random(seed)
    words: dict[str, list[str]] = {}
    rows: list[dict[str, Any]] = []
    for story in range(stories):
        topic, theme = story // 3, story // 6
        pool = words.setdefault(f"theme {theme}", _words(rng, 5))
        pool = pool + words.setdefault(f"topic {topic}", _words(rng, 6))
        own = _words(rng, 8)
        for number in range(each):
            said = rng.sample(own, 6) + rng.sample(pool, 4)
            rows.append(
                {
                    "id": f"a{len(rows):05d}",
                    "title": " ".join(said[:5]).capitalize(),
                    "text": " ".join([*said[5:], *rng.sample(own, 3)]).capitalize() + ".",
                    "lang": "en",
                    "source": f"Outlet {number % 5}",
                    "date": (START + timedelta(days=2 * story, hours=number)).isoformat(),
                    "story_gold": f"s{story}",
                    "theme_gold": f"t{theme}",
                }
            )
            if not dated:
                del rows[-1]["date"]
    for number in range(copies):
        rows.append({**rows[number * 2], "id": f"copy{number}", "source": "Reprint"})
    return rows


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
