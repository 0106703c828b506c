from __future__ import annotations

import numpy as np
import pytest

from newsnest.embed import MemoryCache, TfidfEncoder, encode_cached, load_encoder, text_hash
from newsnest.embed.unit import unit_embeddings
from newsnest.errors import EncoderError, NestError
from newsnest.nest import Nest


class KilledError(Exception):
    pass


class Dying(MemoryCache):
    """Takes one chunk, then the run is killed."""

    def put_many(self, fingerprint, hashes, vectors):
        if len(self):
            raise KilledError
        super().put_many(fingerprint, hashes, vectors)


def test_a_killed_run_resumes_with_the_same_bits(tiny_model, monkeypatch, tally):
    monkeypatch.setattr("newsnest.embed.cache._FIRST", 16)
    rng = np.random.default_rng(2)
    words = ["storm", "hits", "the", "coast", "bank", "holds", "rates"]
    texts = [" ".join(rng.choice(words, rng.integers(0, 9))) for _ in range(60)]
    encoder = load_encoder(str(tiny_model))
    encoder.prepare([])
    expected = encoder.encode(texts)

    cache = Dying()
    with pytest.raises(KilledError):
        encode_cached(encoder, texts, cache)
    assert len(cache) == 16
    whole = MemoryCache()
    whole._rows = dict(cache._rows)
    resumed = encode_cached(encoder, texts, whole, progress=tally)
    assert resumed.tobytes() == expected.tobytes()
    different = len(set(texts))
    assert tally.notes == [
        f"60 texts, {different} different: 16 vectors from the cache, {different - 16} to encode"
    ]
    assert tally.tasks == [("encode", different - 16, "texts")]
    assert tally.done == different - 16


def test_a_chunk_is_a_matter_of_time(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("newsnest.embed.cache.time.monotonic", lambda: clock[0])
    sizes = []

    class Slow:
        name, dimensions, fingerprint = "slow", 1, "f"
        seconds_a_text = 0.5

        def encode(self, texts, *, progress):
            clock[0] += self.seconds_a_text * len(texts)
            sizes.append(len(texts))
            return np.ones((len(texts), 1), np.float32)

    texts = [str(i) for i in range(1000)]
    encode_cached(Slow(), texts, MemoryCache())
    assert sizes[0] == 256  # the speed is not known yet
    assert set(sizes[1:-1]) == {20}  # ten seconds of it
    assert sum(sizes) == 1000

    sizes.clear()
    Slow.seconds_a_text = 100.0
    encode_cached(Slow(), texts[:300], MemoryCache())
    assert sizes == [256, *[1] * 44]  # never less than one

    sizes.clear()
    Slow.seconds_a_text = 0.0
    encode_cached(Slow(), [str(i) for i in range(60_000)], MemoryCache())
    assert sizes == [256, 1024, 4096, 16_384, 16_384, 16_384, 5472]


def test_a_second_run_encodes_nothing(monkeypatch, tally):
    encoder, cache = TfidfEncoder(), MemoryCache()
    texts = ["storm hits", "bank holds", "storm hits"]
    encoder.prepare(texts)
    first = encode_cached(encoder, texts, cache)
    monkeypatch.setattr(encoder, "encode", lambda *a, **k: pytest.fail("encoded again"))
    assert encode_cached(encoder, texts[::-1], cache, progress=tally).tobytes() == (
        first[::-1].tobytes()
    )
    assert "2 vectors from the cache, 0 to encode" in tally.notes[0]
    assert encode_cached(encoder, [], cache).shape == (0, encoder.dimensions)


def test_another_fingerprint_shares_nothing():
    cache = MemoryCache()
    cache.put_many("a", [text_hash("x")], np.ones((1, 2), np.float32))
    assert cache.get_many("b", [text_hash("x")]) == {}


def test_an_encoder_must_be_prepared():
    with pytest.raises(EncoderError, match="encoder must be prepared, got 'tfidf'"):
        encode_cached(TfidfEncoder(), ["x"], MemoryCache())


def test_vectors_of_another_width_are_refused():
    encoder, cache = TfidfEncoder(), MemoryCache()
    encoder.prepare(["storm hits", "bank holds"])
    cache.put_many(encoder.fingerprint, [text_hash("x")], np.ones((1, 7), np.float32))
    with pytest.raises(EncoderError, match=r"must give vectors of 2 dimensions, got shape \(7,\)"):
        encode_cached(encoder, ["x"], cache)


@pytest.mark.parametrize("row", [(np.nan, 0.0), (np.inf, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_vectors_that_cannot_be_an_encoder_s_are_not_used(row):
    encoder, cache = TfidfEncoder(), MemoryCache()
    encoder.prepare(["storm hits", "bank holds"])
    cache.put_many(encoder.fingerprint, [text_hash("x")], np.array([row], np.float32))
    with pytest.raises(EncoderError, match="cache must give finite vectors of length 1, got oth"):
        encode_cached(encoder, ["x"], cache)


def test_a_flipped_bit_of_a_vector_kept_in_a_nest_is_found(tmp_path):
    encoder, texts = TfidfEncoder(), ["storm hits", "bank holds"]
    encoder.prepare(texts)
    with Nest(tmp_path / "n", create=True) as nest:
        kept = encode_cached(encoder, texts, nest.vectors)
        ask = nest.store.connection.execute
        flipped = bytearray(kept[0].tobytes())
        flipped[0] ^= 1  # the lowest bit of a number: of length 1 it still is
        ask("UPDATE vectors SET vector = ? WHERE text = ?", (flipped, text_hash(texts[0])))
    with pytest.raises(NestError, match="is not what was written"), Nest(tmp_path / "n") as nest:
        encode_cached(encoder, texts, nest.vectors)


def test_a_text_hash_is_16_bytes_even_of_broken_unicode():
    assert len(text_hash("\ud800")) == len(text_hash("")) == 16
    assert text_hash("a") != text_hash("b")


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(EncoderError, match="vectors must be finite, got NaN or infinity"):
        unit_embeddings(np.array([[np.nan, 1.0]]), encoder="mine")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((2, 3), np.float32), "got rows of another length"),
        (np.full((2, 3), np.nan, np.float32), "or NaN"),
        (np.eye(2, 3), "got float64"),
        (np.eye(1, 3, dtype=np.float32), r"got shape \(1, 3\)"),
        ([[1.0, 0.0, 0.0]] * 2, "got list"),
    ],
)
def test_an_encoder_that_breaks_its_contract_is_named(rows, message):
    class Broken:
        name, dimensions, fingerprint = "broken", 3, "broken"

        def encode(self, texts, *, progress=None):
            return rows

    with pytest.raises(EncoderError, match=f"'broken' must return float32 unit .*{message}"):
        encode_cached(Broken(), ["a", "b"], MemoryCache())
