"""Coherence and diversity of keywords."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from newsnest.errors import ParameterError
from newsnest.evaluate import keyword_coherence, keyword_diversity

TEXTS = sparse.csr_array(
    np.array([[1, 1, 0, 2], [1, 1, 0, 1], [1, 0, 1, 1], [0, 0, 1, 1]], np.float64)
)


def test_coherence_is_that_computed_by_hand():
    # p(0) = 3/4, p(1) = 2/4, both 2/4; log((1/2) / (3/8)) / −log(1/2)
    expected = np.log(4 / 3) / np.log(2)
    assert keyword_coherence([(0, 1)], TEXTS) == pytest.approx([expected])


def test_coherence_is_the_mean_over_pairs():
    pairs = [(0, 1), (0, 2), (1, 2)]
    each = [keyword_coherence([pair], TEXTS)[0] for pair in pairs]
    assert keyword_coherence([(0, 1, 2)], TEXTS) == pytest.approx([np.mean(each)])


def test_coherence_at_its_limits():
    found = keyword_coherence([(1, 2), (3, 3), (0, -1), (0,), ()], TEXTS)
    assert found[:3].tolist() == [-1.0, 1.0, -1.0]  # never meet; everywhere; in no text
    assert np.isnan(found[3:]).all()


def test_words_that_are_independent_score_nothing():
    rows = [[a, b] for a in (0, 1) for b in (0, 1)]
    assert keyword_coherence([(0, 1)], sparse.csr_array(np.array(rows))) == pytest.approx([0.0])


def test_how_often_a_text_says_a_word_does_not_matter():
    once = sparse.csr_array((TEXTS.toarray() > 0).astype(float))
    assert np.array_equal(
        keyword_coherence([(0, 1, 2)], TEXTS), keyword_coherence([(0, 1, 2)], once)
    )


def test_diversity_is_the_share_of_different_keywords():
    assert keyword_diversity([(0, 1), (1, 2)]) == 0.75
    assert keyword_diversity([(0, -1), (1, -1)]) == 1.0
    assert keyword_diversity([(0,), (0,), (0,), (0,)]) == 0.25


@pytest.mark.parametrize(
    ("texts", "columns"), [(TEXTS, (0, 9)), (sparse.csr_array((0, 4)), (0, 1))]
)
def test_keywords_must_be_columns_of_texts(texts: sparse.csr_array, columns: tuple[int, ...]):
    with pytest.raises(ParameterError, match="keywords must be columns of at least one text"):
        keyword_coherence([columns], texts)


def test_no_keyword_has_no_diversity():
    with pytest.raises(ParameterError, match="keywords must hold one at least, got none"):
        keyword_diversity([(), ()])
