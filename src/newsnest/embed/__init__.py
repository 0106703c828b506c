"""Texts become unit vectors: transformers, static vectors, TF-IDF, and the cache of vectors.

Importing this package loads neither torch nor sentence-transformers nor model2vec; each is loaded
by the encoder that needs it, when it is prepared. Names and settings are at hand at once; what
computes is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from newsnest.embed.config import Backend, EncoderConfig, LongTexts
from newsnest.embed.model_record import LevelRecord, ModelRecord
from newsnest.embed.registry import (
    AUTO,
    KNOWN,
    KnownEncoder,
    base_names,
    encoder_names,
    load_encoder,
)

if TYPE_CHECKING:
    from newsnest.embed.cache import MemoryCache, VectorCache, encode_cached, text_hash
    from newsnest.embed.static import StaticEncoder
    from newsnest.embed.tfidf import TfidfEncoder
    from newsnest.embed.transformer import SentenceTransformerEncoder

__all__ = [
    "AUTO", "KNOWN", "Backend", "EncoderConfig", "KnownEncoder", "LevelRecord", "LongTexts",
    "MemoryCache", "ModelRecord", "SentenceTransformerEncoder", "StaticEncoder", "TfidfEncoder",
    "VectorCache", "base_names", "encode_cached", "encoder_names", "load_encoder", "text_hash",
]  # fmt: skip

_LATER = {
    "MemoryCache": "newsnest.embed.cache",
    "SentenceTransformerEncoder": "newsnest.embed.transformer",
    "StaticEncoder": "newsnest.embed.static",
    "TfidfEncoder": "newsnest.embed.tfidf",
    "VectorCache": "newsnest.embed.cache",
    "encode_cached": "newsnest.embed.cache",
    "text_hash": "newsnest.embed.cache",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
