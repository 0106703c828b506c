"""Tables in JSON: what holds for all rows of a list, and rows that are no objects."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from newsnest.corpus.columns import Columns
from newsnest.corpus.json.shape import FEEDS, Found, Keys, Looked
from newsnest.corpus.json.values import plain_value


def split_columns(found: Found) -> tuple[str, ...]:
    """Return the columns of a list of lists of values, as pandas writes it; () of other lists."""
    names = found.heads[-1].get("columns") if found.of_lists and found.heads else None
    return tuple(names) if isinstance(names, list) else ()


def split_list(looked: Looked, columns: Columns) -> Found | None:
    """Return the list of lists of values that is a table, None if there is none."""
    for one in looked.found:
        names = split_columns(one)
        if names and (not columns.needs_text or columns.match(names).keys() & {"title", "text"}):
            return one
    return None


def by_row(value: Mapping[str, Any], looked: Looked) -> Iterator[dict[str, object]]:
    """Yield the rows of an object that holds a list, or an object by row, for each column."""
    tables = [*value.values()]
    if not looked.texts_by_row:
        return
    if all(isinstance(one, list) and len(one) == len(tables[0]) for one in tables):
        if len(tables) > 1:
            for values in zip(*tables, strict=True):
                yield dict(zip(value, values, strict=True))
    elif all(isinstance(one, dict) for one in tables):
        for row in dict.fromkeys(chain.from_iterable(tables)):
            yield {name: one.get(row) for name, one in value.items()}


def usual(heads: Sequence[Mapping[str, Any]], keys: Keys) -> dict[str, object]:
    """Return what the objects around a list say for all its rows: a feed its title and language."""
    found: dict[str, object] = {}
    for place, head in enumerate(heads):
        feeds = [head] if place and keys[place - 1] in FEEDS else []
        if "jsonfeed" in str(head.get("version")):
            feeds.append(head)
        feeds += (head[name] for name in FEEDS if isinstance(head.get(name), dict))
        for feed in feeds:
            title = plain_value(feed.get("title"))
            found |= {"source": title} if isinstance(title, str) and title else {}
            found |= {"language": feed["language"]} if feed.get("language") else {}
    return found
