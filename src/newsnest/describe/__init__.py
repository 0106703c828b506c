"""Names, keywords and summaries for the clusters of a hierarchy.

Importing this package reads no word lists: a describer does when it is first used.
"""

from typing import TYPE_CHECKING, Any

from newsnest.describe.protocol import MAX_CHARACTERS, MAX_TERMS, Describer, Description
from newsnest.describe.registry import DESCRIBERS, KnownDescriber, load_describer

if TYPE_CHECKING:
    from newsnest.describe.keyword_describer import KeywordDescriber

__all__ = [
    "DESCRIBERS", "MAX_CHARACTERS", "MAX_TERMS", "Describer", "Description", "KeywordDescriber",
    "KnownDescriber", "load_describer",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name != "KeywordDescriber":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from newsnest.describe.keyword_describer import KeywordDescriber

    return KeywordDescriber
