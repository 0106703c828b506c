"""What cuts the stories of texts by evidence: words, outlets and languages join the arrays."""

from collections.abc import Sequence

from newsnest.cluster import Evidence, StoryCutter
from newsnest.pipeline.nest_texts import NestConfig, SeenTexts
from newsnest.pipeline.shared_words import outlets, shared_words, spoken
from newsnest.progress import Progress
from newsnest.types import Article, Level


def story_evidence(seen: SeenTexts, articles: Sequence[Article], level: Level) -> Evidence:
    """Return what is known of texts that may be of one story."""
    return Evidence(
        seen.text,
        shared_words(articles),
        outlets(articles),
        seen.times,
        spoken(articles),
        seen.frame.time_scale,
        level.time_weight,
    )


def story_cutter(
    seen: SeenTexts,
    articles: Sequence[Article],
    level: Level,
    config: NestConfig,
    progress: Progress,
) -> StoryCutter:
    """Return what cuts the stories of texts in a run, by the model's own rule if it has one."""
    evidence = story_evidence(seen, articles, level)
    rule = config.calibrated.stories_by(config.encoder)
    return StoryCutter.of(
        evidence, seen.weights, rule, grain=config.grain, exact=config.exact, progress=progress
    )
