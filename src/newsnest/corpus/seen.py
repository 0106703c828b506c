"""Which ids were used, and where first: a few dozen bytes an id, however long ids are."""

import hashlib

import numpy as np
from numpy.typing import NDArray

_LINE_BITS = 40


class Seen:
    """Where each id was first met.

    Recent ids lie in a dict, older ones in two sorted arrays of 16 bytes an id. Ids are known by a
    64-bit hash: among a million ids two share one with a probability below 3 in 10⁸.
    """

    def __init__(self, keep: int = 1 << 16) -> None:
        self._files: list[str] = []
        self._recent: dict[int, int] = {}
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._places: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._keep = keep

    def find(self, name: str) -> tuple[str, int] | None:
        """Return file and line where the id was first used, None if it is new."""
        place = self._find(_key(name))
        if place is None:
            return None
        return self._files[place >> _LINE_BITS], place & ((1 << _LINE_BITS) - 1)

    def add(self, name: str, file: str, line: int) -> None:
        """Remember a new id."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        self._recent[_key(name)] = (len(self._files) - 1) << _LINE_BITS | line
        if len(self._recent) > max(self._keep, len(self._keys) // 8):
            self._settle()

    def _find(self, key: int) -> int | None:
        place = self._recent.get(key)
        if place is not None:
            return place
        wanted = np.uint64(key)
        at = int(np.searchsorted(self._keys, wanted))
        if at < len(self._keys) and self._keys[at] == wanted:
            return int(self._places[at])
        return None

    def _settle(self) -> None:
        """Move the recent ids into the arrays: both grow by an eighth, so the cost is linear."""
        count = len(self._recent)
        keys = np.fromiter(self._recent.keys(), np.uint64, count)
        places = np.fromiter(self._recent.values(), np.uint64, count)
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._places = np.insert(self._places, at, places[order])
        self._recent.clear()


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
