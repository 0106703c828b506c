"""Compare newsnest with UMAP + HDBSCAN (BERTopic's pipeline) and EVoC on the same vectors.

python benchmarks/clustering.py --data FOLDER [--cache NEST] [--sets uci_news ecbplus …]

Needs pip install 'newsnest[offline,compare]' evoc, and benchmarks/results/defaults.json.

Every method gets the same minilm vectors of the same articles. What a row is:

  newsnest                 the committed defaults, as the pipeline uses them
  newsnest, left out       the same rules fitted without this set: the fair number
  newsnest, best value     min_similarity, or resolution and section weight of topics and themes,
                           chosen on the gold labels: a ceiling, not a result
  …, dates                 the story level with its time view; the peers have none
  BERTopic                 its defaults: UMAP to 5 dimensions, HDBSCAN with min_cluster_size 10;
                           every outlier scores as a cluster of its own
  BERTopic, reassigned     outliers moved to the topic whose mean vector is nearest, as its
                           reduce_outliers(strategy="embeddings") does
  BERTopic, best size      min_cluster_size of 2, 3, 5 … 250 chosen on the gold labels
  EVoC; EVoC, best layer   its own choice of layer; the layer chosen on the gold labels

The peers cut one level, made for topics: at the theme level only their choices on the gold labels
say something, and even those cannot ask for few large clusters as a level does.

Choices on the gold labels maximise B-cubed F1. Seconds are of clustering alone, after one warm-up
that compiles; newsnest's are the median of three. UMAP runs in one thread when it is seeded, so
it is timed a second time without a seed, and the ratio takes the faster.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np
from evoc import EVoC
from hdbscan import HDBSCAN
from numpy.typing import NDArray
from umap import UMAP

import coarse
import defaults
import measured
from newsnest.cluster import (
    SHARES,
    CoarseRule,
    coarse_rule,
    default_time_weight,
    news_share,
    rule_for,
)
from newsnest.errors import InputError
from newsnest.evaluate import cluster_scores
from newsnest.nest import Nest
from newsnest.pipeline import NestConfig, nest_texts
from newsnest.pipeline.nest_texts import choose_levels, see_texts
from newsnest.types import Article, Level, Vectors

ENCODER = "minilm"
SIZES = (2, 3, 5, 10, 20, 50, 100, 250)
USUAL_SIZE = 10
REPEATS = 3
DATED = ("uci_news", "wiki_events")
FITTED_ON_DATES = ("wiki_events",)  # the time view's values come from its bursts
SHOWN = ("bcubed_f1", "pair_f1", "nmi", "ari")

Codes = NDArray[np.int64]
Values = Mapping[str, float]
Rules = Mapping[str, CoarseRule]


@dataclass(frozen=True, slots=True)
class Row:
    """Labels one method gave, and how it came to them."""

    method: str
    labels: NDArray[Any]
    seconds: float | None
    chosen_on_labels: bool = False
    more: Mapping[str, Any] | None = None

    def scored(self, gold: Codes) -> dict[str, Any]:
        scores = cluster_scores(self.labels, gold).as_dict()
        kept = {name: round(float(scores[name] or 0), 4) for name in (*SHOWN, "noise")}
        return {
            "method": self.method,
            **kept,
            "clusters": scores["clusters"],
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "chosen_on_labels": self.chosen_on_labels,
            **(self.more or {}),
        }


def timed(work: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - start)
    return out, median(seconds)


# ── newsnest ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is known of the texts of a set before they are clustered."""

    vectors: Vectors
    sections: NDArray[np.float64]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, bench: defaults.Bench, gold: measured.GoldSet) -> Encoded:
        return cls(vectors_of(bench, gold), bench.sections(gold), gold.times)


def nested(
    encoded: Encoded,
    values: Values,
    *,
    rules: Rules = MappingProxyType({}),
    dated: bool = False,
) -> dict[str, tuple[NDArray[np.int32], Level]]:
    """Do as the pipeline does from vectors on; return labels and level by name."""
    vectors, sections = encoded.vectors, encoded.sections
    dates = [
        datetime.fromtimestamp(at, UTC) if dated and not np.isnan(at) else None
        for at in encoded.times
    ]
    articles = [Article(str(row), date=date) for row, date in enumerate(dates)]
    weights = np.ones(len(articles))
    config = NestConfig(ENCODER, min_similarity=values)
    levels = None
    if rules:
        seen = replace(see_texts(vectors, articles, weights, config), sections=sections)
        news = news_share(sections)
        levels = [
            rules[level.name].apply(level, news) if level.name in rules else level
            for level in choose_levels(seen, config)[0]
        ]
    found = nest_texts(vectors, articles, weights, config, levels=levels, sections=sections)
    cut = found.hierarchy
    return {
        level.name: (labels, level) for level, labels in zip(cut.levels, cut.labels, strict=True)
    }


