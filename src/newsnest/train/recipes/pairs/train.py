"""What the recipe `pairs` does, step by step; loads torch."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses as stock
from sentence_transformers.util import mine_hard_negatives
from torch import Tensor, nn

from newsnest.embed.weights import folder_digests
from newsnest.errors import ParameterError
from newsnest.labelled import Pair
from newsnest.progress import SILENT, Progress
from newsnest.train import run
from newsnest.train.losses import MegaBatchLoss, cosines
from newsnest.train.recipes.pairs import CACHED_SIZE, PairsSettings
from newsnest.train.samplers import NegativeBatchSampler, text_components

_BLOCK = 1024  # texts whose similarities to all others are held at a time
_LARGE = 256  # a batch in which the hardest text is hard


@dataclass(frozen=True, slots=True)
class Mined:
    """Negatives of every pair, and how many of them are drawn at random instead of mined."""

    negatives: tuple[tuple[str, ...], ...]
    random: int


def train_pairs(context: run.TrainingContext[PairsSettings]) -> None:
    """Train as `newsnest.train.recipes.pairs.PAIRS` describes."""
    s, progress = context.settings, context.progress
    guide = context.base if s.needs_guide else None
    if s.guide is not None:
        guide = run.find_base(s.guide, progress=progress)
    data = context.read_pairs()
    mined: Mined | None = None
    if guide is not None and s.negatives:
        miner = guide
        mined = context.once(
            lambda: mine_negatives(data.train, context.load_base(miner), s, progress=progress)
        )
        progress.note(
            f"{len(data.train) * s.negatives:,} negatives, {mined.random:,} of them drawn at "
            "random, for too few were near and still less similar than the pair"
        )
    training = run.PairRun(
        context=context,
        make_loss=partial(_make_loss, context, guide),
        data=data,
        dataset=_dataset(data.train, mined),
        sampler=NegativeBatchSampler if mined else None,
    )
    training.train()
    frozen = guide and {"name": guide.name, "files": folder_digests(guide.folder)}
    publication = run.Publication(
        title="An encoder of news",
        text=f"Trained from {s.base} by `newsnest train pairs` on pairs of "
        f"{run.column_names(data)}, loss {s.loss}.",
        chosen={"negatives_at_random": None if mined is None else mined.random},
        details={"guide": frozen},
    )
    table = {"MRR@10, the first text looking for the second": "mrr_10", "Recall@10": "recall_10"}
    training.publish(publication, table)


def _dataset(pairs: Sequence[Pair], mined: Mined | None) -> Dataset:
    columns: dict[str, list[Any]] = {
        "text1": [pair.text1 for pair in pairs],
        "text2": [pair.text2 for pair in pairs],
    }
    if mined is not None:
        for number, texts in enumerate(zip(*mined.negatives, strict=True), start=1):
            columns[f"negative{number}"] = list(texts)
    return Dataset.from_dict({**columns, "label": [1.0] * len(pairs)})


def _make_loss(
    context: run.TrainingContext[PairsSettings], guide: run.Base | None, model: SentenceTransformer
) -> nn.Module:
    """Return the loss that the settings ask for."""
    s, size = context.settings, context.settings.mini_batch_size
    if s.loss == "megabatch":
        if s.batch_size < _LARGE:
            context.progress.note(
                f"megabatch looks for the hardest of {s.batch_size} texts; batches of 500 and more "
                "are meant: batch_size=512 and mini_batch_size=32"
            )
        margins = {"positive_margin": s.positive_margin, "negative_margin": s.negative_margin}
        return MegaBatchLoss(model, **margins, mini_batch_size=size)
    loss: nn.Module
    if guide is not None and s.loss == "guided":
        frozen = context.load_base(guide)
        own: dict[str, Any] = {"temperature": s.temperature or 0.01, "margin": s.guide_margin}
        if size is None:
            loss = _Guided(model, frozen, **own)
        else:
            loss = _CachedGuided(model, frozen, mini_batch_size=size, **own)
        # No child of the loss: it would get an optimizer and a wrapper, and read with dropout.
        del loss.guide
        loss.__dict__["guide"] = frozen.eval().requires_grad_(False)
        return loss
    own = {"scale": 1 / (s.temperature or 0.05), "similarity_fct": cosines}
    if s.loss == "mnr":
        loss = stock.MultipleNegativesRankingLoss(model, **own)
    else:
        loss = stock.CachedMultipleNegativesRankingLoss(
            model, mini_batch_size=size or CACHED_SIZE, **own
        )
    return loss


class _PlainGuide:
    """Cosines in full precision; settings that JSON can hold."""

    def sim_matrix(self, embed1: Tensor, embed2: Tensor) -> Tensor:
        return cosines(embed1, embed2)

    def get_config_dict(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config_dict()  # type: ignore[misc]  # of the loss
        return {k: v for k, v in config.items() if k != "guide"}


class _Guided(_PlainGuide, stock.GISTEmbedLoss):  # type: ignore[misc]  # untyped base
    pass


class _CachedGuided(_PlainGuide, stock.CachedGISTEmbedLoss):  # type: ignore[misc]  # untyped base
    citation = stock.GISTEmbedLoss.citation  # it has none of its own


def mine_negatives(
    pairs: Sequence[Pair],
    model: SentenceTransformer,
    settings: PairsSettings,
    *,
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
    prefix = run.prefix_of(model)
    # It draws bars on standard error that cannot be turned off.
    with progress.start("mine negatives", None, "pairs"), redirect_stderr(io.StringIO()):
        found = mine_hard_negatives(
            Dataset.from_dict({"a": [p.text1 for p in pairs], "b": [p.text2 for p in pairs]}),
            model,
            num_negatives=settings.negatives,
            relative_margin=settings.mining_margin,
            range_min=settings.mining_skip,
            query_prompt=prefix,
            corpus_prompt=prefix,
            output_format="triplet",
            batch_size=32,
            faiss_batch_size=_BLOCK,
            verbose=False,
        )
    near: dict[tuple[str, str], list[str]] = {}
    for row in zip(found["a"], found["b"], found["negative"], strict=True):
        near.setdefault(row[:2], []).append(row[2])
    return _filled(pairs, near, count=settings.negatives, seed=settings.seed)


def _filled(
    pairs: Sequence[Pair], near: dict[tuple[str, str], list[str]], *, count: int, seed: int
) -> Mined:
    """Take out what is connected with a pair, and draw what then lacks."""
    edges: list[tuple[object, object, float]] = [(p.text1, p.text2, 1.0) for p in pairs]
    edges += [(p.text1, (p.gold1[-1],), 1.0) for p in pairs if p.gold1[-1]]
    components = text_components(edges, min_score=1.0)[0][: len(pairs), 0]
    of = {pair.text2: int(own) for pair, own in zip(pairs, components, strict=True)}
    texts = list(of)
    rng = np.random.default_rng([13, seed])
    sizes = np.bincount(list(of.values()), minlength=int(components.max()) + 1)
    out: list[tuple[str, ...]] = []
    random = 0
    for pair, own in zip(pairs, components.tolist(), strict=True):
        taken = [t for t in near.get((pair.text1, pair.text2), ()) if of[t] != own][:count]
        if len(texts) - int(sizes[own]) < count:
            raise ParameterError(
                f"train: negatives must be at most {len(texts) - int(sizes[own])}, the texts that "
                f"are not connected with {pair.text1[:40]!r}, got {count}. Give more data."
            )
        while len(taken) < count:
            drawn = texts[int(rng.integers(len(texts)))]
            if of[drawn] != own and drawn not in taken:
                taken.append(drawn)
                random += 1
        out.append(tuple(taken))
    return Mined(tuple(out), random)
