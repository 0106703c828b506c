"""What every reader is given: a file, and its decoded lines, one at a time.

Lines may be long, broken or foreign. `Reader` is the record that names a reader.
"""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from newsnest.corpus.columns import Columns
from newsnest.corpus.encodings import leaves_order_open, looks_like_utf16, with_order
from newsnest.corpus.origin import BrokenStreamError, Origin, read_chunks
from newsnest.corpus.rows import Row, Tally
from newsnest.errors import InputError
from newsnest.progress import Task
from newsnest.types import Rejected

LINE_LIMIT = 32 << 20
"""Bytes of the longest line that is read; a longer one is set aside, not held in memory."""

NOT_UTF8 = (
    "line is not UTF-8 and was read as Windows-1252"
    "|lines are not UTF-8 and were read as Windows-1252"
)
_UNDECODED = "line holds bytes that are not {0}|lines hold bytes that are not {0}"
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KEPT_OF_LONG = 64 << 10


class Piece(NamedTuple):
    """Text of any length; `fault` says why the file cannot be read beyond it."""

    text: str
    fault: str = ""


class Line(NamedTuple):
    """One physical line, numbered from 1, without its end; `fault` says why it cannot be used."""

    number: int
    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be read.

    Parameters
    ----------
    origin
        Where its bytes are, and what it is called in messages.
    encoding
        Read it in this encoding; None: detect it.
    columns
        Which column stands for which field.
    tally
        Counts what did not cost a row.
    task
        Advanced by the bytes read, or by the rows where the reader counts those.
    records
        Which list of an object is its articles (see `ReadOptions`).
    """

    origin: Origin
    encoding: str | None
    columns: Columns
    tally: Tally
    task: Task
    records: str | None = None

    @property
    def file(self) -> str:
        """What the file is called in every message."""
        return self.origin.name

    def lines(self) -> Iterator[Line]:
        r"""Yield the decoded lines, unpacked where the file is compressed.

        Lines end with ``\n`` or ``\r\n``; with ``\r`` where that comes first, and no ``\r\n``. A
        stream that breaks off gives one last line with a fault. Without an encoding a mark decides,
        then it is UTF-8, else Windows-1252, line by line; what is not UTF-8 is counted.
        """
        chunks = read_chunks(self.origin.path, self.task)
        start, fault = _first(chunks)
        name, skip = sniff_encoding(start, self.encoding)
        if name == "utf-8":
            lines = _split(start[skip:], fault, chunks)
            yield from _decode_lines(lines, self.encoding, self.tally)
            return
        self._check_mark(start, name)
        foreign = _transcoded(start, chunks, name)
        first, second_fault = _first(foreign)
        lines = _split(first, fault or second_fault, foreign)
        for line in _decode_lines(lines, "utf-8", self.tally):
            if "\ufffd" in line.text:
                self.tally.count(_UNDECODED.format(name), f"at line {line.number}")
            yield line

    def _check_mark(self, start: bytes, name: str) -> None:
        """Count a guessed order of bytes; raise InputError if there is none."""
        if start and leaves_order_open(name) and sniff_encoding(start, None)[0] != name:
            raise InputError(
                f"read_articles: {self.file} must begin with a byte order mark to be read as "
                f"{name}, got none, and it does not look like {name}. Leave out --encoding, or "
                f"name {name}-le or {name}-be."
            )
        if name.endswith(("-le", "-be")) and self.encoding != name:
            self.tally.count(f"file has no byte order mark and was read as {name}", self.file)

    def pieces(self) -> Iterator[Piece]:
        r"""Yield the decoded text in pieces of some MiB, for formats in which lines mean little.

        It is what `lines` yields, each with ``\n`` behind it, but no line is too long: a piece ends
        with a line, or else between two characters. What is not UTF-8 is read as Windows-1252, line
        by line of the piece.
        """
        chunks = read_chunks(self.origin.path, self.task)
        start, fault = _first(chunks)
        name, skip = sniff_encoding(start, self.encoding)
        if name != "utf-8":
            self._check_mark(start, name)
            chunks = _transcoded(start, chunks, name)
            start, second_fault = _first(chunks)
            fault, skip = fault or second_fault, 0
        number = 1
        for raw, why in _cut(start[skip:], fault, chunks):
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = "\ufffd"
            if "\ufffd" in text:
                # Line by line, to read what can be read and to name the first line that cannot.
                encoding = self.encoding if name == "utf-8" else "utf-8"
                rows = ((line, "") for line in raw.split(b"\n"))
                lines = [*_decode_lines(rows, encoding, self.tally, first=number)]
                text = "\n".join(line.text for line in lines)
                for line in lines if name != "utf-8" else ():
                    if "\ufffd" in line.text:
                        self.tally.count(_UNDECODED.format(name), f"at line {line.number}")
            number += text.count("\n")
            yield Piece(text, why)


@dataclass(frozen=True, slots=True)
class Reader:
    """A format that is read.

    Parameters
    ----------
    name
        As `--format` takes it.
    suffixes
        Of file names, in lower case and with the dot: (".jsonl", ".ndjson").
    read
        Yields one `Row` or `Rejected` for each row of a `Source`. It raises `InputError` only for a
        file that is of no use at all.
    has_columns
        Whether rows are values under column names, which `--field` can map.
    counts_rows
        Whether progress counts rows, whose number is unknown, instead of bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], Iterator[Row | Rejected]]
    has_columns: bool = True
    counts_rows: bool = False


