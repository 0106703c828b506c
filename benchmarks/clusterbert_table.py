"""The tables of docs/reports/clusterbert.md, made from benchmarks/results/clusterbert.json alone.

python benchmarks/clusterbert_table.py

Writes between the markers of the page; a test compares the page with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import measured

RESULT = measured.RESULTS / "clusterbert.json"
PAGE = measured.RESULTS.parents[1] / "docs" / "reports" / "clusterbert.md"

SETS = {
    "stackoverflow": "StackOverflow",
    "biomedical": "Biomedical",
    "searchsnippets": "SearchSnippets",
    "bbc_sentences": "BBC, sentences",
    "bbc": "BBC, articles",
    "googlenews_ts": "GoogleNews-TS",
    "agnews": "AgNews",
}
ENCODERS = (
    "TF-IDF", "SIF", "frozen", "TSDAE", "SCCL", "VaSCL", "ClusterBERT", "ClusterBERT, best stage",
)  # fmt: skip
CLUSTERERS = (
    "k-means", "RAC", "IDEC", "UMAP+k-means", "UMAP+IDEC", "own head", "BERTopic", "EVoC",
)  # fmt: skip
LEAKS = ("ClusterBERT, best stage",)
"""Rows that were chosen on the gold labels."""

Score = tuple[float, float]
QUOTED: Mapping[str, Mapping[str, Score]] = {
    "TF-IDF + k-means": {
        "stackoverflow": (67.8, 65.4), "biomedical": (30.0, 27.2), "searchsnippets": (44.9, 51.8),
        "bbc_sentences": (4.2, 27.2), "googlenews_ts": (45.3, 60.5), "agnews": (2.0, 29.5),
    },
    "SIF + k-means": {
        "stackoverflow": (22.0, 24.4), "biomedical": (20.0, 24.0), "searchsnippets": (38.0, 37.7),
        "bbc_sentences": (7.8, 32.8), "googlenews_ts": (66.1, 39.8), "agnews": (19.7, 45.6),
    },
    "TSDAE + k-means": {
        "stackoverflow": (49.2, 56.3), "biomedical": (27.9, 29.4), "searchsnippets": (39.9, 42.7),
        "bbc_sentences": (44.8, 66.7), "googlenews_ts": (64.4, 43.8), "agnews": (62.9, 86.2),
    },
    "SCCL + k-means": {
        "stackoverflow": (69.3, 70.0), "biomedical": (33.7, 30.3), "searchsnippets": (56.3, 51.1),
        "bbc_sentences": (37.8, 59.4), "googlenews_ts": (72.2, 58.1), "agnews": (59.9, 83.1),
    },
    "VaSCL + k-means": {
        "stackoverflow": (59.6, 68.7), "biomedical": (30.4, 30.1), "searchsnippets": (46.2, 45.5),
        "bbc_sentences": (26.1, 52.3), "googlenews_ts": (64.8, 39.7), "agnews": (23.7, 49.3),
    },
    "ClusterBERT + k-means": {
        "stackoverflow": (75.6, 79.9), "biomedical": (43.4, 38.2), "searchsnippets": (65.5, 57.6),
        "bbc_sentences": (67.9, 87.8), "googlenews_ts": (76.9, 63.2), "agnews": (67.2, 87.1),
    },
}  # fmt: skip
"""Table 3 of the paper: RoBERTa, other samples of some sets, best of a grid by the gold labels."""

Cell = Mapping[str, Any]


def build(record: Mapping[str, Any]) -> str:
    """Return the Markdown of all profiles that were run, and of what is quoted."""
    parts = []
    for name in ("full", "small"):
        if name in record:
            parts += _profile(name, record[name])
    parts += ["### Quoted from the paper", "", _scores(QUOTED, "quoted, not run here"), ""]
    return "\n".join(parts).strip() + "\n"


def _profile(name: str, group: Mapping[str, Any]) -> list[str]:
    cells: Sequence[Cell] = group["cells"]
    rows: dict[str, dict[str, str]] = {}
    for encoder in ENCODERS:
        for clusterer in CLUSTERERS:
            mark = " †" if encoder in LEAKS else ""
            found = {
                which: text
                for which in SETS
                if (text := _cell(cells, which, encoder, clusterer, ("nmi", "accuracy")))
            }
            if found:
                rows[f"{encoder} + {clusterer}{mark}"] = found
    head = f"### Profile {name}"
    parts = [head, "", group["says"], "", _lines(rows, "encoder + clusterer"), ""]
    ablations = _ablations(cells)
    if ablations:
        parts += [f"#### ClusterBERT with one part changed ({name})", "",
                  _lines(ablations, "changed; k-means"), ""]  # fmt: skip
    numbers = _numbers(cells)
    if numbers:
        parts += [f"#### Number of clusters, chosen without labels ({name})", "", numbers, ""]
    picks = _picks(cells)
    if picks:
        parts += [f"#### What ClusterBERT picks without labels ({name})", "", picks, ""]
    retrieval = _retrieval(cells)
    if retrieval:
        parts += [f"#### Retrieval after training ({name})", "", retrieval, ""]
    return parts


def _ablations(cells: Sequence[Cell]) -> dict[str, dict[str, str]]:
    """Return the changed trainings by what was changed, after the unchanged ones of their seeds."""
    changed = [c for c in cells if c["part"] == "ablations" and c["encoder"] not in LEAKS]
    seeds = {(c["set"], c["seed"]) for c in changed}
    same = [c for c in cells if c["encoder"] == "ClusterBERT" and (c["set"], c["seed"]) in seeds]
    rows: dict[str, dict[str, str]] = {}
    for encoder in ("ClusterBERT", *dict.fromkeys(c["encoder"] for c in changed)):
        rows[encoder.partition(", ")[2] or "nothing"] = {
            which: text
            for which in SETS
            if (text := _cell([*same, *changed], which, encoder, "k-means", ("nmi", "accuracy")))
        }
    return rows if changed else {}


def _cell(
    cells: Sequence[Cell], which: str, encoder: str, clusterer: str, scores: Sequence[str]
) -> str:
    own = [
        c
        for c in cells
        if (c["set"], c["encoder"], c.get("clusterer")) == (which, encoder, clusterer)
    ]
    return (
        " / ".join(measured.mean_and_deviation([100 * c[score] for c in own]) for score in scores)
        if own
        else ""
    )


def _lines(rows: Mapping[str, Mapping[str, str]], title: str) -> str:
    shown = [which for which in SETS if any(which in row for row in rows.values())]
    head = [title, *(SETS[which] for which in shown)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join([name, *(row.get(which, "–") for which in shown)]) + " |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def _scores(rows: Mapping[str, Mapping[str, Score]], title: str) -> str:
    return _lines(
        {
            name: {which: f"{nmi:.1f} / {acc:.1f}" for which, (nmi, acc) in row.items()}
            for name, row in rows.items()
        },
        title,
    )


def _numbers(cells: Sequence[Cell]) -> str:
    own = [c for c in cells if c["part"] == "number"]
    names = [*(n for n in SETS if any(c["set"] == n for c in own)),
             *dict.fromkeys(c["set"] for c in own if c["set"] not in SETS)]  # fmt: skip
    lines = ["| set | gold | k of k-means | who teaches, how many |", "|---|---|---|---|"]
    for name in names:
        told = [c for c in own if c["set"] == name]
        title = SETS.get(name, f"{name} ‡")
        ks = ", ".join(str(c["kmeans_k"]) for c in told)
        teachers = ", ".join(f"{c['targets']} {c['k']}" for c in told)
        lines.append(f"| {title} | {told[0]['true_k']} | {ks} | {teachers} |")
    return "\n".join([*lines, "", "‡ the rule was chosen on this set"]) if own else ""


def _picks(cells: Sequence[Cell]) -> str:
    own = [c for c in cells if c["part"] == "trained, trained" and c["encoder"] == "ClusterBERT"]
    lines = ["| set | seed | start | picked | best stage † | stage picked |", "|" + "---|" * 6]
    for cell in sorted(own, key=lambda c: (c["set"] in SETS, c["set"], c["seed"])):
        stages = {stage["name"]: stage["gold"] for stage in cell["said"]["stages"]}
        picked = cell["said"]["picked"]
        shown = (
            f"{100 * stages[name]['nmi']:.1f} / {100 * stages[name]['accuracy']:.1f}"
            for name in ("start", picked, cell["said"]["oracle"])
        )
        title = f"{SETS[cell['set']]} ‡" if cell["set"] in SETS else cell["set"]
        lines.append(f"| {title} | {cell['seed']} | {' | '.join(shown)} | {picked} |")
    return "\n".join([*lines, "", "‡ the test was made on this set"]) if own else ""


def _retrieval(cells: Sequence[Cell]) -> str:
    own = [c for c in cells if c["part"] == "retrieval"]
    lines = ["| encoder | task | MAP | MRR@10 | trainings |", "|---|---|---|---|---|"]
    for task in dict.fromkeys(c["task"] for c in own):
        for encoder in dict.fromkeys(c["encoder"] for c in own):
            told = [c for c in own if (c["task"], c["encoder"]) == (task, encoder)]
            if told:
                scores = (
                    measured.mean_and_deviation([100 * c[score] for c in told])
                    for score in ("map", "mrr_10")
                )
                lines.append(f"| {encoder} | {task} | {' | '.join(scores)} | {len(told)} |")
    return "\n".join(lines) if own else ""


def main() -> None:
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    page = measured.page_with(PAGE.read_text(encoding="utf-8"), RESULT.name, build(record))
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
