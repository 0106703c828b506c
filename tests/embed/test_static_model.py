from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from newsnest.embed import load_encoder
from newsnest.embed.static_model import StaticFolderEncoder, TokenMeans, is_static_folder
from newsnest.errors import EncoderError

TEXTS = ["Sea wall breached in storm", "Bank holds rates", "storm storm bank", "Bank holds rates"]


def test_a_static_folder_is_known_and_read_as_sentence_transformers_reads_it(static_model):
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(str(static_model))
    assert isinstance(encoder, StaticFolderEncoder)
    ours = encoder.encode(TEXTS)
    stock = SentenceTransformer(str(static_model), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(ours, stock, atol=1e-6)
    assert encoder.dimensions == 12
    assert encoder.count_cut(TEXTS) == 0
    assert ours.tobytes() == np.concatenate([encoder.encode([t]) for t in TEXTS]).tobytes()


def test_other_models_are_no_static_folder(tiny_model, tmp_path):
    assert not is_static_folder(tiny_model)
    assert not is_static_folder(tmp_path)
    (tmp_path / "modules.json").write_text("[1]")
    assert not is_static_folder(tmp_path)


def test_the_fingerprint_covers_vectors_and_prompt(static_model, tmp_path):
    def fingerprint(folder: Path) -> str:
        encoder = load_encoder(str(folder))
        encoder.prepare([])
        return encoder.fingerprint

    first = fingerprint(static_model)
    copied = shutil.copytree(static_model, tmp_path / "copied")
    assert fingerprint(copied) == first
    said = copied / "config_sentence_transformers.json"
    content = json.loads(said.read_text())
    said.write_text(json.dumps({**content, "prompts": {"clustering": "storm "}}))
    assert fingerprint(copied) != first
    asked = load_encoder(str(copied)).encode(["bank"])
    assert np.allclose(asked, load_encoder(str(static_model)).encode(["storm bank"]))


def test_damaged_files_are_named(static_model):
    (folder,) = {path.parent for path in static_model.rglob("model.safetensors")}
    save_file({"other": np.zeros((2, 2), np.float32)}, folder / "model.safetensors")
    with pytest.raises(EncoderError, match=r"must hold one of embedding\.weight, .* got other"):
        TokenMeans(folder, skip_unknown=True)
    (folder / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match=r"must hold tokenizer\.json and model\.safetensors"):
        TokenMeans(folder, skip_unknown=True)
    save_file({"embeddings": np.zeros((2, 2), np.float32)}, folder / "model.safetensors")
    save_file(
        {"embeddings": np.zeros((2, 2), np.float32), "mapping": np.array([0, 2])},
        folder / "model.safetensors",
    )
    with pytest.raises(EncoderError, match="mapping and weights must have a row a token, got: ind"):
        TokenMeans(folder, skip_unknown=True)
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(EncoderError, match=r"tokenizer\.json must be a tokenizer, got"):
        TokenMeans(folder, skip_unknown=True)


@pytest.mark.parametrize("kept", [("mapping",), ("weights",), ("mapping", "weights")])
def test_rows_that_tokens_share_and_weights_of_tokens_are_read_as_sentence_transformers_reads_them(
    static_model, kept
):
    from sentence_transformers import SentenceTransformer

    (folder,) = {path.parent for path in static_model.rglob("model.safetensors")}
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    dice = np.random.default_rng(1)
    rows = 5 if "mapping" in kept else tokens
    parts = {
        "mapping": dice.integers(0, rows, tokens),
        "weights": dice.uniform(0.1, 2.0, tokens).astype(np.float32),
    }
    vectors = dice.standard_normal((rows, 12)).astype(np.float32)
    save_file({"embeddings": vectors} | {k: parts[k] for k in kept}, folder / "model.safetensors")
    stock = SentenceTransformer(str(static_model), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(load_encoder(str(static_model)).encode(TEXTS), stock, atol=1e-6)


@pytest.mark.parametrize("content", ["{bad", "[1]"])
def test_a_damaged_prompt_file_is_named(static_model, content):
    (static_model / "config_sentence_transformers.json").write_text(content)
    with pytest.raises(EncoderError, match=r"config_sentence_transformers\.json must be a JSON ob"):
        load_encoder(str(static_model)).prepare([])
