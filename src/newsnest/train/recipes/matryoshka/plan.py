"""What the recipe `matryoshka` knows before its first step: model, data, loss; loads torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from accelerate.utils import broadcast_object_list
from datasets import Dataset
from sentence_transformers import SentenceTransformer

from newsnest.labelled import GRADES, Pair, Splitting, TrainingData, read_training_data
from newsnest.labelled.graded import GradedFile
from newsnest.progress import Progress
from newsnest.train.evaluators import GradedPairEvaluator
from newsnest.train.losses import LevelwiseMatryoshkaLoss, Terms, TrainingLevel, training_levels
from newsnest.train.losses.anchor import AnchoredMatryoshkaLoss
from newsnest.train.pairs import pair_dataset
from newsnest.train.recipes.matryoshka.settings import MatryoshkaSettings
from newsnest.train.run.base import load_base
from newsnest.train.run.place import Place
from newsnest.train.run.preflight import choose_connection
from newsnest.train.run.session import Session, Start, Validation
from newsnest.train.samplers import ComponentBatchSampler
from newsnest.types import LEVELS, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Session):
    """All that is known before the first step."""

    settings: MatryoshkaSettings
    data: TrainingData
    levels: tuple[TrainingLevel, ...]
    connect_from: float  # score from which a pair's articles stay out of each other's batch


def level_dataset(pairs: Sequence[Pair], levels: Sequence[TrainingLevel]) -> Dataset:
    """Return the pairs as `pair_dataset` does, with the group ids of these levels alone."""
    dataset = pair_dataset(pairs)
    labels = dataset["label"][:]
    if len(levels) == len(LEVELS) or not isinstance(labels[0], list):
        return dataset
    starts = [1 + 2 * LEVELS.index(level.name) for level in levels]
    kept = [[row[0], *(row[i + end] for i in starts for end in (0, 1))] for row in labels]
    return dataset.remove_columns("label").add_column("label", kept)


def make_plan(
    settings: MatryoshkaSettings, start: Start, place: Place, files: Sequence[GradedFile]
) -> Plan:
    """Read the data and choose what the settings leave open."""
    model = load_base(start.base, device=str(start.state.device))
    width = model.get_embedding_dimension()
    assert width is not None  # a loaded model has a width
    levels = tuple(level for level in training_levels(width) if level.name in settings.levels)
    data: TrainingData | None = None
    if start.is_main:
        splitting = Splitting(
            share=settings.validation,
            max_validation=settings.validation_pairs,
            hard=settings.hard,
            seed=settings.seed,
        )
        encode = encode_by(model, settings.batch_size, start.progress)
        data = read_training_data(files, splitting, encode=encode, progress=start.progress)
    (data,) = broadcast_object_list([data])  # vectors of two devices might choose other pairs
    assert data is not None
    connect_from = settings.connect_from or choose_connection(
        data.train, batch_size=settings.batch_size, seed=settings.seed
    )
    return Plan(
        **start.known(),
        place=place,
        data=data,
        levels=levels,
        connect_from=connect_from,
        sampler=partial(ComponentBatchSampler, min_score=connect_from),
    )


def encode_by(
    model: SentenceTransformer, batch_size: int, progress: Progress
) -> Callable[[Sequence[str]], Vectors]:
    """Return what encodes texts by a model, as unit vectors."""

    def encode(texts: Sequence[str]) -> Vectors:
        parts: list[Vectors] = []
        with progress.start("encode", len(texts), "texts") as task:
            for start in range(0, len(texts), 1024):
                part = list(texts[start : start + 1024])
                vectors = model.encode(
                    part,
                    batch_size=batch_size,
                    normalize_embeddings=True,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                )
                parts.append(np.asarray(vectors, np.float32))
                task.advance(len(part))
        return np.concatenate(parts)

    return encode


def make_validation(plan: Plan) -> Validation:
    """Return how validation pairs are scored, over the prefixes that are trained."""
    pairs = [
        Pair(
            text1=pair.text1,
            text2=pair.text2,
            score=min(1.0, pair.score / GRADES["VS"]),
            lang1=pair.lang1,
            lang2=pair.lang2,
        )
        for pair in plan.data.validation
    ]
    dims = [level.dims for level in plan.levels]
    evaluator = GradedPairEvaluator(pairs, dims=dims, name=Validation.NAME, write_csv=False)
    return Validation(evaluator, "pearson", "Pearson")


def make_loss(plan: Plan, model: SentenceTransformer) -> LevelwiseMatryoshkaLoss:
    """Return the loss that the settings ask for."""
    s = plan.settings
    terms = Terms(
        cosine=s.cosine,
        angle=s.angle,
        contrastive=s.contrastive,
        dropout_views=s.dropout_views,
        cosine_scale=s.cosine_scale,
        angle_scale=s.angle_scale,
        temperature=s.temperature,
        unlike=s.unlike,
    )
    options: dict[str, Any] = {
        "variant": s.variant,
        "graded_story": s.graded_story,
        "terms": terms,
        "mini_batch_size": s.mini_batch_size,
    }
    if not s.anchor:
        return LevelwiseMatryoshkaLoss(model, plan.levels, **options)
    frozen = load_base(plan.base, device=str(plan.state.device))
    return AnchoredMatryoshkaLoss(model, plan.levels, base=frozen, anchor=s.anchor, **options)
