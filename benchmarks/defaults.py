"""Fit how topics and themes are clustered, and say how far off that is on sets left out.

python benchmarks/defaults.py --data FOLDER [--encoders minilm …] [--write]

For every encoder and level: the best B-cubed F1 each set can reach with values of its own, and the
F1 with a rule that was chosen on all the other sets alone (coarse.py), over stories cut as a run
cuts them, by a rule that has not seen the set; and both orders. `--write` commits the rules fitted
on all sets to src/newsnest/cluster/calibration.json; those of encoders without their own need all
encoders in one call.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import coarse
import measured
from as_run import ENCODERS, TASKS, Bench, Given, left_out_story_rules, write_rules
from newsnest.cluster import SHARES
from newsnest.evaluate import bcubed_f1
from newsnest.nest import Nest

ORDERS = ("fine-to-coarse", "coarse-to-fine")
TWO_LEVELS = {
    "uci_news": ("theme", "story"),
    "ecbplus": ("topic", "story"),
    "20newsgroups": ("theme", "topic"),
    "wiki_events": ("theme", "story"),
}


def order_result(bench: Bench) -> list[dict[str, Any]]:
    """Both orders at the same fitted values, on every set with two gold levels."""
    out = []
    for name, fields in TWO_LEVELS.items():
        for label in fields:
            corpus = bench.corpus(name, label)
            seen = bench.seen(corpus)
            row: dict[str, Any] = {"set": name, "level": label}
            for order in ORDERS:
                given = Given(bench.story_rules.get(name), bench.coarse, order=order)
                start = time.perf_counter()
                found = bench.nested(corpus, seen, given).hierarchy
                row[f"{order} seconds"] = round(time.perf_counter() - start, 2)
                at = list(SHARES).index(label)
                row[order] = round(bcubed_f1(found.labels[at], corpus.gold.gold), 4)
            out.append(row)
    return out


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--write", action="store_true", help="commit the rules")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    parser.add_argument("--story-rules", type=Path, default=measured.RESULTS / "story_rules.json",
                        help="what benchmarks/story_rules.py wrote")  # fmt: skip
    options = parser.parse_args()
    rules: dict[str, dict[str, Any]] = {}
    pooled: dict[str, list[coarse.Surface]] = {"topic": [], "theme": []}
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            known = left_out_story_rules(options.story_rules, encoder)
            bench = Bench(options.data, cache, encoder, known)
            report: dict[str, Any] = {}
            for level, every in pooled.items():
                found = [
                    one for task in TASKS[level] for one in coarse.surfaces(bench, level, *task)
                ]
                every += [replace(one, name=f"{one.name} {encoder}") for one in found]
                bench.coarse[level], report[level] = coarse.fit(level, found)
                print(encoder, level, asdict(bench.coarse[level]), flush=True)
                print(" ", coarse.summary(report[level]), flush=True)
            report["order"] = order_result(bench)
            print(encoder, json.dumps(report["order"]), flush=True)
            rules[encoder] = {level: asdict(rule) for level, rule in bench.coarse.items()}
            measured.write_group("defaults", encoder, report)
    if set(options.encoders) == set(ENCODERS):
        rules["any"] = {
            level: asdict(coarse.fit(level, every)[0]) for level, every in pooled.items()
        }
    if options.write:
        write_rules(rules)


if __name__ == "__main__":
    main()
