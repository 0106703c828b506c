"""What is made once on a machine, kept whole in the cache folder, and compared when it is used."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsnest.drafts import drafted
from newsnest.embed.model_record import read_json
from newsnest.embed.weights import file_sha256
from newsnest.errors import EncoderError


def cache_folder() -> Path:
    """Return the cache folder of newsnest: $NEWSNEST_CACHE, or within the user's cache."""
    ours = os.environ.get("NEWSNEST_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(ours).expanduser() if ours else Path(shared).expanduser() / "newsnest"
    except RuntimeError as error:
        raise EncoderError(
            "cache_folder: the cache must lie in a home folder that exists, got "
            f"{ours or shared!r}. Set NEWSNEST_CACHE to a folder."
        ) from error


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder in the cache: `files` are its files that count, `what` they are, in words."""

    folder: Path
    files: tuple[str, ...]
    manifest: str
    what: str

    def make(self, fill: Callable[[Path], None], settings: Mapping[str, Any]) -> None:
        """Let `fill` write into an empty folder, which then takes its name in one step.

        Where another process is faster, its folder stays. EncoderError where none can be written.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with drafted(self.folder, folder=True) as draft:
                fill(draft)
                digests = {name: file_sha256(draft / name) for name in self.files}
                text = json.dumps({"settings": settings, "sha256": digests}, indent=2)
                (draft / self.manifest).write_text(text, encoding="utf-8")
        except OSError as error:
            # Another process may be faster; its folder is complete, for it too came by a rename.
            if not self.folder.is_dir():
                raise EncoderError(
                    "prepare: the cache must be a folder that can be written to, got "
                    f"{self.folder.parent} ({error.strerror}). Set NEWSNEST_CACHE to another."
                ) from error

    def verify(self) -> dict[str, str]:
        """Return the digests of the files, after comparing them with what was written."""
        cure = f"Delete {self.folder} and run again."
        try:
            expected = dict(read_json(self.folder / self.manifest)["sha256"])
            digests = {name: file_sha256(self.folder / name) for name in self.files}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError(
                f"prepare: {self.folder} must hold {self.what}, got: {error}. {cure}"
            ) from error
        for name in self.files:
            if digests[name] != expected.get(name):
                raise EncoderError(
                    f"prepare: {self.folder / name} must have SHA-256 {expected.get(name)}, "
                    f"got {digests[name]}. {cure}"
                )
        return digests
