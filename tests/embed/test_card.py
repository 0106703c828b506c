from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.embed.card import Card, mean_pooled_bert, read_card
from newsnest.embed.stock import StockModel
from newsnest.errors import EncoderError


def changed(model, folder, name, **changes):
    copy = shutil.copytree(model, folder / "copy")
    content = json.loads((copy / name).read_text())
    (copy / name).write_text(json.dumps({**content, **changes}))
    return copy


def loaded(folder):
    return StockModel(folder, "torch", device="cpu", max_length=None, prefix=None).card


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_length": 12},
        {"max_length": 4096},
        {"prompts": {"clustering": "query: ", "query": "team "}},
    ],
)
def test_a_card_says_what_the_loaded_model_says(make_tiny_model, options):
    folder = make_tiny_model(**options)
    assert read_card(folder) == loaded(folder)


def test_the_card_of_an_older_kind_of_folder(tiny_model, tmp_path):
    copy = changed(tiny_model, tmp_path, "sentence_bert_config.json", max_seq_length=9)
    pooling = {
        "word_embedding_dimension": 32,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
    }
    (copy / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (copy / "config_sentence_transformers.json").unlink()
    assert read_card(copy) == loaded(copy) == Card(9, "", 32)
    assert mean_pooled_bert(copy)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"model_type": "t5"}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("1_Pooling/config.json", {"pooling_mode": "mean+max"}),
        ("1_Pooling/config.json", {"embedding_dimension": None}),
        ("1_Pooling/config.json", {"include_prompt": False, "embedding_dimension": None}),
    ],
)
def test_an_unusual_model_has_no_card(tiny_model, tmp_path, name, changes):
    copy = changed(tiny_model, tmp_path, name, **changes)
    assert read_card(copy) is None
    assert not mean_pooled_bert(copy)


def test_other_modules_and_missing_files_have_no_card(tiny_model, tmp_path):
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    (copy / "tokenizer.json").unlink()
    assert read_card(copy) is None
    modules = json.loads((copy / "modules.json").read_text())
    (copy / "modules.json").write_text(json.dumps([*modules, {"type": "a.Dense", "path": "2"}]))
    assert read_card(copy) is None
    assert read_card(tmp_path) is None


def test_a_model_without_a_card_is_loaded_to_ask_it(tiny_model, monkeypatch):
    read = load_encoder(str(tiny_model))
    read.prepare([])
    monkeypatch.setattr("newsnest.embed.transformer.read_card", lambda folder: None)
    asked = load_encoder(str(tiny_model))
    asked.prepare([])
    assert (read._model is None, asked._model is None) == (True, False)
    assert asked.fingerprint == read.fingerprint
    assert asked.dimensions == read.dimensions
    assert asked.encode(["storm"]).tobytes() == read.encode(["storm"]).tobytes()


def test_files_that_say_something_else_than_the_model_are_an_error(tiny_model, monkeypatch):
    monkeypatch.setattr("newsnest.embed.transformer.read_card", lambda folder: Card(16, "", 31))
    encoder = load_encoder(str(tiny_model), config=EncoderConfig(backend="torch"))
    encoder.prepare([])
    with pytest.raises(EncoderError, match=r"must match the loaded model, got Card"):
        encoder.encode(["storm"])


def test_a_fingerprint_takes_neither_torch_nor_transformers(tiny_model):
    code = (
        "import sys; from newsnest.embed import EncoderConfig, load_encoder; "
        f"e = load_encoder({str(tiny_model)!r}, config=EncoderConfig(device='cpu')); "
        "e.prepare([]); e.count_cut(['storm hits']); e.encode([]); print(len(e.fingerprint), "
        "*[m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["64"]


def test_a_tokenizer_that_is_none_is_an_error(tiny_model, tmp_path):
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    (copy / "tokenizer.json").write_text("{")
    with pytest.raises(EncoderError, match=r"tokenizer\.json must be a tokenizer, got"):
        load_encoder(str(copy)).prepare([])
