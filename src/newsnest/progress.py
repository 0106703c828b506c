"""How long-running work tells where it stands: one protocol, silent by default.

The library only ever calls `Progress.start`, `Task.advance` and `Progress.note`; what is done with
it (bars, plain lines, nothing) is the caller's choice. `newsnest.cli` brings the visible ones.
"""

from typing import Any, Protocol, Self


class Task:
    """One stretch of work, used as a context manager; this one shows nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more units are done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """End the stretch, finished or not."""


class Progress(Protocol):
    """Where long-running work reports to."""

    def start(self, what: str, total: int | None, unit: str) -> Task:
        """Begin a stretch of `total` units (None: unknown) and return its task."""
        ...

    def note(self, message: str) -> None:
        """Say one thing worth knowing: a choice that was made, a count that was kept."""
        ...


class _Silent:
    def start(self, what: str, total: int | None, unit: str) -> Task:
        return Task()

    def note(self, message: str) -> None: ...


SILENT: Progress = _Silent()
"""The progress that shows nothing; the default everywhere."""


def pace(rate: float, unit: str = "") -> str:
    """Return a rate a second, or the seconds that each unit takes where they are more than one."""
    return f"{rate:,.0f}{unit}/s" if rate >= 1 else f"{1 / rate:,.1f} s each"