def said(level: Level) -> dict[str, Any]:
    """What decided where a level is cut."""
    if level.resolution is None:
        return {"min_similarity": round(level.min_similarity, 3)}
    return {
        "resolution": round(level.resolution, 3),
        "section_weight": round(level.section_weight, 3),
    }


def newsnest_rows(
    bench: defaults.Bench, gold: measured.GoldSet, level: str, without: Values, rules: Rules
) -> list[Row]:
    """Rows without dates; `without` and `rules` are what was fitted without this set."""
    encoded = Encoded.of(bench, gold)
    found, seconds = timed(lambda: nested(encoded, {}), REPEATS)
    rows = [Row("newsnest", found[level][0], seconds, more=said(found[level][1]))]
    # Not timed: its values were measured elsewhere.
    found = nested(encoded, without, rules=rules)
    rows.append(Row("newsnest, left out", found[level][0], None, more=said(found[level][1])))
    if level == "story":
        best = float(defaults.GRID[bench.curve(gold).f1.argmax()])
        found = nested(encoded, {level: best})
    else:
        bench.rules = {"story": rule_for("story", ENCODER)}
        bench.coarse = {"topic": coarse_rule("topic", ENCODER), **rules}
        best_rule = coarse.surface(bench, level, gold).best(level)
        found = nested(encoded, without, rules={**rules, level: best_rule})
    rows.append(Row("newsnest, best value", found[level][0], None, True, said(found[level][1])))
    return rows


def dated_rows(bench: defaults.Bench, gold: measured.GoldSet) -> list[Row]:
    """The story level with dates."""
    encoded = Encoded.of(bench, gold)
    found, seconds = timed(lambda: nested(encoded, {}, dated=True), REPEATS)
    fair = gold.name not in FITTED_ON_DATES
    name = "newsnest, left out, dates" if fair else "newsnest, dates"
    labels, used = found["story"]
    more = said(used) | {"time_weight": default_time_weight()}
    rows = [Row(name, labels, seconds, more=more)]
    curve = defaults.dated_curve(bench.text(gold), gold.times, gold.gold, default_time_weight())
    best = float(defaults.GRID[curve.argmax()])
    labels, _ = nested(encoded, {"story": best}, dated=True)["story"]
    more = {**more, "min_similarity": best}
    rows.append(Row("newsnest, best value, dates", labels, None, True, more))
    return rows


def left_out(path: Path) -> dict[str, dict[tuple[str, int], dict[str, Any]]]:
    """Return what defaults.py measured without a set, by level, set and rows."""
    if not path.is_file():
        raise InputError(f"{path} must exist. Run benchmarks/defaults.py first.")
    report = json.loads(path.read_text(encoding="utf-8"))["encoders"][ENCODER]
    return {
        level: {(row["set"], row["rows"]): row for row in report[level] if row["kind"] != "dense"}
        for level in SHARES
    }


def fitted_without(
    gold: measured.GoldSet,
    level: str,
    known: Mapping[str, Mapping[tuple[str, int], Mapping[str, Any]]],
) -> tuple[dict[str, float], dict[str, CoarseRule]]:
    """Return this set's values: of its own rows, or of its largest sample at another level."""
    if (gold.name, len(gold.articles)) not in known[level]:
        raise InputError(
            f"defaults.json must hold {gold.name} at level {level} with {len(gold.articles)} rows. "
            "Run benchmarks/defaults.py on the same data."
        )
    values: dict[str, float] = {}
    rules: dict[str, CoarseRule] = {}
    for name in SHARES:
        own = {rows: row for (set_, rows), row in known[name].items() if set_ == gold.name}
        row = own.get(len(gold.articles)) if name == level else own.get(max(own, default=0))
        if row is not None and name == "story":
            values[name] = row["min_similarity"]
        elif row is not None:
            rules[name] = CoarseRule(**row["rule"])
    return values, rules


# ── the peers ────────────────────────────────────────────────────────────────────────────────────


