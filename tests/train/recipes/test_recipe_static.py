from __future__ import annotations

import json

import numpy as np
import pytest

from newsnest.embed import load_encoder
from newsnest.errors import InputError, ParameterError
from newsnest.train.recipes import RECIPES
from newsnest.train.recipes.static import StaticSettings

WORDS = ("storm", "bank", "sea", "wall", "police", "raid", "vote", "minister", "cup", "rates")


@pytest.fixture
def texts():
    dice = np.random.default_rng(0)
    return [" ".join(dice.choice(WORDS, dice.integers(2, 8))) for _ in range(150)]


@pytest.fixture
def make(tiny_model, write_rows, texts, tmp_path, monkeypatch):
    monkeypatch.setenv("NEWSNEST_CACHE", str(tmp_path / "cache"))
    path = write_rows("articles.jsonl", [{"id": i, "title": t} for i, t in enumerate(texts)])

    def make(**changes):
        usual = {"data": (str(path),), "base": str(tiny_model), "output": tmp_path / "model"}
        return StaticSettings(**{**usual, **changes})

    return make


def test_the_model_is_nearer_to_its_base_and_loads_anywhere(make, texts, tiny_model, tally):
    from sentence_transformers import SentenceTransformer

    folder = RECIPES["static"].run(make(), progress=tally)
    told = json.loads((folder / "newsnest.json").read_text())
    assert told["recipe"] == "static"
    assert told["validation"]["after"] > told["validation"]["before"]
    assert any("held-out cosine" in note for note in tally.notes)
    encoder, base = load_encoder(str(folder)), load_encoder(str(tiny_model))
    near = (encoder.encode(texts) * base.encode(texts)).sum(axis=1).mean()
    assert near > told["validation"]["before"]
    stock = SentenceTransformer(str(folder), device="cpu").encode(texts)
    np.testing.assert_allclose(encoder.encode(texts), stock, atol=1e-6)


def test_the_same_training_is_not_done_twice(make, tally):
    run = RECIPES["static"].run
    first = run(make()) / "model.safetensors"
    before = first.stat().st_mtime_ns if first.is_file() else None
    run(make(), progress=tally)
    assert "ended already" in tally.notes[-1]
    assert before == (first.stat().st_mtime_ns if first.is_file() else None)
    with pytest.raises(ParameterError, match="did not write: seed was 0 and is 1. Choose another"):
        run(make(seed=1))


def test_too_few_texts_are_an_error(make, write_rows):
    few = write_rows("few.jsonl", [{"id": 1, "title": "storm"}])
    with pytest.raises(InputError, match="at least 20 different articles"):
        RECIPES["static"].run(make(data=(str(few),)))


def test_one_text_again_and_again_is_too_few(make, write_rows):
    same = write_rows("same.jsonl", [{"id": i, "title": "storm"} for i in range(30)])
    with pytest.raises(
        InputError, match="at least 20 different articles are needed to train on, got 1"
    ):
        RECIPES["static"].run(make(data=(str(same),)))


def test_several_processes_are_refused(make, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="train static: processes must be 1, got 2"):
        RECIPES["static"].run(make())


def test_words_alone_are_no_base(make):
    with pytest.raises(ParameterError, match="base must be a transformer"):
        RECIPES["static"].run(make(base="tfidf"))
