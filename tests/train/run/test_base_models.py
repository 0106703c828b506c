"""Where a training starts, and what becomes of weights at its end."""

from __future__ import annotations

import builtins
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from newsnest.embed import LevelRecord, load_encoder
from newsnest.errors import EncoderError, ParameterError
from newsnest.train.run.base import (
    add_lora,
    average_weights,
    find_base,
    load_base,
    merge_lora,
    prefix_of,
)
from newsnest.train.run.context import uses_bfloat16
from newsnest.train.run.publish import levels_of_base
from newsnest.train.run.trainer import last_checkpoint

TEXTS = ["sea wall breached", "rates held", "team wins cup"]


def base(folder: Path, **options):
    return load_base(find_base(str(folder), **options), device="cpu")


@pytest.mark.parametrize("name", ["static", "static-multilingual", "tfidf"])
def test_encoders_without_weights_to_train_are_refused(name: str):
    with pytest.raises(ParameterError, match=f"base must be a transformer, got '{name}'"):
        find_base(name)


def test_an_unknown_base_is_told():
    with pytest.raises(EncoderError, match="got 'minilmm'. Did you mean 'minilm'"):
        find_base("minilmm")
    with pytest.raises(EncoderError, match="a model folder or a hub id, got '~nobody-here/x'"):
        find_base("~nobody-here/x")


def test_a_model_that_is_not_whole_is_told(tiny_model: Path, tmp_path: Path):
    for name, break_it in (
        ("model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:99])),
        ("config.json", lambda path: path.write_text("[]")),
    ):
        folder = tmp_path / name
        shutil.copytree(tiny_model, folder)
        break_it(next(folder.rglob(name)))
        with pytest.raises(EncoderError, match="must hold a sentence-transformers model, got: "):
            base(folder)
        encoder = load_encoder(str(folder))
        with pytest.raises(EncoderError, match="must be a model sentence-transformers can load"):
            encoder.prepare(["sea wall"])
            encoder.encode(["sea wall"])


def test_a_rank_above_the_width_is_refused_before_it_is_allocated(tiny_model: Path):
    with pytest.raises(ParameterError, match="lora must be at most 32, the width .*, got 99999999"):
        add_lora(base(tiny_model), 99_999_999)


def test_a_hub_id_is_looked_up_on_the_hub():
    with pytest.raises(EncoderError, match="'nobody/nothing' must be within reach"):
        find_base("nobody/nothing")


def test_multilingual_comes_with_its_prefix(monkeypatch, tiny_model: Path):
    monkeypatch.setattr("newsnest.embed.registry.multilingual_folder", lambda _: tiny_model)
    assert find_base("multilingual").prefix == "query: "
    assert find_base("multilingual", prefix="").prefix == ""


def test_a_folder_that_cannot_be_loaded_is_told(tiny_model: Path, tmp_path: Path):
    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    (broken / "config.json").write_text("{}")
    with pytest.raises(EncoderError, match="must hold a sentence-transformers model, got"):
        base(broken)


def test_a_prefix_becomes_the_prompt_of_the_model(tiny_model: Path, make_tiny_model: Callable):
    model = base(tiny_model, prefix="query: ")
    assert prefix_of(model) == "query: "
    plain = base(tiny_model)
    assert prefix_of(plain) == ""
    expected = plain.encode(["query: " + text for text in TEXTS])
    assert np.allclose(model.encode(TEXTS), expected, atol=1e-6)
    own = make_tiny_model(prompts={"clustering": "the "})
    assert prefix_of(base(own)) == "the "
    assert prefix_of(base(own, prefix="")) == ""


def test_the_length_is_set_and_cannot_exceed_the_positions(tiny_model: Path):
    assert base(tiny_model).max_seq_length == 16
    assert base(tiny_model, max_length=5).max_seq_length == 5
    with pytest.raises(ParameterError, match="max_length must be at most 64.*got 65"):
        base(tiny_model, max_length=65)


def test_another_pooling_gives_other_vectors_of_the_same_width(tiny_model: Path, tmp_path: Path):
    mean, cls = base(tiny_model).encode(TEXTS), base(tiny_model, pooling="cls").encode(TEXTS)
    assert mean.shape == cls.shape and abs(mean - cls).max() > 1e-3
    model = base(tiny_model)
    del model[1]
    with pytest.raises(
        ParameterError, match="pooling must be none .* whose modules are Transformer"
    ):
        from newsnest.train.run.base import _set_pooling

        _set_pooling(model, find_base(str(tiny_model), pooling="cls"))


def test_merged_adapters_compute_what_they_computed_apart(tiny_model: Path):
    model = base(tiny_model)
    names = set(model.state_dict())
    before = model.encode(TEXTS)
    torch.manual_seed(0)
    add_lora(model, 4)
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert trained and all("lora_" in name and "pooler" not in name for name in trained)
    assert np.allclose(model.encode(TEXTS), before, atol=1e-6)  # they start at nothing
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    apart = model.encode(TEXTS)
    merge_lora(model)
    assert set(model.state_dict()) == names
    assert abs(apart - before).max() > 1e-3
    assert np.allclose(model.encode(TEXTS), apart, atol=1e-5)


def test_lora_needs_peft_and_a_transformer(tiny_model: Path, monkeypatch: pytest.MonkeyPatch):
    model = base(tiny_model)
    with pytest.raises(ParameterError, match="lora must be none for Pooling, got rank 4"):
        add_lora([model[1]], 4)
    real = builtins.__import__

    def without_peft(name, *rest):
        if name == "peft":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_peft)
    with pytest.raises(ParameterError, match=r"package peft must be installed.*newsnest\[train"):
        add_lora(model, 4)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_averaging_moves_every_weight_by_its_share(tiny_model: Path, share: float):
    model = base(tiny_model)
    start = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    average_weights(model, start, share)
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter, start[name] + 1 - share, atol=1e-6)


