"""`tfidf`: word weights and a truncated SVD, fitted on the corpus; any language, no weights."""

import hashlib
import importlib.metadata
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import regex
from threadpoolctl import threadpool_limits

from newsnest.embed.unit import unit_embeddings
from newsnest.embed.weights import settings_digest
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Ints, Vectors

_DIMS = 256
_VOCABULARY = 200_000
_RARE_FROM = 1_000
_BATCH = 4096
_SEED = 0
# Scripts written without spaces between words.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_RUNS = regex.compile(
    rf"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}\p{{M}}ー]*)"
    rf"|[[\p{{L}}\p{{N}}]--[{_UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}'’]--[{_UNSPACED}]]*",
    regex.V1,
)


def terms(text: str) -> list[str]:
    """Return what TF-IDF counts: words and pairs of words; characters and pairs where no spaces.

    Examples
    --------
    >>> terms("Sea wall")
    ['sea', 'wall', 'sea wall']
    >>> terms("地震")
    ['地', '震', '地震']
    """
    singles: list[str] = []
    pairs: list[str] = []
    previous = ""
    for run in _RUNS.finditer(text.casefold()):
        if run["unspaced"]:
            singles += run[0]
            pairs += (a + b for a, b in itertools.pairwise(run[0]))
            previous = ""
        else:
            singles.append(run[0])
            if previous:
                pairs.append(f"{previous} {run[0]}")
            previous = run[0]
    return singles + pairs


class TfidfEncoder:
    """Encode by the words themselves: any language, no weights, fitted on the corpus.

    Prefer `minilm` or `multilingual` where the language is one they know: TF-IDF sees no meaning
    behind different words.

    Notes
    -----
    Words and pairs of words (characters and pairs of them in scripts without spaces), at least 2
    texts a term in corpora of 1,000 texts and more, the 200,000 most frequent terms, sublinear
    term frequency; truncated SVD to 256 dimensions, fewer where texts or terms are fewer. A text
    without a known term gets the constant unit vector, and so does every text of a corpus without
    terms (one dimension). Fitting costs O(nonzeros · d); its bits depend neither on the order of
    the corpus nor on the number of threads. The fingerprint covers settings, versions and the
    corpus: vectors of different corpora never mix.

    Source: Deerwester et al. 1990 (latent semantic analysis).
    """

    def __init__(self, name: str = "tfidf") -> None:
        self.name = name
        self.dimensions = 0
        self.fingerprint = ""
        self._vectorizer: Any = None
        self._axes: Floats | None = None

    def prepare(self, texts: Sequence[str], *, progress: Progress = SILENT) -> None:
        """Fit weights and axes on the texts; a second call fits anew."""
        # Sorted, so that the order of the corpus leaves no trace in the sums.
        corpus = sorted(texts)
        self.fingerprint = _fingerprint(corpus)
        self._vectorizer, self._axes = None, None
        with progress.start("fit TF-IDF", len(corpus), "texts") as task:
            self._fit(_counted(corpus, task.advance), progress)
        self.dimensions = 1 if self._axes is None else self._axes.shape[1]

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        if not self.fingerprint:
            raise EncoderError(
                "encode: encoder 'tfidf' must be fitted on a corpus, got none. "
                "Call prepare(texts) first."
            )
        out = np.empty((len(texts), self.dimensions), dtype=np.float32)
        with progress.start("encode", len(texts), "texts") as task:
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                out[start : start + len(batch)] = self._project(batch)
                task.advance(len(batch))
        return out

    def count_cut(self, texts: Sequence[str]) -> int:
        return 0  # texts of any length are read whole

    def _fit(self, corpus: Iterator[str], progress: Progress) -> None:
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
        from sklearn.utils.extmath import randomized_svd

        counter = CountVectorizer(analyzer=terms, dtype=np.float64)
        try:
            counts = counter.fit_transform(corpus)
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            progress.note("tfidf: the corpus has no words; all texts get the same vector")
            return
        kept = _kept_terms(counts)
        if len(kept) < counts.shape[1]:
            progress.note(f"tfidf: {len(kept):,} of {counts.shape[1]:,} terms kept")
        names = counter.get_feature_names_out()[kept]
        weights = TfidfTransformer(sublinear_tf=True)
        matrix = weights.fit_transform(counts[:, kept])
        counter = CountVectorizer(analyzer=terms, dtype=np.float64, vocabulary=list(names))
        self._vectorizer = (counter, weights)
        dims = min(_DIMS, *matrix.shape)
        # One BLAS thread: sums must not be split differently on another number of cores.
        with threadpool_limits(limits=1, user_api="blas"):
            _, _, axes = randomized_svd(matrix, dims, n_iter=5, random_state=_SEED)
        self._axes = np.ascontiguousarray(axes.T)

    def _project(self, texts: Sequence[str]) -> Vectors:
        if self._axes is None:
            return np.ones((len(texts), 1), dtype=np.float32)
        counter, weights = self._vectorizer
        # A sparse product adds up each row by itself, in order: its bits do not depend on others.
        return unit_embeddings(
            weights.transform(counter.transform(texts)) @ self._axes, encoder="tfidf"
        )


def _kept_terms(counts: Any) -> Ints:
    """Return the terms frequent enough, at most 200,000, ties by their alphabetical order."""
    texts = np.asarray((counts > 0).sum(axis=0)).ravel()
    fewest = 2 if counts.shape[0] >= _RARE_FROM and texts.max() >= 2 else 1
    order = np.argsort(-texts, kind="stable")[:_VOCABULARY]
    return np.sort(order[texts[order] >= fewest])


def _counted(corpus: list[str], advance: Any) -> Iterator[str]:
    for text in corpus:
        yield text
        advance()


def _fingerprint(corpus: list[str]) -> str:
    digest = hashlib.sha256()
    for text in corpus:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    versions = {p: importlib.metadata.version(p) for p in ("numpy", "scipy", "scikit-learn")}
    settings = {
        "encoder": "tfidf",
        "dims": _DIMS,
        "vocabulary": _VOCABULARY,
        "rare_from": _RARE_FROM,
        "seed": _SEED,
        "versions": versions,
        "corpus": digest.hexdigest(),
    }
    return settings_digest(settings)
