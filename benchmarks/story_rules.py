"""Fit the rule that cuts stories, and say what it reaches on sets it has not seen.

python benchmarks/story_rules.py --data FOLDER [--encoders minilm …] [--write]

Every set is left out in turn, with all that was made of its articles: whole, samples, dense slices,
and with tails of 30 and 70 % one-off articles. Beside the learnt cut stand every article alone, the
cut where clusters last longest, and the best single cut, chosen on the gold labels: a ceiling, not
a result. `--write` commits the rules fitted on all sets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import measured
import newsnest.cluster
from as_run import DUMPS, ENCODERS, TASKS, Bench, Corpus, Rows
from newsnest.cluster import JudgedCorpus, StoryRule, fit_story_rule
from newsnest.cluster.persistence import lasting_cut
from newsnest.evaluate import cluster_scores
from newsnest.nest import Nest

# Its stories run over months under one heading, where those of all others are of days: it is
# reported on, and its one-off articles make tails, but nothing is fitted to it.
NOT_FITTED = ("wiki_events",)
MOST = 5_000  # rows of one corpus in fitting; the whole sets are reported without this limit
GRID = np.round(np.arange(0.0, 0.97, 0.03), 2)
YEAR = 31_556_952.0
YEARS = (("whole", 2015, 2018), ("stretch", 2021, 2022), ("stretch", 2008, 2010))
# Whose one-off articles a tail is made of, what shares of the whole it takes, and how many rows of
# a set it is put to: there are 5,224 one-offs of wiki_events, and a thousand or less of a dump.
TAILS: Mapping[str, tuple[int, tuple[float, ...]]] = {
    "wiki_events": (1_500, (0.3, 0.7)),
    "global_news": (1_200, (0.3,)),
    "week_feeds": (700, (0.3,)),
    "abc_headlines": (300, (0.7,)),
}
MEASURES = ("left_out", "lasting", "best", "alone")


def one_offs(corpus: Corpus, rng: np.random.Generator) -> Corpus:
    """Articles that stand alone; where few do, one of every story."""
    counts = np.bincount(corpus.gold.gold)
    alone = np.flatnonzero(counts[corpus.gold.gold] == 1)
    if corpus.gold.name not in DUMPS:
        alone = np.array(
            [rng.choice(np.flatnonzero(corpus.gold.gold == s)) for s in np.unique(corpus.gold.gold)]
        )
    return corpus.take(alone, "one-offs")


def with_tail(
    corpus: Corpus, others: Corpus, share: float, most: int, rng: np.random.Generator
) -> Corpus:
    """Put one-off articles of another set beside articles of this one, within the same days."""
    part = corpus.take(_some(np.arange(len(corpus.gold.articles)), most, rng), "")
    n = len(part.gold.articles)
    wanted = min(round(n * share / (1 - share)), len(others.gold.articles))
    tail = others.take(rng.choice(len(others.gold.articles), wanted, replace=False), "")
    known = part.gold.times[~np.isnan(part.gold.times)]
    dated = len(known) > n / 2
    times = rng.choice(known, wanted) if dated else np.full(wanted, np.nan)
    sources = rng.choice([article.source for article in part.gold.articles], wanted)
    articles = [
        replace(
            article, source=str(source), date=datetime.fromtimestamp(at, UTC) if dated else None
        )
        for article, source, at in zip(tail.gold.articles, sources, times, strict=True)
    ]
    gold = measured.GoldSet(
        corpus.gold.name,
        part.gold.articles + articles,
        np.concatenate([part.gold.gold, part.gold.gold.max() + 1 + np.arange(wanted)]),
        np.concatenate([part.gold.times, times]),
    )
    kind = f"tail {share:.0%} of {others.gold.name}"
    return Corpus(kind, gold, np.concatenate([part.vectors, tail.vectors]))


def _some(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def parts(whole: Corpus, tails: Mapping[str, Corpus]) -> Iterator[Corpus]:
    """Yield a set whole, or as much as fitting can bear, its samples, slices, and with tails."""
    rng = np.random.default_rng(0)
    n = len(whole.gold.gold)
    everything = np.arange(n)
    if whole.gold.name == "wiki_events":  # most of its stories are of a year, and it has 24
        for kind, first, last in YEARS:
            year = 1970 + whole.gold.times / YEAR
            yield whole.take(np.flatnonzero((year >= first) & (year < last)), kind)
    else:
        yield whole.take(_some(everything, MOST, rng), "whole")
    for _ in range(2):
        yield whole.take(_some(everything, max(300, min(n // 4, 2_000)), rng), "sample")
    if whole.gold.name in DUMPS:
        yield from thinned(whole, rng)
    else:
        yield from dense(whole, rng)
        for name, (most, shares) in TAILS.items():
            for share in shares if name != whole.gold.name else ():
                yield with_tail(whole, tails[name], share, most, rng)


def thinned(whole: Corpus, rng: np.random.Generator) -> Iterator[Corpus]:
    """Yield a dump with a quarter of its one-off articles, and with a quarter of the others."""
    gold = whole.gold.gold
    company = np.bincount(gold)[gold] > 1
    yield whole.take(np.flatnonzero(company | (rng.random(len(gold)) < 0.25)), "more stories")
    yield whole.take(np.flatnonzero(~company | (rng.random(len(gold)) < 0.25)), "fewer stories")


def dense(whole: Corpus, rng: np.random.Generator) -> Iterator[Corpus]:
    """Yield few stories, one subject, and stretches of time."""
    gold, times, n = whole.gold.gold, whole.gold.times, len(whole.gold.gold)
    for few in (15, 50):
        drawn = rng.choice(np.unique(gold), min(few, len(np.unique(gold))), replace=False)
        rows = np.flatnonzero(np.isin(gold, drawn))
        if len(rows) >= 60:
            yield whole.take(_some(rows, 3_000, rng), "few stories")
    if n > 1_600:
        nearest = np.argsort(-(whole.vectors @ whole.vectors[rng.integers(n)]), kind="stable")
        yield whole.take(np.sort(nearest[:800]), "one subject")
    if (~np.isnan(times)).mean() > 0.5 and n > 2_000:
        in_time = np.argsort(times, kind="stable")
        for _ in range(2):
            start = int(rng.integers(0, n - 1_000))
            yield whole.take(np.sort(in_time[start : start + 800]), "one stretch of time")


def scored(labels: NDArray[Any], gold: Rows) -> dict[str, float]:
    scores = cluster_scores(labels, gold).as_dict()
    return {
        name: round(float(scores[name] or 0), 4) for name in ("bcubed_f1", "pair_f1", "nmi")
    } | {"stories": int(scores["clusters"])}


def single_cuts(judged: JudgedCorpus) -> dict[str, list[NDArray[Any]]]:
    """Every article alone, the lasting cut, and every cut of the grid, as labels."""

    def at(lowest: float) -> NDArray[Any]:
        parent = np.arange(len(judged.partner))
        made = judged.tree.similarity >= lowest
        parent[judged.tree.pairs[made, 1]] = judged.tree.pairs[made, 0]
        while (parent != parent[parent]).any():
            parent = parent[parent]
        return parent

    return {
        "alone": [np.arange(len(judged.partner))],
        "lasting": [at(lasting_cut(judged.tree))],
        "best": [at(value) for value in GRID],
    }


def cuts_scored(judged: JudgedCorpus, gold: Rows) -> dict[str, Any]:
    """Scores of the single cuts, the best of the grid for B-cubed and for pairs."""
    cuts = {
        name: [scored(labels, gold) for labels in found]
        for name, found in single_cuts(judged).items()
    }
    return {name: max(found, key=lambda own: own["bcubed_f1"]) for name, found in cuts.items()} | {
        "best_pairs": max(cuts["best"], key=lambda own: own["pair_f1"])
    }


def seen_by(name: str, corpus: Corpus) -> bool:
    """Whether anything in a corpus is of a set."""
    return name in (corpus.gold.name, corpus.kind.rpartition(" of ")[2])


def fitted_on(
    corpora: Sequence[Corpus], judged: Sequence[JudgedCorpus], without: str = ""
) -> list[JudgedCorpus]:
    """What a rule is fitted on, nothing of one set in it."""
    return [
        own
        for corpus, own in zip(corpora, judged, strict=True)
        if corpus.gold.name not in NOT_FITTED and not seen_by(without, corpus)
    ]


def encoder_result(folder: Path, encoder: str, cache: Nest) -> tuple[list[Any], dict[str, Any]]:
    """Leave every set out in turn; return the judged corpora and what was reached."""
    bench = Bench(folder, cache, encoder)
    sets = {
        name: replace(bench.encoded(measured.load_gold(folder, name, label)), kind="all")
        for name, label in TASKS["story"]
    }
    rng = np.random.default_rng(5)
    tails = {name: one_offs(sets[name], rng) for name in TAILS}
    corpora = [part for whole in sets.values() for part in parts(whole, tails)]
    judged = [corpus.judged() for corpus in corpora]
    rows: list[dict[str, Any]] = []
    rules: dict[str, Any] = {}
    for name, whole in sets.items():
        rule = fit_story_rule(fitted_on(corpora, judged, without=name))
        rules[name] = rule.fields
        own = [(c, j) for c, j in zip(corpora, judged, strict=True) if c.gold.name == name]
        if len(whole.gold.gold) > MOST:
            own.insert(0, (whole, whole.judged()))
        for corpus, evidence in own:
            gold = corpus.gold.gold
            cut = evidence.judged_by(rule).cut()
            rows.append(
                {
                    "set": name,
                    "kind": corpus.kind,
                    "rows": len(gold),
                    "gold_stories": len(np.unique(gold)),
                    "left_out": scored(cut.merges.labels, gold),
                    "sharing": round(rule.sharing(evidence.nearest), 3),
                    "sharing_gold": round(float((np.bincount(gold)[gold] > 1).mean()), 3),
                    **cuts_scored(evidence, gold),
                }
            )
        shown = rows[-len(own)]
        print(encoder, name, shown["left_out"], "best", shown["best"]["bcubed_f1"],
              "alone", shown["alone"]["bcubed_f1"], flush=True)  # fmt: skip
    return fitted_on(corpora, judged), {
        "parts": rows,
        "summary": summary(rows),
        "left_out_rules": rules,
    }


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over sets of B-cubed F1 by kind of part, and how far the worst falls below others."""
    out: dict[str, Any] = {}
    for kind in ("whole", "parts", "tails"):
        own = [row for row in rows if kind_of(row) == kind]
        table = np.array(
            [
                [np.mean([r[m]["bcubed_f1"] for r in own if r["set"] == name]) for m in MEASURES]
                for name in dict.fromkeys(row["set"] for row in own)
            ]
        )
        out[kind] = dict(zip(MEASURES, table.mean(axis=0).round(4).tolist(), strict=True))
        out[kind]["worst_below_lasting"] = round(float((table[:, 1] - table[:, 0]).max()), 4)
    return out