def test_a_weight_that_stands_in_two_places_is_averaged_once():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    model[1].weight = model[0].weight
    start = {name: torch.zeros_like(weight) for name, weight in model.state_dict().items()}
    before = model[0].weight.detach().clone()
    average_weights(model, start, 0.5)
    assert torch.allclose(model[0].weight, before / 2)


def test_what_is_loaded_is_what_the_encoder_computes(tiny_model: Path):
    encoder = load_encoder(str(tiny_model))
    encoder.prepare(TEXTS)
    ours = base(tiny_model).encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(encoder.encode(TEXTS), ours, atol=0.01)  # it may compute in bfloat16


def test_the_newest_whole_checkpoint_counts_and_unfinished_ones_go(tmp_path: Path):
    assert last_checkpoint(tmp_path) is None
    for step, state in ((5, "{}"), (40, "{}"), (100, '{"epoch": 1, "glo'), (110, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-40"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-40", "checkpoint-5"]


def test_bfloat16_is_chosen_where_the_device_is_made_for_it(monkeypatch: pytest.MonkeyPatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert uses_bfloat16("auto", cpu, cpu_is_good_at_it=True)
    assert not uses_bfloat16("auto", cpu, cpu_is_good_at_it=False)
    assert uses_bfloat16("bfloat16", cpu, cpu_is_good_at_it=False)
    assert not uses_bfloat16("float32", cpu, cpu_is_good_at_it=True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "an old one")
    assert not uses_bfloat16("auto", gpu, cpu_is_good_at_it=True)
    with pytest.raises(ParameterError, match="precision must be float32 on an old one"):
        uses_bfloat16("bfloat16", gpu, cpu_is_good_at_it=True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert uses_bfloat16("auto", gpu, cpu_is_good_at_it=False)


@pytest.mark.parametrize("rotate", [True, False, None])
def test_levels_are_kept_uncalibrated_and_turned_as_they_were(tiny_model, tmp_path, rotate):
    """A plain model that was calibrated turns its vectors; so must what is trained from it."""
    folder = shutil.copytree(tiny_model, tmp_path / "base")
    level = {"name": "story", "dims": 32, "min_similarity": 0.5, "dated": 0.4}
    said = {"levels": [level]} | ({} if rotate is None else {"rotate": rotate})
    (folder / "newsnest.json").write_text(json.dumps(said))
    assert levels_of_base(find_base(str(folder))) == ((LevelRecord("story", 32),), rotate)


def test_a_base_without_levels_keeps_none(tiny_model):
    assert levels_of_base(find_base(str(tiny_model))) == ((), None)
