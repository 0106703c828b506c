"""The formats that are read: one table, which other packages extend by entry points."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from newsnest.corpus.feeds import read_feed
from newsnest.corpus.origin import COMPRESSED, STDIN_SUFFIX, Origin, check_file, walk
from newsnest.corpus.source import Reader
from newsnest.corpus.structured import read_json, read_json_lines, read_parquet
from newsnest.corpus.tabular import read_csv, read_tsv
from newsnest.corpus.web_pages import read_page, read_texts
from newsnest.errors import InputError, ParameterError

GROUP = "newsnest.readers"
"""Entry points of this group name a `Reader` each; they are looked for when one is needed."""

READERS = (
    Reader("jsonl", (".jsonl", ".ndjson"), read_json_lines),
    Reader("json", (".json",), read_json),
    Reader("csv", (".csv",), read_csv),
    Reader("tsv", (".tsv", ".tab"), read_tsv),
    Reader("parquet", (".parquet", ".pq"), read_parquet, counts_rows=True),
    Reader("txt", (".txt", ".text"), read_texts, has_columns=False),
    Reader("html", (".html", ".htm", ".xhtml"), read_page, has_columns=False),
    Reader("xml", (".xml", ".rss", ".atom"), read_feed, has_columns=False),
)
"""The formats that newsnest reads itself; "xml" is RSS or Atom, "txt" a text a line."""

_BY_NAME = {reader.name: reader for reader in READERS}
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory: what can be read in it and what cannot."""

    name: str
    files: tuple[Origin, ...]
    passed_over: tuple[str, ...]


@cache
def installed_readers() -> tuple[Reader, ...]:
    """Return the readers of other packages, by name.

    Raises
    ------
    ParameterError
        If one cannot be loaded, is no `Reader` of that name, or takes a name or a suffix twice.
    """
    names, suffixes = set(_BY_NAME), set(_BY_SUFFIX)
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            reader: object = point.load()
        except Exception as error:  # whatever goes wrong in it, the package is at fault
            raise _unfit(point.name, f"one that cannot be loaded ({error})") from error
        if not isinstance(reader, Reader) or reader.name != point.name:
            raise _unfit(point.name, repr(reader))
        if reader.name in names or suffixes & set(reader.suffixes):
            raise _unfit(point.name, f"one whose name or suffixes are taken: {reader.suffixes}")
        names.add(reader.name)
        suffixes.update(reader.suffixes)
        found.append(reader)
    return tuple(found)


def _unfit(name: str, got: str) -> ParameterError:
    return ParameterError(
        f"newsnest.readers: the entry point {name} must be a Reader of that name, got {got}. "
        "Mend or uninstall the package that declares it."
    )


def all_readers() -> tuple[Reader, ...]:
    """Return every reader, those of newsnest first."""
    return (*READERS, *installed_readers())


def reader_of(name: str) -> Reader | None:
    """Return the reader of a format by its name, None if there is none."""
    return _BY_NAME.get(name) or next((r for r in installed_readers() if r.name == name), None)


def format_of(path: Path) -> str | None:
    """Tell the format of a file by its name, None if unknown."""
    name = path.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    suffix = Path(name).suffix
    reader = _BY_SUFFIX.get(suffix)
    if reader is None and suffix:
        reader = next((r for r in installed_readers() if suffix in r.suffixes), None)
    return reader.name if reader else None


def find_origins(
    paths: Sequence[str | Path], *, forced: str | None = None
) -> list[Origin | Folder]:
    """List what stands behind the paths, in their order, directories sorted by name.

    Files take the forced format; in a directory each goes by its name.

    Raises
    ------
    InputError
        If a path does not exist, is of an unknown kind, or is a directory with nothing to read.
    """
    found: list[Origin | Folder] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found.append(_find_in_folder(path))
            continue
        check_file(path, "read_articles")
        if path.suffix == STDIN_SUFFIX:
            found.append(Origin(path, "-", forced or ""))
            continue
        kind = forced or format_of(path)
        if kind is None:
            raise InputError(
                f"read_articles: {path} must end in one of {', '.join(_suffixes())} (also with .gz "
                f"or .zst), got {path.suffix or 'no suffix'}. Rename it, or say its format: "
                f"{', '.join(reader.name for reader in all_readers())}."
            )
        found.append(Origin(path, str(given), kind))
    return found


def _find_in_folder(folder: Path) -> Folder:
    files: list[Origin] = []
    passed_over: list[str] = []
    for path in walk(folder):
        kind = format_of(path)
        if kind is None:
            passed_over.append(str(path))
        else:
            files.append(Origin(path, str(path), kind, str(folder)))
    if not files:
        raise InputError(
            f"read_articles: {folder} must hold at least one file to read, got "
            f"{len(passed_over)} of other kinds. Put files there that end in one of "
            f"{', '.join(_suffixes())}."
        )
    return Folder(str(folder), tuple(files), tuple(passed_over))


def _suffixes() -> list[str]:
    return [suffix for reader in all_readers() for suffix in reader.suffixes]
