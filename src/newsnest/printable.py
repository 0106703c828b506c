"""What may be printed: names of files and words of articles come from anywhere."""

import re

# Controls of terminals, line separators, marks that turn the direction of what follows around, and
# the halves that stand for the bytes of a file name that is not UTF-8.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_ENDS = "\n\t"


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text with every character that would act on a terminal written out.

    Parameters
    ----------
    text
        Anything.
    lines
        Keep line ends and tabs, as in whole messages; a name has none.

    Example
    -------
    >>> printable("a\x1b[31m.csv"), printable("caf\udce9.csv"), printable("café\n", lines=True)
    ('a\\x1b[31m.csv', 'caf\\xe9.csv', 'café\n')
    """
    if text.isprintable():
        return text
    return _UNSAFE.sub(lambda m: m[0] if lines and m[0] in _LINE_ENDS else _written(m[0]), text)


def _written(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that could not be decoded
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
