"""Languages of articles that do not say theirs, by their words and the company they are in."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus.language_codes import normalise_language as normalise_language
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Notice, Rejected, Update

Item = TypeVar("Item", bound=Article | Rejected | Notice)
Shares = NDArray[np.float16]
"""A number for each of `_codes`; in half precision, for they are held for every short text."""

_LETTERS_NEEDED = 3
_SURE = 0.9
_READ = 2_000
"""Characters that decide the language; more change nothing and cost time."""
_LEAST = 1e-6  # probability of a language by the words of a text
_CORPUS = 5  # articles of an outlet that count as much as all of the corpus
_NEW = 1e-4  # share of a language of which nothing is known
_UNIT = 1 << 20

_FOREIGN = frozenset(("pcm", "zxx", "grc", "hbo"))
"""Not detected: Nigerian Pidgin, for which it takes 6 in 100 English headlines, and no languages
of news."""

_OF_SEVERAL = frozenset(("zh", "no", "ar"))
"""What the detector has several labels for."""

# What is written in a script; all other languages that can be detected are written in Latin.
_WRITTEN = {
    "Arab": "ar fa ur ps ug sd ckb uzs", "Armn": "hy", "Beng": "bn as", "Deva": "hi mr ne sa gom",
    "Cyrl": "ru uk be bg mk sr kk ky mn tg tt ba", "Ethi": "am", "Geor": "ka", "Grek": "el",
    "Gujr": "gu", "Guru": "pa", "Hang": "ko", "Hani": "zh ja", "Hebr": "he", "Kana": "ja",
    "Khmr": "km", "Knda": "kn", "Laoo": "lo", "Mlym": "ml", "Mymr": "my", "Orya": "or",
    "Sinh": "si", "Taml": "ta", "Telu": "te", "Thai": "th", "Tibt": "dz",
}  # fmt: skip
_SCRIPTS = {script: frozenset(codes.split()) for script, codes in _WRITTEN.items()}
_ELSEWHERE = frozenset().union(*_SCRIPTS.values())


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of a text, "" where that is uncertain.

    By py3langid: naive Bayes over byte n-grams, no network, deterministic; about 0.1 ms a sentence
    after 0.5 s for the model. Uncertain is a text of fewer than three letters, and one whose best
    language has less than 0.9 of the probability: half of English headlines and more, but all of
    the wrong guesses (`benchmarks/results/languages.json`). `settle_languages` decides those by
    the company they are in.

    Examples
    --------
    >>> detect_language("Le gouvernement présente son budget au parlement ce mardi")
    'fr'
    """
    if not _is_long_enough(text):
        return ""
    label, probability = _identifier().classify(_plain(text))
    if probability < _SURE and _known(label) in _OF_SEVERAL:
        row = _probabilities(text)
        label, probability = _codes()[int(row.argmax())], row.max()
    return _known(label) if probability >= _SURE else ""


def settle_languages(items: Iterable[Item], *, progress: Progress = SILENT) -> Iterator[Item]:
    """Give articles of uncertain language the likeliest one in the company they are in.

    How likely a language is beforehand is its share of the outlet's other articles, and of the
    corpus where the outlet has few; a language that nothing else is in is one in 10,000. Certain
    articles count whole, uncertain ones in parts. Only languages written in the script of an
    article come into question. Texts of fewer than three letters keep "".

    Parameters
    ----------
    items
        What `read_articles` yields; an `Update` counts in place of the article before it.
    progress
        One task: uncertain articles.

    Yields
    ------
    The same items; uncertain articles come last.

    Notes
    -----
    The result does not depend on the order of the items. Uncertain articles are held in memory.

    Examples
    --------
    >>> from newsnest.types import Article
    >>> sure = [Article(str(n), "Rain in the valley", lang="en") for n in range(3)]
    >>> [a.lang for a in settle_languages([Article("x", "Gaza talks stall"), *sure])][-1]
    'en'
    """
    company = _Company()
    uncertain: dict[object, tuple[Article, Shares]] = {}
    for item in items:
        if isinstance(item, Update):
            _, shares = uncertain.pop(item.id, (item, _alone(item.was_lang)))
            company.add(item.was_source, shares, sign=-1)
        if isinstance(item, Article):
            if not item.lang:
                row = _probabilities(f"{item.title}\n{item.text}".strip())
                uncertain[item.id or object()] = item, row
                company.add(item.source, row)
                continue
            company.add(item.source, _alone(item.lang))
        yield item
    if not uncertain:
        return
    pairs = list(uncertain.values())
    with progress.start("settle languages", len(uncertain), "articles") as task:
        # A second look goes by what the first has found: many small doubts make no language.
        first = [company.likeliest(article.source, row, row) for article, row in pairs]
        for (article, row), lang in zip(pairs, first, strict=True):
            company.add(article.source, row, sign=-1)
            company.add(article.source, _alone(lang))
        for (article, row), lang in zip(pairs, first, strict=True):
            lang = company.likeliest(article.source, row, _alone(lang))
            yield replace(article, lang=lang)  # type: ignore[misc]  # an Article, as it was
            task.advance()


