"""Count the words and two-word phrases of every text once, in one sparse matrix.

The spellings of all texts are numbered as they are met; what is costly (case, elision, stop words)
is then done once per distinct spelling, and everything per occurrence is an array operation.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray

from newsnest.describe import proclitics, stopwords, tokens
from newsnest.describe.occurrences import Occurrences, Small, bare_words, read_words
from newsnest.describe.protocol import MAX_CHARACTERS, MAX_TERMS
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_Number = TypeVar("_Number", np.int32, np.int64)

_STOPPED_SHARE = 0.9
_PHRASE_LIFT = 4.0
_PHRASE_TEXTS = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """How often each of n texts contains each of v terms: `matrix`, CSR float64 (n, v), unweighted.

    `shown` (v,) is each term in its most frequent spelling. `parts`, int64 (v, 2), are the numbers
    of the words of a term, the second −1 for a single word; terms are in the order of these, which
    is alphabetical. `families` (v, 2) are the same with one number for all inflected forms.
    """

    matrix: scipy.sparse.csr_array
    shown: tuple[str, ...]
    parts: Ints
    families: Ints


def count_terms(
    texts: Sequence[str],
    languages: Sequence[str],
    *,
    max_terms: int = MAX_TERMS,
    max_characters: int = MAX_CHARACTERS,
    progress: Progress = SILENT,
) -> Terms:
    """Count words and phrases of two words in every text, stop words left out.

    A phrase is two adjacent words without punctuation or a stop word between them, found in at
    least two texts and at least four times as often as expected by chance. Of each text, whose
    language is a code or "", the first `max_characters` are read: news names its subject first. The
    `max_terms` terms in the most texts are kept, ties in alphabetical order.

    O(w log w) in the number of words w; about 20 s and 2 GB for a million headlines. A word is
    dropped from a text if it is a stop word in that text's language, and from all texts if nine in
    ten of its occurrences are dropped: one English text labelled German must not make "the" a rare
    and informative word, while "war" remains a word beside German texts.

    Example
    -------
    >>> counted = count_terms(["The Fed acts", "Fed waits"], ["en", "en"])
    >>> counted.shown, counted.matrix.toarray().astype(int).tolist()
    (('acts', 'Fed', 'waits'), [[1, 1, 0], [0, 1, 1]])
    """
    if len(texts) != len(languages):
        raise ParameterError(
            f"count_terms: languages must hold one code per text ({len(texts)}), "
            f'got {len(languages)}. Give "" where a language is unknown.'
        )
    for name, value in (("max_terms", max_terms), ("max_characters", max_characters)):
        if value < 1:
            raise ParameterError(
                f"count_terms: {name} must be at least 1, got {value}. "
                "Leave it out for the default."
            )
    found = read_words(texts, languages, max_characters, progress)
    bares = bare_words(found)
    words, word_of_spelling = _words(found, bares)
    word = word_of_spelling[found.spelling] if words else np.full(found.row.size, -1)
    linked = _linked(found, word, bares)
    matrix, keys = _count(found, word, linked, len(words))
    kept = _kept(matrix, keys, len(words), max_terms)
    keys = keys[kept]
    parts = np.stack([keys // (len(words) + 1), keys % (len(words) + 1) - 1], axis=1)
    shown = _shown(found, bares, word, linked, parts)
    families = _families(words)
    return Terms(
        matrix=matrix[:, kept],
        shown=shown,
        parts=parts,
        families=np.where(parts >= 0, families[parts], -1) if words else parts,
    )


def _words(found: Occurrences, bares: Sequence[str]) -> tuple[list[str], Ints]:
    """Return the words in alphabetical order and the word of each spelling, −1 for none."""
    keys: list[str] = []
    stopped = np.zeros(len(bares), dtype=bool)
    for number, (spelling, language) in enumerate(
        zip(found.spellings, found.languages, strict=True)
    ):
        key = whole = tokens.word_key(bares[number])
        stops = stopwords.stop_words(language)
        if stopwords.base_language(language) == "ar":
            key = proclitics.arabic_key(key)
        if found.pairs[number] and tokens.is_ending(spelling):
            stopped[number] = True
        elif key in stops or whole in stops or spelling.casefold().replace("’", "'") in stops:
            if stopwords.is_acronym(spelling, language):
                key = spelling.replace(".", "")
            else:
                stopped[number] = True
        keys.append(key)
    keys = _one_spelling(keys)
    words = sorted({key for key in keys if key})
    rank = {key: number for number, key in enumerate(words)}
    word = np.array([rank.get(key, -1) for key in keys], dtype=np.int64)
    stopped |= _frequent(found, word, len(words))
    occurrences = np.bincount(found.spelling, minlength=len(bares))
    total = np.bincount(word[word >= 0], occurrences[word >= 0], len(words))
    dropped = np.bincount(word[word >= 0], (occurrences * stopped)[word >= 0], len(words))
    everywhere = np.append(dropped >= _STOPPED_SHARE * np.maximum(total, 1), False)
    word[stopped | everywhere[word]] = -1
    return words, word


def _one_spelling(keys: Sequence[str]) -> list[str]:
    """Count "COVID-19", "Covid19" and "Covid" as one word, where more than one of them occurs."""
    known = set(keys)
    plain = {key: other for key in known if (other := tokens.plain_key(key)) != key}
    variants = Counter(plain.values())
    same = {key: o for key, o in plain.items() if o and (o in known or variants[o] > 1)}
    return [same.get(key, key) for key in keys]


def _frequent(found: Occurrences, word: Ints, words: int) -> Flags:
    """Mark too frequent spellings, in languages without a full list and without spaces."""
    marked = np.zeros(len(found.spellings), dtype=bool)
    codes = sorted(set(found.languages))
    listed = {code: stopwords.has_full_list(code) for code in codes}
    judged = np.array(
        [
            number >= 0 and (pair or not listed[language])
            for pair, language, number in zip(
                found.pairs, found.languages, word.tolist(), strict=True
            )
        ],
        dtype=bool,
    )
    if not judged.any():
        return marked
    code_number = {code: number for number, code in enumerate(codes)}
    language = np.array([code_number[code] for code in found.languages], dtype=np.int64)
    starts = np.searchsorted(found.row, np.arange(found.texts, dtype=np.int32))
    text_language = language[found.spelling[starts]]
    place = np.arange(found.row.size) - starts[found.row]
    use = (place < stopwords.FREQUENT_WINDOW) & judged[found.spelling]
    pairs = np.stack([found.row[use], word[found.spelling[use]]], axis=1)
    pairs, _ = _unique_rows(pairs)
    slot = text_language[pairs[:, 0]] * words + pairs[:, 1]
    frequency = np.bincount(slot, minlength=len(codes) * words)
    minimum = stopwords.FREQUENT_SHARE * np.bincount(text_language, minlength=len(codes))
    enough = frequency > np.maximum(minimum, stopwords.FREQUENT_TEXTS).repeat(words)
    marked[judged] = enough[language[judged] * words + word[judged]]
    return marked


def _linked(found: Occurrences, word: Ints, bares: Sequence[str]) -> Ints:
    """Return (2, p) the positions of the first and the second word of every phrase.

    No phrase goes on behind a Korean particle.
    """
    if word.size < 2:
        return np.empty((2, 0), dtype=np.int64)
    pair = found.pairs[found.spelling]
    closed = np.array(
        [
            b != word and tokens.is_hangul(word)
            for b, word in zip(bares, found.spellings, strict=True)
        ]
    )[found.spelling]
    connector = np.array([tokens.is_connector(spelling) for spelling in found.spellings])
    near = np.arange(word.size - 1)
    over = np.flatnonzero(connector[found.spelling[1:-1]])
    at = np.concatenate([near, over])
    to = np.concatenate([near + 1, over + 2])
    both = (word[at] >= 0) & (word[to] >= 0) & (word[at] != word[to]) & (pair[at] == pair[to])
    both &= ~closed[at] & (found.row[at] == found.row[to]) & ~(pair[at] & (to - at > 1))
    return np.stack([at[both], to[both]])


def _count(
    found: Occurrences, word: Ints, linked: Ints, words: int
) -> tuple[scipy.sparse.csr_array, Ints]:
    """Count terms per text; a term's key is first · (words + 1) + second + 1."""
    single = np.flatnonzero(word >= 0)
    keys = np.concatenate(
        [word[single] * (words + 1), word[linked[0]] * (words + 1) + word[linked[1]] + 1]
    )
    rows = np.concatenate([found.row[single], found.row[linked[0]]])
    unique, column = np.unique(keys, return_inverse=True)
    ones = np.ones(rows.size, dtype=np.float64)
    matrix = scipy.sparse.coo_array(
        (ones, (rows, column)), shape=(found.texts, unique.size)
    ).tocsr()
    matrix.sum_duplicates()
    return matrix, unique


