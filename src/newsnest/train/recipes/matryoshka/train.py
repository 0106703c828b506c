"""What the recipe `matryoshka` does, step by step; loads torch."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset
from sentence_transformers import SentenceTransformer

from newsnest.embed import LevelRecord
from newsnest.labelled import Pair
from newsnest.progress import Progress
from newsnest.train import losses
from newsnest.train.pairs import pair_dataset
from newsnest.train.recipes.matryoshka import MatryoshkaSettings
from newsnest.train.run import PairRun, Publication, TrainingContext, judge_grades
from newsnest.train.run.preflight import choose_connection
from newsnest.types import LEVELS, Vectors


def train_matryoshka(context: TrainingContext[MatryoshkaSettings]) -> None:
    """Train as `newsnest.train.recipes.matryoshka.MATRYOSHKA` describes."""
    s = context.settings
    model = context.load_base()
    width = model.get_embedding_dimension()
    assert width is not None  # a loaded model has a width
    levels = tuple(level for level in losses.training_levels(width) if level.name in s.levels)
    encode = _encode_by(model, s.batch_size, context.progress)
    data = context.once(lambda: context.read_pairs(encode))
    connect_from = s.connect_from or choose_connection(
        data.train, batch_size=s.batch_size, seed=s.seed
    )
    run = PairRun(
        context=context,
        make_loss=partial(_make_loss, context, levels),
        data=data,
        dataset=level_dataset(data.train, levels),
        judge=judge_grades(data, [level.dims for level in levels]),
        connect_from=connect_from,
        levels=levels,
        masked=s.variant == "clean",
    )
    run.train()
    rows = "\n".join(f"| {level.name} | {level.dims} |" for level in levels)

    publication = Publication(
        title="An encoder that nests news",
        text=f"""
Trained from {s.base} by `newsnest train matryoshka`. Prefixes of its vectors are levels:

| Level | Leading dimensions |
|---|---|
{rows}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder", truncate_dim={levels[0].dims})
```
""",
        levels=[LevelRecord(level.name, level.dims) for level in levels],
        chosen={"connect_from": connect_from},
    )
    run.publish(publication)


def level_dataset(pairs: Sequence[Pair], levels: Sequence[losses.TrainingLevel]) -> Dataset:
    """Return the pairs as `pair_dataset` does, with the group ids of these levels alone."""
    dataset = pair_dataset(pairs)
    labels = dataset["label"][:]
    if len(levels) == len(LEVELS) or not isinstance(labels[0], list):
        return dataset
    starts = [1 + 2 * LEVELS.index(level.name) for level in levels]
    kept = [[row[0], *(row[i + end] for i in starts for end in (0, 1))] for row in labels]
    return dataset.remove_columns("label").add_column("label", kept)


def _encode_by(
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


def _make_loss(
    context: TrainingContext[MatryoshkaSettings],
    levels: Sequence[losses.TrainingLevel],
    model: SentenceTransformer,
) -> losses.LevelwiseMatryoshkaLoss:
    """Return the loss that the settings ask for."""
    s = context.settings
    options: dict[str, Any] = {
        "variant": s.variant,
        "graded_story": s.graded_story,
        "terms": losses.LevelwiseTerms(dropout_views=s.dropout_views, unlike=s.unlike, **s.terms),
        "mini_batch_size": s.mini_batch_size,
    }
    if not s.anchor:
        return losses.LevelwiseMatryoshkaLoss(model, levels, **options)
    frozen = context.load_base()
    return losses.AnchoredMatryoshkaLoss(model, levels, base=frozen, anchor=s.anchor, **options)
