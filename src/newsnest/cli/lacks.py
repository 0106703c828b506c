"""What a machine can lack while a command runs: memory, disk, open files."""

import errno
import sys

from newsnest.cli import terminal

_MEMORY = (
    "not enough memory. Close other programs, raise the limit (ulimit -v), or read fewer articles "
    "at once; --encoder tfidf needs least."
)
# As torch, and the loader of shared libraries, say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "failed to map segment",
              "Cannot allocate memory", "cannot allocate memory")  # fmt: skip
_CURES = {
    errno.ENOSPC: "Free space on the disk, or choose another place; temporary files go to TMPDIR.",
    errno.EDQUOT: "Free space within your quota, or choose another place.",
    errno.EROFS: "Choose a place that can be written to.",
    errno.EMFILE: "Raise the limit on open files: ulimit -n 1024.",
    errno.ENFILE: "Close other programs.",
    errno.EIO: "Check the disk.",
}


def in_words(error: Exception) -> str:
    """Return what the machine lacked, and the cure; "" for any other error."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return _MEMORY
    if not isinstance(error, OSError) or error.errno not in _CURES:
        return ""
    place = error.filename or "a file"
    if place == terminal.STDOUT:
        terminal.give_up(sys.stdout)
    return f"{place} cannot be written to or read: {error.strerror}. {_CURES[error.errno]}"
