"""Any sentence-transformers model, from a folder: `minilm`, `multilingual`, a path or a hub id.

One rule keeps a vector independent of its neighbours: a forward pass holds only texts of exactly
the same number of tokens, so nothing is padded, and at least 64 tokens. On a CPU the bits of a
vector of minilm then follow from its text alone, in float32, bfloat16 and int8: not from the batch,
its size, the order, a killed and resumed run, or one thread against two. Ordinary batching does not
have this and is slower, for it computes padding (benchmarks/results/encoding.json, "ordinary").
It was measured for attention heads of 16 to 64 dimensions; with heads of 8 the attention kernel of
torch itself still differs in the last bit, so there equality is to 1e-6.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from newsnest.embed.card import Card, read_card, transformer_folder
from newsnest.embed.config import (
    Chosen,
    EncoderConfig,
    choose_backend,
    in_numbers,
    multiplies_bfloat16,
    why,
)
from newsnest.embed.model_record import ModelRecord
from newsnest.embed.pieces import Cutter, Piece, plain_tokenizer
from newsnest.embed.stock import StockModel
from newsnest.embed.unit import unit_embeddings
from newsnest.embed.weights import check_model_folder, folder_digests, settings_digest
from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress
from newsnest.types import Vectors

if TYPE_CHECKING:
    from newsnest.embed.int8_bert import Int8Bert

_CPU_TOKENS, _ACCELERATOR_BATCH = 2048, 256
_COUNT_BATCH = 4096
# A number that goes up whenever our own computing gives other bits.
_INT8_VERSION = 1


class SentenceTransformerEncoder:
    """Encode with a transformer: the best vectors, and the slowest.

    Prefer `static` for millions of articles on a CPU, `tfidf` for a language no model knows.

    Parameters
    ----------
    name
        As given by the user.
    locate
        Returns the model's folder; called once, by `prepare`.
    config
        How long texts are read, batch size, device, precision. EncoderError at once if this
        processor cannot compute in it.
    max_length
        Tokens read of a text, special tokens included; None takes the model's own.
    prefix
        Put before every text; None takes the model's prompt "clustering", else its default
        prompt, else nothing.

    Attributes
    ----------
    record
        What newsnest.json in the model's folder says; empty before `prepare`.
    backend
        What computes, after `prepare`: "torch", "bfloat16" or "int8".

    Notes
    -----
    Vectors of minilm are equal bit for bit for any batch size, order and number of threads on the
    same CPU and versions; for other models see the module's text. Across devices and kinds of
    processor they agree to about 1e-6. The fingerprint covers weights, configuration files,
    prefix, length, long_texts and backend. Remote code is never trusted, pickled weights are
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
        self.record = ModelRecord()
        self.config = config
        self._locate = locate
        self._max_length = max_length
        self._prefix = prefix
        self.backend: Chosen = "torch"
        self._folder = Path()
        self._model: StockModel | Int8Bert | None = None
        self._cutter: Cutter | None = None
        if config.backend == "int8":
            choose_backend(config)  # raises before a large input is read

    def origin(self, progress: Progress = SILENT) -> tuple[Path, int | None, str | None]:
        """Return the model's folder, and max_length and prefix as given: to train it further."""
        return self._locate(progress), self._max_length, self._prefix

    def prepare(self, texts: Sequence[str] = (), *, progress: Progress = SILENT) -> None:
        """Find and check the model; the texts are not looked at.

        Where the model's configuration files suffice, the weights are loaded by the first `encode`
        that has texts: a run whose vectors are all cached loads neither them nor torch.

        Raises
        ------
        EncoderError
            The model cannot be found, verified or fetched, this machine lacks the backend asked
            for, or the weights had to be loaded and could not be.
        """
        if self._cutter is not None:
            return
        folder = self._locate(progress)
        check_model_folder(folder)
        record = ModelRecord.read(folder)
        backend = choose_backend(self.config)
        card = read_card(folder)
        if card is None:
            stock = self._stock(folder, backend)
            card, tokenizer, self._model = stock.card, stock.tokenizer(self.name), stock
        else:
            tokenizer = plain_tokenizer(transformer_folder(folder))
        room = card.room if self._max_length is None else self._max_length
        cutter = Cutter(tokenizer, room, card.prompt if self._prefix is None else self._prefix)
        settings = {
            "files": folder_digests(folder),
            "prefix": cutter.prefix,
            "max_length": cutter.room,
            "long_texts": self.config.long_texts,
            "backend": _way(backend),
            "normalised": True,
        }
        self._cutter, self.record, self.backend = cutter, record, backend
        self._folder, self.dimensions = folder, card.dimensions
        self.fingerprint = settings_digest(settings)
        progress.note(f"{self.name}: {why(self.config, backend)}")

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        # An empty text has a vector too, that of its special tokens.
        cutter = self._ready(progress)
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float64)
        if not len(texts):
            return sums.astype(np.float32)
        model = self._loaded(cutter)
        left = np.zeros(len(texts), dtype=np.int64)
        with progress.start("encode", len(texts), "texts") as task:
            pieces, tokens = self._pieces(texts, cutter)
            for piece in pieces:
                left[piece.row] += 1
            # By length, then by row: a text's pieces are always summed in the same order.
            batches = self._batches(tokens, model.on_cpu)
            parts = [[pieces[i].text for i in batch] for batch in batches]
            lengths = [tokens[batch[0]] for batch in batches]
            for batch, rows in zip(batches, model.rows(parts, lengths), strict=True):
                done = 0
                # Each piece has length 1, so that in a mean the weights alone decide.
                for i, row in zip(batch, unit_embeddings(rows, encoder=self.name), strict=True):
                    sums[pieces[i].row] += pieces[i].weight * row
                    left[pieces[i].row] -= 1
                    done += int(left[pieces[i].row] == 0)
                task.advance(done)
        return unit_embeddings(sums, encoder=self.name)

    def count_cut(self, texts: Sequence[str]) -> int:
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

    def _batches(self, tokens: Sequence[int], on_cpu: bool) -> list[list[int]]:
        """Return batches of pieces, each of one length; long ones first, so memory fails early."""
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        for i, length in enumerate(tokens):
            by_length[length].append(i)
        batches = []
        for length, same in sorted(by_length.items(), reverse=True):
            default = max(1, _CPU_TOKENS // max(1, length)) if on_cpu else _ACCELERATOR_BATCH
            size = self.config.batch_size or default
            batches += [same[start : start + size] for start in range(0, len(same), size)]
        return batches

    def _loaded(self, cutter: Cutter) -> "StockModel | Int8Bert":
        """Return the model, loaded once and compared with its configuration files."""
        if self._model is None:
            if self.backend == "int8":
                self._model = self._int8(cutter)
            else:
                self._model = self._stock(self._folder, self.backend)
            expected = Card(cutter.room, cutter.prefix, self.dimensions)
            if self._model.card != expected:
                raise EncoderError(
                    f"encode: the configuration files of {self._folder} must match the loaded "
                    f"model, got {expected} and {self._model.card}. Save the model again with "
                    "save_pretrained()."
                )
        return self._model

    def _int8(self, cutter: Cutter) -> "Int8Bert":
        try:
            from newsnest.embed.int8_bert import Int8Bert
        except ImportError as error:
            raise EncoderError(
                f"prepare: backend int8 must be run by torch, got: {error}. Run: pip install torch"
            ) from error
        bfloat16 = multiplies_bfloat16()
        return Int8Bert(self._folder, cutter.room, prefix=cutter.prefix, bfloat16=bfloat16)

    def _stock(self, folder: Path, backend: Chosen) -> StockModel:
        if backend == "int8":
            raise EncoderError(
                f"prepare: backend int8 must be given a BERT with mean pooling, got {folder}. "
                "Choose backend auto."
            )
        return StockModel(
            folder,
            backend,
            device=self.config.device,
            max_length=self._max_length,
            prefix=self._prefix,
        )


def _way(backend: Chosen) -> str:
    """Return the backend as it enters the fingerprint: other numerics give other vectors."""
    if backend == "int8":
        attention = "bfloat16" if multiplies_bfloat16() else "float32"
        return f"int8 {_INT8_VERSION}, attention {attention}"
    return in_numbers(backend)
