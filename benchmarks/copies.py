"""Folding of copies: how many fold, do they share the gold story, how long it takes.

python benchmarks/copies.py --data FOLDER

FOLDER holds the sets named below as NAME.jsonl.gz. No set here is held out: min_overlap and the
shingles were chosen on uci_news, ecbplus and the whole of mrpc, and the rule on exchanged words
after reading folded pairs of wiki_events, fr_headlines and googlenews_ts.
"""

from __future__ import annotations

import json
import random
import time
from importlib.metadata import version
from typing import Any

import numpy as np

import measured
from newsnest.corpus import fold_copies
from newsnest.types import Article

SETS = {
    "uci_news": ("story", "chosen on"),
    "ecbplus": ("story", "chosen on"),
    "wiki_events": ("story", "pairs read"),
    "googlenews_ts": ("label", "pairs read"),
    "fr_headlines": (None, "pairs read"),
}
OVERLAPS = (0.7, 0.75, 0.8, 0.85, 0.9, 1.0)
SEED = 0
HEADLINES = 100_000


def as_article(row: dict[str, Any]) -> Article:
    return Article(row["id"], row.get("title", ""), row.get("text") or row.get("summary", ""))


def fold_set(rows: list[dict[str, Any]], gold: str | None, min_overlap: float) -> dict[str, Any]:
    articles = [as_article(row) for row in rows]
    start = time.perf_counter()
    copies = fold_copies(articles, min_overlap=min_overlap)
    seconds = time.perf_counter() - start
    folded = np.flatnonzero(copies != np.arange(len(copies)))
    same = [rows[at].get(gold) == rows[copies[at]].get(gold) for at in folded] if gold else []
    return {
        "min_overlap": min_overlap,
        "folded": len(folded),
        "same_gold": round(float(np.mean(same)), 4) if same else None,
        "seconds": round(seconds, 2),
    }


def fold_mrpc(rows: list[dict[str, Any]], min_overlap: float) -> dict[str, Any]:
    counts = {"min_overlap": min_overlap, "folded_scored_1": 0, "folded_scored_0": 0}
    for row in rows:
        pair = [Article("a", text=row["text1"]), Article("b", text=row["text2"])]
        if fold_copies(pair, min_overlap=min_overlap)[1] == 0:
            counts["folded_scored_1" if row["score"] > 0.5 else "folded_scored_0"] += 1
    return counts


def time_headlines(titles: list[str]) -> dict[str, Any]:
    """A hundred thousand headlines made of real ones: cut, with an outlet, with a second one."""
    dice = random.Random(SEED)
    made = []
    for number in range(HEADLINES):
        words = dice.choice(titles).split()
        title = " ".join(words[: dice.randint(3, len(words) + 3)])
        title += " - Reuters" if dice.random() < 0.2 else ""
        title += f" {dice.choice(titles)}" if dice.random() < 0.4 else ""
        made.append(Article(f"{number:06}", title))
    start = time.perf_counter()
    copies = fold_copies(made)
    seconds = time.perf_counter() - start
    return {
        "headlines": HEADLINES,
        "seed": SEED,
        "folded": int((copies != np.arange(len(copies))).sum()),
        "seconds": round(seconds, 1),
        "same_again": bool((fold_copies(made) == copies).all()),
    }


def main() -> None:
    options = measured.arguments(__doc__ or "").parse_args()
    sets: dict[str, Any] = {}
    titles: list[str] = []
    for name, (gold, role) in SETS.items():
        rows = measured.load_rows(options.data, name)
        titles += [row["title"] for row in rows if row.get("title")]
        results = [fold_set(rows, gold, overlap) for overlap in OVERLAPS]
        sets[name] = {"rows": len(rows), "gold": gold, "role": role, "results": results}
    pairs = measured.load_rows(options.data, "mrpc")
    for split, role in (("train", "chosen on"), ("test", "chosen on")):
        rows = [row for row in pairs if row["split"] == split]
        results = [fold_mrpc(rows, overlap) for overlap in OVERLAPS]
        sets[f"mrpc {split}"] = {"pairs": len(rows), "role": role, "results": results}
    result = {
        "what": "fold_copies: folded articles, share with the same gold as their original",
        "default_min_overlap": 0.85,
        "sets": sets,
        "speed": time_headlines(titles),
    }
    print(json.dumps(result, indent=1))
    measured.write_result("copies", result, rensa=version("rensa"))


if __name__ == "__main__":
    main()