def _kept(matrix: scipy.sparse.csr_array, keys: Ints, words: int, max_terms: int) -> Ints:
    """Choose the terms to keep: words and true phrases, the most frequent of both."""
    first, second = keys // (words + 1), keys % (words + 1) - 1
    texts = np.bincount(matrix.indices, minlength=keys.size)
    total = np.asarray(matrix.sum(axis=0)).ravel()
    alone = second < 0
    of_word = np.zeros(words)
    of_word[first[alone]] = total[alone]
    chance = of_word[first] * of_word[second] / max(of_word.sum(), 1.0)
    kept = np.flatnonzero(alone | ((texts >= _PHRASE_TEXTS) & (total >= _PHRASE_LIFT * chance)))
    order = np.argsort(-texts[kept], kind="stable")[:max_terms]
    return np.sort(kept[order])


def _shown(
    found: Occurrences, bares: Sequence[str], word: Ints, linked: Ints, parts: Ints
) -> tuple[str, ...]:
    """Return the most frequent spelling of each term, counted where capitals are informative.

    The first word after punctuation, and every word of a headline In Title Case, is capitalised
    anyway: these count only for terms that occur nowhere else.
    """
    if not len(parts):
        return ()
    forms = sorted({*bares, *found.spellings})
    rank = {form: number for number, form in enumerate(forms)}
    full = np.array([rank[spelling] for spelling in found.spellings], dtype=np.int32)
    form = np.array([rank[bare] for bare in bares], dtype=np.int32)
    single, width = np.flatnonzero(word >= 0), int(word.max()) + 2
    at = np.concatenate([single, linked[0]])
    none = np.full(single.size, -1, dtype=np.int32)
    key = word[at] * width + np.concatenate([none, word[linked[1]]]) + 1
    wanted = parts[:, 0] * width + parts[:, 1] + 1
    term = np.minimum(np.searchsorted(wanted, key), wanted.size - 1).astype(np.int32)
    use = wanted[term] == key
    second = np.array(
        [
            full[n] if tokens.elides(stopwords.base_language(code)) else form[n]
            for n, code in enumerate(found.languages)
        ],
        dtype=np.int32,
    )
    close = _closeness(found)[found.spelling]
    middle = np.where(linked[1] - linked[0] > 1, full[found.spelling[linked[0] + 1]], np.int32(-1))
    columns = (
        term,
        form[found.spelling[at]],
        np.concatenate([none, middle]),
        np.concatenate([none, second[found.spelling[linked[1]]]]),
        np.concatenate([none, np.minimum(close[linked[0]], close[linked[1]])]),
    )
    spelt = np.stack([column[use] for column in columns], axis=1)
    unique, which = _unique_rows(spelt)
    votes = np.bincount(which, _telling(found, bares)[at[use]] * 1e6 + 1.0)
    order = np.lexsort((np.arange(len(unique)), -votes, unique[:, 0]))
    best = order[np.r_[True, np.diff(unique[order, 0]) > 0]]
    return tuple(_joined(forms, *row) for row in unique[best, 1:].tolist())


