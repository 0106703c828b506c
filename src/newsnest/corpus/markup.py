"""HTML in titles, texts and feeds → the words it shows.

An HTML parser takes every `<` for a tag and loses the words behind it. Here a cell is HTML only
where it cannot be anything else; all other text stays as it is, to the letter.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Sequence

_LEVELS = 4
"""How often a text may have been escaped; what is left then stays as it is."""

_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};"
    r"|#(?:0?39|160|8[0-9]{3})(?![0-9]))"  # what feeds cut off or forget to end
)
_SPACES = re.compile("[ \t\xa0]+")
_TOKEN = re.compile(
    r"""<!--(?:[^<-]|-(?!->)|<(?!!--))*+-->      # never past the next comment: linear
    |   (?P<cdata><!\[CDATA\[|\]\]>)
    |   <(?:!doctype\b|\?(?:xml|php)\b)[^<>]*+>
    |   </(?P<close>[a-z][\w:.-]*+)\s*+>
    |   <(?P<open>[a-z][\w:-]*+)
        (?P<rest>(?:="(?:[^"<]|<(?![a-z/!]))*+"(?=[\s/>])
                 | ='(?:[^'<]|<(?![a-z/!]))*+'(?=[\s/>]) | [^<>])*+)>
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FLAG = (
    r"\s+(?:async|checked|controls|defer|disabled|hidden|allowfullscreen|nowrap|selected|muted)\b"
)
_ATTRIBUTE = re.compile(rf"(?:{_FLAG})*(?:\s+[\w:@.-]+\s*=\s*\S|\s*/?$)", re.IGNORECASE)
_CUT_TAG = re.compile(
    r"""<([a-z][a-z0-9]*)(?:\s+[\w-]+=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*"""
    r"""\s+[\w-]+=(?:"[^"<>]*|'[^'<>]*)$""",
    re.IGNORECASE,
)
_SILENT = frozenset(("script", "style", "template", "svg", "head"))
_EMPTY = frozenset(("br", "hr", "wbr"))
_OPTIONAL_END = frozenset(("p", "li", "dt", "dd", "tr", "td", "th", "option"))
_LINES = (
    "address article aside blockquote body br caption center dd dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav noscript ol "
    "optgroup option p pre section select summary table tbody tfoot thead title tr ul"
)
_BLOCKS = frozenset(_LINES.split())
_INLINE = (
    "a abbr acronym area audio b base bdi bdo big blink button canvas cite code col colgroup data "
    "datalist del details dfn dialog em embed font frame frameset i iframe img input ins kbd label "
    "link map mark marquee meta meter nobr object output param picture progress q rp rt ruby s "
    "samp small source span strike strong sub sup td textarea th time track tt u var video wbr"
)
_ELEMENTS = _BLOCKS | _SILENT | frozenset(_INLINE.split())
_Found = re.Match[str]


def to_text(cell: str) -> str:
    r"""Return the words that a piece of HTML shows, a line a block; other text as it is.

    Tags, comments, scripts and styles go, and entities become characters, also where the whole was
    escaped once or twice more. A cell is HTML where a tag is closed, has an attribute or stands
    where no word does; `<a>` alone, `a < b` and `R&D` are words. O(n).

    Examples
    --------
    >>> to_text("<p>Fish &amp; chips</p><p>again</p>")
    'Fish & chips\nagain'
    >>> to_text("Keep the <a> tag: R&D cut by 5 < 7")
    'Keep the <a> tag: R&D cut by 5 < 7'
    """
    for _ in range(_LEVELS):
        if "<" not in cell and "&" not in cell:
            break
        before = cell
        if "<" in cell:
            cell = _without_tags(cell)
        if "&" in cell:
            cell = _with_characters(cell)
        if cell == before:
            break
    return cell


def _with_characters(text: str) -> str:
    """Decode entities once, leaving `&copy=1` and `AT&T` alone."""
    decoded = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "\xa0" in decoded and decoded != text:
        decoded = _SPACES.sub(lambda run: " " if "\xa0" in run[0] else run[0], decoded)
    return decoded


