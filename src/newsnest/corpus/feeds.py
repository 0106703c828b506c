"""RSS and Atom files → rows."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from newsnest.corpus.dates.words import without_warnings
from newsnest.corpus.markup import to_text
from newsnest.corpus.origin import BrokenStreamError, read_chunks
from newsnest.corpus.outlets import known_outlet
from newsnest.corpus.rows import Row, Tally, reject
from newsnest.corpus.source import Source, decode, sniff_encoding
from newsnest.corpus.web_pages import broken_installation, too_many_attributes
from newsnest.types import Rejected

FEED_LIMIT = 64 << 20
"""Bytes of the largest feed that is read: a feed is parsed as a whole."""

STRAY_LIMIT = 20_000
"""Characters `<` and `&` that begin nothing: the lenient parser takes microseconds for each."""

ENTITY_LIMIT = 1 << 20
"""Bytes that the entities of a feed may expand to."""

_LINK = re.compile(r"[a-z][a-z0-9+.-]*:|/|\w[^/?#]*[/.]", re.IGNORECASE)
_STRAY = re.compile(rb"<(?![\w/!?])|&(?![\w#])")
_ENTITY = re.compile(rb"""<!ENTITY\s+([^\s"'<>%&;]++)\s*("[^"]*"|'[^']*'|SYSTEM|PUBLIC)""", re.I)
_USE = re.compile(rb"&([^\s&;<#]{1,100});")
_NESTED = re.compile(rb"&(?!#|(?:amp|lt|gt|quot|apos);)|%\w+;")

_MALFORMED = (
    "feed is not well-formed XML and was read as far as it goes"
    "|feeds are not well-formed XML and were read as far as they go"
)


def read_feed(source: Source) -> Iterator[Row | Rejected]:
    """Yield one row an entry; the line is the number of the entry.

    The bytes are parsed as they are: nothing is fetched, no outer entity is read.
    """
    origin, encoding = source.origin, source.encoding
    parts: list[bytes] = []
    size, fault = 0, ""
    try:
        for chunk in read_chunks(origin.path, source.task):
            parts.append(chunk)
            size += len(chunk)
            if size > FEED_LIMIT:
                fault = f"the feed holds more than {FEED_LIMIT:,} bytes. Split it"
                yield reject(origin.name, 0, fault, decode(parts[0][:50_000])[0])
                return
    except BrokenStreamError as error:
        fault = f"the file breaks off after {size:,} readable bytes: {error}"
    whole = b"".join(parts)
    name, _ = sniff_encoding(whole[:4], encoding)
    if encoding is not None or name != "utf-8":
        # What the XML declaration says must not win over what the caller or the mark says.
        text = whole.decode(name, "replace").removeprefix("\ufeff")
        if text.lstrip().startswith("<?xml"):
            text = text.partition("?>")[2]
        whole = text.encode("utf-8", "replace")
    number = 0
    if bomb := _bomb(whole):
        yield reject(origin.name, 0, bomb, _show(whole))
        return
    if whole.strip():
        for row in _read_entries(whole, origin.name, source.tally, is_cut=bool(fault)):
            number += 1
            yield row
    if fault:
        yield reject(origin.name, number + 1, fault, decode(whole[-2_000:])[0])


def _read_entries(
    whole: bytes, file: str, tally: Tally, *, is_cut: bool
) -> Iterator[Row | Rejected]:
    try:
        import feedparser
    except ImportError as error:
        raise broken_installation(file, error) from error
    try:
        # A stream, because feedparser takes plain bytes or text for a file name or an address.
        with without_warnings():
            feed = feedparser.parse(
                io.BytesIO(whole), resolve_relative_uris=False, sanitize_html=False
            )
        rows = [_values(entry, feed.feed, tally) for entry in feed.entries]
    except Exception as error:  # whatever a parser says to a hostile feed, the feed is at fault
        reason = f"the feed cannot be parsed: {type(error).__name__}: {error}"
        yield reject(file, 0, reason, _show(whole))
        return
    if not rows and not is_cut and (feed.bozo or not feed.version):
        why = feed.get("bozo_exception", "no feed element")
        yield reject(file, 0, f"is neither RSS nor Atom: {why}", _show(whole))
        return
    if rows and feed.bozo and not is_cut and _is_fault(feed.get("bozo_exception")):
        tally.count(_MALFORMED, f"{feed.bozo_exception}"[:200])
    for number, values in enumerate(rows, start=1):
        yield Row(file, number, values, None)


def _bomb(whole: bytes) -> str:
    """Return what of a feed would take far more time or memory to parse than its size says."""
    entities = list(_ENTITY.finditer(whole))
    uses = Counter(_USE.findall(whole)) if entities else Counter()
    grown = 0
    for name, value in (entity.groups() for entity in entities):
        grown += uses[name] * len(value)
        if (uses[name] and _NESTED.search(value)) or grown > ENTITY_LIMIT:
            return (
                f"the feed declares the entity {name.decode('utf-8', 'replace')[:40]!r}, which "
                f"expands to other entities or to more than {ENTITY_LIMIT:,} bytes. Write it out"
            )
    strays = sum(1 for _ in _STRAY.finditer(whole))
    if strays > max(STRAY_LIMIT, len(whole) // 100):
        return f"the feed holds {strays:,} characters < and & that begin no tag and no entity"
    return too_many_attributes(whole.decode("latin-1"))


def _is_fault(error: object) -> bool:
    """Whether feedparser complains of the XML, not merely of a declared encoding."""
    return type(error).__name__ not in ("CharacterEncodingOverride", "NonXMLContentType")


def _show(whole: bytes) -> str:
    start = whole[:50_000]
    name, _ = sniff_encoding(start[:4], None)
    return decode(start)[0] if name == "utf-8" else start.decode(name, "replace")


def _values(entry: Any, feed: Any, tally: Tally) -> dict[str, object]:
    bodies = [to_text(part.get("value") or "") for part in entry.get("content", ())]
    outlet = entry["source"] if entry.get("source", {}).get("title") else feed
    return {
        "id": entry.get("id"),
        "title": to_text(entry.get("title") or ""),
        "text": max(bodies, key=len, default=""),
        "summary": to_text(entry.get("summary") or ""),
        "date": entry.get("published"),
        # Where there is none, feedparser gives the other, with a warning.
        "updated": dict.get(entry, "updated"),
        # Of two savings of a feed, the later one tells which version of an entry is newer.
        "retrieved": dict.get(feed, "updated"),
        "source": known_outlet(
            " ".join(to_text(outlet.get("title") or "").split()),
            outlet.get("href") or outlet.get("link") or "",
            tally,
        ),
        # A guid counts as a link unless the feed says otherwise, though most are numbers.
        "url": link if _LINK.match(link := entry.get("link") or "") else "",
        "lang": entry.get("language") or feed.get("language"),
    }
