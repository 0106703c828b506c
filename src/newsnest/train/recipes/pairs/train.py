"""What the recipe `pairs` does, step by step; loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedGISTEmbedLoss,
    CachedMultipleNegativesRankingLoss,
    GISTEmbedLoss,
    MultipleNegativesRankingLoss,
)
from torch import Tensor, nn
from transformers import set_seed

from newsnest.embed.weights import folder_digests
from newsnest.errors import ParameterError
from newsnest.labelled import ColumnReading, Splitting, TrainingData, parse_data, read_column_pairs
from newsnest.progress import SILENT, Progress
from newsnest.train.losses import MegaBatchLoss, cosines
from newsnest.train.pair_retrieval import PairRetrievalEvaluator
from newsnest.train.recipes.pairs.negatives import Mined, Mining, mine_negatives
from newsnest.train.recipes.pairs.settings import CACHED_SIZE, PairsSettings
from newsnest.train.run.base import Base, find_base, kept_levels, load_base
from newsnest.train.run.first_look import batches_of, look_at_pairs
from newsnest.train.run.place import PAGE_HEAD, base_content, place_of
from newsnest.train.run.session import (
    Session,
    Validation,
    begin,
    finish,
    make_trainer,
    train,
)
from newsnest.train.run.trainer import CheckpointTrainer
from newsnest.train.samplers import ComponentBatchSampler, NegativeBatchSampler

_LARGE = 256  # a batch in which the hardest text is hard

_PAGE = (
    PAGE_HEAD
    + """# An encoder of news

Trained from {base} by `newsnest train pairs` on pairs of {columns}, loss {loss}.

| Validation | Before | After |
|---|---|---|
| MRR@10, the first text looking for the second | {before[mrr_10]:.4f} | {after[mrr_10]:.4f} |
| Recall@10 | {before[recall_10]:.4f} | {after[recall_10]:.4f} |

Data, settings, versions and preflight stand in newsnest.json.

## Source
```bibtex
{citation}
```
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsPlan(Session):
    """All that is known before the first step."""

    settings: PairsSettings
    data: TrainingData
    guide: Base | None
    mined: Mined | None


