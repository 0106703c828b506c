"""What the recipes `sccl` and `vascl` do, step by step; loads torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray
from safetensors.torch import load_model, save_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from sklearn.cluster import KMeans
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import PrinterCallback, TrainerControl, TrainerState, TrainingArguments, set_seed

from newsnest.embed.backend import multiplies_bfloat16
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.errors import ParameterError
from newsnest.labelled import TextReading, parse_data, read_training_texts
from newsnest.progress import SILENT, Progress
from newsnest.train.against_gold import AgainstGold
from newsnest.train.deletion import delete_words
from newsnest.train.losses import (
    ClusteringContrastLoss,
    ClusteringTerms,
    VirtualNeighbourhoodLoss,
)
from newsnest.train.recipe import require_one_process
from newsnest.train.recipes.contrast.settings import ContrastSettings, ScclSettings, VasclSettings
from newsnest.train.run.base import find_base_of, kept_levels, load_base, prefix_of
from newsnest.train.run.place import PAGE_HEAD, Place, place_of
from newsnest.train.run.trainer import (
    CheckpointTrainer,
    Reporter,
    last_checkpoint,
    uses_bfloat16,
)
from newsnest.train.run.versions import versions
from newsnest.train.settings import settings_content
from newsnest.types import Labels, Vectors

if TYPE_CHECKING:
    from datasets import Dataset

ContrastLoss = ClusteringContrastLoss | VirtualNeighbourhoodLoss
_WEIGHTS = "loss.safetensors"
_STARTS = 5
_PAGE = (
    PAGE_HEAD
    + """# An encoder trained without labels

Trained from {base} by `newsnest train {recipe}`. Data, settings and versions stand in
newsnest.json.

## Source
```bibtex
{citation}
```
"""
)


@dataclass(frozen=True, slots=True)
class Contrasted:
    """A trained encoder, and what it says of the texts it was trained on.

    Parameters
    ----------
    model
        Stock modules only.
    vectors
        float32 (n, d), unit vectors of the texts.
    labels
        int32 (n,), the clusters of the loss's own centres; None where it has none (`vascl`).
    loss
        As it was trained.
    bfloat16
        Whether it was computed in bfloat16.
    gold
        k-means of the vectors "before" and "after" training against gold; empty without.
    """

    model: SentenceTransformer
    vectors: Vectors
    labels: Labels | None
    loss: ContrastLoss
    bfloat16: bool
    gold: Mapping[str, Mapping[str, float]]


def run_contrast(settings: ContrastSettings, *, progress: Progress = SILENT) -> Path:
    """Do what `run_sccl` and `run_vascl` of `newsnest.train.recipes.contrast` say."""
    recipe = _recipe(settings)
    require_one_process(recipe)
    base = find_base_of(settings, progress)
    files = parse_data(settings.data, TextReading())
    place = place_of(recipe, settings, base, files)
    if place.is_complete(progress):
        return settings.output
    data = read_training_texts(files, progress=progress)
    trained = train_contrast(data.texts, settings, gold=data.gold, place=place, progress=progress)
    metadata = {
        "recipe": recipe,
        **kept_levels(base),
        "base": {"name": settings.base, "files": folder_digests(base.folder)},
        "data": [dict(source) for source in data.sources],
        "settings": settings_content(settings),
        "chosen": {
            "prefix": prefix_of(trained.model),
            "max_length": trained.model.max_seq_length,
            "precision": "bfloat16" if trained.bfloat16 else "float32",
            "device": trained.model.device.type,
            "threads": torch.get_num_threads(),
        },
        "loss": trained.loss.get_config_dict(),
        "gold": trained.gold,
        "versions": versions(),
        "seed": settings.seed,
    }

    def save(folder: Path) -> None:
        with quiet_loading():
            trained.model.save_pretrained(str(folder), create_model_card=False)
        citation = trained.loss.citation.strip()
        page = _PAGE.format(base=settings.base, recipe=recipe, citation=citation)
        (folder / "README.md").write_text(page, encoding="utf-8")

    place.publish(save, metadata)
    return settings.output


def train_contrast(
    texts: Sequence[str],
    settings: ContrastSettings,
    *,
    gold: Sequence[str | None] | None = None,
    place: Place | None = None,
    progress: Progress = SILENT,
) -> Contrasted:
    """Train on texts at hand; `settings.data` and `settings.output` are not looked at.

    Parameters
    ----------
    texts
        n of them.
    settings
        `ScclSettings` or `VasclSettings`.
    gold
        A label per text, None where there is none; reported and never used.
    place
        Where checkpoints are kept, and looked for; None keeps none.
    progress
        Told what was chosen, and every step.

    Raises
    ------
    ParameterError
        If there are fewer texts than clusters, or fewer than two.
    EncoderError
        If the base cannot be found or loaded.
    """
    clusters = settings.k if isinstance(settings, ScclSettings) else None
    different, least = len(set(texts)), max(2, clusters or 2)
    if different < least:
        raise ParameterError(
            f"train_contrast: texts must be at least {least} different ones, as many as clusters, "
            f"got {different}. Give more data, or ask for fewer clusters."
        )
    state = PartialState(cpu=settings.device == "cpu")
    set_seed(settings.seed)
    model = load_base(find_base_of(settings, progress), device=str(state.device))
    bfloat16 = uses_bfloat16(
        settings.precision, state.device, cpu_is_good_at_it=multiplies_bfloat16()
    )
    against = AgainstGold(gold, seed=settings.seed)
    against.look("before", lambda: _encode(model, texts))
    loss = _make_loss(settings, model, texts, progress)
    checkpoint = last_checkpoint(place.checkpoints) if place is not None else None
    if checkpoint is not None:
        progress.note(f"going on from {checkpoint.name} in {checkpoint.parent}")
    elif place is not None:
        place.keep({})
    with TemporaryDirectory() as nowhere:  # the trainer makes a folder, also where it keeps nothing
        folder = Path(nowhere) if place is None else place.checkpoints
        strategy = "no" if place is None else "steps"
        trainer = _trainer(settings, model, loss, texts, bfloat16, folder, strategy, progress)
        reporter = next(c for c in trainer.callback_handler.callbacks if isinstance(c, _Steps))
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        finally:
            reporter.close()
    model.eval()
    vectors = _encode(model, texts)
    labels = None
    if isinstance(loss, ClusteringContrastLoss):
        labels = loss.assign(torch.from_numpy(vectors)).cpu().numpy().astype(np.int32)
    against.look("after", lambda: vectors)
    against.tell(progress)
    return Contrasted(model, vectors, labels, loss, bfloat16, against.scores)


class _Trainer(CheckpointTrainer):
    """Keeps the weights of the loss as well: centres and projection are trained too."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.loss, str(folder / _WEIGHTS))

    def _load_from_checkpoint(self, checkpoint_path: str, model: Any = None) -> None:
        load_model(self.loss, str(Path(checkpoint_path) / _WEIGHTS))


