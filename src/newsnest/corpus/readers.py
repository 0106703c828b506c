"""The formats that are read: one table, which other packages extend by entry points."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.corpus.feeds import read_feed
from newsnest.corpus.folders import NOT_AS_NAMED, OTHER_KIND, PassedOver, walk
from newsnest.corpus.json.files import read_json, read_json_lines
from newsnest.corpus.origin import (
    COMPRESSED,
    Origin,
    check_file,
    digest_file,
    is_stdin,
    name_of,
)
from newsnest.corpus.parquet import read_parquet
from newsnest.corpus.refused import Refused, refused_by_name, refused_by_start
from newsnest.corpus.source import Reader
from newsnest.corpus.tables.tabular import read_csv, read_tsv
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
    passed_over: tuple[PassedOver, ...]


def format_of(path: Path) -> str | None:
    """Tell the format of a file by its name, None if unknown."""
    suffix = Path(_bare(path)).suffix
    reader = _BY_SUFFIX.get(suffix)
    if reader is None and suffix:
        reader = _suffixes().get(suffix)
    return reader.name if reader else None


def _bare(path: Path) -> str:
    """Return the name of a file in lower case, without what says that it is packed."""
    name = path.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return name


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
    paths: Sequence[str | Path], *, forced: str | None = None, follow_links: bool = False
) -> list[Origin | Folder]:
    """List what stands behind the paths, in their order, directories sorted by name.

    Files take the forced format; in a directory each goes by its name. `follow_links` is as in
    `ReadOptions`.

    Raises
    ------
    InputError
        If a path does not exist, is of an unknown kind, or is a directory with nothing to read.
    """
    found: list[Origin | Folder] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found.append(_find_in_folder(path, follow_links))
            continue
        check_file(given, "read_articles")
        found.append(find_file(path, forced))
    return found


def find_file(path: Path, forced: str | None) -> Origin:
    """Return a file that was named itself, standard input too; raises as `find_origins`."""
    kind = forced or ("" if is_stdin(path) else format_of(path))
    refused = refused_by_name(_bare(path)) if kind is None else _refused(path, kind)
    if refused is not None:
        raise InputError(
            f"read_articles: {name_of(path)} must be a file of articles, got {refused.what}. "
            f"{refused.cure}"
        )
    if kind is None:
        raise InputError(
            f"read_articles: {path} must end in one of {', '.join(_suffixes())} (also with .gz "
            f"or .zst), got {path.suffix or 'no suffix'}. Rename it, or say its format: --format "
            f"{'|'.join(READERS)}."
        )
    return Origin(path, name_of(path), kind)


def _refused(path: Path, kind: str) -> Refused | None:
    """Return what a file is that is none of ours whatever its name says.

    A page like that costs one article, and its reader says so.
    """
    if kind == "html" or (kind and kind not in READERS.built_in):
        return None
    try:
        return refused_by_start(path)
    except OSError:
        return None  # the reader will say so


def _find_in_folder(folder: Path, follow_links: bool) -> Folder:
    files: list[Origin] = []
    passed_over: list[PassedOver] = []
    for found in look_through(folder, follow_links=follow_links):
        if isinstance(found, Origin):
            files.append(found)
        else:
            passed_over.append(found)
    if not files:
        first = f" (the first: {passed_over[0].path})" if passed_over else ""
        raise InputError(
            f"read_articles: {folder} must hold at least one file to read, got "
            f"{len(passed_over)} of other kinds{first}. Put files there that end in one of "
            f"{', '.join(_suffixes())}."
        )
    return Folder(name_of(folder), tuple(files), tuple(passed_over))


def look_through(folder: Path, *, follow_links: bool) -> Iterator[Origin | PassedOver]:
    """Yield the files of a directory that are read, and what is passed over, sorted."""
    for found in walk(folder, follow_links=follow_links):
        if isinstance(found, PassedOver):
            yield found
            continue
        kind = format_of(found)
        if kind is None:
            yield PassedOver(found, OTHER_KIND)
        elif _refused(found, kind):
            yield PassedOver(found, NOT_AS_NAMED)
        else:
            yield Origin(found, name_of(found), kind, str(folder))


def digest(paths: Sequence[str | Path], *, follow_links: bool = False) -> str:
    """Recognise the same input again: a hex digest of what the paths hold.

    Of a file the contents count, and of a directory the relative names and the contents of what is
    read there; where a file lies and when it was written do not. Compressed files count as they
    are.

    Parameters
    ----------
    paths
        Files and directories; spool standard input with `spool_stdin` first.
    follow_links
        As in `ReadOptions`.

    Returns
    -------
    str
        40 hexadecimal digits.

    Raises
    ------
    InputError
        If a path does not exist or cannot be read.
    """
    whole = hashlib.blake2b(digest_size=20)
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            check_file(given, "digest")
            whole.update(b"file\0" + digest_file(path))
            continue
        whole.update(b"directory\0")
        for found in look_through(path, follow_links=follow_links):
            if isinstance(found, Origin):
                # With its length, so that the end of a name cannot pass for content.
                name = found.path.relative_to(path).as_posix().encode("utf-8", "surrogateescape")
                whole.update(len(name).to_bytes(8, "big") + name + digest_file(found.path))
    return whole.hexdigest()
