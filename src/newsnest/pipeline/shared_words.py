"""The words of texts and their outlets, as the arrays that stories are judged by."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import regex

from newsnest.corpus.language_codes import language_group
from newsnest.describe import tokens
from newsnest.types import Article, Labels

if TYPE_CHECKING:
    from newsnest.cluster import SharedWords

_TOKEN = re.compile(r"\b\w[\w'-]+\b")
_MARKED = regex.compile(r"\b\w[\w'-]+\b")  # in which, unlike in `re`, marks belong to words
_OTHER = regex.compile(rf"[\p{{M}}\p{{Hangul}}\p{{Katakana}}{tokens.UNSPACED}]")
_RUN = regex.compile(
    rf"[{tokens.UNSPACED}][{tokens.UNSPACED}\p{{M}}]*|\p{{Hangul}}+|[\p{{Katakana}}ー]+"
)
_CHARACTERS = 2_000  # of a text that are read: news names its subject first
_COMMON = 0.1  # a word in a larger share of the texts says nothing
_SPOKEN = 0.05  # a language in a smaller share of the texts is not told apart
_FEW = 20  # texts, of which no word is common


def shared_words(articles: Sequence[Article]) -> "SharedWords":
    """Return the words of n articles, stop words of their languages left out.

    In scripts without spaces, and in Hangul, whose words end in particles, pairs of characters
    stand for words, whatever is installed to find words for names.
    """
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

    from newsnest.cluster import SharedWords
    from newsnest.describe.stopwords import stop_words

    stop = set().union(*(stop_words(lang) for lang in {article.lang for article in articles}))
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: [w for w in _words(text.casefold()) if w not in stop],
        max_df=max(_FEW, int(_COMMON * len(articles))),
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        counted = vectorizer.fit_transform(article.body[:_CHARACTERS] for article in articles)
    except ValueError:  # not one word is left
        return SharedWords(csr_array((len(articles), 0), dtype=np.float32), np.zeros(0, np.bool_))
    weights = csr_array(counted)
    weights.sort_indices()
    numeric = [any(map(str.isdigit, word)) for word in vectorizer.get_feature_names_out()]
    return SharedWords(weights, np.array(numeric, np.bool_))


def _words(text: str) -> list[str]:
    if text.isascii() or _OTHER.search(text) is None:
        return _TOKEN.findall(text)
    found: list[str] = _MARKED.findall(_RUN.sub(" ", text))
    for run in _RUN.findall(text):
        if "\u30a0" <= run[0] <= "\u30ff":  # Katakana: one word
            found.append(run)
        else:
            found += (pair for pair in tokens.pairs(run) if pair != tokens.BREAK)
    return found


def spoken(articles: Sequence[Article]) -> Labels | None:
    """Return the language of every article as a number, int32 (n,); None where there is but one.

    Languages of a few texts count as the commonest: short texts are often taken for another.
    """
    groups = [language_group(article.lang) for article in articles]
    counts = Counter(groups)
    many = [code for code, n in counts.most_common() if n >= _SPOKEN * len(articles)]
    if len(many) < 2:
        return None
    numbers = {code: number for number, code in enumerate(many)}
    return np.array([numbers.get(group, 0) for group in groups], np.int32)


def outlets(articles: Sequence[Article]) -> Labels:
    """Return a number for the outlet of every article, int32 (n,); −1 where it is unknown."""
    numbers: dict[str, int] = {"": -1}
    return np.array([numbers.setdefault(a.source, len(numbers) - 1) for a in articles], np.int32)
