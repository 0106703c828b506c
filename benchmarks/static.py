"""Measure the recipe `static`: token vectors fitted to minilm on a corpus, beside both.

python benchmarks/static.py --data FOLDER [--folder FOLDER]

For every set with stories: the model is trained as `newsnest train static` does it, on the texts
of the set itself (which have no labels there), and on the texts of another set. B-cubed F1 of the
stories by `LevelwiseRAC` with its own min_similarity, all dates left out, and the best that any
min_similarity reaches. Headlines a second count encoding alone, the best of the rounds; what the
fit took stands beside.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import measured
from newsnest.cluster import agglomerate_rows, auto_levels, fit_frame
from newsnest.embed import load_encoder
from newsnest.evaluate import bcubed_f1
from newsnest.train.recipes import RECIPES
from newsnest.train.recipes.static import StaticSettings
from newsnest.types import Encoder, Vectors

SETS = (("uci_news", "story"), ("ecbplus", "story"), ("googlenews_ts", "label"),
        ("wiki_events", "story"))  # fmt: skip
MOST = 12_000
ROUNDS = 3
GRID = np.round(np.arange(0.1, 0.9, 0.02), 2)


def train(texts: Sequence[str], folder: Path) -> tuple[Encoder, float | None, dict[str, Any]]:
    """Return the encoder, what its training took if it was not kept, and what it says of itself."""
    seconds = None
    if not folder.exists():
        start = time.perf_counter()
        data = folder.with_suffix(".jsonl")
        rows = ({"id": str(i), "title": text} for i, text in enumerate(texts))
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        RECIPES["static"].run(StaticSettings(data=(str(data),), base="minilm", output=folder))
        seconds = round(time.perf_counter() - start, 1)
    told = json.loads((folder / "newsnest.json").read_text(encoding="utf-8"))
    return load_encoder(str(folder)), seconds, told["validation"] | told["chosen"]


def score(vectors: Vectors, gold: measured.GoldSet, encoder: str) -> dict[str, float]:
    """Return the F1 of stories with the default min_similarity, and with the best."""
    text = fit_frame(vectors).apply(vectors)
    own = auto_levels(text, encoder=encoder)[-1].min_similarity
    weights = np.ones(len(text))
    tree = agglomerate_rows(text, weights, min_similarity=-1.0)

    def f1(cut: float) -> float:
        parent = np.arange(len(text))
        for a, b in tree.pairs[tree.similarity >= cut].tolist():
            parent[b] = a
        while (parent != parent[parent]).any():
            parent = parent[parent]
        return bcubed_f1(gold.gold, parent)

    return {"f1": round(f1(own), 4), "min_similarity": round(own, 4),
            "best_f1": round(max(map(f1, GRID)), 4)}  # fmt: skip


def rate(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return texts a second, the best of the rounds."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        encoder.encode(texts)
        took.append(time.perf_counter() - start)
    return round(len(texts) / min(took))


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--folder", type=Path, default=None, help="keeps models")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="static-"))
    folder.mkdir(parents=True, exist_ok=True)
    loaded = {name: measured.load_gold(options.data, name, field, most=MOST)
              for name, field in SETS}  # fmt: skip
    trained = {name: train([a.body for a in gold.articles], folder / name)
               for name, gold in loaded.items()}  # fmt: skip
    result: dict[str, Any] = {
        name: {"fit_seconds": seconds, **told} for name, (_, seconds, told) in trained.items()
    }
    for name, gold in loaded.items():
        texts = [article.body for article in gold.articles]
        rows: dict[str, Any] = {"texts": len(texts)}
        encoders: dict[str, Encoder] = {"minilm": load_encoder("minilm")}
        encoders["static"] = load_encoder("static")
        encoders |= {f"fitted on {other}": model for other, (model, _, _) in trained.items()}
        for label, encoder in encoders.items():
            encoder.prepare(texts)
            rows[label] = score(encoder.encode(texts), gold, label)
            if label != "minilm" and name == "uci_news":
                rows[label]["headlines_a_second"] = rate(encoder, texts)
            print(name, label, rows[label], flush=True)
        result[name]["stories"] = rows
    measured.write_result("static", result)


if __name__ == "__main__":
    main()
