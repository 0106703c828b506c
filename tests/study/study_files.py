"""Files of small studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import invented

WORDS = ("sea", "wall", "breached", "town", "rates", "held", "bank", "raises", "cut", "storm")
OTHERS = ("resigns", "police", "arrest", "three", "raid", "team", "wins", "cup", "final", "ends")


def articles(stories: int = 14, *, seed: int = 0, name: str = "a") -> list[dict[str, Any]]:
    """Return articles with a story each, ids and texts of their own for every seed."""
    return [
        {**row, "id": f"{name}{row['id']}", "story": row["story_gold"]}
        for row in invented.articles(stories, copies=0, seed=seed)
    ]


def titled(count: int, *, first: int = 0) -> list[dict[str, Any]]:
    """Return articles whose text says the title in words of its own, as a tiny model knows them."""
    rows = []
    for number in range(first, first + count):
        chosen = np.random.default_rng(number).choice(10, 4, replace=False)
        rows.append(
            {
                "id": f"t{number}",
                "title": " ".join(WORDS[i] for i in chosen),
                "text": " ".join(OTHERS[i] for i in chosen) + f" {number}",
                "story": f"s{number // 2}",
            }
        )
    return rows


def write_study(folder: Path, text: str, files: Mapping[str, Sequence[dict[str, Any]]]) -> Path:
    """Write study.toml and the files it names."""
    for name, rows in files.items():
        invented.write(folder / name, rows)
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path
