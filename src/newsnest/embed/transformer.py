"""Any sentence-transformers model, from a folder: `minilm`, `multilingual`, a path or a hub id.

One rule keeps a vector independent of its neighbours: a forward pass holds only texts of exactly
the same number of tokens, so nothing is padded, and at least 64 tokens. On a CPU the bits of a
vector of minilm then follow from its text alone: not from the batch, its size, the order, a killed
and resumed run, or one thread against two. Ordinary batching does not have this (6 % of headlines
change bits when the batch goes from 32 to 64) and is slower, for it computes padding. It was
measured for attention heads of 16 to 64 dimensions; with heads of 8 the attention kernel
of torch itself still differs in the last bit, so there equality is to 1e-6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsnest.embed.config import EncoderConfig
from newsnest.embed.patience import patient_threads
from newsnest.embed.pieces import Cutter, Piece
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.unit import unit_rows
from newsnest.embed.weights import (
    check_model_folder,
    folder_digests,
    read_metadata,
    settings_digest,
)
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

_CPU_BATCH, _ACCELERATOR_BATCH = 32, 256
_COUNT_BATCH = 4096
# Matrix libraries compute products of very few rows (seen below 4) by other kernels, with other
# bits; a pass therefore never has fewer token rows than this.
_LEAST_TOKENS = 64


class SentenceTransformerEncoder:
    """Encode with a transformer: the best vectors, at hundreds of headlines a second on a CPU.

    Prefer `static` for millions of articles on a CPU, `tfidf` for a language no model knows.

    Parameters
    ----------
    name
        As given by the user.
    locate
        Returns the model's folder; called once, by `prepare`.
    config
        How long texts are read, batch size, device, precision.
    max_length
        Tokens read of a text, special tokens included; None takes the model's own.
    prefix
        Put before every text; None takes the model's prompt "clustering", else its default
        prompt, else nothing.

    Attributes
    ----------
    metadata
        newsnest.json beside the model (levels, dims, similarities), {} if there is none.

    Notes
    -----
    Vectors of minilm are equal bit for bit for any batch size, order and number of threads on the
    same CPU and versions; for other models see the module's text. Across devices and kinds of
    processor they agree to about 1e-6. The fingerprint covers weights, configuration files,
    prefix, length, long_texts and precision. Remote code is never trusted, pickled weights are
    refused.
    """

    def __init__(
        self,
        name: str,
        locate: Callable[[Progress], Path],
        *,
        config: EncoderConfig = EncoderConfig(),  # noqa: B008 (frozen)
        max_length: int | None = None,
        prefix: str | None = None,
    ) -> None:
        self.name = name
        self.dimensions = 0
        self.fingerprint = ""
        self.metadata: dict[str, Any] = {}
        self.config = config
        self._locate = locate
        self._max_length = max_length
        self._prefix = prefix
        self._model: Any = None
        self._cutter: Cutter | None = None

    def prepare(self, texts: Sequence[str] = (), *, progress: Progress = SILENT) -> None:
        """Load the weights, once; the texts are not looked at.

        Raises
        ------
        EncoderError
            The model cannot be found, verified, fetched or loaded, or sentence-transformers or
            torch is not installed.
        """
        if self._model is not None:
            return
        folder = self._locate(progress)
        check_model_folder(folder)
        metadata = read_metadata(folder)
        model = _load(folder, self.config, self._max_length)
        prefix = _prompt(model) if self._prefix is None else self._prefix
        cutter = Cutter(_rust_tokenizer(model, self.name), _room(model), prefix)
        settings = {
            "files": folder_digests(folder),
            "prefix": prefix,
            "max_length": cutter.room,
            "long_texts": self.config.long_texts,
            "precision": self.config.precision,
            "normalised": True,
        }
        self._model, self._cutter, self.metadata = model, cutter, metadata
        self.dimensions = int(model.get_embedding_dimension())
        self.fingerprint = settings_digest(settings)

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        """Return unit vectors, float32 (len(texts), d), in the order of the texts.

        An empty text has a vector too, that of its special tokens.

        Raises
        ------
        EncoderError
            The model cannot be loaded, or gives values that are not finite.
        """
        cutter = self._ready(progress)
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float64)
        left = np.zeros(len(texts), dtype=np.int64)
        with progress.start("encode", len(texts), "texts") as task:
            pieces, tokens = self._pieces(texts, cutter)
            for piece in pieces:
                left[piece.row] += 1
            for batch in self._batches(tokens):
                rows = self._forward([pieces[i].text for i in batch], tokens[batch[0]])
                done = 0
                for i, row in zip(batch, rows, strict=True):
                    sums[pieces[i].row] += pieces[i].weight * row
                    left[pieces[i].row] -= 1
                    done += int(left[pieces[i].row] == 0)
                task.advance(done)
        return unit_rows(sums, encoder=self.name)

    def count_cut(self, texts: Sequence[str]) -> int:
        """Count the texts longer than what is read at once, by the model's own tokens."""
        cutter = self._ready(SILENT)
        cut = 0
        for start in range(0, len(texts), _COUNT_BATCH):
            cut += sum(map(cutter.is_cut, cutter.count(texts[start : start + _COUNT_BATCH])))
        return cut

    def _ready(self, progress: Progress) -> Cutter:
        self.prepare(progress=progress)
        assert self._cutter is not None  # set by prepare
        return self._cutter

    def _pieces(self, texts: Sequence[str], cutter: Cutter) -> tuple[list[Piece], list[int]]:
        """Return the pieces to encode and how many tokens each has."""
        pieces: list[Piece] = []
        counts: list[int] = []
        for row, (text, tokens) in enumerate(zip(texts, cutter.count(texts), strict=True)):
            if cutter.is_cut(tokens):
                cut = cutter.cut(row, text, self.config.long_texts)
                pieces += cut
                counts += cutter.count([piece.text for piece in cut])
            else:
                pieces.append(Piece(row, text, 1))
                counts.append(tokens)
        return pieces, [n if cutter.room is None else min(n, cutter.room) for n in counts]

    def _batches(self, tokens: Sequence[int]) -> list[list[int]]:
        """Return batches of pieces, each of one length; long ones first, so memory fails early."""
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        for i, length in enumerate(tokens):
            by_length[length].append(i)
        default = _CPU_BATCH if self._model.device.type == "cpu" else _ACCELERATOR_BATCH
        size = self.config.batch_size or default
        return [
            same[start : start + size]
            for _, same in sorted(by_length.items(), reverse=True)
            for start in range(0, len(same), size)
        ]

    def _forward(self, batch: list[str], length: int) -> Vectors:
        assert self._cutter is not None
        lacking = -(-_LEAST_TOKENS // max(1, length)) - len(batch)
        filled = batch + batch[-1:] * max(0, lacking)
        tensor = self._model.encode(
            filled,
            prompt=self._cutter.prefix,  # "" overrules a default prompt
            batch_size=len(filled),
            show_progress_bar=False,
            convert_to_tensor=True,
        )[: len(batch)]
        # Each piece has length 1, so that in a mean the weights alone decide.
        return unit_rows(tensor.float().cpu().numpy(), encoder=self.name)


def _load(folder: Path, config: EncoderConfig, max_length: int | None) -> Any:
    try:
        with patient_threads():
            import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EncoderError(
            f"prepare: a transformer must be run by sentence-transformers and torch, got: {error}. "
            "Run: pip install sentence-transformers torch"
        ) from error
    try:
        with quiet_loading():
            model = SentenceTransformer(
                str(folder),
                device=config.device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={
                    "dtype": getattr(torch, config.precision),
                    "use_safetensors": True,
                },
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"prepare: {folder} must be a model sentence-transformers can load on "
            f"{config.device or 'this device'}, got {type(error).__name__}: {reason} "
            "Save or download the model again."
        ) from error
    if max_length is not None:
        model.max_seq_length = max_length
    return model.eval()


def _prompt(model: Any) -> str:
    prompts: dict[str, str] = model.prompts
    if "clustering" in prompts:
        return prompts["clustering"]
    return prompts.get(model.default_prompt_name, "") if model.default_prompt_name else ""


def _room(model: Any) -> int | None:
    room = model.max_seq_length
    # Models without a limit say None, infinity or a number no text reaches.
    return None if room is None or room > 10**6 else int(room)


def _rust_tokenizer(model: Any, name: str) -> Any:
    from tokenizers import Tokenizer

    tokenizer = model.tokenizer
    inner = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(inner, Tokenizer):
        raise EncoderError(
            f"prepare: the model of encoder {name!r} must have a fast tokenizer "
            f"(tokenizer.json), got {type(tokenizer).__name__}. Save it again with a fast one."
        )
    return inner