_SPACED, _UNSPACED, _OVERLAPPING = 0, 1, 2  # how the words of a phrase stand together


def _closeness(found: Occurrences) -> Small:
    """Return how each spelling stands beside its neighbour in a phrase."""
    unspaced = [tokens.is_unspaced(spelling) for spelling in found.spellings]
    return np.where(found.pairs, _OVERLAPPING, np.where(unspaced, _UNSPACED, _SPACED)).astype(
        np.int32
    )


def _joined(forms: Sequence[str], first: int, middle: int, second: int, close: int) -> str:
    if second < 0:
        return forms[first]
    if close == _OVERLAPPING:
        return tokens.unseparated(forms[first], forms[second])
    if close == _UNSPACED:
        return forms[first] + forms[second]
    last = tokens.bare(forms[second], "en")  # the possessive off, "d'" kept: "coup d'État"
    return " ".join([forms[first], *([forms[middle]] if middle >= 0 else []), last])


def _unique_rows(rows: NDArray[_Number]) -> tuple[NDArray[_Number], Ints]:
    """`np.unique(axis=0, return_inverse=True)`, through one sort of the columns."""
    if not len(rows):
        return rows, np.empty(0, dtype=np.int64)
    order = np.lexsort(rows.T[::-1])
    new = np.zeros(len(rows), dtype=bool)
    new[0] = True
    for column in rows.T:  # one by one: all in order at once would be as large as the rows
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    which = np.empty(len(rows), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return rows[order[new]], which


def _telling(found: Occurrences, bares: Sequence[str]) -> NDArray[np.float64]:
    """Mark with 1 the words whose capitals are informative."""
    long = np.array([len(bare) > 3 for bare in bares])[found.spelling]
    capital = np.array([not bare[:1].islower() for bare in bares])[found.spelling]
    capitals = np.bincount(found.row[long], capital[long], found.texts)
    share = capitals / np.maximum(np.bincount(found.row[long], minlength=found.texts), 1)
    mark = np.array([spelling == tokens.BREAK for spelling in found.spellings])[found.spelling]
    after_mark = np.r_[True, mark[:-1]]
    telling: NDArray[np.float64] = ((share[found.row] < 0.75) & ~after_mark).astype(np.float64)
    return telling


def _families(words: Sequence[str]) -> Ints:
    """Give "flood", "floods" and "flooding", "Ukraine" and "Ukrainian" one number.

    It only keeps a second form of a word out of the same short list of keywords.
    """
    stems: dict[str, int] = {}
    numbers = [stems.setdefault(tokens.word_family(word), len(stems)) for word in words]
    return np.array(numbers, dtype=np.int64)
