"""What a run is made of: files and directories, or Articles in memory."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from newsnest.corpus import (
    Notice,
    ReadOptions,
    digest,
    find_origins,
    format_of,
    language,
    origin,
    read_articles,
)
from newsnest.corpus.readers import Folder
from newsnest.errors import InputError, ParameterError
from newsnest.invisible import without_invisible
from newsnest.progress import Progress
from newsnest.types import Article, Rejected, Update

Item = Article | Rejected | Notice
Source = str | Path | Iterable[str | Path] | Iterable[Article]
"""A path, several paths, or Articles."""

_IN_MEMORY = "articles in memory"


@dataclass(frozen=True, slots=True)
class Input:
    """What is to be read: equal digests and options give the same batch."""

    names: Sequence[str]  # for people
    digest: str
    options: Mapping[str, Any]  # how it is read
    items: Callable[[Progress], Iterable[Item]]  # reads it


def find_input(source: Source, options: ReadOptions) -> Input:
    """Return the input of a source; files are digested, and read later.

    Raises InputError if a path does not exist or cannot be read, ParameterError if `source` is
    neither paths nor Articles, or the Articles cannot be a batch.
    """
    if isinstance(source, str | Path):
        return _of_paths([source], options)
    if hasattr(source, "columns") or hasattr(source, "__dataframe__"):
        raise ParameterError(
            f"build: source must be paths or Articles, got a {type(source).__name__}. "
            "Give it to Nester().fit, or name a file that holds its rows."
        )
    if isinstance(source, Mapping | bytes) or not isinstance(source, Iterable):
        raise ParameterError(
            f"build: source must be paths or Articles, got {type(source).__name__}. "
            "Make an Article of each text, or name a file."
        )
    given: list[Any] = list(source)
    kinds = (Article,) if given and isinstance(given[0], Article) else (str, Path)
    for place, item in enumerate(given):
        if not isinstance(item, kinds):
            raise ParameterError(
                "build: source must hold paths alone or Articles alone, got "
                f"{type(item).__name__} at position {place}. Make an Article of each text, or "
                "name a file."
            )
    if not given:
        raise ParameterError("build: source must hold a path or an Article, got none. Add one.")
    if kinds == (Article,):
        return _of_articles(_newest(given), options)
    return _of_paths(given, options)


def reading(options: ReadOptions) -> dict[str, Any]:
    """Return how files are read, ready for JSON: of a profile its name and digest."""
    profile = options.profile
    named = None if profile is None else f"{profile.name} {profile.digest}"
    reference = options.reference_date.isoformat() if options.reference_date else None
    return {**asdict(options), "profile": named, "reference_date": reference}


def _of_paths(paths: Sequence[str | Path], options: ReadOptions) -> Input:
    for path in paths:
        origin.refuse_address(path, "build")
        if not Path(path).exists():
            raise InputError(
                f"build: {path} must exist, got no such file. Check the path; texts themselves go "
                "to Nester().fit."
            )
    # Also tells what cannot be read, before a large input is digested.
    stamps = _stamps(paths, options)
    # The same bytes named .txt and .jsonl are two batches.
    kinds = [format_of(Path(path)) for path in paths] if options.format is None else []

    def items(progress: Progress) -> Iterator[Item]:
        yield from read_articles(paths, options=options, progress=progress)
        for path, stamp in _stamps(paths, options).items():
            if stamps.get(path) != stamp:
                raise InputError(
                    f"build: {path} must not change while it is read, got another size or time. "
                    "Run the same command again when it is complete, or read a copy."
                )

    return Input(
        [*map(origin.name_of, paths)],
        digest(paths, follow_links=options.follow_links),
        {**reading(options), "kinds": kinds},
        items,
    )


def _stamps(paths: Sequence[str | Path], options: ReadOptions) -> dict[Path, tuple[int, int]]:
    """Return size and time of every file that is read."""
    found = find_origins(paths, forced=options.format, follow_links=options.follow_links)
    files = [file for one in found for file in (one.files if isinstance(one, Folder) else [one])]
    states = {file.path: file.path.stat() for file in files}
    return {path: (state.st_size, state.st_mtime_ns) for path, state in states.items()}


def _newest(articles: Sequence[Article]) -> list[Article]:
    """Put updates in the place of what they replace."""
    last = {a.id: place for place, a in enumerate(articles) if isinstance(a, Update)}
    kept = [a for place, a in enumerate(articles) if place >= last.get(a.id, 0)]
    names = [one.name for one in fields(Article)]
    return [
        Article(**{name: getattr(a, name) for name in names}) if isinstance(a, Update) else a
        for a in kept
    ]


def _of_articles(articles: Sequence[Article], options: ReadOptions) -> Input:
    if replace(options, detect_language=True) != ReadOptions():
        raise ParameterError(
            "build: options.read must be left out for Articles, but for detect_language, got "
            f"{options}. The rest is about files."
        )
    places: dict[str, int] = {}
    for place, article in enumerate(articles):
        if not article.id or article.id in places:
            first = f", as at {places[article.id]}" if article.id else ""
            raise ParameterError(
                f"build: source must hold Articles with different ids, got {article.id!r} at "
                f"position {place}{first}. Give each its own."
            )
        if article.date is not None and article.date.tzinfo is None:
            raise ParameterError(
                "build: source must hold dates with a time zone, got "
                f"{article.date.isoformat()} at position {place}. Add tzinfo=datetime.UTC."
            )
        places[article.id] = place
    whole = hashlib.blake2b(digest_size=20)
    for article in sorted(articles, key=lambda article: article.id):
        seconds = article.date.timestamp() if article.date else None
        whole.update(json.dumps([*asdict(replace(article, date=None)).values(), seconds]).encode())
    return Input(
        [_IN_MEMORY],
        whole.hexdigest(),
        {"detect_language": options.detect_language, "kinds": [_IN_MEMORY]},
        lambda progress: _as_read(articles, options.detect_language),
    )


def _as_read(articles: Sequence[Article], detect: bool) -> Iterator[Article | Rejected]:
    """Do for Articles what readers do for rows: clean, set empty ones aside, detect languages."""
    for place, given in enumerate(articles):
        title, text, source = map(without_invisible, (given.title, given.text, given.source))
        article = replace(given, title=title, text=text, source=source)
        if not article.body:
            yield Rejected(_IN_MEMORY, place + 1, "has no title and no text", article.id)
        elif detect and not article.lang:
            yield replace(article, lang=language.detect_language(f"{title}\n{text}".strip()))
        else:
            yield article
