"""The formats that are read: one table, which other packages extend by entry points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.corpus.feeds import read_feed
from newsnest.corpus.json_files import read_json, read_json_lines
from newsnest.corpus.origin import COMPRESSED, STDIN_SUFFIX, Origin, check_file, walk
from newsnest.corpus.parquet import read_parquet
from newsnest.corpus.source import Reader
from newsnest.corpus.tabular import read_csv, read_tsv
from newsnest.corpus.web_pages import read_page, read_texts
from newsnest.errors import InputError, ParameterError
from newsnest.plugins import Registry

_OURS = (
    Reader("jsonl", (".jsonl", ".ndjson"), read_json_lines),
    Reader("json", (".json",), read_json),
    Reader("csv", (".csv",), read_csv),
    Reader("tsv", (".tsv", ".tab"), read_tsv),
    Reader("parquet", (".parquet", ".pq"), read_parquet, counts_rows=True),
    Reader("txt", (".txt", ".text"), read_texts, has_columns=False),
    Reader("html", (".html", ".htm", ".xhtml"), read_page, has_columns=False),
    Reader("xml", (".xml", ".rss", ".atom"), read_feed, has_columns=False),
)
_BY_SUFFIX = {suffix: reader for reader in _OURS for suffix in reader.suffixes}

READERS: Registry[Reader] = Registry(
    "format", "newsnest.readers", Reader, {reader.name: reader for reader in _OURS}
)
"""The formats by name; "xml" is RSS or Atom, "txt" a text a line."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory: what can be read in it and what cannot."""

    name: str
    files: tuple[Origin, ...]
    passed_over: tuple[str, ...]


def format_of(path: Path) -> str | None:
    """Tell the format of a file by its name, None if unknown."""
    name = path.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    suffix = Path(name).suffix
    reader = _BY_SUFFIX.get(suffix)
    if reader is None and suffix:
        reader = _suffixes().get(suffix)
    return reader.name if reader else None


def _suffixes() -> dict[str, Reader]:
    """Return the readers by suffix, those of other packages too; raise if two have the same."""
    found: dict[str, Reader] = {}
    for reader in READERS.values():
        for suffix in reader.suffixes:
            if found.setdefault(suffix, reader) is not reader:
                raise ParameterError(
                    f"newsnest.readers: {suffix} must be the suffix of one format, got "
                    f"{found[suffix].name} and {reader.name}. Uninstall the package of one."
                )
    return found


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
                f"{', '.join(READERS)}."
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
