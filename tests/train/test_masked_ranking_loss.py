"""InfoNCE with a teacher's mask: by hand, and beside the losses of sentence-transformers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedGISTEmbedLoss,
    GISTEmbedLoss,
    MultipleNegativesRankingLoss,
)

from newsnest.errors import ParameterError
from newsnest.train.losses import MaskedRankingLoss, TeacherVectors

TEXTS = (
    ["sea wall", "rates held", "storm hits coast", "cup final", "police raid", "vote", "team wins"],
    ["wall breached", "bank holds", "coast town", "final ends", "arrest in raid", "after", "cup"],
)


@pytest.fixture
def model(tiny_model):
    return SentenceTransformer(str(tiny_model), device="cpu").eval()  # no dropout


@pytest.fixture
def guide(other_tiny_model):
    return SentenceTransformer(str(other_tiny_model), device="cpu").eval()


@pytest.fixture
def other_tiny_model(tiny_model, tmp_path):
    """The same words, other weights."""
    other = SentenceTransformer(str(tiny_model), device="cpu")
    torch.manual_seed(5)
    with torch.no_grad():
        for weight in other.parameters():
            weight += 0.3 * torch.randn_like(weight)
    other.save_pretrained(str(tmp_path / "other"))
    return tmp_path / "other"


def gradients(loss, model) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    features = [dict(model.preprocess(list(texts))) for texts in TEXTS]
    with torch.enable_grad():
        value = loss(features, torch.arange(len(TEXTS[0])))
    value.backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return value.item(), found


def told_by(guide) -> TeacherVectors:
    return TeacherVectors(*(guide.encode(t, normalize_embeddings=True) for t in TEXTS))


def rows(*angles: float) -> np.ndarray:
    turned = np.radians(angles)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def test_the_value_is_that_of_the_formula():
    q, d = (torch.from_numpy(rows(*a)) for a in ((0, 90, 180), (10, 60, 150)))
    teacher = TeacherVectors(rows(0, 90, 180), rows(30, 100, 20))
    # f(q0, d2) = cos 20° > f(q0, d0) = cos 30°: left out; f(q2, ·): cos 80° and cos 150° are both
    # more than its own cos 160°: left out
    s = (q @ d.T).numpy() / 0.5
    first = -s[0, 0] + math.log(math.exp(s[0, 0]) + math.exp(s[0, 1]))
    second = -s[1, 1] + math.log(sum(math.exp(x) for x in s[1]))
    loss = MaskedRankingLoss(torch.nn.Identity(), teacher=teacher, temperature=0.5)
    found = loss.compute_loss_from_embeddings([q, d], torch.arange(3))
    assert found.item() == pytest.approx((first + second + 0) / 3, abs=1e-6)


def test_a_margin_leaves_more_out_and_a_negative_one_less():
    teacher = TeacherVectors(rows(0, 0, 0), rows(30, 35, 20))
    masked = {
        margin: MaskedRankingLoss(torch.nn.Identity(), teacher=teacher, margin=margin)
        .masked(torch.arange(3))[0]
        .tolist()
        for margin in (0.0, 0.1, -0.2)
    }
    assert masked == {
        0.0: [False, False, True], 0.1: [False, True, True], -0.2: [False, False, False]
    }  # fmt: skip


def test_labels_say_which_rows_the_teacher_looks_up():
    teacher = TeacherVectors(rows(0, 90, 0), rows(30, 90, 20))
    loss = MaskedRankingLoss(torch.nn.Identity(), teacher=teacher)
    assert loss.masked(torch.tensor([2, 0])).tolist() == [[False, False], [True, False]]
    for labels in ([0, 3], [-1, 0]):
        with pytest.raises(ParameterError, match="labels must be row numbers below 3"):
            loss.masked(torch.tensor(labels))


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    q, d = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    teacher = TeacherVectors(rows(0, 90, 180, 45), rows(30, 100, 20, 50))
    loss = MaskedRankingLoss(torch.nn.Identity(), teacher=teacher, temperature=0.5)
    assert torch.autograd.gradcheck(
        lambda x, y: loss.compute_loss_from_embeddings([x, y], torch.arange(4)), (q, d)
    )


@pytest.mark.parametrize("margin", [0.0, 0.1, -0.1])
@pytest.mark.parametrize("cached", [False, True])
def test_it_is_the_guided_loss_of_sentence_transformers(model, guide, margin, cached):
    kind = CachedGISTEmbedLoss if cached else GISTEmbedLoss
    theirs = kind(
        model, guide, temperature=0.05, margin=margin, contrast_anchors=False,
        contrast_positives=False,
    )  # fmt: skip
    value, expected = gradients(theirs, model)
    ours, found = gradients(
        MaskedRankingLoss(
            model,
            teacher=told_by(guide),
            margin=margin,
            temperature=0.05,
            mini_batch_size=3 if cached else None,
        ),
        model,
    )
    assert ours == pytest.approx(value, abs=1e-5)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-5)


def test_without_a_teacher_it_is_multiple_negatives_ranking(model):
    value, expected = gradients(MultipleNegativesRankingLoss(model, scale=20.0), model)
    ours, found = gradients(MaskedRankingLoss(model, temperature=0.05), model)
    assert ours == pytest.approx(value, abs=1e-5)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)


def test_the_teacher_is_no_weight_of_the_loss(model):
    loss = MaskedRankingLoss(model, teacher=told_by(model))
    assert all(name.startswith("model.") for name in loss.state_dict())
    assert loss.get_config_dict() == {
        "masked": True, "margin": 0.0, "temperature": 0.02, "mini_batch_size": None
    }  # fmt: skip
    assert "GISTEmbed" in loss.citation


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin": 2.0}, r"margin must be in \[-1, 1\], got 2.0"),
        ({"temperature": 0.0}, "temperature must be positive, got 0.0"),
        (
            {"teacher": TeacherVectors(rows(0, 1), rows(0))},
            r"as many items as queries \(2\), got 1",
        ),
    ],
)
def test_what_it_cannot_do_is_said(changes, said):
    with pytest.raises(ParameterError, match=said):
        MaskedRankingLoss(torch.nn.Identity(), **changes)
