from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from newsnest.embed import TfidfEncoder
from newsnest.embed.tfidf import terms
from newsnest.errors import EncoderError

TOPICS = ["sea wall storm coast flood", "bank rates inflation euro", "cup final goal team coach"]


def corpus(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(TOPICS[i % 3].split(), 4)) + f" w{i % 97}" for i in range(n)]


def fitted(texts: list[str]) -> TfidfEncoder:
    encoder = TfidfEncoder()
    encoder.prepare(texts)
    return encoder


def test_bits_depend_neither_on_corpus_order_nor_on_threads():
    texts = corpus(1500)
    expected = fitted(texts).encode(texts)
    assert expected.shape == (1500, min(256, expected.shape[1]))
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            again = fitted(texts[::-1])
            assert again.encode(texts).tobytes() == expected.tobytes()
    assert again.fingerprint == fitted(texts).fingerprint
    assert again.fingerprint != fitted(texts[1:]).fingerprint


def test_texts_of_one_topic_are_closer():
    texts = corpus(300)
    vectors = fitted(texts).encode(texts)
    topic = np.arange(300) % 3
    similarity = vectors @ vectors.T
    same = topic[:, None] == topic
    assert similarity[same].mean() > similarity[~same].mean() + 0.1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sea WALL", ["sea", "wall", "sea wall"]),
        ("été 12", ["été", "12", "été 12"]),
        ("地震", ["地", "震", "地震"]),
        ("हिन्दी", ["हिन्दी"]),
        ("-- !", []),
    ],
)
def test_terms_of_any_script(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize("texts", [[], [""], ["!!", "--"]])
def test_a_corpus_without_words_has_one_dimension(texts, tally):
    encoder = TfidfEncoder()
    encoder.prepare(texts, progress=tally)
    assert encoder.dimensions == 1
    assert encoder.encode(["storm", ""]).tolist() == [[1.0], [1.0]]
    assert tally.notes == ["tfidf: the corpus has no words; all texts get the same vector"]


def test_dimensions_follow_a_tiny_corpus():
    encoder = fitted(["storm hits", "bank holds"])
    assert encoder.dimensions == 2
    np.testing.assert_allclose(
        encoder.encode(["unheard", "storm"])[0], np.full(2, 0.5**0.5), atol=1e-7
    )


def test_encoding_before_fitting_is_an_error():
    with pytest.raises(EncoderError, match="must be fitted on a corpus, got none"):
        TfidfEncoder().encode(["storm"])


@pytest.mark.filterwarnings("error")
def test_a_corpus_of_one_word_or_one_text_has_vectors_too():
    for corpus in (["one"], ["one", "one one"], ["storm hits coast"], ["a b c", "a b c"]):
        encoder = TfidfEncoder()
        encoder.prepare(corpus)
        np.testing.assert_allclose(np.linalg.norm(encoder.encode(corpus), axis=1), 1, atol=1e-6)
