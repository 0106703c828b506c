"""A newsroom's encoder: losses, batches and negatives of `newsnest train pairs` on French titles.

python benchmarks/newsroom.py --data FOLDER [--profile small|full] [--rows NAME ...] [--seeds 0 1]

Trained on titles and summaries of orangesum after cleaning by fr-regional; measured on others of it
(every tenth row) that no row has seen, and on masakhanews (French, title and text), which none
was trained on. Measured: AUROC of titles and texts, MRR@10 and recall@1 of titles that look for
their texts, on as many articles of each set.

"base" is not trained at all. The question of the source: is Multiple Negatives Ranking better than
the megabatch loss, once that gives gradients to the whole batch? Rows of mnr and of megabatch
answer it with the same pairs, seen as often; the other rows say what batches, guides and mined
negatives add.

Every finished row is written at once; the same command goes on where it was interrupted. The
profile small is made for two CPU cores and an English base; its rows compare with each other alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

import measured
from newsnest.corpus import clean_files, load_profile
from newsnest.embed.weights import settings_digest
from newsnest.evaluate import title_scores
from newsnest.labelled import TitledArticles, TitledReading, read_titled
from newsnest.train.recipes.pairs import PAIRS, PairsSettings
from newsnest.train.run.base import find_base, load_base

Changes = Mapping[str, Any]

ROWS: Mapping[str, Changes | None] = {
    "base": None,
    "mnr, 16": {},
    "mnr, 64": {"batch_size": 64},
    "cached-mnr, large": {"loss": "cached-mnr", "mini_batch_size": 32},
    "megabatch, 16": {"loss": "megabatch"},
    "megabatch, large": {"loss": "megabatch", "mini_batch_size": 32},
    "guided, 16": {"loss": "guided"},
    "mnr, 16, one mined": {"negatives": 1},
    "guided, 16, one mined": {"loss": "guided", "negatives": 1},
    "LoRA": {"lora": 16},
    "a third of the base": {"average": 0.33},
}


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is trained and measured.

    Parameters
    ----------
    base
        What training starts from.
    most, epochs, max_length
        Of the recipe; texts are also measured at that length.
    large
        Pairs of a large batch.
    articles
        Most articles of a set that is measured.
    """

    base: str
    most: int
    epochs: float
    max_length: int
    large: int
    articles: int


PROFILES = {
    "small": Profile(base="minilm", most=600, epochs=2, max_length=32, large=128, articles=300),
    "full": Profile(
        base="multilingual", most=10_000, epochs=6, max_length=256, large=512, articles=2000
    ),
}


def write_sets(data: Path, work: Path) -> tuple[Path, Path]:
    """Write the cleaned rows of orangesum to train on, and those that are held out."""
    profile = load_profile("fr-regional")
    work.mkdir(parents=True, exist_ok=True)
    whole = work / "orangesum.jsonl"
    if not whole.exists():
        clean_files([data / "orangesum.jsonl.gz"], profile, output=whole)
    files = work / "train.jsonl", work / "test.jsonl"
    with whole.open() as rows, files[0].open("w") as train, files[1].open("w") as test:
        for number, row in enumerate(rows):
            (test if number % 10 == 0 else train).write(row)
    return files


def write_french(data: Path, work: Path) -> Path:
    """Write the French articles of masakhanews."""
    path = work / "masakhanews.jsonl"
    rows = [r for r in measured.load_rows(data, "masakhanews") if r.get("lang") in ("fr", "fra")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def measure(model: SentenceTransformer, read: TitledArticles) -> dict[str, Any]:
    """Return what titles and texts say of a model."""
    texts = [a.title for a in read.articles] + [a.text for a in read.articles]
    rows = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    titles, bodies = np.split(np.asarray(rows, np.float32), 2)
    found = title_scores(titles, bodies, read.stories)
    return {
        "articles": len(read.articles),
        "auroc": asdict(found.article.auroc),
        "mrr_10": asdict(found.retrieval.mrr_10),
        "recall_1": asdict(found.retrieval.recall[1]),
    }


def make_row(
    changes: Changes | None, profile: Profile, train: Path, work: Path, seed: int
) -> tuple[SentenceTransformer, dict[str, Any]]:
    """Train a row, and return its model and what its newsnest.json says."""
    if changes is None:
        return load_base(find_base(profile.base, max_length=profile.max_length)), {}
    folder = work / f"model-{settings_digest({**changes, 'seed': seed})[:12]}"
    usual = {"max_pairs": profile.most, "epochs": profile.epochs, "max_length": profile.max_length}
    if "mini_batch_size" in changes:
        usual["batch_size"] = profile.large
    settings = PairsSettings(
        data=(str(train),), base=profile.base, output=folder, seed=seed, **{**usual, **changes}
    )
    told = json.loads((PAIRS.run(settings) / "newsnest.json").read_text())
    kept = {"steps": told["validation"]["steps"], "best_step": told["validation"]["best_step"]}
    kept |= {"step_seconds": told["preflight"]["step_seconds"], "chosen": told["chosen"]}
    model = SentenceTransformer(str(folder))
    shutil.rmtree(folder)
    return model, kept


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--profile", choices=PROFILES, default="small")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--work", type=Path, default=Path("bench-models"), help="keeps files")
    options = parser.parse_args()
    profile, work = PROFILES[options.profile], options.work / f"newsroom-{options.profile}"
    train, test = write_sets(options.data, work)
    reading = TitledReading(max_articles=profile.articles)
    sets = {"orangesum": read_titled(test, reading)}
    sets["masakhanews"] = read_titled(write_french(options.data, work), reading)
    result = measured.RESULTS / "newsroom.json"
    for seed in options.seeds:
        for name in options.rows:
            kept = json.loads(result.read_text()) if result.exists() else {}
            rows = kept.get(options.profile, {}).get("rows", {})
            asked = settings_digest({"changes": ROWS[name], "profile": asdict(profile)})
            if rows.get(f"{name}, seed {seed}", {}).get("asked") == asked:
                continue
            model, told = make_row(ROWS[name], profile, train, work, seed)
            row = {"asked": asked, **told}
            row |= {own: measure(model, read) for own, read in sets.items()}
            rows[f"{name}, seed {seed}"] = row
            measured.write_group(
                "newsroom", options.profile, {"profile": asdict(profile), "rows": rows}
            )
            print(name, json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
