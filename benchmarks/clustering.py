"""Compare newsnest with UMAP + HDBSCAN (BERTopic's pipeline) and EVoC on the same vectors.

python benchmarks/clustering.py --data FOLDER [--cache NEST] [--sets uci_news ecbplus …]

Needs pip install 'newsnest[offline,compare]' evoc, and defaults.json and story_rules.json in
benchmarks/results.

Every method gets the same minilm vectors of the same articles, boilerplate taken out. A row is:

  newsnest                 the committed rules, as the pipeline uses them, dates and outlets too
  newsnest, left out       the same, with rules fitted without this set: the fair number
  …, no dates              stories of dated articles, their dates unknown, as to the others
  newsnest, best value     resolution and section weight of topics and themes, chosen on the gold
                           labels: a ceiling, not a result
  best single cut          of the tree of stories, chosen on the gold labels: another ceiling
  lasting cut              of the same tree, where clusters last longest
  every article alone      what a method that finds no story has
  BERTopic                 its defaults: UMAP to 5 dimensions, HDBSCAN with min_cluster_size 10;
                           every outlier scores as a cluster of its own
  BERTopic, reassigned     outliers moved to the topic whose mean vector is nearest, as its
                           reduce_outliers(strategy="embeddings") does
  BERTopic, best size      min_cluster_size of 2, 3, 5 … 250 chosen on the gold labels
  EVoC; EVoC, best layer   its own choice of layer; the layer chosen on the gold labels

Sets of stories in which few articles stand alone are measured once more with tails of 30 and 70 %
one-off articles. The others cut one level, made for topics: at the theme level only their choices
on the gold labels say something, and even those cannot ask for few large clusters as a level does.

Choices on the gold labels maximise B-cubed F1. Seconds are of clustering alone, after one warm-up
that compiles; newsnest's are the median of the repeats. UMAP runs in one thread when it is seeded;
where there are several it is timed a second time without a seed, and the ratio takes the faster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numba import get_num_threads

import measured
from as_run import DUMPS, TASKS, Bench, Corpus, Given, Rows, left_out_story_rules
from clustering_table import group_of
from newsnest.cluster import SHARES, CoarseRule
from newsnest.errors import InputError
from newsnest.nest import Nest
from newsnest.pipeline.nest_texts import NestedTexts
from peers import SHOWN, Row, check_against_bertopic, peer_rows, timed, warm_up
from story_rules import GRID, TAILS, one_offs, single_cuts, with_tail

ENCODER = "minilm"
TAIL_OF = {"wiki_events": (("global_news", 0.3), ("abc_headlines", 0.7))}
USUAL_TAIL_OF = (("wiki_events", 0.3), ("wiki_events", 0.7))

Known = Mapping[str, Mapping[tuple[str, int], Mapping[str, Any]]]


def said(found: NestedTexts, at: int) -> dict[str, Any]:
    """What decided where a level is cut; of stories, the one cosine that agrees best with it."""
    level = found.hierarchy.levels[at]
    if level.resolution is None:
        told = {key: found.facts["stories"][key] for key in ("expected", "sharing", "confidence")}
        return {"min_similarity": round(level.min_similarity, 3), **told}
    return {
        "resolution": round(level.resolution, 3),
        "section_weight": round(level.section_weight, 3),
    }


def newsnest_rows(
    bench: Bench, corpus: Corpus, level: str, known: Known, repeats: int
) -> list[Row]:
    """What newsnest reaches, as it is committed and with rules fitted without this set."""
    seen = bench.seen(corpus)
    at = list(SHARES).index(level)
    without = Given(bench.story_rules.get(corpus.gold.name), fitted_without(corpus, level, known))
    asked = {"newsnest": Given(), "newsnest, left out": without}
    if level == "story" and not np.isnan(corpus.gold.times).all():
        asked["newsnest, left out, no dates"] = Given(without.story, without.coarse, 0.0)
    if level != "story":
        best = CoarseRule(**known[level][corpus.gold.name, len(corpus.vectors)]["best_rule"])
        rules = {**without.coarse, level: best}
        asked["newsnest, best value"] = Given(without.story, rules)
    rows = []
    for name, given in asked.items():
        found, seconds = timed(
            lambda own=given: bench.nested(corpus, seen, own), repeats if name == "newsnest" else 1
        )
        rows.append(
            Row(
                name,
                found.hierarchy.labels[at],
                seconds if name == "newsnest" else None,
                name.endswith("best value"),
                said(found, at),
            )
        )
    return rows


def single_rows(corpus: Corpus) -> dict[str, list[Row]]:
    """What stands beside stories: no story at all, and the tree cut at one similarity."""
    found = single_cuts(corpus.judged())
    return {
        "best single cut": [
            Row("best single cut", labels, None, True, {"min_similarity": float(value)})
            for value, labels in zip(GRID, found["best"], strict=True)
        ],
        "lasting cut": [Row("lasting cut", found["lasting"][0])],
        "every article alone": [Row("every article alone", found["alone"][0])],
    }


def left_out(path: Path) -> Known:
    """Return what defaults.py measured without a set, by level, set and rows."""
    if not path.is_file():
        raise InputError(f"{path} must exist. Run benchmarks/defaults.py first.")
    report = json.loads(path.read_text(encoding="utf-8"))[ENCODER]
    return {
        level: {(row["set"], row["rows"]): row for row in report[level]}
        for level in ("theme", "topic")
    }


def fitted_without(corpus: Corpus, level: str, known: Known) -> dict[str, CoarseRule]:
    """Return this set's rules: of its own rows, or of its largest sample at another level."""
    name, size = corpus.gold.name, len(corpus.vectors)
    if level != "story" and (name, size) not in known[level]:
        raise InputError(
            f"defaults.json must hold {name} at level {level} with {size} rows. "
            "Run benchmarks/defaults.py on the same data."
        )
    rules: dict[str, CoarseRule] = {}
    for coarser in known:
        own = {rows: row for (set_, rows), row in known[coarser].items() if set_ == name}
        row = own.get(size) if coarser == level else own.get(max(own, default=0))
        if row is not None:
            rules[coarser] = CoarseRule(**row["rule"])
    return rules


