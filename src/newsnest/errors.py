"""Everything newsnest raises on purpose.

NewsnestError
├── InputError        a file, a row or a field that cannot be used
├── ParameterError    a parameter outside its domain (also a ValueError)
├── EncoderError      an encoder that cannot be found, verified or run
├── NestError         a nest that cannot be opened, written or understood
└── MissingExtra      an optional package that is not installed

The command line catches NewsnestError alone: one line on stderr, exit status 1.
"""

from __future__ import annotations


class NewsnestError(Exception):
    """Base of every error that newsnest raises on purpose."""


class InputError(NewsnestError):
    """A file, a row or a field cannot be used; the message names it and the cure."""


class ParameterError(NewsnestError, ValueError):
    """A parameter lies outside its domain."""


class EncoderError(NewsnestError):
    """An encoder cannot be found, verified or run."""


class NestError(NewsnestError):
    """A nest cannot be opened, written or understood."""


class MissingExtra(NewsnestError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed. Run: pip install 'newsnest[{extra}]'")
