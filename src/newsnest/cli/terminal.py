"""What reaches the terminal: nothing that would act on it, whatever a file name or a nest holds."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from newsnest.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

STDOUT = "standard output"
_ENDLESS = 10_000  # characters


class _Guarded:
    """A text stream that writes out the characters that act on a terminal.

    An OSError of the stream bears its name, for a stream that is full has no file name.
    """

    buffer = None  # click would go past this class to a stream of bytes

    def __init__(self, stream: TextIO, name: str) -> None:
        self.unguarded = stream
        self._name = name

    def write(self, text: str) -> int:
        with self._named():
            return self.unguarded.write(printable(text, lines=True))

    def flush(self) -> None:
        with self._named():
            self.unguarded.flush()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = self._name
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Guard standard output and standard error as long as a command runs."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            # Nor may a terminal that is not UTF-8 end in a traceback.
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (
        stream and _Guarded(stream, name)  # None where it is closed
        for stream, name in zip(before, (STDOUT, "standard error"), strict=True)
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def console(*, stderr: bool = False) -> "Console":
    """Return a console of rich, which colours and moves the cursor: give it `printable` names.

    Where it is no terminal it has endless lines, for grep and the like.
    """
    from rich.console import Console  # not for help, which is to come at once

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    if stream is not None and stream.isatty():
        stream = getattr(stream, "unguarded", stream)
    made = Ours(file=stream, highlight=False)
    if not made.is_terminal:
        made.width = _ENDLESS
    return made


def flush() -> None:
    """Write what is left to standard output: here a full disk can still be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def give_up(stream: TextIO | None) -> None:
    """Send what a stream still holds nowhere, so that Python does not complain at its end."""
    with suppress(OSError, ValueError, AttributeError):  # AttributeError: it was closed before
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]
