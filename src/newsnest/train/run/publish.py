"""The folder a training leaves: model, README.md and newsnest.json, all at once."""

import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer

from newsnest.embed import LevelRecord, ModelRecord, loading, weights
from newsnest.train.run.base import Base, prefix_of
from newsnest.train.run.context import TrainingContext
from newsnest.train.settings import ModelSettings, settings_content

_PACKAGES = (
    "newsnest", "torch", "sentence-transformers", "transformers", "accelerate", "datasets", "peft",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What one recipe adds to the model it has trained; the rest is the same for all.

    Parameters
    ----------
    title, text
        Of README.md, Markdown. No word of the data.
    citation
        BibTeX; "" for none.
    data
        Counts by file, as the readers return them.
    levels
        Coarse to fine; None: those of the base, uncalibrated, and whether a run turns vectors.
    chosen, validation, details
        See `ModelRecord`.
    beside
        Writes what else belongs into the folder.
    """

    title: str
    text: str
    citation: str = ""
    data: Sequence[Mapping[str, Any]] = ()
    levels: Sequence[LevelRecord] | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    beside: Callable[[Path], None] = lambda folder: None


def publish_model(
    context: TrainingContext[Any], model: SentenceTransformer, publication: Publication
) -> ModelRecord:
    """Write model, README.md and newsnest.json, and let them appear all at once.

    Returns
    -------
    What newsnest.json holds.
    """
    s, base = context.settings, context.base
    levels, rotate = (
        levels_of_base(base) if publication.levels is None else (tuple(publication.levels), None)
    )
    origin = ModelRecord.read(base.folder).origin
    chosen: dict[str, Any] = {"threads": torch.get_num_threads()}
    if isinstance(s, ModelSettings):
        precision = "bfloat16" if context.bfloat16 else "float32"
        chosen |= {"precision": precision, "device": context.device.type}
        chosen |= {"processes": context.processes}
    record = ModelRecord(
        recipe=context.recipe,
        run=context.place.run,
        levels=levels,
        rotate=rotate,
        base={
            "name": s.base,
            **({"origin": origin} if origin else {}),
            "files": weights.folder_digests(base.folder),
        },
        data=tuple(
            {**{key: value for key, value in one.items() if key != "sha256"}, "digest": digest}
            for one, digest in zip(publication.data, context.place.digests, strict=True)
        ),
        settings=settings_content(s),
        prefix=prefix_of(model),
        max_length=_length_of(model),
        chosen=chosen | dict(publication.chosen),
        validation=publication.validation,
        versions=_versions(),
        seed=s.seed,
        details=publication.details,
    )

    def save(folder: Path) -> None:
        with loading.quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(_page(publication), encoding="utf-8")
        publication.beside(folder)
        record.write(folder)

    context.place.publish(save)
    return record


def _length_of(model: SentenceTransformer) -> int | None:
    """Return how many tokens a model reads; None for static vectors, whose length has no end."""
    length = model.max_seq_length
    return length if isinstance(length, int) else None


def levels_of_base(base: Base) -> tuple[tuple[LevelRecord, ...], bool | None]:
    """Return levels, and whether a run turns vectors, of a model whose recipe trains no levels.

    Prefixes stay what the base was trained for; its calibration does not hold any more.
    """
    known = ModelRecord.read(base.folder)
    return tuple(LevelRecord(level.name, level.dims) for level in known.levels), known.rotate


def _versions() -> dict[str, str]:
    """Return the versions of what decides the outcome; "none" for what is not installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def _page(publication: Publication) -> str:
    # The head is what model hubs read.
    source = (
        f"\n## Source\n```bibtex\n{publication.citation.strip()}\n```\n"
        if publication.citation
        else ""
    )
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, sentence-similarity, feature-extraction]
---
# {publication.title}

{publication.text.strip()}

Data, settings, versions and all measurements are in newsnest.json.
{source}"""
