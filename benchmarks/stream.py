"""News-T, the stream that MStream is measured on: whole, and in its 16 batches.

python benchmarks/stream.py --data FOLDER [--encoders minilm …] [--cache NEST]

Titles of stream_news in stream order; each batch is clustered alone. NMI forgives splitting, so
B-cubed F1 and the number of stories stand beside it. Most titles are in googlenews_ts too: the rule
of stories is the one fitted without that set. The published figures are those of Yin et al. (KDD
2018): MStream sees one batch after another and remembers, MStreamF forgets old ones too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import measured
from as_run import ENCODERS, Bench, Corpus, Given, left_out_story_rules
from newsnest.evaluate import cluster_scores
from newsnest.nest import Nest

SET, OVERLAPS = "stream_news", "googlenews_ts"
PUBLISHED = {"MStream": {"nmi": 0.850}, "MStreamF": {"nmi": 0.873}}
SHOWN = ("nmi", "bcubed_f1", "bcubed_precision", "bcubed_recall", "pair_f1")


def scored(bench: Bench, corpus: Corpus) -> dict[str, float]:
    """What the shipped cut of stories reaches, by the rule that has not seen them."""
    given = Given(bench.story_rules[OVERLAPS])
    found = bench.nested(corpus, bench.seen(corpus), given, ("story",)).hierarchy
    scores = cluster_scores(found.labels[-1], corpus.gold.gold).as_dict()
    return {
        **{name: round(float(scores[name] or 0), 4) for name in SHOWN},
        "articles": len(corpus.vectors),
        "stories": int(scores["clusters"]),
        "gold_stories": len(np.unique(corpus.gold.gold)),
    }


def stream_result(bench: Bench) -> dict[str, Any]:
    """The whole, every batch, and the means over batches."""
    whole = bench.encoded(measured.load_gold(bench.data, SET, "label"))
    batch_of = {row["id"]: int(row["batch"]) for row in measured.load_rows(bench.data, SET)}
    batch = np.array([batch_of[article.id] for article in whole.gold.articles])
    batches = [
        scored(bench, whole.take(np.flatnonzero(batch == number), "batch"))
        for number in np.unique(batch)
    ]
    means = {name: round(float(np.mean([own[name] for own in batches])), 4) for name in SHOWN}
    return {"whole": scored(bench, whole), "batches_mean": means, "batches": batches}


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    options = parser.parse_args()
    result: dict[str, Any] = {"rule_without": OVERLAPS, "published": PUBLISHED, "encoders": {}}
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            rules = left_out_story_rules(measured.RESULTS / "story_rules.json", encoder)
            found = stream_result(Bench(options.data, cache, encoder, rules))
            result["encoders"][encoder] = found
            print(encoder, "whole", found["whole"], "batches", found["batches_mean"], flush=True)
    measured.write_result("stream", result)


if __name__ == "__main__":
    main()