class _Steps(Reporter):
    """Tells steps alone: there is nothing to validate with."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Advance."""
        if self.task is not None:
            self.task.advance()


def _trainer(  # noqa: PLR0913
    settings: ContrastSettings,
    model: SentenceTransformer,
    loss: ContrastLoss,
    texts: Sequence[str],
    bfloat16: bool,
    folder: Path,
    save_strategy: str,
    progress: Progress,
) -> _Trainer:
    rates = {}
    if isinstance(settings, ScclSettings):
        own = settings.own_rate * settings.learning_rate
        rates = {r"^centres$": own, r"^projection\.": own}
    every = max(1, settings.steps // settings.checkpoints)
    batch = min(settings.batch_size, len(texts))
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        learning_rate_mapping=rates,
        lr_scheduler_type="constant",
        weight_decay=settings.weight_decay,
        bf16=bfloat16,
        use_cpu=model.device.type == "cpu",
        batch_sampler=_in_order,
        prompts=prefix_of(model) or None,
        eval_strategy="no",
        save_strategy=save_strategy,
        save_steps=every,
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        report_to=["none"],
        seed=settings.seed,
        disable_tqdm=True,
        logging_steps=min(50, every),
        logging_nan_inf_filter=False,
        dataloader_pin_memory=model.device.type == "cuda",
    )
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=view_dataset(texts, settings, batch),
        loss=loss,
        callbacks=[_Steps(progress, "")],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _in_order(dataset: Any, *, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
    return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)


def view_dataset(texts: Sequence[str], settings: ContrastSettings, batch: int) -> Dataset:
    """Return all batches in their order: a text and two views of it, drawn when they are read.

    No text is twice in a batch. What a row holds depends on its number and the seed alone, so that
    a training goes on after an interruption as if there had been none.

    Parameters
    ----------
    texts
        n of them.
    settings
        Of `sccl` or `vascl`.
    batch
        Texts a batch, at most n.
    """
    from datasets import Dataset

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
    order: NDArray[np.int64],
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
        return VirtualNeighbourhoodLoss(
            model,
            neighbours=settings.neighbours,
            radius=settings.radius,
            temperature=settings.temperature,
            mini_batch_size=settings.mini_batch_size,
        )
    assert isinstance(settings, ScclSettings)
    vectors = _encode(model, texts)
    assert settings.k is not None
    means = KMeans(settings.k, n_init=_STARTS, random_state=settings.seed).fit(vectors)
    length = settings.length or math.sqrt(vectors.shape[1])
    progress.note(f"{settings.k} centres by k-means; vectors of length {length:.1f}")
    terms = ClusteringTerms(length, settings.contrast, settings.temperature, settings.alpha)
    centres = torch.from_numpy(means.cluster_centers_.astype(np.float32)).to(model.device)
    return ClusteringContrastLoss(
        model, centres, terms=terms, mini_batch_size=settings.mini_batch_size
    )


def _encode(model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    vectors = model.encode(
        list(texts),
        prompt=prefix_of(model) or None,
        normalize_embeddings=True,
        show_progress_bar=False,
    )
    return np.asarray(vectors, np.float32)


def _recipe(settings: ContrastSettings) -> str:
    return "sccl" if isinstance(settings, ScclSettings) else "vascl"
