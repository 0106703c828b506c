"""JSON values → rows: articles, and what holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from newsnest.corpus.json import shape, tables
from newsnest.corpus.json.met import Met
from newsnest.corpus.json.shape import Found, Looked
from newsnest.corpus.json.stream import Stream, stream
from newsnest.corpus.json.text import (
    DECODER,
    BrokenJsonError,
    Cursor,
    TooDeepError,
    TooLongError,
    lines_of,
    parts_beyond_limit,
    reason,
)
from newsnest.corpus.rows import Row, Tally, reject
from newsnest.corpus.source import LINE_LIMIT, Piece, Source
from newsnest.errors import InputError
from newsnest.progress import SILENT
from newsnest.types import Rejected

Rows = Iterator[Row | Rejected]

SPACE = "\ufeff\x1e \t\r\n"  # with the mark and the separator that some write before each object
_SHOWN = 12  # lists that an error names
_NAMES = 20  # lists that notices name
_NESTED = frozenset((dict, list))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, and what the objects around it say for it."""

    number: int
    text: str
    usual: Mapping[str, object] = field(default_factory=dict)
    key: str = ""
    columns: tuple[str, ...] = ()
    chosen: bool = False  # in the list that was asked for


class JsonRows:
    """Turns the values of one file into rows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file = source.file
        self._columns = source.columns
        self._met = Met()
        self._lists: dict[str, None] = {}  # what there is, for a message
        self._picks = source.records not in (None, ".")
        self._chosen = not self._picks
        self._named: set[str] = set()

    def lines(self, pieces: Iterator[Piece], number: int) -> Rows:
        """Yield the rows of JSON lines."""
        for at, text, fault in lines_of(pieces, number):
            if fault := fault or parts_beyond_limit(text):
                yield reject(self._file, at, fault, text)
                continue
            try:
                value = DECODER.decode(text.lstrip(SPACE))
            except (ValueError, RecursionError) as error:
                yield reject(self._file, at, f"is not valid JSON: {reason(error)}", text)
                continue
            yield from self._value(value, _Place(at, text))

    def document(self, cursor: Cursor) -> Rows:
        """Yield the rows of values that stand one after the other, over any number of lines."""
        index = 0
        try:
            while char := cursor.skip():
                if char == "[":
                    for _ in cursor.elements():
                        yield from self._next(cursor)
                else:
                    yield from self._next(cursor, index)
                index += 1
        except (BrokenJsonError, RecursionError) as error:
            why = cursor.fault or f"is not valid JSON from here on: {reason(error)}"
            yield reject(self._file, cursor.number, why, cursor.rest())
        else:
            if cursor.fault:
                yield reject(self._file, cursor.number, cursor.fault, cursor.rest())

    def check(self) -> None:
        """Raise InputError if a mapped column or the list that was asked for is nowhere."""
        if not self._chosen:
            have = ", ".join(self._lists) or "none"
            raise InputError(
                f"read_articles: {self._file}: records must name a list in the file, got "
                f"{self._source.records!r} where the lists are {have}. Name one of these, or leave "
                "--records out."
            )
        self._met.check(self._columns, self._file)

    def _next(self, cursor: Cursor, index: int | None = None, **known: Any) -> Rows:
        """Read the value that comes next; `index` counts those that are in no array."""
        char = cursor.skip()
        number = cursor.number
        try:
            value = cursor.decode()
        except BrokenJsonError as error:
            is_long = isinstance(error, TooLongError)
            if index is not None and char == "{" and not isinstance(error, TooDeepError):
                looked = self._look_ahead(index)
                if found := self._found(looked, number):
                    yield from self._walk(cursor, found)
                    return
                if is_long and looked.texts_by_row:
                    raise _too_many_columns(self._file, number) from None
            if not is_long:
                raise
            yield reject(self._file, number, f"the value {error}", cursor.rest())
            cursor.pass_over()
            return
        yield from self._value(value, _Place(number, cursor.found, **known))

    def _look_ahead(self, index: int) -> Looked:
        """Look at an object that is too long for memory, in a reading of its own."""
        silent = SILENT.start("", None, "bytes")
        cursor = Cursor(replace(self._source, tally=Tally(self._file), task=silent).pieces())
        for _ in range(index):
            cursor.pass_over()
        value = stream(cursor)
        assert isinstance(value, Stream)
        return shape.look(value.parts, self._columns, every=self._picks)

    def _value(self, value: object, place: _Place) -> Rows:
        if isinstance(value, list):
            yield from self._list(value, place)
        elif not isinstance(value, dict):
            kind = {str: "a text", bool: "true or false", type(None): "null"}
            what = kind.get(type(value), "a number")
            yield self._reject(place, f"is {what}, expected an object with a title or a text")
        elif place.chosen or (self._source.records is None and _is_flat(value)):
            yield self._row(value, place)
        else:
            yield from self._object(value, place)

    def _list(self, value: list[Any], place: _Place) -> Rows:
        if place.columns and len(value) != len(place.columns):
            yield self._reject(place, f"has {len(value)} values for {len(place.columns)} columns")
        elif place.columns:
            yield self._row(dict(zip(place.columns, value, strict=True)), place)
        elif any(isinstance(one, dict) for one in value):
            cursor = Cursor(iter([Piece(place.text)]), place.number)
            cursor.skip()
            for _ in cursor.elements():
                yield from self._next(cursor, usual=place.usual)
        else:
            yield self._reject(place, "is a list, expected an object with a title or a text")

    def _object(self, value: dict[str, Any], place: _Place) -> Rows:
        looked = shape.look(value.items(), self._columns, every=self._picks)
        if found := self._found(looked, place.number):
            cursor = Cursor(iter([Piece(place.text)]), place.number)
            cursor.skip()
            yield from self._walk(cursor, found)
        elif self._picks:
            yield self._reject(place, f"has no list {self._source.records!r}")
        elif rows := [*tables.by_row(value, looked)]:
            for row in rows:
                yield self._row(row, replace(place, text=""))
        elif empty := shape.empty_list(looked, self._columns):
            self._count("object holds no articles|objects hold no articles", empty, place.number)
        elif lists := self._lists_without_titles(value):
            yield self._reject(place, f"has no title and no text, and its lists have none: {lists}")
        else:
            for one in shape.unread(looked) if self._source.records is None else ():
                self._leave(one, place.number)
            yield self._row(value, place)

    def _lists_without_titles(self, value: dict[str, Any]) -> str:
        """Return the lists of objects in what is neither an article nor a container of some."""
        inner = shape.unwrapped(value, self._columns)
        if not self._columns.needs_text or shape.said(inner, self._columns) & shape.TEXTS:
            return ""
        looked = shape.look(value.items(), self._columns, every=True)
        lists = [f"{one.name!r} ({one.count:,})" for one in looked.found if one.of_objects]
        cure = " (say which of their columns is one: --field title=…)" if lists else ""
        return ", ".join(lists[:_SHOWN]) + cure

    def _found(self, looked: Looked, number: int) -> list[Found]:
        """Return the lists that are to be read, of which more than one must be chosen."""
        wanted = self._source.records
        best = shape.candidates(looked, self._columns)
        if wanted == ".":
            return []
        if wanted is not None:
            for one in looked.found:
                if len(self._lists) < _SHOWN and (one.worth or one.of_objects):
                    self._lists[repr(one.name)] = None
            found = [one for one in looked.found if fnmatchcase(one.name, wanted)]
            self._chosen = self._chosen or bool(found)
            return found
        if split := tables.split_list(looked, self._columns):
            return [split]
        if len(best) > 1:
            shown = ", ".join(f"{one.name!r} ({one.count:,})" for one in best[:_SHOWN])
            raise InputError(
                f"read_articles: {self._file}, line {number}: the lists of articles must be one, "
                f"got {len(best):,}: {shown}. Choose with --records {best[0].name}; a * in it "
                "stands for any name."
            )
        for one in looked.found if best else ():
            if one.worth and one not in best:
                self._leave(one, number)
        return best

    def _walk(self, cursor: Cursor, found: list[Found]) -> Rows:
        """Go through the object that begins here and read these lists."""
        wanted = {one.keys: one for one in found}

        def go(keys: shape.Keys) -> Rows:
            if one := wanted.get(keys):
                yield from self._rows_of(cursor, one)
            elif cursor.skip() == "{" and any(k[: len(keys)] == keys for k in wanted):
                for key in cursor.members():
                    yield from go((*keys, key))
            else:
                cursor.pass_over()

        return go(())

    def _rows_of(self, cursor: Cursor, found: Found) -> Rows:
        known: dict[str, Any] = {
            "usual": tables.usual(found.heads, found.keys),
            "columns": tables.split_columns(found),
            "chosen": self._picks,
        }
        name = found.name if len(self._named) < _NAMES or found.name in self._named else ""
        self._named.add(name)
        where = f"the list {_shown(name)}" if name else "a list"
        if cursor.skip() == "[":
            for _ in cursor.elements():
                yield from self._next(cursor, **known)
                self._source.tally.count(f"row was read from {where}|rows were read from {where}")
            return
        where = f"the object {_shown(name)}" if name else "one object"
        for place, key in enumerate(cursor.members()):
            if cursor.skip() != "{":
                cursor.pass_over()
                continue
            # Running numbers are no ids: those of two files would be the same.
            named = "" if key in (str(place), str(place + 1)) else key
            yield from self._next(cursor, **known, key=named)
            self._source.tally.count(f"row was read from {where}|rows were read from {where}")

    def _row(self, value: dict[str, Any], place: _Place) -> Row | Rejected:
        if len(value) > shape.COLUMNS_LIMIT:
            return self._reject(
                place, f"has {len(value):,} keys, more than {shape.COLUMNS_LIMIT:,}"
            )
        values = shape.unwrapped(value, self._columns)
        if place.usual or place.key:
            found = self._columns.match(tuple(values))
            known = {**place.usual, **({"id": place.key} if place.key else {})}
            fields = {"language": "lang"}
            more = {name: v for name, v in known.items() if fields.get(name, name) not in found}
            values = {**values, **more}
        self._met.note(tuple(values))
        return Row(self._file, place.number, values, place.text or None)

    def _reject(self, place: _Place, why: str) -> Rejected:
        return reject(self._file, place.number, why, place.text)

    def _leave(self, found: Found, number: int) -> None:
        what = "list with titles was left unread|lists with titles were left unread"
        self._count(what, found, number, f" (read it with --records {found.name})")

    def _count(self, what: str, found: Found, number: int, cure: str = "") -> None:
        self._source.tally.count(what, f"{found.name!r} at {self._file}, line {number}{cure}")


def _shown(name: str) -> str:
    # A bar would part singular and plural.
    return repr(name[:80]).replace("|", "/")


def _is_flat(value: dict[str, Any]) -> bool:
    """Whether an object can only be an article: nothing in it holds others."""
    if _NESTED.isdisjoint(map(type, value.values())):
        return True
    lists = [one for one in value.values() if isinstance(one, dict | list)]
    return (not lists or len(lists) < len(value)) and not any(
        isinstance(one, dict) or not one or isinstance(one[0], dict | list) for one in lists
    )


def _too_many_columns(file: str, number: int) -> InputError:
    return InputError(
        f"read_articles: {file}, line {number}: JSON column by column must have at most "
        f"{LINE_LIMIT:,} characters, got more. Write it row by row: in pandas, "
        'to_json(path, orient="records", lines=True).'
    )
