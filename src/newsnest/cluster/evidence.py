"""What speaks for two texts being one story: meaning, words, dates, numbers and outlets, as arrays.

  rows        all views as one block of dimensions, drawn towards neighbours: what the tree is of
  nearest     how alike every text and its nearest neighbour are
  merges      how alike the two sides of every merge of a tree are, by up to eight pairs of texts

The similarity of two texts is (1 − w) · (¾ cosine of meaning + ¼ cosine of words) + w · kernel of
time; texts of which one has no date are compared without the last.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from newsnest.cluster import evidence_kernels as kernels
from newsnest.cluster import tree_kernels as trees
from newsnest.cluster.neighbours import nearest_rows, smooth_rows
from newsnest.cluster.rac_engine import Merges
from newsnest.cluster.views import level_vectors
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Ints, Labels, Level, Vectors

TIME_WEIGHT = 0.2
"""Weight of dates where stories are cut by evidence."""

_WORD_SHARE = 0.25
_USUAL_WORDS = np.float32(0.4)  # cosine of words over that of meaning, of pairs in one language
_WORD_DIMS = 256
_SKETCHED = 4  # dimensions a word is spread over
_NEIGHBOURS = 10
_SMOOTHED = 5  # neighbours a row is drawn towards
_STRENGTH, _LOW, _HIGH = 0.5, 0.25, 0.55
_CHUNK = 1_000_000  # pairs of texts looked at together

MERGE_EVIDENCE = (
    "centroid", "word_centroid", "height", "drop_to_child", "drop_to_parent", "larger", "smaller",
    "meaning", "words_max", "numbers_differ", "same_outlet", "contrast",
)  # fmt: skip
"""What is known of every merge, in the order of the columns; see `Evidence.merges`."""

NEAREST_EVIDENCE = ("meaning", "words")
"""What is known of every text and its nearest neighbour, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class SharedWords:
    """The words of n texts.

    Parameters
    ----------
    weights
        float32 (n, v): TF-IDF in rows of length 1, or 0 where a text has no word; columns sorted.
    numeric
        bool (v,): words that hold a digit.
    """

    weights: csr_array
    numeric: NDArray[np.bool_]

    def sketch(self) -> Vectors:
        """Return rows whose products are close to those of the words, float32 (n, 256).

        Every word adds to four dimensions with random signs (Kane and Nelson 2014).
        """
        rng = np.random.default_rng(0)
        v = self.weights.shape[1]
        signs = rng.choice(np.array([-0.5, 0.5], np.float32), _SKETCHED * v)
        columns = rng.integers(0, _WORD_DIMS, _SKETCHED * v)
        starts = np.arange(0, _SKETCHED * v + 1, _SKETCHED)
        spread = csr_array((signs, columns, starts), shape=(v, _WORD_DIMS))
        return np.ascontiguousarray((self.weights @ spread).toarray(), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of n texts.

    Parameters
    ----------
    text
        float32 (n, d), unit rows in the frame of the corpus.
    words
        Their words.
    sources
        int32 (n,): a number for every outlet, −1 where it is unknown.
    times
        float64 (n,), seconds, NaN where unknown.
    languages
        int32 (n,), from 0 on: words of two languages cannot be compared. None: one for all.
    time_scale
        Of the time kernel, seconds; 0 where dates do not count.
    time_weight
        In [0, 1).
    """

    text: Vectors
    words: SharedWords
    sources: Labels
    times: Floats
    languages: Labels | None = None
    time_scale: float = 0.0
    time_weight: float = TIME_WEIGHT

    @property
    def _word_share(self) -> float:
        """Weight of words: the less, the fewer pairs of texts are of one language."""
        if self.languages is None:
            return _WORD_SHARE
        part = np.bincount(self.languages) / len(self.languages)
        return _WORD_SHARE * float((part**2).sum())

    @property
    def dated(self) -> bool:
        """Whether dates count."""
        return bool(self.time_scale and self.time_weight and not np.isnan(self.times).all())

    def among(self, members: Ints) -> Self:
        """Return the evidence of some texts."""
        words = SharedWords(self.words.weights[members], self.words.numeric)
        return replace(
            self,
            text=np.ascontiguousarray(self.text[members]),
            words=words,
            sources=self.sources[members],
            times=self.times[members],
            languages=None if self.languages is None else self.languages[members],
        )

    def rows(
        self, *, exact: bool | None = None, progress: Progress = SILENT
    ) -> tuple[Vectors, Labels, Vectors]:
        """Return what a tree of stories is made of, and what neighbours say.

        Returns
        -------
        tuple
            Unit rows, float32 (n, D); the nearest neighbour of every text, int32 (n,), itself where
            there is none; and how alike its tenth neighbour is, float32 (n,).
        """
        share = self._word_share
        parts = (np.sqrt(1 - share) * self.text, np.sqrt(share) * self.words.sketch())
        views = np.concatenate(parts, axis=1, dtype=np.float32)
        if self.dated:
            level = Level("story", None, 0.0, self.time_weight)
            views = level_vectors(views, level, times=self.times, time_scale=self.time_scale)
        values, ids = nearest_rows(views, _NEIGHBOURS, exact=exact, progress=progress)
        near = (values[:, :_SMOOTHED], ids[:, :_SMOOTHED])
        rows = smooth_rows(views, near, strength=_STRENGTH, low=_LOW, high=_HIGH)
        if not ids.shape[1]:
            return rows, np.arange(len(rows), dtype=np.int32), np.zeros(len(rows), np.float32)
        return rows, ids[:, 0].copy(), values[:, -1].copy()

    def nearest(self, neighbour: Labels) -> Floats:
        """Return `NEAREST_EVIDENCE` of every text and its nearest neighbour, float64 (n, 2).

        Cosine of meaning and cosine of words. Days between them do not count: what is far apart in
        a corpus of a day is near in one of a year, and dates helped to find the neighbour.
        """
        own = np.arange(len(self.text), dtype=np.int32)
        meaning, words, _ = self._cosines(own, neighbour)
        return np.column_stack([meaning, words]).astype(np.float64)

    def merges(self, merges: Merges, weights: Floats, tenth: Vectors) -> tuple[Floats, Floats]:
        """Return `MERGE_EVIDENCE` of every merge, float64 (m, 12), and how alike its sides are.

        In the order of the columns: cosine of the two sides' means in the tree, and by words; mean
        similarity of the sides in the tree; how far it lies below that of the more similar side,
        and above that of the parent; logarithms of the articles of the larger and the smaller side;
        mean cosine of meaning; highest cosine of words; share of pairs in which both texts hold
        numbers and none is the same; share of one outlet; and similarity beyond that of either
        text to its tenth neighbour.

        The second result, float64 (m,), is the mean similarity of the sides by text and date
        alone, as `level_vectors` compares.

        Parameters
        ----------
        merges
            The tree of `rows`.
        weights
            float64 (n,): how many articles each text stands for.
        tenth
            As `rows` returns it.
        """
        n, m = len(self.text), len(merges.pairs)
        if not m:
            return np.empty((0, len(MERGE_EVIDENCE))), np.empty(0)
        children = trees.children_of(merges.pairs, n)
        left, right, starts = kernels.sampled_pairs(children, n)
        first = starts[:-1]
        meaning, words, differ, outlet, views, plain = self._compared(left, right)
        contrast = views - np.maximum(tenth[left], tenth[right])

        def mean(values: NDArray[np.floating]) -> Floats:
            summed = np.add.reduceat(values, first, dtype=np.float64)
            return np.asarray(summed / np.diff(starts))

        across = mean(words)
        height = merges.similarity
        node_height = np.concatenate([np.ones(n), height])
        a, b = children.T
        parent_height = np.zeros(n + m)
        parent_height[children.ravel()] = np.repeat(height, 2)
        total = trees.sums(children, weights)
        inner = np.maximum(trees.self_similarity(children, total, height, n), 1e-4)
        inner_words = np.maximum(trees.self_similarity(children, total, across, n), 1e-3)
        columns = [
            height / np.sqrt(inner[a] * inner[b]),
            np.clip(across / np.sqrt(inner_words[a] * inner_words[b]), 0.0, 1.2),
            height,
            np.maximum(node_height[a], node_height[b]) - height,
            height - parent_height[n:],
            np.log(np.maximum(total[a], total[b])),
            np.log(np.minimum(total[a], total[b])),
            mean(meaning),
            np.maximum.reduceat(words, first),
            mean(differ),
            mean(outlet),
            mean(contrast),
        ]
        return np.column_stack(columns).astype(np.float64), mean(plain)

    def _compared(self, left: Labels, right: Labels) -> tuple[NDArray[np.float32], ...]:
        """Compare pairs of texts, in chunks: what `merges` takes means of, float32 (p,) each."""
        numbers = self._holds_numbers()
        out: list[list[NDArray[np.float32]]] = []
        for start in range(0, max(1, len(left)), _CHUNK):
            i, j = left[start : start + _CHUNK], right[start : start + _CHUNK]
            meaning, words, shared = self._cosines(i, j)
            differ = numbers[i] & numbers[j] & (shared == 0)
            outlet = (self.sources[i] == self.sources[j]) & (self.sources[i] >= 0)
            share = np.float32(self._word_share)
            views = self._with_dates((1 - share) * meaning + share * words, i, j)
            plain = self._with_dates(meaning, i, j)
            facts = (meaning, words, differ, outlet, views, plain)
            out.append([np.asarray(fact, np.float32) for fact in facts])
        return tuple(np.concatenate(parts) for parts in zip(*out, strict=True))

    def _cosines(self, left: Labels, right: Labels) -> tuple[Vectors, Vectors, Labels]:
        """Return cosines of meaning and of words, and how many numbers are shared."""
        sparse = self.words.weights
        words, shared = kernels.word_cosines(
            sparse.indptr.astype(np.int32),
            sparse.indices.astype(np.int32),
            sparse.data,
            self.words.numeric,
            left,
            right,
        )
        meaning = kernels.text_cosines(self.text, left, right)
        if self.languages is not None:
            apart = self.languages[left] != self.languages[right]
            words[apart] = _USUAL_WORDS * np.maximum(meaning[apart], 0)
        return meaning, words, shared

    def _holds_numbers(self) -> NDArray[np.bool_]:
        sparse = self.words.weights
        rows = np.repeat(np.arange(sparse.shape[0]), np.diff(sparse.indptr))
        counted = np.bincount(rows, self.words.numeric[sparse.indices], minlength=sparse.shape[0])
        return counted > 0

    def _with_dates(self, similarity: Vectors, left: Labels, right: Labels) -> Vectors:
        """Add the time kernel, as `level_vectors` does."""
        if not self.dated:
            return similarity
        known = ~np.isnan(self.times)
        step = np.nan_to_num(self.times[left] - self.times[right]) / self.time_scale
        both = known[left] & known[right]
        scale = np.where(known, np.sqrt(1.0 - self.time_weight), 1.0)
        kernel = self.time_weight * np.exp(-0.5 * step**2) * both
        return np.asarray(scale[left] * scale[right] * similarity + kernel, np.float32)
