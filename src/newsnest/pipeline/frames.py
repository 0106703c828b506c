"""Which texts are centred together: the part of a corpus' frame that looks at articles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsnest.pipeline.options import Centre
from newsnest.types import Article, Labels


def centred_together(texts: Sequence[Article], centre: Centre) -> tuple[list[str], Labels]:
    """Return the groups, languages or "" for all, and the group of every text.

    Example
    -------
    >>> names, groups = centred_together([Article("a", lang="fr"), Article("b")], "language")
    >>> names, groups.tolist()
    (['', 'fr'], [1, 0])
    """
    languages = [article.lang if centre == "language" else "" for article in texts]
    names, groups = np.unique(languages, return_inverse=True)
    return [str(name) for name in names], groups.astype(np.int32)