def umap(vectors: Vectors, seed: int | None) -> Vectors:
    settings = {"n_neighbors": 15, "n_components": 5, "min_dist": 0.0, "metric": "cosine"}
    jobs = {"n_jobs": 1} if seed is not None else {}
    return np.asarray(UMAP(**settings, random_state=seed, **jobs).fit_transform(vectors))


def hdbscan(rows: Vectors, size: int) -> NDArray[np.int64]:
    model = HDBSCAN(
        min_cluster_size=size,
        metric="euclidean",
        cluster_selection_method="eom",
        prediction_data=False,
    )
    return np.asarray(model.fit_predict(rows), dtype=np.int64)


def reassigned(labels: NDArray[np.int64], vectors: Vectors) -> NDArray[np.int64]:
    """Move outliers to the cluster with the nearest mean."""
    if labels.max() < 0 or labels.min() >= 0:
        return labels
    kept = labels >= 0
    means = np.zeros((labels.max() + 1, vectors.shape[1]))
    np.add.at(means, labels[kept], vectors[kept])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    out = labels.copy()
    out[~kept] = (vectors[~kept] @ means.T).argmax(axis=1)
    return out


def peer_rows(vectors: Vectors) -> dict[str, list[Row]]:
    """Everything the peers can say about these vectors; the scorer picks the best of a list."""
    reduced, umap_seconds = timed(lambda: umap(vectors, 42))
    _, unseeded = timed(lambda: umap(vectors, None))
    sizes = {
        size: timed(lambda s=size: hdbscan(reduced, s)) for size in SIZES if size < len(vectors)
    }
    usual, seconds = sizes[USUAL_SIZE]
    more = {
        "min_cluster_size": USUAL_SIZE,
        "seconds_umap": round(umap_seconds, 2),
        "seconds_unseeded": round(unseeded + seconds, 2),
    }
    evoc = EVoC(random_state=42)
    own, evoc_seconds = timed(lambda: evoc.fit_predict(vectors))
    return {
        "BERTopic": [Row("BERTopic", usual, umap_seconds + seconds, more=more)],
        "BERTopic, reassigned": [Row("BERTopic, reassigned", reassigned(usual, vectors), None)],
        "BERTopic, best size": [
            Row("BERTopic, best size", labels, None, True, {"min_cluster_size": size})
            for size, (labels, _) in sizes.items()
        ],
        "EVoC": [Row("EVoC", np.asarray(own), evoc_seconds)],
        "EVoC, best layer": [
            Row("EVoC, best layer", np.asarray(layer), None, True, {"layer": number})
            for number, layer in enumerate(evoc.cluster_layers_)
        ],
    }


def best_of(rows: Sequence[Row], gold: Codes) -> dict[str, Any]:
    scored = [row.scored(gold) for row in rows]
    best = max(scored, key=lambda row: row["bcubed_f1"])
    return best if len(rows) == 1 else {**best, "all": scored}


def check_against_bertopic(bench: defaults.Bench) -> dict[str, Any]:
    """Fit the class itself on one set: its partition must be that of `umap` and `hdbscan`."""
    from bertopic import BERTopic
    from sklearn.metrics import adjusted_rand_score

    gold = measured.load_gold(bench.data, "ecbplus", "story")
    vectors = vectors_of(bench, gold)
    settings = {"n_neighbors": 15, "n_components": 5, "min_dist": 0.0, "metric": "cosine"}
    model = BERTopic(umap_model=UMAP(**settings, random_state=42, n_jobs=1))
    texts = [article.body for article in gold.articles]
    (topics, _), seconds = timed(lambda: model.fit_transform(texts, vectors))
    agreement = adjusted_rand_score(topics, hdbscan(umap(vectors, 42), USUAL_SIZE))
    return {"set": "ecbplus", "ari": round(float(agreement), 4), "seconds": round(seconds, 2)}


# ── the comparison ───────────────────────────────────────────────────────────────────────────────


def vectors_of(bench: defaults.Bench, gold: measured.GoldSet) -> Vectors:
    return measured.encode([article.body for article in gold.articles], ENCODER, bench.cache)