def train_pairs(settings: PairsSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `newsnest.train.recipes.pairs.run` says."""
    start = begin(settings, progress)
    progress = start.progress
    guide = _guide(settings, start.base, progress)
    usual = ColumnReading(settings.columns, settings.most, settings.profile)
    files = parse_data(settings.data, usual)
    also = {} if guide is None else {"guide": base_content(guide)}
    place = place_of("pairs", settings, start.base, files, **also)
    if place.is_complete(progress):
        return settings.output
    splitting = Splitting(
        share=settings.validation, max_validation=settings.validation_pairs, seed=settings.seed
    )
    data = read_column_pairs(files, splitting, progress=progress)
    mined = _mined(settings, guide or start.base, data, start.state, progress)
    plan = PairsPlan(
        **start.known(),
        place=place,
        data=data,
        guide=guide,
        mined=mined,
        sampler=NegativeBatchSampler
        if mined
        else partial(ComponentBatchSampler, min_score=_CONNECTED),
    )
    set_seed(settings.seed)  # the weights of LoRA are drawn
    texts = [(pair.text1, pair.text2) for pair in data.validation]
    evaluator = PairRetrievalEvaluator(texts, name=Validation.NAME)
    validation = Validation(evaluator, "mrr_10", "MRR@10")
    trainer = make_trainer(plan, _dataset(plan), partial(_loss, plan), validation)
    train(plan, trainer, partial(_look, plan, trainer, validation))
    return finish(plan, trainer, validation, partial(_metadata, plan), partial(_page, trainer.loss))


_CONNECTED = 1.0


def _guide(settings: PairsSettings, base: Base, progress: Progress) -> Base | None:
    """Return what guides or mines, None where nothing does."""
    needed = settings.loss == "guided" or settings.negatives > 0
    if settings.guide is None:
        return base if needed else None
    if not needed:
        raise ParameterError(
            f"train pairs: guide must be none with loss={settings.loss} and no negatives, got "
            f"{settings.guide!r}. Set loss=guided, or negatives=1."
        )
    return find_base(settings.guide, progress=progress)


def _mined(
    settings: PairsSettings,
    miner: Base,
    data: TrainingData,
    state: PartialState,
    progress: Progress,
) -> Mined | None:
    """Return mined negatives; vectors of two devices might choose others, so one process does."""
    if not settings.negatives:
        return None
    mined: Mined | None = None
    if state.is_main_process:
        mining = Mining(
            settings.negatives, settings.mining_margin, settings.mining_skip, settings.seed
        )
        model = load_base(miner, device=str(state.device))
        mined = mine_negatives(data.train, model, mining, progress=progress)
        progress.note(
            f"{len(data.train) * settings.negatives:,} negatives, {mined.random:,} of them drawn "
            "at random, for too few were near and still less similar than the pair"
        )
    (mined,) = broadcast_object_list([mined])
    return mined


def _dataset(plan: PairsPlan) -> Dataset:
    pairs = plan.data.train
    columns: dict[str, list[Any]] = {
        "text1": [pair.text1 for pair in pairs],
        "text2": [pair.text2 for pair in pairs],
    }
    if plan.mined is not None:
        for number, texts in enumerate(zip(*plan.mined.negatives, strict=True), start=1):
            columns[f"negative{number}"] = list(texts)
    return Dataset.from_dict({**columns, "label": [1.0] * len(pairs)})


def _loss(plan: PairsPlan, model: SentenceTransformer) -> nn.Module:
    """Return the loss that the settings ask for."""
    s = plan.settings
    if s.loss == "megabatch":
        if s.batch_size < _LARGE:
            plan.progress.note(
                f"megabatch looks for the hardest of {s.batch_size} texts; batches of 500 and more "
                "are meant: batch_size=512 and mini_batch_size=32"
            )
        return MegaBatchLoss(
            model,
            positive_margin=s.positive_margin,
            negative_margin=s.negative_margin,
            mini_batch_size=s.mini_batch_size,
        )
    if s.loss == "guided":
        return _guided_loss(plan, model)
    own = {"scale": s.scale or 20.0, "similarity_fct": cosines}
    loss: nn.Module
    if s.loss == "mnr":
        loss = MultipleNegativesRankingLoss(model, **own)
    else:
        size = s.mini_batch_size or CACHED_SIZE
        loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=size, **own)
    return loss


def _guided_loss(plan: PairsPlan, model: SentenceTransformer) -> nn.Module:
    s = plan.settings
    assert plan.guide is not None  # _guide says so
    guide = load_base(plan.guide, device=str(plan.state.device))
    own = {"temperature": 1 / (s.scale or 100.0), "margin": s.guide_margin}
    loss: nn.Module
    if s.mini_batch_size is None:
        loss = _Guided(model, guide, **own)
    else:
        loss = _CachedGuided(model, guide, mini_batch_size=s.mini_batch_size, **own)
    # No child of the loss: it would get an optimizer and a wrapper, and read with dropout.
    del loss.guide
    loss.__dict__["guide"] = guide.eval().requires_grad_(False)
    return loss


class _Guided(GISTEmbedLoss):  # type: ignore[misc]  # untyped base
    """Cosines in full precision; settings that JSON can hold."""

    def sim_matrix(self, embed1: Tensor, embed2: Tensor) -> Tensor:
        return cosines(embed1, embed2)

    def get_config_dict(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config_dict().items() if k != "guide"}


class _CachedGuided(CachedGISTEmbedLoss):  # type: ignore[misc]  # untyped base
    """As `_Guided`."""

    citation = GISTEmbedLoss.citation  # it has none of its own

    def sim_matrix(self, embed1: Tensor, embed2: Tensor) -> Tensor:
        return cosines(embed1, embed2)

    def get_config_dict(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config_dict().items() if k != "guide"}


def _look(plan: PairsPlan, trainer: CheckpointTrainer, validation: Validation) -> None:
    """Look at data, gradient and time; say and keep what was found."""
    data = plan.data
    if data.leaking:
        plan.progress.note(
            f"{data.leaking:,} pairs left out: held-out pairs have one of their texts, or their "
            "story"
        )
    rows = len(data.train), len(data.validation)
    look_at_pairs(
        plan, trainer, validation, rows, list(batches_of(trainer)), connect_from=_CONNECTED
    )


def _metadata(plan: PairsPlan, model: SentenceTransformer) -> dict[str, Any]:
    guide = plan.guide
    return {
        "recipe": "pairs",
        **kept_levels(plan.base),
        "data": list(plan.data.sources),
        "guide": None
        if guide is None
        else {"name": guide.name, "files": folder_digests(guide.folder)},
        "chosen": {
            "leaking_pairs_left_out": plan.data.leaking,
            "negatives_at_random": None if plan.mined is None else plan.mined.random,
        },
    }


def _page(loss: Any, metadata: Mapping[str, Any]) -> str:
    settings, scores = metadata["settings"], metadata["validation"]
    return _PAGE.format(
        base=metadata["base"]["name"],
        columns=" and ".join(settings["columns"]),
        loss=settings["loss"],
        before=scores["before"],
        after=scores["after"],
        citation=loss.citation.strip(),
    )
