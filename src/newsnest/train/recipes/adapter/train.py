"""What the recipe `adapter` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize

from newsnest.embed import EncoderConfig, MemoryCache, VectorCache, encode_cached, load_encoder
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.labelled import (
    GradedReading,
    Pair,
    Splitting,
    TrainingData,
    parse_data,
    read_training_data,
)
from newsnest.labelled.graded import Encode
from newsnest.progress import SILENT, Progress
from newsnest.train.losses import TrainingLevel, training_levels
from newsnest.train.recipe import require_one_process
from newsnest.train.recipes.adapter.fit import Fitted, PairVectors, fit_adapter, make_loss
from newsnest.train.recipes.adapter.settings import AdapterSettings
from newsnest.train.run.base import Base, find_base, load_base
from newsnest.train.run.place import PAGE_HEAD, place_of
from newsnest.train.run.versions import versions
from newsnest.train.settings import settings_content
from newsnest.types import Vectors

_PAGE = (
    PAGE_HEAD
    + """# An encoder that nests news

{base} with a linear map behind it, by `newsnest train adapter`. {outcome}

| Level | Leading dimensions | Validation Pearson: base | principal axes | this model |
|---|---|---|---|---|
{rows}

Data, settings and versions stand in newsnest.json.
"""
)


def train_adapter(
    settings: AdapterSettings, *, progress: Progress = SILENT, cache: VectorCache | None = None
) -> Path:
    """Do what `newsnest.train.recipes.adapter.run` says; `cache` keeps the base's vectors."""
    require_one_process("adapter")
    base = find_base(settings.base, progress=progress)
    s = settings
    usual = GradedReading(s.scale, s.same_is, s.per_grade, s.max_days, s.most)
    files = parse_data(s.data, usual)
    place = place_of("adapter", settings, base, files)
    if place.is_complete(progress):
        return settings.output
    encode = _encode_by(settings, MemoryCache() if cache is None else cache, progress)
    splitting = Splitting(
        share=settings.validation,
        max_validation=settings.validation_pairs,
        hard=settings.hard,
        seed=settings.seed,
    )
    data = read_training_data(files, splitting, encode=encode, progress=progress)
    progress.note(
        f"{len(data.train):,} pairs to train on, {len(data.validation):,} to validate on"
        + (f", {data.leaking:,} left out: held out" if data.leaking else "")
    )
    train, held = (pair_vectors(part, encode) for part in (data.train, data.validation))
    levels = training_levels(train.left.shape[1])
    fitted = fit_adapter(train, held, levels, settings, progress=progress)
    metadata = _metadata(settings, base, data, levels, fitted)
    model = with_map(load_base(base, device="cpu"), fitted.weight)

    def save(folder: Path) -> None:
        with quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(_readme(metadata), encoding="utf-8")

    place.publish(save, metadata)
    progress.note(f"{settings.output}: {_outcome(fitted)}")
    return settings.output


def pair_vectors(pairs: Sequence[Pair], encode: Encode) -> PairVectors:
    """Return pairs with the vectors of their texts; every text is encoded once."""
    place: dict[str, int] = {}
    for pair in pairs:
        for text in (pair.text1, pair.text2):
            place.setdefault(text, len(place))
    vectors = encode(list(place))
    left, right = (
        np.ascontiguousarray(vectors[[place[getattr(pair, end)] for pair in pairs]])
        for end in ("text1", "text2")
    )
    return PairVectors(tuple(pairs), left, right)


def with_map(model: SentenceTransformer, weight: Vectors) -> SentenceTransformer:
    """Return a model with a linear map and a normalisation behind it, stock modules all.

    Parameters
    ----------
    model
        The base; its modules are shared, not copied.
    weight
        float32 (d, d), multiplied from the right.
    """
    d, width = weight.shape
    dense = Dense(d, width, bias=False, activation_function=torch.nn.Identity())
    with torch.no_grad():
        dense.linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight.T)))
    return SentenceTransformer(
        modules=[*model, dense, Normalize()],
        prompts=model.prompts,
        default_prompt_name=model.default_prompt_name,
        device=str(model.device),
    )


def _encode_by(settings: AdapterSettings, cache: VectorCache, progress: Progress) -> Encode:
    encoder = load_encoder(settings.base, config=EncoderConfig(backend=settings.backend))
    encoder.prepare([], progress=progress)

    def encode(texts: Sequence[str]) -> Vectors:
        return encode_cached(encoder, texts, cache, progress=progress)

    return encode


def _metadata(
    settings: AdapterSettings,
    base: Base,
    data: TrainingData,
    levels: Sequence[TrainingLevel],
    fitted: Fitted,
) -> dict[str, Any]:
    gain, low, high = (round(value, 6) for value in fitted.gain)
    names = [level.name for level in levels]
    return {
        "recipe": "adapter",
        "levels": [
            {"name": level.name, "dims": level.dims, "min_similarity": None} for level in levels
        ],
        "base": {"name": settings.base, "files": folder_digests(base.folder)},
        "data": list(data.sources),
        "settings": settings_content(settings),
        "chosen": {
            "saved": "trained map" if fitted.improved else "principal axes",
            "best_epoch": fitted.best_epoch,
            "epochs": fitted.epochs,
            "threads": torch.get_num_threads(),
            "leaking_pairs_left_out": data.leaking,
        },
        "validation": {
            "pairs": len(data.validation),
            "measure": "pearson",
            **{
                when: dict(zip(names, (round(f, 6) for f in found), strict=True))
                | {"pearson": round(float(np.mean(found)), 6)}
                for when, found in fitted.scores.items()
            },
            "gain": {"mean": gain, "low": low, "high": high, "sure": round(fitted.sure, 4)},
        },
        "loss": make_loss(levels, settings).get_config_dict(),
        "versions": versions(),
        "seed": settings.seed,
    }


def _outcome(fitted: Fitted) -> str:
    gain, low, high = fitted.gain
    base, before, trained = (
        float(np.mean(fitted.scores[when])) for when in ("base", "before", "trained")
    )
    told = f"validation Pearson {base:.4f} by the base, {before:.4f} by principal axes"
    if not fitted.best_epoch and not gain:
        return (
            f"{told}; no epoch was better without a level that was worse. Saved: the principal "
            "axes, untrained. More or other pairs may help."
        )
    told += (
        f", {trained:.4f} trained (gain {gain:+.4f}, 90 % of resamples {low:+.4f} to {high:+.4f})"
    )
    if fitted.improved:
        return f"{told}. Saved: the trained map."
    return f"{told}. The gain is not sure. Saved: the principal axes, untrained."


def _readme(metadata: dict[str, Any]) -> str:
    scores = metadata["validation"]
    trained = metadata["chosen"]["saved"] == "trained map"
    rows = [
        f"| {level['name']} | {level['dims']} | "
        + " | ".join(f"{scores[when][level['name']]:.4f}" for when in ("base", "before", "after"))
        + " |"
        for level in metadata["levels"]
    ]
    return _PAGE.format(
        base=metadata["base"]["name"],
        outcome="The map is trained."
        if trained
        else "Training did not help for sure: the map turns to principal axes, no more.",
        rows="\n".join(rows),
    )
