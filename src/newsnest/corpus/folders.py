"""What lies in a directory: files, and what is passed over, each with the reason."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OTHER_KIND = "file of another kind was passed over|files of other kinds were passed over"
NOT_AS_NAMED = (
    "file is not of the kind its name says and was passed over"
    "|files are not of the kind their names say and were passed over"
)
_HIDDEN = "hidden file or folder was passed over|hidden files and folders were passed over"
_CLOSED = (
    "file or folder cannot be opened and was passed over"
    "|files or folders cannot be opened and were passed over"
)
_BROKEN = "broken link was passed over|broken links were passed over"
_OUTSIDE = (
    "link out of the directory was not followed (--follow-links does)"
    "|links out of the directory were not followed (--follow-links does)"
)
_TO_FOLDER = (
    "link to a folder was not followed (--follow-links does)"
    "|links to folders were not followed (--follow-links does)"
)
_ASSETS = (
    "folder saved with a web page was passed over|folders saved with a web page were passed over"
)
# What browsers call NAME_files in their languages.
_SAVED = re.compile(
    r"(.+)[-_. ](files?|dateien|fichiers|archivos|arquivos|ficheiros|bestanden|pliki|filer"
    r"|tiedostot|soubory|elemei|dosyalar[ıi]|fişierele|файлы|файли|文件|檔案|ファイル|파일)",
    re.IGNORECASE,
)
_PAGES = (".html", ".htm", ".xhtml")
_SPECIAL = "pipe, socket or device was passed over|pipes, sockets or devices were passed over"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that is not read; `why` is a kind of `Tally`: one, a bar, several."""

    path: Path
    why: str


def walk(folder: Path, *, follow_links: bool = False) -> Iterator[Path | PassedOver]:
    """Yield every file below a directory, sorted, and what is passed over.

    Files and folders whose name begins with a dot, __MACOSX, and NAME_files beside the saved page
    NAME.html are passed over. Links to files inside the directory are read like files; with
    `follow_links` also all others. A folder that several links lead to is read once, so that no
    loop is endless.
    """
    root = folder.resolve()
    seen = {_identity(root)}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            yield PassedOver(here, _CLOSED)
            continue
        below = []
        names = {entry.name for entry in entries}
        for entry in entries:
            path = Path(here, entry.name)
            why = _why_not(entry, path, root, follow_links)
            if not why and entry.is_dir() and _is_saved_with(entry.name, names):
                why = _ASSETS
            if why:
                yield PassedOver(path, why)
            elif path.is_file():
                yield path
            elif (known := _identity(path)) not in seen:
                seen.add(known)
                below.append(path)
        waiting += reversed(below)


def _why_not(entry: os.DirEntry[str], path: Path, root: Path, follow_links: bool) -> str:
    """Return why neither a file is read nor a folder searched, "" if it is."""
    if entry.name.startswith(".") or entry.name == "__MACOSX":
        return _HIDDEN
    try:
        if entry.is_symlink():
            target = path.resolve(strict=True)
            if not follow_links and not target.is_relative_to(root):
                return _OUTSIDE
            if not follow_links and target.is_dir():
                return _TO_FOLDER
        if entry.is_dir():
            return ""  # the search will tell whether it can be opened
        if not entry.is_file():
            return _SPECIAL
    except (OSError, RuntimeError):  # RuntimeError: of links in a circle, before Python 3.13
        return _BROKEN if entry.is_symlink() else _CLOSED
    return "" if os.access(path, os.R_OK) else _CLOSED


def _is_saved_with(folder: str, names: set[str]) -> bool:
    """Whether a folder holds the pictures, scripts and frames of a saved page beside it."""
    saved = _SAVED.fullmatch(folder)
    return saved is not None and any(saved[1] + ending in names for ending in _PAGES)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
