"""Progress on stderr: bars with rate and time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from newsnest.cli import terminal
from newsnest.printable import printable
from newsnest.progress import SILENT, Progress, Task, pace

_SILENCE = 10.0  # seconds between two plain lines of one task


@contextmanager
def progress_for(quiet: bool) -> Iterator[Progress]:
    """Give the progress that fits where stderr goes, and clear it away at the end."""
    if quiet:
        yield SILENT
        return
    console = terminal.console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    from newsnest.cli.bars import terminal_bars

    with terminal_bars(console) as bars:
        yield bars


class _Lines:
    """A plain line now and then, for logs."""

    def start(self, what: str, total: int | None, unit: str) -> Task:
        return _LineTask(what, total, unit)

    def note(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)


class _LineTask(Task):
    """Counts its rate from the end of the first batch on, as the bars of rich do.

    The first one waits for what is done once: weights are loaded, kernels compiled.
    """

    def __init__(self, what: str, total: int | None, unit: str) -> None:
        self._what = printable(what)
        self._total = total
        self._unit = unit
        self._done = self._first = 0
        self._began = self._printed_at = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        now = time.monotonic()
        if not self._done:
            self._first, self._began = steps, now
        self._done += steps
        if now - self._printed_at < _SILENCE:
            return
        self._printed_at = now
        of = f" of {self._total:,}" if self._total else ""
        line = f"{self._what}: {self._done:,}{of} {self._unit}"
        if self._done > self._first and now > self._began:
            rate = (self._done - self._first) / (now - self._began)
            left = f", {(self._total - self._done) / rate:,.0f} s left" if self._total else ""
            line += f", {pace(rate)}{left}"
        print(line, file=sys.stderr, flush=True)
