from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.embed.config import _INT8, cpu_flags
from newsnest.embed.loading import _check
from newsnest.errors import EncoderError

every_backend = pytest.mark.parametrize(
    "backend",
    [
        "torch",
        "bfloat16",
        pytest.param(
            "int8",
            marks=pytest.mark.skipif(not cpu_flags() & _INT8, reason="no int8 products here"),
        ),
    ],
)
SHORT = "storm hits coast"
LONG = "sea wall breached " * 5 + "minister resigns after vote " * 5


def vectors(path, texts, backend="torch", **options):
    return load_encoder(str(path), config=EncoderConfig(backend=backend, **options)).encode(texts)


def test_vectors_are_those_of_sentence_transformers(tiny_model):
    from sentence_transformers import SentenceTransformer

    texts = [SHORT, "bank holds rates", LONG, ""]
    stock = SentenceTransformer(str(tiny_model), device="cpu")
    expected = stock.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(vectors(tiny_model, texts), expected, atol=1e-6)


@every_backend
def test_bits_depend_neither_on_batch_size_nor_on_threads(tiny_model, backend):
    import torch

    rng = np.random.default_rng(1)
    words = SHORT.split() + LONG.split()
    texts = [" ".join(rng.choice(words, rng.integers(0, 14))) for _ in range(200)]
    encoder = load_encoder(str(tiny_model), config=EncoderConfig(backend=backend))
    before = torch.get_num_threads()
    try:
        seen = set()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for size in (None, 1, 7, 64):
                encoder.config = EncoderConfig(batch_size=size, backend=backend)
                seen.add(encoder.encode(texts).tobytes())
    finally:
        torch.set_num_threads(before)
    assert len(seen) == 1


def test_long_texts_are_counted_by_the_models_own_tokens(tiny_model):
    encoder = load_encoder(str(tiny_model))
    # 16 tokens are read: 14 words and two marks.
    assert encoder.count_cut([" ".join(["storm"] * 14)]) == 0
    assert encoder.count_cut([" ".join(["storm"] * 15), SHORT, LONG]) == 2


def test_long_texts_are_read_as_chosen(tiny_model):
    words = LONG.split()
    head = vectors(tiny_model, [LONG], long_texts="head")
    assert head.tobytes() == vectors(tiny_model, [" ".join(words[:14])]).tobytes()

    both = vectors(tiny_model, [LONG], long_texts="head+tail")
    joined = " ".join(words[:10] + words[-4:])
    assert both.tobytes() == vectors(tiny_model, [joined]).tobytes()

    mean = vectors(tiny_model, [LONG], long_texts="mean")
    chunks = [words[i : i + 14] for i in range(0, len(words), 14)]
    parts = vectors(tiny_model, [" ".join(chunk) for chunk in chunks])
    expected = np.average(parts, axis=0, weights=[len(chunk) for chunk in chunks])
    np.testing.assert_allclose(mean[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_a_short_text_is_read_alike_whatever_the_choice(tiny_model):
    seen = {vectors(tiny_model, [SHORT], long_texts=how).tobytes()
            for how in ("head", "head+tail", "mean")}  # fmt: skip
    assert len(seen) == 1


@pytest.mark.parametrize("how", ["head+tail", "mean"])
def test_one_endless_word_is_cut_too(tiny_model, how):
    vector = vectors(tiny_model, ["a" * 90], long_texts=how)
    np.testing.assert_allclose(np.linalg.norm(vector), 1.0, atol=1e-6)


def test_the_clustering_prompt_is_applied(tiny_model, make_tiny_model):
    plain = make_tiny_model()
    prompted = make_tiny_model(prompts={"clustering": "query: ", "query": "team "})
    expected = vectors(plain, ["query: " + SHORT])
    np.testing.assert_allclose(vectors(prompted, [SHORT]), expected, atol=1e-6)


def test_the_prefix_of_e5_is_applied(tiny_model, monkeypatch):
    monkeypatch.setattr("newsnest.embed.registry.multilingual_folder", lambda _: tiny_model)
    encoder = load_encoder("multilingual", config=EncoderConfig(backend="torch"))
    expected = vectors(tiny_model, ["query: " + SHORT])
    assert encoder.encode([SHORT]).tobytes() == expected.tobytes()


def test_the_fingerprint_follows_weights_and_settings(tiny_model, make_tiny_model):
    prints = []
    for path, options in (
        (tiny_model, {"backend": "torch"}),
        (tiny_model, {"backend": "torch", "batch_size": 3}),
        (tiny_model, {"backend": "torch", "long_texts": "mean"}),
        (tiny_model, {"backend": "bfloat16"}),
        (make_tiny_model(max_length=12), {"backend": "torch"}),
    ):
        encoder = load_encoder(str(path), config=EncoderConfig(**options))
        encoder.prepare([])
        prints.append(encoder.fingerprint)
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4


def test_metadata_beside_a_model_is_kept_and_leaves_the_fingerprint(tiny_model, tmp_path):
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    (copy / "newsnest.json").write_text(json.dumps({"dims": [8, 32]}))
    encoders = [load_encoder(str(path)) for path in (tiny_model, copy)]
    for encoder in encoders:
        encoder.prepare([])
    assert [encoder.record.details for encoder in encoders] == [{}, {"dims": [8, 32]}]
    assert encoders[0].fingerprint == encoders[1].fingerprint


def test_loading_says_nothing(tiny_model, capfd):
    load_encoder(str(tiny_model)).encode([SHORT])
    assert capfd.readouterr() == ("", "")


def test_missing_weights_are_an_error():
    with pytest.raises(EncoderError, match=r"got none for layer\.1\. Save"):
        _check("LOAD REPORT\nKey | Status | |\nlayer.1 | MISSING | |\nids | UNEXPECTED | |")


def test_a_broken_model_is_an_error(tiny_model, tmp_path):
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    (copy / "modules.json").write_text("[")
    with pytest.raises(EncoderError, match="must be a model sentence-transformers can load"):
        load_encoder(str(copy)).prepare([])


def test_without_torch_the_error_names_the_cure(tiny_model, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match="Run: pip install sentence-transformers torch"):
        load_encoder(str(tiny_model), config=EncoderConfig(backend="torch")).encode([SHORT])


def test_a_slow_tokenizer_is_refused():
    from types import SimpleNamespace

    from newsnest.embed.stock import rust_tokenizer

    with pytest.raises(EncoderError, match=r"must have a fast tokenizer .*, got SimpleNamespace"):
        rust_tokenizer(SimpleNamespace(tokenizer=SimpleNamespace()), "mine")
