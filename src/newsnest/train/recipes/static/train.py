"""What the recipe `static` does, step by step; loads torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from threadpoolctl import threadpool_limits

from newsnest.embed import EncoderConfig, StaticEncoder, load_encoder, unit
from newsnest.progress import Progress
from newsnest.train.recipes.static import StaticSettings
from newsnest.train.run import Base, Publication, TrainingContext, publish_model
from newsnest.types import Flags, Vectors

RIDGES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
_SAVED = ("fitted", "distilled")
_ROUNDS = 100
_ENOUGH = 1e-3  # of the first residual


@dataclass(frozen=True, slots=True)
class StaticFit:
    """Token vectors, and how near texts that were not fitted come to the transformer."""

    vectors: Vectors  # float32 (vocabulary, d)
    # The weight chosen for staying near the start; 0 if no fit was better than the start itself.
    ridge: float
    # Mean cosine of held-out texts to their targets, by ridge; under 0 that of the start.
    cosine: dict[float, float]


def train_static(context: TrainingContext[StaticSettings]) -> None:
    """Train as `newsnest.train.recipes.static.STATIC` describes."""
    s, progress, data = context.settings, context.progress, context.read_texts()
    texts, held = _drawn(data.texts, s)
    progress.note(f"{len(texts):,} distinct texts, {held.sum():,} of them held out")
    fit, tokenizer = _fitted(texts, held, context.base, s, progress)
    before, after = fit.cosine[0.0], fit.cosine[fit.ridge]
    progress.note(
        f"held-out cosine to {s.base}: {before:.4f} with the tokens as distilled, "
        f"{max(fit.cosine[r] for r in RIDGES):.4f} fitted. Saved: the {_SAVED[not fit.ridge]} "
        "vectors."
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
        chosen={"saved": _SAVED[not fit.ridge], "texts": len(texts), "ridge": fit.ridge},
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


def fit_tokens(
    counts: sparse.csr_array, start: Vectors, targets: Vectors, held: Flags
) -> StaticFit:
    """Fit token vectors to the vectors of texts by ridge regression.

    `counts`, float32 (n, vocabulary), say how often each token is in each text; a token that no
    text has keeps its vector of `start`, float32 (vocabulary, m), turned into the space of the
    targets, unit vectors float32 (n, d). The texts of `held` choose the ridge; at last all are
    fitted.

    Minimises ‖X·W − Y‖² + ridge·‖W − start·A‖², where X are the counts, scaled such that each text
    has unit length at the start, and A the least-squares map from start to targets. Conjugate
    gradients, each column with steps of its own; the ridge is the one of `RIDGES` with the highest
    cosine of the held-out texts; where none is better, the start stays. Cost: nonzeros · d
    multiply-adds a round, 100 rounds a ridge at most. Deterministic for any number of threads.

    Source: model2vec's distillation as the start (Tulkens and van Dongen 2024); the regression is
    ours.
    """
    with threadpool_limits(1, "blas"):
        length = np.linalg.norm(counts @ start, axis=1)
        shares = sparse.diags_array(1.0 / np.maximum(length, 1e-9)).astype(np.float32) @ counts
        known = shares[~held]
        turn = np.linalg.lstsq(known @ start, targets[~held], rcond=None)[0]
        mapped = (start @ turn).astype(np.float32)
        cosine = {0.0: _cosine(shares[held] @ mapped, targets[held])}
        for ridge, vectors in _path(known, mapped, targets[~held], RIDGES):
            cosine[ridge] = _cosine(shares[held] @ vectors, targets[held])
        best = max((0.0, *RIDGES), key=cosine.__getitem__)
        vectors = mapped
        if best:
            ((_, vectors),) = _path(shares, mapped, targets, (best,))
    return StaticFit(vectors, best, cosine)


def _path(
    shares: sparse.csr_array, start: Vectors, targets: Vectors, ridges: Sequence[float]
) -> Iterator[tuple[float, Vectors]]:
    """Solve for one ridge after another, each from the solution before it."""
    used = np.flatnonzero(shares.sum(axis=0))
    rows = shares[:, used].tocsr()
    columns = rows.T.tocsr()
    goal = columns @ (targets - rows @ start[used])  # (used, d)
    step = np.zeros_like(goal)
    enough = _ENOUGH**2 * (goal * goal).sum(axis=0)
    for ridge in ridges:
        left = goal - columns @ (rows @ step) - np.float32(ridge) * step
        way, size = left.copy(), (left * left).sum(axis=0)
        for _ in range(_ROUNDS):
            if (size <= enough).all():
                break
            moved = columns @ (rows @ way) + np.float32(ridge) * way
            share = size / np.maximum((way * moved).sum(axis=0), 1e-30)
            step += share * way
            left -= share * moved
            before, size = size, (left * left).sum(axis=0)
            way = left + size / np.maximum(before, 1e-30) * way
        vectors = start.copy()
        vectors[used] += step
        yield ridge, vectors


def _cosine(found: Vectors, targets: Vectors) -> float:
    return float((unit.unit_embeddings(found, encoder="static") * targets).sum(axis=1).mean())
