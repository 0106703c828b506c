from __future__ import annotations

import importlib.util
import json
import math
import shutil
import sys

import numpy as np
import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.embed.config import _INT8, cpu_flags
from newsnest.embed.int8_bert import Int8Bert
from newsnest.embed.weights import MINILM_PACKAGE
from newsnest.errors import EncoderError

TEXTS = [
    "storm hits coast",
    "sea wall breached in storm",
    "bank holds rates",
    "",
    "minister resigns after vote " * 5,
    "police arrest three in raid",
    "cup final: team wins",
]
on_int8 = pytest.mark.skipif(not cpu_flags() & _INT8, reason="no int8 products here")


def vectors(path, backend, texts=TEXTS):
    return load_encoder(str(path), config=EncoderConfig(backend=backend)).encode(texts)


@on_int8
@pytest.mark.parametrize("bfloat16", [True, False])
def test_int8_comes_near_float32(tiny_model, monkeypatch, bfloat16):
    monkeypatch.setattr("newsnest.embed.transformer.multiplies_bfloat16", lambda: bfloat16)
    cosines = (vectors(tiny_model, "int8") * vectors(tiny_model, "torch")).sum(axis=1)
    assert cosines.min() > 0.998


@on_int8
@pytest.mark.skipif(importlib.util.find_spec(MINILM_PACKAGE) is None, reason="no minilm here")
def test_int8_comes_near_float32_with_real_weights():
    texts = ["Storm floods coastal towns in the north", "Bank holds rates", "Cup final " * 200]
    cosines = (vectors("minilm", "int8", texts) * vectors("minilm", "torch", texts)).sum(axis=1)
    assert cosines.min() > 0.99


@on_int8
def test_gelu_is_gelu_and_bytes_stand_for_their_numbers():
    from newsnest.embed import bert_kernels as kernels

    x = np.linspace(-9, 9, 2001, dtype=np.float32)[None]
    expected = np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x[0].tolist()])
    out = np.empty(x.shape, np.uint8)
    steps, lows = np.ones(1, np.float32), np.zeros(1, np.float32)
    zeros = np.zeros(x.shape[1], np.float32)
    kernels.gelu_to_bytes(x, steps, lows, zeros, zeros, out)
    np.testing.assert_allclose(x[0], expected, atol=2e-6)
    assert out.min() == 0 and out.max() == 255
    np.testing.assert_allclose(out[0] * steps[0] + lows[0], expected, atol=0.51 * steps[0])


@on_int8
def test_a_row_of_equal_numbers_becomes_zeros():
    from newsnest.embed import bert_kernels as kernels

    out = np.empty((1, 5), np.uint8)
    steps, lows = np.empty(1, np.float32), np.empty(1, np.float32)
    kernels.to_bytes(np.full((1, 5), -3.0, np.float32), out, steps, lows)
    assert out.tolist() == [[0] * 5] and lows[0] == -3.0 and steps[0] > 0


@on_int8
def test_exponentials_are_those_of_the_differences_to_the_largest():
    import torch

    from newsnest.embed import bert_kernels as kernels

    scores = torch.randn(9, 33, generator=torch.Generator().manual_seed(0)).mul(20).bfloat16()
    scores[0] = 0.0
    wide = scores.double().numpy()
    expected = np.exp(0.3 * (wide - wide.max(axis=1, keepdims=True)))
    sums = np.empty(9, np.float32)
    kernels.exponentials(scores.view(torch.int16).numpy(), np.float32(0.3), sums)
    np.testing.assert_allclose(sums, expected.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(scores.double().numpy(), expected, rtol=2**-8, atol=1e-30)


def test_floats_are_ordered_by_their_bits():
    from newsnest.embed.bert_kernels import ordered

    numbers = np.array([-np.inf, -7.5, -1e-40, -0.0, 0.0, 1e-40, 2.0, 3e38], np.float32)
    keys = [int(ordered.py_func(bits)) for bits in numbers.view(np.int32)]
    assert keys == sorted(keys)
    again = [int(ordered.py_func(np.int32(key))) for key in keys]
    assert again == numbers.view(np.int32).tolist()


def edited(model, folder, name, **changes):
    copy = shutil.copytree(model, folder / "copy")
    content = json.loads((copy / name).read_text())
    (copy / name).write_text(json.dumps({**content, **changes}))
    return copy


@on_int8
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"model_type": "t5"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("1_Pooling/config.json", {"pooling_mode": "cls"}),
    ],
)
def test_models_of_another_kind_are_refused(tiny_model, tmp_path, name, changes):
    copy = edited(tiny_model, tmp_path, name, **changes)
    encoder = load_encoder(str(copy), config=EncoderConfig(backend="int8"))
    with pytest.raises(EncoderError, match="must be given a BERT with mean pooling, got .*copy"):
        encoder.encode(["storm"])


def test_more_tokens_than_places_are_refused(tiny_model):
    for room in (65, None):
        with pytest.raises(EncoderError, match=r"must read at most 64 tokens, got (65|no limit)"):
            Int8Bert(tiny_model, room, bfloat16=False)


def test_weights_must_be_there_and_finite(tiny_model, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    name = "encoder.layer.1.output.dense.bias"
    weights[name][0] = math.nan
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(EncoderError, match=rf"must hold {name}, all finite, got NaN or infinity"):
        Int8Bert(copy, 16, bfloat16=False)
    del weights[name]
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(EncoderError, match=rf"must hold {name}, all finite, got none"):
        Int8Bert(copy, 16, bfloat16=False)
    (copy / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match=r"model\.safetensors must be whole, got"):
        Int8Bert(copy, 16, bfloat16=False)


def test_a_torch_without_onednn_is_refused(tiny_model, monkeypatch):
    import torch

    monkeypatch.setattr(torch.ops, "onednn", object())
    with pytest.raises(EncoderError, match="must have a torch with oneDNN, got 2"):
        Int8Bert(tiny_model, 16, bfloat16=False)


@on_int8
def test_no_torch_is_told(tiny_model, monkeypatch):
    monkeypatch.delitem(sys.modules, "newsnest.embed.int8_bert")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EncoderError, match="backend int8 must be run by torch, got"):
        vectors(tiny_model, "int8")
