from __future__ import annotations

import importlib.metadata
import sys
from types import SimpleNamespace

import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.embed import config as config_module
from newsnest.embed.config import choose_backend, cpu_flags, multiplies_bfloat16
from newsnest.errors import EncoderError


@pytest.fixture
def processor(monkeypatch, tmp_path):
    def pretend(flags):
        (tmp_path / "cpuinfo").write_text(f"model name : a\nflags\t\t: {flags}\n\nflags : b\n")
        monkeypatch.setattr(config_module, "_CPU_INFO", tmp_path / "cpuinfo")
        cpu_flags.cache_clear()

    yield pretend
    cpu_flags.cache_clear()


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ("fpu avx2", "torch"),
        ("avx512_vnni avx512f", "torch"),
        ("avx512_vnni avx512_bf16", "bfloat16"),
        ("amx_bf16", "bfloat16"),
    ],
)
def test_auto_takes_bfloat16_where_the_processor_multiplies_it(processor, flags, chosen):
    processor(flags)
    assert choose_backend(EncoderConfig(device="cpu")) == chosen
    assert multiplies_bfloat16() == (chosen == "bfloat16")


def test_a_processor_that_says_nothing_computes_in_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(config_module, "_CPU_INFO", tmp_path / "none")
    cpu_flags.cache_clear()
    assert cpu_flags() == frozenset()
    assert choose_backend(EncoderConfig(device="cpu")) == "torch"
    cpu_flags.cache_clear()


@pytest.mark.parametrize(("flags", "works"), [("avx512_vnni", True), ("avx2 avx512f", False)])
def test_int8_needs_a_processor_that_adds_in_32_bits(processor, flags, works):
    processor(flags)
    config = EncoderConfig(backend="int8")
    if works:
        assert choose_backend(config) == "int8"
    else:
        message = (
            "must run on an x86 processor with VNNI under Linux, got one whose .*cpuinfo names "
            "none of amx_int8, avx512_vnni, avx_vnni. Choose backend auto: here it computes in "
            "float32."
        )
        with pytest.raises(EncoderError, match=message):
            choose_backend(config)
        with pytest.raises(EncoderError, match=message):  # at once: before anything is read
            load_encoder("minilm", config=config)


def test_an_accelerator_computes_in_float32(processor, monkeypatch):
    processor("amx_bf16")
    assert choose_backend(EncoderConfig(device="cuda:1")) == "torch"
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0")
    for available, chosen in ((True, "torch"), (False, "bfloat16")):
        there = SimpleNamespace(is_available=lambda available=available: available)
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(accelerator=there))
        assert choose_backend(EncoderConfig()) == chosen
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0+cpu")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert choose_backend(EncoderConfig()) == "bfloat16"


def test_what_was_asked_for_is_what_computes(processor, tiny_model):
    processor("avx512_vnni avx512_bf16")
    for asked in ("torch", "bfloat16", "int8"):
        encoder = load_encoder(str(tiny_model), config=EncoderConfig(backend=asked))
        encoder.prepare([])
        assert encoder.backend == asked


@pytest.mark.parametrize(
    ("flags", "config", "said"),
    [
        ("avx512_bf16", EncoderConfig(device="cpu"), "bfloat16 (backend auto, for this processor)"),
        ("avx2", EncoderConfig(device="cpu"),
         "float32 (backend auto: this processor does not multiply bfloat16)"),
        ("avx512_bf16", EncoderConfig(backend="torch"), "float32 (backend torch, as asked for)"),
        ("avx512_vnni", EncoderConfig(backend="int8"), "int8 (backend int8, as asked for)"),
    ],
)  # fmt: skip
def test_what_computes_is_told_with_the_reason(processor, tiny_model, tally, flags, config, said):
    processor(flags)
    load_encoder(str(tiny_model), config=config).prepare([], progress=tally)
    assert [note.partition(": ")[2] for note in tally.notes] == [f"computed in {said}"]


def test_an_accelerator_is_told():
    config = EncoderConfig(device="cuda")
    said = config_module.why(config, "torch")
    assert said == "computed in float32 (backend auto, on an accelerator)"


def test_a_run_fails_at_once_where_int8_cannot_be_computed(processor, tmp_path):
    from newsnest.pipeline import Options, build

    processor("avx2")
    path = tmp_path / "news.jsonl"
    path.write_text('{"title": "Sea wall breached"}')
    with pytest.raises(EncoderError, match="got one whose .* Choose backend auto"):
        build(path, tmp_path / "n", Options(encoder="minilm", backend="int8"))
    assert not (tmp_path / "n").exists()


def test_int8_vectors_of_two_kinds_of_attention_share_nothing(processor, tiny_model):
    prints = set()
    for flags in ("avx512_vnni", "avx512_vnni avx512_bf16"):
        processor(flags)
        encoder = load_encoder(str(tiny_model), config=EncoderConfig(backend="int8"))
        encoder.prepare([])
        prints.add(encoder.fingerprint)
    assert len(prints) == 2
