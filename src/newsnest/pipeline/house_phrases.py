"""What a run takes out of texts before it compares them, and how it says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from newsnest.corpus import Boilerplate
from newsnest.corpus.repeated import strip_boilerplate
from newsnest.nest import plural
from newsnest.progress import SILENT, Progress
from newsnest.types import Article

_NAMED = 3  # patterns


def without_boilerplate(
    articles: Sequence[Article], *, progress: Progress = SILENT
) -> tuple[list[Article], dict[str, Any]]:
    """Return articles, at least one, without what their outlets repeat; and the fact of a run.

    The fact holds `texts`, how many were changed, and all `patterns`, with which later articles are
    changed alike.
    """
    kept, found = strip_boilerplate(articles, progress=progress)
    changed = sum(one is not other for one, other in zip(kept, articles, strict=True))
    return kept, {"texts": changed, "patterns": found.as_rows()}


def boilerplate_of(facts: Mapping[str, Any]) -> Boilerplate:
    """Return what a run took out, from its facts; nothing of a run that took out nothing."""
    return Boilerplate.of(facts.get("boilerplate", {}).get("patterns", ()))


def boilerplate_in_words(facts: Mapping[str, Any]) -> str:
    """Return a sentence on what a run took out, "" if nothing.

    Example
    -------
    >>> row = {"outlet": "Gull", "name": "text tail: read on .", "text": "Read on.", "articles": 9}
    >>> boilerplate_in_words({"articles": 99, "boilerplate": {"texts": 9, "patterns": [row]}})
    'house phrases were taken out of 9 of 99 articles: “Read on.” of Gull (9)'
    """
    changed = facts.get("boilerplate", {}).get("texts", 0)
    if not changed:
        return ""
    patterns = boilerplate_of(facts).patterns
    named = [
        f"“{p.text}”{f' of {p.outlet}' if p.outlet else ''} ({p.articles:,})"
        for p in patterns[:_NAMED]
    ]
    more = len(patterns) - len(named)
    total = facts["articles"]
    return (
        f"house phrases were taken out of {changed:,} of {total:,} {plural('article', total)}: "
        f"{', '.join(named)}{f' and {more:,} more' if more else ''}"
    )
