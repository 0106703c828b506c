"""Texts of a few invented stories, as graded pairs and as articles with gold labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

STORIES = (
    ("coast", "sea wall breached", "storm hits the coast", "town storm breached the wall"),
    ("money", "bank raises rates", "rates held", "the bank holds rates"),
    ("sport", "team wins cup", "cup final ends", "team wins final"),
    ("police", "three in raid", "police arrest three", "arrest after police raid"),
    ("vote", "minister resigns", "minister resigns after vote", "vote ends minister"),
    ("strike", "strike ends", "strike hits town", "town strike ends after vote"),
)


def pair_rows() -> list[dict[str, object]]:
    """Pairs of three articles of each story and of neighbouring ones; 1 is the same, 4 is not."""
    rows = []
    for i, (story, *texts) in enumerate(STORIES):
        for copy in ("", " the", " in", " after"):
            told = [text + copy for text in texts]
            away = [text + copy for text in STORIES[(i + 1) % len(STORIES)][1:]]
            for a, b in ((0, 1), (0, 2), (1, 2)):
                rows.append({"id": story, "text1": told[a], "text2": told[b], "score": 1 + b % 2})
            rows += [{"id": story, "text1": told[k], "text2": away[k], "score": 4} for k in (0, 1)]
    return rows


def write_pairs(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text1", "text2", "score"))
        writer.writerows((row["text1"], row["text2"], row["score"]) for row in pair_rows())
    return path


def gold_rows() -> list[dict[str, str]]:
    """Articles of 12 stories in 3 themes."""
    rng = np.random.default_rng(0)
    words = " ".join(" ".join(texts) for _, *texts in STORIES).split()
    rows = []
    for story in range(12):
        own = rng.choice(words, 4)
        for i in range(4):
            text = " ".join([*own, *rng.choice(words, 2), str(story), str(i)])
            rows.append(
                {
                    "id": f"{story}-{i}",
                    "text": text,
                    "story": f"s{story}",
                    "theme": f"t{story % 3}",
                    "date": f"2024-0{1 + i}-01",
                }
            )
    return rows
