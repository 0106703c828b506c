"""Topics and themes: every resolution and weight of sections on every set, and the rule chosen.

Used by defaults.py. The rule of a level says how it is cut in texts without sections and in news;
the values are those with the highest mean worth over the sets, each counting once. Worth is B-cubed
F1. Themes of real dumps are judged by sections, of which a few hold most articles, so that F1 would
have few large themes: there it is NMI, less .02 for every theme that lacks to 8 or exceeds 20.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from as_run import DUMPS, Bench, Corpus
from newsnest.cluster import SHARES, CoarseRule, link_level, news_share
from newsnest.cluster.levels import grow_level
from newsnest.evaluate import cluster_scores
from newsnest.types import Labels, Level

SAMPLES = (2_000, 500)
NEIGHBOURS = {"topic": 15, "theme": 30}
RESOLUTIONS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4)
# What no set with labelled topics can say, for none is news of all sections: chosen for what themes
# of the dumps gain.
NEWS_TOPICS = (2.5, 0.2)
EXPECTED = (8, 20)  # themes of a dump
_EACH = 0.02
_NEARLY = {"topic": 0.01, "theme": 0.0}
SHOWN = ("f1", "nmi", "clusters", "largest")
Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Surface:
    """Scores of one set, or of a sample of it, at every weight and resolution."""

    name: str
    rows: int
    kind: str
    part: str
    news: float
    scores: Grid  # (weights, resolutions, SHOWN)

    def at(self, rule: CoarseRule) -> dict[str, float]:
        """What a rule reaches, between the values of the grid."""
        level = rule.apply(Level("", None, 0.0), self.news)
        rows = [
            [np.interp(level.resolution or 0.0, RESOLUTIONS, row[:, i]) for row in self.scores]
            for i in range(len(SHOWN))
        ]
        found = [float(np.interp(level.section_weight, WEIGHTS, row)) for row in rows]
        return dict(zip(SHOWN, found, strict=True))

    def best(self, level: str) -> CoarseRule:
        """The rule of the highest F1 on this set, chosen on its labels."""
        f1 = self.scores[..., 0]
        weight, resolution = np.unravel_index(f1.argmax(), f1.shape)
        r, w = RESOLUTIONS[resolution], WEIGHTS[weight]
        return CoarseRule(NEIGHBOURS[level], r, r, w, w)


def surfaces(bench: Bench, level: str, name: str, label: str) -> Iterator[Surface]:
    """Yield the surface of a set, and of samples."""
    whole = bench.corpus(name, label)
    yield surface(bench, level, whole)
    n = len(whole.gold.gold)
    for size in SAMPLES:
        if n > 1.5 * size:
            rows = np.random.default_rng(7).choice(n, size, replace=False)
            yield surface(bench, level, whole.take(np.sort(rows), "sample"), f"{size} at random")


def surface(bench: Bench, level: str, corpus: Corpus, part: str = "") -> Surface:
    """Cluster a set at every weight and resolution, over stories and topics at fitted values."""
    seen = bench.seen(corpus)
    weights, news = seen.weights, news_share(seen.sections)
    dims = seen.text.shape[1]
    units: Labels | None = None
    labels = bench.stories(corpus, seen)
    if level == "theme":
        topics = bench.coarse["topic"].apply(Level("topic", dims // 2, 0.0), news)
        found = link_level(seen.at(topics), weights, topics, below=labels).merges.labels
        units, labels = labels, found[labels]
    scores = np.empty((len(WEIGHTS), len(RESOLUTIONS), len(SHOWN)))
    for i, weight in enumerate(WEIGHTS):
        blank = Level(level, max(1, dims // SHARES[level]), -1.0, section_weight=weight)
        grown = grow_level(seen.at(blank), weights, NEIGHBOURS[level], labels, units)
        for j, resolution in enumerate(RESOLUTIONS):
            linked = grown.cut(replace(blank, neighbours=1, resolution=resolution))
            scores[i, j] = _scores(linked.merges.labels[labels], corpus.gold.gold)
    return Surface(corpus.gold.name, len(labels), corpus.kind, part, news, scores)


def _scores(labels: Labels, gold: NDArray[np.int64]) -> list[float]:
    found = cluster_scores(labels, gold).as_dict()
    sizes = np.bincount(labels)
    return [found["bcubed_f1"], found["nmi"] or 0.0, len(sizes), sizes.max() / len(labels)]


def candidates(level: str) -> list[CoarseRule]:
    """Return every rule that is tried."""
    if level == "topic":
        last, weight = NEWS_TOPICS
        return [CoarseRule(NEIGHBOURS[level], r, last, 0.0, weight) for r in RESOLUTIONS if r >= 1]
    return [
        CoarseRule(NEIGHBOURS[level], first, last, weight, weight)
        for first, last, weight in product(RESOLUTIONS, RESOLUTIONS, WEIGHTS)
        if first <= last
    ]


def worths(level: str, found: Sequence[Surface]) -> tuple[list[CoarseRule], Grid]:
    """Return the candidates, and what each is worth on every surface, (surfaces, candidates)."""
    rules = candidates(level)
    return rules, np.array([[_worth(one.name, one.at(rule)) for rule in rules] for one in found])


def _worth(name: str, reached: dict[str, float]) -> float:
    if name.partition(" ")[0] not in DUMPS:
        return reached["f1"]
    least, most = EXPECTED
    off = max(0.0, least - reached["clusters"], reached["clusters"] - most)
    return reached["nmi"] - _EACH * off


def best(
    rules: Sequence[CoarseRule],
    worth: Grid,
    names: Sequence[str],
    nearly: float,
    left_out: str = "",
) -> CoarseRule:
    """Return the rule of the highest mean worth over sets, whose whole and samples count alike.

    Of rules that are `nearly` as good it is the one of the fewest clusters: the worth of topics
    hardly depends on the resolution on most sets, and much on some.
    """
    by_set: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        if name != left_out:
            by_set[name].append(row)
    mean = np.mean([worth[rows].mean(axis=0) for rows in by_set.values()], axis=0)
    near = [rule for rule, value in zip(rules, mean, strict=True) if value >= mean.max() - nearly]
    return min(near, key=lambda rule: rule.resolution + rule.news_resolution)


def fit(level: str, found: Sequence[Surface]) -> tuple[CoarseRule, list[dict[str, Any]]]:
    """Return the rule fitted on all sets, and what each set reaches with one that never saw it."""
    rules, worth = worths(level, found)
    names = [one.name for one in found]
    nearly = _NEARLY[level]
    without = {name: best(rules, worth, names, nearly, name) for name in dict.fromkeys(names)}
    rows = []
    for one in found:
        rule = without[one.name]
        reached = {key: round(value, 4) for key, value in one.at(rule).items()}
        rows.append(
            {
                "set": one.name,
                "rows": one.rows,
                "kind": one.kind,
                "part": one.part,
                "news": round(one.news, 3),
                "f1_defaults": reached["f1"],
                **{key: reached[key] for key in SHOWN[1:]},
                "f1_best": round(float(one.scores[..., 0].max()), 4),
                "rule": asdict(rule),
                "best_rule": asdict(one.best(level)),
            }
        )
    return best(rules, worth, names, nearly), rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return means over whole sets: F1 of labelled ones, and what themes of dumps are like."""
    whole = [row for row in rows if row["kind"] == "whole"]
    other = [row["f1_defaults"] for row in whole if row["set"] not in DUMPS]
    real = [row for row in whole if row["set"] in DUMPS]
    return {
        "f1": round(float(np.mean(other)), 4),
        "largest": max(row["largest"] for row in whole),
        "dumps": {row["set"]: [row["nmi"], round(row["clusters"])] for row in real},
    }
