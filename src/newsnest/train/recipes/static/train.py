"""What the recipe `static` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

from newsnest.embed import EncoderConfig, StaticEncoder, load_encoder
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.labelled import TextReading, TrainingTexts, parse_data, read_training_texts
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import require_one_process
from newsnest.train.recipes.static.fit import StaticFit, fit_tokens
from newsnest.train.recipes.static.settings import StaticSettings
from newsnest.train.run.base import Base, find_base
from newsnest.train.run.place import PAGE_HEAD, place_of
from newsnest.train.run.versions import versions
from newsnest.train.settings import settings_content

_PAGE = (
    PAGE_HEAD
    + """# Static vectors fitted to {base}

A vector a token, by `newsnest train static`. Held-out texts come to a mean cosine of {after:.4f}
to the vectors of {base}; {before:.4f} before the fit.

Data, settings and versions stand in newsnest.json.
"""
)


def train_static(settings: StaticSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.static.run` says."""
    require_one_process("static")
    base = find_base(settings.base, progress=progress)
    files = parse_data(settings.data, TextReading())
    place = place_of("static", settings, base, files)
    if place.is_complete(progress):
        return settings.output
    data = read_training_texts(files, progress=progress)
    texts, held = _drawn(data.texts, settings)
    progress.note(f"{len(texts):,} distinct texts, {held.sum():,} of them held out")
    fit, tokenizer = _fitted(texts, held, base, settings, progress)
    progress.note(
        f"held-out cosine to {settings.base}: {fit.cosine[0.0]:.4f} with the tokens as distilled, "
        f"{fit.cosine[fit.ridge]:.4f} fitted"
    )
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=fit.vectors), Normalize()],
        device="cpu",
    )
    metadata = _metadata(settings, base, data, fit, len(texts))

    def save(folder: Path) -> None:
        with quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        told = metadata["validation"]
        page = _PAGE.format(base=settings.base, before=told["before"], after=told["after"])
        (folder / "README.md").write_text(page, encoding="utf-8")

    place.publish(save, metadata)
    return settings.output


def _drawn(texts: Sequence[str], settings: StaticSettings) -> tuple[list[str], Any]:
    """Return distinct texts in a seeded order, and which are held out."""
    distinct = list(dict.fromkeys(texts))
    dice = np.random.default_rng(settings.seed)
    order = dice.permutation(len(distinct))[: settings.most]
    held = np.zeros(len(order), np.bool_)
    held[: max(1, round(settings.held_out * len(order)))] = True
    return [distinct[i] for i in order], held


def _fitted(
    texts: list[str], held: Any, base: Base, settings: StaticSettings, progress: Progress
) -> tuple[StaticFit, Any]:
    """Return the fit, and the tokenizer its rows belong to."""
    start = StaticEncoder(settings.base, lambda progress: base.folder)
    start.prepare(progress=progress)
    means = start.means()
    teacher = load_encoder(settings.base, config=EncoderConfig(backend=settings.backend))
    teacher.prepare(texts, progress=progress)
    targets = teacher.encode(texts, progress=progress)
    fit = fit_tokens(means.counts(texts), means.vectors, targets, held)
    if means.unknown is not None:
        fit.vectors[means.unknown] = 0.0  # whoever loads the model may not leave it out
    return fit, means.tokenizer


def _metadata(
    settings: StaticSettings, base: Base, data: TrainingTexts, fit: StaticFit, texts: int
) -> dict[str, Any]:
    return {
        "recipe": "static",
        "base": {"name": settings.base, "files": folder_digests(base.folder)},
        "data": list(data.sources),
        "settings": settings_content(settings),
        "chosen": {"texts": texts, "ridge": fit.ridge},
        "validation": {
            "measure": "mean cosine of held-out texts to the base",
            "before": round(fit.cosine[0.0], 6),
            "after": round(fit.cosine[fit.ridge], 6),
            "by_ridge": {str(key): round(value, 6) for key, value in fit.cosine.items()},
        },
        "versions": versions(),
        "seed": settings.seed,
    }