def sniff_encoding(start: bytes, encoding: str | None) -> tuple[str, int]:
    """Return the encoding and the length of its mark; "utf-8" also where nothing says so."""
    if encoding is not None:
        name = codecs.lookup(encoding).name
        if name in ("utf-8", "utf-8-sig"):
            return "utf-8", 3 if start.startswith(codecs.BOM_UTF8) else 0
        if leaves_order_open(name) and not any(start.startswith(mark) for mark, _ in _MARKS):
            return with_order(start, name) or encoding, 0
        return encoding, 0
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, len(mark)
    if looks_like_utf16(start[:4096]):
        return with_order(start[:4096], "utf-16"), 0
    return "utf-8", 0


def decode(line: bytes) -> tuple[str, bool]:
    """Decode as UTF-8, else as Windows-1252; say whether it was UTF-8."""
    try:
        return line.decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    try:
        return line.decode("windows-1252"), False
    except UnicodeDecodeError:
        return line.decode("latin-1"), False  # the five bytes Windows-1252 leaves undefined


def _first(chunks: Iterator[bytes]) -> tuple[bytes, str]:
    """Return the first chunk, at least 4 bytes of it if there are, and why there is no more."""
    start = b""
    try:
        for chunk in chunks:
            start += chunk
            # The longest mark, that of UTF-32, has four bytes.
            if len(start) >= 4:
                break
    except BrokenStreamError as error:
        return start, str(error)
    return start, ""


def _transcoded(start: bytes, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Turn a stream of any encoding into one of UTF-8."""
    # Lines are cut in bytes, and in UTF-16 the byte of a line end is part of other characters too.
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(start)
    yield _utf8(text)
    for chunk in chunks:
        yield _utf8(decoder.decode(chunk))
    yield _utf8(decoder.decode(b"", final=True))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _split(start: bytes, fault: str, chunks: Iterator[bytes]) -> Iterator[tuple[bytes, str]]:
    """Cut a stream into lines: (line, fault), the rest after the last line end included."""
    end = _line_end(start)
    pieces: list[bytes] = []
    held = dropped = total = 0
    chunk = start
    while True:
        total += len(chunk)
        *whole, rest = chunk.split(end)
        for line in whole:
            pieces.append(line)
            yield _join(pieces, dropped)
            pieces, held, dropped = [], 0, 0
        # A line that outgrows the limit keeps its beginning and is dropped as it goes by.
        if held + len(rest) > LINE_LIMIT:
            dropped += held + len(rest)
            pieces = [b"".join(pieces)[:_KEPT_OF_LONG] or rest[:_KEPT_OF_LONG]]
            dropped -= len(pieces[0])
            held = len(pieces[0])
        elif rest:
            pieces.append(rest)
            held += len(rest)
        if fault:
            break
        try:
            following = next(chunks, None)
        except BrokenStreamError as error:
            fault = str(error)
            break
        if following is None:
            break
        chunk = following
    if fault:
        yield b"".join(pieces), f"the file breaks off after {total:,} readable bytes: {fault}"
    elif pieces:
        yield _join(pieces, dropped)


def _cut(start: bytes, fault: str, chunks: Iterator[bytes]) -> Iterator[tuple[bytes, str]]:
    """Cut a stream after line ends, where there are none between characters of UTF-8."""
    old_mac = _line_end(start) == b"\r"
    held, total = b"", 0
    chunk: bytes | None = start
    while chunk is not None:
        total += len(chunk)
        held += chunk.replace(b"\r", b"\n") if old_mac else chunk
        if fault:
            break
        at = held.rfind(b"\n") + 1 or _between_characters(held)
        if at:
            yield held[:at], ""
        held = held[at:]
        try:
            chunk = next(chunks, None)
        except BrokenStreamError as error:
            fault = str(error)
            break
    if fault:
        yield held, f"the file breaks off after {total:,} readable bytes: {fault}"
    elif held:
        yield held, ""


def _between_characters(text: bytes) -> int:
    """Return the last place of a text in UTF-8 that does not split a character."""
    at = len(text)
    while at > max(0, len(text) - 3) and text[at - 1] & 0xC0 == 0x80:
        at -= 1
    return at - 1 if at and text[at - 1] >= 0xC0 else at


def _line_end(start: bytes) -> bytes:
    """Old Macs end lines with a carriage return alone; a line feed may then stand inside quotes."""
    before, mark, _ = start.partition(b"\r")
    return b"\r" if mark and b"\n" not in before and b"\r\n" not in start else b"\n"


def _join(pieces: list[bytes], dropped: int) -> tuple[bytes, str]:
    line = b"".join(pieces)
    if dropped or len(line) > LINE_LIMIT:
        long = f"the line is {len(line) + dropped:,} bytes long, more than {LINE_LIMIT:,}"
        return line[:_KEPT_OF_LONG], long
    return line.removesuffix(b"\r"), ""


def _decode_lines(
    lines: Iterator[tuple[bytes, str]], encoding: str | None, tally: Tally, *, first: int = 1
) -> Iterator[Line]:
    for number, (raw, fault) in enumerate(lines, start=first):
        if encoding is not None:
            text = raw.decode("utf-8", "replace")
            # The file itself may hold the replacement character; that is no fault of the encoding.
            if "\ufffd" in text and b"\xef\xbf\xbd" not in raw:
                tally.count(_UNDECODED.format("utf-8"), f"at line {number}")
        else:
            text, is_utf8 = decode(raw)
            if not is_utf8 and not fault:
                tally.count(NOT_UTF8, f"at line {number}")
        yield Line(number, text, fault)
