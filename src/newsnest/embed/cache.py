"""Vectors kept by encoder and text, so that nothing is encoded twice and a killed run resumes."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from newsnest.errors import EncoderError
from newsnest.progress import SILENT, Progress, Task
from newsnest.types import Encoder, Vectors

_LOOKUP = 2048
# The work a killed run may lose; and the size of the first chunk, before the speed is known.
_SECONDS = 10.0
_FIRST, _LARGEST = 256, 16_384
_GROWTH = 4.0


class VectorCache(Protocol):
    """Keeps vectors by (encoder fingerprint, text hash)."""

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> Mapping[bytes, Vectors]:
        """Return the vectors that are there, each of shape (d,); the others are left out."""
        ...

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep a row of `vectors`, shape (len(hashes), d), per hash; a later kill loses none."""
        ...


class MemoryCache:
    """A vector cache that lives as long as the object."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, bytes], Vectors] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get_many(self, fingerprint: str, hashes: Sequence[bytes]) -> Mapping[bytes, Vectors]:
        rows = self._rows
        return {h: rows[fingerprint, h] for h in hashes if (fingerprint, h) in rows}

    def put_many(self, fingerprint: str, hashes: Sequence[bytes], vectors: Vectors) -> None:
        for key, row in zip(hashes, vectors, strict=True):
            self._rows[fingerprint, key] = row.copy()


def text_hash(text: str) -> bytes:
    """Return the 16 bytes a text is known by: BLAKE2b-128 of its UTF-8."""
    # JSON can carry half a surrogate pair, which strict UTF-8 refuses.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode_cached(
    encoder: Encoder,
    texts: Sequence[str],
    cache: VectorCache,
    *,
    progress: Progress = SILENT,
) -> Vectors:
    """Return the vectors of texts, encoding only those the cache does not know.

    Equal texts are encoded once. What is missing is encoded and put into the cache in chunks of
    about ten seconds of work (at most 16,384 texts), so that is what a killed run loses, however
    slow the encoder is. A note to `progress` counts the texts, those from the cache and those
    encoded.

    Parameters
    ----------
    encoder
        Prepared.
    texts
        Any order, any repetition.
    cache
        Where vectors are kept.
    progress
        Shows the counts, and every text encoded.

    Returns
    -------
    float32 (len(texts), d), in the order of the texts.

    Raises
    ------
    EncoderError
        The encoder is not prepared, or the cache gives vectors of another width or length.

    Examples
    --------
    >>> from newsnest.embed import MemoryCache, load_encoder
    >>> encoder, cache = load_encoder("tfidf"), MemoryCache()
    >>> texts = ["Sea wall breached", "Rates held", "Sea wall breached"]
    >>> encoder.prepare(texts)
    >>> encode_cached(encoder, texts, cache).shape, len(cache)
    ((3, 3), 2)
    """
    if not encoder.fingerprint:
        raise EncoderError(
            f"encode_cached: encoder must be prepared, got {encoder.name!r} without a fingerprint. "
            "Call its prepare(texts) first."
        )
    hashes = [text_hash(text) for text in texts]
    unique = dict(zip(hashes, texts, strict=True))
    place = {key: i for i, key in enumerate(unique)}
    rows = np.empty((len(unique), encoder.dimensions), dtype=np.float32)
    missing = _fill(rows, list(unique), place, cache, encoder)
    progress.note(
        f"{len(texts):,} texts, {len(unique):,} different: {len(unique) - len(missing):,} vectors "
        f"from the cache, {len(missing):,} to encode"
    )
    # Long texts first: memory fails early, and the time left is over- rather than understated.
    missing.sort(key=lambda key: (-len(unique[key]), key))
    if missing:
        with progress.start("encode", len(missing), "texts") as task:
            start, size = 0, _FIRST
            while start < len(missing):
                chunk = missing[start : start + size]
                began = time.monotonic()
                new = encoder.encode(
                    [unique[key] for key in chunk], progress=_Relay(task, progress)
                )
                _check(encoder, new, len(chunk))
                cache.put_many(encoder.fingerprint, chunk, new)
                rows[[place[key] for key in chunk]] = new
                start += len(chunk)
                size = _next_size(size, time.monotonic() - began)
    found: Vectors = rows[[place[key] for key in hashes]]
    return found


def _check(encoder: Encoder, rows: Vectors, count: int) -> None:
    """Raise where another package's encoder does not keep its contract, before it is cached."""
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float32:
        found = f"{getattr(rows, 'dtype', type(rows).__name__)}"
    elif rows.shape != (count, encoder.dimensions):
        found = f"shape {rows.shape}"
    elif not _are_unit(rows):
        found = "rows of another length, or NaN"
    else:
        return
    raise EncoderError(
        f"encode_cached: encoder {encoder.name!r} must return float32 unit vectors of shape "
        f"({count}, {encoder.dimensions}), got {found}. Correct its encode."
    )


def _are_unit(rows: Vectors) -> bool:
    return np.allclose(np.einsum("ij,ij->i", rows, rows), 1.0, atol=1e-2)


def _next_size(size: int, seconds: float) -> int:
    """Return how many texts to encode next, after so many took so long."""
    grown = size * min(_GROWTH, _SECONDS / max(seconds, 1e-3))
    return max(1, min(_LARGEST, int(grown)))


def _fill(
    rows: Vectors,
    keys: list[bytes],
    place: Mapping[bytes, int],
    cache: VectorCache,
    encoder: Encoder,
) -> list[bytes]:
    """Write what the cache knows into `rows` and return the keys of the rest."""
    missing: list[bytes] = []
    for start in range(0, len(keys), _LOOKUP):
        chunk = keys[start : start + _LOOKUP]
        known = cache.get_many(encoder.fingerprint, chunk)
        for key, row in known.items():
            if row.shape != (encoder.dimensions,):
                raise EncoderError(
                    f"encode_cached: cache must give vectors of {encoder.dimensions} dimensions, "
                    f"got shape {row.shape}. Delete the cached vectors of {encoder.name!r}."
                )
            rows[place[key]] = row
        at = [place[key] for key in known]
        if not _are_unit(rows[at]):
            raise EncoderError(
                f"encode_cached: cache must give finite vectors of length 1, got others of "
                f"{encoder.name!r}. Make the nest again from its articles."
            )
        missing += [key for key in chunk if key not in known]
    return missing


class _Relay:
    """A progress whose tasks advance one task that is already under way."""

    def __init__(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress

    def start(self, what: str, total: int | None, unit: str) -> Task:
        return _RelayedTask(self._task)

    def note(self, message: str) -> None:
        self._progress.note(message)


class _RelayedTask(Task):
    def __init__(self, task: Task) -> None:
        self._task = task

    def advance(self, steps: int = 1) -> None:
        self._task.advance(steps)
