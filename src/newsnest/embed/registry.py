"""The encoders by name, and how a name, a path or a hub id becomes an encoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from newsnest.embed.config import EncoderConfig
from newsnest.embed.static import StaticEncoder
from newsnest.embed.static_model import StaticFolderEncoder, is_static_folder
from newsnest.embed.tfidf import TfidfEncoder
from newsnest.embed.transformer import SentenceTransformerEncoder
from newsnest.embed.weights import check_model_folder, expanded, hub_folder, minilm_folder
from newsnest.errors import EncoderError, did_you_mean
from newsnest.types import Encoder

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """An encoder with a name: what it is, how it is made, and what it knows.

    Parameters
    ----------
    summary
        One line.
    build
        Makes it.
    languages
        ISO 639-1 codes of the languages it was trained on; empty means many or any.
    trainable
        Whether `newsnest train` can start from it: a `SentenceTransformerEncoder`.
    """

    summary: str
    build: Callable[[EncoderConfig], Encoder]
    languages: frozenset[str] = frozenset()
    trainable: bool = False


def _minilm(config: EncoderConfig) -> Encoder:
    return SentenceTransformerEncoder("minilm", minilm_folder, config=config, max_length=256)


def _multilingual(config: EncoderConfig) -> Encoder:
    # E5 was trained with prefixes and asks for "query: " where texts are compared with each other.
    return SentenceTransformerEncoder(
        "multilingual",
        lambda progress: hub_folder("intfloat/multilingual-e5-base", progress=progress),
        config=config,
        prefix="query: ",
    )


KNOWN: Mapping[str, KnownEncoder] = MappingProxyType(
    {
        "minilm": KnownEncoder(
            "all-MiniLM-L6-v2, English, 384 dimensions",
            _minilm,
            frozenset({"en"}),
            trainable=True,
        ),
        "static": KnownEncoder(
            "static vectors distilled from minilm, for millions of articles on a CPU",
            lambda config: StaticEncoder(),
            frozenset({"en"}),
        ),
        "tfidf": KnownEncoder(
            "TF-IDF and SVD fitted on the corpus, any language, no weights",
            lambda config: TfidfEncoder(),
        ),
        "multilingual": KnownEncoder(
            "multilingual-e5-base from the hub, about 100 languages, 768 dimensions",
            _multilingual,
            trainable=True,
        ),
    }
)


def base_names() -> str:
    """Return what `newsnest train --base` takes, in words; the names are those of `KNOWN`."""
    return ", ".join(
        [*(name for name, own in KNOWN.items() if own.trainable), "a model folder or a hub id"]
    )


def load_encoder(name_or_path: str, *, config: EncoderConfig = EncoderConfig()) -> Encoder:  # noqa: B008 (frozen)
    """Return the encoder of a name, of a model folder, or of a Hugging Face hub id.

    Nothing is loaded or fetched yet: `Encoder.prepare` does that.

    Parameters
    ----------
    name_or_path
        A name in `KNOWN`, the path of a folder saved by sentence-transformers, or a hub id such
        as "intfloat/e5-small". A folder wins over a hub id of the same spelling.
    config
        How long texts are read, batch size, device, precision.

    Raises
    ------
    EncoderError
        No such name or path, or a folder without a usable model.

    Examples
    --------
    >>> encoder = load_encoder("tfidf")
    >>> texts = ["Sea wall breached", "The sea wall is breached", "Rates held"]
    >>> encoder.prepare(texts)
    >>> encoder.encode(texts).shape
    (3, 3)
    """
    known = KNOWN.get(name_or_path)
    if known is not None:
        return known.build(config)
    folder = expanded(name_or_path)
    if name_or_path and folder.exists():
        check_model_folder(folder)
        if is_static_folder(folder):
            return StaticFolderEncoder(name_or_path, folder)
        return SentenceTransformerEncoder(name_or_path, lambda progress: folder, config=config)
    if _HUB_ID.fullmatch(name_or_path) and not name_or_path.startswith("."):
        return SentenceTransformerEncoder(
            name_or_path,
            lambda progress: hub_folder(name_or_path, progress=progress),
            config=config,
        )
    raise EncoderError(
        f"load_encoder: encoder must be one of {', '.join(KNOWN)}, a model folder or a hub id, "
        f"got {name_or_path!r}.{did_you_mean(name_or_path, KNOWN)} Check the spelling."
    )
