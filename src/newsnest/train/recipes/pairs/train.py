"""What the recipe `pairs` does, step by step; loads torch."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses as stock
from torch import Tensor, nn

from newsnest.embed.weights import folder_digests
from newsnest.train.losses import MegaBatchLoss, cosines
from newsnest.train.pairs import Pair
from newsnest.train.recipes.pairs import CACHED_SIZE, PairsSettings
from newsnest.train.recipes.pairs.negatives import Mined, Mining, mine_negatives
from newsnest.train.run import Base, PairRun, Publication, TrainingContext, column_names, find_base
from newsnest.train.samplers import NegativeBatchSampler

_LARGE = 256  # a batch in which the hardest text is hard


def train_pairs(context: TrainingContext[PairsSettings]) -> None:
    """Train as `newsnest.train.recipes.pairs.PAIRS` describes."""
    s, progress = context.settings, context.progress
    guide = context.base if s.needs_guide else None
    if s.guide is not None:
        guide = find_base(s.guide, progress=progress)
    data = context.read_pairs()
    mined: Mined | None = None
    if guide is not None and s.negatives:
        mining = Mining(s.negatives, s.mining_margin, s.mining_skip, s.seed)
        miner = guide
        mined = context.once(
            lambda: mine_negatives(data.train, context.load_base(miner), mining, progress=progress)
        )
        progress.note(
            f"{len(data.train) * s.negatives:,} negatives, {mined.random:,} of them drawn at "
            "random, for too few were near and still less similar than the pair"
        )
    run = PairRun(
        context=context,
        make_loss=partial(_make_loss, context, guide),
        data=data,
        dataset=_dataset(data.train, mined),
        sampler=NegativeBatchSampler if mined else None,
    )
    run.train()
    frozen = guide and {"name": guide.name, "files": folder_digests(guide.folder)}
    publication = Publication(
        title="An encoder of news",
        text=f"Trained from {s.base} by `newsnest train pairs` on pairs of {column_names(data)}, "
        f"loss {s.loss}.",
        chosen={"negatives_at_random": None if mined is None else mined.random},
        details={"guide": frozen},
    )
    table = {"MRR@10, the first text looking for the second": "mrr_10", "Recall@10": "recall_10"}
    run.publish(publication, table)


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
    context: TrainingContext[PairsSettings], guide: Base | None, model: SentenceTransformer
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
