"""Fit the cosine at which stories are cut where one number has to do: arrays, and given models.

python benchmarks/single_cut.py --data FOLDER [--encoders minilm …] [--write]

Stories of texts are cut by evidence (story_rules.py). `RAC` sees vectors alone, and a model that
was calibrated has one cosine, which dates move. For every encoder: the best B-cubed F1 each set can
reach with a cosine of its own, and the F1 with a rule whose form and coefficients were chosen on
all the other sets; and the weight of time. `--write` commits the rules fitted on all sets.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

import measured
import newsnest.cluster.calibration as calibration
from as_run import DUMPS, ENCODERS, TASKS, Bench, write_rules
from newsnest.cluster import agglomerate_rows, fit_frame, level_vectors
from newsnest.cluster.calibration import Rule, Spread, measure_spread
from newsnest.cluster.rac_engine import Merges
from newsnest.evaluate import bcubed_f1
from newsnest.nest import Nest
from newsnest.types import Level, Vectors

SETS = tuple(task for task in TASKS["story"] if task[0] not in DUMPS)
SAMPLES = (2_000, 500)
FEW_LABELS = (5, 15, 50)  # a slice has all rows of so many gold clusters
NEAR = (300, 1_000)  # a slice has so many rows: the nearest to one of them, or one after another
KINDS = ("whole", "sample", "dense")
GRID = np.round(np.arange(0.95, -0.21, -0.01), 2)
TIME_WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5)
WINDOWS = (30, 180, 720)
DAY = 86_400.0
# The forms a rule may take, and the grid its coefficients are looked for on. A base beside the tail
# would fit the sets a little better, and ends below 0 on a million texts about everything: all of
# them are one topic then. In proportion to the corpus' own spread it cannot.
Form = Mapping[str, NDArray[np.float64]]
FORMS: Mapping[str, Form] = {
    "constant": {"base": np.arange(-0.05, 0.9, 0.01)},
    "deviation": {"deviation": np.arange(-1, 8, 0.1)},
    "tail": {"tail": np.arange(-0.2, 1.2, 0.02)},
    "deviation and nearest": {
        "deviation": np.arange(0, 13, 0.5),
        "nearest": np.arange(-1.4, 1.0, 0.1),
    },
    "lasting": {"lasting": np.array([1.0])},
    "base and lasting": {"base": np.arange(-0.2, 0.3, 0.02), "lasting": np.arange(0.2, 1.3, 0.1)},
}


@dataclass(frozen=True, slots=True)
class Curve:
    """B-cubed F1 of one set (or a part of it) over the grid of min_similarity."""

    name: str
    rows: int
    kind: str
    part: str
    spread: Spread
    f1: NDArray[np.float64]

    def at(self, similarity: float) -> float:
        return float(np.interp(similarity, GRID[::-1], self.f1[::-1]))

    @property
    def best(self) -> float:
        return float(self.f1.max())


def text_of(bench: Bench, gold: measured.GoldSet) -> Vectors:
    vectors = bench.encoded(gold).vectors
    return fit_frame(vectors).apply(vectors)


def curves_of(bench: Bench, name: str, label: str) -> Iterator[Curve]:
    """A set whole, and parts of it."""
    corpus = bench.corpus(name, label)
    text = fit_frame(corpus.vectors).apply(corpus.vectors)
    yield curve_of(text, corpus.gold)
    for kind, part, rows in parts(corpus.gold, text):
        gold = corpus.gold.take(rows)
        if tells_something(gold.gold):
            some = corpus.vectors[rows]
            yield curve_of(fit_frame(some).apply(some), gold, kind, part)


def curve_of(
    text: Vectors,
    gold: measured.GoldSet,
    kind: str = "whole",
    part: str = "",
    merges: Merges | None = None,
) -> Curve:
    """The tree over texts, cut everywhere."""
    if merges is None:
        merges = agglomerate_rows(text, np.ones(len(text)), min_similarity=-1.0)
    f1 = f1_curve(merges, gold.gold)
    return Curve(gold.name, len(text), kind, part, measure_spread(text), f1)


def parts(whole: measured.GoldSet, text: Vectors) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield samples, and dense slices: few gold clusters, one subject, one stretch of time."""
    n = len(whole.articles)
    for most in SAMPLES:
        if n > most * 1.5:
            rows = np.random.default_rng(7).choice(n, most, replace=False)
            yield "sample", f"{most} at random", np.sort(rows)
    rng = np.random.default_rng(11)
    for few, turn in product(FEW_LABELS, (1, 2)):
        drawn = list(dict.fromkeys(whole.gold[rng.integers(0, n, 4 * few)].tolist()))[:few]
        rows = np.flatnonzero(np.isin(whole.gold, drawn))
        if 30 <= len(rows) < 0.7 * n:
            if len(rows) > 3_000:
                rows = np.sort(rng.choice(rows, 3_000, replace=False))
            yield "dense", f"{few} labels, {turn}", rows
    for near, turn in product(NEAR, (1, 2)):
        if near < 0.7 * n:
            order = np.argsort(-(text @ text[rng.integers(n)]), kind="stable")
            yield "dense", f"one subject, {turn}", np.sort(order[:near])
    if len(np.unique(whole.times[~np.isnan(whole.times)])) > 100:
        in_time = np.argsort(whole.times, kind="stable")
        for near, start in product(NEAR, (0, n // 3, 2 * n // 3)):
            yield "dense", f"one stretch of time, from {start}", np.sort(in_time[start:][:near])


def tells_something(gold: NDArray[np.int64]) -> bool:
    """At least half of the rows have company, in at least two clusters."""
    sizes = np.bincount(gold)
    return bool((sizes > 0).sum() > 1 and sizes[sizes > 1].sum() >= len(gold) / 2)


def f1_curve(merges: Merges, gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """B-cubed F1 of every cut on the grid."""
    parent = np.arange(len(gold))
    done, scores = 0, []
    for lowest in GRID:
        while done < len(merges.pairs) and merges.similarity[done] >= lowest:
            parent[merges.pairs[done, 1]] = merges.pairs[done, 0]
            done += 1
        roots = parent.copy()
        while (roots != roots[roots]).any():
            roots = roots[roots]
        scores.append(bcubed_f1(roots, gold))
    return np.array(scores)


@dataclass(frozen=True, slots=True)
class Losses:
    """How much F1 every rule of one form costs on every curve."""

    coefficients: NDArray[np.float64]  # (rules, len(form))
    loss: NDArray[np.float64]  # (curves, rules)

    @classmethod
    def of(cls, form: Form, curves: Sequence[Curve]) -> Losses:
        coefficients = np.array(list(product(*form.values())))
        loss = []
        for curve in curves:
            features = [getattr(curve.spread, name, 1.0) for name in form]
            values = np.clip(coefficients @ features, -1, 1)
            loss.append(curve.best - np.interp(values, GRID[::-1], curve.f1[::-1]))
        return cls(coefficients, np.array(loss))

    def cheapest(self, shares: NDArray[np.float64]) -> int:
        return int((shares @ self.loss).argmin())


def shares_of(curves: Sequence[Curve], used: Sequence[str]) -> NDArray[np.float64]:
    """Every set that is used counts once, and in it the whole, samples and dense slices alike."""
    kinds = Counter((c.name, c.kind) for c in curves)
    sets = Counter(name for name, _ in kinds)
    return np.array(
        [1 / kinds[c.name, c.kind] / sets[c.name] if c.name in used else 0.0 for c in curves]
    )


def choose_form(tables: Mapping[str, Losses], curves: Sequence[Curve], used: Sequence[str]) -> str:
    """The form that loses least on sets of `used` when its coefficients come from the others."""

    def left_out_loss(table: Losses) -> float:
        total = 0.0
        for name in used:
            rule = table.cheapest(shares_of(curves, [other for other in used if other != name]))
            total += float(shares_of(curves, [name]) @ table.loss[:, rule])
        return total

    return min(tables, key=lambda form: left_out_loss(tables[form]))


def fit(curves: Sequence[Curve], used: Sequence[str], forms: Mapping[str, Form] = FORMS) -> Rule:
    """The rule for the sets of `used`: form by leaving each out in turn, coefficients by all."""
    tables = {name: Losses.of(form, curves) for name, form in forms.items()}
    form = choose_form(tables, curves, used) if len(forms) > 1 else next(iter(forms))
    shares = shares_of(curves, used)
    values = tables[form].coefficients[tables[form].cheapest(shares)]
    usual = {
        field: float(np.average([getattr(c.spread, field) for c in curves], weights=shares))
        for field in ("deviation", "tail", "nearest", "lasting")
    }
    blank = Rule(0.0, 0.0, 0.0, 0.0, 0.0, None, Spread(**usual))
    return replace(
        blank, **{n: round(float(v), 6) for n, v in zip(forms[form], values, strict=True)}
    )


def sets_of(curves: Sequence[Curve]) -> list[str]:
    return list(dict.fromkeys(curve.name for curve in curves))


def level_result(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """What every set reaches with a rule that has not seen it, form and coefficients alike."""
    others = {name: [o for o in sets_of(curves) if o != name] for name in sets_of(curves)}
    rules = {name: fit(curves, used) for name, used in others.items()}
    constant = {"constant": FORMS["constant"]}
    constants = {name: fit(curves, used, constant) for name, used in others.items()}
    out = []
    for curve in curves:
        value = rules[curve.name].apply(curve.spread)
        reached = curve.at(value)
        fixed = curve.at(constants[curve.name].apply(curve.spread))
        out.append(
            {
                "set": curve.name,
                "rows": curve.rows,
                "kind": curve.kind,
                "part": curve.part,
                "f1_defaults": round(reached, 4),
                "f1_best": round(curve.best, 4),
                "loss": round(curve.best - reached, 4),
                "loss_constant": round(curve.best - fixed, 4),
                "min_similarity": round(value, 3),
                "best_min_similarity": float(GRID[curve.f1.argmax()]),
                "spread": {k: round(v, 4) for k, v in asdict(curve.spread).items()},
            }
        )
    return out


def mean_losses(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean over sets, each counting once, of the loss of the rules and of a constant."""
    out = {}
    for kind in KINDS:
        own = [row for row in rows if row["kind"] == kind]
        counts = Counter(row["set"] for row in own)
        weights = [1 / counts[row["set"]] for row in own]
        out[kind] = {
            key: round(float(np.average([row[key] for row in own], weights=weights)), 4)
            for key in ("loss", "loss_constant")
        }
        out[kind]["worst"] = max(row["loss"] for row in own)
    return out


def bursts(gold: measured.GoldSet) -> measured.GoldSet:
    """Only stories of at least two events within 30 days: what a newsroom calls a story."""
    keep = []
    for story in np.unique(gold.gold):
        rows = np.flatnonzero(gold.gold == story)
        if len(rows) > 1 and np.ptp(gold.times[rows]) <= 30 * DAY:
            keep.extend(rows.tolist())
    return gold.take(np.array(sorted(keep)))


def windows(gold: measured.GoldSet, days: int) -> list[NDArray[np.int64]]:
    starts = np.arange(gold.times.min(), gold.times.max(), days * DAY)
    rows = [np.flatnonzero((gold.times >= s) & (gold.times < s + days * DAY)) for s in starts]
    rows = [r for r in rows if len(r) >= 15]
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, 40).astype(int))]


def time_result(bench: Bench, weight: float | None) -> tuple[float, float, dict[str, Any]]:
    """Weight (unless chosen already) and dated similarity, from wiki_events' bursts in windows."""
    wiki = bursts(measured.load_gold(bench.data, "wiki_events", "story"))
    text = text_of(bench, wiki)
    mean: dict[float, NDArray[np.float64]] = {}
    for candidate in (0.0, *TIME_WEIGHTS):
        spans = [
            np.mean(
                [dated_curve(text[r], wiki.times[r], wiki.gold[r], candidate)
                 for r in windows(wiki, days)], axis=0,
            )
            for days in WINDOWS
        ]  # fmt: skip
        mean[candidate] = np.mean(spans, axis=0)  # every span counts once
    if weight is None:
        weight = max(TIME_WEIGHTS, key=lambda w: mean[w].max())
    lowest = float(GRID[mean[weight].argmax()])
    result = {
        "chosen_on": f"wiki_events bursts in windows of {WINDOWS} days",
        "windows": {str(w): {"f1_best": round(float(f.max()), 4),
                             "min_similarity": float(GRID[f.argmax()])} for w, f in mean.items()},
        "time_weight": weight,
        "min_similarity": lowest,
    }  # fmt: skip
    return weight, (lowest - weight) / (1 - weight), result


def dated_curve(
    text: Vectors, times: NDArray[np.float64], gold: NDArray[np.int64], weight: float
) -> NDArray[np.float64]:
    level = Level("story", None, 0.0, weight)
    view = level_vectors(text, level, times=times, time_scale=calibration.auto_time_scale(times))
    merges = agglomerate_rows(view, np.ones(len(view)), min_similarity=-1.0)
    return f1_curve(merges, gold)


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--write", action="store_true", help="commit the rules")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    options = parser.parse_args()
    rules: dict[str, dict[str, Any]] = {}
    pooled: list[Curve] = []
    weight: float | None = None
    dated = 0.0
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            bench = Bench(options.data, cache, encoder)
            curves = [c for task in SETS for c in curves_of(bench, *task)]
            pooled += [replace(c, name=f"{c.name} {encoder}") for c in curves]
            rows = level_result(curves)
            first = weight is None  # one weight for all: the first encoder's
            weight, own_dated, times = time_result(bench, weight)
            dated = own_dated if first else dated
            rule = replace(fit(curves, sets_of(curves)), dated=own_dated)
            rules[encoder] = {"story": asdict(rule)}
            print(encoder, rule, json.dumps(times), flush=True)
            for kind, loss in mean_losses(rows).items():
                print(" ", kind, loss, flush=True)
            measured.write_group("single_cut", encoder, {"story": rows, "time": times})
    rules["any"] = {"story": asdict(replace(fit(pooled, sets_of(pooled)), dated=dated))}
    if options.write:
        write_rules(rules, time_weight=weight)


if __name__ == "__main__":
    main()
