"""Everything newsnest raises on purpose.

NewsnestError
├── InputError        a file, a row or a field that cannot be used
├── ParameterError    a parameter outside its domain (also a ValueError)
├── EncoderError      an encoder that cannot be found, verified or run
└── NestError         a nest that cannot be opened, written or understood

The command line catches NewsnestError alone: one line on stderr, exit status 1.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from newsnest.printable import printable

_SPEAKER = re.compile(r"\A[A-Za-z_]+: (?=.* must )")


class NewsnestError(Exception):
    """Base of every error that newsnest raises on purpose."""

    @property
    def for_people(self) -> str:
        """The message on one line, without the function it begins with: that is for programmers.

        What would act on a terminal is written out.

        Example
        -------
        >>> ParameterError("export: path must end in .csv, got 'a.xls'. Rename it.").for_people
        "path must end in .csv, got 'a.xls'. Rename it."
        """
        return _SPEAKER.sub("", printable(" ".join(str(self).split())))


class InputError(NewsnestError):
    """A file, a row or a field cannot be used; the message names it and the cure."""


class ParameterError(NewsnestError, ValueError):
    """A parameter lies outside its domain."""


class EncoderError(NewsnestError):
    """An encoder cannot be found, verified or run."""


class NestError(NewsnestError):
    """A nest cannot be opened, written or understood."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean …?" for a name that is nearly a known one, else "".

    Example
    -------
    >>> did_you_mean("storey", ["theme", "topic", "story"]), did_you_mean("x", ["theme"])
    (" Did you mean 'story'?", '')
    """
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
