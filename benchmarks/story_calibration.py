"""What `newsnest calibrate --gold` gains for stories, on the stories it was not shown.

python benchmarks/story_calibration.py --data FOLDER [--cache NEST] [--encoders minilm …]

Every set is halved, twice: by stories, and its one-off articles by article. Starting from the rule
that was fitted without the set (`story_rules.json`, so make that first) a rule is learnt on one
half, or on a fifth of it, and cuts the other half. Beside both: what calibration itself would have
said and done, from the labels it was shown. A further encoder starts from the rule of minilm, as a
model would that no rule was fitted to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import measured
from as_run import TASKS, Bench, Corpus, Rows
from newsnest.cluster import JudgedCorpus, StoryRule
from newsnest.nest import Nest
from newsnest.pipeline.story_calibration import LabelledTexts, learn_stories, learnt_from
from story_rules import MOST

STRANGE = "static"  # judged by the rule of another encoder
FEW = 5  # a fifth of the stories
SEEDS = (0, 1)
TRIED = tuple(task for task in TASKS["story"] if task[0] != "wiki_events")


def halves(gold: Rows, seed: int) -> tuple[Rows, Rows, Rows]:
    """Return rows of one half of the stories, of a fifth of that half, and of the other half."""
    rng = np.random.default_rng(seed)
    counts = np.bincount(gold)
    parts: list[list[Rows]] = [[], [], []]
    for stories in (np.flatnonzero(counts > 1), np.flatnonzero(counts == 1)):
        drawn = rng.permutation(stories)
        half = len(drawn) // 2
        for part, own in zip(
            parts, (drawn[:half], drawn[: half // FEW], drawn[half:]), strict=True
        ):
            part.append(own)
    one, few, other = (np.flatnonzero(np.isin(gold, np.concatenate(part))) for part in parts)
    return one, few, other


def labelled(whole: Corpus, rows: Rows) -> LabelledTexts:
    corpus = whole.take(rows, "")
    gold = np.unique(corpus.gold.gold, return_inverse=True)[1].astype(np.int64)
    return LabelledTexts(corpus.evidence(), np.ones(len(rows)), np.arange(len(rows)), gold)


def calibrated(whole: Corpus, prior: StoryRule) -> Iterator[dict[str, Any]]:
    """Yield what is gained on the other half, by how much was shown."""
    for seed in SEEDS:
        one, few, other = halves(whole.gold.gold, seed)
        unseen = labelled(whole, other)
        tree = JudgedCorpus.of("", unseen.evidence, unseen.stories)
        for shown, rows in (("half", one), ("a fifth of it", few)):
            own = labelled(whole, rows)
            found = learn_stories([own], prior)
            rules = {"before": prior, "learnt": learnt_from([own], prior)}
            scores = {name: unseen.scored(tree, rule) for name, rule in rules.items()}
            every = np.ones((1, len(unseen.texts)))
            yield {
                "set": whole.gold.name,
                "seed": seed,
                "shown": shown,
                "articles": len(rows),
                "stories_of_several": int((own.texts > 1).sum()),
                "kept": found.rule is not None,
                "told": {
                    name: {key: round(value.value, 4) for key, value in own.items()}
                    for name, own in found.scores.items()
                },
                "other_half": {
                    name: {
                        "bcubed_f1": round(float(own.bcubed_f1(every)[0]), 4),
                        "pair_f1": round(float(own.pair_f1(every)[0]), 4),
                    }
                    for name, own in scores.items()
                },
            }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and worst gain on the other half, of all that is learnt and of what is kept of it."""
    out: dict[str, Any] = {}
    for shown in dict.fromkeys(row["shown"] for row in rows):
        own = [row for row in rows if row["shown"] == shown]
        out[shown] = {"kept": sum(row["kept"] for row in own), "of": len(own)}
        for score in ("bcubed_f1", "pair_f1"):
            gain = np.array(
                [
                    row["other_half"]["learnt"][score] - row["other_half"]["before"][score]
                    for row in own
                ]
            )
            taken = gain * np.array([row["kept"] for row in own])
            out[shown][score] = {
                "learnt": round(float(gain.mean()), 4),
                "worst_learnt": round(float(gain.min()), 4),
                "mean": round(float(taken.mean()), 4),
                "worst": round(float(taken.min()), 4),
            }
    return out


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--encoders", nargs="+", default=["minilm", STRANGE])
    parser.add_argument("--rules", type=Path, default=measured.RESULTS / "story_rules.json",
                        help="what benchmarks/story_rules.py wrote")  # fmt: skip
    options = parser.parse_args()
    fitted = json.loads(options.rules.read_text(encoding="utf-8"))["encoders"]["minilm"]
    result: dict[str, Any] = {"seeds": list(SEEDS), "encoders": {}}
    with Nest(options.cache, create=True) as cache:
        for encoder in options.encoders:
            rows: list[dict[str, Any]] = []
            bench = Bench(options.data, cache, encoder)
            for name, label in TRIED:
                whole = bench.encoded(measured.load_gold(options.data, name, label))
                if len(whole.gold.gold) > MOST:
                    drawn = np.random.default_rng(0).choice(
                        len(whole.gold.gold), MOST, replace=False
                    )
                    whole = whole.take(np.sort(drawn), "")
                for row in calibrated(whole, StoryRule.of(fitted["left_out_rules"][name])):
                    rows.append(row)
                    print(encoder, json.dumps(row), flush=True)
            result["encoders"][encoder] = {"halves": rows, "summary": summary(rows)}
            print(encoder, json.dumps(result["encoders"][encoder]["summary"]), flush=True)
    measured.write_result("story_calibration", result)


if __name__ == "__main__":
    main()
