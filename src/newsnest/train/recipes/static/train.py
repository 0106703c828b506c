"""What the recipe `static` does, step by step; loads torch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

from newsnest.embed import EncoderConfig, StaticEncoder, load_encoder
from newsnest.progress import Progress
from newsnest.train.recipes.static import StaticSettings
from newsnest.train.recipes.static.fit import StaticFit, fit_tokens
from newsnest.train.run import Base, Publication, TrainingContext, publish_model


def train_static(context: TrainingContext[StaticSettings]) -> None:
    """Train as `newsnest.train.recipes.static.STATIC` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    texts, held = _drawn(data.texts, s)
    progress.note(f"{len(texts):,} distinct texts, {held.sum():,} of them held out")
    fit, tokenizer = _fitted(texts, held, context.base, s, progress)
    before, after = fit.cosine[0.0], fit.cosine[fit.ridge]
    progress.note(
        f"held-out cosine to {s.base}: {before:.4f} with the tokens as distilled, "
        f"{after:.4f} fitted"
    )
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=fit.vectors), Normalize()],
        device="cpu",
    )
    publication = Publication(
        title=f"Static vectors fitted to {s.base}",
        text=f"""
A vector a token, by `newsnest train static`. Held-out texts come to a mean cosine of {after:.4f}
to the vectors of {s.base}; {before:.4f} before the fit.
""",
        data=data.sources,
        levels=(),
        chosen={"texts": len(texts), "ridge": fit.ridge},
        validation={
            "measure": "mean cosine of held-out texts to the base",
            "before": round(before, 6),
            "after": round(after, 6),
            "by_ridge": {str(key): round(value, 6) for key, value in fit.cosine.items()},
        },
    )
    publish_model(context, model, publication)


def _drawn(texts: Sequence[str], settings: StaticSettings) -> tuple[list[str], Any]:
    """Return distinct texts in a seeded order, and which are held out."""
    distinct = list(dict.fromkeys(texts))
    dice = np.random.default_rng(settings.seed)
    order = dice.permutation(len(distinct))[: settings.max_articles]
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
