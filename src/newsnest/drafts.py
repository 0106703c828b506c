"""Files that appear whole or not at all, and temporary ones. What a kill leaves is removed later.

Whoever writes a draft holds a lock on it, which the system drops when the process ends, however it
ends. So a draft that can be locked is nobody's, and the next call for the same folder deletes it.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsnest.errors import InputError

if sys.platform != "win32":  # which has no such locks: there nothing is taken for nobody's
    import fcntl

_DRAFT = (".newsnest-", ".draft")
_TEMPORARY = "newsnest-"

_held: dict[Path, int] = {}  # what this process is writing, and the file that holds its lock


@contextmanager
def drafted(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """Yield a draft beside a path, which takes its name if the block succeeds, else is deleted.

    The draft is an empty file, or with `folder` an empty folder. Raises OSError as the system does.
    """
    remove_abandoned(path.parent, *_DRAFT)
    draft = _create(path.parent, *_DRAFT, mode=0o777 if folder else 0o666, folder=folder)
    try:
        yield draft
        draft.replace(path)
    finally:
        discard(draft)


@contextmanager
def replacing(path: Path, function: str) -> Iterator[Path]:
    """Yield what `drafted` does; raises InputError, begun by `function`, if that fails.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     page = Path(folder, "page.html")
    ...     with replacing(page, "write_report") as draft:
    ...         _ = draft.write_text("<p>Rain in Nantes</p>")
    ...     [path.name for path in Path(folder).iterdir()]
    ['page.html']
    """
    try:
        with drafted(path) as draft:
            yield draft
    except OSError as error:
        raise InputError(
            f"{function}: path must be a file that can be written, got {path} "
            f"({error.strerror or error}). Check the directory, its permissions and free space."
        ) from error


def temporary(suffix: str) -> Path:
    """Return a new empty file in the temporary directory; the caller discards it.

    Raises OSError as the system does.
    """
    folder = Path(tempfile.gettempdir())
    remove_abandoned(folder, _TEMPORARY, suffix)
    return _create(folder, _TEMPORARY, suffix, mode=0o600, folder=False)


def is_temporary(path: Path, suffix: str) -> bool:
    """Tell whether a path has the name of a temporary file with this suffix."""
    return path.name.startswith(_TEMPORARY) and path.name.endswith(suffix)


def discard(path: Path) -> None:
    """Delete a draft or temporary file, if it is still there, and let go of its lock."""
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    lock = _held.pop(path, None)
    if lock is not None:
        os.close(lock)


def remove_abandoned(folder: Path, prefix: str, suffix: str) -> None:
    """Delete the files and folders of such names that no living process is writing."""
    if sys.platform == "win32":
        return
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a folder of temporary files may be large
    except OSError:
        return
    for name in names:
        if not (name.startswith(prefix) and name.endswith(suffix)):
            continue
        path = folder / name
        with suppress(OSError):  # held, of somebody else, or on a disk without locks: it stays
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(lock)


def _create(place: Path, prefix: str, suffix: str, *, mode: int, folder: bool) -> Path:
    """Return a new file or folder, held by this process."""
    for gone in [path for path in _held if not path.exists()]:
        discard(gone)  # deleted by others than us
    while True:
        path = place / f"{prefix}{secrets.token_hex(6)}{suffix}"
        if folder:
            path.mkdir(mode)
            lock = -1 if sys.platform == "win32" else os.open(path, os.O_RDONLY)
        else:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        if _is_ours(path, lock):
            return path
        os.close(lock)


def _is_ours(path: Path, lock: int) -> bool:
    """Hold a new file; False if another process took it for abandoned before it was held."""
    if sys.platform == "win32":
        if lock >= 0:
            os.close(lock)  # no file is renamed there that is open
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a disk without locks: nobody can lock the file, so nobody deletes it either
    _held[path] = lock
    if path.exists():
        return True
    del _held[path]
    return False
