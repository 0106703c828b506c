"""JSON lines and JSON documents of any shape → rows."""

import json
from itertools import chain

from newsnest.corpus.json.rows import SPACE, JsonRows, Rows
from newsnest.corpus.json.text import DECODER, Cursor
from newsnest.corpus.source import Source


def read_json_lines(source: Source) -> Rows:
    """Yield the rows of a file with an object a line; other JSON is read as `read_json` does."""
    return _read(source, by_lines=True)


def read_json(source: Source) -> Rows:
    """Yield the objects of a JSON document: an array, or objects one after the other.

    An object that holds a list of articles, or articles by their ids, stands for these; so does a
    row of JSON lines. A file with an object a line is read as JSON lines. Where a document is
    broken, what came before is kept and the rest is one rejected row: no line tells where the next
    object begins. A mapped column that is in no row is an InputError, and so are several lists of
    articles in an object, of which ``source.records`` must choose.
    """
    return _read(source, by_lines=False)


def _read(source: Source, *, by_lines: bool) -> Rows:
    pieces, number = source.pieces(), 1
    for piece in pieces:
        if piece.fault or not piece.text.isspace():
            break
        number += piece.text.count("\n")
    else:
        return
    reader = JsonRows(source)
    pieces = chain([piece], pieces)
    if _is_lines(piece.text, by_lines=by_lines):
        yield from reader.lines(pieces, number)
    else:
        yield from reader.document(Cursor(pieces, number))
    reader.check()


def _is_lines(text: str, *, by_lines: bool) -> bool:
    """Tell by its beginning whether a file has an object a line; `by_lines` decides in doubt."""
    first, end, rest = text.lstrip(SPACE).partition("\n")
    first = first.rstrip(SPACE)
    if not first.startswith(("{", "[")):
        return True
    try:
        _, after = DECODER.raw_decode(first)
    except json.JSONDecodeError:
        if first.startswith("[") or first.endswith(("{", "[", ",")):
            return False  # goes on over lines
        second = rest.lstrip(SPACE).partition("\n")[0].strip(SPACE)
        return by_lines or (bool(end) and _is_object(second))
    except (ValueError, RecursionError):
        return True
    # An array, or objects on one line, are no rows each on its line.
    return first.startswith("{") and not first[after:].lstrip().startswith(("{", "[", ","))


def _is_object(text: str) -> bool:
    try:
        return isinstance(DECODER.decode(text), dict)
    except (ValueError, RecursionError):
        return False