def best_of(rows: Sequence[Row], gold: Rows) -> dict[str, Any]:
    scored = [row.scored(gold) for row in rows]
    best = max(scored, key=lambda row: row["bcubed_f1"])
    return best if len(rows) == 1 else {**best, "all": scored}


def tasks(bench: Bench, sets: Sequence[str]) -> Iterator[tuple[str, str, Corpus]]:
    """Yield level, gold field and articles of everything that is compared."""
    rng = np.random.default_rng(5)
    # Of the whole sets: the most one-off articles there are.
    of = {name for found in (USUAL_TAIL_OF, *TAIL_OF.values()) for name, _ in found}
    whole = {name: bench.encoded(measured.load_gold(bench.data, name, "story")) for name in of}
    tails = {name: one_offs(corpus, rng) for name, corpus in sorted(whole.items())}
    for level in ("story", "topic", "theme"):
        for name, label in TASKS[level]:
            if name not in sets:
                continue
            corpus = bench.corpus(name, label)
            yield level, label, corpus
            if level != "story" or name in DUMPS:
                continue
            for other, share in TAIL_OF.get(name, USUAL_TAIL_OF):
                most = TAILS[other][0]
                rng = np.random.default_rng(5)  # whatever sets are asked for
                yield level, label, with_tail(corpus, tails[other], share, most, rng)


