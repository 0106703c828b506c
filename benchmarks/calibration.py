"""How well each way to set min_similarity carries over to a corpus it has not seen.

python benchmarks/calibration.py --data FOLDER [--cache NEST]

For minilm and stories, on every set with gold labels of them: the B-cubed F1 lost against the set's
own best value (regret), the whole tree built once and cut everywhere. Topics and themes have no
min_similarity by default. What is chosen is chosen on the other sets alone:

  constant                          one number
  quantile                          of the similarities of random pairs of the corpus
  mean + k std                      of the same
  default                           the committed rules, which were fitted on these sets too
  default, left out                 their form and coefficients chosen without the set: what
                                    benchmarks/defaults.py wrote
  labels of another corpus          its best value as it is; the mean over the other sets
  …, as quantile, as mean + k std   the same, carried over as a place among random pairs
  …, moved with the default         the same, as a distance from the default
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

import defaults
import measured
from newsnest.cluster import agglomerate_rows, level_vectors
from newsnest.cluster.calibration import SHARES, measure_spread, rule_for
from newsnest.cluster.rac_engine import Merges
from newsnest.errors import ParameterError
from newsnest.evaluate.cuts import join_similarities
from newsnest.evaluate.precise import agreeing_cut, precise_cut
from newsnest.nest import Nest
from newsnest.types import Level, Vectors

ENCODER = "minilm"
LEVELS = ("story",)
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
class Corpus:
    """One set at one level: its curve, its random pairs, and what else was measured on it."""

    name: str
    curve: defaults.Curve
    random: NDArray[np.float64]  # similarities, ascending
    default: float
    left_out: float
    judged: dict[tuple[str, float], list[float | None]]  # by way and precision, a value a draw
    halves: list[float]  # regret on the other half

    @property
    def own(self) -> float:
        return float(defaults.GRID[self.curve.f1.argmax()])

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


def corpus_of(bench: defaults.Bench, level: str, name: str, field: str, left_out: float) -> Corpus:
    most = defaults.MOST.get(name, defaults.USUAL_MOST)
    gold = measured.load_gold(bench.data, name, field, most=most)
    text = bench.text(gold)
    view, merges, atoms = tree(level, text)
    f1 = defaults.f1_curve(merges, atoms, gold.gold)
    curve = defaults.Curve(name, len(text), "whole", "", measure_spread(view), f1)
    rng = np.random.default_rng(5)
    left = rng.integers(0, len(view), RANDOM_PAIRS)
    right = (left + rng.integers(1, len(view), RANDOM_PAIRS)) % len(view)
    return Corpus(
        name,
        curve,
        np.sort(similarities(view, left, right)),
        bench.rules[level].apply(curve.spread),
        left_out,
        judged_values(view, merges, atoms, gold.gold),
        half_regrets(bench, gold),
    )


def tree(level: str, text: Vectors) -> tuple[Vectors, Merges, NDArray[np.int32]]:
    """The view of a level, its whole tree, and the atom of every row."""
    view = level_vectors(text, Level(level, text.shape[1] // SHARES[level], 0.0))
    merges = agglomerate_rows(view, np.ones(len(text)), min_similarity=-1.0)
    return view, merges, np.arange(len(text), dtype=np.int32)


def similarities(
    view: Vectors, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    parts = [slice(start, start + 8192) for start in range(0, len(left), 8192)]
    return np.concatenate(
        [np.einsum("ij,ij->i", view[left[p]], view[right[p]]) for p in parts]
    ).astype(np.float64)


def judged_values(
    view: Vectors, merges: Merges, atoms: NDArray[np.int32], gold: NDArray[np.int64]
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
            "": join_similarities(merges.pairs, merges.similarity, atoms[left], atoms[right]),
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


def half_regrets(bench: defaults.Bench, gold: measured.GoldSet) -> list[float]:
    """Regret of the best value of one half of the gold clusters, on the other half."""
    clusters = np.random.default_rng(3).permutation(int(gold.gold.max()) + 1)
    first = np.isin(gold.gold, clusters[: len(clusters) // 2])
    halves = [gold.take(np.flatnonzero(kept)) for kept in (first, ~first)]
    if not all(defaults.tells_something(half.gold) for half in halves):
        return []
    one, other = (bench.curve(half) for half in halves)
    return [
        b.best - b.at(float(defaults.GRID[a.f1.argmax()])) for a, b in ((one, other), (other, one))
    ]


def fitted_elsewhere(
    corpora: Sequence[Corpus], grid: NDArray[np.float64], at: Callable[[Corpus, float], float]
) -> list[float]:
    """Regret of every corpus with the parameter that costs least on the others."""
    table = np.array([[own.regret(at(own, value)) for value in grid] for own in corpora])
    return [
        float(table[row, np.delete(table, row, axis=0).mean(axis=0).argmin()])
        for row in range(len(corpora))
    ]


def carried_over(
    corpora: Sequence[Corpus], value: Callable[[Corpus, Corpus], float]
) -> list[float]:
    """Mean regret of every corpus with values from each of the others."""
    return [
        float(np.mean([to.regret(value(one, to)) for one in corpora if one is not to]))
        for to in corpora
    ]


def by_pairs(corpora: Sequence[Corpus], asked: tuple[str, float], *, same: bool) -> list[float]:
    """Mean regret of every corpus with values from judged pairs, its own or those of the others."""
    out = []
    for to in corpora:
        values = [value for one in corpora if (one is to) == same for value in one.judged[asked]]
        out.append(float(np.mean([to.regret(to.default if v is None else v) for v in values])))
    return out


def level_result(corpora: Sequence[Corpus]) -> dict[str, Any]:
    ways: dict[str, list[float]] = {
        "constant": fitted_elsewhere(corpora, defaults.GRID, lambda own, value: value),
        "quantile": fitted_elsewhere(corpora, QUANTILES, Corpus.at_quantile),
        "mean + k std": fitted_elsewhere(corpora, DEVIATIONS, Corpus.at_deviation),
        "default": [own.regret(own.default) for own in corpora],
        "default, left out": [own.regret(own.left_out) for own in corpora],
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


def left_out_values(path: Path) -> dict[str, dict[str, float]]:
    """The min_similarity of rules fitted without a set, by level and set."""
    report = json.loads(path.read_text(encoding="utf-8"))["encoders"][ENCODER]
    return {
        level: {
            row["set"]: row["min_similarity"] for row in report[level] if row["kind"] == "whole"
        }
        for level in LEVELS
    }


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--defaults", type=Path, default=measured.RESULTS / "defaults.json",
                        help="what benchmarks/defaults.py wrote")  # fmt: skip
    options = parser.parse_args()
    known = left_out_values(options.defaults)
    result: dict[str, Any] = {}
    with Nest(options.cache, create=True) as cache:
        bench = defaults.Bench(options.data, cache, ENCODER)
        bench.rules = {level: rule_for(level, ENCODER) for level in LEVELS}
        for level in LEVELS:
            corpora = [
                corpus_of(bench, level, name, field, known[level][name])
                for name, field in defaults.TASKS[level]
            ]
            result[level] = {
                "sets": {
                    own.name: {
                        "rows": own.curve.rows,
                        "f1_best": round(own.curve.best, 4),
                        "best_min_similarity": own.own,
                        "default": round(own.default, 3),
                        "default_left_out": own.left_out,
                        "random_mean": round(float(own.random.mean()), 4),
                        "random_std": round(float(own.random.std()), 4),
                    }
                    for own in corpora
                },
                "regret": level_result(corpora),
            }
            print(level, json.dumps(result[level]["sets"]))
            for way, row in result[level]["regret"].items():
                print(f"  {way:<50} mean {row['mean']:.3f}  worst {row['worst']:.3f}  "
                      f"{row['within_0.04']} of {len(row['sets'])}", flush=True)  # fmt: skip
    record = {
        "encoder": ENCODER,
        "judged_pairs": JUDGED,
        "draws": DRAWS,
        "seeds": {"sets": 0, "random pairs": 5, "judged pairs": 17, "halves": 3},
        "regret": "B-cubed F1 of the set's own best value, less that of the value taken",
        "levels": result,
    }
    measured.write_result("calibrate", record)


if __name__ == "__main__":
    main()
