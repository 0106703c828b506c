"""Leave the names of outlets out of what clusters are named after."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from newsnest.describe import stopwords, tokens
from newsnest.describe.terms import Terms
from newsnest.types import Article, Flags, Floats

OWN_SHARE = 0.5
"""An outlet's name is a subject where more than this share of its occurrences is in others' texts.
"""

_OWN_SHARE_OF_PART = 0.9  # "Arab" of "Arab News": nearly all must be the outlet's own
_DOMAIN_ENDING = 4  # letters: com, org, news, info
_ARTICLES = frozenset({"the", "le", "la", "les", "el", "los", "der", "die", "das", "il", "o"})


def without_outlets(terms: Terms, articles: Sequence[Article]) -> Terms:
    """Return the terms without the names of the articles' outlets.

    A name is left out if at least half of its occurrences are in the outlet's own articles: where
    others write about an outlet, it is a subject. Words of a name follow it only if they seldom
    occur without the rest: "York Times" goes, "New York" stays. Names in lower case are words.
    O(e) in the number of entries of `terms`.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, article in enumerate(articles):
        if article.source.strip():
            rows[article.source.strip()].append(row)
    if not rows or not terms.shown:
        return terms
    column = {shown.casefold(): place for place, shown in enumerate(terms.shown)}
    total = np.asarray(terms.matrix.sum(axis=0)).ravel()
    kept = np.ones(len(terms.shown), dtype=bool)
    for source, own_rows in sorted(rows.items()):
        spelt = [_spelt(source, articles[own_rows[0]].lang)]
        spelt += [([name], False) for name in _joined(source)]
        named = [(words, part) for words, part in spelt if words and _parts(words, column)]
        if not named:
            continue
        own = np.asarray(terms.matrix[np.array(own_rows)].sum(axis=0)).ravel()
        for words, part in named:
            share = _OWN_SHARE_OF_PART if part else OWN_SHARE
            _leave_out(kept, words, column, own, share * total)
    capital = np.array([not shown[:1].islower() for shown in terms.shown])
    return _only(terms, kept | ~capital)


def _spelt(source: str, language: str) -> tuple[list[str], bool]:
    """Return the words of an outlet's name, and whether they are less than the name."""
    words = [word.casefold() for word in tokens.spellings(source) if word != tokens.BREAK]
    if words and words[0] in _ARTICLES:
        words = words[1:]
    stops = stopwords.stop_words("en") | stopwords.stop_words(language)
    left = [word for word in words if tokens.word_key(word) and word not in stops]
    return left, len(left) < len(words)


def _joined(source: str) -> Iterable[str]:
    """Yield the name as one word ("1news"), and a domain without its ending."""
    plain = source.casefold().removeprefix("https://").removeprefix("www.")
    pieces = plain.split("/")[0].split(".")
    if len(pieces) > 1 and len(pieces[-1]) <= _DOMAIN_ENDING and " " not in pieces[-1]:
        yield pieces[0]
    elif " " in plain:
        yield plain.replace(" ", "")


def _parts(words: Sequence[str], column: dict[str, int]) -> list[int]:
    pairs = [f"{first} {second}" for first, second in itertools.pairwise(words)]
    return [column[part] for part in [*words, *pairs] if part in column]


def _leave_out(
    kept: Flags, words: Sequence[str], column: dict[str, int], own: Floats, least: Floats
) -> None:
    """Mark a name and those of its parts that seldom occur without the rest."""
    pairs = [f"{first} {second}" for first, second in itertools.pairwise(words)]
    whole = min((own[column[p]] if p in column else 0) for p in (pairs or words))
    for place in _parts(words, column):
        if own[place] >= least[place] and 0 < own[place] <= 2 * whole:
            kept[place] = False


def _only(terms: Terms, kept: Flags) -> Terms:
    if kept.all():
        return terms
    columns = np.flatnonzero(kept)
    return replace(
        terms,
        matrix=terms.matrix[:, columns].tocsr(),
        shown=tuple(terms.shown[place] for place in columns.tolist()),
        parts=terms.parts[columns],
        families=terms.families[columns],
    )
