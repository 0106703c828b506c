"""What a machine can lack while a command runs: memory, disk, open files."""

import errno
import sys

from newsnest.cli import terminal
from newsnest.errors import NewsnestError

_MEMORY = (
    "not enough memory. Close other programs, raise the limit (ulimit -v), or read fewer articles "
    "at once; --encoder tfidf needs least."
)
# As torch, and the loader of shared libraries, say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory",
              "failed to map segment", "annot allocate memory", "could not create a primitive",
              "libllvmlite")  # fmt: skip
_CURES = {
    errno.ENOSPC: "Free space on the disk, or choose another place; temporary files go to TMPDIR.",
    errno.EDQUOT: "Free space within your quota, or choose another place.",
    errno.EROFS: "Choose a place that can be written to.",
    errno.EMFILE: "Raise the limit on open files: ulimit -n 1024.",
    errno.ENFILE: "Close other programs.",
    errno.EIO: "Check the disk.",
}

_LEAST = 2_500_000_000
_HEAVY = ("cluster", "recut", "demo", "train", "calibrate", "hardness", "study")


def check_limit(command: str) -> None:
    """Raise NewsnestError if a limit leaves too little memory to load torch and numba.

    These do not say so: they abort the process.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if command in _HEAVY and 0 <= limit < _LEAST:
        raise NewsnestError(
            f"newsnest {command} must have {_LEAST / 1e9:.1f} GB of memory at least, got a limit "
            f"of {limit / 1e9:.1f} GB. Raise it (ulimit -v)."
        )


def memory_in_words(error: BaseException | None) -> str:
    """Return that memory was lacking, and the cure, if an error or its cause says so, else ""."""
    while error is not None:
        if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
            return _MEMORY
        error = error.__cause__ or error.__context__
    return ""


def in_words(error: Exception) -> str:
    """Return what the machine lacked, and the cure; "" for any other error."""
    if lack := memory_in_words(error):
        return lack
    if not isinstance(error, OSError) or error.errno not in _CURES:
        return ""
    place = error.filename or "a file"
    if place == terminal.STDOUT:
        terminal.give_up(sys.stdout)
    return f"{place} cannot be written to or read: {error.strerror}. {_CURES[error.errno]}"
