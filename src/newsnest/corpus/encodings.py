"""Which encodings text is read in, and the order of bytes where a file does not say it."""

import codecs
from encodings.aliases import aliases

from newsnest.errors import ParameterError, did_you_mean

USUAL = (
    "utf-8", "windows-1252", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r", "utf-16",
    "utf-16-le", "utf-16-be", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
)  # fmt: skip
# Of domain names and of Python source; the rest that is no text says so itself.
_NO_TEXT = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")
_WIDTHS = {"utf-16": 2, "utf-32": 4}


def check_encoding(name: str) -> None:
    """Raise ParameterError unless a name is that of an encoding of text."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: of a name that holds a null character
        known = {known.replace("_", "-") for known in (*aliases, *aliases.values())} | set(USUAL)
        raise ParameterError(
            f"ReadOptions: encoding must be one Python knows, got {name!r}."
            f"{did_you_mean(name.lower(), sorted(known))} Name one such as {', '.join(USUAL)}."
        ) from None
    is_text = codec._is_text_encoding  # Python tells it nowhere else
    if not is_text or codec.name.replace("_", "-") in _NO_TEXT:
        raise ParameterError(
            f"ReadOptions: encoding must be one of text, got {name!r}. Name one such as "
            f"{', '.join(USUAL)}."
        )


def with_order(start: bytes, encoding: str) -> str:
    """Return "utf-16-le" and the like for a beginning without a mark, "" if it is no such text.

    Characters below U+0100, such as spaces and line ends, have their zeros on one side.
    """
    width = _WIDTHS[encoding]
    first, last = (start[at::width].count(0) for at in (0, width - 1))
    if first == last:
        return ""
    return f"{encoding}-{'be' if first > last else 'le'}"


def looks_like_utf16(start: bytes) -> bool:
    """Tell whether text that says nothing of its encoding is UTF-16: zeros on one side alone."""
    zeros = sorted(start[at::2].count(0) for at in (0, 1))
    return zeros[0] == 0 and zeros[1] * 8 > len(start)


def leaves_order_open(encoding: str) -> bool:
    """Tell whether an encoding leaves the order of bytes to a mark at the beginning."""
    return codecs.lookup(encoding).name in _WIDTHS
