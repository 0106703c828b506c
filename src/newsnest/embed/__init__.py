"""Texts become unit vectors: transformers, static vectors, TF-IDF, and the cache of vectors.

Importing this package loads neither torch nor sentence-transformers nor model2vec; each is loaded
by the encoder that needs it, when it is prepared.
"""

from __future__ import annotations

from newsnest.embed.cache import MemoryCache, VectorCache, encode_cached, text_hash
from newsnest.embed.config import EncoderConfig
from newsnest.embed.model_record import LevelRecord, ModelRecord
from newsnest.embed.registry import KNOWN, KnownEncoder, base_names, load_encoder
from newsnest.embed.static import StaticEncoder
from newsnest.embed.tfidf import TfidfEncoder
from newsnest.embed.transformer import SentenceTransformerEncoder

__all__ = [
    "KNOWN",
    "EncoderConfig",
    "KnownEncoder",
    "LevelRecord",
    "MemoryCache",
    "ModelRecord",
    "SentenceTransformerEncoder",
    "StaticEncoder",
    "TfidfEncoder",
    "VectorCache",
    "base_names",
    "encode_cached",
    "load_encoder",
    "text_hash",
]
