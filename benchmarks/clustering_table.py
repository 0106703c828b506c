"""The tables of clustering in README and docs/reports/clustering.md, from results alone.

python benchmarks/clustering_table.py

From clustering, story_rules and stream.json; a test compares the pages with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import measured
from as_run import DUMPS
from training_tables import table

ROOT = measured.RESULTS.parents[1]
PAGES = {"README.md": ROOT / "README.md", "clustering.md": ROOT / "docs/reports/clustering.md"}
COLUMNS = {
    "left alone": ("every article alone",),
    "newsnest": ("newsnest, left out",),
    "its best value†": ("best single cut", "newsnest, best value"),
    "BERTopic": ("BERTopic",),
    "its best size†": ("BERTopic, best size",),
    "EVoC": ("EVoC",),
}
WHAT = {
    "global_news": "global_news, a day of 28 outlets",
    "week_feeds": "week_feeds, saved feeds",
    "abc_headlines": "abc_headlines, terse headlines",
    "uci_news": "uci_news, headlines",
    "ecbplus": "ecbplus, articles",
    "googlenews_ts": "googlenews_ts, snippets",
    "wiki_events": "wiki_events, sentences",
    "20newsgroups": "20newsgroups, posts",
    "stackoverflow": "stackoverflow, questions",
    "biomedical": "biomedical, titles",
}
BOTH = ("bcubed_f1", "pair_f1")
Record = Mapping[str, Any]
Methods = Mapping[str, Record]


def group_of(result: Record) -> str:
    """What is averaged together: dumps, tails, and other sets, by level."""
    if result["kind"] != "whole":
        return f"{result['level']}, tails"
    return f"{result['level']}, dumps" if result["set"] in DUMPS else str(result["level"])


def methods_of(result: Record) -> Methods:
    return {row["method"]: row for row in result["methods"]}


def cells(found: Methods, scores: Sequence[str], columns: Iterable[Sequence[str]]) -> list[str]:
    """A cell a column: the scores of the first method there is."""
    out = []
    for names in columns:
        row = next((found[name] for name in names if name in found), None)
        out.append("–" if row is None else " / ".join(f"{row[score]:.2f}" for score in scores))
    return out


def mean_of(found: Sequence[Methods]) -> Methods:
    """Mean scores of every method that all have."""
    return {
        method: {
            score: float(np.mean([own[method][score] for own in found]))
            for score in ("bcubed_f1", "pair_f1", "nmi", "clusters", "largest")
        }
        for method in found[0]
        if all(method in own for own in found)
    }


def readme(record: Record) -> str:
    """Return the table of README: dumps first, then other sets, tails, topics and themes."""
    results = record["results"]
    lines = [line for group in ("story, dumps", "story") for line in _sets(results, group)]
    for share in ("30%", "70%"):
        tails = [methods_of(r) for r in results if r["kind"].startswith(f"tail {share}")]
        name = f"four sets, {share.replace('%', ' %')} one-offs added"
        lines.append((name, "story", "", *cells(mean_of(tails), BOTH, COLUMNS.values())))
    lines += _sets(results, "topic")
    for group, name, score in (
        ("theme, dumps", "three dumps, mean", "nmi"),
        ("theme", "seven sets, mean", "bcubed_f1"),
    ):
        found = mean_of([methods_of(r) for r in results if group_of(r) == group])
        level = "theme, NMI" if score == "nmi" else "theme"
        lines.append((name, level, "", *cells(found, (score,), COLUMNS.values())))
    return table(("Set", "Level", "Articles", *COLUMNS), lines)


def _sets(results: Sequence[Record], group: str) -> Iterator[tuple[str, ...]]:
    """Yield a line a set of a group; of dated stories one more."""
    for result in results:
        if group_of(result) != group:
            continue
        found = methods_of(result)
        scores = BOTH if result["level"] == "story" else BOTH[:1]
        told = (result["level"], f"{result['articles']:,}")
        yield (WHAT[result["set"]], *told, *cells(found, scores, COLUMNS.values()))
        if group == "story" and "newsnest, left out, no dates" in found:
            bare = cells(found, scores, [("newsnest, left out, no dates",)])
            yield ("the same, without dates", *told, "–", *bare, *["–"] * 4)


def encoders(record: Record) -> str:
    """Return what the rule of stories reaches with every encoder, left out."""
    lines = []
    for name, report in record["encoders"].items():
        for kind, told in report["summary"].items():
            values = (f"{told[m]:.3f}" for m in ("alone", "lasting", "left_out", "best"))
            lines.append((name, kind, *values, f"{told['worst_below_lasting']:+.3f}"))
    head = ("Encoder", "Mean over", "left alone", "lasting cut", "learnt, left out",
            "best single cut†", "worst below lasting")  # fmt: skip
    return table(head, lines)


def themes(record: Record) -> str:
    """Return number, largest share and scores of themes and topics."""
    lines = []
    for result in record["results"]:
        if result["level"] == "story":
            continue
        row = methods_of(result)["newsnest, left out"]
        scores = (f"{row[score]:.2f}" for score in ("nmi", "bcubed_f1"))
        name = f"**{result['set']}**" if result["set"] in DUMPS else result["set"]
        told = (str(row["clusters"]), str(result["gold_clusters"]), f"{row['largest']:.0%}")
        lines.append((name, result["level"], *told, *scores))
    head = ("Set", "Level", "Clusters", "Gold", "Largest", "NMI", "B-cubed F1")
    return table(head, lines).replace("% |", " % |")


def stream(record: Record) -> str:
    """Return the stream, whole and in batches, with what is published of it."""
    lines = [(f"{name}, published", f"{told['nmi']:.3f}", "–", "–")
             for name, told in record["published"].items()]  # fmt: skip
    for encoder, found in record["encoders"].items():
        means, whole = found["batches_mean"], found["whole"]
        lines.append(
            (f"{encoder}, mean of 16 batches", f"{means['nmi']:.3f}", f"{means['bcubed_f1']:.3f}",
             "–")
        )  # fmt: skip
        stories = f"{whole['stories']:,} for {whole['gold_stories']:,}"
        told = (f"{whole['nmi']:.3f}", f"{whole['bcubed_f1']:.3f}", stories)
        lines.append((f"{encoder}, whole", *told))
    return table(("Method", "NMI", "B-cubed F1", "Stories"), lines)


def pages() -> dict[Path, str]:
    """Return the pages with the tables of the results there are."""
    texts = {path: path.read_text(encoding="utf-8") for path in PAGES.values()}
    for page, name, mark, build in (
        ("README.md", "clustering", "clustering.json", readme),
        ("clustering.md", "clustering", "clustering.json", themes),
        ("clustering.md", "story_rules", "story_rules.json", encoders),
        ("clustering.md", "stream", "stream.json", stream),
    ):
        path = PAGES[page]
        record = json.loads((measured.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        texts[path] = measured.page_with(texts[path], mark, build(record))
    return texts


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
