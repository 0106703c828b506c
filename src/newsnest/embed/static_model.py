"""Static models: a vector a token, a text is the mean of its tokens' vectors; no torch."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from newsnest.embed.card import clustering_prompt, model_modules
from newsnest.embed.model_record import ModelRecord, read_json
from newsnest.embed.pieces import plain_tokenizer
from newsnest.embed.unit import unit_embeddings
from newsnest.embed.weights import check_model_folder, folder_digests, settings_digest
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_BATCH = 1024
_KINDS = (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])
# Where sentence-transformers and model2vec put the vectors.
_KEYS = ("embedding.weight", "embeddings")


class TokenMeans:
    """The token vectors of a folder with tokenizer.json and model.safetensors, and their means.

    Tokens that the tokenizer does not know are left out, or have a vector as others.
    """

    def __init__(self, folder: Path, *, skip_unknown: bool) -> None:
        # Not by model2vec: it would load an HTTP client for half a second.
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = folder / "model.safetensors"
        try:
            tensors = load_file(path)
        except (OSError, ValueError, SafetensorError) as error:
            raise EncoderError(
                f"prepare: {folder} must hold tokenizer.json and model.safetensors, got: {error}. "
                "Save the model again."
            ) from error
        self.tokenizer = plain_tokenizer(folder)
        found = [key for key in _KEYS if key in tensors]
        if len(found) != 1 or tensors[found[0]].ndim != 2:
            raise EncoderError(
                f"prepare: {path} must hold one of {', '.join(_KEYS)}, a row a token, "
                f"got {', '.join(sorted(tensors)) or 'nothing'}. Save the model again."
            )
        self.vectors: Vectors = _folded(tensors, found[0], path)
        unknown = getattr(self.tokenizer.model, "unk_token", None)
        self.unknown = None if unknown is None else self.tokenizer.token_to_id(unknown)
        self._skipped = self.unknown if skip_unknown else None

    def counts(self, texts: Sequence[str]) -> scipy.sparse.csr_array:
        """Return how often each text has each token, float32 (len(texts), vocabulary)."""
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        tokens = [[i for i in one.ids if i != self._skipped] for one in encodings]
        ends = np.cumsum([0, *map(len, tokens)])
        ids = np.fromiter(itertools.chain.from_iterable(tokens), dtype=np.int32, count=ends[-1])
        return scipy.sparse.csr_array(
            (np.ones(len(ids), dtype=np.float32), ids, ends),
            shape=(len(texts), len(self.vectors)),
        )

    def encode(self, texts: Sequence[str], *, name: str, progress: Progress) -> Vectors:
        """Return unit vectors, float32 (len(texts), d)."""
        out = np.empty((len(texts), self.vectors.shape[1]), dtype=np.float32)
        with progress.start("encode", len(texts), "texts") as task:
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                # A sparse product adds up each row by itself, in order: its bits do not depend on
                # the other rows.
                means = self.counts(batch) @ self.vectors
                out[start : start + len(batch)] = unit_embeddings(means, encoder=name)
                task.advance(len(batch))
        return out


class TokenMeansEncoder:
    """Base of the encoders by means of token vectors; a subclass prepares `_means`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dimensions = 0
        self.fingerprint = ""
        self._prompt = ""
        self._means: TokenMeans | None = None

    def prepare(self, texts: Sequence[str] = (), *, progress: Progress = SILENT) -> None:
        if self._means is None:
            means, settings = self._load(progress)
            self.dimensions = int(means.vectors.shape[1])
            self.fingerprint = settings_digest(settings)
            self._means = means

    def _load(self, progress: Progress) -> tuple[TokenMeans, dict[str, Any]]:
        """Return the vectors and what decides them."""
        raise NotImplementedError

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        self.prepare(progress=progress)
        asked = [self._prompt + text for text in texts] if self._prompt else texts
        return self.means().encode(asked, name=self.name, progress=progress)

    def means(self) -> TokenMeans:
        """Return the token vectors; `prepare` comes first."""
        assert self._means is not None
        return self._means

    def count_cut(self, texts: Sequence[str]) -> int:
        return 0  # texts of any length are read whole


class StaticFolderEncoder(TokenMeansEncoder):
    """Encode with a static model saved by sentence-transformers, as `train static` writes it.

    The vectors are those of sentence-transformers, up to rounding; a text without a token gets the
    constant unit vector. Nothing is cut, and the bits depend neither on the order nor on threads.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.record = ModelRecord()
        self._folder = folder

    def _load(self, progress: Progress) -> tuple[TokenMeans, dict[str, Any]]:
        check_model_folder(self._folder)
        self.record = ModelRecord.read(self._folder)
        vectors = _vector_folder(self._folder)
        assert vectors is not None  # is_static_folder has seen it
        self._prompt = _prompt(self._folder / "config_sentence_transformers.json")
        means = TokenMeans(self._folder / vectors, skip_unknown=False)
        files = folder_digests(self._folder)
        return means, {"files": files, "kind": "static", "prompt": self._prompt}


def is_static_folder(folder: Path) -> bool:
    """Tell whether a folder holds token vectors and nothing else, as `train static` saves."""
    try:
        return _vector_folder(folder) is not None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # loading it as another model raises, with the reason


def _folded(tensors: Mapping[str, NDArray[Any]], key: str, path: Path) -> Vectors:
    """Return a vector a token: model2vec may keep rows that tokens share, and weights of tokens."""
    vectors = np.asarray(tensors[key], dtype=np.float32)
    try:
        if "mapping" in tensors:
            vectors = vectors[tensors["mapping"]]
        if "weights" in tensors:
            vectors = vectors * np.asarray(tensors["weights"], dtype=np.float32)[:, None]
    except (IndexError, ValueError) as error:
        raise EncoderError(
            f"prepare: {path}: mapping and weights must have a row a token, got: {error}. "
            "Save the model again."
        ) from error
    return vectors


def _prompt(config: Path) -> str:
    """Return the prompt put before every text, from the model's configuration."""
    if not config.is_file():
        return ""
    try:
        return clustering_prompt(read_json(config))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise EncoderError(
            f"prepare: {config} must be a JSON object, got: {error}. Save the model again."
        ) from error


def _vector_folder(folder: Path) -> str | None:
    """Return the folder of the token vectors, None where there is anything else."""
    modules = model_modules(folder)
    return modules[0][1] if [kind for kind, _ in modules] in _KINDS else None
