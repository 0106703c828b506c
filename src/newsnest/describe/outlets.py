"""Leave the names of outlets out of what clusters are named after."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import scipy

from newsnest.describe import segment, stopwords, tokens
from newsnest.describe.terms import Terms
from newsnest.types import Article, Flags, Floats, Ints

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
    sources = [article.source.strip() for article in articles]
    language = {s: article.lang for s, article in zip(sources, articles, strict=True) if s}
    if not language or not terms.shown:
        return terms
    column = {shown.casefold(): place for place, shown in enumerate(terms.shown)}
    names = [
        (number, words, part)
        for number, source in enumerate(sorted(language))
        for words, part in [_spelt(source, language[source]), *_joined(source)]
        if _parts(words, column)
    ]
    if not names:
        return terms
    used = sorted({place for _, words, _ in names for place in _parts(words, column)})
    place_of = {used_place: place for place, used_place in enumerate(used)}
    column = {shown: place_of[place] for shown, place in column.items() if place in place_of}
    matrix = terms.matrix.tocsc()[:, used].tocsr()
    total = np.asarray(matrix.sum(axis=0)).ravel()
    rank = {source: number for number, source in enumerate(sorted(language))}
    own = _per_source(matrix, np.array([rank.get(source, len(rank)) for source in sources]))
    gone = np.zeros(len(used), dtype=bool)
    for number, words, part in names:
        share = _OWN_SHARE_OF_PART if part else OWN_SHARE
        _leave_out(gone, words, column, _dense(own, number), share * total)
    left_out = [place for place, out in zip(used, gone.tolist(), strict=True) if out]
    kept = np.ones(len(terms.shown), dtype=bool)
    kept[[place for place in left_out if not terms.shown[place][:1].islower()]] = False
    return _only(terms, kept)


def _per_source(matrix: scipy.sparse.csr_array, source: Ints) -> scipy.sparse.csr_array:
    """Count every term in the articles of each source, the last for none."""
    n, count = source.size, int(source.max()) + 1
    member = scipy.sparse.csr_array((np.ones(n), (source, np.arange(n))), shape=(count, n))
    return (member @ matrix).tocsr()


def _dense(counts: scipy.sparse.csr_array, number: int) -> Floats:
    """Return one row; SciPy's own way takes ten times as long for thousands of outlets."""
    row: Floats = np.zeros(counts.shape[1])
    here = slice(counts.indptr[number], counts.indptr[number + 1])
    row[counts.indices[here]] = counts.data[here]
    return row


def _spelt(source: str, language: str) -> tuple[list[str], bool]:
    """Return the words of an outlet's name, and whether they are less than the name."""
    split = segment.splitter(stopwords.base_language(language))
    spelt = tokens.spellings(source, split)
    words = [word.casefold() for word in spelt if word != tokens.BREAK]
    if words and words[0] in _ARTICLES:
        words = words[1:]
    stops = stopwords.stop_words("en") | stopwords.stop_words(language)
    left = [word for word in words if tokens.word_key(word) and word not in stops]
    return left, len(left) < len(words)


def _joined(source: str) -> Iterable[tuple[list[str], bool]]:
    """Yield the name as one word ("1news"), and a domain without its ending."""
    plain = source.casefold().removeprefix("https://").removeprefix("www.")
    pieces = plain.split("/")[0].split(".")
    if len(pieces) > 1 and len(pieces[-1]) <= _DOMAIN_ENDING and " " not in pieces[-1]:
        yield [pieces[0]], False
    elif " " in plain:
        yield [plain.replace(" ", "")], False


def _parts(words: Sequence[str], column: dict[str, int]) -> list[int]:
    pairs = _pairs(words)
    return [column[part] for part in [*words, *pairs] if part in column]


def _pairs(words: Sequence[str]) -> list[str]:
    """Return the phrases of two words of a name, as their script writes them."""
    return [
        f"{first}{second}" if min(map(tokens.is_unspaced, (first, second))) else f"{first} {second}"
        for first, second in itertools.pairwise(words)
    ]


def _leave_out(
    gone: Flags, words: Sequence[str], column: dict[str, int], own: Floats, least: Floats
) -> None:
    """Mark a name and those of its parts that seldom occur without the rest."""
    pairs = _pairs(words)
    whole = min((own[column[p]] if p in column else 0) for p in (pairs or words))
    for place in _parts(words, column):
        if own[place] >= least[place] and 0 < own[place] <= 2 * whole:
            gone[place] = True


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
