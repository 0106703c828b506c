"""Signals that end a command: all like Ctrl-C, which cleans up and says what is kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """A signal other than that of Ctrl-C; whoever handles the one handles the other."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """Raise Terminated where a signal would end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the business of the program that called
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler == signal.SIG_DFL:  # not under nohup, which ignores SIGHUP
            signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:
                signal.signal(number, handler)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)


def in_words(interrupt: KeyboardInterrupt) -> str:
    """Return what has happened to a command, for a message."""
    return "terminated" if isinstance(interrupt, Terminated) else "interrupted"


def exit_status(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status that shells give to a command ended by a signal: 130 for Ctrl-C."""
    return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)
