"""Articles with a title and a text, on which an embedding is measured by itself."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsnest.corpus import Profile, ReadOptions, clean, settle_languages
from newsnest.corpus.options import FIELDS
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.labelled.articles import OTHER_SPLIT, Codes, codes_of, stream_labelled
from newsnest.labelled.split import draw
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Rejected

_OTHERS = ("story", "split")


@dataclass(frozen=True, slots=True)
class TitledArticles:
    """Articles with a title and a text, no title and no text twice.

    Parameters
    ----------
    articles
        In the order of the file.
    stories
        int64 (n,), −1 where unknown.
    left_out
        How many rows are not among them, by reason.
    """

    articles: tuple[Article, ...]
    stories: Codes
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TitledReading:
    """How articles with titles are read.

    Parameters
    ----------
    fields
        Our name → their column: those of articles, and story and split.
    split
        Read only rows with this split; None: all.
    profile
        Clean every article by it.
    max_articles
        Maximum number of articles, drawn at random; None: all.
    seed
        Of the draw.

    Raises
    ------
    ParameterError
        If a field is unknown.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None
    profile: Profile | None = None
    max_articles: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        known = (*FIELDS, *_OTHERS)
        for name in self.fields:
            if name not in known:
                raise ParameterError(
                    f"TitledReading: a field must be one of {', '.join(known)}, got {name!r}."
                    f"{did_you_mean(name, known)} Choose one of these."
                )


def read_titled(
    path: Path,
    reading: TitledReading = TitledReading(),
    *,
    progress: Progress = SILENT,
) -> TitledArticles:
    """Read articles with a title and a text, or a summary where there is no text.

    Parameters
    ----------
    path
        See `newsnest.corpus.read_articles`.
    reading
        How it is read.
    progress
        Reports how the file is read.

    Raises
    ------
    InputError
        If the file cannot be read, or fewer than two articles are left.
    """
    given = {name: column for name, column in reading.fields.items() if name not in _OTHERS}
    options = ReadOptions(fields=given, profile=reading.profile)
    labels = {name: reading.fields.get(name, name) for name in _OTHERS}
    stories: dict[str, str] = {}
    left_out: Counter[str] = Counter()

    def articles() -> Iterator[Article | Rejected]:
        for item in stream_labelled(
            [path], labels, options=options, split=reading.split, progress=progress
        ):
            if isinstance(item, tuple):
                article, _, own = item
                stories[article.id] = own["story"]
                yield article
            else:
                yield item

    found: list[Article] = []
    seen: set[str] = set()
    for item in settle_languages(articles(), progress=progress):
        if reason := _why_not(item, seen):
            left_out[reason] += 1
        else:
            assert isinstance(item, Article)
            found.append(item)
    if reading.max_articles is not None and len(found) > reading.max_articles:
        left_out["not_drawn"] = len(found) - reading.max_articles
        found = draw(found, reading.max_articles, [17, reading.seed])
    if len(found) < 2:
        cure = "Name the columns: --field title=headline,text=lead."
        if others := left_out["other_splits"]:
            cure = f"{others:,} are of other splits than {reading.split!r}: choose another."
        raise InputError(
            f"{path}: at least two articles must have a title and a text, got {len(found)}. {cure}"
        )
    codes = codes_of([stories[article.id] for article in found])
    return TitledArticles(tuple(found), codes, dict(left_out))


def _why_not(item: Article | Rejected, seen: set[str]) -> str:
    """Return why something read is not taken, "" if it is: its title and text are seen from now."""
    if isinstance(item, Rejected):
        if item.reason == OTHER_SPLIT:
            return "other_splits"
        return "dropped_by_the_profile" if item.reason.startswith(clean.DROPPED) else "not_articles"
    if not item.title or not item.text:
        return "without_title_or_text"
    keys = {
        f"{kind} {' '.join(text.casefold().split())}"
        for kind, text in (("title", item.title), ("text", item.text))
    }
    if seen & keys:
        return "with_a_title_or_text_again"
    seen |= keys
    return ""