def kind_of(row: Mapping[str, Any]) -> str:
    """Whole sets, their parts, and what has a tail; the capped copy of a whole set is a part."""
    if row["kind"].startswith("tail"):
        return "tails"
    whole = row["kind"] == "all" or (row["kind"] == "whole" and row["rows"] < MOST)
    return "whole" if whole else "parts"


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--write", action="store_true", help="commit the rules")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    options = parser.parse_args()
    rules: dict[str, StoryRule] = {}
    pooled: list[JudgedCorpus] = []
    result: dict[str, Any] = {"seeds": {"parts": 0, "one_offs": 5}, "encoders": {}}
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            start = time.perf_counter()
            judged, result["encoders"][encoder] = encoder_result(options.data, encoder, cache)
            rules[encoder] = fit_story_rule(judged)
            pooled += judged
            print(encoder, result["encoders"][encoder]["summary"], flush=True)
            print(f"{encoder}: {time.perf_counter() - start:.0f} s", flush=True)
    rules["any"] = fit_story_rule(pooled)
    committed = {
        "made_by": "benchmarks/story_rules.py",
        "rules": {name: rule.fields for name, rule in rules.items()},
    }
    result["rules"] = committed["rules"]
    measured.write_result("story_rules", result)
    if options.write:
        path = Path(newsnest.cluster.__file__).with_name("story_rules.json")
        path.write_text(json.dumps(committed, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
