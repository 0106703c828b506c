"""Keyword quality without human judges: coherence within a cluster, diversity across clusters."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy import sparse

from newsnest.errors import ParameterError
from newsnest.types import Floats

UNSEEN = -1


def keyword_coherence(keywords: Sequence[Sequence[int]], presence: sparse.csr_array) -> Floats:
    """Return the coherence of every cluster's keywords: how often they occur in the same texts.

    The mean over pairs of normalised pointwise mutual information, log(p(a, b) / p(a)·p(b)) over
    −log p(a, b), in [−1, 1]: 1 where words never come without each other, 0 by chance, −1 where
    they never meet. It favours frequent words: report it together with `keyword_diversity`.

    Parameters
    ----------
    keywords
        Columns of `presence`, a sequence a cluster; −1 for a keyword that occurs in no text.
    presence
        CSR (n, v), n ≥ 1: not zero where text i says term j.

    Returns
    -------
    float64 (clusters,), NaN where there are fewer than two keywords.

    Raises
    ------
    ParameterError
        If there is no text, or a column is none.

    Notes
    -----
    Source: Bouma (2009); Lau, Newman and Baldwin (2014). Differs from the source in that words
    meet in whole texts, not in a window of ten words, for news is short; and in taking −1 and 1 at
    their limits, without smoothing. O(entries of the columns named, squared a text).

    Example
    -------
    >>> texts = sparse.csr_array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]])
    >>> keyword_coherence([(0, 1), (0, 2)], texts).tolist()
    [1.0, -1.0]
    """
    n, width = presence.shape
    named = sorted({column for own in keywords for column in own} - {UNSEEN})
    if not n or (named and not 0 <= named[0] <= named[-1] < width):
        raise ParameterError(
            f"keyword_coherence: keywords must be columns of at least one text, got {n} texts with "
            f"{width} columns and keywords {named[:1]} to {named[-1:]}. Give those of one count."
        )
    place = {column: at for at, column in enumerate(named)}
    seen = sparse.csr_array(presence[:, named], dtype=np.float64)
    seen.data[:] = 1.0
    together = sparse.coo_array(seen.T @ seen)
    met = {
        (int(a), int(b)): float(count)
        for a, b, count in zip(together.row, together.col, together.data, strict=True)
    }
    out = np.full(len(keywords), np.nan)
    for row, own in enumerate(keywords):
        found = [_npmi(place.get(a), place.get(b), met, n) for a, b in combinations(own, 2)]
        if found:
            out[row] = np.mean(found)
    return out


def _npmi(a: int | None, b: int | None, met: dict[tuple[int, int], float], n: int) -> float:
    if a is None or b is None or not met.get((a, b)):
        return -1.0
    both = met[a, b] / n
    if both == 1.0:
        return 1.0
    return float(np.log(both / (met[a, a] * met[b, b] / n**2)) / -np.log(both))


def keyword_diversity(keywords: Sequence[Sequence[int]]) -> float:
    """Return the share of different keywords among those of all clusters, in [0, 1].

    Parameters
    ----------
    keywords
        As in `keyword_coherence`; numbers of −1 are all different.

    Raises
    ------
    ParameterError
        If there is no keyword.

    Notes
    -----
    Source: Dieng, Ruiz and Blei (2020), with the keywords there are in place of the best 25.

    Example
    -------
    >>> keyword_diversity([(0, 1), (1, 2)])
    0.75
    """
    every = [column for own in keywords for column in own]
    if not every:
        raise ParameterError(
            "keyword_diversity: keywords must hold one at least, got none. Give those of clusters."
        )
    seen = [column for column in every if column != UNSEEN]
    return (len(set(seen)) + len(every) - len(seen)) / len(every)
