"""The describers by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsnest.describe.protocol import Describer
from newsnest.plugins import Registry


@dataclass(frozen=True, slots=True)
class KnownDescriber:
    """A describer with a name.

    Parameters
    ----------
    summary
        One line.
    build
        Makes it from its own options, all of which have defaults. Heavy imports happen in the
        call.
    """

    summary: str
    build: Callable[..., Describer]


def _keywords(**options: Any) -> Describer:
    from newsnest.describe.keyword_describer import KeywordDescriber

    return KeywordDescriber(**options)


DESCRIBERS: Registry[KnownDescriber] = Registry(
    "describer",
    "newsnest.describers",
    KnownDescriber,
    {
        "keywords": KnownDescriber(
            "headlines, keywords and quoted sentences, any language", _keywords
        )
    },
)
"""The describers by name; packages add theirs in the entry point group `newsnest.describers`."""


def load_describer(name: str, **options: Any) -> Describer:
    """Return the describer with a name.

    Parameters
    ----------
    name
        A name in `DESCRIBERS`.
    **options
        Options of the describer: for "keywords" those of `KeywordDescriber`.

    Raises
    ------
    ParameterError
        No such name, an option outside its domain, or a name whose package is broken.

    Example
    -------
    >>> load_describer("keywords", max_keywords=3).name
    'keywords'
    """
    return DESCRIBERS.choose(name, function="load_describer").build(**options)
