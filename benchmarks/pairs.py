"""How well encoders agree with graded pairs and align languages, by prefix.

python benchmarks/pairs.py --data FOLDER [--encoders minilm …] [--languages fra_Latn …]

Never trained on: semeval_slugs (eval), stsb_multi (test), sib200 (test). Pearson and Spearman with
95 % intervals from 1,000 resamples of what shares articles; relational similarity with English.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import measured
from newsnest.evaluate import AlignmentScores, Estimate, PairScores, alignment_scores, pair_scores
from newsnest.labelled import read_pairs, read_parallel
from newsnest.nest import Nest

PAIRS = {
    "semeval_slugs": {"scale": (4.0, 1.0), "split": "eval"},
    "stsb_multi": {"scale": (0.0, 5.0), "split": "test", "fields": {"group": "pair"}},
}
AIMED_AT = ("fra_Latn", "spa_Latn", "deu_Latn", "por_Latn", "ita_Latn")


def pairs_result(data: Path, name: str, encoder: str, cache: Nest) -> dict[str, Any]:
    file = read_pairs(data / f"{name}.jsonl.gz", **PAIRS[name])  # type: ignore[arg-type]
    texts = [pair.text1 for pair in file.pairs] + [pair.text2 for pair in file.pairs]
    vectors = measured.encode(texts, encoder, cache)
    start = time.perf_counter()
    scores = pair_scores(file.pairs, vectors[: len(file.pairs)], vectors[len(file.pairs) :])
    seconds = time.perf_counter() - start
    for s in scores:
        print(encoder, name, s.languages, s.dims, s.pairs, shown(s.pearson), shown(s.spearman),
              flush=True)  # fmt: skip
    return {
        "split": PAIRS[name]["split"],
        "without_text": file.without_text,
        "without_score": file.without_score,
        "scoring_seconds": round(seconds, 2),
        "scores": [rounded(s) for s in scores],
    }


def alignment_result(
    data: Path, encoder: str, cache: Nest, languages: Sequence[str]
) -> dict[str, Any]:
    file = read_parallel(data / "sib200.jsonl.gz", split="test", fields={"key": "pid"})
    chosen = [p for p in file.languages if p.language in languages or "all" in languages]
    scores: list[AlignmentScores] = []
    for parallel in chosen:
        vectors = measured.encode([*parallel.texts, *parallel.pivot_texts], encoder, cache)
        n = len(parallel.texts)
        scores += alignment_scores(parallel, vectors[:n], vectors[n:])
        print(encoder, parallel.language, *(shown(s.relational) for s in scores[-3:]), flush=True)
    aimed = [s for s in scores if s.language in AIMED_AT]
    return {
        "split": "test",
        "languages": len(chosen),
        "mean_relational": mean_by_dims(scores),
        "mean_relational_fr_es_de_pt_it": mean_by_dims(aimed),
        "scores": [rounded(s) for s in scores],
    }


def mean_by_dims(scores: Sequence[AlignmentScores]) -> dict[str, float]:
    dims = sorted({s.dims for s in scores})
    return {
        str(d): round(
            float(np.mean([s.relational.value for s in scores if s.dims == d and s.relational])), 4
        )
        for d in dims
    }


def rounded(scores: PairScores | AlignmentScores) -> dict[str, Any]:
    """Four digits, and an estimate as [value, low, high]."""

    def short(value: Any) -> Any:
        if isinstance(value, Estimate):
            return [v if v is None else round(v, 4) for v in asdict(value).values()]
        return {k: short(v) for k, v in value.items()} if isinstance(value, dict) else value

    return {name: short(getattr(scores, name)) for name in type(scores).__dataclass_fields__}


def shown(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None:
        return "—" if estimate is None else f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--encoders", nargs="+", default=["minilm"])
    parser.add_argument("--languages", nargs="+", default=list(AIMED_AT), help="of sib200, or: all")
    options = parser.parse_args()
    result: dict[str, Any] = {}
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            result[encoder] = {
                name: pairs_result(options.data, name, encoder, cache) for name in PAIRS
            } | {"sib200": alignment_result(options.data, encoder, cache, options.languages)}
    measured.write_result("pairs", {"resamples": 1000, "seed": 0, "encoders": result})


if __name__ == "__main__":
    main()
