"""When a linear map on frozen vectors helps: the recipe `adapter` on pairs and on stories.

python benchmarks/adapter.py --data FOLDER [--tasks wiki_events --rows 12000]

pairs     trained on semeval_slugs (train), measured on its split eval: Pearson at d/4, d/2, d
stories   trained on the gold stories of all sets but one, measured on the set left out: B-cubed F1
          at the best min_similarity and at the default one, at d/4, d/2, d; topics too on ecbplus

Against the base's own leading dimensions, the principal axes of the training texts, and (stories)
those of the clustered articles, which is what `newsnest cluster` does with any encoder.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import measured
import single_cut
from newsnest.cluster import agglomerate_rows, fit_frame, level_vectors
from newsnest.cluster.calibration import rule_for
from newsnest.embed import EncoderConfig, encode_cached, load_encoder
from newsnest.evaluate.pairs import paired_cosines
from newsnest.labelled import (
    GradedReading,
    Pair,
    Splitting,
    TrainingData,
    parse_data,
    read_pairs,
    read_training_data,
)
from newsnest.labelled.graded import Encode
from newsnest.nest import Nest
from newsnest.train.losses import training_levels
from newsnest.train.recipes.adapter import AdapterSettings
from newsnest.train.recipes.adapter.fit import Fitted, fit_adapter
from newsnest.train.recipes.adapter.maps import principal_axes
from newsnest.train.recipes.adapter.train import pair_vectors
from newsnest.types import Level, Vectors

STORIES = {
    "ecbplus": "ecbplus.jsonl.gz",
    "uci_news": "uci_news.jsonl.gz",
    "googlenews_ts": "googlenews_ts.jsonl.gz,story=label",
    "wiki_events": "wiki_events.jsonl.gz,max_days=7",
}
MEASURED = {name: (("story", "label" if name == "googlenews_ts" else "story"),) for name in STORIES}
MEASURED["ecbplus"] = (("story", "story"), ("topic", "topic"))
MAPS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "full, anchor 30": {"anchor": 30.0},
    "full, no anchor": {"anchor": 0.0},
    "full, angle too": {"angle": 1.0},
    "low rank": {"map": "low_rank"},
    "diagonal": {"map": "diagonal", "anchor": 0.3},
    "orthogonal": {"map": "orthogonal"},
    "full, whitened start": {"init": "whitened"},
}
FOR_STORIES = ("full", "full, anchor 30", "diagonal", "full, whitened start")
ENCODER = "minilm"


def settings_of(changes: Mapping[str, Any]) -> AdapterSettings:
    return AdapterSettings(data=("-",), base=ENCODER, output=Path("-"), **changes)


def fit_all(
    data: TrainingData, encode: Encode, names: Sequence[str]
) -> tuple[dict[str, Vectors], dict[str, Any]]:
    """The maps by name, the base and the axes first, and how each was trained."""
    train, held = (pair_vectors(pairs, encode) for pairs in (data.train, data.validation))
    d = train.left.shape[1]
    texts = dict.fromkeys(text for p in data.train for text in (p.text1, p.text2))
    maps = {
        "base": np.eye(d, dtype=np.float32),
        "principal axes": principal_axes(encode(list(texts))),
    }
    trained: dict[str, Any] = {}
    for name in names:
        start = time.perf_counter()
        fitted = fit_adapter(train, held, training_levels(d), settings_of(MAPS[name]))
        maps[name] = fitted.weight
        trained[name] = said(fitted) | {"seconds": round(time.perf_counter() - start, 1)}
        print(" ", name, trained[name], flush=True)
    return maps, trained


def said(fitted: Fitted) -> dict[str, Any]:
    return {
        "saved": "trained map" if fitted.improved else "principal axes",
        "best_epoch": fitted.best_epoch,
        "validation_pearson": {
            when: [round(f, 4) for f in found] for when, found in fitted.scores.items()
        },
        "gain": [round(value, 4) for value in fitted.gain],
    }


def pearson(pairs: Sequence[Pair], weight: Vectors, encode: Encode) -> list[float]:
    left, right = (encode([getattr(p, end) for p in pairs]) @ weight for end in ("text1", "text2"))
    graded = [pair.score for pair in pairs]
    d = weight.shape[1]
    return [
        round(float(np.corrcoef(paired_cosines(left, right, dims), graded)[0, 1]), 4)
        for dims in (d // 4, d // 2, d)
    ]


def pairs_result(folder: Path, encode: Encode) -> dict[str, Any]:
    path = folder / "semeval_slugs.jsonl.gz"
    data = read_training_data(
        parse_data([f"{path},scale=4:1"], GradedReading()), Splitting(share=0.15), encode=encode
    )
    judged = read_pairs(path, scale=(4, 1), split="eval").pairs
    english = [pair for pair in judged if pair.lang1 == pair.lang2 == "en"]
    maps, trained = fit_all(data, encode, list(MAPS))
    scores = {
        name: {
            "all": pearson(judged, weight, encode),
            "en-en": pearson(english, weight, encode),
        }
        for name, weight in maps.items()
    }
    for name, found in scores.items():
        print("semeval_slugs eval", name, found, flush=True)
    return {
        "train_pairs": len(data.train),
        "validation_pairs": len(data.validation),
        "left_out_of_training": data.leaking,
        "eval_pairs": len(judged),
        "eval_pairs_en_en": len(english),
        "trained": trained,
        "pearson": scores,
    }


def f1(
    gold: measured.GoldSet, mapped: Vectors, *, rotate: bool, encoder: str
) -> dict[str, list[float]]:
    """B-cubed F1 at each prefix, with the best min_similarity and with the default of stories.

    `encoder` is whose default: its name as a run takes it, "any" for a model in a folder.
    """
    text = fit_frame(mapped, rotate=rotate).apply(mapped)
    n, d = text.shape
    out: dict[str, list[float]] = {"best": [], "default": []}
    for dims in (d // 4, d // 2, d):
        view = level_vectors(text, Level("story", dims, 0.0))
        merges = agglomerate_rows(view, np.ones(n), min_similarity=-1.0)
        curve = single_cut.f1_curve(merges, gold.gold)
        value = rule_for("story", encoder).value(view)
        usual = float(np.interp(value, single_cut.GRID[::-1], curve[::-1]))
        out["best"].append(round(float(curve.max()), 4))
        out["default"].append(round(usual, 4))
    return out


def stories_result(
    folder: Path, left_out: str, encode: Encode, rows: int, per_grade: int
) -> dict[str, Any]:
    named = [f"{folder}/{told}" for name, told in STORIES.items() if name != left_out]
    files = parse_data(named, GradedReading(per_grade=per_grade))
    data = read_training_data(files, Splitting(share=0.15), encode=encode)
    maps, trained = fit_all(data, encode, FOR_STORIES)
    out: dict[str, Any] = {
        "train_pairs": len(data.train),
        "validation_pairs": len(data.validation),
        "per_grade": per_grade,
        "trained": trained,
    }
    for level, field in MEASURED[left_out]:
        gold = measured.load_gold(folder, left_out, field, most=rows)
        vectors = encode([article.body for article in gold.articles])
        found = {"axes of the corpus": f1(gold, vectors, rotate=True, encoder=ENCODER)}
        found |= {
            name: f1(gold, vectors @ w, rotate=False, encoder="any") for name, w in maps.items()
        }
        for name, scores in found.items():
            print(left_out, level, name, scores, flush=True)
        out[level] = {"articles": len(gold.articles), "bcubed_f1": found}
    return out


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--rows", type=int, default=2000, help="articles measured of each set")
    parser.add_argument("--per-grade", type=int, default=500, help="pairs of a grade of each set")
    tasks = ["semeval_slugs", *STORIES]
    parser.add_argument("--tasks", nargs="+", default=tasks, help="pairs, and sets left out")
    options = parser.parse_args()
    with Nest(options.cache, create=True) as cache:
        encoder = load_encoder(ENCODER, config=EncoderConfig(backend="torch"))
        encoder.prepare([])

        def encode(texts: Sequence[str]) -> Vectors:
            return encode_cached(encoder, texts, cache.vectors)

        if "semeval_slugs" in options.tasks:
            measured.write_group("adapter", "semeval_slugs", pairs_result(options.data, encode))
        for name in (name for name in STORIES if name in options.tasks):
            result = stories_result(options.data, name, encode, options.rows, options.per_grade)
            measured.write_group("adapter", f"{name} left out", result)


if __name__ == "__main__":
    main()
