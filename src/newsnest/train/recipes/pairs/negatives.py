"""Hard negatives for pairs: texts that are near, but less so than the pair's own."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.pairs import Pair
from newsnest.train.run import prefix_of
from newsnest.train.samplers import text_components

_BLOCK = 1024  # texts whose similarities to all others are held at a time


@dataclass(frozen=True, slots=True)
class Mining:
    """How negatives are mined."""

    count: int  # for each pair
    # A negative is at least by this share of the pair's own similarity less similar: what is nearer
    # may well be true.
    margin: float = 0.05
    skip: int = 0  # how many of the nearest texts are never taken
    seed: int = 0  # draws what takes the place of negatives that were not found


@dataclass(frozen=True, slots=True)
class Mined:
    """Negatives of every pair, and how many of them are drawn at random instead of mined."""

    negatives: tuple[tuple[str, ...], ...]
    random: int


def mine_negatives(
    pairs: Sequence[Pair],
    model: SentenceTransformer,
    mining: Mining,
    *,
    batch_size: int = 32,
    progress: Progress = SILENT,
) -> Mined:
    """Find for every pair, in their order, other pairs' second texts near its first text.

    `model` decides what is near. No negative is connected with its pair by a chain of pairs, or is
    of its story. Where too few are hard enough, others are drawn, and counted; ParameterError if a
    pair has not as many other texts to draw from.

    Deterministic for a seed and model. O(n²) similarities, 1,024 · n held at a time.
    Source: NV-Retriever (arXiv 2407.15831), section 4.1, TopK-PercPos, by `mine_hard_negatives` of
    sentence-transformers, which leaves out pairs without enough negatives.
    """
    prefix = prefix_of(model)
    # It draws bars on standard error that cannot be turned off.
    with progress.start("mine negatives", None, "pairs"), redirect_stderr(io.StringIO()):
        found = mine_hard_negatives(
            Dataset.from_dict({"a": [p.text1 for p in pairs], "b": [p.text2 for p in pairs]}),
            model,
            num_negatives=mining.count,
            relative_margin=mining.margin,
            range_min=mining.skip,
            query_prompt=prefix,
            corpus_prompt=prefix,
            output_format="triplet",
            batch_size=batch_size,
            faiss_batch_size=_BLOCK,
            verbose=False,
        )
    near: dict[tuple[str, str], list[str]] = {}
    for row in zip(found["a"], found["b"], found["negative"], strict=True):
        near.setdefault(row[:2], []).append(row[2])
    return _filled(pairs, near, mining)


def _filled(pairs: Sequence[Pair], near: dict[tuple[str, str], list[str]], mining: Mining) -> Mined:
    """Take out what is connected with a pair, and draw what then lacks."""
    edges: list[tuple[object, object, float]] = [(p.text1, p.text2, 1.0) for p in pairs]
    edges += [(p.text1, (p.gold1[-1],), 1.0) for p in pairs if p.gold1[-1]]
    components = text_components(edges, min_score=1.0)[0][: len(pairs), 0]
    of = {pair.text2: int(own) for pair, own in zip(pairs, components, strict=True)}
    texts = list(of)
    rng = np.random.default_rng([13, mining.seed])
    sizes = np.bincount(list(of.values()), minlength=int(components.max()) + 1)
    out: list[tuple[str, ...]] = []
    random = 0
    for pair, own in zip(pairs, components.tolist(), strict=True):
        taken = [t for t in near.get((pair.text1, pair.text2), ()) if of[t] != own][: mining.count]
        if len(texts) - int(sizes[own]) < mining.count:
            raise ParameterError(
                f"train: negatives must be at most {len(texts) - int(sizes[own])}, the texts that "
                f"are not connected with {pair.text1[:40]!r}, got {mining.count}. Give more data."
            )
        while len(taken) < mining.count:
            drawn = texts[int(rng.integers(len(texts)))]
            if of[drawn] != own and drawn not in taken:
                taken.append(drawn)
                random += 1
        out.append(tuple(taken))
    return Mined(tuple(out), random)
