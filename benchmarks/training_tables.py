"""The tables of trainings in the docs, made from ablations, newsroom and stratified.json alone.

python benchmarks/training_tables.py

Writes between the markers of ablations.md, newsroom.md and stratified.md in docs/reports/; a test
compares the pages with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import measured

DOCS = measured.RESULTS.parents[1] / "docs" / "reports"
Row = Mapping[str, Any]
Rows = Mapping[str, Row]

GROUPS = {
    "parts": "One part changed; ecbplus and uci_news were never trained on",
    "held_out": "Trained on stories of all sets, or of all but one",
    "align": "Other languages learnt from translations",
}
BY = {"query": "queries", "item": "items", "pair": "pairs"}
NEVER = ("cranfield", "time")


def ablations(record: Mapping[str, Any]) -> str:
    """Return a table a profile and group; values × 100, at a quarter, half and all dimensions."""
    head = (
        "row", "slugs, all", "slugs, English", "STS, English", "stories of ecbplus",
        "stories of uci_news", "alignment",
    )  # fmt: skip
    fields = ("semeval_pearson", "semeval_pearson_en_en", "stsb_en_spearman")
    parts: list[str] = []
    for profile in measured_profiles(record):
        for group, title in GROUPS.items():
            rows = by_row(record[profile].get(group, {}))
            if not rows:
                continue
            lines = []
            for name, seeds in rows.items():
                columns = [[row[field] for row in seeds] for field in fields]
                columns += [
                    [row[f"{s}_story_f1"]["best"] for row in seeds] for s in ("ecbplus", "uci_news")
                ]
                columns += [[row["sib200_relational"] for row in seeds]]
                lines.append((name, *(" / ".join(means(column)) for column in columns)))
            parts += [f"**{title}** (profile {profile})", "", table(head, lines), ""]
    return "\n".join(parts).strip()


def newsroom(record: Mapping[str, Any]) -> str:
    """Return a table a profile; values × 100, mean and deviation over seeds."""
    sets = {"orangesum": "orangesum, held out", "masakhanews": "masakhanews, French"}
    scores = {"auroc": "AUROC", "mrr_10": "MRR@10", "recall_1": "recall@1"}
    head = ("row", *(f"{score}, {name}" for name in sets.values() for score in scores.values()))
    parts: list[str] = []
    for profile in measured_profiles(record):
        lines = [
            (name, *(means([[row[own][score]["value"]] for row in seeds])[0]
                     for own in sets for score in scores))
            for name, seeds in by_row(record[profile]["rows"]).items()
        ]  # fmt: skip
        parts += [f"Profile {profile}", "", table(head, lines), ""]
    return "\n".join(parts).strip()


def stratified(record: Mapping[str, Any]) -> str:
    """Return hardness and trainings a profile; NDCG@10 × 100, mean and deviation over seeds."""
    parts: list[str] = []
    for profile in measured_profiles(record):
        hardness = record[profile].get("hardness", {})
        if hardness:
            parts += [f"**How hard negatives are** (profile {profile})", "", _hard(hardness), ""]
        training = record[profile].get("training", {})
        for start in ("reset", "minilm"):
            own = {k.partition(": ")[2]: v for k, v in training.items() if k.startswith(start)}
            if own:
                parts += [f"**Start {start}** (profile {profile})", "", _trained(own), ""]
    return "\n".join(parts).strip()


def _hard(hardness: Rows) -> str:
    head = ("clustered", "k", "own item", "negatives of the cluster", "random negatives",
            "likely false, cluster", "likely false, random")  # fmt: skip
    lines = []
    for by, row in hardness.items():
        for one in row["by_k"]:
            told = (one["in_cluster"], one["random"])
            cosines = (f"{side['negative_mean']:.3f}" for side in told)
            false = (f"{100 * side['likely_false_negatives']:.2f} %" for side in told)
            own = f"{told[0]['positive_mean']:.3f}"
            lines.append((BY[by], str(one["k"]), own, *cosines, *false))
    return table(head, lines)


def _trained(training: Rows) -> str:
    head = ("batches", "held out", "cranfield and time",
            "gain on held-out queries", "gain on others")  # fmt: skip
    lines = []
    for name, seeds in by_row(training).items():
        told = [means([[row[field]] for row in seeds])[0]
                for field in ("mean_held_out", "mean_never_trained_on")]  # fmt: skip
        lines.append((name, *told, *(_gain(seeds, never) for never in (False, True))))
    return table(head, lines)


def _gain(seeds: Sequence[Row], never: bool) -> str:
    """Return the mean gain over random batches, and the interval of that mean.

    Sets count alike. Standard errors of sets come from their intervals of resampled queries, and
    those of seeds are pooled as if independent.
    """
    compared = [row["against_random"] for row in seeds if row["against_random"]]
    told = [v for row in compared for n, v in row.items() if (n in NEVER) == never]
    if not told:
        return "–"
    mean = np.mean([v["value"] for v in told])
    error = np.sqrt(sum(((v["high"] - v["low"]) / 2) ** 2 for v in told)) / len(told)
    return f"{100 * mean:+.1f} ({100 * (mean - error):+.1f} … {100 * (mean + error):+.1f})"


def measured_profiles(record: Mapping[str, Any]) -> list[str]:
    return [name for name in ("full", "long", "small", "one", "twice") if name in record]


def by_row(rows: Rows) -> dict[str, list[Row]]:
    """Return the rows of every seed under their name without it."""
    out: dict[str, list[Row]] = {}
    for name, row in rows.items():
        out.setdefault(name.rpartition(", seed")[0], []).append(row)
    return out


def means(seeds: Sequence[Sequence[float]]) -> list[str]:
    """Return each column × 100: its mean, and the deviation where there are several seeds."""
    return [measured.mean_and_deviation(100 * column) for column in np.array(seeds, float).T]


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "ablations": ("ablations.md", ablations),
    "newsroom": ("newsroom.md", newsroom),
    "stratified": ("stratified.md", stratified),
}


def pages() -> dict[str, str]:
    """Return what the pages hold with the tables of the results there are."""
    out: dict[str, str] = {}
    for name, (page, build) in TABLES.items():
        path = measured.RESULTS / f"{name}.json"
        text = (DOCS / page).read_text(encoding="utf-8")
        if path.exists():
            record = json.loads(path.read_text(encoding="utf-8"))
            text = measured.page_with(text, path.name, build(record))
        out[page] = text
    return out


def main() -> None:
    for page, text in pages().items():
        (DOCS / page).write_text(text, encoding="utf-8")
        print(f"wrote {DOCS / page}")


if __name__ == "__main__":
    main()
