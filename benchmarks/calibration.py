"""How well each way to set min_similarity carries over to a corpus it has not seen.

python benchmarks/calibration.py --data FOLDER [--cache NEST]

For minilm and stories by text alone, on every set with gold labels of them: the B-cubed F1 lost
against the set's own best value (regret), the whole tree built once and cut everywhere. Topics and
themes have no min_similarity by default. What is chosen is chosen on the other sets alone:

  constant                          one number
  quantile                          of the similarities of random pairs of the corpus
  mean + k std                      of the same
  default                           stories cut by evidence, by the committed rule, which was
                                    fitted on these sets too: no cosine, so it can gain
  default, left out                 the same, by the rule fitted without the set: what
                                    benchmarks/story_rules.py wrote
  labels of another corpus          its best value as it is; the mean over the other sets
  …, as quantile, as mean + k std   the same, carried over as a place among random pairs
  …, moved with the default         the same, as a distance from the cosine that agrees best with
                                    what the default cut
  pairs of another corpus, best F1  from 200 judged pairs of it: where "its tree has joined them"
                                    guesses best that they are alike
  pairs of another corpus, .9       the same: where, of those joined, nine in ten are alike
  pairs of this corpus, …           the same, from 200 pairs of the set itself
  …, cosine                         of the pairs alone, no tree
  labels of this corpus, half       the best value of one half of the gold clusters, on the other

The judged pairs are drawn as somebody would who looks at neighbours: half are a random text with
one of its 10 nearest, three in ten with one of the next 90, the rest with any. Where pairs give no
value the default is kept, and the share of such draws is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import measured
import single_cut
from as_run import TASKS, Bench, Corpus, Given, left_out_story_rules
from newsnest.cluster import agglomerate_rows
from newsnest.cluster.rac_engine import Merges
from newsnest.errors import ParameterError
from newsnest.evaluate import bcubed_f1
from newsnest.evaluate.cuts import join_similarities
from newsnest.evaluate.precise import agreeing_cut, precise_cut
from newsnest.nest import Nest
from newsnest.types import Vectors

ENCODER = "minilm"
RANDOM_PAIRS = 200_000
QUANTILES = 1 - np.geomspace(0.5, 1e-5, 400)
DEVIATIONS = np.arange(-1.0, 8.0, 0.05)
JUDGED = 200
DRAWS = 10
PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
BEST_F1 = 0.0  # in place of a precision
NEAREST, NEAR = 10, 100
SHARE_NEAREST, SHARE_NEAR = 0.5, 0.8


@dataclass(frozen=True, slots=True)
class Judged:
    """One set: its curve, its random pairs, and what else was measured on it."""

    name: str
    curve: single_cut.Curve
    random: NDArray[np.float64]  # similarities, ascending
    default: float  # the one cosine that agrees best with what the default cut
    f1_default: float
    f1_left_out: float
    judged: dict[tuple[str, float], list[float | None]]  # by way and precision, a value a draw
    halves: list[float]  # regret on the other half

    @property
    def own(self) -> float:
        return float(single_cut.GRID[self.curve.f1.argmax()])

    def regret(self, similarity: float) -> float:
        return self.curve.best - self.curve.at(similarity)

    def at_quantile(self, quantile: float) -> float:
        return float(np.quantile(self.random, quantile))

    def quantile_of(self, similarity: float) -> float:
        return float(np.searchsorted(self.random, similarity) / len(self.random))

    def at_deviation(self, k: float) -> float:
        return float(self.random.mean() + k * self.random.std())

    def deviation_of(self, similarity: float) -> float:
        return float((similarity - self.random.mean()) / self.random.std())


def judged_set(bench: Bench, name: str, field: str) -> Judged:
    corpus = bench.corpus(name, field)
    gold = corpus.gold
    seen = bench.seen(corpus, Given(time_weight=0.0))
    merges = agglomerate_rows(seen.text, seen.weights, min_similarity=-1.0)
    rng = np.random.default_rng(5)
    left = rng.integers(0, len(seen.text), RANDOM_PAIRS)
    right = (left + rng.integers(1, len(seen.text), RANDOM_PAIRS)) % len(seen.text)
    default, without = (
        bench.nested(corpus, seen, Given(rule, time_weight=0.0), ("story",)).hierarchy
        for rule in (None, bench.story_rules[name])
    )
    return Judged(
        name,
        single_cut.curve_of(seen.text, gold, merges=merges),
        np.sort(similarities(seen.text, left, right)),
        default.levels[-1].min_similarity,
        bcubed_f1(default.labels[-1], gold.gold),
        bcubed_f1(without.labels[-1], gold.gold),
        judged_values(seen.text, merges, gold.gold),
        half_regrets(bench, corpus),
    )


def similarities(
    view: Vectors, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    parts = [slice(start, start + 8192) for start in range(0, len(left), 8192)]
    return np.concatenate(
        [np.einsum("ij,ij->i", view[left[p]], view[right[p]]) for p in parts]
    ).astype(np.float64)


def judged_values(
    view: Vectors, merges: Merges, gold: NDArray[np.int64]
) -> dict[tuple[str, float], list[float | None]]:
    """Values from judged pairs, None where they give none; a value a draw."""
    asked = [(by, aim) for by in ("", ", cosine") for aim in (BEST_F1, *PRECISIONS)]
    out: dict[tuple[str, float], list[float | None]] = {one: [] for one in asked}
    for draw in range(DRAWS):
        rng = np.random.default_rng([17, draw])
        left = rng.choice(len(view), JUDGED, replace=False)
        closest = others_by_similarity(view, left)
        kind = rng.random(JUDGED)
        rank = np.where(
            kind < SHARE_NEAREST,
            rng.integers(0, NEAREST, JUDGED),
            np.where(
                kind < SHARE_NEAR,
                rng.integers(NEAREST, NEAR, JUDGED),
                rng.integers(0, len(view) - 1, JUDGED),
            ),
        )
        right = closest[np.arange(JUDGED), rank]
        found = {
            "": join_similarities(merges.pairs, merges.similarity, left, right),
            ", cosine": similarities(view, left, right),
        }
        alike = gold[left] == gold[right]
        for by, aim in asked:
            try:
                cut = (
                    agreeing_cut(found[by], alike, np.arange(JUDGED), resamples=0)
                    if aim == BEST_F1
                    else precise_cut(
                        found[by], alike, np.arange(JUDGED), precision=aim, resamples=0
                    )
                )
                out[by, aim].append(cut.min_similarity.value)
            except ParameterError:
                out[by, aim].append(None)
    return out


def others_by_similarity(view: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """All other rows, the most similar first; a row of the same text is one of them."""
    similar = view[rows] @ view.T
    similar[np.arange(len(rows)), rows] = -np.inf
    return np.argsort(-similar, axis=1, kind="stable")[:, :-1]


def half_regrets(bench: Bench, corpus: Corpus) -> list[float]:
    """Regret of the best value of one half of the gold clusters, on the other half."""
    gold = corpus.gold.gold
    clusters = np.random.default_rng(3).permutation(int(gold.max()) + 1)
    first = np.isin(gold, clusters[: len(clusters) // 2])
    halves = [corpus.take(np.flatnonzero(kept), "half") for kept in (first, ~first)]
    if not all(single_cut.tells_something(half.gold.gold) for half in halves):
        return []
    one, other = (
        single_cut.curve_of(bench.seen(half, Given(time_weight=0.0)).text, half.gold)
        for half in halves
    )
    return [
        b.best - b.at(float(single_cut.GRID[a.f1.argmax()]))
        for a, b in ((one, other), (other, one))
    ]


def fitted_elsewhere(
    corpora: Sequence[Judged], grid: NDArray[np.float64], at: Callable[[Judged, float], float]
) -> list[float]:
    """Regret of every corpus with the parameter that costs least on the others."""
    table = np.array([[own.regret(at(own, value)) for value in grid] for own in corpora])
    return [
        float(table[row, np.delete(table, row, axis=0).mean(axis=0).argmin()])
        for row in range(len(corpora))
    ]


def carried_over(
    corpora: Sequence[Judged], value: Callable[[Judged, Judged], float]
) -> list[float]:
    """Mean regret of every corpus with values from each of the others."""
    return [
        float(np.mean([to.regret(value(one, to)) for one in corpora if one is not to]))
        for to in corpora
    ]


def by_pairs(corpora: Sequence[Judged], asked: tuple[str, float], *, same: bool) -> list[float]:
    """Mean regret of every corpus with values from judged pairs, its own or those of the others."""
    out = []
    for to in corpora:
        values = [value for one in corpora if (one is to) == same for value in one.judged[asked]]
        out.append(float(np.mean([to.regret(to.default if v is None else v) for v in values])))
    return out


def regrets_of(corpora: Sequence[Judged]) -> dict[str, Any]:
    ways: dict[str, list[float]] = {
        "constant": fitted_elsewhere(corpora, single_cut.GRID, lambda own, value: value),
        "quantile": fitted_elsewhere(corpora, QUANTILES, Judged.at_quantile),
        "mean + k std": fitted_elsewhere(corpora, DEVIATIONS, Judged.at_deviation),
        "default": [own.curve.best - own.f1_default for own in corpora],
        "default, left out": [own.curve.best - own.f1_left_out for own in corpora],
        "labels of another corpus": carried_over(corpora, lambda one, to: one.own),
        "labels of another corpus, as quantile": carried_over(
            corpora, lambda one, to: to.at_quantile(one.quantile_of(one.own))
        ),
        "labels of another corpus, as mean + k std": carried_over(
            corpora, lambda one, to: to.at_deviation(one.deviation_of(one.own))
        ),
        "labels of another corpus, moved with the default": carried_over(
            corpora, lambda one, to: to.default + one.own - one.default
        ),
    }
    missing: dict[str, float] = {}
    for by, aim in corpora[0].judged:
        words = "best F1" if aim == BEST_F1 else f"{aim:g}"
        for same, whose in ((False, "another"), (True, "this")):
            way = f"pairs of {whose} corpus, {words}{by}"
            ways[way] = by_pairs(corpora, (by, aim), same=same)
            values = [v for own in corpora for v in own.judged[by, aim]]
            missing[way] = round(sum(v is None for v in values) / len(values), 3)
    names = [own.name for own in corpora]
    result = {way: summary(names, found) for way, found in ways.items()}
    halved = [own for own in corpora if own.halves]
    result["labels of this corpus, half"] = summary(
        [own.name for own in halved], [float(np.mean(own.halves)) for own in halved]
    )
    for way, share in missing.items():
        result[way]["draws_without_value"] = share
    return result


def summary(names: Sequence[str], regrets: Sequence[float]) -> dict[str, Any]:
    return {
        "mean": round(float(np.mean(regrets)), 4),
        "worst": round(float(np.max(regrets)), 4),
        "within_0.04": sum(regret <= 0.04 for regret in regrets),
        "sets": {name: round(r, 4) for name, r in zip(names, regrets, strict=True)},
    }


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--story-rules", type=Path, default=measured.RESULTS / "story_rules.json",
                        help="what benchmarks/story_rules.py wrote")  # fmt: skip
    options = parser.parse_args()
    known = left_out_story_rules(options.story_rules, ENCODER)
    with Nest(options.cache, create=True) as cache:
        bench = Bench(options.data, cache, ENCODER, known)
        corpora = [judged_set(bench, name, field) for name, field in TASKS["story"]]
    sets = {
        own.name: {
            "rows": own.curve.rows,
            "f1_best": round(own.curve.best, 4),
            "best_min_similarity": own.own,
            "f1_default": round(own.f1_default, 4),
            "f1_default_left_out": round(own.f1_left_out, 4),
            "default_min_similarity": round(own.default, 3),
            "random_mean": round(float(own.random.mean()), 4),
            "random_std": round(float(own.random.std()), 4),
        }
        for own in corpora
    }
    regret = regrets_of(corpora)
    print(json.dumps(sets))
    for way, row in regret.items():
        print(f"  {way:<50} mean {row['mean']:.3f}  worst {row['worst']:.3f}  "
              f"{row['within_0.04']} of {len(row['sets'])}", flush=True)  # fmt: skip
    record = {
        "encoder": ENCODER,
        "judged_pairs": JUDGED,
        "draws": DRAWS,
        "seeds": {"sets": 0, "random pairs": 5, "judged pairs": 17, "halves": 3},
        "regret": "B-cubed F1 of the set's own best value, less that of the value taken",
        "sets": sets,
        "regrets": regret,
    }
    measured.write_result("calibrate", record)


if __name__ == "__main__":
    main()