def warm_up() -> None:
    rows = np.random.default_rng(0).normal(size=(600, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    even = np.full((len(rows), 2), 0.5)
    nested(Encoded(rows, even, np.arange(600.0)), {}, dated=True)
    for seed in (42, None):
        hdbscan(umap(rows, seed), USUAL_SIZE)
    EVoC(random_state=42).fit_predict(rows)


def compare(bench: defaults.Bench, sets: Sequence[str], known: Any) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    peers: dict[tuple[str, ...], dict[str, list[Row]]] = {}
    tasks = [(level, *task) for level in ("story", "topic", "theme")
             for task in defaults.TASKS[level] if task[0] in sets]  # fmt: skip
    for level, name, field in tasks:
        most = defaults.MOST.get(name, defaults.USUAL_MOST)
        gold = measured.load_gold(bench.data, name, field, most=most)
        vectors = vectors_of(bench, gold)
        ids = tuple(article.id for article in gold.articles)
        if ids not in peers:  # the peers know no levels: once for the same articles
            peers[ids] = peer_rows(vectors)
        rows = newsnest_rows(bench, gold, level, *fitted_without(gold, level, known))
        if level == "story" and name in DATED:
            rows += dated_rows(bench, gold)
        scored = [row.scored(gold.gold) for row in rows]
        scored += [best_of(listed, gold.gold) for listed in peers[ids].values()]
        ours = next(row["seconds"] for row in scored if row["method"] == "newsnest")
        theirs = next(row for row in scored if row["method"] == "BERTopic")
        out.append({
            "set": name, "level": level, "gold": field, "articles": len(ids),
            "gold_clusters": int(gold.gold.max()) + 1,
            "times_faster": round(min(theirs["seconds"], theirs["seconds_unseeded"]) / ours, 1),
            "methods": scored,
        })  # fmt: skip
        print(table(out[-1:], header=len(out) == 1), flush=True)
    return out


def table(results: Sequence[Mapping[str, Any]], *, header: bool = True) -> str:
    lines = [
        "| set, level (gold clusters) | method | B-cubed F1 | pair F1 | NMI | ARI | noise "
        "| clusters | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ] * header
    for result in results:
        title = f"{result['set']}, {result['level']} ({result['gold_clusters']})"
        for row in result["methods"]:
            name = row["method"] + (" *" if row["chosen_on_labels"] else "")
            scores = " | ".join(f"{row[score]:.3f}" for score in SHOWN)
            seconds = "" if row["seconds"] is None else f"{row['seconds']:.2f}"
            lines.append(
                f"| {title} | {name} | {scores} | {row['noise']:.0%} | {row['clusters']:,} "
                f"| {seconds} |"
            )
            title = ""
    return "\n".join(lines)


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means by level over the sets, and on how many sets newsnest, left out, is ahead."""
    out: dict[str, Any] = {}
    for level in dict.fromkeys(result["level"] for result in results):
        tasks = [
            {row["method"]: row for row in r["methods"]} for r in results if r["level"] == level
        ]
        methods = [m for m in tasks[0] if all(m in task for task in tasks)]
        out[level] = {
            "sets": len(tasks),
            **{
                score: {m: round(float(np.mean([t[m][score] for t in tasks])), 4) for m in methods}
                for score in SHOWN
            },
            "ahead_of_BERTopic": {
                score: sum(t["newsnest, left out"][score] > t["BERTopic"][score] for t in tasks)
                for score in SHOWN
            },
        }
    out["times_faster"] = {
        "median": median(r["times_faster"] for r in results),
        "least": min(r["times_faster"] for r in results),
        "most": max(r["times_faster"] for r in results),
    }
    return out


def main() -> None:
    names = list(dict.fromkeys(name for tasks in defaults.TASKS.values() for name, _ in tasks))
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", nargs="+", choices=names, default=names, metavar="NAME",
                        help=f"of {', '.join(names)}")  # fmt: skip
    parser.add_argument("--defaults", type=Path, default=measured.RESULTS / "defaults.json",
                        help="what benchmarks/defaults.py wrote")  # fmt: skip
    options = parser.parse_args()
    known = left_out(options.defaults)
    warm_up()
    with Nest(options.cache, create=True) as cache:
        bench = defaults.Bench(options.data, cache, ENCODER)
        results = compare(bench, options.sets, known)
        checked = check_against_bertopic(bench)
    means = summary(results)
    print(json.dumps(means, indent=1))
    print(f"BERTopic itself against umap + hdbscan here: ARI {checked['ari']}")
    peers = {name: version(name) for name in ("bertopic", "umap-learn", "hdbscan", "evoc")}
    record = {
        "encoder": ENCODER,
        "seeds": {"umap": 42, "evoc": 42, "sets": 0},
        "chosen_on_labels_by": "bcubed_f1",
        "bertopic_class": checked,
        "means": means,
        "results": results,
    }
    measured.write_result("clustering", record, **peers)


if __name__ == "__main__":
    main()
