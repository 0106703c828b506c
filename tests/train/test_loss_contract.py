"""One row a loss of the registry: what every loss must do."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from torch import nn
from torch.autograd import gradcheck

from newsnest.train.losses import (
    LOSSES,
    ClusteringTerms,
    PairLoss,
    TeacherVectors,
    TrainingLevel,
    sharpened,
)

TEXTS = ["sea wall breached", "storm hits the coast", "bank raises rates", "rates held"]
LIKE = ["the wall breached in storm", "storm on the coast", "rates raised", "the bank holds rates"]
GRADES = [0.75, 0.5, 0.25, 0.0]
TWO = {"text1": TEXTS, "text2": LIKE}

# Name → what it needs beside the model of d dimensions, its columns, its labels.
ROWS: dict[str, tuple[Callable[[nn.Module, int], dict], dict[str, list[str]], list | None]] = {
    "cosine-ranking": (lambda model, d: {}, TWO, GRADES),
    "angle": (lambda model, d: {}, TWO, GRADES),
    "contrastive": (lambda model, d: {}, TWO, GRADES),
    "matryoshka": (lambda model, d: {"levels": levels(d)}, TWO, GRADES),
    "anchored-matryoshka": (
        lambda model, d: {"levels": levels(d), "base": model, "anchor": 0.5},
        TWO,
        GRADES,
    ),
    "masked-ranking": (
        lambda model, d: {"teacher": TeacherVectors(vectors(4, 3), vectors(4, 3, 1))},
        TWO,
        [0, 1, 2, 3],
    ),
    "megabatch": (lambda model, d: {"positive_margin": 0.99}, TWO, GRADES),
    "translation": (lambda model, d: {"teacher": model}, TWO, GRADES),
    "clustering-contrast": (
        lambda model, d: {"centres": torch.eye(d)[:2], "terms": ClusteringTerms(length=2.0)},
        {"text": TEXTS, "view": LIKE, "other": TEXTS[::-1]},
        None,
    ),
    "virtual-neighbours": (lambda model, d: {"neighbours": 2}, {"text": TEXTS}, None),
}
each_loss = pytest.mark.parametrize("name", ROWS)


def vectors(n: int, d: int, seed: int = 0):
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    return nn.functional.normalize(rows, dim=1).numpy()


def levels(d: int) -> list[TrainingLevel]:
    return [TrainingLevel("topic", d // 2, 0.375), TrainingLevel("story", d, 0.625)]


def loaded(folder: Path) -> SentenceTransformer:
    torch.manual_seed(0)
    return SentenceTransformer(str(folder), device="cpu")


class Table(nn.Module):
    """A row of weights for every number."""

    def __init__(self) -> None:
        super().__init__()
        rows = torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self.weights = nn.Parameter(rows)

    def forward(self, features):
        return {"sentence_embedding": self.weights[features["input_ids"][:, 0]]}


def test_every_loss_of_the_registry_has_a_row():
    assert list(ROWS) == list(LOSSES.built_in)
    assert set(LOSSES.built_in.values()) <= set(LOSSES.values())
    for known in LOSSES.values():
        assert known.summary and known.inputs and known.labels


@each_loss
def test_what_the_registry_says_of_a_loss_is_so(name):
    needs, columns, labels = ROWS[name]
    known = LOSSES[name]
    assert issubclass(known.loss, PairLoss) and known.loss.texts == len(columns)
    assert (known.labels == "none") == (labels is None)
    if not known.needs:
        known.loss(Table())
        return
    with pytest.raises(TypeError, match="missing"):
        known.loss(Table())
    assert set(known.needs.split(", ")) <= set(needs(Table(), 4))


@each_loss
def test_the_gradient_of_a_whole_step_is_that_of_finite_differences(name, monkeypatch):
    make, columns, labels = ROWS[name]
    # What is held constant on purpose must not move with the weights: a target, a step.
    targets: list[torch.Tensor] = []
    monkeypatch.setattr(
        "newsnest.train.losses.clustering_contrast.sharpened",
        lambda q: targets.append(sharpened(q)) or targets[0],
    )
    constant = {"radius": 0.0} if name == "virtual-neighbours" else {}
    model, frozen = Table(), Table()
    with torch.no_grad():
        frozen.weights += 0.3
    torch.manual_seed(0)
    loss = LOSSES[name].loss(model, **make(frozen, 4), **constant).double()
    features = [{"input_ids": torch.arange(4)[:, None] + 4 * i} for i in range(len(columns))]
    given = None if labels is None else torch.tensor(labels, dtype=torch.float64)

    def value(weights: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            model.weights.copy_(weights)
        del model._parameters["weights"]
        model.weights = weights
        try:
            return loss([dict(column) for column in features], given)
        finally:
            del model.weights
            model.weights = nn.Parameter(weights.detach().clone())

    assert gradcheck(value, (model.weights.detach().clone().requires_grad_(),), atol=1e-4)


@each_loss
def test_a_loss_says_its_settings_and_its_source(name):
    loss = LOSSES[name].loss(Table(), **ROWS[name][0](Table(), 4))
    assert "mini_batch_size" in json.loads(json.dumps(loss.get_config_dict()))
    assert "title={" in loss.citation


@each_loss
@pytest.mark.parametrize("size", [None, 3])
def test_a_loss_works_under_the_trainer(name, size, tiny_model: Path, tmp_path: Path):
    make, columns, labels = ROWS[name]
    model = loaded(tiny_model)
    before = model.encode("rates held")
    kind = partial(LOSSES[name].loss, mini_batch_size=size)
    data = Dataset.from_dict({**columns, **({} if labels is None else {"label": labels})})
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=4,
            max_steps=2,
            learning_rate=1e-2,
            report_to="none",
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=data,
        loss=kind(model, **make(loaded(tiny_model), 32)),
    )
    trainer.train()
    assert torch.isfinite(
        torch.tensor([log.get("loss", 0.0) for log in trainer.state.log_history])
    ).all()
    assert abs(model.encode("rates held") - before).max() > 1e-5
