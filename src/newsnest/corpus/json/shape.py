"""What a JSON object is: an article, a wrapper of one, or a container of many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeGuard

from newsnest.corpus.columns import Columns
from newsnest.corpus.json.stream import Stream
from newsnest.corpus.json.values import plain_value

Keys = tuple[str, ...]

COLUMNS_LIMIT = 20_000
"""Most keys of an article."""
TEXTS = frozenset(("title", "text", "summary"))
_SAMPLE = 50  # elements of a list, or members of an object, that show what it holds
_DEEPEST = 6
_AROUND = (
    "_source fields attributes article document doc data node item Item story post record news "
    "content entry payload resource result value"
)
_WRAPPERS = frozenset(_AROUND.split())
# Names under which feeds and interfaces give their articles, even beside a title of their own.
_USUAL_LISTS = (
    "articles article items item entries entry results data docs documents hits records rows posts "
    "stories news response children value values list edges objects"
)
_LISTS = frozenset(_USUAL_LISTS.split())
FEEDS = ("feed", "channel")
"""Names of what stands around the articles of a feed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A list, or an object of objects by id, below an object.

    `worth` is 2 if one of its first 50 elements has a title and more, 1 if it has a title or a
    text, else 0. `heads` are the plain values of the objects around it, the outermost first.
    """

    keys: Keys
    count: int
    worth: int
    of_lists: bool = False
    of_objects: bool = False
    heads: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """As `--records` takes it."""
        return ".".join(self.keys)

    @property
    def is_named(self) -> bool:
        """Whether it has a name that lists of articles have."""
        return bool(self.keys) and self.keys[-1] in _LISTS


@dataclass(slots=True)
class Looked:
    """What an object holds: its plain values, the lists below it, and which keys are columns."""

    head: dict[str, Any]
    found: list[Found]
    texts_by_row: int = 0


def look(
    parts: Iterable[tuple[str, Any]], columns: Columns, depth: int = 0, *, every: bool = False
) -> Looked:
    """Look for lists in the members of an object, and in the objects in it.

    The lists in an object that is an article itself are found with `every` alone.
    """
    looked = Looked({}, [])
    by_id: list[int] = []
    count = objects = 0
    for key, value in parts:
        count += 1
        if _is_list(value):
            found = _look_at_list(value, columns, depth)
            looked.found.append(replace(found, keys=(key,), heads=(looked.head,)))
            looked.texts_by_row += count < _SAMPLE and _is_column(key, value, columns)
            if isinstance(value, list) and all(isinstance(one, str) for one in value[:_SAMPLE]):
                looked.head[key] = value
        elif isinstance(value, dict | Stream):
            objects += 1
            looked.texts_by_row += count < _SAMPLE and _is_column(key, value, columns)
            if key in FEEDS and isinstance(value, dict):
                looked.head[key] = value
            if len(by_id) < _SAMPLE and depth < _DEEPEST:
                likeness = _look_at_object(key, value, looked, columns, (depth, every))
                by_id += [likeness] if likeness else []
        elif len(looked.head) < COLUMNS_LIMIT:
            looked.head[key] = value
    # Objects of one kind beside each other are rows under their ids; one alone is a wrapper.
    if by_id and objects * 2 > count and (objects > 1 or any(map(str.isdigit, key))):
        looked.found.append(Found((), count, max(by_id), heads=(looked.head,)))
    return looked


def _is_list(value: object) -> TypeGuard[list[Any] | Stream]:
    return isinstance(value, list) or (isinstance(value, Stream) and value.is_list)


def _look_at_object(
    key: str,
    value: "dict[str, Any] | Stream",
    looked: Looked,
    columns: Columns,
    how: tuple[int, bool],
) -> int:
    """Note the lists below an object; return its worth if it can be a row under its id, else 0."""
    depth, every = how
    parts = value.parts if isinstance(value, Stream) else value.items()
    inner = look(parts, columns, depth + 1, every=every)
    holds_some = bool(candidates(inner, columns))
    if every or holds_some:
        looked.found += (
            replace(one, keys=(key, *one.keys), heads=(looked.head, *one.heads))
            for one in inner.found
        )
    if holds_some or key in _WRAPPERS or columns.match((key,)) or isinstance(value, Stream):
        return 0
    return worth(value, columns, depth + 1)


def _look_at_list(value: "list[Any] | Stream", columns: Columns, depth: int) -> Found:
    count = best = 0
    of_lists = of_objects = False
    for element in value.parts if isinstance(value, Stream) else value:
        if count < _SAMPLE:
            best = max(best, worth(element, columns, depth + 1))
            of_lists = of_lists or isinstance(element, list)
            of_objects = of_objects or isinstance(element, dict)
        elif isinstance(value, list):
            count = len(value)
            break
        count += 1
    return Found((), count, best, of_lists, of_objects)


def _is_column(key: str, value: "dict[str, Any] | list[Any] | Stream", columns: Columns) -> bool:
    """Whether this is a column of titles or texts: a list of them, or an object by row."""
    if not columns.match((key,)).keys() & {"title", "text"} or value is not plain_value(value):
        return False
    if isinstance(value, Stream):
        return True
    if isinstance(value, dict) and said(value, columns) & {"title", "text"}:
        return False  # an article in a wrapper
    some = [*islice(value.values() if isinstance(value, dict) else value, _SAMPLE)]
    return any(isinstance(one, str) for one in some) and not any(
        isinstance(one, dict | list) for one in some
    )


def worth(value: object, columns: Columns, depth: int = 0) -> int:
    """Return how much an element looks like an article: see `Found`."""
    if depth > _DEEPEST:
        return 0
    if isinstance(value, list):
        return max((worth(one, columns, depth + 1) for one in value[:_SAMPLE]), default=0)
    if not isinstance(value, dict):
        return 0
    have = said(unwrapped(value, columns), columns)
    if not columns.needs_text:
        return 2 if have else 0
    if not have & {"title", "text"}:
        inner = look(value.items(), columns, depth + 1)
        return max((one.worth for one in candidates(inner, columns)), default=0)
    more = {"text", "summary", "date", "url"} if "title" in have else {"date", "url"}
    return 2 if have & more else 1


def said(value: Mapping[str, Any], columns: Columns) -> set[str]:
    """Return the fields that an object has a plain value for."""
    if len(value) > COLUMNS_LIMIT:
        return set()
    return {
        field
        for field, names in columns.match(tuple(value)).items()
        if any(_is_plain(columns.value(field, name, value[name])) for name in names)
    }


def _is_plain(value: object) -> bool:
    return not isinstance(value, dict | list | Stream) and value not in (None, "")


def candidates(looked: Looked, columns: Columns) -> list[Found]:
    """Return the lists of which one is the articles; none if the object is an article itself."""
    have = said(looked.head, columns)
    worthy = [one for one in looked.found if one.worth]
    best = [one for one in worthy if one.worth == max(one.worth for one in worthy)]
    if not columns.needs_text:
        return [] if have else best
    if not have & {"title", "text"}:
        return best
    if {"title", "text"} <= have:
        return []
    # A feed has a title, an answer of an interface a message.
    strong = [one for one in best if one.worth == 2]
    named = [one for one in strong if one.is_named]
    return named or ([] if have & {"summary", "date", "url"} else strong)


def unread(looked: Looked) -> list[Found]:
    """Return the lists that look like articles, for an object that is an article itself."""
    return [one for one in looked.found if one.worth == 2]


def empty_list(looked: Looked, columns: Columns) -> Found | None:
    """Return the list in which an answer without articles would have them."""
    if said(looked.head, columns) & {"title", "text"} or any(one.count for one in looked.found):
        return None
    return next((one for one in looked.found if one.is_named), None)


def unwrapped(value: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """Return a row without the object around it: {"_id": …, "_source": {…}} is one row.

    What the outer object says stays, unless the inner one says it too.
    """
    if dict not in map(type, value.values()) or len(value) > COLUMNS_LIMIT:
        return value
    have = said(value, columns) & {"title", "text"}
    if len(have) == 2:
        return value
    inside = {
        key: (said(inner, columns) & {"title", "text"}) - have
        for key, inner in value.items()
        if isinstance(inner, dict) and inner is plain_value(inner)
    }
    chosen = [key for key in inside if key in _WRAPPERS and inside[key]]
    if not chosen and not have:
        others = [key for key in inside if inside[key] and not columns.match((key,))]
        chosen = others if len(others) == 1 else []
    out = {key: inner for key, inner in value.items() if key not in chosen}
    for key in chosen:
        out = {**value[key], **out} if have else {**out, **value[key]}
    return out
