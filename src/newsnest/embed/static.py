"""`static`: one vector a token, distilled from minilm on this machine; no torch once it is made."""

import importlib.metadata
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsnest.drafts import drafted
from newsnest.embed.loading import patient_threads, quiet_loading
from newsnest.embed.static_model import TokenMeans, TokenMeansEncoder
from newsnest.embed.weights import file_sha256, minilm_folder, settings_digest
from newsnest.errors import EncoderError
from newsnest.progress import Progress

_MANIFEST = "newsnest-static.json"
_FILES = ("model.safetensors", "tokenizer.json")
# See the Notes of StaticEncoder.
_PCA_DIMS = 256
_SIF = 1e-4


def cache_folder() -> Path:
    """Return the cache folder of newsnest: $NEWSNEST_CACHE, or within the user's cache."""
    ours = os.environ.get("NEWSNEST_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(ours).expanduser() if ours else Path(shared).expanduser() / "newsnest"
    except RuntimeError as error:
        raise EncoderError(
            "cache_folder: the cache must lie in a home folder that exists, got "
            f"{ours or shared!r}. Set NEWSNEST_CACHE to a folder."
        ) from error


class StaticEncoder(TokenMeansEncoder):
    """Encode with static token vectors: the fastest of the encoders on a CPU.

    The vectors of minilm's tokens are taken once, on the first `prepare` on a machine, and kept in
    the cache folder; a text is the mean of its tokens' vectors. Prefer `minilm` where quality
    matters more than speed.

    Parameters
    ----------
    name
        As given by the user.
    locate
        Returns the folder of the transformer to distil.
    folder
        Where distilled vectors are kept; None means `cache_folder`.

    Notes
    -----
    PCA to 256 dimensions and SIF weighting, mean over all tokens, nothing cut. SIF weighting is
    what counts: benchmarks/results/encoding.json has the scores without it ("static"). A text
    without a known token gets the constant unit vector. Encoding is bit for bit the same for any
    order, batch and number of threads. The fingerprint covers the distilled files, so that two
    machines whose distillations differ in a bit never share vectors.

    Source: model2vec (Tulkens and van Dongen 2024).
    """

    def __init__(
        self,
        name: str = "static",
        locate: Callable[[Progress], Path] = minilm_folder,
        *,
        folder: Path | None = None,
    ) -> None:
        super().__init__(name)
        self._locate = locate
        self._folder = folder

    def _load(self, progress: Progress) -> tuple[TokenMeans, dict[str, Any]]:
        # Distils where that was never done on this machine.
        source = self._locate(progress)
        settings = {
            "weights": file_sha256(source / "model.safetensors"),
            "tokenizer": file_sha256(source / "tokenizer.json"),
            "model2vec": importlib.metadata.version("model2vec"),
            "pca_dims": _PCA_DIMS,
            "sif_coefficient": _SIF,
        }
        # Named by all that decides the vectors: another model2vec, or other weights, distil anew.
        kept = (self._folder or cache_folder()) / "static" / settings_digest(settings)[:32]
        if not kept.is_dir():
            _distil(source, kept, settings, progress)
        digests = _verify(kept)
        means = TokenMeans(kept, skip_unknown=True)
        return means, {"files": digests, "pooling": "mean", "unit": True}


def _distil(source: Path, kept: Path, settings: dict[str, Any], progress: Progress) -> None:
    """Distil into a temporary folder beside `kept`, then move it there in one step."""
    progress.note("static: distilling token vectors from minilm, once on this machine")
    began = time.monotonic()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with drafted(kept, folder=True) as made:
            model = _model2vec_distil(source)
            model.config["max_length"] = None  # as `_load` wants it: every text is read whole
            model.save_pretrained(made)
            digests = {name: file_sha256(made / name) for name in _FILES}
            manifest = {"settings": settings, "sha256": digests}
            (made / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    except OSError as error:
        # Another process may be faster; its folder is complete, for it too came by a rename.
        if not kept.is_dir():
            raise EncoderError(
                f"prepare: the cache must be a folder that can be written to, got {kept.parent} "
                f"({error.strerror}). Set NEWSNEST_CACHE to another."
            ) from error
    progress.note(f"static: distilled in {time.monotonic() - began:.0f} s, kept in {kept}")


def _model2vec_distil(source: Path) -> Any:
    try:
        with patient_threads():
            import model2vec.distill.inference as inference
            from model2vec.distill import distill
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise EncoderError(
            f"prepare: encoder 'static' must be distilled by model2vec and torch, got: {error}. "
            "Run: pip install 'model2vec[distill]'"
        ) from error
    bar = inference.tqdm
    inference.tqdm = lambda *args, **kwargs: bar(*args, **{**kwargs, "disable": True})
    try:
        # One BLAS thread: the bits of the PCA must not depend on the number of cores.
        with quiet_loading(), threadpool_limits(limits=1, user_api="blas"):
            return distill(
                str(source),
                device="cpu",
                pca_dims=_PCA_DIMS,
                sif_coefficient=_SIF,
                trust_remote_code=False,
                quantize_to="float32",
            )
    except Exception as error:  # whatever other people's code makes of a folder that is not whole
        reason = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"prepare: {source} must be a model that model2vec can distil, got "
            f"{type(error).__name__}: {reason} Save or download the model again."
        ) from error
    finally:
        inference.tqdm = bar


def _verify(kept: Path) -> dict[str, str]:
    """Return the digests of the kept files, after comparing them with what was written."""
    cure = f"Delete {kept} and run again."
    try:
        expected = json.loads((kept / _MANIFEST).read_text(encoding="utf-8"))["sha256"]
        digests = {name: file_sha256(kept / name) for name in _FILES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"prepare: {kept} must hold the distilled vectors, got: {error}. {cure}"
        ) from error
    for name in _FILES:
        if digests[name] != expected.get(name):
            raise EncoderError(
                f"prepare: {kept / name} must have SHA-256 {expected.get(name)}, "
                f"got {digests[name]}. {cure}"
            )
    return digests
