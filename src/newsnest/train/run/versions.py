"""The versions of what decides how a training comes out."""

from __future__ import annotations

import importlib.metadata
import platform

_PACKAGES = (
    "newsnest", "torch", "sentence-transformers", "transformers", "accelerate", "datasets", "peft",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of what decides the outcome; "none" for what is not installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return found
