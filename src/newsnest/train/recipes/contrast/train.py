"""What the recipes `sccl` and `vascl` do, step by step; loads torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import set_seed

from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train import losses, run
from newsnest.train.recipes.contrast import ContrastSettings, ScclSettings, VasclSettings
from newsnest.train.unlabelled import AgainstGold, delete_words
from newsnest.types import Ints, Labels, Vectors

ContrastLoss = losses.ClusteringContrastLoss | losses.VirtualNeighbourhoodLoss
_STARTS = 5


@dataclass(frozen=True, slots=True)
class Contrasted:
    """A trained encoder, and its vectors and clusters of the texts it was trained on."""

    model: SentenceTransformer  # stock modules only
    vectors: Vectors  # float32 (n, d), unit vectors of the texts
    labels: Labels | None  # int32 (n,), clusters of the loss's own centres; None: vascl has none
    loss: ContrastLoss  # as it was trained
    # k-means of the vectors "before" and "after" training against gold; empty without.
    gold: Mapping[str, Mapping[str, float]]


def run_contrast(context: run.TrainingContext[ContrastSettings]) -> None:
    """Train as `newsnest.train.recipes.contrast.SCCL` and `VASCL` describe."""
    s, data = context.settings, context.read_texts()
    trained = train_contrast(
        data.texts, s, gold=data.gold, context=context, progress=context.progress
    )
    publication = run.Publication(
        title="An encoder trained without labels",
        text=f"Trained from {s.base} by `newsnest train {context.recipe}`.",
        citation=trained.loss.citation,
        data=data.sources,
        details={"loss": trained.loss.get_config_dict(), "gold": trained.gold},
    )
    run.publish_model(context, trained.model, publication)


def train_contrast(
    texts: Sequence[str],
    settings: ContrastSettings,
    *,
    gold: Sequence[str | None] | None = None,
    context: run.TrainingContext[ContrastSettings] | None = None,
    progress: Progress = SILENT,
) -> Contrasted:
    """Train on texts at hand; `settings.data` and `settings.output` are not looked at.

    `gold`, a label per text or None, is reported and never used. Without a context no checkpoints
    are kept. Raises ParameterError if there are fewer texts than clusters, or fewer than two, and
    EncoderError if the base cannot be found or loaded.
    """
    clusters = settings.k if isinstance(settings, ScclSettings) else None
    different, minimum = len(set(texts)), max(2, clusters or 2)
    if different < minimum:
        raise ParameterError(
            f"train_contrast: texts must be at least {minimum} different ones, as many as "
            f"clusters, got {different}. Give more data, or ask for fewer clusters."
        )
    context = context or run.begin("contrast", settings, progress)
    set_seed(settings.seed)
    model = context.load_base()
    against = AgainstGold(gold, seed=settings.seed)
    against.look("before", lambda: _encode(model, texts))
    loss = _make_loss(settings, model, texts, progress)
    _train(context, model, loss, texts)
    model.eval()
    vectors = _encode(model, texts)
    labels = None
    if isinstance(loss, losses.ClusteringContrastLoss):
        labels = loss.assign(torch.from_numpy(vectors)).cpu().numpy().astype(np.int32)
    against.look("after", lambda: vectors)
    against.report(progress)
    return Contrasted(model, vectors, labels, loss, against.scores)


class _Trainer(run.CheckpointTrainer):
    """Keeps the weights of the loss as well: centres and projection are trained too."""

    @property
    def trained(self) -> torch.nn.Module:
        """The loss, of which the model is a part."""
        loss: torch.nn.Module = self.loss
        return loss


def _train(
    context: run.TrainingContext[ContrastSettings],
    model: SentenceTransformer,
    loss: ContrastLoss,
    texts: Sequence[str],
) -> None:
    """Train model and loss in place, from the last checkpoint where there is one."""
    s, place = context.settings, context.kept_at
    begun, checkpoint = (False, None) if place is None else run.find_checkpoint(context)
    if place is not None and not begun:
        place.keep({})
    rates = {}
    if isinstance(s, ScclSettings):
        head = s.head_lr_factor * s.learning_rate
        rates = {r"^centres$": head, r"^projection\.": head}
    every = max(1, s.steps // s.checkpoints)
    batch = min(s.batch_size, len(texts))
    with TemporaryDirectory() as nowhere:  # the trainer makes a folder, also where it keeps nothing
        trainer = run.make_trainer(
            context,
            {"model": model, "train_dataset": view_dataset(texts, s, batch), "loss": loss},
            run.Reporter(context.progress),
            kind=_Trainer,
            output_dir=nowhere if place is None else str(place.checkpoints),
            per_device_train_batch_size=batch,
            max_steps=s.steps,
            learning_rate=s.learning_rate,
            learning_rate_mapping=rates,
            lr_scheduler_type="constant",
            batch_sampler=_in_order,
            eval_strategy="no",
            save_strategy="no" if place is None else "steps",
            save_steps=every,
            logging_steps=min(50, every),
        )
        trainer.train_from(checkpoint)


def _in_order(dataset: Any, *, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
    return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)


def view_dataset(texts: Sequence[str], settings: ContrastSettings, batch: int) -> Dataset:
    """Return all batches in their order: a text and two views of it, drawn when they are read.

    No text is twice in a batch of `batch` texts, at most all. What a row holds depends on its
    number and the seed alone, so that a training goes on after an interruption as if there had been
    none.
    """
    rng = np.random.default_rng(settings.seed)
    whole = len(texts) // batch * batch  # what is left over waits for another round
    rounds = math.ceil(settings.steps * batch / whole)
    order = np.concatenate([rng.permutation(len(texts))[:whole] for _ in range(rounds)])
    order = order[: settings.steps * batch]
    rows = Dataset.from_dict({"number": np.arange(len(order))})
    if not isinstance(settings, ScclSettings):
        return rows.with_transform(lambda rows: {"text": [texts[order[i]] for i in rows["number"]]})
    noise = settings.noise if settings.views == "deletion" else 0.0
    return rows.with_transform(
        partial(_views, texts=list(texts), order=order, noise=noise, seed=settings.seed)
    )


def _views(
    rows: Mapping[str, Sequence[int]],
    *,
    texts: Sequence[str],
    order: Ints,
    noise: float,
    seed: int,
) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {"text": [], "view": [], "other_view": []}
    for number in rows["number"]:
        text = texts[order[number]]
        rng = np.random.default_rng((seed, int(number)))
        out["text"].append(text)
        for column in ("view", "other_view"):
            out[column].append(delete_words(text, noise, rng) if noise else text)
    return out


def _make_loss(
    settings: ContrastSettings,
    model: SentenceTransformer,
    texts: Sequence[str],
    progress: Progress,
) -> ContrastLoss:
    if isinstance(settings, VasclSettings):
        return losses.VirtualNeighbourhoodLoss(
            model,
            neighbours=settings.neighbours,
            radius=settings.radius,
            temperature=settings.temperature,
            mini_batch_size=settings.mini_batch_size,
        )
    s = settings
    assert isinstance(s, ScclSettings) and s.k is not None
    vectors = _encode(model, texts)
    means = KMeans(s.k, n_init=_STARTS, random_state=s.seed).fit(vectors)
    length = s.vector_length or math.sqrt(vectors.shape[1])
    progress.note(f"{s.k} centres by k-means; vectors of length {length:.1f}")
    terms = losses.ClusteringTerms(length, s.contrastive, s.temperature, s.alpha)
    centres = torch.from_numpy(means.cluster_centers_.astype(np.float32)).to(model.device)
    return losses.ClusteringContrastLoss(
        model, centres, terms=terms, mini_batch_size=s.mini_batch_size
    )


def _encode(model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    vectors = model.encode(
        list(texts),
        prompt=run.prefix_of(model) or None,
        normalize_embeddings=True,
        show_progress_bar=False,
    )
    return np.asarray(vectors, np.float32)
