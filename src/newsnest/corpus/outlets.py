"""The outlet that people know, in what a feed or a table calls itself."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from newsnest.corpus.rows import Tally

_BREAK = re.compile(r"\s+[-–—|>»›·•/]+\s+|(?<=\w):\s+")
_ADDRESS = re.compile(r"(?:https?:)?//([^/?#\s]+)", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[\w-]+\.)+[a-z]{2,})/?", re.IGNORECASE)
_SECOND_LEVEL = frozenset(("ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"))
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_SHORTENED = (
    "article's outlet was shortened to match its address"
    "|articles' outlets were shortened to match their addresses"
)
_LONGEST = 200  # characters of a name
_COMMON = frozenset(
    ("breaking", "daily", "latest", "live", "media", "news", "online", "top", "world")
)
_LEAST = 3  # letters of a word that can stand for a domain


def known_outlet(given: str, url: str, tally: Tally) -> str:
    """Return `outlet_name`, and count what was shortened."""
    name = outlet_name(given, url)
    if name != given:
        tally.count(_SHORTENED, f"{name!r} of {given!r}")
    return name


def outlet_name(given: str, url: str) -> str:
    """Return the part of a name that the address spells, or the name as it is.

    Feeds call themselves "CNN.com - RSS Channel - World" or "World news | The Guardian": of the
    parts, the outlet is the one that the domain of the address spells, in full, in part or by
    initials. A name that is spelled as a whole stays, and so does one of which no part is spelled
    or that no address comes with. A name that is an address becomes its domain.

    Examples
    --------
    >>> outlet_name("CNN.com - RSS Channel - World", "https://edition.cnn.com/x")
    'CNN.com'
    >>> outlet_name("The Times - Tribune", "https://www.thetimes-tribune.com/x")
    'The Times - Tribune'
    """
    if "." in given and (domain := _DOMAIN.fullmatch(given)):
        return domain[1].lower() if "/" in given or given[:4].lower() == "www." else given
    if len(given) > _LONGEST or not _BREAK.search(given):
        return given
    address = _ADDRESS.match(url)
    label = _label(address[1].lower()) if address else ""
    return _spelled(given, label) if label else given


@lru_cache(maxsize=1 << 12)
def _spelled(given: str, label: str) -> str:
    parts = [part for part in _BREAK.split(given) if part]
    if _grade(given, label) >= _WHOLE:
        return given
    grades = [_grade(part, label) for part in parts]
    best = max(grades)
    name = parts[grades.index(best)]
    # "Post - Courier" is one name, "The Birmingham News - al.com" a newspaper on a site of several.
    is_doubtful = best == _BEGINS and grades.count(best) > 1
    is_site = _DOMAIN.match(name) and any(part[:4].lower() == "the " for part in parts)
    return given if not best or is_doubtful or is_site else name


def _label(host: str) -> str:
    """Return the letters of a host's own name: "bbc" of news.bbc.co.uk."""
    labels = host.partition(":")[0].split(".")[:-1]
    if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
        labels.pop()
    return "".join(filter(str.isalnum, labels[-1])) if labels else ""


_EXACT, _WHOLE, _SOME, _BEGINS = 4, 3, 2, 1


def _grade(part: str, label: str) -> int:
    """Return how well a part of a name fits a domain, 0 if it does not."""
    return max(
        _grade_words(_plain(spelling), label) for spelling in (part, part.translate(_UMLAUTS))
    )


def _plain(part: str) -> list[str]:
    """Return the words as a domain writes them: no accents, no signs."""
    words = re.split(r"[\s.-]+", unicodedata.normalize("NFKD", part).casefold())
    return [plain for word in words if (plain := "".join(filter(str.isalnum, word)))]


def _grade_words(words: list[str], label: str) -> int:
    without = words[1:] if words[:1] == ["the"] else words
    if label in ("".join(words), "".join(without)):
        return _EXACT
    if _spells(words, label) or _spells(without, label):
        return _WHOLE
    if any("".join(words[i:j]) == label for i in range(len(words)) for j in range(i + 1, i + 6)):
        return _SOME
    telling = (word for word in words if len(word) >= _LEAST and word not in _COMMON)
    return _BEGINS if any(label.startswith(w) or label.endswith(w) for w in telling) else 0


def _spells(words: Sequence[str], label: str) -> bool:
    """Whether a label is made of beginnings of all words, in their order: "smh", "nytimes"."""
    ends = {0}
    for word in words:
        lengths = range(1, len(word) + 1)
        ends = {end + n for end in ends for n in lengths if label.startswith(word[:n], end)}
    return len(words) > 1 and len(label) in ends
