"""Web pages and whole text files: one article each."""

import codecs
import re
from collections.abc import Iterator

from newsnest.corpus.dates.words import without_warnings
from newsnest.corpus.markup import to_text
from newsnest.corpus.origin import BrokenStreamError, Origin, read_chunks
from newsnest.corpus.rows import Row, Tally, reject
from newsnest.corpus.source import Source, decode, sniff_encoding
from newsnest.errors import InputError
from newsnest.progress import Task
from newsnest.types import Rejected

PAGE_LIMIT = 32 << 20
"""Bytes of the largest page that is read."""

TAG_LIMIT = 15_000
"""Tags of the largest page: the search for the main text is quadratic in some of them."""

INLINE_LIMIT = 2_000
"""Tags between two blocks: links and the like within one paragraph."""

ATTRIBUTE_LIMIT = 200
"""Attributes of one tag: the parser compares each with all others."""

_SCRIPT = re.compile(
    r"<(?:script|style)\b(?:[^<]|<(?!/(?:script|style)|(?:script|style)\b))*+", re.I
)
_TAG_START = re.compile("<[a-zA-Z]")
_BLOCK_START = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|t[rdh]|table|section|article|blockquote|main|body|head)\b",
    re.I,
)
_LONG_TAG = re.compile(f"<[a-zA-Z][^<>]{{{2 * ATTRIBUTE_LIMIT},}}")
_QUOTED = re.compile("\"[^\"]*+\"|'[^']*+'")

NOT_UTF8 = "file is not UTF-8 and was read as {0}|files are not UTF-8 and were read as {0}"
NO_MAIN_TEXT = (
    "page has no main text that could be found|pages have no main text that could be found"
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.I)


def read_page(source: Source) -> Iterator[Row | Rejected]:
    """Yield the article of an HTML page: its main text, title, date, outlet and address."""
    origin = source.origin
    whole = _read_whole(origin, source.task)
    if isinstance(whole, Rejected):
        yield whole
        return
    html = _decode_page(whole, source.encoding, origin.name, source.tally)
    if not html.strip():
        yield reject(origin.name, 1, "the page is empty", html)
        return
    if fault := _too_much(html):
        yield reject(origin.name, 1, fault, html)
        return
    try:
        values = _extract(html)
    except ImportError as error:
        raise broken_installation(origin.name, error) from error
    except Exception as error:  # whatever a parser says to a hostile page, the page is at fault
        reason = f"the page cannot be parsed: {type(error).__name__}: {error}"
        yield reject(origin.name, 1, reason, html)
        return
    if not values["text"]:
        source.tally.count(NO_MAIN_TEXT, origin.name)
    yield Row(origin.name, 1, values, html)


def read_texts(source: Source) -> Iterator[Row | Rejected]:
    """Yield one row a line, or the one article that a text file of a directory is."""
    origin = source.origin
    if not origin.folder:
        for line in source.lines():
            if line.fault:
                yield reject(origin.name, line.number, line.fault, line.text)
            elif line.text.strip():
                yield Row(origin.name, line.number, {"text": line.text}, line.text)
        return
    whole = _read_whole(origin, source.task)
    if isinstance(whole, Rejected):
        yield whole
        return
    text = _decode_text(whole, source.encoding, origin.name, source.tally)
    yield Row(origin.name, 1, {"text": text}, text)


def broken_installation(file: str, error: ImportError) -> InputError:
    """Return the error of a parser that is missing: no file is at fault for that."""
    return InputError(
        f"read_articles: {file} cannot be read, for a package is missing or broken: "
        f"{str(error).rstrip('.')}. Upgrade pip, and install newsnest again."
    )


def _read_whole(origin: Origin, task: Task) -> bytes | Rejected:
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in read_chunks(origin.path, task):
            parts.append(chunk)
            size += len(chunk)
            if size > PAGE_LIMIT:
                shown = decode(parts[0][:50_000])[0]
                reason = f"the file holds more than {PAGE_LIMIT:,} bytes, too many for one article"
                return reject(origin.name, 1, reason, shown)
    except BrokenStreamError as error:
        shown = decode(b"".join(parts)[:50_000])[0]
        reason = f"the file breaks off after {size:,} readable bytes: {error}"
        return reject(origin.name, 1, reason, shown)
    return b"".join(parts)


def _decode_text(whole: bytes, encoding: str | None, file: str, tally: Tally) -> str:
    name, skip = sniff_encoding(whole[:4], encoding)
    if name != "utf-8" or encoding is not None:
        return whole.decode(name, "replace").removeprefix("\ufeff")
    text, is_utf8 = decode(whole[skip:])
    if not is_utf8:
        tally.count(NOT_UTF8.format("Windows-1252"), file)
    return text


def _decode_page(whole: bytes, encoding: str | None, file: str, tally: Tally) -> str:
    """Decode as requested, by its mark, as UTF-8, as the page declares, else as Windows-1252."""
    declared = _CHARSET.search(whole[:4096])
    name, _ = sniff_encoding(whole[:4], encoding)
    if encoding is None and name == "utf-8" and declared and not decode(whole)[1]:
        charset = declared[1].decode()
        try:
            text = whole.decode(codecs.lookup(charset).name)
        except (LookupError, ValueError):
            pass
        else:
            tally.count(NOT_UTF8.format(charset), file)
            return text
    return _decode_text(whole, encoding, file, tally)


def _too_much(html: str) -> str:
    """Return what a page has too much of to be searched for its main text in seconds."""
    shown = _SCRIPT.sub("", html)
    tags = len(_TAG_START.findall(shown))
    if tags > TAG_LIMIT:
        return f"the page holds {tags:,} tags, more than {TAG_LIMIT:,}, too many for one article"
    if tags > INLINE_LIMIT:
        inline = max(len(_TAG_START.findall(part)) for part in _BLOCK_START.split(shown))
        if inline > INLINE_LIMIT:
            return f"one paragraph holds {inline:,} tags, more than {INLINE_LIMIT:,}"
    return too_many_attributes(shown)


def too_many_attributes(markup: str) -> str:
    """Return that a tag has more attributes than parsers take well, "" if none has."""
    for tag in _LONG_TAG.finditer(markup):
        attributes = len(_QUOTED.sub("", tag[0]).replace("/", " ").split()) - 1
        if attributes > ATTRIBUTE_LIMIT:
            return f"one tag holds {attributes:,} attributes, more than {ATTRIBUTE_LIMIT:,}"
    return ""


def _extract(html: str) -> dict[str, object]:
    from trafilatura import bare_extraction

    with without_warnings():
        page = bare_extraction(
            html, with_metadata=True, include_comments=False, date_extraction_params=_DATE_PARAMS
        )
    if page is None:
        return {"title": _title_of(html), "text": ""}
    found = page if isinstance(page, dict) else page.as_dict()
    return {
        "title": found.get("title") or _title_of(html),
        "text": found.get("text") or found.get("description"),
        "date": found.get("date"),
        "source": found.get("sitename") or found.get("hostname"),
        "url": found.get("url"),
        "lang": _language_of(html),
    }


# Only dates the page states; the latest allowed day is fixed so that no run depends on today.
_DATE_PARAMS = {"extensive_search": False, "max_date": "2999-12-31", "original_date": True}


def _title_of(html: str) -> str:
    title = re.search(r"<title[^>]{0,200}>([^<]{1,1000})", html[:100_000], re.IGNORECASE)
    return to_text(title[1]) if title else ""


def _language_of(html: str) -> str:
    found = re.search(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([A-Za-z-]{2,12})", html[:10_000], re.I)
    return found[1] if found else ""
