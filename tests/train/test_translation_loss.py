"""Translations are drawn to the teacher's originals, and originals stay."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from newsnest.errors import ParameterError
from newsnest.train.losses import TranslationLoss, TranslationTerms
from newsnest.train.losses.translation import distance_loss, retrieval_loss, similarity_loss

TEXTS = (
    ["sea wall breached", "rates held", "team wins cup"],
    ["storm hits the coast", "bank raises rates", "vote"],
)
LABELS = torch.ones(3)


def loaded(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu").eval()


def shaken(folder: Path) -> SentenceTransformer:
    torch.manual_seed(0)
    model = loaded(folder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def features(model: SentenceTransformer) -> list[dict[str, torch.Tensor]]:
    return [
        {k: v for k, v in model.preprocess(list(texts)).items() if isinstance(v, torch.Tensor)}
        for texts in TEXTS
    ]


def test_values_by_hand():
    now = torch.tensor([[2.0, 0.0], [0.6, 0.8]])
    then = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    # Cosines with the teacher's rows: 1 and 0 for the first, .6 and .8 for the second.
    assert distance_loss(now, then).item() == pytest.approx((0 + 0.2) / 2)
    assert similarity_loss(now, then).item() == pytest.approx((0 + 0 + 0.36 + 0.04) / 4)
    by_hand = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-0.4))) / 2
    assert retrieval_loss(now, then, temperature=0.5).item() == pytest.approx(by_hand)


def test_rows_that_say_the_same_are_no_negatives():
    then = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    found = retrieval_loss(then, then, temperature=1.0).item()
    cosines = torch.nn.functional.normalize(then, dim=-1) @ torch.tensor([0.0, 1.0])
    apart = [math.exp(cosines[0].item()), math.exp(cosines[1].item())]
    one = math.log(1 + apart[0] / math.e)  # of the first row: the third is its only negative
    other = math.log(1 + apart[1] / math.e)
    third = math.log(1 + sum(apart) / math.e)
    assert found == pytest.approx((one + other + third) / 3, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [distance_loss, similarity_loss, lambda x, y: retrieval_loss(x, y, temperature=0.5)],
    ids=["distance", "similarity", "retrieval"],
)
def test_gradients_are_those_of_finite_differences(loss):
    torch.manual_seed(0)
    then = torch.randn(4, 6, dtype=torch.float64)
    now = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(x, then), now)
    value = loss(now, then).item()
    assert loss(5 * now, 0.1 * then).item() == pytest.approx(value)
    assert loss(now.bfloat16(), then.float()).item() == pytest.approx(value, abs=0.05)


def test_the_teacher_itself_costs_nothing_where_a_text_is_its_own_translation(tiny_model: Path):
    model = loaded(tiny_model)
    loss = TranslationLoss(model, teacher=loaded(tiny_model))
    columns = [features(model)[1]] * 2
    assert loss(columns, LABELS).item() == pytest.approx(0.0, abs=1e-5)
    assert loss(features(model), LABELS).item() > 0.01


def test_the_teacher_is_no_part_of_the_loss_and_stays_as_it_is(tiny_model: Path):
    model, teacher = loaded(tiny_model), loaded(tiny_model)
    loss = TranslationLoss(model, teacher=teacher)
    assert len(list(loss.parameters())) == len(list(model.parameters()))
    assert loss.train() and not teacher.training
    assert not any(p.requires_grad for p in teacher.parameters())
    assert loss.get_config_dict()["similarity"] == 10.0 and "reimers2020" in loss.citation


def test_training_brings_translations_and_originals_to_the_teacher(tiny_model: Path):
    model = shaken(tiny_model)
    loss = TranslationLoss(
        model, teacher=loaded(tiny_model), terms=TranslationTerms(contrastive=0.1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        value = loss(features(model), LABELS)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.5 * values[0]


def test_gradient_caching_changes_neither_loss_nor_gradient(tiny_model: Path):
    found = []
    start = shaken(tiny_model)
    for size in (None, 2):
        model = copy.deepcopy(start)
        loss = TranslationLoss(model, teacher=loaded(tiny_model), mini_batch_size=size)
        value = loss(features(model), LABELS)
        value.backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((value.item(), gradient))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-3, atol=1e-5)


def test_what_cannot_be_is_told(tiny_model: Path):
    model = loaded(tiny_model)
    with pytest.raises(ParameterError, match="TranslationLoss: temperature must be positive"):
        TranslationLoss(model, teacher=model, terms=TranslationTerms(temperature=0.0))

    class Narrow(nn.Module):
        def forward(self, columns):
            return {"sentence_embedding": torch.ones(len(columns["input_ids"]), 4)}

    loss = TranslationLoss(model, teacher=Narrow())
    with pytest.raises(ParameterError, match=r"must give vectors of shape \(3, 32\), got \(3, 4\)"):
        loss(features(model), LABELS)
