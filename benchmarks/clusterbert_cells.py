"""What `clusterbert.py` measured, kept cell by cell: it goes on where it was interrupted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any


class Cells:
    """What was measured, one JSON line each, so that an interruption loses one cell at most."""

    def __init__(self, folder: Path, profile: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder / profile
        self.folder.mkdir(exist_ok=True)
        self.file = self.folder / "cells.jsonl"
        self.done: dict[tuple[Any, ...], dict[str, Any]] = {}
        for cell in self._read():
            self.done[self._key(cell)] = cell

    def _read(self) -> Iterator[dict[str, Any]]:
        if not self.file.exists():
            return
        for line in filter(None, self.file.read_text(encoding="utf-8").splitlines()):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # the line that a kill cut off
                print(f"{self.file}: a line was cut off and is measured again")

    @staticmethod
    def _key(cell: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            cell.get(name) for name in ("part", "set", "encoder", "clusterer", "task", "seed")
        )

    def measure(self, work: Callable[[], Mapping[str, Any]], **key: Any) -> None:
        """Do a cell's work unless it was done, and keep what it returns."""
        if self._key(key) in self.done:
            return
        began = time.perf_counter()
        cell = {**key, **work(), "seconds": round(time.perf_counter() - began, 1)}
        self.done[self._key(key)] = cell
        with self.file.open("a", encoding="utf-8") as out:
            # A line before it may have been cut off: an empty one does no harm.
            out.write("\n" + json.dumps(cell) + "\n")
        told = {name: cell[name] for name in ("nmi", "accuracy", "map", "k") if name in cell}
        print(*(str(part) for part in key.values()), told, f"{cell['seconds']} s", flush=True)

    def has(self, **key: Any) -> bool:
        return self._key(key) in self.done

    def vectors(self, which: str, encoder: str, seed: int) -> Path:
        return self.folder / f"{which}.{encoder.replace(' ', '_')}.{seed}.npz"

    def hours(self) -> float:
        """Return how long all of it took."""
        cells = self.done.values()
        return sum(cell["seconds"] + cell.get("training_seconds", 0) for cell in cells) / 3600
