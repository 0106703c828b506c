"""newsnest: nest news articles into themes, topics and stories."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Article": "newsnest.types",
    "Hierarchy": "newsnest.types",
    "Level": "newsnest.types",
    "RAC": "newsnest.cluster",
    "LevelwiseRAC": "newsnest.cluster",
    "Nest": "newsnest.nest",
    "Nester": "newsnest.pipeline.nester",
    "Options": "newsnest.options",
    "build": "newsnest.pipeline",
    "read_articles": "newsnest.corpus",
    "load_encoder": "newsnest.embed",
    "NewsnestError": "newsnest.errors",
}

__all__ = [
    "RAC",
    "Article",
    "Hierarchy",
    "Level",
    "LevelwiseRAC",
    "Nest",
    "Nester",
    "NewsnestError",
    "Options",
    "build",
    "load_encoder",
    "read_articles",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import newsnest` stays light."""
    if name == "cluster":  # typed for a function; says what to call
        return import_module("newsnest.cluster")
    if name not in _HOME:
        raise AttributeError(f"module 'newsnest' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
