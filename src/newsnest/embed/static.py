"""`static`, `static-multilingual`: a vector a token, distilled here; no torch once it is made."""

import importlib.metadata
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsnest.embed.kept import Kept, cache_folder
from newsnest.embed.loading import patient_threads, quiet_loading
from newsnest.embed.static_model import TokenMeans, TokenMeansEncoder
from newsnest.embed.weights import file_sha256, minilm_folder, settings_digest
from newsnest.errors import EncoderError
from newsnest.progress import Progress

_FILES = ("model.safetensors", "tokenizer.json")
# See the Notes of StaticEncoder.
_PCA_DIMS = 256
_SIF = 1e-4


class StaticEncoder(TokenMeansEncoder):
    """Encode with static token vectors: the fastest of the encoders on a CPU.

    The vectors of a transformer's tokens are taken once, on the first `prepare` on a machine, and
    kept in the cache folder; a text is the mean of its tokens' vectors. Prefer the transformer
    where quality matters more than speed.

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
        folder = (self._folder or cache_folder()) / "static" / settings_digest(settings)[:32]
        kept = Kept(folder, _FILES, "newsnest-static.json", "the distilled vectors")
        if not folder.is_dir():
            self._distil(source, kept, settings, progress)
        digests = kept.verify()
        means = TokenMeans(folder, skip_unknown=True)
        return means, {"files": digests, "pooling": "mean", "unit": True}

    def _distil(
        self, source: Path, kept: Kept, settings: dict[str, Any], progress: Progress
    ) -> None:
        progress.note(f"{self.name}: distilling token vectors, once on this machine")
        began = time.monotonic()

        def fill(draft: Path) -> None:
            model = _model2vec_distil(source)
            model.config["max_length"] = None  # as `_load` wants it: every text is read whole
            model.save_pretrained(draft)
            name_unknown(draft / "tokenizer.json")

        kept.make(fill, settings)
        seconds = time.monotonic() - began
        progress.note(f"{self.name}: distilled in {seconds:.0f} s, kept in {kept.folder}")


def name_unknown(path: Path) -> None:
    """Correct the number of the unknown piece of a unigram tokenizer.

    model2vec leaves pieces out, and the number as it was: that of another piece.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    model = content["model"]
    if model["type"] == "Unigram":
        model["unk_id"] = [piece for piece, _ in model["vocab"]].index("<unk>")
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


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
    chatty = logging.getLogger("skeletoken")  # on what a tokenizer has and its own kind has not
    told = chatty.level
    chatty.setLevel(logging.ERROR)
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
        chatty.setLevel(told)