def _without_tags(text: str) -> str:
    # A cell cut at so many characters may end within a tag.
    cut = _CUT_TAG.search(text, text.rfind("<"))
    if cut and cut[1].lower() in _ELEMENTS:
        text = text[: cut.start()].rstrip()
    found = list(_TOKEN.finditer(text))
    pairs = _pairs(found)
    if not any(_is_sure(token, text, token.start() in pairs) for token in found):
        return text
    pieces: list[str] = []
    at = 0
    for token in found:
        name = _name(token)
        if token.start() < at or (name and _is_word(token, token.start() in pairs)):
            continue
        pieces.append(text[at : token.start()])
        pieces.append("\n" if name in _BLOCKS else " " if name in ("td", "th") else "")
        at = token.end()
        if name in _SILENT and token["open"]:
            is_cut = _has_attribute(token) and not token["rest"].endswith("/")
            at = pairs.get(token.start(), len(text) if is_cut else at)
    pieces.append(text[at:])
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _name(token: _Found) -> str:
    return (token["open"] or token["close"] or "").lower()


def _pairs(found: Sequence[_Found]) -> dict[int, int]:
    """Return where the tags that open or close something start → where its closing tag ends."""
    opened: dict[str, list[int]] = {}
    closed: dict[str, list[tuple[int, int]]] = {}
    for token in found:
        if token["open"] and (_is_bare(token) or _has_attribute(token)):
            opened.setdefault(_name(token), []).append(token.start())
        elif token["close"]:
            closed.setdefault(_name(token), []).append((token.start(), token.end()))
    pairs: dict[int, int] = {}
    for name in opened.keys() & closed.keys():
        starts = [start for start, _ in closed[name]]
        for start in opened[name]:
            following = bisect_right(starts, start)
            if following < len(starts):
                pairs[start] = closed[name][following][1]
        pairs |= {start: end for start, end in closed[name] if start > opened[name][0]}
    return pairs


def _is_bare(token: _Found) -> bool:
    return not (token["rest"] or "").strip(" /\t\n\r")


def _has_attribute(token: _Found) -> bool:
    return bool(token["open"]) and not _is_bare(token) and bool(_ATTRIBUTE.match(token["rest"]))


def _is_word(token: _Found, in_pair: bool) -> bool:
    """Whether it is none even amid mark-up: `<unk>`, `<b and c>`."""
    if token["open"] and not _is_bare(token) and not _has_attribute(token):
        return True
    return _name(token) not in _ELEMENTS and not in_pair and not _is_own(token)


def _is_own(token: _Found) -> bool:
    """Whether it is a tag of another vocabulary (`<o:p/>`, `<amp-ad x="">`), not a word."""
    if token["open"] and token["rest"].endswith("/"):
        return _is_bare(token) or _has_attribute(token)
    return any(mark in _name(token) for mark in ":-") and _has_attribute(token)


def _is_sure(token: _Found, text: str, in_pair: bool) -> bool:
    """Whether a tag can be nothing but mark-up."""
    name = _name(token)
    if token["cdata"] == "]]>" or (name and _is_word(token, in_pair)):
        return False
    if not name or in_pair or _has_attribute(token) or _is_own(token):
        return True
    before = text[max(0, token.start() - 20) : token.start()]
    after = text[token.end() : token.end() + 1]
    is_stuck = before[-1:].strip() != "" or after.strip() != ""
    if name in _EMPTY:
        return True
    if token["close"]:
        # "He left.</p>", cut at its front; "the </p> tag" is a word.
        return before[-1:].strip() != "" or after in ("", "<")
    last = before.rstrip(" \t")[-1:]
    is_first = last in ("", "\n", ">") or (is_stuck and last in tuple('.!?…”":;'))
    return name in _OPTIONAL_END and is_first
