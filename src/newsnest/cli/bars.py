"""Bars with rate and time left, for terminals. Loads rich, which help does without."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich import progress as rich
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from newsnest.printable import printable
from newsnest.progress import Progress, Task, pace


@contextmanager
def terminal_bars(console: Console) -> Iterator[Progress]:
    """Give a progress of bars, and clear them away at the end."""
    columns = (
        rich.TextColumn("{task.description:>12}"),
        rich.BarColumn(),
        rich.TextColumn("{task.percentage:>3.0f}%"),
        _Rate(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console) as bars:
        yield _Terminal(bars)


class _Rate(rich.ProgressColumn):
    def render(self, task: rich.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else pace(speed, f" {task.fields['unit']}"), style="dim")


class _Terminal:
    """A bar for every stretch of work."""

    def __init__(self, bars: rich.Progress) -> None:
        self._bars = bars

    def start(self, what: str, total: int | None, unit: str) -> Task:
        return _BarTask(
            self._bars, self._bars.add_task(escape(printable(what)), total=total, unit=unit)
        )

    def note(self, message: str) -> None:
        self._bars.console.print(
            printable(message, lines=True), markup=False, highlight=False, soft_wrap=True
        )


class _BarTask(Task):
    def __init__(self, bars: rich.Progress, number: rich.TaskID) -> None:
        self._bars = bars
        self._number = number

    def advance(self, steps: int = 1) -> None:
        self._bars.advance(self._number, steps)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop_task(self._number)