class _Company:
    """How much of a corpus, and of each of its outlets, is in a language."""

    def __init__(self) -> None:
        # Whole numbers: the order of what is added leaves no trace in a sum.
        self._corpus = np.zeros(len(_codes()), np.int64)
        self._outlets: dict[str, NDArray[np.int64]] = {}

    def add(self, outlet: str, shares: Shares, *, sign: int = 1) -> None:
        counted = sign * _whole(shares)
        self._corpus += counted
        if outlet in self._outlets:
            self._outlets[outlet] += counted
        elif outlet:
            self._outlets[outlet] = counted

    def likeliest(self, outlet: str, row: Shares, added: Shares) -> str:
        """Return the language of the highest probability, "" of none; ties: the first code.

        What was `added` for this article does not count as its own company.
        """
        if not row.any():
            return ""
        itself = _whole(added)
        everywhere = self._corpus - itself
        before = _CORPUS * _UNIT * (everywhere / max(everywhere.sum(), 1) + _NEW)
        if outlet:
            before += self._outlets[outlet] - itself
        return _codes()[int((row * before).argmax())]


def _whole(shares: Shares) -> NDArray[np.int64]:
    return np.rint(shares.astype(np.float64) * _UNIT).astype(np.int64)


@cache
def _alone(lang: str) -> Shares:
    return np.array([code == lang for code in _codes()], np.float16)


def _probabilities(text: str) -> Shares:
    """Return how likely each of `_codes` is by itself, among those written in the text's script.

    All are 0 where the text is too short.
    """
    shares = np.zeros(len(_codes()))
    if _is_long_enough(text):
        text = _plain(text)
        # What `rank` sorts and puts into a dict, at a third of the cost.
        scores = _identifier()._decide(text)
        shares[:] = np.bincount(_places(), scores, len(shares) + 1)[:-1]
        shares = (shares + _LEAST) * _written(_script(text))
        shares /= shares.sum()
    return shares.astype(np.float16)


@cache
def _written(script: str) -> NDArray[np.bool_]:
    """Mark the languages that are written in a script."""
    here = _SCRIPTS.get(script)
    return np.array([c not in _ELSEWHERE if here is None else c in here for c in _codes()])


@cache
def _places() -> NDArray[np.int64]:
    """Return the place among `_codes` of every class of the detector; beyond for a label's second.

    The first class of a label has the score of all.
    """
    place = {code: number for number, code in enumerate(_codes())}
    labels = list(_identifier().nb_classes)
    return np.array(
        [
            place[_known(label)] if labels.index(label) == number else len(place)
            for number, label in enumerate(labels)
        ]
    )


@cache
def _codes() -> tuple[str, ...]:
    """Return the languages that can be detected, in alphabetical order."""
    return tuple(sorted(set(map(_known, _identifier().nb_classes))))


def _script(text: str) -> str:
    """Return the script of most letters of a text; Kana, where any is among the Han characters."""
    if text.isascii():
        return "Latn"
    counts: Counter[str] = Counter()
    for found in _letters().finditer(text):
        counts[found.lastgroup or ""] += len(found[0])
    if counts["Kana"]:
        counts["Kana"] += counts.pop("Hani", 0)
    return max(sorted(counts), key=counts.__getitem__, default="Latn")


@cache
def _letters() -> Any:
    import regex

    classes = {script: rf"\p{{{script}}}" for script in (*_SCRIPTS, "Latn")}
    classes["Kana"] += r"\p{Hira}ー"
    return regex.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in classes.items()))


def _plain(text: str) -> str:
    """Return what is read of a text, full-width forms as the letters they are."""
    text = text[:_READ]
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _known(label: str) -> str:
    return normalise_language(label) or label


def _is_long_enough(text: str) -> bool:
    return sum(map(str.isalpha, text[:_READ])) >= _LETTERS_NEEDED


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if code not in _FOREIGN])
    # That leaves half floats in columns; the same numbers in rows are found twice as fast.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc, dtype=np.float32)
    return identifier