def compare(bench: Bench, sets: Sequence[str], known: Known, repeats: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    peers: dict[tuple[str, ...], dict[str, list[Row]]] = {}
    for level, label, corpus in tasks(bench, sets):
        ids = tuple(article.id for article in corpus.gold.articles)
        if ids not in peers:  # the others know no levels: once for the same articles
            peers[ids] = peer_rows(corpus.vectors)
        gold = corpus.gold.gold
        rows = newsnest_rows(bench, corpus, level, known, repeats)
        others = {**(single_rows(corpus) if level == "story" else {}), **peers[ids]}
        scored = [row.scored(gold) for row in rows]
        scored += [best_of(listed, gold) for listed in others.values()]
        ours = next(row["seconds"] for row in scored if row["method"] == "newsnest")
        theirs = next(row for row in scored if row["method"] == "BERTopic")
        out.append({
            "set": corpus.gold.name, "level": level, "gold": label, "kind": corpus.kind,
            "articles": len(ids), "gold_clusters": int(gold.max()) + 1,
            "in_company": round(float((np.bincount(gold)[gold] > 1).mean()), 4),
            "times_faster": round(min(theirs["seconds"], theirs["seconds_unseeded"]) / ours, 1),
            "methods": scored,
        })  # fmt: skip
        print(table(out[-1:], header=len(out) == 1), flush=True)
    return out


def table(results: Sequence[Mapping[str, Any]], *, header: bool = True) -> str:
    lines = [
        "| set, level (gold clusters) | method | B-cubed F1 | pair F1 | NMI | ARI | noise "
        "| clusters | largest | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ] * header
    for result in results:
        title = f"{result['set']}, {result['kind']}, {result['level']} ({result['gold_clusters']})"
        for row in result["methods"]:
            name = row["method"] + (" *" if row["chosen_on_labels"] else "")
            scores = " | ".join(f"{row[score]:.3f}" for score in SHOWN)
            seconds = "" if row["seconds"] is None else f"{row['seconds']:.2f}"
            lines.append(
                f"| {title} | {name} | {scores} | {row['noise']:.0%} | {row['clusters']:,} "
                f"| {row['largest']:.0%} | {seconds} |"
            )
            title = ""
    return "\n".join(lines)


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means by group over the sets, and on how many sets newsnest, left out, is ahead."""
    out: dict[str, Any] = {}
    for group in dict.fromkeys(map(group_of, results)):
        found = [
            {row["method"]: row for row in r["methods"]} for r in results if group_of(r) == group
        ]
        methods = [m for m in found[0] if all(m in task for task in found)]
        out[group] = {
            "sets": len(found),
            **{
                score: {m: round(float(np.mean([t[m][score] for t in found])), 4) for m in methods}
                for score in (*SHOWN, "clusters", "largest")
            },
            "ahead_of_BERTopic": {
                score: sum(t["newsnest, left out"][score] > t["BERTopic"][score] for t in found)
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
    names = list(dict.fromkeys(name for found in TASKS.values() for name, _ in found))
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", nargs="+", choices=names, default=names, metavar="NAME",
                        help=f"of {', '.join(names)}")  # fmt: skip
    parser.add_argument("--results", type=Path, default=measured.RESULTS,
                        help="folder of defaults.json and story_rules.json")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3, help="of what is timed of newsnest")
    options = parser.parse_args()
    known = left_out(options.results / "defaults.json")
    rules = left_out_story_rules(options.results / "story_rules.json", ENCODER)
    with Nest(options.cache, create=True) as cache:
        bench = Bench(options.data, cache, ENCODER, rules)
        small = bench.corpus("ecbplus", "story")
        warm_up(small.vectors)
        bench.nested(small, bench.seen(small))
        results = compare(bench, options.sets, known, options.repeats)
        checked = check_against_bertopic(bench)
    means = summary(results)
    print(json.dumps(means, indent=1))
    print(f"BERTopic itself against umap + hdbscan here: ARI {checked['ari']}")
    record = {
        "encoder": ENCODER,
        "seeds": {"umap": 42, "evoc": 42, "sets": 0, "tails": 5},
        "repeats": options.repeats,
        "threads": get_num_threads(),
        "chosen_on_labels_by": "bcubed_f1",
        "bertopic_class": checked,
        "means": means,
        "results": results,
    }
    libraries = ("bertopic", "umap-learn", "hdbscan", "evoc")
    measured.write_result("clustering", record, **{name: version(name) for name in libraries})


if __name__ == "__main__":
    main()
