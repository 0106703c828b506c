"""Sets as a run sees them, and what a run makes of them.

Boilerplate is taken out, and articles keep their outlets and dates; stories are cut by evidence,
topics and themes by neighbourhood, over text and sections. Copies are not folded, for every article
has a gold label.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import measured
import newsnest.cluster.calibration as calibration
from newsnest.cluster import (
    CoarseRule,
    Evidence,
    JudgedCorpus,
    StoryRule,
    auto_time_scale,
    fit_frame,
    news_share,
)
from newsnest.describe.sections import media_topics, section_scores
from newsnest.embed import ModelRecord
from newsnest.errors import InputError
from newsnest.nest import Nest
from newsnest.pipeline import NestConfig, nest_texts
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.nest_texts import NestedTexts, SeenTexts, choose_levels, see_texts
from newsnest.pipeline.shared_words import outlets, shared_words
from newsnest.types import Labels, Order, Vectors

ENCODERS = ("minilm", "static", "tfidf")
DUMPS = ("global_news", "week_feeds", "abc_headlines")  # as people have them, labelled
TASKS = {
    "story": (*((name, "story") for name in DUMPS), ("ecbplus", "story"), ("uci_news", "story"),
              ("googlenews_ts", "label"), ("wiki_events", "story")),
    "topic": (("ecbplus", "topic"), ("20newsgroups", "topic"), ("stackoverflow", "label"),
              ("biomedical", "label")),
    "theme": (*((name, "theme") for name in DUMPS), ("uci_news", "theme"),
              ("20newsgroups", "theme"), ("bbc", "label"), ("agnews", "label"),
              ("searchsnippets", "label"), ("huffpost", "label"), ("wiki_events", "theme")),
}  # fmt: skip
_MOST = {"wiki_events": 12_000, "huffpost": 6_000, "20newsgroups": 6_000, "agnews": 5_000}
_USUAL_MOST = 8_000

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Some articles of a set, others perhaps beside them, with vectors and gold labels."""

    kind: str
    gold: measured.GoldSet
    vectors: Vectors

    def take(self, rows: Rows, kind: str) -> Corpus:
        return Corpus(kind, self.gold.take(rows), self.vectors[rows])

    def evidence(self) -> Evidence:
        articles = self.gold.articles
        known = self.gold.times[~np.isnan(self.gold.times)]
        scale = auto_time_scale(known) if len(known) else 0.0
        text = fit_frame(self.vectors).apply(self.vectors)
        return Evidence(
            text, shared_words(articles), outlets(articles), self.gold.times, None, scale
        )

    def judged(self) -> JudgedCorpus:
        return JudgedCorpus.of(self.gold.name, self.evidence(), self.gold.gold)


@dataclass(frozen=True, slots=True)
class Given:
    """What replaces the committed rules and the usual options; None and {}: nothing does."""

    story: StoryRule | None = None
    coarse: Mapping[str, CoarseRule] = field(default_factory=dict)
    time_weight: float | None = None
    order: Order = "fine-to-coarse"


@dataclass(slots=True)
class Bench:
    """Where data and vectors are, and what was fitted so far: all that one encoder needs."""

    data: Path
    cache: Nest
    encoder: str
    story_rules: Mapping[str, StoryRule] = field(default_factory=dict)  # fitted without a set
    coarse: dict[str, CoarseRule] = field(default_factory=dict)

    def corpus(self, name: str, label: str) -> Corpus:
        """A set, or a sample of a large one."""
        most = _MOST.get(name, _USUAL_MOST)
        return self.encoded(measured.load_gold(self.data, name, label, most=most))

    def encoded(self, gold: measured.GoldSet) -> Corpus:
        """A set without boilerplate, and vectors."""
        gold = measured.without_boilerplate(gold)
        texts = [article.body for article in gold.articles]
        return Corpus("whole", gold, measured.encode(texts, self.encoder, self.cache))

    def sections(self, corpus: Corpus) -> NDArray[np.float64]:
        """How probable each section is for each article."""
        lines = measured.encode(media_topics().lines, self.encoder, self.cache)
        return section_scores([a.body for a in corpus.gold.articles], corpus.vectors, lines)

    def seen(self, corpus: Corpus, given: Given = Given()) -> SeenTexts:
        """The texts as levels see them."""
        articles, weights = corpus.gold.articles, np.ones(len(corpus.vectors))
        seen = see_texts(corpus.vectors, articles, weights, self._config(given))
        return replace(seen, sections=self.sections(corpus))

    def nested(
        self, corpus: Corpus, seen: SeenTexts, given: Given = Given(), names: Sequence[str] = ()
    ) -> NestedTexts:
        """Do as the pipeline does from vectors on; `names` are the only levels asked for."""
        config, news = self._config(given), news_share(seen.sections)
        levels = [
            given.coarse[level.name].apply(level, news) if level.name in given.coarse else level
            for level in choose_levels(seen, config)[0]
            if not names or level.name in names
        ]
        return nest_texts(
            corpus.vectors,
            corpus.gold.articles,
            seen.weights,
            config,
            levels=levels,
            sections=seen.sections,
        )

    def stories(self, corpus: Corpus, seen: SeenTexts) -> Labels:
        """Stories by a rule that was fitted without the set, where there is one."""
        given = Given(self.story_rules.get(corpus.gold.name))
        return self.nested(corpus, seen, given, ("story",)).hierarchy.labels[-1]

    def _config(self, given: Given) -> NestConfig:
        return NestConfig(
            self.encoder,
            replace(ModelLevels.of(ModelRecord()), story_rule=given.story),
            time_weight=given.time_weight,
            order=given.order,
        )


def left_out_story_rules(path: Path, encoder: str) -> dict[str, StoryRule]:
    """Return the rule of stories that was fitted without each set; path: what the fit wrote."""
    if not path.is_file():
        raise InputError(f"{path} must exist. Run benchmarks/story_rules.py first.")
    report = json.loads(path.read_text(encoding="utf-8"))["encoders"][encoder]
    return {name: StoryRule.of(fields) for name, fields in report["left_out_rules"].items()}


def write_rules(rules: Mapping[str, Mapping[str, Any]], **others: Any) -> None:
    """Put rules, by encoder and level, in place of those that are committed."""
    path = Path(calibration.__file__).with_name("calibration.json")
    known = json.loads(path.read_text(encoding="utf-8")) | others
    for encoder, by_level in rules.items():
        known["rules"].setdefault(encoder, {}).update(by_level)
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
