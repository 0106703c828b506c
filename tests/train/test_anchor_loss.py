"""The anchor holds on to the base's similarities, and to nothing else."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer

from newsnest.train.losses import LevelwiseMatryoshkaLoss, LevelwiseTerms, training_levels
from newsnest.train.losses.anchor import AnchoredMatryoshkaLoss, anchor_loss

TEXTS = (
    ["sea wall breached", "rates held", "team wins cup"],
    ["storm hits the coast", "bank raises rates", "vote"],
)
LABELS = torch.tensor([0.75, 0.75, 0.0])
NO_VIEWS = LevelwiseTerms(dropout_views=False)


def loaded(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu").eval()


def features(model: SentenceTransformer) -> list[dict[str, torch.Tensor]]:
    return [
        {k: v for k, v in model.preprocess(list(texts)).items() if isinstance(v, torch.Tensor)}
        for texts in TEXTS
    ]


def test_a_value_by_hand():
    now = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    then = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    # The pairs are rows 0–2 and 1–3; of the eight other entries, each cosine fell from 1 to 0.
    assert anchor_loss(now, then, scale=3.0).item() == pytest.approx(9.0)
    then[3] = torch.tensor([0.0, 2.0])
    # The entries 0–3 and 2–3 are kept now, both ways.
    assert anchor_loss(now, then, scale=3.0).item() == pytest.approx(4.5)


def test_only_labelled_pairs_moved_costs_nothing():
    then = torch.eye(4)
    now = torch.eye(4)
    now[2] = torch.tensor([0.6, 0.0, 0.8, 0.0])  # nearer to its partner, row 0
    assert anchor_loss(now, then, scale=20.0).item() == 0.0


def test_lengths_do_not_matter_and_half_precision_does_little():
    torch.manual_seed(0)
    now, then = torch.randn(6, 8), torch.randn(6, 4)
    value = anchor_loss(now, then, scale=20.0)
    assert anchor_loss(5 * now, 0.1 * then, scale=20.0).item() == pytest.approx(value.item(), 1e-4)
    assert anchor_loss(now.bfloat16(), then, scale=20.0).item() == pytest.approx(value.item(), 0.05)


def test_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    then = torch.randn(4, 6, dtype=torch.float64)
    now = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: anchor_loss(x, then, scale=2.0), now)


def test_the_base_itself_costs_nothing_and_is_no_part_of_the_loss(tiny_model: Path):
    model, base = loaded(tiny_model), loaded(tiny_model)
    levels = training_levels(32)
    plain = LevelwiseMatryoshkaLoss(model, levels, terms=NO_VIEWS)
    anchored = AnchoredMatryoshkaLoss(model, levels, base=base, anchor=3.0, terms=NO_VIEWS)
    value = plain(features(model), LABELS).item()
    assert anchored(features(model), LABELS).item() == pytest.approx(value, abs=1e-4)
    assert len(list(anchored.parameters())) == len(list(model.parameters()))
    assert set(anchored.state_dict()) == set(plain.state_dict())
    assert not any(p.requires_grad for p in base.parameters()) and not base.training
    assert anchored.train() and not base.training
    assert anchored.get_config_dict()["anchor"] == 3.0


def test_it_pulls_a_changed_model_back(tiny_model: Path):
    model, base = loaded(tiny_model), loaded(tiny_model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    none = LevelwiseTerms(dropout_views=False, cosine=1e-9, angle=0.0, contrastive=0.0)
    loss = AnchoredMatryoshkaLoss(model, training_levels(32), base=base, anchor=1.0, terms=none)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        value = loss(features(model), LABELS)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.5 * values[0]


@pytest.mark.parametrize("views", [True, False])
def test_gradient_caching_changes_neither_loss_nor_gradient(tiny_model: Path, views: bool):
    start = loaded(tiny_model)
    with torch.no_grad():
        start[0].auto_model.embeddings.word_embeddings.weight.mul_(1.2)
    found = []
    for size in (None, 2):
        model = copy.deepcopy(start)
        loss = AnchoredMatryoshkaLoss(
            model,
            training_levels(32),
            base=loaded(tiny_model),
            anchor=1.0,
            terms=LevelwiseTerms(dropout_views=views),
            mini_batch_size=size,
        )
        value = loss(features(model), LABELS)
        value.backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((value.item(), gradient))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-3, atol=1e-5)
