"""The losses of SCCL, VaSCL and IDEC on values worked out by hand, and their gradients."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from scipy.stats import entropy
from torch import nn
from torch.autograd import gradcheck

from newsnest.errors import ParameterError
from newsnest.train.losses import (
    ClusteringContrastLoss,
    ClusteringTerms,
    VirtualNeighbourhoodLoss,
    sharpened,
    student_assignment,
    target_divergence,
    worst_neighbours,
)


def rows(n: int, d: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


class Table(nn.Module):
    """Gives every number in the features its row of weights, with a little dropout if asked."""

    def __init__(self, weights: torch.Tensor, dropout: float = 0.0) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)
        self.dropout = nn.Dropout(dropout)

    def __getitem__(self, place: int) -> nn.Module:
        return self  # as sentence-transformers asks for the module that reads the input

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        found = self.weights[features["input_ids"][:, 0]]
        return {"sentence_embedding": self.dropout(found)}


def column(*numbers: int) -> dict[str, torch.Tensor]:
    ids = torch.tensor(numbers)[:, None]
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def test_student_assignment_is_that_of_its_formula():
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    centres = torch.tensor([[0.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    found = student_assignment(vectors, centres)
    assert found[0].tolist() == pytest.approx([1 / 1.1, 0.1 / 1.1])
    assert found[1].tolist() == pytest.approx([0.5 / 0.7, 0.2 / 0.7])
    three = student_assignment(vectors, centres, alpha=3.0)
    assert three[1].tolist() == pytest.approx(
        [(1 + 1 / 3) ** -2 / s for s in [(1 + 1 / 3) ** -2 + (1 + 4 / 3) ** -2]]
        + [(1 + 4 / 3) ** -2 / ((1 + 1 / 3) ** -2 + (1 + 4 / 3) ** -2)]
    )


def test_a_target_squares_and_divides_by_the_size_of_the_cluster():
    q = torch.tensor([[0.9, 0.1], [0.6, 0.4]], dtype=torch.float64, requires_grad=True)
    target = sharpened(q)
    first = [0.81 / 1.5, 0.01 / 0.5]
    second = [0.36 / 1.5, 0.16 / 0.5]
    assert target[0].tolist() == pytest.approx([x / sum(first) for x in first])
    assert target[1].tolist() == pytest.approx([x / sum(second) for x in second])
    assert not target.requires_grad


def test_a_cluster_nobody_belongs_to_gives_no_nan():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    loss = target_divergence(q, sharpened(q))
    loss.backward()
    assert loss.item() == 0 and torch.isfinite(q.grad).all()


def test_divergence_is_that_of_scipy_and_its_gradient_is_right():
    q, p = rows(6, 4).softmax(dim=1), rows(6, 4, seed=1).softmax(dim=1)
    oracle = entropy(p.numpy(), q.numpy(), axis=1).mean()
    assert target_divergence(q, p).item() == pytest.approx(oracle)
    centres = rows(3, 4, seed=2)
    target = sharpened(student_assignment(rows(6, 4), centres))
    assert gradcheck(
        lambda v, c: target_divergence(student_assignment(v, c), target),
        (rows(6, 4).requires_grad_(), centres.requires_grad_()),
    )


def sccl(n: int = 4, **changes) -> ClusteringContrastLoss:
    torch.manual_seed(0)
    loss = ClusteringContrastLoss(
        Table(rows(n, 3)), torch.eye(3)[:2], terms=ClusteringTerms(length=2.0, **changes)
    )
    return loss.double()


def test_sccl_is_clusters_plus_ten_times_contrast():
    loss = sccl()
    texts, one, other = rows(4, 3), rows(4, 3, seed=1), rows(4, 3, seed=2)
    unit = 2 * texts / texts.norm(dim=1, keepdim=True)
    q = student_assignment(unit, 2 * torch.eye(3, dtype=torch.float64)[:2])
    clusters = entropy(sharpened(q).numpy(), q.numpy(), axis=1).mean()
    views = loss.projection(torch.cat([one, other])).detach()
    views = views / views.norm(dim=1, keepdim=True)
    contrast = 0.0
    for i in range(8):
        e = [exp(float(views[i] @ views[j]) / 0.5) for j in range(8)]
        partner = (i + 4) % 8
        contrast -= log(e[partner] / (sum(e) - e[i])) / 8
    found = loss.compute_loss_from_embeddings([texts, one, other], torch.zeros(0))
    assert found.item() == pytest.approx(clusters + 10 * contrast, rel=1e-9)


def test_the_gradient_of_sccl_is_right_and_reaches_centres_and_projection():
    loss = sccl()
    inputs = [rows(4, 3, seed=s).requires_grad_() for s in range(3)]
    # The target is a constant: hold it, or differences would move it.
    alone = sccl(weight=0.0)
    with torch.no_grad():
        q = alone._assignment(inputs[0])
    target = sharpened(q)
    assert gradcheck(lambda v: target_divergence(alone._assignment(v), target), (inputs[0],))
    assert gradcheck(
        lambda a, b: loss.compute_loss_from_embeddings([inputs[0].detach(), a, b], torch.zeros(0)),
        tuple(inputs[1:]),
    )
    loss.compute_loss_from_embeddings(inputs, torch.zeros(0)).backward()
    for parameter in (loss.centres, *loss.projection.parameters()):
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0


@pytest.mark.parametrize("make", ["sccl", "vascl"])
def test_cached_gradients_are_those_of_the_whole_batch(make):
    found = []
    for size in (None, 2):
        torch.manual_seed(0)
        table = Table(rows(15, 3).float())
        loss = (
            ClusteringContrastLoss(table, torch.eye(3)[:2], mini_batch_size=size)
            if make == "sccl"
            else VirtualNeighbourhoodLoss(table, neighbours=2, mini_batch_size=size)
        )
        columns = [column(*range(5)), column(*range(5, 10)), column(*range(10, 15))]
        value = loss(columns)
        value.backward()
        gradients = [parameter.grad.clone() for parameter in loss.parameters()]
        found.append((value.item(), gradients))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_sccl_assigns_to_the_nearest_centre():
    loss = sccl()
    told = loss.assign(torch.tensor([[5.0, 0.1, 0.0], [0.1, 0.2, 0.0]], dtype=torch.float64))
    assert told.tolist() == [0, 1]


def test_without_a_step_the_neighbourhood_is_plain_infonce_against_neighbours():
    one, other = rows(5, 3), rows(5, 3, seed=1)
    a, b = (x / x.norm(dim=1, keepdim=True) for x in (one, other))
    total = 0.0
    for i in range(5):
        near = sorted((float(a[i] @ a[j]) for j in range(5) if j != i), reverse=True)[:2]
        own = exp(float(a[i] @ b[i]) / 0.1)
        total -= log(own / (own + sum(exp(s / 0.1) for s in near))) / 5
    found = worst_neighbours(one, other, neighbours=2, radius=0.0, temperature=0.1)
    assert found.item() == pytest.approx(total)
    many = worst_neighbours(one, other, neighbours=99, radius=0.0, temperature=0.1)
    four = worst_neighbours(one, other, neighbours=4, radius=0.0, temperature=0.1)
    assert many.item() == four.item() > found.item()


def test_a_step_goes_where_the_loss_rises_and_is_as_long_as_said():
    one, other = rows(8, 4), rows(8, 4, seed=1)
    told = [
        worst_neighbours(one, other, neighbours=3, radius=r, temperature=0.5).item()
        for r in (0.0, 0.05, 0.2)
    ]
    assert told[0] < told[1] < told[2]
    # Two texts at a right angle, one neighbour each: the worst way is straight to the neighbour,
    # and a step of its own length ends half-way between the two.
    plane = torch.eye(2, dtype=torch.float64)
    found = worst_neighbours(plane, plane, neighbours=1, radius=1.0, temperature=1.0)
    assert found.item() == pytest.approx(log(2))


def test_the_gradient_of_vascl_takes_the_step_for_a_constant():
    one, other = rows(4, 3).requires_grad_(), rows(4, 3, seed=1).requires_grad_()
    assert gradcheck(
        lambda a, b: worst_neighbours(a, b, neighbours=2, radius=0.0, temperature=0.5),
        (one, other),
    )
    loss = VirtualNeighbourhoodLoss(nn.Identity(), neighbours=2)
    loss.compute_loss_from_embeddings([one, other], torch.zeros(0)).backward()
    assert torch.isfinite(one.grad).all() and one.grad.abs().sum() > 0


def test_vascl_is_dropout_contrast_plus_the_neighbourhood():
    one, other = rows(4, 3), rows(4, 3, seed=1)
    views = torch.cat([one, other])
    views = views / views.norm(dim=1, keepdim=True)
    contrast = 0.0
    for i in range(8):
        e = [exp(float(views[i] @ views[j]) / 0.05) for j in range(8)]
        contrast -= log(e[(i + 4) % 8] / (sum(e) - e[i])) / 8
    near = worst_neighbours(one, other, neighbours=16, radius=1.0, temperature=0.05)
    loss = VirtualNeighbourhoodLoss(nn.Identity())
    found = loss.compute_loss_from_embeddings([one, other], torch.zeros(0))
    assert found.item() == pytest.approx(contrast + near.item())


def test_half_precision_gives_finite_losses():
    halves = [rows(6, 4, seed=s).bfloat16().requires_grad_() for s in range(3)]
    torch.manual_seed(0)
    cluster = ClusteringContrastLoss(Table(rows(2, 4).float()), torch.eye(4)[:2])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = cluster.compute_loss_from_embeddings(halves, torch.zeros(0))
        near = worst_neighbours(*halves[:2], neighbours=2, radius=1.0, temperature=0.05)
    assert torch.isfinite(told) and near.dtype == torch.float32 and torch.isfinite(near)


def test_losses_say_their_settings_and_sources():
    assert sccl().get_config_dict() == {
        "clusters": 2,
        "length": 2.0,
        "weight": 10.0,
        "temperature": 0.5,
        "alpha": 1.0,
        "mini_batch_size": None,
    }
    assert "2103.12953" in sccl().citation
    loss = VirtualNeighbourhoodLoss(nn.Identity())
    assert loss.get_config_dict()["neighbours"] == 16 and "2110.08552" in loss.citation


def test_losses_refuse_what_they_cannot_use():
    table = Table(rows(2, 3))
    with pytest.raises(ParameterError, match=r"centres must be two rows or more, got shape \(1, 3"):
        ClusteringContrastLoss(table, torch.eye(3)[:1])
    with pytest.raises(ParameterError, match="columns must be a text and two views of it, got 2"):
        sccl()([column(0), column(1)])
    for name in ("length", "alpha"):
        with pytest.raises(
            ParameterError, match=f"ClusteringTerms: {name} must be positive, got 0"
        ):
            ClusteringTerms(**{name: 0})
    with pytest.raises(ParameterError, match="ClusteringTerms: weight must be at least 0, got -1"):
        ClusteringTerms(weight=-1)
    with pytest.raises(ParameterError, match="ClusteringTerms: temperature must be positive"):
        ClusteringTerms(temperature=0)
    with pytest.raises(ParameterError, match="neighbours must be at least 1, got 0"):
        VirtualNeighbourhoodLoss(table, neighbours=0)
    with pytest.raises(ParameterError, match="radius must be at least 0, got -1"):
        VirtualNeighbourhoodLoss(table, radius=-1)
    with pytest.raises(ParameterError, match="VirtualNeighbourhoodLoss: temperature must be"):
        VirtualNeighbourhoodLoss(table, temperature=0)
