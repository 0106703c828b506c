"""JSON values too long for memory, to be looked through once."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from newsnest.corpus.json.text import BrokenJsonError, Cursor, TooDeepError, TooLongError

_SEEN = 1000  # elements of a list from which empty ones are no longer looked at
_STREAMED = 1 << 20  # characters from which an object is walked through instead of decoded


class Stream:
    """An object or a list too long to be decoded at once: its parts are seen once, in order.

    Those of an object are keys and values, values of which may be streams too.
    """

    def __init__(self, cursor: Cursor, *, is_list: bool) -> None:
        self.is_list = is_list
        self.parts: Iterator[Any] = _elements(cursor) if is_list else _members(cursor)

    def drain(self) -> None:
        """Go beyond its end."""
        for _ in self.parts:
            pass


def stream(cursor: Cursor) -> object:
    """Return the value that begins here, a `Stream` if it is long, or broken further on."""
    char = cursor.skip()
    try:
        return cursor.decode(min(_STREAMED, cursor.limit))
    except TooDeepError:
        raise
    except BrokenJsonError:
        if char in ("{", "["):
            return Stream(cursor, is_list=char == "[")
        cursor.pass_over()
        return ""


def _members(cursor: Cursor) -> Iterator[tuple[str, object]]:
    with suppress(BrokenJsonError):  # whoever reads the rows says what is broken
        for key in cursor.members():
            value = stream(cursor)
            yield key, value
            if isinstance(value, Stream):
                value.drain()


def _elements(cursor: Cursor) -> Iterator[object]:
    with suppress(BrokenJsonError):
        for count, _ in enumerate(cursor.elements()):
            if count >= _SEEN:
                cursor.pass_run()
            try:
                value = cursor.decode()
            except TooLongError:
                value = None
                cursor.pass_over()
            yield value
