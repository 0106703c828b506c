"""A model as sentence-transformers loads and runs it, in float32 or bfloat16."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from newsnest.embed.card import Card, clustering_prompt, usual_room
from newsnest.embed.loading import patient_threads, quiet_loading
from newsnest.errors import EncoderError
from newsnest.types import Vectors

# Matrix libraries compute products of very few rows (seen below 4) by other kernels, with other
# bits; a pass therefore never has fewer token rows than this.
_MIN_TOKENS = 64
_DTYPES = {"torch": "float32", "bfloat16": "bfloat16"}


class StockModel:
    """A model of sentence-transformers, in float32 by the backend "torch", or in bfloat16.

    None takes the accelerator if there is one, and the length and prefix of the model itself.
    """

    def __init__(
        self,
        folder: Path,
        backend: Literal["torch", "bfloat16"],
        *,
        device: str | None,
        max_length: int | None,
        prefix: str | None,
    ) -> None:
        self._model = _load(folder, _DTYPES[backend], device)
        if max_length is not None:
            self._model.max_seq_length = max_length
        prompts = {
            "prompts": self._model.prompts,
            "default_prompt_name": self._model.default_prompt_name,
        }
        self.card = Card(
            usual_room(self._model.max_seq_length),
            clustering_prompt(prompts) if prefix is None else prefix,
            int(self._model.get_embedding_dimension()),
        )

    @property
    def on_cpu(self) -> bool:
        """Whether it computes on the CPU."""
        return bool(self._model.device.type == "cpu")

    def tokenizer(self, name: str) -> Any:
        """Return its `tokenizers.Tokenizer`."""
        return rust_tokenizer(self._model, name)

    def rows(self, batches: Sequence[list[str]], lengths: Sequence[int]) -> Iterator[Vectors]:
        """Yield the vectors of each batch, (b, d); the texts of a batch have equal lengths."""
        for batch, length in zip(batches, lengths, strict=True):
            lacking = -(-_MIN_TOKENS // max(1, length)) - len(batch)
            filled = batch + batch[-1:] * max(0, lacking)
            tensor = self._model.encode(
                filled,
                prompt=self.card.prompt,  # "" overrules a default prompt
                batch_size=len(filled),
                show_progress_bar=False,
                convert_to_tensor=True,
            )
            yield tensor[: len(batch)].float().cpu().numpy()


def rust_tokenizer(model: Any, name: str) -> Any:
    """Return a model's fast tokenizer; EncoderError where it has a slow one."""
    from tokenizers import Tokenizer

    tokenizer = model.tokenizer
    inner = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(inner, Tokenizer):
        raise EncoderError(
            f"prepare: the model of encoder {name!r} must have a fast tokenizer "
            f"(tokenizer.json), got {type(tokenizer).__name__}. Save it again with a fast one."
        )
    return inner


def _load(folder: Path, dtype: str, device: str | None) -> Any:
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
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
            )
    except Exception as error:  # whatever other people's code makes of a folder that is not whole
        reason = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"prepare: {folder} must be a model sentence-transformers can load on "
            f"{device or 'this device'}, got {type(error).__name__}: {reason} "
            "Save or download the model again."
        ) from error
    return model.eval()
