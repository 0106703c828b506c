"""A JSON text of any length, decoded value by value.

Why not ijson: it tells neither the line nor the text of a value, which a rejected row is kept with.
"""

import json
import re
from collections.abc import Iterator

from newsnest.corpus.source import LINE_LIMIT, Piece

_BETWEEN = re.compile(r"[\s,\ufeff]*")
_ENDS = re.compile(r'"|\\(?s:.)')  # of a text, or one escaped character in it
# Values that hold nothing, each with its comma: millions of them are passed over at once.
_RUN = re.compile(r'(?>(?>\[\]|\{\}|"[^"\\]*+"|[-+.\w]++)\s*+,\s*+)*+')
_ENOUGH = 1 << 16
_MOST_PARTS = 1_000_000  # lists and objects in a value; each takes some 70 bytes
# Not strict: a raw tab or line end in a text is a fault of whoever wrote it, and costs nothing.
DECODER = json.JSONDecoder(strict=False)


class BrokenJsonError(Exception):
    """A text that is no JSON from here on; says why."""


class TooDeepError(BrokenJsonError):
    """A value that is nested too deeply to be decoded, or gone through."""


class TooLongError(BrokenJsonError):
    """A value that is too long to be decoded in memory; `Cursor.pass_over` gets beyond it."""


class Cursor:
    """A place in a JSON text, of which no more is in memory than the value that is decoded.

    Parameters
    ----------
    pieces
        The text.
    number
        The line at which it begins.
    """

    limit = LINE_LIMIT
    """Characters of the longest value that is decoded."""

    def __init__(self, pieces: Iterator[Piece], number: int = 1) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self.number = number
        self.fault = ""
        self.found = ""
        """The text of the value that was decoded last."""

    def skip(self) -> str:
        """Go to the next character that counts and return it; "" at the end."""
        while True:
            match = _BETWEEN.match(self._text, self._at)
            self._move(match.end() if match else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def step(self) -> None:
        """Go beyond the character that `skip` returned."""
        self._at += 1

    def decode(self, limit: int | None = None) -> object:
        """Decode the value that begins here and go beyond it.

        Raises TooLongError if it has more characters than the limit, else BrokenJsonError.
        """
        limit = limit or self.limit
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > limit:
                    raise TooLongError(f"has more than {limit:,} characters") from None
                if self._grow(limit):
                    if too_many := parts_beyond_limit(self._text):
                        raise TooLongError(too_many) from None
                    continue
                raise BrokenJsonError(self.fault or reason(error, self._at)) from None
            except RecursionError as error:
                raise TooDeepError(reason(error)) from None
            except ValueError as error:
                raise BrokenJsonError(reason(error)) from None
            if end == len(self._text) and self._grow():
                continue  # a number may go on
            self.found = self._text[self._at : end]
            self._move(end)
            return value

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the caller takes each value."""
        self.step()
        while (char := self.skip()) != "}":
            if not char:
                raise BrokenJsonError(self.fault or "the object is not closed")
            key = self.decode() if char == '"' else None
            if not isinstance(key, str) or self.skip() != ":":
                raise BrokenJsonError("expected a key in quotes and a colon")
            self.step()
            self.skip()
            yield key
        self.step()

    def elements(self) -> Iterator[None]:
        """Yield before each element of the list that begins here; the caller takes it."""
        self.step()
        while (char := self.skip()) != "]":
            if not char:
                raise BrokenJsonError(self.fault or "the array is not closed")
            yield
        self.step()

    def pass_over(self) -> None:
        """Go beyond the value that begins here, however long it is."""
        char = self.skip()
        try:
            self.decode(_ENOUGH)
        except TooLongError:
            if char == '"':
                self._pass_text()
            elif char in ("{", "["):
                for _ in self.members() if char == "{" else self.elements():
                    if char == "[":
                        self.pass_run()
                    self.pass_over()
            else:
                raise

    def pass_run(self) -> None:
        """Go beyond the elements of a list that hold nothing, but for the last."""
        match = _RUN.match(self._text, self._at)
        self._move(match.end() if match else self._at)
        self.skip()

    def _pass_text(self) -> None:
        self.step()
        while True:
            match = _ENDS.search(self._text, self._at)
            self._move(match.end() if match else len(self._text))
            if match and match[0] == '"':
                return
            if not match and not self._grow():
                raise BrokenJsonError(self.fault or "a text is not closed")

    def rest(self) -> str:
        """Return what is in memory of the text from here on."""
        return self._text[self._at :]

    def _move(self, end: int) -> None:
        self.number += self._text.count("\n", self._at, end)
        self._at = end

    def _grow(self, limit: int = _ENOUGH) -> bool:
        """Read on until there is twice as much, so that the cost stays linear, up to the limit."""
        kept = self._text[self._at :]
        parts, size = [kept], 0
        while size <= max(len(kept), _ENOUGH) and len(kept) + size <= max(limit, len(kept)):
            piece = None if self.fault else next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece.text)
            size += len(piece.text)
            self.fault = piece.fault
        if size:
            self._text, self._at = "".join(parts), 0
        return size > 0


def parts_beyond_limit(text: str) -> str:
    """Say of a long text that it holds too many lists and objects for memory, "" if it does not."""
    if len(text) < 2 * _MOST_PARTS or text.count("[") + text.count("{") <= _MOST_PARTS:
        return ""
    return f"has more than {_MOST_PARTS:,} lists and objects"


def reason(error: Exception, start: int = 0) -> str:
    """Say what is wrong, and where in the row: a line number here would be taken for the file's."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.pos - start + 1:,} of the row"
    return str(error)


def lines_of(pieces: Iterator[Piece], number: int = 1) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and fault of each line that is not blank.

    Blank ones cost next to nothing. Of a line longer than the limit the beginning is kept.
    """
    held, dropped = "", 0
    for piece in pieces:
        *whole, rest = piece.text.split("\n")
        for line in whole:
            line, held = held + line, ""
            if line and not line.isspace():
                yield number, *_checked(line, dropped)
            number, dropped = number + 1, 0
        held += rest
        if len(held) > LINE_LIMIT:
            # What outgrows the limit is dropped as it goes by.
            dropped += len(held) - _ENOUGH
            held = held[:_ENOUGH]
        if piece.fault:
            yield number, held, piece.fault
            return
    if held and not held.isspace():
        yield number, *_checked(held, dropped)


def _checked(line: str, dropped: int) -> tuple[str, str]:
    if dropped or len(line) > LINE_LIMIT:
        size = len(line) + dropped
        return line[:_ENOUGH], f"the line is {size:,} characters long, more than {LINE_LIMIT:,}"
    return line, ""
