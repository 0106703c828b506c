"""The words of texts and their outlets, as the arrays that stories are judged by."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from newsnest.types import Article, Labels

if TYPE_CHECKING:
    from newsnest.cluster import SharedWords

_TOKEN = re.compile(r"\b\w[\w'-]+\b")
_CHARACTERS = 2_000  # of a text that are read: news names its subject first
_COMMON = 0.1  # a word in a larger share of the texts says nothing
_SPOKEN = 0.05  # a language in a smaller share of the texts is not told apart
_FEW = 20  # texts, of which no word is common


def shared_words(articles: Sequence[Article]) -> "SharedWords":
    """Return the words of n articles, stop words of their languages left out."""
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

    from newsnest.cluster import SharedWords
    from newsnest.describe.stopwords import stop_words

    stop = set().union(*(stop_words(lang) for lang in {article.lang for article in articles}))
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: [w for w in _TOKEN.findall(text.casefold()) if w not in stop],
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


def spoken(articles: Sequence[Article]) -> Labels | None:
    """Return the language of every article as a number, int32 (n,); None where there is but one.

    Languages of a few texts count as the commonest: short texts are often taken for another.
    """
    counts = Counter(article.lang for article in articles)
    many = [code for code, n in counts.most_common() if n >= _SPOKEN * len(articles)]
    if len(many) < 2:
        return None
    numbers = {code: number for number, code in enumerate(many)}
    return np.array([numbers.get(article.lang, 0) for article in articles], np.int32)


def outlets(articles: Sequence[Article]) -> Labels:
    """Return a number for the outlet of every article, int32 (n,); −1 where it is unknown."""
    numbers: dict[str, int] = {"": -1}
    return np.array([numbers.setdefault(a.source, len(numbers) - 1) for a in articles], np.int32)
