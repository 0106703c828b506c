"""Articles of three kinds for recipes that learn without labels."""

from __future__ import annotations

import json
import random
from pathlib import Path

KINDS = (
    ("sea", "wall", "breached", "town", "storm", "coast"),
    ("rates", "held", "bank", "raises", "cut", "the"),
    ("team", "wins", "cup", "final", "three", "in"),
)


def write_articles(path: Path, *, n: int = 48, seed: int = 0) -> Path:
    rng = random.Random(seed)
    rows = [
        {
            "id": str(i),
            "title": " ".join(rng.choice(KINDS[i % 3]) for _ in range(6)),
            "section": "abc"[i % 3],
        }
        for i in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
