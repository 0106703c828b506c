"""What the recipe `adapter` does, step by step; loads torch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize

from newsnest import embed
from newsnest.labelled import Pair
from newsnest.labelled.graded import Encode
from newsnest.progress import Progress
from newsnest.train.losses import TrainingLevel, training_levels
from newsnest.train.recipes.adapter import AdapterSettings
from newsnest.train.recipes.adapter.fit import Fitted, PairVectors, fit_adapter, make_loss
from newsnest.train.run import Publication, TrainingContext, publish_model
from newsnest.types import Vectors


def run_adapter(
    context: TrainingContext[AdapterSettings], *, cache: embed.VectorCache | None = None
) -> None:
    """Train as the recipe `adapter` describes; `cache` keeps the base's vectors."""
    s, progress = context.settings, context.progress
    encode = _encode_by(s, embed.MemoryCache() if cache is None else cache, progress)
    data = context.read_pairs(encode)
    progress.note(
        f"{len(data.train):,} pairs to train on, {len(data.validation):,} to validate on"
        + (f", {data.leaking:,} left out: held out" if data.leaking else "")
    )
    train, held = (pair_vectors(part, encode) for part in (data.train, data.validation))
    levels = training_levels(train.left.shape[1])
    fitted = fit_adapter(train, held, levels, s, progress=progress)
    publication = Publication(
        title="An encoder that nests news",
        text=_text(s.base, levels, fitted),
        data=data.sources,
        levels=[embed.LevelRecord(level.name, level.dims) for level in levels],
        chosen={
            "saved": fitted.saved,
            "best_epoch": fitted.best_epoch,
            "epochs": fitted.epochs,
            "leaking_pairs_left_out": data.leaking,
        },
        validation={"pairs": len(data.validation), **_scores(levels, fitted)},
        details={"loss": make_loss(levels, s).get_config_dict()},
    )
    publish_model(context, with_map(context.load_base(), fitted.weight), publication)
    progress.note(f"{s.output}: {_outcome(fitted, s.confidence)}")


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

    The modules of `model` are shared, not copied; `weight` (d, d) is multiplied from the right.
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


def _encode_by(settings: AdapterSettings, cache: embed.VectorCache, progress: Progress) -> Encode:
    encoder = embed.load_encoder(
        settings.base, config=embed.EncoderConfig(backend=settings.backend)
    )
    encoder.prepare([], progress=progress)

    def encode(texts: Sequence[str]) -> Vectors:
        return embed.encode_cached(encoder, texts, cache, progress=progress)

    return encode


def _scores(levels: Sequence[TrainingLevel], fitted: Fitted) -> dict[str, Any]:
    gain, low, high = (round(value, 6) for value in fitted.gain)
    names = [level.name for level in levels]
    return {
        "measure": "pearson",
        **{
            when: dict(zip(names, (round(f, 6) for f in found), strict=True))
            | {"pearson": round(float(np.mean(found)), 6)}
            for when, found in fitted.scores.items()
        },
        "gain": {"mean": gain, "low": low, "high": high, "sure": round(fitted.sure, 4)},
    }


def _outcome(fitted: Fitted, confidence: float) -> str:
    base, before, trained = (
        float(np.mean(fitted.scores[when])) for when in ("base", "before", "trained")
    )
    found = f"validation Pearson: base {base:.4f}, principal axes {before:.4f}"
    if fitted.gain[0] > 0:
        found += (
            f", trained {trained:.4f}, better in {fitted.sure:.0%} of resamples "
            f"({confidence:.0%} needed)"
        )
    else:
        found += ", no epoch better"
    if fitted.saved == "trained map":
        return f"{found}. Saved: the trained map."
    untrained = "a map that changes nothing" if fitted.saved == "base" else "the principal axes"
    return f"{found}. Saved: {untrained}, untrained. More or other pairs may help."


def _text(base: str, levels: Sequence[TrainingLevel], fitted: Fitted) -> str:
    """Return the text of README.md."""
    rows = "\n".join(
        f"| {level.name} | {level.dims} | "
        + " | ".join(f"{fitted.scores[when][at]:.4f}" for when in ("base", "before", "after"))
        + " |"
        for at, level in enumerate(levels)
    )
    outcome = {
        "trained map": "The map is trained.",
        "principal axes": "Training did not help for sure: the map turns to principal axes, no "
        "more.",
        "base": "Neither training nor principal axes helped: the map changes nothing.",
    }[fitted.saved]
    return f"""
{base} with a linear map behind it, by `newsnest train adapter`. {outcome}

| Level | Leading dimensions | Validation Pearson: base | principal axes | this model |
|---|---|---|---|---|
{rows}
"""
