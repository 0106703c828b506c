"""The encoders by name, and how a name, a model folder or a hub id becomes an encoder."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsnest.embed.config import EncoderConfig
from newsnest.embed.multilingual import MULTILINGUAL_PREFIX, multilingual_folder
from newsnest.embed.weights import check_model_folder, expanded, hub_folder, minilm_folder
from newsnest.errors import EncoderError, did_you_mean
from newsnest.plugins import Registry
from newsnest.progress import Progress

if TYPE_CHECKING:  # without NumPy: help lists the encoders
    from newsnest.types import Encoder

AUTO = "auto"
"""What `newsnest cluster` takes in place of an encoder's name, to choose one by language."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """An encoder with a name: what it is, how it is made, and what it knows.

    Parameters
    ----------
    summary
        One line.
    build
        Makes it. Imports what is heavy when it is called, so that names and summaries cost nothing.
    languages
        ISO 639-1 codes of the languages it was trained on; empty means many or any.
    trainable
        Whether `newsnest train --base` can start from it: `build` makes a
        `SentenceTransformerEncoder`.
    """

    summary: str
    build: "Callable[[EncoderConfig], Encoder]"
    languages: frozenset[str] = frozenset()
    trainable: bool = False


def _transformer(name: str, locate: Callable[[Progress], Path], **choices: Any) -> "Encoder":
    from newsnest.embed.transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, locate, **choices)


def _from_hub(name: str, hub_id: str, **choices: Any) -> "Encoder":
    return _transformer(name, lambda progress: hub_folder(hub_id, progress=progress), **choices)


def _minilm(config: EncoderConfig) -> "Encoder":
    return _transformer("minilm", minilm_folder, config=config, max_length=256)


def _static(config: EncoderConfig) -> "Encoder":
    from newsnest.embed.static import StaticEncoder

    return StaticEncoder()


def _static_multilingual(config: EncoderConfig) -> "Encoder":
    from newsnest.embed.static import StaticEncoder

    return StaticEncoder("static-multilingual", multilingual_folder)


def _tfidf(config: EncoderConfig) -> "Encoder":
    from newsnest.embed.tfidf import TfidfEncoder

    return TfidfEncoder()


def _multilingual(config: EncoderConfig) -> "Encoder":
    return _transformer(
        "multilingual", multilingual_folder, config=config, prefix=MULTILINGUAL_PREFIX
    )


KNOWN: Registry[KnownEncoder] = Registry(
    "encoder",
    "newsnest.encoders",
    KnownEncoder,
    {
        "minilm": KnownEncoder(
            "all-MiniLM-L6-v2, English, 384 dimensions", _minilm, frozenset({"en"}), trainable=True
        ),
        "static": KnownEncoder(
            "static vectors distilled from minilm, for millions of articles on a CPU",
            _static,
            frozenset({"en"}),
        ),
        "tfidf": KnownEncoder(
            "TF-IDF and SVD fitted on the corpus, any language, no weights", _tfidf
        ),
        "multilingual": KnownEncoder(
            "multilingual-e5-small, about 100 languages, 384 dimensions",
            _multilingual,
            trainable=True,
        ),
        "static-multilingual": KnownEncoder(
            "static vectors distilled from multilingual, for millions of articles on a CPU",
            _static_multilingual,
        ),
    },
    error=EncoderError,
)


def encoder_names(*, built_in: bool = False) -> str:
    """Return what `--encoder` takes, in words.

    Parameters
    ----------
    built_in
        Without the names that other packages add: for help, which must come at once.

    Example
    -------
    >>> encoder_names(built_in=True)
    'minilm, static, tfidf, multilingual, static-multilingual, a model folder or a hub id'
    """
    return ", ".join([*(KNOWN.built_in if built_in else KNOWN), "a model folder or a hub id"])


def base_names(*, built_in: bool = False) -> str:
    """Return what `newsnest train --base` takes, in words; see `encoder_names`.

    Example
    -------
    >>> base_names(built_in=True)
    'minilm, multilingual, a model folder or a hub id'
    """
    names = [name for name in (KNOWN.built_in if built_in else KNOWN) if _is_trainable(name)]
    return ", ".join([*names, "a model folder or a hub id"])


def _is_trainable(name: str) -> bool:
    try:
        return KNOWN[name].trainable
    except EncoderError:  # a broken package raises when its own name is asked for
        return False


def load_encoder(name_or_path: str, *, config: EncoderConfig = EncoderConfig()) -> "Encoder":  # noqa: B008 (frozen)
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
        No such name or path, a folder without a usable model, or a name whose package is broken.

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
    if name_or_path == AUTO:
        raise EncoderError(
            "load_encoder: encoder must be named where no articles are clustered, got 'auto'. "
            f"Name one of {encoder_names()}."
        )
    folder = expanded(name_or_path)
    if name_or_path and folder.exists():
        from newsnest.embed.static_model import StaticFolderEncoder, is_static_folder

        check_model_folder(folder)
        if is_static_folder(folder):
            return StaticFolderEncoder(name_or_path, folder)
        return _transformer(name_or_path, lambda progress: folder, config=config)
    if _HUB_ID.fullmatch(name_or_path) and not name_or_path.startswith("."):
        return _from_hub(name_or_path, name_or_path, config=config)
    raise EncoderError(
        f"load_encoder: encoder must be one of {encoder_names()}, "
        f"got {name_or_path!r}.{did_you_mean(name_or_path, KNOWN)} Check the spelling."
    )
